#pragma once

// Dates and times as stored, in the formats of MySQL 5.6.4+ (big-endian, fractional seconds, WL#946) and those before.
// All functions take the cell of exactly the column's size and give fixed-width text; see key_kind for the forms.
// Errors: malformed (wrong size, parts out of range).

#include "protocol/binlog/error.hpp"

namespace sluice::binlog {

[[nodiscard]] decode_result<std::string> date_text(byte_view cell);
[[nodiscard]] decode_result<std::string> year_text(byte_view cell);

/// `fraction_digits`: 0-6.
[[nodiscard]] decode_result<std::string> time2_text(byte_view cell, unsigned fraction_digits);
[[nodiscard]] decode_result<std::string> datetime2_text(byte_view cell, unsigned fraction_digits);
[[nodiscard]] decode_result<std::string> timestamp2_text(byte_view cell, unsigned fraction_digits);

[[nodiscard]] decode_result<std::string> old_time_text(byte_view cell);
[[nodiscard]] decode_result<std::string> old_datetime_text(byte_view cell);
[[nodiscard]] decode_result<std::string> old_timestamp_text(byte_view cell);

}  // namespace sluice::binlog
