#pragma once

// Rows of text results ("Text Resultset Row") and of prepared statements ("Binary Protocol Resultset Row").

#include "protocol/message/column.hpp"
#include "protocol/wire/bytes.hpp"
#include "protocol/wire/error.hpp"

#include <optional>
#include <variant>
#include <vector>

namespace sluice::protocol {

using text_row = std::vector<std::optional<std::string_view>>;

/// Views into the payload; nothing is SQL NULL. Errors: truncated; malformed (bytes left over).
[[nodiscard]] wire_result<text_row> parse_text_row(byte_view payload, std::size_t column_count);
void append_text_row(byte_buffer& out, std::span<const std::optional<std::string_view>> values);

struct binary_datetime {
    std::uint16_t year = 0;
    std::uint8_t month = 0, day = 0, hour = 0, minute = 0, second = 0;
    std::uint32_t microsecond = 0;
    friend bool operator==(const binary_datetime&, const binary_datetime&) = default;
};

struct binary_time {
    bool is_negative = false;
    std::uint32_t days = 0;
    std::uint8_t hours = 0, minutes = 0, seconds = 0;
    std::uint32_t microseconds = 0;
    friend bool operator==(const binary_time&, const binary_time&) = default;
};

/// monostate is SQL NULL. Integers come signed or unsigned by the column's flag; everything of variable length as the
/// bytes that were sent (views into the payload).
using binary_value = std::variant<std::monostate, std::int64_t, std::uint64_t, float, double, std::string_view,
                                  binary_datetime, binary_time>;

/// Errors: truncated; malformed (first byte not 0x00, bytes left over, odd temporal length); unsupported (a type that
/// does not occur in results).
[[nodiscard]] wire_result<std::vector<binary_value>> parse_binary_row(byte_view payload,
                                                                      std::span<const column_definition> columns);

}  // namespace sluice::protocol
