// Somebody else changes what the migration works with: the original, the ghost, the changelog. Each is a clear end;
// what he made of the original stays, and what the engine made goes.

#include "tests/integration/faults/fault_rig.hpp"

#include <atomic>

using namespace sluice;
using namespace sluice::test;

namespace {

const mysql_server& shared_server(server_kind kind) {
    static const mysql_server newest = start_server(server_kind::mysql_9_7);
    static const mysql_server old_mysql = start_server(server_kind::mysql_5_6);
    static const mysql_server mariadb = start_server(server_kind::mariadb_10_11);
    return kind == server_kind::mysql_9_7 ? newest : kind == server_kind::mysql_5_6 ? old_mysql : mariadb;
}

server_kind any_kind() { return GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11); }

}  // namespace

TEST_CASE("a change of the original by somebody else ends the migration at once, and stays") {
    const auto kind = any_kind();
    const auto statement =
        GENERATE(as<std::string>{}, "ALTER TABLE t ADD COLUMN mine INT", "alter table test.t add index (id, v)",
                 "/* tool */ CREATE INDEX i ON t (v)", "DROP INDEX by_v ON t", "ALTER TABLE t MODIFY v BIGINT NOT NULL",
                 "RENAME TABLE t TO t_away", "ALTER TABLE t RENAME TO t_away", "DROP TABLE t", "TRUNCATE TABLE t");
    INFO(to_string(kind) << ": " << statement);
    const mysql_server& server = shared_server(kind);
    sql_connection root = connect(server, "test");
    make_table(root);
    auto engine = engine_on(server);
    const std::string id = run_until_ready(*engine);
    root.exec(statement);
    const std::string survivor = contains(statement, "t_away") ? "t_away" : "t";
    require_failed(*engine, id, "original_changed");
    CHECK(artefacts(root).empty());
    if (!contains(statement, "DROP TABLE")) {
        CHECK(root.scalar("SELECT COUNT(*) FROM " + survivor) == (contains(statement, "TRUNCATE") ? "0" : "1000"));
    }
}

TEST_CASE("a change of the original between the last look and the lock is seen") {
    const auto kind = any_kind();
    INFO(to_string(kind));
    const mysql_server& server = shared_server(kind);
    sql_connection root = connect(server, "test");
    make_table(root);
    std::atomic<bool> done{false};
    statement_hook hook;
    hook.before = [&](std::string_view sql, std::uint64_t) {
        if (!sql.starts_with("LOCK TABLES `test`.`t`") || done.exchange(true)) return;
        connect(server, "test").exec("ALTER TABLE t ADD COLUMN mine INT");
    };
    auto engine = engine_on(server, migration::open_traffic_gate(), hook);
    const std::string id = run_until_ready(*engine);
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    require_failed(*engine, id, "original_changed");
    CHECK(root.scalar("SELECT COUNT(*) FROM t WHERE mine IS NULL") == "1000");
    CHECK(artefacts(root).empty());
}

TEST_CASE("a ghost or a changelog that is gone ends the migration and is named") {
    struct loss {
        const char* statement;
        const char* next;  ///< what makes the engine notice; nullptr: the cut-over
        const char* code;
    };
    const auto kind = any_kind();
    const auto one = GENERATE(values<loss>({
        {"DROP TABLE `_t_gho`", "UPDATE t SET v = 2 WHERE id = 1", "ghost_lost"},
        {"DROP TABLE `_t_gho`", nullptr, "ghost_lost"},
        {"RENAME TABLE `_t_gho` TO t_away", nullptr, "ghost_lost"},
        {"DROP TABLE `_t_ghc`", nullptr, "changelog_lost"},
    }));
    INFO(to_string(kind) << ": " << one.statement << (one.next == nullptr ? ", cut-over" : ", update"));
    const mysql_server& server = shared_server(kind);
    sql_connection root = connect(server, "test");
    make_table(root);
    auto engine = engine_on(server);
    const std::string id = run_until_ready(*engine);
    root.exec(one.statement);
    if (one.next != nullptr) {
        root.exec(one.next);
    } else {
        REQUIRE(engine->command(id, migration::operator_command::cut_over));
    }
    const auto ended = require_failed(*engine, id, one.code);
    CHECK(contains(ended->error->message, contains(one.code, "ghost") ? "_t_gho" : "_t_ghc"));
    CHECK(root.scalar("SELECT COUNT(*) FROM t") == "1000");
    CHECK(artefacts(root).empty());
}
