#pragma once

// WRITE/UPDATE/DELETE_ROWS_EVENT v1 (23-25) and v2 (30-32), PARTIAL_UPDATE_ROWS_EVENT (39, WL#2955): row images of one
// table. An image holds only the columns of its columns-present bitmap: all of them with binlog_row_image=FULL; the key
// before and the changes after with MINIMAL.

#include "protocol/binlog/table_map.hpp"

namespace sluice::binlog {

enum class rows_kind : std::uint8_t { write, update, remove };

/// A bit per column, lowest bit of the first byte first. A view.
class column_bitmap {
public:
    column_bitmap() = default;
    column_bitmap(byte_view bytes, std::size_t column_count) noexcept : bytes_(bytes), column_count_(column_count) {}

    [[nodiscard]] std::size_t column_count() const noexcept { return column_count_; }
    /// False past the end.
    [[nodiscard]] bool test(std::size_t column) const noexcept;
    [[nodiscard]] std::size_t count() const noexcept;

private:
    byte_view bytes_;
    std::size_t column_count_ = 0;
};

enum class cell_state : std::uint8_t {
    missing,  ///< the image does not hold this column (minimal and NOBLOB images)
    null,
    value,
    partial_json,  ///< a JSON diff of a partial update: `bytes` is the diff sequence, not the value
};

struct cell {
    cell_state state = cell_state::missing;
    byte_view bytes;  ///< without the length in front; points into the event
};

/// One image of one row: a cell for every column of the table map.
class row_image {
public:
    [[nodiscard]] bool exists() const noexcept { return exists_; }
    [[nodiscard]] std::size_t size() const noexcept { return cells_.size(); }
    /// Out of range: trips an assertion.
    [[nodiscard]] const cell& operator[](std::size_t column) const;

private:
    friend class row_cursor;
    std::vector<cell> cells_;
    bool exists_ = false;
};

struct rows_event;

/// Steps through the rows of an event, once, forward. The event's bytes and the rows_event must stay alive.
class row_cursor {
public:
    explicit row_cursor(const rows_event& event);

    /// Moves to the next row; false at the end. The first call moves to the first row.
    /// Errors: truncated (a row that does not fit). The cursor is then at its end, and the event must be taken as lost.
    [[nodiscard]] decode_result<bool> next();

    /// exists() for update and delete.
    [[nodiscard]] const row_image& before() const noexcept { return before_; }
    /// exists() for write and update.
    [[nodiscard]] const row_image& after() const noexcept { return after_; }

private:
    bool read_image(const column_bitmap& present, bool may_be_partial, row_image& image);
    bool take_partial_bits(byte_view& bits);
    decode_error fail();

    const rows_event* event_;
    byte_view rest_;
    row_image before_;
    row_image after_;
    bool has_before_;
    bool has_after_;
    std::size_t json_column_count_;
    bool is_single_empty_row_ = false;
};

/// Views point into the event's bytes; see event_decoder for how long those live.
struct rows_event {
    rows_kind kind = rows_kind::write;
    bool is_partial = false;      ///< PARTIAL_UPDATE_ROWS_EVENT: cells may be JSON diffs
    bool ends_statement = false;  ///< last rows event of its statement
    std::uint64_t table_id = 0;
    std::uint16_t flags = 0;
    std::shared_ptr<const table_map> table;  ///< never null; as the table map event before gave it
    column_bitmap columns_before;            ///< update and delete
    column_bitmap columns_after;             ///< write and update
    byte_view row_data;

    [[nodiscard]] row_cursor rows() const { return row_cursor(*this); }

    /// Reads the head of a rows event; the rows themselves are read by row_cursor.
    /// `type` must be one of the types above. Errors: truncated, malformed (column count differs from the table map's).
    [[nodiscard]] static decode_result<rows_event> decode(event_type type, byte_view body,
                                                          std::shared_ptr<const table_map> table);
};

/// Only the table id and the flags; cheap.
struct rows_event_head {
    static constexpr std::uint16_t flag_ends_statement = 0x0001;
    /// Table id of a rows event that only ends a statement and names no table.
    static constexpr std::uint64_t no_table_id = 0x00FFFFFF;

    std::uint64_t table_id = 0;
    std::uint16_t flags = 0;

    [[nodiscard]] static decode_result<rows_event_head> decode(byte_view body);
};

}  // namespace sluice::binlog
