// MySQL 9.7: at every step of a cut-over something dies or is cut off. Afterwards one table bears the name, every
// acknowledged write is in it, and the migration ends as it should.

#include "tests/integration/cutover_faults/fault_scene.hpp"
#include "tests/support/catch.hpp"

#include <vector>

using namespace sluice;
using namespace sluice::test;

namespace {

const std::vector<fault_step> steps{
    {"cutting_over is noted", noted("cutting_over")},
    {"lock", begins("LOCK TABLES")},
    {"position", holder_begins("", "@@GLOBAL.gtid_executed")},
    {"last changes: delete", holder_begins("DELETE FROM `test`.`_orders_gho`")},
    {"last changes: insert", holder_begins("INSERT INTO `test`.`_orders_gho`")},
    {"auto_increment", holder_begins("ALTER TABLE `test`.`_orders_gho` AUTO_INCREMENT"), related, alters},
    {"trigger", holder_begins("CREATE", "TRIGGER"), related, alters},
    {"own key", holder_begins("ALTER TABLE `test`.`_orders_gho` ADD CONSTRAINT"), related, alters},
    {"key of another table to the ghost", holder_begins("ALTER TABLE `test`.`order_lines` ADD", "_orders_gho"), related,
     alters},
    {"rename", begins("RENAME TABLE `test`.`orders` TO `test`.`_orders_del`"), related, alters, decides},
    {"own key of the old table goes", holder_begins("ALTER TABLE `test`.`_orders_del` DROP"), related, alters},
    {"key of another table to the old table goes", holder_begins("ALTER TABLE `test`.`order_lines` DROP", "", "ADD"),
     related, alters},
    {"own key gets its name back", holder_begins("ALTER TABLE `test`.`orders` DROP"), related, alters},
    {"key of another table gets its name back", holder_begins("ALTER TABLE `test`.`order_lines` DROP", "ADD"), related,
     alters},
    {"unlock", holder_begins("UNLOCK TABLES")},
    {"tidying is noted", noted("tidying")},
    {"changelog goes", begins("DROP TABLE IF EXISTS `test`.`_orders_ghc`")},
    {"old table goes", begins("DROP TABLE IF EXISTS `test`.`_orders_del`"), false, alters, decides},
    {"completed is noted", noted("completed")},
};

fault_scene& scene_9_7() { return scene_of(server_kind::mysql_9_7); }

}  // namespace

TEST_CASE("sluice is killed at any step of a cut-over: the next start finishes or begins again", "[kill_sluice]") {
    const auto step = GENERATE(from_range(steps));
    const auto when = GENERATE(moment::before, moment::during);
    if (when == moment::during && !step.alters) return;
    kill_sluice_at(scene_9_7(), step, when);
}

TEST_CASE("the server is killed at any step of a cut-over: sluice finishes or tries again", "[kill_server]") {
    const auto step = GENERATE(from_range(steps));
    const auto when = GENERATE(moment::before, moment::during, moment::after);
    if (when != moment::before && !step.decides) return;
    kill_server_at(scene_9_7(), step, when);
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
