// The p99 of clients' statements and its baseline, by a scripted clock.

#include "migration/throttle/client_latency.hpp"
#include "migration/throttle/throttle_judge.hpp"
#include "tests/support/catch.hpp"

#include <array>
#include <map>
#include <vector>

using namespace sluice::migration;
using namespace std::chrono_literals;
using std::chrono::microseconds;

namespace {

constexpr std::array<microseconds, 8> bounds{1ms, 2ms, 5ms, 10ms, 20ms, 50ms, 100ms, 1s};
constexpr auto window = 5s;

/// A proxy whose clients say so much in a second, and a migration that looks at it.
struct scripted {
    /// A second in which so many statements took so long.
    void second(const std::map<microseconds, std::uint64_t>& statements, bool rested) {
        now += 1s;
        latency_report report;
        for (const microseconds bound : bounds) {
            const auto found = statements.find(bound);
            totals[bound] += found == statements.end() ? 0 : found->second;
            report.answered.push_back({bound, totals[bound]});
        }
        for (const microseconds age : stuck) report.under_way.push_back({age, 1});
        latency.add(report, rested, window, now);
    }
    void seconds(int count, const std::map<microseconds, std::uint64_t>& statements, bool rested) {
        for (int i = 0; i < count; ++i) second(statements, rested);
    }
    /// With a baseline of 2 ms, at work.
    void measured() {
        seconds(6, {{2ms, 100}}, true);
        REQUIRE(figures().baseline == 2ms);
    }
    [[nodiscard]] const client_latency_figures& figures() const { return latency.figures(); }

    client_latency latency;
    client_latency::time now{1h};
    std::map<microseconds, std::uint64_t> totals;
    std::vector<microseconds> stuck;
};

}  // namespace

TEST_CASE("the baseline is taken while the migration rests", "[client_latency]") {
    scripted clients;
    clients.seconds(3, {{2ms, 1000}}, false);
    CHECK(clients.figures().is_measuring);
    CHECK_FALSE(clients.figures().baseline);
    clients.seconds(4, {{1ms, 950}, {5ms, 50}}, true);
    CHECK(clients.figures().is_measuring);
    clients.second({{1ms, 950}, {5ms, 50}}, true);
    CHECK(clients.figures().baseline == 5ms);
    CHECK_FALSE(clients.figures().is_measuring);
    // A short rest for another reason moves nothing.
    clients.seconds(3, {{20ms, 1000}}, true);
    CHECK(clients.figures().baseline == 5ms);
}

TEST_CASE("the p99 is that of the last seconds", "[client_latency]") {
    scripted clients;
    clients.measured();
    clients.seconds(5, {{1ms, 98}, {20ms, 2}}, false);
    CHECK(clients.figures().p99 == 20ms);
    clients.seconds(5, {{1ms, 992}, {20ms, 8}}, false);
    CHECK(clients.figures().p99 == 1ms);
    clients.second({{50ms, 1000}}, false);
    CHECK(clients.figures().p99 == 50ms);
    clients.seconds(5, {{1ms, 1000}}, false);
    CHECK(clients.figures().p99 == 1ms);
}

TEST_CASE("one slow statement is not the p99 of a few", "[client_latency]") {
    scripted clients;
    clients.measured();
    clients.seconds(4, {{2ms, 12}}, false);
    clients.second({{2ms, 11}, {1s, 1}}, false);
    CHECK(clients.figures().p99 == 2ms);
    clients.second({{2ms, 11}, {1s, 1}}, false);
    CHECK(clients.figures().p99 == 1s);
}

TEST_CASE("with few statements the window reaches further back, and with too few nothing is said", "[client_latency]") {
    scripted clients;
    clients.measured();
    clients.seconds(60, {}, false);
    CHECK_FALSE(clients.figures().p99);
    CHECK(clients.figures().baseline == 2ms);
    clients.seconds(9, {{10ms, 5}}, false);
    CHECK_FALSE(clients.figures().p99);
    clients.second({{10ms, 5}}, false);  // the 50th
    CHECK(clients.figures().p99 == 10ms);
}

TEST_CASE("clients who are all stuck do not look idle", "[client_latency]") {
    scripted clients;
    clients.measured();
    clients.seconds(1, {{2ms, 100}}, false);
    clients.stuck.assign(8, 1s);
    clients.second({}, false);
    CHECK(clients.figures().p99 == 1s);
    // But what has been under way for minutes is slow by its own nature.
    clients.stuck.assign(8, 10min);
    clients.second({{2ms, 100}}, false);
    CHECK(clients.figures().p99 == 2ms);
}

TEST_CASE("the baseline follows the load down at work, and up only in a minute of rest", "[client_latency]") {
    scripted clients;
    clients.measured();
    clients.seconds(70, {{1ms, 100}}, false);
    CHECK(clients.figures().baseline == 1ms);
    clients.seconds(200, {{10ms, 100}}, false);
    CHECK(clients.figures().baseline == 1ms);
    clients.seconds(50, {{10ms, 100}}, true);
    CHECK(clients.figures().baseline == 1ms);
    clients.seconds(1, {{10ms, 100}}, false);
    clients.seconds(50, {{10ms, 100}}, true);
    CHECK(clients.figures().baseline == 1ms);
    clients.seconds(11, {{10ms, 100}}, true);
    CHECK(clients.figures().baseline == 10ms);
}

TEST_CASE("where clients were idle the baseline is made up for when they begin", "[client_latency]") {
    scripted clients;
    clients.seconds(7, {}, true);
    CHECK_FALSE(clients.figures().is_measuring);
    CHECK_FALSE(clients.figures().baseline);
    SECTION("by another rest, but not at once again") {
        clients.seconds(58, {{5ms, 100}}, false);
        CHECK_FALSE(clients.figures().is_measuring);
        clients.second({{5ms, 100}}, false);
        CHECK(clients.figures().is_measuring);
        clients.seconds(5, {{2ms, 100}}, true);
        CHECK(clients.figures().baseline == 2ms);
        CHECK_FALSE(clients.figures().is_measuring);
    }
    SECTION("by what they have with the migration, if they never say much") {
        clients.seconds(48, {{5ms, 5}}, false);
        CHECK_FALSE(clients.figures().baseline);
        clients.seconds(11, {{5ms, 5}}, false);
        CHECK_FALSE(clients.figures().is_measuring);
        CHECK(clients.figures().baseline == 5ms);
    }
}

TEST_CASE("what lies before a gap in the reports is forgotten, but the baseline", "[client_latency]") {
    scripted clients;
    clients.measured();
    clients.seconds(5, {{50ms, 1000}}, false);
    CHECK(clients.figures().p99 == 50ms);
    clients.now += 5min;
    clients.second({{50ms, 1000}}, true);
    CHECK_FALSE(clients.figures().p99);
    CHECK(clients.figures().baseline == 2ms);
    clients.second({{1ms, 1000}}, true);
    CHECK(clients.figures().p99 == 1ms);
}

TEST_CASE("latency that has risen by so much holds back, and both figures are named", "[client_latency]") {
    const throttle_time begin{1h};
    throttle_settings settings;
    throttle_signals signals;
    signals.watching_since = begin;
    throttle_judge judge;
    const auto reason = [&](const client_latency_figures& figures) {
        signals.clients = {begin, figures, {}};
        return judge.judge(settings, signals, begin).reason;
    };
    CHECK(reason({100ms, 1ms, false}).empty());  // not asked for
    settings.client_latency_rise_percent = 100;
    CHECK(reason({99'999us, 50ms, false}).empty());
    CHECK(reason({100ms, 50ms, false}) == "client-latency p99=100.0ms >= 100.0ms (50.0ms without the copy)");
    settings.client_latency_rise_percent = 50;
    CHECK(reason({80ms, 50ms, false}) == "client-latency p99=80.0ms >= 75.0ms (50.0ms without the copy)");
    // A baseline of nearly nothing: what nobody notices is no reason.
    CHECK(reason({4'999us, 100us, false}).empty());
    CHECK(reason({5ms, 100us, false}) == "client-latency p99=5.0ms >= 5.0ms (0.1ms without the copy)");
    CHECK(reason({std::nullopt, 1ms, false}).empty());
    CHECK(reason({1s, std::nullopt, false}).empty());
    CHECK(reason({std::nullopt, std::nullopt, true}) == "client-latency: measuring how it is without the copy");
    // Its loss.
    signals.clients = {begin, std::nullopt, "the proxy does not answer"};
    CHECK(judge.judge(settings, signals, begin).reason == "client-latency: the proxy does not answer");
    signals.clients.reset();
    CHECK(judge.judge(settings, signals, begin + 9s).reason == "client-latency: no answer for 9s");
}
