#include "proxy/main/client/progress_view.hpp"
#include "tests/support/catch.hpp"

#include <boost/json/parse.hpp>

namespace {

using namespace sluice;
namespace json = boost::json;

json::object migration(const std::string& more = "") {
    return json::parse(R"({"id":"0123456789abcdef","schema":"shop","table":"orders","state":"copying","paused":false,
        "postponed":false,"waiting_for":"","rows_copied":153900,"rows_estimate":300000,"rows_per_s":41000,
        "backlog_keys":120,"deltas_applied":77,"progress":0.513,"eta_s":4,"error":null)" +
                       more + "}")
        .as_object();
}

migration_progress progress(const std::string& more = "") {
    const auto read = read_progress(migration(more));
    REQUIRE(read);
    return *read;
}

}  // namespace

TEST_CASE("a line with a bar", "[progress_view]") {
    CHECK(
        bar_line(progress(), 120) ==
        "copying     [###############---------------]  51.3 %  153900/300000 rows  41000 rows/s  ETA 4 s  backlog 120");
    CHECK(bar_line(progress(), 88) ==
          "copying     [#####-----]  51.3 %  153900/300000 rows  41000 rows/s  ETA 4 s  backlog 120");
    const std::string narrow = bar_line(progress(), 30);
    CHECK(narrow.size() == 30);
    CHECK(narrow == "copying     [#####-----]  51.3");
    CHECK(bar_line(progress(), 0).size() == 20);
}

TEST_CASE("a bar is full only when all is copied, and never overflows", "[progress_view]") {
    for (const auto& [text, done] :
         {std::pair{"0", 0}, std::pair{"0.999", 29}, std::pair{"1", 30}, std::pair{"7", 30}, std::pair{"-3", 0}}) {
        CAPTURE(text);
        const std::string line = bar_line(progress(std::string(",\"progress\":") + text), 200);
        CHECK(std::count(line.begin(), line.end(), '#') == done);
        CHECK(std::count(line.begin(), line.end(), '#') + std::count(line.begin(), line.end(), '-') == 30);
    }
    CHECK(bar_line(progress(",\"progress\":0.9999"), 200).find("99.9 %") != std::string::npos);
}

TEST_CASE("text from elsewhere cannot move the cursor or break a character", "[progress_view]") {
    const auto p = progress(R"(,"waiting_for":"a\u001b[2Jb\nc\u20ac\u20ac\u20ac")");
    const std::string whole = bar_line(p, 500);
    CHECK(whole.find("waiting: a [2Jb c") != std::string::npos);
    CHECK(plain_line(p).find('\n') == std::string::npos);
    for (std::size_t width = whole.size() - 9; width <= whole.size(); ++width) {
        const std::string line = bar_line(p, width);
        CAPTURE(width, line);
        CHECK(line.size() <= width);
        // The bar's cells leave 1 or 2 bytes only where a euro sign would have been cut.
        CHECK(line.size() + 3 > width);
    }
}

TEST_CASE("a line for a log", "[progress_view]") {
    CHECK(plain_line(progress()) == "copying 51.3% rows=153900/300000 rate=41000/s eta=4s backlog=120");
    CHECK(plain_line(progress(R"(,"eta_s":null,"paused":true,"waiting_for":"operator")")) ==
          "copying (paused) 51.3% rows=153900/300000 rate=41000/s backlog=120 waiting: operator");
    CHECK(plain_line(progress(R"(,"state":"ready","postponed":true,"eta_s":null)")) ==
          "ready (postponed) 51.3% rows=153900/300000 backlog=120");
    CHECK(plain_line(
              progress(R"(,"state":"verifying","eta_s":null,"verification":{"pass_in_hand_rows_compared":4000})")) ==
          "verifying 51.3% rows=153900/300000 compared=4000 backlog=120");
}

TEST_CASE("the end is told with what matters", "[progress_view]") {
    const std::string attempts = R"(,"cutover_attempts":[{"number":1,"succeeded":false,"given_up_because":"x"},
        {"number":2,"succeeded":true,"hold":{"statements_held":14,"hold_p99_us":8100,"hold_max_us":9350}}])";
    CHECK(ending_text(migration(R"(,"state":"completed")" + attempts)) ==
          "completed: shop.orders, 153900 rows copied, 77 changes applied\n"
          "cut-over attempt 2: 14 statements held, longest hold 9.3 ms, p99 8.1 ms");
    CHECK(ending_text(migration(R"(,"state":"failed","error":{"code":"no_key","message":"there is none"},
                                    "leftovers":["`shop`.`_orders_gho`"])")) ==
          "failed: shop.orders: no_key: there is none\nleft over: `shop`.`_orders_gho`");
    CHECK(ending_text(migration(R"(,"state":"aborted")")) == "aborted: shop.orders");
    CHECK(
        ending_text(migration(
            R"(,"state":"completed","verification":{"enabled":true,"rows_counted":9,"rows_compared":8,"rows_repaired":2})")) ==
        "completed: shop.orders, 153900 rows copied, 77 changes applied, 8 of 9 rows compared, 2 repaired");
    CHECK(ending_text(migration(R"(,"state":"completed","verification":{"enabled":false})")) ==
          "completed: shop.orders, 153900 rows copied, 77 changes applied, nothing compared (verify is off)");
}

TEST_CASE("what is no migration is recognised", "[progress_view]") {
    for (const char* text : {"{}", R"({"id":"x"})", R"({"id":1,"state":"copying"})", R"({"state":"copying"})"}) {
        CAPTURE(text);
        CHECK(read_progress(json::parse(text).as_object()).has_error());
    }
    const auto sparse =
        read_progress(json::parse(R"({"id":"x","state":"failed","progress":"half","rows_copied":-4})").as_object());
    REQUIRE(sparse);
    CHECK(sparse->failed());
    CHECK_FALSE(sparse->completed());
    CHECK(sparse->rows_copied == 0);
}

TEST_CASE("a list is a table", "[progress_view]") {
    CHECK(list_text({}) == "no migrations\n");
    json::array all;
    all.push_back(migration());
    all.push_back(migration(R"(,"id":"ff","state":"completed","way":"copy","eta_s":null)"));
    CHECK(list_text(all) ==
          "ID                TABLE        STATE      WAY   COPIED  ROWS           RATE     ETA  BACKLOG\n"
          "0123456789abcdef  shop.orders  copying    -     51.3 %  153900/300000  41000/s  4 s  120\n"
          "ff                shop.orders  completed  copy  51.3 %  153900/300000  -        -    120\n");
}

TEST_CASE("details show every field and every attempt", "[progress_view]") {
    const std::string text = detail_text(migration(R"(,"options":{"copy_workers":2},"leftovers":["a","b"],
        "cutover_attempts":[{"number":1,"succeeded":false,"given_up_because":"too long",
        "steps":[{"name":"close","took_us":12}],"hold":{"statements_held":1,"hold_p99_us":0,"hold_max_us":0},
        "blockers":[{"connection_id":5,"client":"a@b:1","statement":"SELECT 1","age_ms":9,"in_transaction":true}]}])"));
    for (const char* part : {"id                    0123456789abcdef\n", "options.copy_workers  2\n",
                             "error                 -\n", "progress              0.513\n", "leftovers             a\n",
                             "leftovers             b\n", "cut-over attempt 1: given up, too long; 1 statements held",
                             "    close 12 us\n", "in the way: connection 5 of a@b:1 for 9 ms: SELECT 1\n"}) {
        CAPTURE(part, text);
        CHECK(text.find(part) != std::string::npos);
    }
}

TEST_CASE("the end says which way was taken, and why others were not", "[progress_view]") {
    const std::string instant = ending_text(migration(R"(,"state":"completed","way":"instant","ways_passed_over":[])"));
    CHECK(instant.find("completed: shop.orders, altered by the server itself (instant)") == 0);
    const std::string copied = ending_text(migration(
        R"json(,"state":"completed","way":"copy","ways_passed_over":[{"way":"instant","reason":"no (error 1845)"}])json"));
    CHECK(copied.find(" rows copied, ") != std::string::npos);
    CHECK(copied.find("\nnot instant: no (error 1845)") != std::string::npos);
}

TEST_CASE("durations are readable", "[progress_view]") {
    CHECK(duration_text(0) == "0 s");
    CHECK(duration_text(59) == "59 s");
    CHECK(duration_text(95) == "1 min 35 s");
    CHECK(duration_text(7300) == "2 h 1 min");
}
