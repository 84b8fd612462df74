// When to hold back: from what was last heard, and the time.

#include "migration/throttle/throttle_judge.hpp"
#include "migration/throttle/heartbeat_time.hpp"
#include "tests/support/catch.hpp"

using namespace sluice::migration;
using namespace std::chrono_literals;

namespace {

const throttle_time begin{1h};

throttle_settings settings_with(const std::string& max_load, const std::string& critical_load = "") {
    throttle_settings settings;
    settings.max_load = parse_load_thresholds(max_load).value();
    settings.critical_load = parse_load_thresholds(critical_load).value();
    return settings;
}

/// The server said this just now.
throttle_signals load_of(std::int64_t running, throttle_time now) {
    throttle_signals signals;
    signals.watching_since = begin;
    signals.status = {now, std::map<std::string, std::int64_t>{{"threads_running", running}}, {}};
    return signals;
}

std::string reason(const throttle_settings& settings, const throttle_signals& signals, throttle_time now = begin) {
    throttle_judge judge;
    return judge.judge(settings, signals, now).reason;
}

}  // namespace

TEST_CASE("load thresholds are read and shown as gh-ost has them", "[throttle]") {
    const auto two = parse_load_thresholds(" Threads_running=25 , Com_select=1000");
    REQUIRE(two);
    CHECK(to_string(*two) == "Com_select=1000,Threads_running=25");
    CHECK(parse_load_thresholds("").value().empty());
    CHECK(parse_load_thresholds("a").error() == "Error parsing load condition: a");
    CHECK(parse_load_thresholds("a=1=2").error() == "Error parsing load condition: a=1=2");
    CHECK(parse_load_thresholds("=1").error() == "Error parsing status variable in load condition: =1");
    CHECK(parse_load_thresholds("a=x").error() == "Error parsing numeric value in load condition: a=x");
    CHECK(parse_load_thresholds("a'b=1").has_error());
}

TEST_CASE("replicas have 3306 where no port is given", "[throttle]") {
    CHECK(to_string(parse_replicas("r1, r2:3307,[::1]:3308,r1").value()) == "r1:3306,r2:3307,::1:3308");
    CHECK(parse_replicas("").value().empty());
    CHECK(parse_replicas("r1:").has_error());
    CHECK(parse_replicas("r1:0").has_error());
    CHECK(parse_replicas("r 1").has_error());
}

TEST_CASE("max-load holds back from the threshold on", "[throttle]") {
    const auto settings = settings_with("Threads_running=25");
    CHECK(reason(settings, load_of(24, begin)).empty());
    CHECK(reason(settings, load_of(25, begin)) == "max-load Threads_running=25 >= 25");
    CHECK(reason(settings_with("Nonsense=1"), load_of(1, begin)) ==
          "max-load Nonsense: the server has no such status variable");
}

TEST_CASE("a signal that is lost holds back", "[throttle]") {
    const auto settings = settings_with("Threads_running=25");
    throttle_signals silent;
    silent.watching_since = begin;
    CHECK(reason(settings, silent, begin + 1s) == "max-load Threads_running: waiting for the first answer");
    CHECK(reason(settings, silent, begin + 9s) == "max-load Threads_running: no answer for 9s");
    CHECK(reason(settings, load_of(1, begin), begin + 4s).empty());
    CHECK(reason(settings, load_of(1, begin), begin + 6s) == "max-load Threads_running: no answer for 6s");
    auto failed = load_of(1, begin);
    failed.status->value.reset();
    failed.status->error = "gone away";
    CHECK(reason(settings, failed) == "max-load Threads_running: gone away");

    throttle_settings query;
    query.query = "SELECT 1";
    CHECK(reason(query, silent) == "throttle-query: waiting for the first answer");
    throttle_settings replicas;
    replicas.control_replicas = parse_replicas("r1").value();
    CHECK(reason(replicas, silent) == "r1:3306 waiting for the first answer");
}

TEST_CASE("critical load ends the migration, at once or the second time", "[throttle]") {
    auto settings = settings_with("", "Threads_running=1000");
    throttle_judge at_once;
    CHECK_FALSE(at_once.judge(settings, load_of(999, begin), begin).end);
    const auto ended = at_once.judge(settings, load_of(1000, begin), begin);
    REQUIRE(ended.end);
    CHECK(ended.end->code == "critical_load");
    CHECK(ended.end->message == "critical-load met: Threads_running=1000, >=1000");

    settings.critical_load_interval = 2500ms;
    throttle_judge twice;
    CHECK_FALSE(twice.judge(settings, load_of(1000, begin), begin).end);
    CHECK(twice.judge(settings, load_of(1000, begin + 1s), begin + 1s).reason.starts_with("critical-load "));
    CHECK_FALSE(twice.judge(settings, load_of(1000, begin + 2s), begin + 2s).end);
    const auto again = twice.judge(settings, load_of(1001, begin + 3s), begin + 3s);
    REQUIRE(again.end);
    CHECK(again.end->message == "critical-load met again after 2500 millis: Threads_running=1001, >=1000");

    throttle_judge spike;
    CHECK_FALSE(spike.judge(settings, load_of(1000, begin), begin).end);
    CHECK(spike.judge(settings, load_of(1, begin + 3s), begin + 3s).reason.empty());
    CHECK_FALSE(spike.judge(settings, load_of(1000, begin + 4s), begin + 4s).end);  // a first time once more
}

TEST_CASE("critical load may let everything rest instead", "[throttle]") {
    auto settings = settings_with("", "Threads_running=1000");
    settings.critical_load_rest = 300s;
    throttle_judge judge;
    const auto rest = judge.judge(settings, load_of(1000, begin), begin);
    CHECK_FALSE(rest.end);
    CHECK(rest.resting);
    CHECK(rest.reason.starts_with("critical-load-hibernate until "));
    // Nothing is asked meanwhile, so nothing old counts.
    CHECK(judge.judge(settings, load_of(1, begin), begin + 299s).resting);
    CHECK_FALSE(judge.judge(settings, load_of(1, begin + 300s), begin + 300s).resting);
}

TEST_CASE("the first reason is shown, in gh-ost's order", "[throttle]") {
    auto settings = settings_with("Threads_running=25");
    settings.query = "SELECT 1";
    settings.http_url = "http://h/";
    settings.control_replicas = parse_replicas("r1").value();
    auto signals = load_of(30, begin);
    signals.query = {begin, 1.0, {}};
    signals.http = {begin, 429U, {}};
    signals.heartbeat = {begin, 0ms, {}};
    signals.replica_lags["r1:3306"] = {begin, 3s, {}};
    settings.commanded = true;
    signals.flag_file_exists = true;
    CHECK(reason(settings, signals) == "commanded by user");
    settings.commanded = false;
    CHECK(reason(settings, signals) == "flag-file");
    signals.flag_file_exists = false;
    CHECK(reason(settings, signals) == "max-load Threads_running=30 >= 25");
    signals.status->value = {{"threads_running", 1}};
    CHECK(reason(settings, signals) == "throttle-query");
    signals.query->value = 0.0;
    CHECK(reason(settings, signals) == "Too many requests (http=429)");
    signals.http->value = 200U;
    CHECK(reason(settings, signals, begin + 2s) == "lag=2.000000s");
    CHECK(reason(settings, signals) == "r1:3306 replica-lag=3.000000s");
    signals.replica_lags["r1:3306"].value = 1500ms;
    CHECK(reason(settings, signals).empty());
}

TEST_CASE("an URL that does not answer throttles, unless its errors are to be ignored", "[throttle]") {
    throttle_settings settings;
    settings.http_url = "http://h/freno";
    throttle_signals signals;
    signals.watching_since = begin;
    signals.http = {begin, std::nullopt, "Connection refused"};
    CHECK(reason(settings, signals) == "http=-1 (Connection refused)");
    settings.ignore_http_errors = true;
    CHECK(reason(settings, signals).empty());
    signals.http->value = 404U;
    CHECK(reason(settings, signals) == "freno: unknown metric (http=404)");
}

TEST_CASE("a heartbeat's time is written and read again", "[throttle]") {
    const auto when = parse_heartbeat("2026-03-04T05:06:07.000000008Z");
    REQUIRE(when);
    CHECK(heartbeat_text(*when) == "2026-03-04T05:06:07.000000008Z");
    CHECK(parse_heartbeat("2026-03-04T07:06:07.5+02:00") == parse_heartbeat("2026-03-04T05:06:07.500Z"));
    CHECK(parse_heartbeat("2026-03-04T01:06:07-04:00") == parse_heartbeat("2026-03-04T05:06:07Z"));
    for (const char* bad : {"", "2026-03-04", "2026-13-04T05:06:07Z", "2026-03-04T05:06:07", "2026-03-04T05:06:07.Z",
                            "2026-03-04T05:06:07Zx", "2026-02-30T05:06:07Z"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_heartbeat(bad));
    }
}
