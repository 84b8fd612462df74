#pragma once

// What the statement builders need to know of the two tables: plain values, made once per migration.

#include <cstdint>
#include <string>
#include <vector>

#include "migration/model/column_mapping.hpp"
#include "migration/model/failure.hpp"
#include "migration/model/table_description.hpp"
#include "migration/model/value_conversion.hpp"

namespace sluice::migration {

/// How values of a key column are written as literals, and how they are selected so that they come back exactly.
enum class key_type : std::uint8_t {
    integer,   ///< TINYINT ... BIGINT, signed or not: decimal
    year,      ///< YEAR: quoted, four digits (numbers below 100 would mean years of 19xx and 20xx)
    decimal,   ///< DECIMAL: decimal text
    temporal,  ///< DATE, TIME, DATETIME, TIMESTAMP: quoted text
    bit,       ///< BIT: as an integer
    ordinal,   ///< ENUM, SET: as the integer that the server stores
    text,      ///< CHAR, VARCHAR, TEXT: _charset 0x...
    binary,    ///< BINARY, VARBINARY, BLOB, MariaDB's UUID, INET4, INET6: _binary 0x...
};

/// How the ALTER changes the values of a key column, so that a literal of the one table is none of the other's.
enum class key_change : std::uint8_t {
    none,         ///< the same literals, and two values are equal in both tables or in neither
    text,         ///< another character set or collation: the tables may differ in which values are equal
    number_text,  ///< an integer becomes text
    decimal,      ///< an integer becomes DECIMAL: the same literals, but shown with its scale
    padded,       ///< BINARY(n) becomes longer
    members,      ///< members of ENUM or SET change their places
};

struct key_column {
    std::string original;  ///< name in the original table
    std::string ghost;     ///< name in the ghost table
    key_type type = key_type::integer;
    std::string charset;              ///< of the original column; text only
    std::uint64_t binary_length = 0;  ///< fixed_binary_length(): the binary log strips trailing zeros; 0 for the others
    std::string ghost_charset;        ///< key_change text and number_text only: both set;
    std::string ghost_collation;      ///< then the anti-join compares as the ghost's key does
    std::string collation;            ///< of the original column; text only
    key_change change = key_change::none;
    std::uint64_t ghost_binary_length = 0;     ///< key_change padded
    std::vector<std::uint64_t> ghost_members;  ///< key_change members: the number (ENUM) or bit (SET) that the ghost
                                               ///< has for each member of the original; 0: none
    bool is_set = false;                       ///< key_change members: of a SET
};

struct copied_column {
    std::string original;  ///< empty for a new column, whose value is a constant
    std::string ghost;
    expression_pieces pieces = {};  ///< how the value travels, see copied_value() in key_expression.hpp
};

struct copy_columns {
    table_name original;
    table_name ghost;
    std::vector<copied_column> columns;  ///< what travels; contains the key columns, but for generated ones
    std::string original_index;          ///< of the shared key in the original, for FORCE INDEX
    std::string ghost_index;             ///< and in the ghost
    std::vector<key_column> key;         ///< in key order; never empty
    bool key_is_enforced = true;         ///< the ghost keeps it unique: shared_key::enforced
    /// Columns of the ghost, without a counterpart in the original, whose values stay with their rows: those of the old
    /// table on the way back. `columns` has the constants that new rows get for some of them.
    std::vector<std::string> kept = {};
};

/// From a column's description; ghost: its counterpart. Fails with "unsupported_key_type" for FLOAT, DOUBLE, JSON,
/// spatial and unknown types, naming the column.
[[nodiscard]] outcome<key_column> key_column_of(const column_description& original, const column_description& ghost);

/// From a mapping; the descriptions must be those that it was made from. Fails as conversion_of() and
/// value_of_new_column() do.
[[nodiscard]] outcome<copy_columns> copy_columns_of(const table_description& original, const table_description& ghost,
                                                    const column_mapping& mapping,
                                                    const conversion_settings& settings = {});

}  // namespace sluice::migration
