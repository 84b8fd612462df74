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

/// A unique key that both tables have on mapped columns whose values the ALTER keeps identical.
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
};

struct column_mapping {
    std::vector<mapped_column> copied;  ///< what INSERT … SELECT names; generated ghost columns are left out
    shared_key key;
};

/// Maps by name, following the renames of the parsed ALTER; a column that is dropped and added again under its name is
/// not the same column. Both descriptions must be of tables that exist, the ghost after its ALTER.
///
/// The key is chosen by a written rule: PRIMARY first, then the unique key with the fewest columns, then with the
/// fewest bytes, then by name. In the original it must be visible, without prefix lengths, expressions, nullable or
/// generated columns, FLOAT, DOUBLE, JSON, TEXT or BLOB. The ghost must have a unique key on the same columns, in any
/// order, and the ALTER must keep their values: the same type, or a wider one of its kind (integers with the same sign,
/// CHAR, VARCHAR and VARBINARY with the same character set and collation, DECIMAL with the same scale, temporal types
/// with more digits, ENUM and SET with members appended).
///
/// Failures, all abort, naming the columns and why:
///   no_shared_unique_key, nullable_unique_key, unsupported_key_type, key_values_change   no key qualifies; the code is
///       that of the first candidate, the message tells every candidate's reason
///   unsupported_conversion   TIMESTAMP to or from another type needs a decision about the time zone; TIME to a date
///   takes
///       the day of the conversion
///   no_default_value         a new column is NOT NULL without a default, so rows could not be copied in strict mode
///   column_lost              the ghost lacks a column that the ALTER does not drop
outcome<column_mapping> map_columns(const table_description& original, const table_description& ghost,
                                    const sql::alter_statement& alter);

/// Whether the original alone has a key that could be chosen: to be asked before a ghost is made. Fails as above.
outcome<void> require_usable_key(const table_description& original);

}  // namespace sluice::migration
