#include "migration/model/cutover_window.hpp"

#include "tests/support/catch.hpp"

#include <cstdlib>
#include <ctime>
#include <string>

namespace {

using sluice::migration::cutover_window;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::system_clock;

/// 2026-03-02 is a Monday.
system_clock::time_point monday(int days, int hour, int minute, int second = 0) {
    constexpr std::time_t midnight = 1'772'409'600;
    return system_clock::from_time_t(midnight) + hours(24 * days + hour) + minutes(minute) + seconds(second);
}

cutover_window window(const std::string& text) {
    auto parsed = cutover_window::parse(text);
    INFO(text << ": " << (parsed ? "" : parsed.error()));
    REQUIRE(parsed.has_value());
    return *parsed;
}

std::string trouble(const std::string& text) {
    const auto parsed = cutover_window::parse(text);
    INFO(text);
    REQUIRE(parsed.has_error());
    return parsed.error();
}

/// Sets TZ for as long as it lives.
class zone_of_process {
public:
    explicit zone_of_process(const char* name) {
        if (const char* before = std::getenv("TZ")) before_ = before;
        setenv("TZ", name, 1);
        tzset();
    }
    zone_of_process(const zone_of_process&) = delete;
    zone_of_process& operator=(const zone_of_process&) = delete;
    ~zone_of_process() {
        if (before_.empty()) {
            unsetenv("TZ");
        } else {
            setenv("TZ", before_.c_str(), 1);
        }
        tzset();
    }

private:
    std::string before_;
};

}  // namespace

TEST_CASE("hours without days are those of every day, from their first minute to the one before their last",
          "[cutover_window]") {
    const auto night = window("02:00-05:00 UTC");
    for (const int day : {0, 3, 6}) {
        CAPTURE(day);
        CHECK_FALSE(night.open_at(monday(day, 1, 59, 59)));
        CHECK(night.open_at(monday(day, 2, 0)));
        CHECK(night.open_at(monday(day, 4, 59, 59)));
        CHECK_FALSE(night.open_at(monday(day, 5, 0)));
    }
    CHECK(window("00:00-24:00 UTC").open_at(monday(2, 23, 59, 59)));
}

TEST_CASE("each list of days has the hours behind it", "[cutover_window]") {
    const auto both = window("Mon-Fri 02:00-05:00, Sat,Sun 00:00-24:00 UTC");
    CHECK(both.open_at(monday(4, 4, 0)));
    CHECK_FALSE(both.open_at(monday(4, 23, 0)));
    CHECK(both.open_at(monday(5, 0, 0)));
    CHECK(both.open_at(monday(6, 23, 59)));
    CHECK_FALSE(both.open_at(monday(7, 0, 0)));
    const auto several = window("monday, wed , FRI 01:00-02:00,Tuesday 03:00-04:00 UTC");
    CHECK(several.open_at(monday(0, 1, 30)));
    CHECK_FALSE(several.open_at(monday(1, 1, 30)));
    CHECK(several.open_at(monday(1, 3, 30)));
    CHECK(several.open_at(monday(2, 1, 30)));
    CHECK(several.open_at(monday(4, 1, 30)));
}

TEST_CASE("hours across midnight belong to the day on which they begin", "[cutover_window]") {
    const auto late = window("Fri,Sun 22:00-04:00 UTC");
    CHECK(late.open_at(monday(4, 22, 0)));
    CHECK(late.open_at(monday(5, 3, 59)));
    CHECK_FALSE(late.open_at(monday(5, 4, 0)));
    CHECK_FALSE(late.open_at(monday(5, 22, 30)));
    CHECK(late.open_at(monday(6, 23, 0)));
    CHECK(late.open_at(monday(0, 2, 0)));  // Sunday's goes on into Monday
    CHECK_FALSE(late.open_at(monday(4, 2, 0)));
}

TEST_CASE("days from one to an earlier one go round the week's end", "[cutover_window]") {
    const auto around = window("Sat-Mon 10:00-11:00 UTC");
    CHECK(around.open_at(monday(5, 10, 0)));
    CHECK(around.open_at(monday(6, 10, 0)));
    CHECK(around.open_at(monday(0, 10, 0)));
    CHECK_FALSE(around.open_at(monday(1, 10, 0)));
}

TEST_CASE("a fixed offset moves hours and days", "[cutover_window]") {
    CHECK(window("Mon 00:00-01:00 +02:00").open_at(monday(-1, 22, 30)));
    CHECK_FALSE(window("Mon 00:00-01:00 +02:00").open_at(monday(0, 0, 30)));
    CHECK(window("Sun 23:00-24:00 -05:30").open_at(monday(0, 4, 45)));
    CHECK(window("02:00-05:00 utc").open_at(monday(0, 2, 0)));
}

TEST_CASE("without a zone the hours are those of the machine, in summer and in winter", "[cutover_window]") {
    const zone_of_process vienna("CET-1CEST,M3.5.0,M10.5.0/3");
    const auto night = window("02:00-05:00");
    CHECK(night.open_at(monday(0, 1, 0)));  // in winter an hour ahead of UTC
    CHECK_FALSE(night.open_at(monday(0, 0, 59)));
    const auto june = 13 * 7;
    CHECK(night.open_at(monday(june, 0, 0)));  // in summer two
    CHECK_FALSE(night.open_at(monday(june, 3, 0)));
}

TEST_CASE("the next opening is told on the window's own clock", "[cutover_window]") {
    const auto work = window("Mon-Fri 02:00-05:00 UTC");
    CHECK(work.next_opening(monday(0, 1, 59)) == "Mon 02:00");
    CHECK(work.next_opening(monday(0, 5, 0)) == "Tue 02:00");
    CHECK(work.next_opening(monday(4, 5, 0)) == "Mon 02:00");
    CHECK(window("Sun 23:30-23:45 +02:00").next_opening(monday(0, 12, 0)) == "Sun 23:30");
}

TEST_CASE("what is wrong with a window is said", "[cutover_window]") {
    CHECK(trouble("Mon-Fri 25:00-26:00") == R"("25:00-26:00" are no hours: say HH:MM-HH:MM, from 00:00 to 24:00)");
    CHECK(trouble("02:00-05:60") == R"("02:00-05:60" are no hours: say HH:MM-HH:MM, from 00:00 to 24:00)");
    CHECK(trouble("2:00-5:00") == R"("2:00-5:00" are no hours: say HH:MM-HH:MM, from 00:00 to 24:00)");
    CHECK(trouble("24:00-05:00") == R"("24:00-05:00" are no hours: say HH:MM-HH:MM, from 00:00 to 24:00)");
    CHECK(trouble("Mon 05:00-05:00") == R"("05:00-05:00" has no length: a whole day is 00:00-24:00)");
    CHECK(trouble("Mun 01:00-02:00") == R"("Mun" are no days: say Mon, Tue, Wed, Thu, Fri, Sat, Sun, or Mon-Fri)");
    CHECK(trouble("Mo 01:00-02:00") == R"("Mo" are no days: say Mon, Tue, Wed, Thu, Fri, Sat, Sun, or Mon-Fri)");
    CHECK(trouble("Sat,Sun") == R"(the hours are missing behind "Sun")");
    CHECK(trouble("Mon 01:00-02:00, 03:00-04:00") ==
          R"(say the days of "03:00-04:00" as well: it follows a part that has days)");
    CHECK(trouble("Mon 01:00-02:00,") == "there is nothing between two commas, or behind the last one");
    CHECK(trouble("") == "there is nothing between two commas, or behind the last one");
    CHECK(trouble("Mon 01:00-02:00 +15:00") ==
          R"("01:00-02:00 +15:00" are no hours: say HH:MM-HH:MM, from 00:00 to 24:00)");
    CHECK(trouble("Mon 01:00-02:00 CET") == R"("01:00-02:00 CET" are no hours: say HH:MM-HH:MM, from 00:00 to 24:00)");
}
