#include "migration/cutover/attempt_pace.hpp"
#include "migration/cutover/blocker_watch.hpp"
#include "migration/cutover/flush_beat.hpp"
#include "migration/cutover/moment.hpp"

#include "tests/support/catch.hpp"

#include <string>

namespace {

using namespace sluice::migration;
using std::chrono::milliseconds;
using std::chrono::seconds;

gate_blocker session(std::uint64_t id, milliseconds age) {
    gate_blocker blocker;
    blocker.connection_id = id;
    blocker.client = "app@10.0.0.7:4000";
    blocker.age = age;
    blocker.in_transaction = true;
    return blocker;
}

gate_blocker lock_of_unknown_age(std::uint64_t id) {
    gate_blocker blocker = session(id, milliseconds(0));
    blocker.age_is_known = false;
    return blocker;
}

moment_verdict judged(const traffic_facts& facts, milliseconds passed_over = milliseconds(0)) {
    return traffic_verdict(facts, moment_rules{}, passed_over);
}

constexpr attempt_pace::limits limits{seconds(5), seconds(60)};
const attempt_pace::time_point start = attempt_pace::time_point() + std::chrono::hours(1);

}  // namespace

TEST_CASE("what the operator says comes first, a postponement before a flag file before a window", "[moment]") {
    operator_facts facts;
    CHECK_FALSE(operator_verdict(facts).has_value());
    facts.window = "Mon 02:00-05:00";
    facts.window_opens_again = "Mon 02:00";
    CHECK(operator_verdict(facts)->waiting_for == "the cut-over window (Mon 02:00-05:00), which opens on Mon 02:00");
    facts.flag_file_path = "/run/wait";
    facts.flag_file = flag_file_state::exists;
    CHECK(operator_verdict(facts)->waiting_for == "the operator's cut-over command, or the removal of /run/wait");
    // A folder that cannot be read may well have the file.
    facts.flag_file = flag_file_state::unreadable;
    CHECK(operator_verdict(facts)->when == moment::not_now);
    CHECK(operator_verdict(facts)->waiting_for ==
          "the operator's cut-over command: whether /run/wait exists cannot be found out");
    facts.postponed = true;
    CHECK(operator_verdict(facts)->waiting_for == "the operator's cut-over command (the cut-over is postponed)");
    CHECK(operator_verdict(facts)->by_operator);
}

TEST_CASE("an idle table is cut over at once, a busy one of young transactions too", "[moment]") {
    CHECK(judged({}).when == moment::go);
    traffic_facts busy;
    for (std::uint64_t id = 1; id <= 200; ++id) busy.blockers.push_back(session(id, milliseconds(id % 100)));
    busy.backlog_keys = 500;
    CHECK(judged(busy).when == moment::go);
}

TEST_CASE("an old transaction is waited for as long as it lasts, and named", "[moment]") {
    traffic_facts facts;
    facts.blockers = {session(12, milliseconds(31'000)), session(13, milliseconds(1'500)),
                      session(14, milliseconds(5))};
    facts.blockers[0].direct = true;
    facts.blockers[0].statement = "UPDATE t SET v = 1";
    const auto verdict = judged(facts, std::chrono::hours(1));
    CHECK(verdict.when == moment::not_now);
    CHECK(verdict.waiting_for ==
          "connection 12 of app@10.0.0.7:4000 (directly, not through the proxy) has had a transaction open for 31 s; "
          "last statement: UPDATE t SET v = 1 (and another one)");
    CHECK(verdict.about == "blocker 12");
    CHECK_FALSE(verdict.by_operator);
    CHECK(verdict.by_others);
}

TEST_CASE("changes to be applied and prepared XA transactions are waited for", "[moment]") {
    traffic_facts facts;
    facts.backlog_keys = last_backlog_keys_max + 1;
    CHECK(judged(facts, std::chrono::hours(1)).when == moment::not_now);
    CHECK_FALSE(judged(facts).by_others);
    facts.backlog_keys = 501;
    CHECK(judged(facts).when == moment::better_later);
    CHECK(judged(facts, better_moment_wait_max).when == moment::go);
    facts.backlog_keys = 0;
    facts.prepared_xids = {"'x'"};
    CHECK(judged(facts, std::chrono::hours(1)).when == moment::not_now);
    CHECK(judged(facts).by_others);
}

TEST_CASE("a better moment than a good one is waited for, but not for ever", "[moment]") {
    traffic_facts middling;
    middling.blockers = {session(3, milliseconds(400))};
    CHECK(judged(middling).when == moment::better_later);
    CHECK(judged(middling, better_moment_wait_max - milliseconds(1)).when == moment::better_later);
    CHECK(judged(middling, better_moment_wait_max).when == moment::go);

    traffic_facts locked;
    locked.blockers = {lock_of_unknown_age(5)};
    CHECK(judged(locked).when == moment::better_later);

    traffic_facts old_view;
    old_view.bystanders = {session(4, std::chrono::hours(2))};
    CHECK(judged(old_view).when == moment::better_later);
    CHECK(judged(old_view, better_moment_wait_max).when == moment::go);
    // One that has just begun is not worth a wait.
    old_view.bystanders = {session(4, milliseconds(900))};
    CHECK(judged(old_view).when == moment::go);
}

TEST_CASE("attempts keep the interval, and double it while they fail, up to its maximum", "[moment]") {
    attempt_pace pace;
    CHECK(pace.due(start, limits, {}));
    auto now = start;
    for (const int wait_s : {5, 10, 20, 40, 60, 60}) {
        pace.given_up(now, {}, milliseconds(250), true);
        CAPTURE(wait_s);
        CHECK(pace.within_interval(now + milliseconds(4'999), limits));
        CHECK_FALSE(pace.within_interval(now + seconds(5), limits));
        CHECK_FALSE(pace.due(now + seconds(wait_s) - milliseconds(1), limits, {}));
        now += seconds(wait_s);
        CHECK(pace.due(now, limits, {}));
    }
}

TEST_CASE("attempts that were given up for want of patience keep the interval, and do not double it", "[moment]") {
    attempt_pace pace;
    auto now = start;
    for (int attempt = 0; attempt < 4; ++attempt) {
        pace.given_up(now, {}, milliseconds(250), false);
        CHECK_FALSE(pace.due(now + milliseconds(4'999), limits, {}));
        now += seconds(5);
        CHECK(pace.due(now, limits, {}));
    }
}

TEST_CASE("the first attempts wait a little, the later ones as long as the budget allows", "[moment]") {
    for (const auto& [number, patience] : std::vector<std::pair<unsigned, int>>{
             {1, 31}, {2, 62}, {3, 124}, {4, 248}, {5, 496}, {6, 500}, {1'000, 500}}) {
        CHECK(patience_of(number, milliseconds(500)) == milliseconds(patience));
    }
    CHECK(patience_of(1, milliseconds(100)) == milliseconds(20));
    CHECK(patience_of(1, milliseconds(10)) == milliseconds(10));
    CHECK(patience_of(2, milliseconds(10'000)) == milliseconds(1'250));
}

TEST_CASE("the wait ends when whoever stood in the way has gone, but not inside the interval", "[moment]") {
    attempt_pace pace;
    pace.given_up(start, {session(7, seconds(2)), session(8, milliseconds(3))}, milliseconds(250), true);
    pace.given_up(start, {session(7, seconds(2)), session(8, milliseconds(3))}, milliseconds(250), true);
    CHECK_FALSE(pace.due(start + seconds(4), limits, {}));
    CHECK_FALSE(pace.due(start + seconds(6), limits, {session(7, seconds(8))}));
    CHECK_FALSE(pace.due(start + seconds(6), limits, {lock_of_unknown_age(7)}));
    SECTION("gone") {
        CHECK(pace.due(start + seconds(6), limits, {session(8, milliseconds(10))}));
        // That begins the count anew.
        pace.given_up(start + seconds(6), {}, milliseconds(250), true);
        CHECK(pace.due(start + seconds(11), limits, {}));
    }
    SECTION("in another transaction") { CHECK(pace.due(start + seconds(6), limits, {session(7, milliseconds(900))})); }
}

TEST_CASE("young transactions that an attempt met do not end the wait by going", "[moment]") {
    attempt_pace pace;
    pace.given_up(start, {session(8, milliseconds(3))}, milliseconds(250), true);
    pace.given_up(start, {session(8, milliseconds(3))}, milliseconds(250), true);
    CHECK_FALSE(pace.due(start + seconds(6), limits, {}));
}

TEST_CASE("the age of a lock that the server does not tell is the time since it was first seen", "[moment]") {
    blocker_watch watch;
    std::vector<gate_blocker> seen{lock_of_unknown_age(5), session(6, milliseconds(70))};
    watch.seen(seen, start);
    CHECK(seen[0].age == milliseconds(0));
    seen = {lock_of_unknown_age(5)};
    watch.seen(seen, start + seconds(3));
    CHECK(seen[0].age == seconds(3));
    seen.clear();
    watch.seen(seen, start + seconds(4));
    seen = {lock_of_unknown_age(5)};
    watch.seen(seen, start + seconds(5));
    CHECK(seen[0].age == milliseconds(0));
}

TEST_CASE("who stands in the way is told from who comes back with another transaction", "[moment]") {
    blocker_watch watch;
    const auto standing = [&](std::vector<gate_blocker> seen, seconds at) {
        watch.seen(seen, start + at);
        return watch.standing(seen, seconds(1), seconds(10), start + at);
    };
    CHECK(standing({session(1, seconds(100))}, seconds(0)).empty());  // old, but only now in the way
    CHECK(standing({session(1, seconds(109))}, seconds(9)).empty());
    SECTION("the same") {
        CHECK(standing({session(1, seconds(110))}, seconds(10)).size() == 1);
        watch.tried(1);
        CHECK(standing({session(1, seconds(111))}, seconds(11)).empty());
    }
    SECTION("another transaction of its connection") {
        CHECK(standing({session(1, seconds(2))}, seconds(11)).empty());
        CHECK(standing({session(1, seconds(11))}, seconds(20)).empty());
        CHECK(standing({session(1, seconds(12))}, seconds(21)).size() == 1);
    }
    SECTION("a young one") {
        CHECK(standing({session(2, milliseconds(900))}, seconds(10)).empty());
        CHECK(standing({session(2, milliseconds(900))}, seconds(20)).empty());
    }
}

TEST_CASE("the moment behind a beat of the page cleaner is told from the count of written pages", "[moment]") {
    flush_beat beat;
    CHECK(beat.watched(start) == milliseconds(0));
    CHECK_FALSE(beat.just_written(start));
    beat.seen(100, start);
    // What was written before the first look may be long ago.
    CHECK_FALSE(beat.just_written(start));
    beat.seen(100, start + milliseconds(50));
    CHECK_FALSE(beat.just_written(start + milliseconds(50)));
    CHECK(beat.watched(start + milliseconds(50)) == milliseconds(50));

    const auto written = start + milliseconds(100);
    beat.seen(150, written);
    CHECK_FALSE(beat.just_written(written));  // it may still be at it
    beat.seen(150, written + milliseconds(50));
    CHECK(beat.just_written(written + milliseconds(50)));
    CHECK(beat.just_written(written + milliseconds(400)));
    CHECK_FALSE(beat.just_written(written + milliseconds(401)));  // the next beat may come within the attempt

    // A server that writes without a pause has no such moment.
    beat.seen(160, written + milliseconds(100));
    beat.seen(170, written + milliseconds(150));
    CHECK_FALSE(beat.just_written(written + milliseconds(150)));

    beat.forget();
    CHECK(beat.watched(written + seconds(1)) == milliseconds(0));
    beat.seen(180, written + seconds(1));
    beat.seen(180, written + seconds(1) + milliseconds(50));
    CHECK_FALSE(beat.just_written(written + seconds(1) + milliseconds(50)));
}
