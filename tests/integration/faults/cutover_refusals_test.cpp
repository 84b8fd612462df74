// Cut-overs that end a migration as failed: the table stays as it was, and nothing of the migration's is left.

#include "tests/integration/faults/fault_rig.hpp"

#include <atomic>

using namespace sluice;
using namespace sluice::test;

namespace {

void check_unchanged(sql_connection& root) {
    CHECK(root.query("SHOW COLUMNS FROM t LIKE 'extra'").empty());
    CHECK(root.scalar("SELECT COUNT(*) FROM t") == "1000");
    CHECK(artefacts(root).empty());
}

}  // namespace

TEST_CASE("where writers may pass a pending exclusive lock, two sessions do not swap: no rename is sent") {
    const mysql_server server = start_server(server_kind::mariadb_10_11);
    sql_connection root = connect(server, "test");
    make_table(root);
    std::atomic<int> renames{0};
    statement_hook hook;
    hook.before = [&](std::string_view sql, std::uint64_t) { renames += sql.starts_with("RENAME TABLE") ? 1 : 0; };
    auto engine = engine_on(server, migration::open_traffic_gate(), hook);
    const std::string id = run_until_ready(*engine);
    root.exec("SET GLOBAL max_write_lock_count = 1");
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    require_failed(*engine, id, "write_lock_count_too_low");
    CHECK(renames == 0);
    check_unchanged(root);
}

TEST_CASE("a cut-over that was given up as often as it may be fails the migration") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mariadb_10_11);
    INFO(to_string(kind));
    const mysql_server server = start_server(kind);
    sql_connection root = connect(server, "test");
    make_table(root);
    auto engine = engine_on(server);
    auto spec = postponed_spec();
    spec.options.cutover_attempts_max = 2;
    spec.options.hold_budget = std::chrono::milliseconds(100);
    spec.options.max_blocker_age = std::chrono::hours(1);  // whoever has the table is run into, not waited for
    const std::string id = run_until_ready(*engine, spec);
    sql_connection holder = connect(server, "test");
    holder.exec("LOCK TABLES t READ");
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    const auto ended = require_failed(*engine, id, "cutover_attempts_exhausted");
    CHECK(ended->cutover_attempts.size() == 2);
    CHECK(contains(ended->error->message, "2 times"));
    CHECK(contains(ended->error->message, ended->cutover_attempts.back().given_up_because));
    holder.exec("UNLOCK TABLES");
    check_unchanged(root);
}

TEST_CASE("triggers that an attempt has made and cannot take back end the migration; they go with the ghost") {
    const mysql_server server = start_server(server_kind::mysql_9_7);
    sql_connection root = connect(server, "test");
    make_table(root);
    root.exec("SET GLOBAL log_bin_trust_function_creators = ON");
    root.exec(std::string("CREATE DEFINER = ")
                  .append(sluice_user)
                  .append(" TRIGGER t_bi BEFORE INSERT ON t FOR EACH ROW SET NEW.v = 1"));
    std::atomic<bool> armed{false};  // what a copy needs is tried at its beginning
    std::atomic<bool> refused{false};
    statement_hook hook;
    hook.before = [&](std::string_view sql, std::uint64_t connection) {
        // The attempt, whose connection is lost here, has made its trigger.
        if (sql.starts_with("RENAME TABLE")) connect(server).exec("KILL " + std::to_string(connection));
    };
    hook.after = [&](std::string_view sql, std::uint64_t, auto& answer) {
        if (!armed || !sql.starts_with("DROP TRIGGER")) return;
        refused = true;
        answer = migration::refuse("access_denied", "TRIGGER command denied");
    };
    auto engine = engine_on(server, migration::open_traffic_gate(), hook);
    auto spec = postponed_spec();
    spec.options.include_triggers = true;
    spec.options.trigger_suffix = "_new";
    const std::string id = run_until_ready(*engine, spec);
    armed = true;
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    require_failed(*engine, id, "ghost_not_released");
    CHECK(refused);
    check_unchanged(root);
    CHECK(root.scalar("SELECT GROUP_CONCAT(TRIGGER_NAME) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = "
                      "'test'") == "t_bi");
}
