#include "admin/json_view.hpp"
#include "migration/model/option_fields.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/admin/directory_double.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <limits>
#include <set>
#include <string>

namespace {

using namespace sluice;
namespace json = boost::json;

migration::migration_snapshot full_snapshot() {
    auto s = test::sample_snapshot();
    s.state = migration::migration_state::failed;
    s.ended = s.created + std::chrono::milliseconds(1'000);
    s.paused = true;
    s.waiting_for = "a transaction of 5 s";
    s.error = migration::failure{.code = "unique_key_conflict",
                                 .message = "rows 1 and 2",
                                 .server_errno = 1062,
                                 .sqlstate = "23000",
                                 .attempted = "INSERT",
                                 .then = migration::disposition::outcome_unknown};
    s.leftovers = {"`shop`.`_orders_gho`"};
    migration::cutover_attempt attempt;
    attempt.number = 3;
    attempt.given_up_because = "hold budget";
    attempt.steps = {{"close", std::chrono::microseconds(12)}, {"drain", std::chrono::microseconds(3456)}};
    attempt.hold = {.statements_held = 9,
                    .hold_p50 = std::chrono::microseconds(100),
                    .hold_p99 = std::chrono::microseconds(900),
                    .hold_max = std::chrono::microseconds(950),
                    .expired = true};
    attempt.blockers = {{.connection_id = 77,
                         .client = "app@10.0.0.1:5000",
                         .statement = "SELECT '\xE2\x82",
                         .age = std::chrono::milliseconds(5'000),
                         .in_transaction = true}};
    s.cutover_attempts.push_back(attempt);
    return s;
}

}  // namespace

TEST_CASE("a snapshot as JSON has every field, with units in the names", "[json_view]") {
    const json::object o = admin::to_json(full_snapshot());
    CHECK(o.at("id") == "0123456789abcdef");
    CHECK(o.at("schema") == "shop");
    CHECK(o.at("table") == "orders");
    CHECK(o.at("state") == "failed");
    CHECK(o.at("paused") == true);
    CHECK(o.at("postponed") == false);
    CHECK(o.at("rows_copied") == 250);
    CHECK(o.at("rows_estimate") == 1000);
    CHECK(o.at("backlog_keys") == 7);
    CHECK(o.at("progress") == 0.25);
    CHECK(o.at("eta_s") == 8);
    CHECK(o.at("created") == "2023-11-14T22:13:20.123Z");
    CHECK(o.at("ended") == "2023-11-14T22:13:21.123Z");
    const json::object& error = o.at("error").as_object();
    CHECK(error.at("code") == "unique_key_conflict");
    CHECK(error.at("server_errno") == 1062);
    CHECK(error.at("sqlstate") == "23000");
    CHECK(error.at("then") == "outcome_unknown");
    CHECK(o.at("leftovers") == json::value(json::array{"`shop`.`_orders_gho`"}));
    const json::object& attempt = o.at("cutover_attempts").as_array().at(0).as_object();
    CHECK(attempt.at("number") == 3);
    CHECK(attempt.at("succeeded") == false);
    CHECK(attempt.at("given_up_because") == "hold budget");
    CHECK(attempt.at("steps").as_array().at(1).at("name") == "drain");
    CHECK(attempt.at("steps").as_array().at(1).at("took_us") == 3456);
    CHECK(attempt.at("hold").at("statements_held") == 9);
    CHECK(attempt.at("hold").at("hold_p99_us") == 900);
    CHECK(attempt.at("hold").at("hold_max_us") == 950);
    CHECK(attempt.at("hold").at("expired") == true);
    CHECK(attempt.at("blockers").as_array().at(0).at("connection_id") == 77);
    CHECK(attempt.at("blockers").as_array().at(0).at("age_ms") == 5000);
}

TEST_CASE("what holds a migration back, and the figures that throttles look at", "[json_view]") {
    auto s = test::sample_snapshot();
    CHECK(admin::to_json(s).at("throttled_by") == "");
    for (const char* figure : {"lag_ms", "heartbeat_lag_ms", "client_latency_p99_us", "client_latency_baseline_us"}) {
        CHECK(admin::to_json(s).at(figure).is_null());
    }
    s.throttled_by = "flag-file";
    s.lag = std::chrono::milliseconds(20);
    s.heartbeat_lag = std::chrono::milliseconds(30);
    s.client_latency = std::chrono::microseconds(4'500);
    s.client_latency_baseline = std::chrono::microseconds(1'500);
    s.chunk_retries = 2;
    s.last_chunk_error = "Deadlock found";
    s.copy_took = std::chrono::milliseconds(77);
    const json::object o = admin::to_json_summary(s);
    CHECK(o.at("throttled_by") == "flag-file");
    CHECK(o.at("lag_ms") == 20);
    CHECK(o.at("heartbeat_lag_ms") == 30);
    CHECK(o.at("client_latency_p99_us") == 4'500);
    CHECK(o.at("client_latency_baseline_us") == 1'500);
    CHECK(o.at("chunk_retries") == 2);
    CHECK(o.at("last_chunk_error") == "Deadlock found");
    CHECK(o.at("copy_took_ms") == 77);
}

TEST_CASE("the report of the comparison, and that there is none", "[json_view]") {
    auto s = test::sample_snapshot();
    s.verification.passes = 2;
    s.verification.last_pass = {.rows_counted = 9, .rows_compared = 8, .rows_in_motion = 1, .rows_repaired = 3};
    s.verification.pass_in_hand.rows_compared = 4;
    s.verification.rows_repaired = 5;
    s.verification.last_pass_ended = s.created;
    s.verification.columns_not_compared = {"added"};
    const json::object on = admin::to_json(s).at("verification").as_object();
    CHECK(on.at("enabled") == true);
    CHECK(on.at("passes") == 2);
    CHECK(on.at("rows_counted") == 9);
    CHECK(on.at("rows_compared") == 8);
    CHECK(on.at("rows_in_motion") == 1);
    CHECK(on.at("rows_repaired") == 5);
    CHECK(on.at("pass_in_hand_rows_compared") == 4);
    CHECK(on.at("last_pass_ended") == "2023-11-14T22:13:20.123Z");
    CHECK(on.at("columns_not_compared") == json::value(json::array{"added"}));
    s.spec.options.verify = false;
    CHECK(admin::to_json(s).at("verification").at("enabled") == false);
    CHECK(admin::to_json(test::sample_snapshot()).at("verification").at("last_pass_ended").is_null());
}

TEST_CASE("the summary says how many attempts there were, not which", "[json_view]") {
    const json::object o = admin::to_json_summary(full_snapshot());
    CHECK(o.if_contains("cutover_attempts") == nullptr);
    CHECK(o.at("cutover_attempts_made") == 3);
    CHECK(admin::to_json_summary(test::sample_snapshot()).at("cutover_attempts_made") == 0);
}

TEST_CASE("what is not there is null", "[json_view]") {
    auto s = test::sample_snapshot();
    s.eta.reset();
    const json::object o = admin::to_json(s);
    CHECK(o.at("eta_s").is_null());
    CHECK(o.at("ended").is_null());
    CHECK(o.at("error").is_null());
    CHECK(o.at("cutover_attempts").as_array().empty());
}

TEST_CASE("the text is always JSON, whatever clients sent and however early it is asked for", "[json_view]") {
    auto s = full_snapshot();
    for (const double progress :
         {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), -1.0, 2.0}) {
        s.progress = progress;
        const std::string text = json::serialize(admin::to_json(s));
        boost::system::error_code error;
        const json::value back = json::parse(text, error);
        REQUIRE_FALSE(error);
        const double shown = back.at("progress").to_number<double>();
        CHECK((shown >= 0.0 && shown <= 1.0));
        CHECK(back.at("cutover_attempts").as_array().at(0).at("blockers").as_array().at(0).at("statement") ==
              "SELECT '\xEF\xBF\xBD\xEF\xBF\xBD");
    }
}

TEST_CASE("the way is null until it is decided, then with the reasons against others", "[json_view]") {
    auto s = test::sample_snapshot();
    CHECK(admin::to_json(s).at("way").is_null());
    CHECK(admin::to_json(s).at("ways_passed_over").as_array().empty());
    s.way = migration::alter_way::copy;
    s.passed_over.push_back({migration::alter_way::instant, "bad \xFF byte"});
    const json::object o = admin::to_json_summary(s);
    CHECK(o.at("way") == "copy");
    CHECK(o.at("ways_passed_over").as_array().at(0).at("way") == "instant");
    CHECK(o.at("ways_passed_over").as_array().at(0).at("reason") == "bad \xEF\xBF\xBD byte");
}

TEST_CASE("options are shown under the names that the API takes", "[json_view]") {
    migration::migration_options options;
    options.hold_budget = std::chrono::milliseconds(123);
    options.postpone_cutover = true;
    options.time_zone = "+02:00";
    const json::object o = admin::to_json(options);
    CHECK(o.size() == migration::option_fields().size());
    CHECK(o.at("hold_budget_ms") == 123);
    CHECK(o.at("postpone_cutover") == true);
    CHECK(o.at("drop_old_table") == false);
    CHECK(o.at("time_zone") == "+02:00");
    CHECK(o.at("trigger_suffix") == "");
}
