#pragma once

// Asks the server, on an empty copy of a table, whether it can alter the table by itself in a given way: without a lock
// on the original that anybody could have to wait for. What differs on the original: how often columns were added
// instantly before (error 4092), and its foreign keys; there the server says so itself, and nothing is lost.

#include "migration/check/checks.hpp"
#include "migration/model/alter_way.hpp"
#include "migration/ports/sql_executor.hpp"
#include "protocol/sql/alter_statement.hpp"

#include <string>

namespace sluice::migration {

struct scratch_trial {
    bool possible = false;
    std::string why_not;  ///< when it is not
    /// Of the copy after the ALTER; for a statement that cannot be tried on a copy, of the copy as it was made.
    table_description altered;
};

/// Creates `scratch` like `original`, alters it in this way (alter_way::copy: as the server likes), and drops it again.
///
/// instant, inplace: whether the server takes the ALTER with the clauses for that way, and the copy is not rebuilt
/// (MariaDB rebuilds for ORDER BY under ALGORITHM=INSTANT); inplace also wants every clause on the list of
/// metadata_only.hpp. Clauses about constraints are left out: the copy has none, or by other names.
/// An ALGORITHM of the ALTER itself is respected: it rules out the other ways.
/// copy: "alter_refused" with the server's words when it does not take the ALTER at all.
///
/// time_zone: in which the ALTER is run, see run_in_zone().
/// Failures: "leftover_tables" when there is a table of that name, which is then left alone; whatever else the server
/// says to CREATE TABLE … LIKE. The caller must drop the copy if the connection is lost.
outcome<scratch_trial> try_on_scratch(sql_session& session, const server_facts& facts,
                                      const table_description& original, const table_name& scratch,
                                      const sql::alter_statement& alter, alter_way way, const std::string& time_zone);

/// ALTER TABLE table in this way, so that the server takes it or refuses: "ALTER TABLE `s`.`t` ALGORITHM=INSTANT, …".
/// ALGORITHM and LOCK of the ALTER itself are left out.
[[nodiscard]] std::string alter_statement_text(const server_facts& facts, const table_name& table,
                                               const sql::alter_statement& alter, alter_way way);

}  // namespace sluice::migration
