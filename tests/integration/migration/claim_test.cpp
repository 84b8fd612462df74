// Whose the table is, and whose what bears the names of a migration's tables.

#include "migration/checkpoint/former_workers.hpp"
#include "tests/integration/migration/engine_rig.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"

#include <atomic>
#include <thread>

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;

namespace {

const std::string claim = migration::lock_of_table({"test", "t"});

struct scene {
    explicit scene(server_kind kind = server_kind::mysql_9_7)
        : server(start_server(kind)), root(connect(server, "test")) {
        root.exec("CREATE TABLE t (id INT PRIMARY KEY, v INT NOT NULL) ENGINE=InnoDB");
        root.exec("INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)");
    }
    std::string holder() { return root.scalar("SELECT COALESCE(IS_USED_LOCK('" + claim + "'), 0)"); }
    std::string tables() {
        return root.scalar(
            "SELECT COALESCE(GROUP_CONCAT(TABLE_NAME ORDER BY TABLE_NAME), '') FROM information_schema.TABLES "
            "WHERE TABLE_SCHEMA = 'test' AND TABLE_NAME LIKE '\\_t\\_%'");
    }

    mysql_server server;
    sql_connection root;
};

migration::migration_spec add_column() {
    migration::migration_spec spec{{"test", "t"}, "ADD COLUMN extra INT NOT NULL DEFAULT 3", {}};
    spec.options.postpone_cutover = true;
    spec.options.attempt_instant = false;
    spec.options.attempt_inplace = false;
    spec.options.drop_old_table = true;
    spec.options.checkpoint_interval_s = 1;
    spec.options.hold_budget = std::chrono::milliseconds(2'000);
    return spec;
}

std::string begin(migration::migration_service& engine, const migration::migration_spec& spec = add_column()) {
    const auto created = engine.create(spec);
    REQUIRE(created);
    return (*created)->id;
}

void check_completes(migration::migration_service& engine, const std::string& id) {
    REQUIRE(engine.command(id, migration::operator_command::cut_over));
    const auto ended = wait_for_end(engine, id);
    INFO(error_text(*ended));
    CHECK(ended->state == migration_state::completed);
}

void check_refused(const migration::migration_service& engine, const std::string& id) {
    const auto ended = wait_for_end(engine, id);
    INFO(error_text(*ended));
    CHECK(ended->state == migration_state::failed);
    REQUIRE(ended->error);
    CHECK(ended->error->code == "running_elsewhere");
    CHECK(ended->leftovers.empty());
}

/// As `sluice gh-ost`: what it does is stored nowhere.
std::unique_ptr<migration::migration_service> engine_without_state(const mysql_server& server) {
    const auto address = engine_address(server);
    auto service = std::make_unique<migration::migration_service>(
        std::make_shared<migration::mysql_executor>(address),
        std::make_shared<migration::binlog_stream_source>(address), migration::open_traffic_gate(),
        migration::service_options{.state_schema = ""});
    REQUIRE(service->recover());
    return service;
}

}  // namespace

TEST_CASE("a migration whose control connection was lost is still its own") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    CAPTURE(throwaway::to_string(kind));
    scene s(kind);
    const auto first = engine_on(s.server);
    const std::string id = begin(*first);
    wait_for_ready(*first, id);
    const std::string lost = s.holder();
    REQUIRE(lost != "0");
    s.root.exec("KILL " + lost);
    REQUIRE(eventually([&] { return s.holder() != lost && s.holder() != "0"; }, std::chrono::seconds(30)));
    {
        // It finds the migration in the state schema, and takes it for an interrupted one.
        const auto second = engine_on(s.server);
        check_refused(*second, id);
        CHECK(s.root.scalar("SELECT state FROM _sluice.migrations") == "ready");
    }
    {
        const auto third = engine_without_state(s.server);
        check_refused(*third, begin(*third));
    }
    CHECK(s.tables() == "_t_ghc,_t_gho");
    check_completes(*first, id);
    CHECK(s.root.scalar("SELECT SUM(extra) FROM t") == "9");
}

TEST_CASE("a migration whose table another process has claimed meanwhile ends, and drops nothing") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    CAPTURE(throwaway::to_string(kind));
    scene s(kind);
    const auto first = engine_on(s.server);
    auto spec = add_column();
    spec.options.apply_workers = 1;
    const std::string id = begin(*first, spec);
    wait_for_ready(*first, id);
    // With a worker that is connected.
    s.root.exec("UPDATE t SET v = 5 WHERE id = 2");
    REQUIRE(eventually([&] { return s.root.scalar("SELECT v FROM _t_gho WHERE id = 2") == "5"; }));
    const std::string lost = s.holder();
    sql_connection other = connect(s.server, "test");
    std::thread waits([&] { other.exec("DO GET_LOCK('" + claim + "', 60)"); });
    const bool seen = eventually([&] {
        return s.root.scalar("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'DO GET_LOCK%'") ==
               "1";
    });
    s.root.exec("KILL " + lost);
    waits.join();
    REQUIRE(seen);
    REQUIRE(s.holder() == other.scalar("SELECT CONNECTION_ID()"));
    // Its workers do not come back either.
    const std::string run = s.root.scalar("SELECT value FROM _t_ghc WHERE hint = 'run'");
    const std::string worker =
        s.root.scalar("SELECT COALESCE(IS_USED_LOCK('" + migration::life_lock_of(run, 'a', 0) + "'), 0)");
    REQUIRE(worker != "0");
    s.root.exec("KILL " + worker);
    s.root.exec("UPDATE t SET v = 7 WHERE id = 1");
    check_refused(*first, id);
    CHECK(s.root.scalar("SELECT v FROM _t_gho WHERE id = 1") == "1");
    CHECK(s.tables() == "_t_ghc,_t_gho");
    CHECK(s.root.scalar("SELECT state FROM _sluice.migrations") == "ready");
    CHECK(s.holder() == other.scalar("SELECT CONNECTION_ID()"));
}

TEST_CASE("the claim that was lost just before an attempt to cut over is had again before it, or there is none") {
    scene s;
    std::atomic<bool> armed{false};
    sql_connection other = connect(s.server, "test");
    statement_hook hook;
    // The last statement of this connection before the attempt.
    hook.after = [&](std::string_view sql, std::uint64_t connection, auto&) {
        if (!armed || !sql.starts_with("SHOW CREATE TABLE")) return;
        if (s.holder() != std::to_string(connection) || !armed.exchange(false)) return;
        std::thread waits([&] { other.exec("DO GET_LOCK('" + claim + "', 60)"); });
        s.root.exec("KILL " + std::to_string(connection));
        waits.join();
    };
    const auto engine = engine_on(s.server, migration::open_traffic_gate(), hook);
    const std::string id = begin(*engine);
    wait_for_ready(*engine, id);
    armed = true;
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    check_refused(*engine, id);
    CHECK_FALSE(armed);
    CHECK(engine->find(id)->cutover_attempts.empty());
    CHECK(s.tables() == "_t_ghc,_t_gho");
}

TEST_CASE("a table that comes into being under a migration's name behind its checks is left alone") {
    scene s;
    struct taken {
        std::string table;
        bool instant;
        std::string left;
    };
    const auto [table, instant, left] =
        GENERATE(taken{"_t_gho", false, "_t_gho"}, taken{"_t_gho", true, "_t_gho"}, taken{"_t_ghc", false, "_t_ghc"});
    CAPTURE(table, instant);
    std::atomic<bool> made{false};
    statement_hook hook;
    hook.before = [&, name = table](std::string_view sql, std::uint64_t) {
        if (!sql.starts_with("CREATE TABLE `test`.`" + name + "`") || made.exchange(true)) return;
        s.root.exec("CREATE TABLE " + name + " (of_somebody_else INT)");
    };
    const auto engine = engine_on(s.server, migration::open_traffic_gate(), hook);
    auto spec = add_column();
    spec.options.attempt_instant = instant;
    const std::string id = begin(*engine, spec);
    const auto ended = wait_for_end(*engine, id);
    INFO(error_text(*ended));
    CHECK(made);
    CHECK(ended->state == migration_state::failed);
    REQUIRE(ended->error);
    CHECK(ended->error->code == "leftover_tables");
    CHECK(s.tables() == left);
    CHECK(s.root.scalar("SELECT COUNT(of_somebody_else) FROM " + table) == "0");
}

TEST_CASE(
    "a connection that is lost when a migration is taken up that has swapped its tables does not make a failure of "
    "it") {
    scene s;
    std::string id;
    {
        const auto first = engine_on(s.server);
        id = begin(*first);
        wait_for_ready(*first, id);
    }
    // Killed right behind the swap.
    s.root.exec("RENAME TABLE t TO _t_del, _t_gho TO t");
    s.root.exec("UPDATE _sluice.migrations SET state = 'cutting_over'");
    std::atomic<int> looks{0};
    std::atomic<bool> claimed{false};
    statement_hook hook;
    hook.before = [&](std::string_view sql, std::uint64_t connection) {
        if (sql.find(claim) != std::string_view::npos) claimed = true;
        if (!claimed || !sql.starts_with("SHOW GLOBAL VARIABLES")) return;
        // The first one asks which server it is.
        if (++looks == 2) s.root.exec("KILL " + std::to_string(connection));
    };
    const auto second = engine_on(s.server, migration::open_traffic_gate(), hook);
    const auto ended = wait_for_end(*second, id);
    INFO(error_text(*ended));
    CHECK(looks >= 2);
    CHECK(ended->state == migration_state::completed);
    CHECK(s.root.scalar("SELECT SUM(extra) FROM t") == "9");
    CHECK(s.tables().empty());
}

TEST_CASE("an abort while prepared XA transactions are waited for is an abort") {
    scene s;
    s.root.exec("GRANT XA_RECOVER_ADMIN ON *.* TO 'sluice'@'%'");
    sql_connection xa = connect(s.server, "test");
    xa.exec("XA START 'held'");
    xa.exec("UPDATE t SET v = 9 WHERE id = 3");
    xa.exec("XA END 'held'");
    xa.exec("XA PREPARE 'held'");
    const auto engine = engine_on(s.server);
    const std::string id = begin(*engine);
    wait_until(*engine, id, [](const auto& shot) {
        return shot.waiting_for.find("prepared XA transactions") != std::string::npos || is_final(shot.state);
    });
    REQUIRE(engine->command(id, migration::operator_command::abort));
    const auto ended = wait_for_end(*engine, id);
    INFO(error_text(*ended));
    CHECK(ended->state == migration_state::aborted);
    CHECK(s.tables().empty());
    xa.exec("XA ROLLBACK 'held'");
}
