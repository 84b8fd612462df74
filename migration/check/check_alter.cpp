#include "migration/check/preconditions.hpp"
#include "protocol/sql/lexer.hpp"

#include <algorithm>
#include <array>

namespace sluice::migration {
namespace {

using kind = sql::alter_clause_kind;

failure refuse_clause(const sql::alter_clause& clause, std::string_view why) {
    return refuse("unsupported_alter",
                  "the clause \"" + clause.text + "\" cannot be part of a migration: " + std::string(why));
}

/// Partition clauses that change where rows lie, but not which rows there are. Anything else works on rows or files of
/// the original, which the ghost does not have.
bool only_moves_rows(const sql::alter_clause& clause) {
    const std::string_view first = std::string_view(clause.value).substr(0, clause.value.find_first_of(" \t\r\n/"));
    constexpr std::array words{"PARTITION", "REMOVE", "ADD", "COALESCE", "REORGANIZE"};
    return std::ranges::any_of(words, [&](std::string_view word) { return sql::equal_ignoring_case(first, word); });
}

outcome<void> check_clause(const sql::alter_clause& clause) {
    switch (clause.kind) {
        case kind::rename_table:
            return refuse_clause(clause, "the table keeps its name; rename it in a statement of its own");
        case kind::add_foreign_key:
            return refuse_clause(clause,
                                 "until the cut-over rows that break it could be written to the original, and "
                                 "checking all rows under the cut-over's lock takes too long; add it in a statement "
                                 "of its own");
        case kind::algorithm:
            // COPY, INPLACE and LOCK=… say how the original may be treated meanwhile: it is left alone in any case.
            // INSTANT says that nothing may be copied at all.
            if (sql::equal_ignoring_case(clause.value, "INSTANT") || sql::equal_ignoring_case(clause.value, "NOCOPY")) {
                return refuse_clause(clause,
                                     "here a new table is filled; set attempt_instant, or run the statement directly");
            }
            return {};
        case kind::tablespace: return refuse_clause(clause, "it works on the files of the original");
        case kind::engine:
            if (!sql::equal_ignoring_case(clause.value, "InnoDB")) {
                return refuse_clause(clause,
                                     "the new table must be InnoDB, so that a copy can be exact while it is used");
            }
            return {};
        case kind::partition:
            if (!only_moves_rows(clause)) {
                return refuse_clause(
                    clause, "it works on rows or files of the original's partitions; run it directly on the table");
            }
            return {};
        default: return {};
    }
}

}  // namespace

outcome<void> check_alter(const check_subject& subject) {
    for (const auto& clause : subject.alter.clauses) SLUICE_TRY_VOID(check_clause(clause));
    return {};
}

}  // namespace sluice::migration
