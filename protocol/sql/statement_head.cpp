#include "protocol/sql/statement_head.hpp"

#include <algorithm>
#include <initializer_list>

namespace sluice::sql {

namespace {

using kind = statement_kind;
using effect = transaction_effect;

[[nodiscard]] constexpr head_reading known(kind what, effect does, name_rule names) noexcept {
    return {.kind = what, .effect = does, .names = names, .touches_anything = false};
}

[[nodiscard]] constexpr head_reading anything(kind what, effect does) noexcept {
    return {.kind = what, .effect = does, .names = name_rule::all, .touches_anything = true};
}

[[nodiscard]] bool is_any(const token& word, std::initializer_list<std::string_view> keywords) noexcept {
    return std::any_of(keywords.begin(), keywords.end(), [&](auto keyword) { return word.is(keyword); });
}

head_reading select(statement_head&) noexcept { return known(kind::select, effect::none, name_rule::after_from); }
head_reading table(statement_head&) noexcept { return known(kind::select, effect::none, name_rule::all); }
// Which statement it is shows only behind the common table expressions; classify() looks there.
head_reading with(statement_head&) noexcept { return known(kind::other, effect::none, name_rule::all); }
head_reading insert(statement_head&) noexcept { return known(kind::insert, effect::none, name_rule::all); }
head_reading update(statement_head&) noexcept { return known(kind::update, effect::none, name_rule::all); }
head_reading delete_(statement_head&) noexcept { return known(kind::delete_, effect::none, name_rule::all); }
head_reading replace(statement_head&) noexcept { return known(kind::replace, effect::none, name_rule::all); }

head_reading load(statement_head& head) noexcept {
    if (is_any(head.at(1), {"DATA", "XML"})) return known(kind::load_data, effect::none, name_rule::all);
    if (head.is(1, "INDEX")) return known(kind::ddl, effect::implicit_commit, name_rule::all);
    return {};
}

/// CREATE, ALTER, DROP: what kind of object?
head_reading ddl(statement_head& head) noexcept {
    auto reading = known(kind::ddl, effect::implicit_commit, name_rule::all);
    if (head.is(0, "DROP") && head.is(1, "PREPARE")) return known(kind::deallocate, effect::none, name_rule::none);
    for (std::size_t i = 1; i < statement_head::tokens_max; ++i) {
        const auto& word = head.at(i);
        if (word.kind == token_kind::end) break;
        if (word.is("TEMPORARY")) reading.effect = effect::none;
        if (is_any(word, {"PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE", "LIBRARY"})) {
            reading.touches_anything = true;
            // A body may hold semicolons; DROP has none.
            reading.rest_is_body = !head.is(0, "DROP");
            return reading;
        }
        if (is_any(word, {"DATABASE", "SCHEMA", "TABLESPACE", "LOGFILE", "INSTANCE"})) {
            reading.touches_anything = true;
            return reading;
        }
        if (is_any(word, {"TABLE", "TABLES", "VIEW", "INDEX", "USER", "ROLE", "SERVER", "SEQUENCE", "RESOURCE"})) {
            return reading;
        }
    }
    reading.touches_anything = true;
    return reading;
}

head_reading table_ddl(statement_head&) noexcept { return known(kind::ddl, effect::implicit_commit, name_rule::all); }
head_reading checksum(statement_head&) noexcept { return known(kind::ddl, effect::none, name_rule::all); }

head_reading analyze(statement_head& head) noexcept {
    const std::size_t at = is_any(head.at(1), {"LOCAL", "NO_WRITE_TO_BINLOG"}) ? 2 : 1;
    if (is_any(head.at(at), {"TABLE", "TABLES"})) return table_ddl(head);
    // MariaDB: ANALYZE SELECT ... runs the statement and explains it.
    return known(kind::explain, effect::none, name_rule::all);
}

head_reading begin(statement_head& head) noexcept {
    const std::size_t at = head.is(1, "WORK") ? 2 : 1;
    if (head.at(at).kind == token_kind::end) return known(kind::start_transaction, effect::opens, name_rule::none);
    auto compound = anything(kind::other, effect::may_change);
    compound.rest_is_body = true;
    return compound;
}

head_reading start(statement_head& head) noexcept {
    if (head.is(1, "TRANSACTION")) return known(kind::start_transaction, effect::opens, name_rule::none);
    return known(kind::administration, effect::implicit_commit, name_rule::none);
}

head_reading commit(statement_head&) noexcept { return known(kind::commit, effect::ends, name_rule::none); }

head_reading rollback(statement_head& head) noexcept {
    if (head.is(head.is(1, "WORK") ? 2 : 1, "TO")) {
        return known(kind::rollback_to_savepoint, effect::none, name_rule::none);
    }
    return known(kind::rollback, effect::ends, name_rule::none);
}

head_reading savepoint(statement_head&) noexcept { return known(kind::savepoint, effect::none, name_rule::none); }
head_reading release(statement_head&) noexcept { return known(kind::release_savepoint, effect::none, name_rule::none); }

head_reading set(statement_head& head) noexcept {
    const std::size_t at = is_any(head.at(1), {"SESSION", "LOCAL", "GLOBAL"}) ? 2 : 1;
    if (head.is(at, "TRANSACTION")) return known(kind::set_transaction, effect::none, name_rule::none);
    const bool account = head.is(1, "PASSWORD") || (head.is(1, "DEFAULT") && head.is(2, "ROLE"));
    if (account) return known(kind::set, effect::implicit_commit, name_rule::none);
    // MariaDB: SET STATEMENT variable = value FOR any statement.
    if (head.is(1, "STATEMENT")) return anything(kind::set, effect::may_change);
    return known(kind::set, effect::none, name_rule::after_from);
}

head_reading lock(statement_head& head) noexcept {
    if (is_any(head.at(1), {"TABLE", "TABLES"}))
        return known(kind::lock_tables, effect::implicit_commit, name_rule::all);
    if (head.is(1, "INSTANCE")) return known(kind::administration, effect::none, name_rule::none);
    return {};
}

head_reading unlock(statement_head& head) noexcept {
    if (is_any(head.at(1), {"TABLE", "TABLES"})) return known(kind::unlock_tables, effect::may_change, name_rule::none);
    return known(kind::administration, effect::none, name_rule::none);
}

head_reading flush(statement_head& head) noexcept {
    const std::size_t at = is_any(head.at(1), {"LOCAL", "NO_WRITE_TO_BINLOG"}) ? 2 : 1;
    if (!is_any(head.at(at), {"TABLE", "TABLES"})) return known(kind::flush, effect::implicit_commit, name_rule::none);
    if (!head.at(at + 1).is_identifier() || is_any(head.at(at + 1), {"WITH", "FOR"})) {
        return anything(kind::flush, effect::implicit_commit);
    }
    return known(kind::flush, effect::implicit_commit, name_rule::all);
}

head_reading handler(statement_head& head) noexcept {
    const std::size_t at = head.at(2).is_symbol('.') ? 4 : 2;
    if (head.is(at, "OPEN")) return known(kind::handler_open, effect::none, name_rule::all);
    if (head.is(at, "READ")) return known(kind::handler_read, effect::none, name_rule::all);
    if (head.is(at, "CLOSE")) return known(kind::handler_close, effect::none, name_rule::none);
    return {};
}

head_reading xa(statement_head& head) noexcept {
    const auto& word = head.at(1);
    if (is_any(word, {"START", "BEGIN"})) return known(kind::xa_start, effect::opens, name_rule::none);
    if (word.is("END")) return known(kind::xa_end, effect::none, name_rule::none);
    if (word.is("PREPARE")) return known(kind::xa_prepare, effect::ends, name_rule::none);
    if (word.is("COMMIT")) return known(kind::xa_commit, effect::ends, name_rule::none);
    if (word.is("ROLLBACK")) return known(kind::xa_rollback, effect::ends, name_rule::none);
    if (word.is("RECOVER")) return known(kind::xa_recover, effect::none, name_rule::none);
    return {};
}

head_reading call(statement_head&) noexcept { return anything(kind::call, effect::may_change); }

head_reading prepare(statement_head& head) noexcept {
    // Only a lone literal can be looked into; MariaDB takes any expression.
    const bool literal = head.at(1).is_identifier() && head.is(2, "FROM") && head.at(3).kind == token_kind::string &&
                         head.at(4).kind == token_kind::end;
    if (literal) return known(kind::prepare, effect::none, name_rule::prepared);
    return anything(kind::prepare, effect::none);
}

head_reading execute(statement_head&) noexcept { return anything(kind::execute, effect::may_change); }
head_reading deallocate(statement_head&) noexcept { return known(kind::deallocate, effect::none, name_rule::none); }
head_reading use(statement_head&) noexcept { return known(kind::use, effect::none, name_rule::none); }
head_reading show(statement_head&) noexcept { return known(kind::show, effect::none, name_rule::after_show); }
head_reading kill(statement_head&) noexcept { return known(kind::kill, effect::none, name_rule::none); }
head_reading explain(statement_head&) noexcept { return known(kind::explain, effect::none, name_rule::all); }
head_reading do_(statement_head&) noexcept { return known(kind::do_, effect::none, name_rule::after_from); }

head_reading administration(statement_head&) noexcept {
    return known(kind::administration, effect::none, name_rule::none);
}
head_reading committing_administration(statement_head&) noexcept {
    return known(kind::administration, effect::implicit_commit, name_rule::none);
}

head_reading reset(statement_head& head) noexcept {
    const auto does = head.is(1, "PERSIST") ? effect::none : effect::implicit_commit;
    return known(kind::administration, does, name_rule::none);
}

struct keyword_reader {
    std::string_view keyword;
    head_reading (*read)(statement_head&) noexcept;
};

constexpr std::array readers = std::to_array<keyword_reader>({
    {"ALTER", ddl},
    {"ANALYZE", analyze},
    {"BEGIN", begin},
    {"CACHE", table_ddl},
    {"CALL", call},
    {"CHANGE", committing_administration},
    {"CHECK", table_ddl},
    {"CHECKSUM", checksum},
    {"COMMIT", commit},
    {"CREATE", ddl},
    {"DEALLOCATE", deallocate},
    {"DELETE", delete_},
    {"DESC", explain},
    {"DESCRIBE", explain},
    {"DO", do_},
    {"DROP", ddl},
    {"EXECUTE", execute},
    {"EXPLAIN", explain},
    {"FLUSH", flush},
    {"GET", administration},
    {"GRANT", table_ddl},
    {"HANDLER", handler},
    {"HELP", administration},
    {"INSERT", insert},
    {"INSTALL", committing_administration},
    {"KILL", kill},
    {"LOAD", load},
    {"LOCK", lock},
    {"OPTIMIZE", table_ddl},
    {"PREPARE", prepare},
    {"PURGE", administration},
    {"RELEASE", release},
    {"RENAME", ddl},
    {"REPAIR", table_ddl},
    {"REPLACE", replace},
    {"RESET", reset},
    {"RESIGNAL", administration},
    {"RESTART", administration},
    {"REVOKE", table_ddl},
    {"ROLLBACK", rollback},
    {"SAVEPOINT", savepoint},
    {"SELECT", select},
    {"SET", set},
    {"SHOW", show},
    {"SHUTDOWN", administration},
    {"SIGNAL", administration},
    {"START", start},
    {"STOP", committing_administration},
    {"TABLE", table},
    {"TRUNCATE", table_ddl},
    {"UNINSTALL", committing_administration},
    {"UNLOCK", unlock},
    {"UPDATE", update},
    {"USE", use},
    {"VALUES", select},
    {"WITH", with},
    {"XA", xa},
});
static_assert(std::is_sorted(readers.begin(), readers.end(),
                             [](const auto& a, const auto& b) { return a.keyword < b.keyword; }));

[[nodiscard]] bool keyword_less(std::string_view keyword, std::string_view word) noexcept {
    return std::lexicographical_compare(keyword.begin(), keyword.end(), word.begin(), word.end(), [](char a, char b) {
        const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
        return static_cast<unsigned char>(upper(a)) < static_cast<unsigned char>(upper(b));
    });
}

}  // namespace

const token& statement_head::at(std::size_t index) noexcept {
    if (index >= tokens_max) return none_;
    while (count_ <= index && !ended_) {
        const auto next = lexer_.next();
        if (next.kind == token_kind::hint) continue;
        ended_ = next.kind == token_kind::end || next.is_symbol(';');
        if (!ended_) tokens_[count_++] = next;
    }
    return index < count_ ? tokens_[index] : none_;
}

head_reading read_head(statement_head& head) noexcept {
    const auto& first = head.at(0);
    if (first.kind == token_kind::end) return known(kind::empty, effect::none, name_rule::none);
    if (first.is_symbol('(')) return known(kind::select, effect::none, name_rule::all);
    if (first.kind != token_kind::word) return {};
    const auto* found = std::lower_bound(readers.begin(), readers.end(), first.text, [](const auto& reader, auto word) {
        return keyword_less(reader.keyword, word);
    });
    return found != readers.end() && first.is(found->keyword) ? found->read(head) : head_reading{};
}

}  // namespace sluice::sql
