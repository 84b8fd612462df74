// What of a run is sent to StatsD, and --conf.

#include "proxy/main/ghost/conf_file.hpp"
#include "proxy/main/ghost/statsd.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace sluice::ghost;
using namespace std::chrono_literals;

namespace {

constexpr run_metrics::time begin{1h};

bool has(const std::vector<std::string>& lines, const std::string& line) {
    return std::find(lines.begin(), lines.end(), line) != lines.end();
}

/// Those of a kind that comes with an event, not with each look.
std::vector<std::string> events(const std::vector<std::string>& lines) {
    std::vector<std::string> found;
    std::copy_if(lines.begin(), lines.end(), std::back_inserter(found),
                 [](const std::string& line) { return line.find("|g") == std::string::npos; });
    return found;
}

run_view copying() {
    run_view view;
    view.state = "copying";
    view.rows_copied = 30;
    view.rows_estimate = 120;
    view.applied = 7;
    view.backlog = 5;
    view.backlog_max = 1000;
    view.lag_s = 0.25;
    view.heartbeat_lag_s = 1.5;
    return view;
}

}  // namespace

TEST_CASE("gauges have gh-ost's names, and tags in Datadog's form", "[ghost][statsd]") {
    run_metrics metrics({"env:prod", "a,b|c#d:e f"});
    CHECK(metrics.startup() == std::vector<std::string>{"gh_ost.startup:1|c|#env:prod,a_b_c_d:e_f"});
    run_metrics plain({});
    CHECK(plain.lines(copying(), begin) ==
          std::vector<std::string>{"gh_ost.row_copy.rows_copied:30|g", "gh_ost.row_copy.rows_estimate:120|g",
                                   "gh_ost.dml.events_applied:7|g", "gh_ost.binlog.backlog_size:5|g",
                                   "gh_ost.binlog.backlog_capacity:1000|g", "gh_ost.binlog.backlog_utilization:0.005|g",
                                   "gh_ost.lag.replication_seconds:0.25|g|#throttled:false",
                                   "gh_ost.lag.heartbeat_seconds:1.5|g|#throttled:false",
                                   "gh_ost.throttle.active:0|g"});
}

TEST_CASE("a throttle is told while it lasts, and counted with its kind when it ends", "[ghost][statsd]") {
    run_metrics metrics({"t:1"});
    run_view view = copying();
    view.throttled_by = "max-load Threads_running=26 >= 25";
    const auto first = metrics.lines(view, begin);
    CHECK(has(first, "gh_ost.throttle.active:1|g|#t:1"));
    CHECK(has(first, "gh_ost.lag.replication_seconds:0.25|g|#t:1,throttled:true"));
    CHECK(events(first).empty());
    view.throttled_by = "max-load Threads_running=31 >= 25";
    CHECK(events(metrics.lines(view, begin + 1s)).empty());
    view.throttled_by = "r1:3306 replica-lag=2.000000s";
    CHECK(events(metrics.lines(view, begin + 2500ms)) ==
          std::vector<std::string>{"gh_ost.throttle.duration_milliseconds:2500|h|#t:1,reason:max-load",
                                   "gh_ost.throttle.events_total:1|c|#t:1,reason:max-load"});
    view.throttled_by.clear();
    view.paused = true;
    CHECK(has(events(metrics.lines(view, begin + 3s)), "gh_ost.throttle.events_total:1|c|#t:1,reason:replica-lag"));
    view.paused = false;
    CHECK(
        has(events(metrics.lines(view, begin + 4s)), "gh_ost.throttle.events_total:1|c|#t:1,reason:commanded-by-user"));
    CHECK(events(metrics.lines(view, begin + 5s)).empty());
    for (const auto& [reason, kind] : std::vector<std::pair<std::string, std::string>>{
             {"flag-file", "flag-file"},
             {"commanded by user", "commanded-by-user"},
             {"Too many requests (http=429)", "http"},
             {"http=-1 (refused)", "http"},
             {"throttle-query: gone", "throttle-query"},
             {"lag=2.000000s", "lag"},
             {"127.0.0.1:1 no answer for 6s", "replica-lag"},
             {"client-latency p99=3.0ms >= 2.0ms (1.0ms without the copy)", "client-latency"},
             {"critical-load-hibernate until 2026-01-01", "critical-load-hibernate"}}) {
        CHECK(throttle_kind(reason) == kind);
    }
}

TEST_CASE("attempts to cut over are counted by their outcome", "[ghost][statsd]") {
    run_metrics metrics({});
    run_view view = copying();
    view.state = "ready";
    CHECK(events(metrics.lines(view, begin)).empty());
    view.state = "cutting_over";
    view.cutover_attempts = 1;
    CHECK(events(metrics.lines(view, begin)).empty());
    view.state = "ready";
    view.cutover_attempts = 2;
    CHECK(events(metrics.lines(view, begin)) ==
          std::vector<std::string>{"gh_ost.cut_over.attempts_total:2|c|#outcome:retry"});
    view.state = "completed";
    view.cutover_attempts = 4;
    CHECK(events(metrics.lines(view, begin)) ==
          std::vector<std::string>{"gh_ost.cut_over.attempts_total:1|c|#outcome:retry",
                                   "gh_ost.cut_over.attempts_total:1|c|#outcome:success"});
    CHECK(events(metrics.lines(view, begin)).empty());
    run_metrics another({});
    view.state = "failed";
    view.cutover_attempts = 1;
    CHECK(events(another.lines(view, begin)) ==
          std::vector<std::string>{"gh_ost.cut_over.attempts_total:1|c|#outcome:abort"});
}

TEST_CASE("an address of StatsD that is none is named", "[ghost][statsd]") {
    CHECK(statsd_sender::connect("127.0.0.1:8125"));
    CHECK(statsd_sender::connect("somewhere").error() ==
          "--statsd-addr somewhere: it must be host:port or unix:///path");
    CHECK(statsd_sender::connect("unix:///no/such/socket").error() ==
          "--statsd-addr unix:///no/such/socket: No such file or directory");
    CHECK(statsd_sender::connect("unix:///" + std::string(200, 'x')).error().find("too long") != std::string::npos);
}

TEST_CASE("--conf has an account and settings, and names what is wrong", "[ghost]") {
    const auto file = std::filesystem::temp_directory_path() / "sluice_ghost_osc_test.cnf";
    const auto write = [&](const std::string& text) { std::ofstream(file) << text; };
    ::setenv("SLUICE_TEST_WORD", "from outside", 1);
    write(
        "[client]\nuser=u\npassword=${SLUICE_TEST_WORD}\n[osc]\nchunk_size = 5\nmax_load = \"b=2,a=1\"\n"
        "max_lag_millis=700\nreplication_lag_query=select 1\n[other]\nuser=x\n");
    auto conf = read_conf(file.string());
    REQUIRE(conf);
    CHECK(conf->user == "u");
    CHECK(conf->password == "from outside");
    std::vector<std::string> notes;
    const auto changes = changes_of(*conf, {}, notes);
    REQUIRE(changes);
    CHECK(notes == std::vector<std::string>{"--conf: chunk_size = 5: it is 10 to 100000 here, and so 10"});
    REQUIRE(changes->fields.size() == 3);
    sluice::migration::migration_options options;
    changes->apply_to(options);
    CHECK(options.chunk_rows_fixed == 10);
    CHECK(options.max_load == "a=1,b=2");
    CHECK(options.max_lag == 700ms);
    write("[osc]\nchunk_size=some\n");
    CHECK(read_conf(file.string()).error().find("chunk_size of [osc]: it must be a whole number, not some") !=
          std::string::npos);
    notes.clear();
    CHECK(changes_of(*conf, {.chunk_rows = true, .max_lag = true}, notes).value().fields ==
          std::vector{sluice::migration::find_option_field("max_load")});
    CHECK(changes_of(*conf, {.chunk_rows = true, .max_load = true}, notes).value().fields ==
          std::vector{sluice::migration::find_option_field("max_lag_ms")});
    CHECK(notes.empty());
    conf->max_load = "nonsense";
    CHECK(changes_of(*conf, {}, notes).error() == "Error parsing load condition: nonsense");
    write("");
    CHECK(changes_of(read_conf(file.string()).value(), {}, notes).value().fields.empty());
    std::filesystem::remove(file);
}
