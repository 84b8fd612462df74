// The server alters the table itself (ALGORITHM=INSTANT), and something dies around that one statement.

#include "tests/integration/cutover_faults/fault_scene.hpp"
#include "tests/support/catch.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

constexpr const char* alter = "ADD COLUMN priority INT NOT NULL DEFAULT 7";

struct fault {
    const char* name;
    void (*strike)(fault_scene&);
    void (*recover)(fault_scene&);
    bool clients_may_err;
};

}  // namespace

TEST_CASE("something dies while the server alters the table itself: it is altered once", "[altering]") {
    const auto one = GENERATE(values<fault>({
        {"sluice is killed", [](fault_scene& s) { s.kill_sluice(); }, [](fault_scene& s) { s.start_sluice(); }, true},
        {"the server is killed", [](fault_scene& s) { s.kill_server(); }, [](fault_scene& s) { s.start_server(); },
         true},
        {"connections are reset", [](fault_scene& s) { s.relay.reset_engine(); }, [](fault_scene&) {}, false},
    }));
    const auto step = GENERATE(values<fault_step>({{"altering is noted", noted("altering")},
                                                   {"the ALTER", begins("ALTER TABLE `test`.`orders` "), false, true},
                                                   {"completed is noted", noted("completed")}}));
    const auto when = GENERATE(moment::before, moment::during, moment::after);
    if (when != moment::before && !step.alters) return;
    INFO(one.name << ", " << to_string(when) << ": " << step.name);
    auto& scene = scene_of(server_kind::mysql_9_7);
    scene.begin(false);
    scene.relay.arm(step.is_it, when, [&] { one.strike(scene); });
    scene.create_migration({{"attempt_instant", true}}, alter);
    REQUIRE(scene.relay.wait_struck(std::chrono::seconds(60)));
    one.recover(scene);
    scene.check_completed(one.clients_may_err);
    CHECK(scene.progress().way == "instant");
}
