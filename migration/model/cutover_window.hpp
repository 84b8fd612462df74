#pragma once

// Days and hours in which a cut-over may begin, as an operator writes them:
//
//   02:00-05:00                                  every day
//   Mon-Fri 02:00-05:00, Sat,Sun 00:00-24:00     days by name or from-to, each list of days with its hours
//   Fri 22:00-04:00                              across midnight: begins on Friday, ends on Saturday
//   Mon-Fri 02:00-05:00 UTC                      … +02:00: a fixed offset
//
// Without a zone the hours are those of the machine on which Sluice runs (its TZ), as with cron: when clocks are put
// forward or back, so is the window.

#include "protocol/result.hpp"

#include <bitset>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::migration {

/// An immutable value. The system's zone is read by localtime_r, which is thread-safe.
class cutover_window {
public:
    /// The error names the part that is wrong and says what would be right.
    [[nodiscard]] static result<cutover_window, std::string> parse(std::string_view text);

    /// From each range's first minute to the one before its last.
    [[nodiscard]] bool open_at(std::chrono::system_clock::time_point now) const;
    /// Where the next range begins, on the window's clock: "Mon 02:00". Behind `now`, at most a week.
    [[nodiscard]] std::string next_opening(std::chrono::system_clock::time_point now) const;

private:
    static constexpr std::size_t minutes_of_week = 7 * 24 * 60;  // from Monday, 00:00

    [[nodiscard]] std::size_t minute_of_week(std::chrono::system_clock::time_point now) const;
    [[nodiscard]] std::optional<std::string> add_part(std::string_view part, std::bitset<7>& days_before,
                                                      bool& days_were_said);
    void add(const std::bitset<7>& days, std::size_t from, std::size_t to);

    std::bitset<minutes_of_week> open_;
    std::optional<std::chrono::minutes> utc_offset_;
};

}  // namespace sluice::migration
