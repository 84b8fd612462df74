#include "migration/model/cutover_window.hpp"

#include <array>
#include <cstdio>
#include <ctime>
#include <vector>

namespace sluice::migration {
namespace {

constexpr std::size_t minutes_of_day = 24 * 60;
constexpr std::array<std::string_view, 7> day_names{"monday", "tuesday",  "wednesday", "thursday",
                                                    "friday", "saturday", "sunday"};
constexpr std::size_t name_length_min = 3;

bool is_space(char c) { return c == ' ' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

/// 0 is Monday. A name may be shortened to three letters.
std::optional<std::size_t> day_of(std::string_view name) {
    if (name.size() < name_length_min) return std::nullopt;
    std::string wanted;
    for (const char c : name) wanted += lower(c);
    for (std::size_t day = 0; day < day_names.size(); ++day) {
        if (day_names[day].starts_with(wanted)) return day;
    }
    return std::nullopt;
}

std::optional<std::bitset<7>> days_of(std::string_view text) {
    const auto dash = text.find('-');
    const auto first = day_of(text.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : day_of(text.substr(dash + 1));
    if (!first || !last) return std::nullopt;
    std::bitset<7> days;
    for (std::size_t day = *first;; day = (day + 1) % 7) {
        days.set(day);
        if (day == *last) return days;
    }
}

/// HH:MM as minutes since midnight; 24:00 is one of them.
std::optional<std::size_t> minutes_in(std::string_view text) {
    if (text.size() != 5 || text[2] != ':') return std::nullopt;
    for (const std::size_t i : {0U, 1U, 3U, 4U}) {
        if (!is_digit(text[i])) return std::nullopt;
    }
    const auto digit = [text](std::size_t i) { return static_cast<std::size_t>(text[i] - '0'); };
    const std::size_t minutes = (digit(0) * 10 + digit(1)) * 60 + digit(3) * 10 + digit(4);
    if (text[3] > '5' || minutes > minutes_of_day) return std::nullopt;
    return minutes;
}

/// Takes the zone off the end of the text, if there is one.
std::optional<std::chrono::minutes> take_zone(std::string_view& text) {
    std::size_t end = text.size();
    while (end > 0 && !is_space(text[end - 1])) --end;
    const std::string_view word = text.substr(end);
    std::optional<std::chrono::minutes> offset;
    if (word == "UTC" || word == "utc") {
        offset = std::chrono::minutes(0);
    } else if (word.size() == 6 && (word[0] == '+' || word[0] == '-')) {
        constexpr std::size_t offset_max = 14 * 60;
        const auto minutes = minutes_in(word.substr(1));
        if (!minutes || *minutes > offset_max) return std::nullopt;
        offset = std::chrono::minutes(static_cast<int>(*minutes) * (word[0] == '-' ? -1 : 1));
    }
    if (offset) text = text.substr(0, end);
    return offset;
}

}  // namespace

void cutover_window::add(const std::bitset<7>& days, std::size_t from, std::size_t to) {
    const std::size_t length = to > from ? to - from : to + minutes_of_day - from;
    for (std::size_t day = 0; day < 7; ++day) {
        if (!days.test(day)) continue;
        for (std::size_t i = 0; i < length; ++i) open_.set((day * minutes_of_day + from + i) % minutes_of_week);
    }
}

std::optional<std::string> cutover_window::add_part(std::string_view part, std::bitset<7>& days_before,
                                                    bool& days_were_said) {
    if (part.empty()) return "there is nothing between two commas, or behind the last one";
    std::string_view hours = part;
    std::bitset<7> days;
    if (!is_digit(part.front())) {
        std::size_t end = 0;
        while (end < part.size() && !is_space(part[end])) ++end;
        const auto named = days_of(part.substr(0, end));
        if (!named) {
            return quoted(part.substr(0, end)) + " are no days: say Mon, Tue, Wed, Thu, Fri, Sat, Sun, or Mon-Fri";
        }
        days = *named | days_before;
        days_were_said = true;
        hours = trimmed(part.substr(end));
        days_before = hours.empty() ? days : std::bitset<7>();
        if (hours.empty()) return std::nullopt;  // one of a list: its hours come behind a later one
    } else if (days_were_said) {
        return "say the days of " + quoted(part) + " as well: it follows a part that has days";
    } else {
        days.set();
    }
    const auto from = minutes_in(hours.substr(0, std::min<std::size_t>(5, hours.size())));
    const auto to = hours.size() == 11 && hours[5] == '-' ? minutes_in(hours.substr(6)) : std::nullopt;
    if (!from || !to || *from == minutes_of_day) {
        return quoted(hours) + " are no hours: say HH:MM-HH:MM, from 00:00 to 24:00";
    }
    if (*from == *to) return quoted(hours) + " has no length: a whole day is 00:00-24:00";
    add(days, *from, *to);
    return std::nullopt;
}

result<cutover_window, std::string> cutover_window::parse(std::string_view text) {
    cutover_window window;
    text = trimmed(text);
    window.utc_offset_ = take_zone(text);
    std::bitset<7> days_before;
    bool days_were_said = false;
    for (std::string_view rest = text;;) {
        const auto comma = rest.find(',');
        const std::string_view part = trimmed(rest.substr(0, comma));
        if (auto trouble = window.add_part(part, days_before, days_were_said)) return *std::move(trouble);
        if (comma == std::string_view::npos) {
            if (days_before.any()) return "the hours are missing behind " + quoted(part);
            return window;
        }
        rest.remove_prefix(comma + 1);
    }
}

std::size_t cutover_window::minute_of_week(std::chrono::system_clock::time_point now) const {
    std::time_t seconds = std::chrono::system_clock::to_time_t(
        std::chrono::floor<std::chrono::seconds>(now + utc_offset_.value_or(std::chrono::minutes(0))));
    std::tm wall{};
    if (utc_offset_) {
        gmtime_r(&seconds, &wall);
    } else {
        localtime_r(&seconds, &wall);
    }
    const auto day = static_cast<std::size_t>((wall.tm_wday + 6) % 7);  // tm_wday counts from Sunday
    return day * minutes_of_day + static_cast<std::size_t>(wall.tm_hour * 60 + wall.tm_min);
}

bool cutover_window::open_at(std::chrono::system_clock::time_point now) const {
    return open_.test(minute_of_week(now));
}

std::string cutover_window::next_opening(std::chrono::system_clock::time_point now) const {
    std::size_t minute = minute_of_week(now);
    for (std::size_t i = 0; i < minutes_of_week; ++i) {
        const std::size_t next = (minute + 1) % minutes_of_week;
        if (!open_.test(minute) && open_.test(next)) {
            minute = next;
            break;
        }
        minute = next;
    }
    const std::string_view day = day_names[minute / minutes_of_day];
    char text[16];
    std::snprintf(text, sizeof text, "%c%c%c %02u:%02u", day[0] - 32, day[1], day[2],
                  static_cast<unsigned>(minute % minutes_of_day / 60), static_cast<unsigned>(minute % 60));
    return text;
}

}  // namespace sluice::migration
