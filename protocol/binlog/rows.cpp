#include "protocol/binlog/rows.hpp"

#include "protocol/binlog/event_cursor.hpp"

#include <bit>

namespace sluice::binlog {

namespace {

bool has_extra_data(event_type type) noexcept {
    return type == event_type::write_rows || type == event_type::update_rows || type == event_type::delete_rows ||
           type == event_type::partial_update_rows;
}

std::optional<rows_kind> kind_of(event_type type) noexcept {
    switch (type) {
        case event_type::write_rows_v1:
        case event_type::write_rows: return rows_kind::write;
        case event_type::update_rows_v1:
        case event_type::update_rows:
        case event_type::partial_update_rows: return rows_kind::update;
        case event_type::delete_rows_v1:
        case event_type::delete_rows: return rows_kind::remove;
        default: return std::nullopt;
    }
}

std::size_t json_column_count(const table_map& table) noexcept {
    std::size_t count = 0;
    for (const auto& column : table.columns) count += column.type.type == field_type::json ? 1 : 0;
    return count;
}

}  // namespace

bool column_bitmap::test(std::size_t column) const noexcept {
    return column < column_count_ && (std::to_integer<unsigned>(bytes_[column / 8]) >> (column % 8) & 1U) != 0;
}

std::size_t column_bitmap::count() const noexcept {
    std::size_t count = 0;
    const auto whole_bytes = column_count_ / 8;
    for (std::size_t i = 0; i < whole_bytes; ++i) {
        count += static_cast<std::size_t>(std::popcount(std::to_integer<unsigned>(bytes_[i])));
    }
    for (std::size_t column = whole_bytes * 8; column < column_count_; ++column) count += test(column) ? 1 : 0;
    return count;
}

const cell& row_image::operator[](std::size_t column) const {
    SLUICE_ASSERT(column < cells_.size());
    return cells_[column];
}

decode_result<rows_event_head> rows_event_head::decode(byte_view body) {
    event_cursor cursor(body);
    rows_event_head head;
    head.table_id = cursor.u48();
    head.flags = cursor.u16();
    if (!cursor.ok()) return cursor.error("rows event");
    return head;
}

decode_result<rows_event> rows_event::decode(event_type type, byte_view body, std::shared_ptr<const table_map> table) {
    SLUICE_ASSERT(table != nullptr);
    const auto kind = kind_of(type);
    SLUICE_ASSERT(kind.has_value());
    event_cursor cursor(body);
    rows_event event;
    event.kind = *kind;
    event.is_partial = type == event_type::partial_update_rows;
    event.table_id = cursor.u48();
    event.flags = cursor.u16();
    event.ends_statement = (event.flags & rows_event_head::flag_ends_statement) != 0;
    if (has_extra_data(type)) {
        const auto extra_size = cursor.u16();
        constexpr std::uint16_t size_of_size = 2;
        if (extra_size < size_of_size) {
            cursor.fail();
        } else {
            cursor.skip(extra_size - size_of_size);
        }
    }
    const auto column_count = cursor.lenenc_int();
    if (!cursor.ok()) return cursor.error("rows event");
    if (column_count != table->columns.size()) {
        return decode_error{decode_errc::malformed, "rows event: not as many columns as its table map has"};
    }
    const column_bitmap first(cursor.bytes((column_count + 7) / 8), column_count);
    column_bitmap second = first;
    if (event.kind == rows_kind::update) second = column_bitmap(cursor.bytes((column_count + 7) / 8), column_count);
    if (!cursor.ok()) return cursor.error("rows event");
    if (event.kind != rows_kind::write) event.columns_before = first;
    if (event.kind != rows_kind::remove) event.columns_after = second;
    event.row_data = cursor.rest();
    event.table = std::move(table);
    return event;
}

row_cursor::row_cursor(const rows_event& event)
    : event_(&event),
      rest_(event.row_data),
      has_before_(event.kind != rows_kind::write),
      has_after_(event.kind != rows_kind::remove),
      json_column_count_(event.is_partial ? json_column_count(*event.table) : 0) {
    if (has_before_) before_.cells_.resize(event.table->columns.size());
    if (has_after_) after_.cells_.resize(event.table->columns.size());
    // A minimal image of a row that was inserted with nothing but defaults has no columns, and no bytes either.
    is_single_empty_row_ = rest_.empty() && event.columns_before.count() + event.columns_after.count() == 0;
}

decode_result<bool> row_cursor::next() {
    if (rest_.empty() && !is_single_empty_row_) {
        before_.exists_ = after_.exists_ = false;
        return false;
    }
    is_single_empty_row_ = false;
    const auto size_before = rest_.size();
    if (has_before_) {
        if (!read_image(event_->columns_before, false, before_)) return fail();
    }
    if (has_after_) {
        if (!read_image(event_->columns_after, event_->is_partial, after_)) return fail();
    }
    if (size_before != 0 && rest_.size() == size_before) return fail();
    before_.exists_ = has_before_;
    after_.exists_ = has_after_;
    return true;
}

decode_error row_cursor::fail() {
    rest_ = {};
    before_.exists_ = after_.exists_ = false;
    return {decode_errc::truncated,
            "rows event: a row of " + event_->table->schema + "." + event_->table->table + " does not fit its columns"};
}

bool row_cursor::read_image(const column_bitmap& present, bool may_be_partial, row_image& image) {
    byte_view partial_bits;
    if (may_be_partial && !take_partial_bits(partial_bits)) return false;
    const std::size_t null_size = (present.count() + 7) / 8;
    if (rest_.size() < null_size) return false;
    const column_bitmap nulls(rest_.first(null_size), null_size * 8);
    rest_ = rest_.subspan(null_size);

    const column_bitmap diffs(partial_bits, partial_bits.size() * 8);
    const auto& columns = event_->table->columns;
    std::size_t present_index = 0;
    std::size_t json_index = 0;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        auto& cell = image.cells_[i];
        cell = {};
        // There is a bit for every JSON column of the table, whether the image holds it or not.
        const bool is_diff = columns[i].type.type == field_type::json && diffs.test(json_index++);
        if (!present.test(i)) continue;
        if (nulls.test(present_index++)) {
            cell.state = cell_state::null;
            continue;
        }
        if (!take_cell(columns[i].layout, rest_, cell.bytes)) return false;
        cell.state = is_diff ? cell_state::partial_json : cell_state::value;
    }
    return true;
}

bool row_cursor::take_partial_bits(byte_view& bits) {
    constexpr std::uint8_t partial_json_option = 1;
    // Options are a length-encoded integer of which one bit has a meaning so far; more would change the layout.
    if (rest_.empty()) return false;
    const auto options = std::to_integer<std::uint8_t>(rest_[0]);
    rest_ = rest_.subspan(1);
    if ((options & ~partial_json_option) != 0) return false;
    if (options == 0) return true;
    const auto size = (json_column_count_ + 7) / 8;
    if (rest_.size() < size) return false;
    bits = rest_.first(size);
    rest_ = rest_.subspan(size);
    return true;
}

}  // namespace sluice::binlog
