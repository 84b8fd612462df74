// MySQL 9.7: at every step of a cut-over something dies or is cut off. Afterwards one table bears the name, every
// acknowledged write is in it, and the migration ends as it should.

#include "tests/integration/cutover_faults/fault_scene.hpp"
#include "tests/support/catch.hpp"

#include <array>

using namespace sluice;
using namespace sluice::test;

namespace {

constexpr std::array steps{
    fault_step{"cutting_over is noted", [](const engine_statement& s) { return notes_state(s, "cutting_over"); }},
    fault_step{"lock", [](const engine_statement& s) { return s.sql.starts_with("LOCK TABLES"); }},
    fault_step{
        "position",
        [](const engine_statement& s) { return s.of_lock_session && contains(s.sql, "@@GLOBAL.gtid_executed"); }},
    fault_step{"last changes: delete",
               [](const engine_statement& s) {
                   return s.of_lock_session && s.sql.starts_with("DELETE FROM `test`.`_orders_gho`");
               }},
    fault_step{"last changes: insert",
               [](const engine_statement& s) {
                   return s.of_lock_session && s.sql.starts_with("INSERT INTO `test`.`_orders_gho`");
               }},
    fault_step{"auto_increment",
               [](const engine_statement& s) {
                   return s.of_lock_session && s.sql.starts_with("ALTER TABLE `test`.`_orders_gho` AUTO_INCREMENT");
               },
               true, true},
    fault_step{"trigger",
               [](const engine_statement& s) {
                   return s.of_lock_session && s.sql.starts_with("CREATE") && contains(s.sql, "TRIGGER");
               },
               true, true},
    fault_step{"own key",
               [](const engine_statement& s) {
                   return s.of_lock_session && s.sql.starts_with("ALTER TABLE `test`.`_orders_gho` ADD CONSTRAINT");
               },
               true, true},
    fault_step{"key of another table to the ghost",
               [](const engine_statement& s) {
                   return s.of_lock_session && s.sql.starts_with("ALTER TABLE `test`.`order_lines` ADD") &&
                          contains(s.sql, "_orders_gho");
               },
               true, true},
    fault_step{"rename",
               [](const engine_statement& s) {
                   return s.sql.starts_with("RENAME TABLE `test`.`orders` TO `test`.`_orders_del`");
               },
               true, true, true},
    fault_step{"own key of the old table goes",
               [](const engine_statement& s) {
                   return s.of_lock_session && s.sql.starts_with("ALTER TABLE `test`.`_orders_del` DROP");
               },
               true, true},
    fault_step{"key of another table to the old table goes",
               [](const engine_statement& s) {
                   return s.of_lock_session && s.sql.starts_with("ALTER TABLE `test`.`order_lines` DROP") &&
                          !contains(s.sql, "ADD");
               },
               true, true},
    fault_step{"own key gets its name back",
               [](const engine_statement& s) {
                   return s.of_lock_session && s.sql.starts_with("ALTER TABLE `test`.`orders` DROP");
               },
               true, true},
    fault_step{"key of another table gets its name back",
               [](const engine_statement& s) {
                   return s.of_lock_session && s.sql.starts_with("ALTER TABLE `test`.`order_lines` DROP") &&
                          contains(s.sql, "ADD");
               },
               true, true},
    fault_step{"unlock",
               [](const engine_statement& s) { return s.of_lock_session && s.sql.starts_with("UNLOCK TABLES"); }},
    fault_step{"tidying is noted", [](const engine_statement& s) { return notes_state(s, "tidying"); }},
    fault_step{
        "changelog goes",
        [](const engine_statement& s) { return s.sql.starts_with("DROP TABLE IF EXISTS `test`.`_orders_ghc`"); }},
    fault_step{"old table goes",
               [](const engine_statement& s) { return s.sql.starts_with("DROP TABLE IF EXISTS `test`.`_orders_del`"); },
               false, true, true},
    fault_step{"completed is noted", [](const engine_statement& s) { return notes_state(s, "completed"); }},
};

fault_scene& scene_9_7() {
    static fault_scene scene(server_kind::mysql_9_7);
    return scene;
}

}  // namespace

TEST_CASE("sluice is killed at any step of a cut-over: the next start finishes or begins again", "[kill_sluice]") {
    const auto step = GENERATE(from_range(steps));
    const auto when = GENERATE(moment::before, moment::during);
    if (when == moment::during && !step.alters) return;
    INFO(to_string(when) << ": " << step.name);
    auto& scene = scene_9_7();
    run_until_struck(scene, step, when, [&] { scene.kill_sluice(); });
    scene.check_one_table();
    scene.start_sluice();
    scene.check_completed(true);
}

TEST_CASE("the server is killed at any step of a cut-over: sluice finishes or tries again", "[kill_server]") {
    const auto step = GENERATE(from_range(steps));
    const auto when = GENERATE(moment::before, moment::during, moment::after);
    if (when != moment::before && !step.decides) return;
    INFO(to_string(when) << ": " << step.name);
    auto& scene = scene_9_7();
    run_until_struck(scene, step, when, [&] { scene.kill_server(); });
    scene.start_server();
    scene.check_one_table();
    scene.check_completed(true);
}

TEST_CASE("the engine's connections are reset at any step of a cut-over: clients notice nothing", "[reset]") {
    const auto step = GENERATE(from_range(steps));
    const auto when = GENERATE(moment::before, moment::during, moment::after);
    if (when != moment::before && !step.alters) return;
    INFO(to_string(when) << ": " << step.name);
    auto& scene = scene_9_7();
    run_until_struck(scene, step, when, [&] { scene.relay.reset_engine(); });
    scene.check_one_table();
    scene.check_completed(false);
}
