#include "migration/throttle/heartbeat_time.hpp"

#include <charconv>
#include <cstdint>
#include <cstdio>

namespace sluice::migration {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

/// Takes `count` digits off the head.
std::optional<unsigned> take_number(std::string_view& text, std::size_t count) {
    if (text.size() < count) return std::nullopt;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + count, value);
    if (error != std::errc{} || end != text.data() + count) return std::nullopt;
    text.remove_prefix(count);
    return value;
}

bool take(std::string_view& text, char c) {
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<nanoseconds> take_fraction(std::string_view& text) {
    if (!take(text, '.')) return nanoseconds(0);
    std::int64_t value = 0;
    unsigned digits = 0;
    for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), ++digits) {
        if (digits < 9) value = value * 10 + (text[0] - '0');
    }
    if (digits == 0) return std::nullopt;
    for (; digits < 9; ++digits) value *= 10;
    return nanoseconds(value);
}

std::optional<minutes> take_offset(std::string_view& text) {
    if (take(text, 'Z')) return minutes(0);
    const bool negative = text.starts_with('-');
    if (!take(text, '-') && !take(text, '+')) return std::nullopt;
    const auto hour = take_number(text, 2);
    if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
    const auto minute = take_number(text, 2);
    if (!minute || *minute > 59) return std::nullopt;
    const minutes offset = hours(*hour) + minutes(*minute);
    return negative ? -offset : offset;
}

}  // namespace

std::string heartbeat_text(wall_time when) {
    const auto day = std::chrono::floor<std::chrono::days>(when);
    const std::chrono::year_month_day date{std::chrono::time_point_cast<std::chrono::days>(day)};
    const auto rest = when - day;
    const auto whole = std::chrono::floor<seconds>(rest);
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%09dZ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(whole.count() / 3600), static_cast<int>(whole.count() / 60 % 60),
                  static_cast<int>(whole.count() % 60), static_cast<int>((rest - whole).count()));
    return text;
}

std::optional<wall_time> parse_heartbeat(std::string_view text) {
    const auto year = take_number(text, 4);
    if (!year || !take(text, '-')) return std::nullopt;
    const auto month = take_number(text, 2);
    if (!month || !take(text, '-')) return std::nullopt;
    const auto day = take_number(text, 2);
    if (!day || !take(text, 'T')) return std::nullopt;
    const auto hour = take_number(text, 2);
    if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
    const auto minute = take_number(text, 2);
    if (!minute || *minute > 59 || !take(text, ':')) return std::nullopt;
    const auto second = take_number(text, 2);
    if (!second || *second > 60) return std::nullopt;
    const auto fraction = take_fraction(text);
    if (!fraction) return std::nullopt;
    const auto offset = take_offset(text);
    if (!offset || !text.empty()) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                           std::chrono::day(*day)};
    if (!date.ok()) return std::nullopt;
    return wall_time(std::chrono::sys_days(date)) + hours(*hour) + minutes(*minute) + seconds(*second) + *fraction -
           *offset;
}

}  // namespace sluice::migration
