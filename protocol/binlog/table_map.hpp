#pragma once

// TABLE_MAP_EVENT (19): gives a table id its schema, name and column types for the rows events that follow in the same
// statement; since MySQL 8.0.1 and MariaDB 10.5 with optional metadata (WL#4618; binlog_row_metadata=FULL for all of
// it).

#include "protocol/binlog/event_header.hpp"
#include "protocol/binlog/value/cell_layout.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace sluice::binlog {

/// A part of the primary key: the whole column when prefix_size is 0.
struct primary_key_part {
    std::uint32_t column = 0;
    std::uint32_t prefix_size = 0;  ///< characters

    friend bool operator==(const primary_key_part&, const primary_key_part&) = default;
};

/// What the server did not send is empty. Lists in the format cover only columns of a kind (numeric, character, ENUM,
/// …); here they are spread out to the columns, with no entry for the others. A list that does not fit the columns of
/// its kind is left empty.
struct table_map_metadata {
    bool has_signedness = false;  ///< then columns[i].type.is_unsigned is set
    bool has_visibility = false;
    // Each is empty, or has one entry per column.
    std::vector<std::string> column_names;
    std::vector<std::optional<std::uint32_t>> collation_ids;         ///< character columns
    std::vector<std::optional<std::uint32_t>> member_collation_ids;  ///< ENUM and SET columns
    std::vector<std::vector<std::string>> members;                   ///< ENUM and SET columns
    std::vector<std::optional<std::uint32_t>> geometry_types;
    std::vector<std::optional<std::uint32_t>> vector_dimensions;
    std::vector<primary_key_part> primary_key;  ///< its parts in order; empty when there is none or it was not sent
};

struct table_map_column {
    column_type type;
    cell_layout layout;
    bool is_nullable = false;
    bool is_visible = true;
};

/// MariaDB's optional metadata counts GEOMETRY among the columns with a collation, MySQL's does not.
enum class log_dialect : std::uint8_t { mysql, mariadb };

struct table_map {
    static constexpr std::size_t column_count_max = 4096;

    std::uint64_t table_id = 0;  ///< 48 bits
    std::uint16_t flags = 0;
    std::string schema;
    std::string table;
    std::vector<table_map_column> columns;
    table_map_metadata metadata;

    /// Errors: truncated, malformed, too_large (columns), unsupported (a column type without a known layout).
    [[nodiscard]] static decode_result<table_map> decode(byte_view body, log_dialect dialect = log_dialect::mysql);

    /// True when both describe the same table in the same way (the table id may differ).
    [[nodiscard]] bool same_shape(const table_map& other) const;
};

/// Only what is needed to decide whether a table is of interest; cheap. Views point into `body`.
struct table_map_name {
    std::uint64_t table_id = 0;
    std::string_view schema;
    std::string_view table;

    [[nodiscard]] static decode_result<table_map_name> decode(byte_view body);
};

}  // namespace sluice::binlog
