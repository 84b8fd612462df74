#pragma once

// A table as dice draw it.

#include "tests/integration/random_seeds/column_values.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace sluice::test {

struct table_column {
    std::string name;
    column_type type;
    bool nullable = true;
    std::string default_literal;  ///< empty: none is said
    std::string attributes;       ///< what else the definition says: AUTO_INCREMENT, INVISIBLE, COMMENT, ON UPDATE
    std::string generated;        ///< GENERATED ALWAYS AS (…) …; empty for a column that is written
    bool sets_itself = false;     ///< to the time of the statement, when it is left out

    /// The column's definition, name included.
    [[nodiscard]] std::string definition() const;
    /// Type and nullability alone, without the name.
    [[nodiscard]] std::string shape() const;
};

struct table_index {
    std::string name;  ///< PRIMARY for the primary key
    bool unique = false;
    std::vector<std::size_t> columns;
    std::string sql;  ///< its clause in CREATE TABLE
};

struct random_table {
    server_kind server = server_kind::mysql_9_7;
    std::vector<table_column> columns;
    std::vector<table_index> indexes;
    /// Columns of a unique key by which rows are addressed; no NULL in them. An ALTER leaves their values as they are.
    std::vector<std::size_t> anchor;
    std::string checks;      ///< further clauses
    std::string charset;     ///< the table's default
    std::string options;     ///< behind the parenthesis
    std::uint64_t rows = 0;  ///< anchors are numbered below this

    [[nodiscard]] std::string create_statement(const std::string& name) const;
    [[nodiscard]] bool in_anchor(std::size_t column) const;
    [[nodiscard]] bool in_unique_key(std::size_t column) const;
    /// Literals of the anchor's columns for address number n.
    [[nodiscard]] std::vector<std::string> anchor_values(std::uint64_t n) const;
    /// The greatest number of addresses.
    [[nodiscard]] std::uint64_t addresses() const;
};

[[nodiscard]] random_table draw_table(server_kind server, dice& dice);

/// A column that is data: any type, nullable or not, with a default or without.
[[nodiscard]] table_column draw_column(server_kind server, const std::string& name, dice& dice);
/// A generated column over columns of this table; nothing if the server has none or none fits.
[[nodiscard]] std::optional<table_column> draw_generated(const random_table& table, const std::string& name,
                                                         dice& dice);
/// A key part: the column's quoted name, with a prefix length where it needs or gets one; empty if it cannot be in one.
[[nodiscard]] std::string key_part_of(const random_table& table, std::size_t column, dice& dice);
/// PARTITION BY …; empty if the table cannot be partitioned.
[[nodiscard]] std::string draw_partitions(const random_table& table, dice& dice);

}  // namespace sluice::test
