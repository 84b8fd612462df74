#include "migration/ways/scratch_trial.hpp"

#include "migration/check/conversion_settings.hpp"
#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"
#include "migration/ways/metadata_only.hpp"
#include "protocol/sql/lexer.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace sluice::migration {
namespace {

using kind = sql::alter_clause_kind;
using table_ids = std::map<std::string, std::string>;  // by InnoDB's name of the table or partition

constexpr unsigned table_exists = 1050;

bool is_about_constraints(const sql::alter_clause& clause) {
    return clause.kind == kind::drop_foreign_key || clause.kind == kind::drop_check ||
           clause.kind == kind::alter_check || clause.kind == kind::drop_constraint;
}

/// Of several, the last one counts to the server, so ours can only stand alone.
bool is_about_ways(const sql::alter_clause& clause) {
    return clause.kind == kind::algorithm || clause.kind == kind::lock;
}

template <class Left>
std::string body_without(const sql::alter_statement& alter, Left left_out) {
    if (std::none_of(alter.clauses.begin(), alter.clauses.end(), left_out)) return alter.body;
    std::string body;
    for (const sql::alter_clause& clause : alter.clauses) {
        if (!left_out(clause)) body.append(body.empty() ? "" : ", ").append(clause.text);
    }
    return body;
}

/// What of the ALTER can be tried on a copy; empty when nothing can.
std::string body_for_scratch(const sql::alter_statement& alter) {
    return body_without(alter, [](const sql::alter_clause& c) { return is_about_constraints(c) || is_about_ways(c); });
}

/// Why the server is not asked at all; empty when it is.
std::string why_ruled_out(const sql::alter_statement& alter, alter_way way) {
    for (const sql::alter_clause& clause : alter.clauses) {
        // Such clauses stand behind all others, without a comma, and move rows.
        if (clause.kind == kind::partition) return "it changes partitions";
        if (clause.kind != kind::algorithm) continue;
        const auto asks_for = [&](std::string_view name) { return sql::equal_ignoring_case(clause.value, name); };
        const bool agrees = asks_for("DEFAULT") || (way == alter_way::instant && asks_for("INSTANT")) ||
                            (way == alter_way::inplace && (asks_for("INPLACE") || asks_for("NOCOPY")));
        if (!agrees) return "the ALTER asks for " + clause.text;
    }
    if (body_without(alter, is_about_ways).empty()) return "nothing is to be changed";
    return {};
}

std::string way_clauses(const server_facts& facts, alter_way way) {
    switch (way) {
        case alter_way::instant: return "ALGORITHM=INSTANT, ";
        case alter_way::inplace: return "ALGORITHM=" + std::string(facts.family->inplace_algorithm()) + ", LOCK=NONE, ";
        case alter_way::copy: break;
    }
    return {};
}

std::string statement_of(const server_facts& facts, const table_name& table, const std::string& body, alter_way way) {
    return "ALTER TABLE " + quote_table(table) + ' ' + way_clauses(facts, way) + body;
}

/// InnoDB gives a table another id when it rebuilds it. It writes other characters than letters, digits and _ of a name
/// in a way of its own, so tables are found by the end of the name alone, which is ours and plain.
outcome<table_ids> read_table_ids(sql_session& session, const server_facts& facts, const table_name& scratch) {
    const std::string ending = scratch.table.substr(scratch.table.rfind('_'));
    const std::string length = std::to_string(ending.size());
    SLUICE_TRY(const query_result found,
               session.run("SELECT NAME, TABLE_ID FROM information_schema." + std::string(facts.family->tables_view()) +
                           " WHERE RIGHT(NAME, " + length + ") = " + quote_string(ending) + " OR LOCATE(" +
                           quote_string(ending + "#p#") + ", LOWER(NAME)) > 0"));
    table_ids ids;
    for (const auto& row : found.rows) {
        if (row.size() == 2) ids[row[0].value_or("")] = row[1].value_or("");
    }
    return ids;
}

/// Tables of other migrations may come and go meanwhile: what counts is what has come with the scratch.
std::string why_rebuilt(const table_ids& without, const table_ids& made, const table_ids& altered) {
    bool seen = false;
    for (const auto& [name, id] : made) {
        const auto was = without.find(name);
        if (was != without.end() && was->second == id) continue;
        seen = true;
        const auto is = altered.find(name);
        if (is == altered.end() || is->second != id) return "the server rebuilds the table for it";
    }
    return seen ? std::string() : "the server does not say whether it rebuilds the table for it";
}

std::string words_of(const failure& why) {
    return why.message + (why.server_errno == 0 ? "" : " (error " + std::to_string(why.server_errno) + ")");
}

outcome<void> alter_scratch(sql_session& session, const server_facts& facts, const table_name& scratch,
                            const sql::alter_statement& alter, alter_way way, const std::string& time_zone,
                            const table_ids& without, scratch_trial& made) {
    const std::string body = body_for_scratch(alter);
    made.possible = true;
    if (body.empty()) return {};
    SLUICE_TRY(const table_ids before, read_table_ids(session, facts, scratch));
    if (auto altered = run_in_zone(session, time_zone, statement_of(facts, scratch, body, way)); !altered) {
        failure why = std::move(altered).error();
        if (why.then != disposition::abort || why.server_errno == 0) return why;
        made.possible = false;
        made.why_not = words_of(why);
        if (way != alter_way::copy) return {};
        why.code = "alter_refused";
        why.message = "the server does not take this ALTER: " + why.message;
        return why;
    }
    if (way == alter_way::copy) return {};
    SLUICE_TRY(const table_ids after, read_table_ids(session, facts, scratch));
    made.why_not = why_rebuilt(without, before, after);
    made.possible = made.why_not.empty();
    return {};
}

outcome<scratch_trial> try_existing(sql_session& session, const server_facts& facts, const table_description& original,
                                    const table_name& scratch, const sql::alter_statement& alter, alter_way way,
                                    const std::string& time_zone, const table_ids& without) {
    scratch_trial made;
    SLUICE_TRY_VOID(alter_scratch(session, facts, scratch, alter, way, time_zone, without, made));
    SLUICE_TRY(made.altered, describe_table(session, scratch));
    if (way == alter_way::inplace && made.possible) {
        if (auto why = beyond_metadata(alter, original, made.altered)) {
            made.possible = false;
            made.why_not = "not on the list of changes of metadata alone: " + *why;
        }
    }
    return made;
}

}  // namespace

std::string alter_statement_text(const server_facts& facts, const table_name& table, const sql::alter_statement& alter,
                                 alter_way way) {
    return statement_of(facts, table, body_without(alter, is_about_ways), way);
}

outcome<scratch_trial> try_on_scratch(sql_session& session, const server_facts& facts,
                                      const table_description& original, const table_name& scratch,
                                      const sql::alter_statement& alter, alter_way way, const std::string& time_zone) {
    scratch_trial made;
    if (way != alter_way::copy) made.why_not = why_ruled_out(alter, way);
    if (!made.why_not.empty()) return made;
    SLUICE_TRY(const table_ids without, read_table_ids(session, facts, scratch));
    if (auto created = session.run(create_ghost_statement(original.name, scratch)); !created) {
        failure why = std::move(created).error();
        if (why.server_errno != table_exists) return why;
        return refuse("leftover_tables", "a table " + quote_table(scratch) +
                                             " exists, of an earlier run that was killed, or one that still runs. Set "
                                             "the option drop_leftovers, or DROP TABLE it");
    }
    auto tried = try_existing(session, facts, original, scratch, alter, way, time_zone, without);
    if (!tried && tried.error().then != disposition::abort) return tried;  // a lost connection: the caller drops it
    SLUICE_TRY_VOID(session.run(drop_table_statement(scratch)));
    return tried;
}

}  // namespace sluice::migration
