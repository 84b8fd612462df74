#include "admin/text_form.hpp"
#include "admin/closest_name.hpp"
#include "tests/support/catch.hpp"

#include <array>

using namespace sluice;

TEST_CASE("bytes that are not UTF-8 are replaced one by one", "[text_form]") {
    const std::string bad = "\xEF\xBF\xBD";
    struct row {
        std::string text;
        std::string clean;
    };
    const row rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {"a\xFF"
         "b",
         "a" + bad + "b"},
        {"\xC3", bad},  // cut short
        {"\xE2\x82", bad + bad},
        {"\xC0\xAF", bad + bad},                      // overlong
        {"\xED\xA0\x80", bad + bad + bad},            // a surrogate
        {"\xF4\x90\x80\x80", bad + bad + bad + bad},  // above U+10FFFF
        {"\x80x", bad + "x"},
        {"\xE2\x28\xA1", bad + "(" + bad},
    };
    for (const row& r : rows) {
        CAPTURE(r.text);
        CHECK(admin::clean_utf8(r.text) == r.clean);
    }
}

TEST_CASE("times are RFC 3339 in UTC with milliseconds", "[text_form]") {
    using std::chrono::milliseconds;
    using time = std::chrono::system_clock::time_point;
    CHECK(admin::to_utc_text(time(milliseconds(0))) == "1970-01-01T00:00:00.000Z");
    CHECK(admin::to_utc_text(time(milliseconds(1'709'210'096'007))) == "2024-02-29T12:34:56.007Z");
    CHECK(admin::to_utc_text(time(milliseconds(-1))) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("a mistyped name leads to the one that was meant", "[closest_name]") {
    constexpr std::array<std::string_view, 4> known{"hold_budget_ms", "hold_interval_ms", "copy_workers", "listen"};
    struct row {
        std::string name;
        const char* near;  // empty: none
    };
    const row rows[] = {
        {"hold_budget", "hold_budget_ms"},
        {"hold_budget_s", "hold_budget_ms"},
        {"copyworkers", "copy_workers"},
        {"copy_worker", "copy_workers"},
        {"lisen", "listen"},
        {"listen_address", "listen"},
        {"zebra", ""},
        {"", ""},
        {std::string(100'000, 'x'), ""},
    };
    for (const row& r : rows) {
        CAPTURE(r.name.substr(0, 40));
        CHECK(admin::closest_name(r.name, known).value_or("") == r.near);
    }
    CHECK(admin::name_hint("lisen", known) == " (did you mean `listen`?)");
    CHECK(admin::name_hint("zebra", known) ==
          " (known: `hold_budget_ms`, `hold_interval_ms`, `copy_workers`, `listen`)");
}
