#pragma once

// Which columns travel from the original to the ghost, under which names, and the unique key that identifies a row in both.

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

/// A unique key that both tables have on mapped columns whose values the ALTER keeps identical.
struct shared_key {
    std::string original_index;                ///< name of the index in the original, for FORCE INDEX
    std::string ghost_index;
    std::vector<mapped_column> columns;        ///< in key order
    std::vector<column_description> original_columns;  ///< description of each, in key order
    /// The engine can order values of this key exactly as the server does (integers, date and time, binary strings).
    bool exactly_ordered = false;
    /// Two keys that differ in bytes may be equal to the server (collations, PAD SPACE): apply one batch at a time.
    bool bytes_are_identity = false;
};

struct column_mapping {
    std::vector<mapped_column> copied;   ///< what INSERT … SELECT names; generated ghost columns are left out
    shared_key key;
};

/// Maps by name, following the renames of the parsed ALTER.
/// Fails with "no_shared_unique_key", "key_values_change", "nullable_unique_key", "unsupported_key_type", ... naming the
/// columns. The key is chosen by a written rule: PRIMARY first, then the unique key with the fewest columns, then fewest
/// bytes, then by name; parts with prefix length, expressions, nullable columns, FLOAT/DOUBLE/JSON do not qualify.
outcome<column_mapping> map_columns(const table_description& original, const table_description& ghost,
                                    const sql::alter_statement& alter);

}  // namespace sluice::migration
