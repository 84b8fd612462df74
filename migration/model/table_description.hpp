#pragma once

// A table as the server describes it (information_schema), in values.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::migration {

struct table_name {
    std::string schema;
    std::string table;

    bool operator==(const table_name&) const = default;
};

struct column_description {
    std::string name;
    std::string data_type;  ///< lower case, as information_schema.columns.data_type: "int", "varchar", "datetime", ...
    std::string column_type;  ///< whole, as the server prints it: "bigint unsigned", "datetime(6)", "enum('a','B')"
    std::string charset;      ///< empty for types without one
    std::string collation;
    std::uint64_t char_length_max = 0;  ///< characters; bytes for binary types; 0 where it has no meaning
    std::uint64_t octet_length_max = 0;
    unsigned numeric_precision = 0;
    unsigned numeric_scale = 0;
    unsigned fraction_digits = 0;  ///< of temporal types
    bool is_unsigned = false;
    bool nullable = false;
    bool auto_increment = false;
    bool generated = false;  ///< STORED or VIRTUAL
    bool stored = false;     ///< generated: its value is kept in the row
    bool logged = true;      ///< false: VIRTUAL, of a server of which it is not known that row images hold it
    std::string generation_expression;  ///< as the server prints it; empty unless generated
    bool invisible = false;
    std::optional<std::string>
        default_value;  ///< as information_schema prints it; MariaDB writes a default NULL as "NULL"
};

struct key_part {
    std::string column;  ///< empty for an expression part
    std::optional<std::uint64_t> prefix_length;
    bool descending = false;
};

struct key_description {
    std::string name;  ///< "PRIMARY" for the primary key
    bool unique = false;
    bool visible = true;
    std::string index_type;  ///< "BTREE", "FULLTEXT", "SPATIAL", ...
    std::vector<key_part> parts;
};

struct table_description {
    table_name name;
    std::string engine;
    std::string create_statement;             ///< SHOW CREATE TABLE, verbatim
    std::vector<column_description> columns;  ///< in ordinal order
    std::vector<key_description> keys;        ///< in the server's own order, as SHOW INDEX lists them
    std::uint64_t rows_estimate = 0;
    std::uint64_t data_bytes = 0;
    std::optional<std::uint64_t> auto_increment;

    [[nodiscard]] const column_description* find_column(std::string_view column) const;  ///< case-insensitive (ASCII)

    /// The key by which the server itself tells rows apart, and all that a minimal row image holds of the row before a
    /// change: PRIMARY, else the first UNIQUE key, in the server's order, on NOT NULL columns, whole and stored ones,
    /// and no hash (MariaDB). nullptr if there is none: then minimal images hold every column. (Manual of MySQL,
    /// "Clustered and Secondary Indexes" and binlog_row_image; seen alike on MySQL 5.6 and 9.7 and MariaDB 10.11.)
    [[nodiscard]] const key_description* row_identity() const;
};

}  // namespace sluice::migration
