#include "migration/checksum/row_comparison.hpp"

#include "migration/checksum/key_text.hpp"
#include "migration/sql/identifier.hpp"
#include "migration/sql/key_literal.hpp"

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

namespace sluice::migration {
namespace {

constexpr std::size_t keys_in_statement_max = 500;

std::optional<std::uint64_t> number(const cell& text) {
    std::uint64_t value = 0;
    if (!text) return std::nullopt;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
    return value;
}

}  // namespace

row_comparison::row_comparison(const comparison_columns& what, sql_session& session, key_set_form form)
    : what_(what), session_(session), form_(form) {}

outcome<void> row_comparison::prepare() {
    if (!what_.converts()) return {};
    auto made = ensure_scratch();
    if (made || made.error().code != "access_denied") return made;
    failure why = std::move(made).error();
    why.code = "missing_privileges";
    why.message = "the ALTER converts columns, and comparing them needs CREATE TEMPORARY TABLES ON " +
                  quote_identifier(what_.scratch.schema) + ".*: GRANT it, or set verify to false (" + why.message + ")";
    return why;
}

outcome<void> row_comparison::ensure_scratch() {
    if (has_scratch_ && session_.connection_id() == scratch_of_) return {};
    SLUICE_TRY_VOID(session_.run(create_scratch_statement(what_)));
    has_scratch_ = true;
    scratch_of_ = session_.connection_id();
    return {};
}

outcome<void> row_comparison::fill_scratch(const row_selection& rows) {
    SLUICE_TRY_VOID(ensure_scratch());
    SLUICE_TRY_VOID(session_.run(clear_scratch_statement(what_)));
    SLUICE_TRY_VOID(session_.run(fill_scratch_statement(what_, rows)));
    return {};
}

outcome<void> row_comparison::list_keys(std::string_view statement, std::vector<std::string>& into, bool& more) {
    SLUICE_TRY(const query_result found, session_.run(statement));
    for (const auto& row : found.rows) {
        const auto key = key_of_cells(what_.columns.key, what_.key_is_unsigned, row);
        if (!key) return refuse("verification_failed", "a row cannot be compared: " + key.error().message);
        into.push_back(join_literals(*key));
    }
    more = more || found.rows.size() >= keys_max;
    return {};
}

outcome<void> row_comparison::list_converted(const row_selection& rows, std::vector<std::string>& into, bool& more) {
    if (!what_.converts()) return {};
    // After the direct comparison: a row that it has seen and that is not in the scratch table now has been deleted.
    SLUICE_TRY_VOID(fill_scratch(rows));
    return list_keys(differing_conversions_statement(what_, keys_max), into, more);
}

outcome<row_comparison::range_findings> row_comparison::compare_range(const range_bounds& bounds) {
    const row_selection rows{bounds, {}, form_};
    SLUICE_TRY(const query_result counted, session_.run(compare_rows_statement(what_, rows)));
    if (counted.rows.size() != 1 || counted.rows[0].size() != 4) {
        return refuse("verification_failed", "the server's answer to a comparison is not one row of four numbers");
    }
    const auto& numbers = counted.rows[0];
    const auto joined = number(numbers[0]);
    const auto differing = number(numbers[1]);
    const auto in_original = number(numbers[2]);
    const bool doubled = !what_.columns.key_is_enforced && joined && in_original && *joined > *in_original;
    if (!joined || !differing || !in_original || (*joined != *in_original && !doubled)) {
        return refuse("verification_failed", "a comparison returned " + numbers[0].value_or("NULL") + " rows of the " +
                                                 numbers[2].value_or("NULL") + " that " +
                                                 quote_table(what_.columns.original) + " has in its range");
    }
    range_findings found;
    found.rows = *in_original;
    const bool same_number = !numbers[3] || number(numbers[3]) == in_original;
    if (*differing != 0) {
        SLUICE_TRY_VOID(list_keys(differing_keys_statement(what_, rows, keys_max), found.differing, found.more));
    }
    if (!same_number || *differing != 0) {
        if (what_.one_order) {
            SLUICE_TRY_VOID(list_keys(surplus_keys_statement(what_, rows, keys_max), found.differing, found.more));
        }
    }
    if (doubled) SLUICE_TRY_VOID(list_keys(doubled_keys_statement(what_, rows, keys_max), found.differing, found.more));
    SLUICE_TRY_VOID(list_converted(rows, found.differing, found.more));
    return found;
}

outcome<std::vector<std::string>> row_comparison::compare_keys(const std::vector<std::string>& keys) {
    std::vector<std::string> differing;
    for (std::size_t begin = 0; begin < keys.size(); begin += keys_in_statement_max) {
        const auto some = std::span(keys).subspan(begin, std::min(keys_in_statement_max, keys.size() - begin));
        const row_selection rows{{}, some, form_};
        bool more = false;
        SLUICE_TRY_VOID(list_keys(differing_keys_statement(what_, rows, keys_max), differing, more));
        SLUICE_TRY_VOID(list_keys(surplus_keys_statement(what_, rows, keys_max), differing, more));
        if (!what_.columns.key_is_enforced) {
            SLUICE_TRY_VOID(list_keys(doubled_keys_statement(what_, rows, keys_max), differing, more));
        }
        SLUICE_TRY_VOID(list_converted(rows, differing, more));
    }
    return differing;
}

outcome<std::optional<key_literals>> row_comparison::chunk_end(const std::optional<key_literals>& lower,
                                                               std::size_t rows, bool of_ghost) {
    const copy_columns& along = of_ghost ? what_.ghost_walk : what_.columns;
    if (along.key.empty()) return std::optional<key_literals>{};
    SLUICE_TRY(const query_result found,
               session_.run(chunk_bound_statement(along, range_bounds{lower, false, std::nullopt}, rows)));
    if (found.rows.empty()) return std::optional<key_literals>{};
    SLUICE_TRY(key_literals end,
               key_of_cells(along.key, of_ghost ? what_.ghost_key_is_unsigned : what_.key_is_unsigned, found.rows[0]));
    return std::optional(std::move(end));
}

outcome<row_comparison::range_findings> row_comparison::surplus_of_ghost_range(const range_bounds& bounds) {
    range_findings found;
    const row_selection rows{bounds, {}, form_};
    SLUICE_TRY_VOID(list_keys(surplus_keys_statement(what_, rows, keys_max), found.differing, found.more));
    return found;
}

outcome<std::vector<std::string>> row_comparison::describe(const std::vector<std::string>& keys) {
    std::vector<std::string> described;
    const std::string where = quote_table(what_.columns.ghost);
    for (const std::string& key : keys) {
        const row_selection row{{}, std::span(&key, 1), form_};
        const auto key_columns = what_.columns.key.size();
        std::string text = "key (" + key + "): ";
        std::string columns;
        const auto add_columns = [&](const std::vector<cell>& verdicts, bool converted) {
            std::size_t place = key_columns + 1;
            for (const auto& one : what_.compared) {
                if (one.converted != converted) continue;
                if (verdicts[place++] == "1") continue;
                columns += (columns.empty() ? "" : ", ") + quote_identifier(one.column.ghost);
            }
        };
        SLUICE_TRY(const query_result direct, session_.run(column_verdicts_statement(what_, row)));
        if (direct.rows.empty()) {
            described.push_back(text.append("only in ").append(where));
            continue;
        }
        if (direct.rows.size() > 1) {
            described.push_back(text.append(std::to_string(direct.rows.size())).append(" times in ").append(where));
            continue;
        }
        if (direct.rows[0][key_columns] != "1") {
            described.push_back(text.append("missing in ").append(where));
            continue;
        }
        add_columns(direct.rows[0], false);
        if (what_.converts()) {
            SLUICE_TRY_VOID(fill_scratch(row));
            SLUICE_TRY(const query_result converted, session_.run(conversion_verdicts_statement(what_)));
            if (!converted.rows.empty()) add_columns(converted.rows[0], true);
        }
        described.push_back(text + "differs in " + (columns.empty() ? "nothing any more" : columns));
    }
    return described;
}

}  // namespace sluice::migration
