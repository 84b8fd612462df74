// The same where two sessions swap, on MariaDB 10.11 and MySQL 5.6: sluice or the server is killed at every step.

#include "tests/integration/cutover_faults/fault_scene.hpp"
#include "tests/support/catch.hpp"

#include <array>

using namespace sluice;
using namespace sluice::test;

namespace {

constexpr std::array steps{
    fault_step{"cutting_over is noted", [](const engine_statement& s) { return notes_state(s, "cutting_over"); }},
    fault_step{"the sentry is made",
               [](const engine_statement& s) { return s.sql.starts_with("CREATE TABLE `test`.`orders~old`"); }, false,
               true},
    fault_step{"the ghost gets its swap name",
               [](const engine_statement& s) { return s.sql.starts_with("RENAME TABLE `test`.`_orders_gho`"); }, true,
               true},
    fault_step{"lock", [](const engine_statement& s) { return s.sql.starts_with("LOCK TABLES"); }},
    fault_step{"position",
               [](const engine_statement& s) { return s.of_lock_session && s.sql.starts_with("SHOW MASTER STATUS"); }},
    fault_step{"last changes: delete",
               [](const engine_statement& s) {
                   return s.of_lock_session && s.sql.starts_with("DELETE FROM `test`.`orders~gho`");
               }},
    fault_step{"last changes: insert",
               [](const engine_statement& s) {
                   return s.of_lock_session && s.sql.starts_with("INSERT INTO `test`.`orders~gho`");
               }},
    fault_step{"trigger",
               [](const engine_statement& s) {
                   return s.of_lock_session && s.sql.starts_with("CREATE") && contains(s.sql, "TRIGGER");
               },
               true, true},
    fault_step{"own key",
               [](const engine_statement& s) {
                   return s.of_lock_session && s.sql.starts_with("ALTER TABLE `test`.`orders~gho` ADD CONSTRAINT");
               },
               true, true},
    fault_step{"the rename that waits",
               [](const engine_statement& s) {
                   return s.sql.starts_with("RENAME TABLE `test`.`orders` TO `test`.`orders~old`");
               },
               true, true, true},
    fault_step{"the look at the rename",
               [](const engine_statement& s) {
                   return s.of_lock_session && contains(s.sql, "Waiting for table metadata lock");
               }},
    fault_step{"the sentry goes",
               [](const engine_statement& s) {
                   return s.of_lock_session && s.sql.starts_with("DROP TABLE `test`.`orders~old`");
               },
               true, true, true},
    fault_step{"unlock",
               [](const engine_statement& s) { return s.of_lock_session && s.sql.starts_with("UNLOCK TABLES"); }, false,
               true},
    fault_step{"own key of the old table goes",
               [](const engine_statement& s) { return s.sql.starts_with("ALTER TABLE `test`.`orders~old` DROP"); },
               true, true},
    fault_step{"tidying is noted", [](const engine_statement& s) { return notes_state(s, "tidying"); }},
    fault_step{"the old table gets its usual name",
               [](const engine_statement& s) { return s.sql.starts_with("RENAME TABLE `test`.`orders~old` TO"); },
               false, true},
    fault_step{
        "changelog goes",
        [](const engine_statement& s) { return s.sql.starts_with("DROP TABLE IF EXISTS `test`.`_orders_ghc`"); }},
    fault_step{"old table goes",
               [](const engine_statement& s) { return s.sql.starts_with("DROP TABLE IF EXISTS `test`.`_orders_del`"); },
               false, true, true},
    fault_step{"completed is noted", [](const engine_statement& s) { return notes_state(s, "completed"); }},
};

fault_scene& scene_of(server_kind kind) {
    if (kind == server_kind::mysql_5_6) {
        static fault_scene old_mysql(kind);
        return old_mysql;
    }
    static fault_scene mariadb(kind);
    return mariadb;
}

void kill_sluice_at_every_step(server_kind kind) {
    const auto step = GENERATE(from_range(steps));
    const auto when = GENERATE(moment::before, moment::during);
    if (when == moment::during && !step.decides) return;
    INFO(to_string(when) << ": " << step.name);
    auto& scene = scene_of(kind);
    run_until_struck(scene, step, when, [&] { scene.kill_sluice(); });
    scene.check_one_table();
    scene.start_sluice();
    scene.check_completed(true);
}

void kill_server_at_every_step(server_kind kind) {
    const auto step = GENERATE(from_range(steps));
    const auto when = GENERATE(moment::before, moment::during, moment::after);
    if (when != moment::before && !step.decides) return;
    INFO(to_string(when) << ": " << step.name);
    auto& scene = scene_of(kind);
    run_until_struck(scene, step, when, [&] { scene.kill_server(); });
    scene.start_server();
    scene.check_one_table();
    scene.check_completed(true);
}

}  // namespace

TEST_CASE("MariaDB: sluice is killed at any step of a swap by two sessions", "[kill_sluice_mariadb]") {
    kill_sluice_at_every_step(server_kind::mariadb_10_11);
}

TEST_CASE("MariaDB: the server is killed at any step of a swap by two sessions", "[kill_server_mariadb]") {
    kill_server_at_every_step(server_kind::mariadb_10_11);
}

TEST_CASE("MySQL 5.6: sluice is killed at any step of a swap by two sessions", "[kill_sluice_mysql56]") {
    kill_sluice_at_every_step(server_kind::mysql_5_6);
}

TEST_CASE("MySQL 5.6: the server is killed at any step of a swap by two sessions", "[kill_server_mysql56]") {
    kill_server_at_every_step(server_kind::mysql_5_6);
}
