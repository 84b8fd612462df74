// The wire between the engine and the server goes dead without a word, in the middle of a cut-over. Neither side learns
// of it, but clients must go on.

#include "tests/integration/cutover_faults/fault_scene.hpp"
#include "tests/support/catch.hpp"

#include <chrono>
#include <set>

using namespace sluice;
using namespace sluice::test;

namespace {

constexpr std::chrono::minutes for_ever{10};

bool is_position(const engine_statement& s) {
    return s.of_lock_session && (contains(s.sql, "@@GLOBAL.gtid_executed") || s.sql.starts_with("SHOW MASTER STATUS"));
}

const fault_step lock{"lock", begins("LOCK TABLES")};
const fault_step position{"position", is_position};
const fault_step last_changes{"last changes", holder_begins("INSERT INTO `test`.`", "gho` (")};
const fault_step rename_under_lock{"rename", begins("RENAME TABLE `test`.`orders` TO ")};
const fault_step rename_that_waits{"rename that waits", begins("RENAME TABLE `test`.`orders` TO ")};
const fault_step sentry_goes{"the sentry goes", holder_begins("DROP TABLE `test`.`orders~old`")};

// From here on the tables may have changed places, and nobody tells the gate: it must take it for a swap, and whoever
// has an older view of the table is answered with 1412.
bool swap_is_announced(const fault_step& step, moment when) {
    return step.name == rename_under_lock.name || step.name == sentry_goes.name ||
           (step.name == rename_that_waits.name && when == moment::after);
}

void silence_at(server_kind kind, const fault_step& step, moment when) {
    INFO(to_string(kind) << ", " << to_string(when) << ": " << step.name);
    auto& scene = scene_of(kind);
    run_until_struck(scene, step, when, [&] { scene.relay.silence_engine(for_ever); });
    // The lock that the silent session has, or waits for, goes by itself: well before TCP would tell anybody.
    scene.check_clients_go_on();
    scene.check_one_table();
    scene.relay.reset_engine();  // as TCP does when it has tried for long enough
    std::set<unsigned> allowed;
    if (swap_is_announced(step, when)) allowed.insert(1412);
    // Reads by share locks: see direct_writers_test.cpp.
    if (kind == server_kind::mariadb_10_11) allowed.insert(1213);
    scene.check_completed(allowed);
}

}  // namespace

TEST_CASE("the engine's network goes dead in a cut-over: clients go on, and the migration once it is back",
          "[silence]") {
    const auto step = GENERATE(values({lock, position, last_changes, rename_under_lock}));
    const auto when = GENERATE(moment::before, moment::during, moment::after);
    if (when == moment::after && step.name != rename_under_lock.name) return;  // as before the next step
    silence_at(server_kind::mysql_9_7, step, when);
}

TEST_CASE("the same where two sessions swap", "[silence]") {
    const auto step = GENERATE(values({lock, position, last_changes, rename_that_waits, sentry_goes}));
    const auto when = GENERATE(moment::before, moment::during, moment::after);
    const bool alters = step.name == rename_that_waits.name || step.name == sentry_goes.name;
    if (when == moment::after && !alters) return;
    silence_at(server_kind::mariadb_10_11, step, when);
}

TEST_CASE("a stop does not wait for a server that is silent in a cut-over; the next start finishes it", "[silence]") {
    auto& scene = scene_of(server_kind::mysql_9_7);
    run_until_struck(scene, position, moment::before, [&] { scene.relay.silence_engine(for_ever); });
    const auto asked = std::chrono::steady_clock::now();
    CHECK(scene.sluice.stop() == 0);
    CHECK(std::chrono::steady_clock::now() - asked < std::chrono::minutes(1));
    scene.relay.reset_engine();
    scene.sluice.start_again();
    scene.check_completed(true);
}
