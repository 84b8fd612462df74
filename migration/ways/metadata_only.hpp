#pragma once

// Which ALTERs change nothing but metadata when the server carries them out INPLACE: no row is read or written, no
// index is built, and nothing is rebuilt. Sources: MySQL 5.6 and 9.7 Reference Manuals, "Online DDL Operations" (rows
// with "Rebuilds Table: No" and "Only Modifies Metadata: Yes"); MariaDB Knowledge Base, "InnoDB Online DDL Operations
// with the NOCOPY Alter Algorithm". Each row was tried on 5.6.24, 9.7 and 10.11, see docs/ways.md and the tests.
//
//   DROP INDEX (not the primary key), RENAME INDEX, ALTER INDEX (visibility)
//   RENAME COLUMN, ALTER COLUMN (default, visibility), DROP FOREIGN KEY, DROP CHECK, ALTER CHECK … NOT ENFORCED
//   CHANGE and MODIFY that keep type, NULL, character set, place and AUTO_INCREMENT of a column that is not generated,
//     or make it wider without another length in its rows: VARCHAR and VARBINARY within up to 255 bytes, or within
//     more; ENUM and SET with members appended, while a value needs no more bytes
//   AUTO_INCREMENT = n, DEFAULT CHARACTER SET and COLLATE (of columns to come), COMMENT, STATS_PERSISTENT,
//   STATS_AUTO_RECALC, STATS_SAMPLE_PAGES, MAX_ROWS, MIN_ROWS, AVG_ROW_LENGTH, CHECKSUM, DELAY_KEY_WRITE, PACK_KEYS
//
// A server may be able to do less (5.6 cannot widen a VARCHAR): it is asked as well, see scratch_trial.hpp.

#include "migration/model/table_description.hpp"
#include "protocol/sql/alter_statement.hpp"

#include <optional>
#include <string>

namespace sluice::migration {

/// before, after: the table and an altered copy of it. Nothing when the whole ALTER is on the list; else what is not,
/// and why. Pure.
[[nodiscard]] std::optional<std::string> beyond_metadata(const sql::alter_statement& alter,
                                                         const table_description& before,
                                                         const table_description& after);

}  // namespace sluice::migration
