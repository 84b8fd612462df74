#pragma once

// Which columns travel from the original to the ghost, under which names, and the unique key that identifies a row in
// both.

#include "migration/model/failure.hpp"
#include "migration/model/table_description.hpp"
#include "protocol/sql/alter_statement.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace sluice::migration {

struct mapped_column {
    std::size_t original_ordinal = 0;  ///< index into the original's columns, as in row events (0-based)
    std::string original;
    std::string ghost;
};

/// A unique key of the original that identifies a row in the ghost as well.
struct shared_key {
    std::string original_index;  ///< name of the index in the original, for FORCE INDEX
    std::string ghost_index;
    std::vector<mapped_column> columns;                ///< in key order
    std::vector<column_description> original_columns;  ///< description of each, in key order
    /// The engine can order values of this key exactly as the server does (integers, date and time, binary strings).
    bool exactly_ordered = false;
    /// Two different images of the key in the binary log are two different keys to the server. False as soon as one
    /// column is CHAR or VARCHAR, whatever its collation: letters of either case may be equal, and under PAD SPACE
    /// (utf8mb4_bin and latin1_bin too) so are 'a' and 'a '. Then equal keys may hide in different bytes: apply one
    /// batch at a time.
    bool bytes_are_identity = false;
    /// Some column may be NULL, with the operator's consent; a row that has a NULL there ends the migration.
    bool nullable = false;
    /// Two rows of the original may be one to the ghost's key: it has fewer columns, or a column has another collation.
    /// Then a duplicate on it may be a value in motion, and it may be a conflict.
    bool may_collide = false;
    /// The ghost keeps the key unique. If not, it only has an index that begins with the key's columns, and the engine
    /// itself sees to it that no row is there twice (apply/turn_rules.hpp).
    bool enforced = true;
};

struct column_mapping {
    std::vector<mapped_column> copied;  ///< what INSERT … SELECT names; generated ghost columns are left out
    std::vector<std::string> added;     ///< columns of the ghost that no column of the original fills, not generated
    shared_key key;
};

struct mapping_options {
    bool allow_nullable_unique_key = false;
};

/// Maps by name, following the renames of the parsed ALTER; a column that is dropped and added again under its name is
/// not the same column. Both descriptions must be of tables that exist, the ghost after its ALTER.
///
/// The key is chosen by a written rule (docs/keys.md tells it to operators): first a key on NOT NULL columns before a
/// nullable one, then one whose values the ALTER leaves in their form before one that it converts, then one that stays
/// unique before one that does not, then the one by which the server itself tells rows apart (row_identity(): PRIMARY,
/// or its stand-in; minimal row images hold no other), then the fewest columns, the fewest bytes, the name.
///   In the original it must be visible, no hash, without prefix lengths or expressions, FLOAT, DOUBLE, JSON, TEXT or
/// BLOB; nullable only with consent. A generated column must be generated alike in the ghost from columns that the
/// ALTER leaves alone, or be a plain column there; a VIRTUAL one must be in the binary log (seen on MySQL 9.7 and
/// MariaDB 10.11 with every kind of row image: the key's values are there wherever those of stored columns are).
///   Values may change as value_change() allows. The ghost must have a unique key on these columns, or on some of them,
/// in any order, with prefix lengths or without: such a key is at least as strict, so no row can be there twice.
/// Without one it must have a BTREE index, unique or not, that begins with all of these columns, in any order and
/// whole, and their values must stay in their form: PRIMARY (id) may become PRIMARY (id, a).
///
/// Failures, all abort, naming the columns and why:
///   no_shared_unique_key, nullable_unique_key, unsupported_key_type, key_values_change, key_becomes_timestamp (from
///       DATETIME)            no key qualifies; the code is the first candidate's, the message tells each one's reason
///   column_lost              the ghost lacks a column that the ALTER does not drop
outcome<column_mapping> map_columns(const table_description& original, const table_description& ghost,
                                    const sql::alter_statement& alter, const mapping_options& options = {});

/// The way back: from the new table (`now`) to the old one, which the ALTER had made it from. The columns are the same
/// pairs the other way round; the key is chosen anew, by the same rule. Fails as above.
outcome<column_mapping> map_columns_back(const table_description& now, const table_description& old,
                                         const sql::alter_statement& alter, const mapping_options& options = {});

/// Whether the original alone has a key that could be chosen: to be asked before a ghost is made. Fails as above.
outcome<void> require_usable_key(const table_description& original, const mapping_options& options = {});

/// For people: "PRIMARY (id)", or "u (a, b), in the new table PRIMARY".
[[nodiscard]] std::string describe(const shared_key& key);

}  // namespace sluice::migration
