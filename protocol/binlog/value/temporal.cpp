#include "protocol/binlog/value/temporal.hpp"

#include <array>
#include <chrono>

namespace sluice::binlog {

namespace {

decode_error malformed(const char* type) {
    return {decode_errc::malformed, std::string("impossible value of a ") + type + " column"};
}

std::uint64_t big_endian(byte_view bytes) {
    std::uint64_t value = 0;
    for (const auto byte : bytes) value = value << 8 | std::to_integer<std::uint64_t>(byte);
    return value;
}

std::uint64_t little_endian(byte_view bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) value |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
    return value;
}

struct moment {
    std::uint64_t year = 0;
    std::uint64_t month = 0;
    std::uint64_t day = 0;
    std::uint64_t hour = 0;
    std::uint64_t minute = 0;
    std::uint64_t second = 0;
};

void append_padded(std::string& out, std::uint64_t number, std::size_t width) {
    const auto text = std::to_string(number);
    if (text.size() < width) out.append(width - text.size(), '0');
    out += text;
}

void append_date(std::string& out, const moment& at) {
    append_padded(out, at.year, 4);
    out += '-';
    append_padded(out, at.month, 2);
    out += '-';
    append_padded(out, at.day, 2);
}

void append_time(std::string& out, const moment& at) {
    append_padded(out, at.hour, 2);
    out += ':';
    append_padded(out, at.minute, 2);
    out += ':';
    append_padded(out, at.second, 2);
}

/// `microseconds` under a million; the column keeps only its digits.
void append_fraction(std::string& out, std::uint64_t microseconds, unsigned digits) {
    if (digits == 0) return;
    std::string all;
    append_padded(all, microseconds, 6);
    out += '.';
    out += all.substr(0, digits);
}

std::string datetime_text(const moment& at) {
    std::string text;
    append_date(text, at);
    text += ' ';
    append_time(text, at);
    return text;
}

bool is_possible_date(const moment& at) { return at.year <= 9999 && at.month <= 12 && at.day <= 31; }
bool is_possible_time(const moment& at) { return at.minute <= 59 && at.second <= 59; }

/// Stored fractions count in units of the even number of digits that their bytes hold.
std::uint64_t microseconds_of(std::uint64_t stored, std::size_t stored_size) {
    constexpr std::array<std::uint64_t, 4> unit{0, 10'000, 100, 1};
    return stored * unit[stored_size];
}

std::size_t fraction_size(unsigned digits) { return (digits + 1) / 2; }

moment moment_of_unix_time(std::uint64_t seconds) {
    const std::chrono::sys_days day{std::chrono::days(seconds / 86'400)};
    const std::chrono::year_month_day date(day);
    return {static_cast<std::uint64_t>(static_cast<int>(date.year())),
            static_cast<unsigned>(date.month()),
            static_cast<unsigned>(date.day()),
            seconds / 3'600 % 24,
            seconds / 60 % 60,
            seconds % 60};
}

std::string timestamp_text(std::uint64_t seconds, std::uint64_t microseconds, unsigned fraction_digits) {
    // Zero does not mean 1970: that second cannot be stored.
    std::string text = datetime_text(seconds == 0 ? moment{} : moment_of_unix_time(seconds));
    append_fraction(text, microseconds, fraction_digits);
    return text;
}

}  // namespace

decode_result<std::string> date_text(byte_view cell) {
    if (cell.size() != 3) return malformed("date");
    const auto packed = little_endian(cell);
    const moment at{packed >> 9, packed >> 5 & 0xF, packed & 0x1F, 0, 0, 0};
    if (!is_possible_date(at)) return malformed("date");
    std::string text;
    append_date(text, at);
    return text;
}

decode_result<std::string> year_text(byte_view cell) {
    if (cell.size() != 1) return malformed("year");
    const auto stored = little_endian(cell);
    std::string text;
    append_padded(text, stored == 0 ? 0 : 1900 + stored, 4);
    return text;
}

decode_result<std::string> time2_text(byte_view cell, unsigned fraction_digits) {
    const auto extra = fraction_size(fraction_digits);
    if (cell.size() != 3 + extra) return malformed("time");
    // The whole is one number, offset so that it sorts as bytes; so a negative time's fraction comes out by itself.
    const auto bits = static_cast<unsigned>(8 * extra);
    const auto packed = static_cast<std::int64_t>(big_endian(cell)) - (std::int64_t{0x800000} << bits);
    const bool is_negative = packed < 0;
    const auto magnitude = static_cast<std::uint64_t>(is_negative ? -packed : packed);
    const auto whole = magnitude >> bits;
    const auto microseconds = microseconds_of(magnitude & ((std::uint64_t{1} << bits) - 1), extra);
    const moment at{0, 0, 0, whole >> 12 & 0x3FF, whole >> 6 & 0x3F, whole & 0x3F};
    if (!is_possible_time(at) || at.hour > 838 || microseconds > 999'999) return malformed("time");
    std::string text = is_negative ? "-" : "";
    append_time(text, at);
    append_fraction(text, microseconds, fraction_digits);
    return text;
}

decode_result<std::string> datetime2_text(byte_view cell, unsigned fraction_digits) {
    const auto extra = fraction_size(fraction_digits);
    if (cell.size() != 5 + extra) return malformed("datetime");
    const auto packed = big_endian(cell.first(5)) ^ 0x8000000000;
    const auto year_month = packed >> 22;
    const moment at{year_month / 13,     year_month % 13,    packed >> 17 & 0x1F,
                    packed >> 12 & 0x1F, packed >> 6 & 0x3F, packed & 0x3F};
    const auto microseconds = microseconds_of(big_endian(cell.subspan(5)), extra);
    if (!is_possible_date(at) || !is_possible_time(at) || at.hour > 23 || microseconds > 999'999) {
        return malformed("datetime");
    }
    std::string text = datetime_text(at);
    append_fraction(text, microseconds, fraction_digits);
    return text;
}

decode_result<std::string> timestamp2_text(byte_view cell, unsigned fraction_digits) {
    const auto extra = fraction_size(fraction_digits);
    if (cell.size() != 4 + extra) return malformed("timestamp");
    const auto microseconds = microseconds_of(big_endian(cell.subspan(4)), extra);
    if (microseconds > 999'999) return malformed("timestamp");
    return timestamp_text(big_endian(cell.first(4)), microseconds, fraction_digits);
}

decode_result<std::string> old_time_text(byte_view cell) {
    if (cell.size() != 3) return malformed("time");
    auto packed = static_cast<std::int64_t>(little_endian(cell));
    if (packed >= 0x800000) packed -= 0x1000000;
    const auto magnitude = static_cast<std::uint64_t>(packed < 0 ? -packed : packed);
    const moment at{0, 0, 0, magnitude / 10'000, magnitude / 100 % 100, magnitude % 100};
    if (!is_possible_time(at) || at.hour > 838) return malformed("time");
    std::string text = packed < 0 ? "-" : "";
    append_time(text, at);
    return text;
}

decode_result<std::string> old_datetime_text(byte_view cell) {
    if (cell.size() != 8) return malformed("datetime");
    const auto packed = little_endian(cell);
    const auto date = packed / 1'000'000;
    const auto time = packed % 1'000'000;
    const moment at{date / 10'000, date / 100 % 100, date % 100, time / 10'000, time / 100 % 100, time % 100};
    if (!is_possible_date(at) || !is_possible_time(at) || at.hour > 23) return malformed("datetime");
    return datetime_text(at);
}

decode_result<std::string> old_timestamp_text(byte_view cell) {
    if (cell.size() != 4) return malformed("timestamp");
    return timestamp_text(little_endian(cell), 0, 0);
}

}  // namespace sluice::binlog
