// The classifier, the ALTER parser and SHOW MIGRATIONS: the same answer for the same text, and answers that agree with
// each other.

#include "protocol/sql/alter_statement.hpp"
#include "protocol/sql/classifier.hpp"
#include "protocol/sql/show_request.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/sql_options.hpp"

namespace sluice::fuzz {
namespace {

bool equal(const sql::assignment& a, const sql::assignment& b) {
    return a.scope == b.scope && a.name == b.name && a.value == b.value;
}

bool equal(const sql::statement_summary& a, const sql::statement_summary& b) {
    return a.kind == b.kind && a.effect == b.effect && a.local == b.local && a.chain == b.chain &&
           a.consistent_snapshot == b.consistent_snapshot && a.read_only == b.read_only && a.release == b.release &&
           a.schema == b.schema &&
           std::equal(a.assignments.begin(), a.assignments.end(), b.assignments.begin(), b.assignments.end(),
                      [](const auto& left, const auto& right) { return equal(left, right); });
}

bool equal(const sql::statement_footprint& a, const sql::statement_footprint& b) {
    return a.names == b.names && a.touches_anything == b.touches_anything && a.trouble == b.trouble &&
           std::equal(a.statements.begin(), a.statements.end(), b.statements.begin(), b.statements.end(),
                      [](const auto& left, const auto& right) { return equal(left, right); });
}

void check_classifier(std::string_view text, const sql::lexer_options& options) {
    const auto footprint = sql::classify(text, {options});
    const std::string copy(text);
    FUZZ_CHECK(equal(footprint, sql::classify(copy, {options})));
    FUZZ_CHECK(footprint.statements.size() <= sql::statements_max && footprint.names.size() <= sql::names_max);
    for (const auto& statement : footprint.statements) {
        FUZZ_CHECK(statement.assignments.size() <= sql::assignments_max);
    }
    const auto cheap = sql::cheap_kind(text, options);
    FUZZ_CHECK(cheap == sql::cheap_kind(copy, options));
    static_cast<void>(footprint.effect());
    // Trouble is "may be anything"; a broken text without the bytes of a name may be dismissed all the same.
    if (footprint.trouble != sql::lexer_trouble::none) return;
    for (const sql::table_name& table : {sql::table_name{"shop", "t"}, sql::table_name{"shop", "orders"}}) {
        if (!sql::dismissed(text, table.name, options)) continue;
        FUZZ_CHECK(!footprint.may_touch(table, "", 1));
        FUZZ_CHECK(!footprint.may_touch(table, "shop", 0));
    }
}

void check_alter(std::string_view text, const sql::lexer_options& options) {
    const auto alter = sql::parse_alter(text, options);
    if (!alter) {
        const auto& error = alter.error();
        FUZZ_CHECK(!error.message.empty() && error.piece.size() <= 80 && error.offset <= text.size());
        return;
    }
    FUZZ_CHECK(!alter->clauses.empty() && !alter->body.empty());
    FUZZ_CHECK(!alter->has(sql::alter_clause_kind::rename_table));
    for (const auto& clause : alter->clauses) {
        FUZZ_CHECK(text.find(clause.text) != std::string_view::npos && !sql::to_string(clause.kind).empty());
    }
    // The body is what the ghost table is altered by: it must say the same there.
    const auto again = sql::parse_alter("ALTER TABLE ghost " + alter->body, options);
    FUZZ_CHECK(again.has_value() && again->body == alter->body);
    FUZZ_CHECK(again->clauses.size() == alter->clauses.size());
    for (std::size_t i = 0; i < alter->clauses.size(); ++i) {
        FUZZ_CHECK(again->clauses[i].kind == alter->clauses[i].kind &&
                   again->clauses[i].name == alter->clauses[i].name);
        FUZZ_CHECK(again->clauses[i].text == alter->clauses[i].text);
    }
    static_cast<void>(alter->adds_unique_key());
    static_cast<void>(alter->new_name_of("a"));
}

void run(fuzz_input in) {
    const auto options = lexer_options(in);
    const auto bytes = in.rest();
    const auto text = protocol::as_text(bytes);
    check_classifier(text, options);
    check_alter(text, options);
    const auto show = sql::read_own_statement(text, options);
    if (show && show->subject == sql::show_subject::migrations) FUZZ_CHECK(!(show->like && show->state));
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sluice::fuzz::run({data, size});
    return 0;
}
