#include "protocol/sql/statement_footprint.hpp"

#include <algorithm>

namespace sluice::sql {

namespace {

[[nodiscard]] bool has_non_ascii(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

}  // namespace

std::string_view to_string(statement_kind kind) noexcept {
    switch (kind) {
        case statement_kind::empty: return "empty";
        case statement_kind::select: return "select";
        case statement_kind::insert: return "insert";
        case statement_kind::update: return "update";
        case statement_kind::delete_: return "delete";
        case statement_kind::replace: return "replace";
        case statement_kind::load_data: return "load_data";
        case statement_kind::ddl: return "ddl";
        case statement_kind::start_transaction: return "start_transaction";
        case statement_kind::commit: return "commit";
        case statement_kind::rollback: return "rollback";
        case statement_kind::rollback_to_savepoint: return "rollback_to_savepoint";
        case statement_kind::savepoint: return "savepoint";
        case statement_kind::release_savepoint: return "release_savepoint";
        case statement_kind::set: return "set";
        case statement_kind::set_transaction: return "set_transaction";
        case statement_kind::lock_tables: return "lock_tables";
        case statement_kind::unlock_tables: return "unlock_tables";
        case statement_kind::flush: return "flush";
        case statement_kind::handler_open: return "handler_open";
        case statement_kind::handler_read: return "handler_read";
        case statement_kind::handler_close: return "handler_close";
        case statement_kind::xa_start: return "xa_start";
        case statement_kind::xa_end: return "xa_end";
        case statement_kind::xa_prepare: return "xa_prepare";
        case statement_kind::xa_commit: return "xa_commit";
        case statement_kind::xa_rollback: return "xa_rollback";
        case statement_kind::xa_recover: return "xa_recover";
        case statement_kind::call: return "call";
        case statement_kind::prepare: return "prepare";
        case statement_kind::execute: return "execute";
        case statement_kind::deallocate: return "deallocate";
        case statement_kind::use: return "use";
        case statement_kind::show: return "show";
        case statement_kind::kill: return "kill";
        case statement_kind::explain: return "explain";
        case statement_kind::do_: return "do";
        case statement_kind::administration: return "administration";
        case statement_kind::other: return "other";
    }
    return "unknown";
}

bool may_be_same_name(std::string_view a, std::string_view b, int lower_case_table_names) noexcept {
    if (has_non_ascii(a) && has_non_ascii(b)) return true;
    return lower_case_table_names == 0 ? a == b : equal_ignoring_case(a, b);
}

bool statement_footprint::may_touch(const table_name& table, std::string_view default_schema,
                                    int lower_case_table_names) const noexcept {
    if (touches_anything) return true;
    return std::any_of(names.begin(), names.end(), [&](const table_name& named) {
        if (!may_be_same_name(named.name, table.name, lower_case_table_names)) return false;
        const std::string_view schema = named.schema.empty() ? default_schema : std::string_view(named.schema);
        return schema.empty() || may_be_same_name(schema, table.schema, lower_case_table_names);
    });
}

bool statement_footprint::has(statement_kind kind) const noexcept {
    return std::any_of(statements.begin(), statements.end(), [&](const auto& one) { return one.kind == kind; });
}

statement_kind statement_footprint::first_kind() const noexcept {
    return statements.empty() ? statement_kind::empty : statements.front().kind;
}

transaction_effect statement_footprint::effect() const noexcept {
    const auto last = std::find_if(statements.rbegin(), statements.rend(),
                                   [](const auto& one) { return one.effect != transaction_effect::none; });
    return last == statements.rend() ? transaction_effect::none : last->effect;
}

}  // namespace sluice::sql
