// Copy and apply take turns at the ghost where they would otherwise make a deadlock with a client
// (migration/apply/turn_rules.hpp), or bring a row twice.

#include "tests/integration/faults/fault_rig.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/lock_waits.hpp"

#include <atomic>
#include <chrono>

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;

namespace {

constexpr const char* insert_into_ghost = "INSERT INTO `test`.`_t_gho`";

void fill(sql_connection& root, const std::string& definition) {
    root.exec("DROP TABLE IF EXISTS t, `_t_gho`, `_t_ghc`, `_t_del`");
    root.exec("CREATE TABLE t (" + definition + ")");
    std::string values;
    for (int id = 1; id <= 2'000; ++id) {
        const auto number = std::to_string(id);
        values += (id == 1 ? "(" : ", (") + number + ", " + number + ", 1)";
    }
    root.exec("INSERT INTO t (id, u, v) VALUES " + values);
}

}  // namespace

TEST_CASE("a client is no victim of two chunks, one of which waits for it and the other one for the ghost") {
    const auto kind = GENERATE(server_kind::mysql_5_6, server_kind::mariadb_10_11);
    const auto server = start_server(kind);
    sql_connection root = connect(server, "test");
    fill(root, "id INT AUTO_INCREMENT PRIMARY KEY, u INT NOT NULL, v INT NOT NULL");
    sql_connection client = connect(server, "test");
    client.exec("START TRANSACTION");
    client.exec("UPDATE t SET v = 2 WHERE id = 500");

    std::atomic<int> sent{0};
    statement_hook hook;
    hook.before = [&](std::string_view sql, std::uint64_t) {
        if (sql.starts_with(insert_into_ghost)) ++sent;
    };
    auto engine = engine_on(server, migration::open_traffic_gate(), hook);
    auto spec = postponed_spec();
    spec.options.copy_workers = 2;
    spec.options.chunk_rows_fixed = 1'000;
    const auto created = engine->create(spec);
    REQUIRE(created);
    REQUIRE(lock_wait_comes(root));
    // That the second chunk is not sent cannot be waited for. If it is, it has read row 1001 and waits for the first
    // one's AUTO-INC lock within milliseconds.
    (void)eventually([&] { return lock_waits(root) == "2"; }, std::chrono::milliseconds(1'000));
    CHECK(sent == 1);
    CHECK_NOTHROW(client.exec("UPDATE t SET v = 2 WHERE id = 1001"));  // else 1213
    client.exec("COMMIT");
    wait_for_ready(*engine, (*created)->id);
    REQUIRE(engine->command((*created)->id, migration::operator_command::cut_over));
    REQUIRE(wait_for_end(*engine, (*created)->id)->state == migration_state::completed);
    CHECK(root.scalar("SELECT COUNT(*) FROM t WHERE v = 2") == root.scalar("SELECT 2"));
    CHECK(root.scalar("SELECT COUNT(*) FROM t") == "2000");
}

TEST_CASE("a chunk that is tried again does not bring a row that a batch is just bringing") {
    const auto server = mysql_server::start();
    sql_connection root = connect(server, "test");
    fill(root, "id INT PRIMARY KEY, u INT NOT NULL, v INT NOT NULL");
    std::atomic<bool> confirmed{false};  // the change is visible, and so taken into a batch at once
    std::atomic<int> chunks{0};
    std::atomic<bool> batch_written{false};
    std::atomic<bool> chunk_answered{false};
    statement_hook hook;
    hook.before = [&](std::string_view sql, std::uint64_t connection) {
        const bool is_chunk = sql.starts_with(insert_into_ghost) && sql.find(" IN (") == sql.npos;
        if (is_chunk && ++chunks == 1) {
            root.exec("UPDATE t SET v = 2 WHERE id = 500");
            wait_until("the change is visible", [&] { return confirmed.load(); });
            root.exec("KILL " + std::to_string(connection));
        } else if (is_chunk) {
            wait_until("the batch is written", [&] { return batch_written.load(); });
        } else if (sql == "COMMIT") {
            batch_written = true;
            // The chunk's second attempt is not to be sent now, for which nothing can be waited. It would be within
            // milliseconds of its reconnecting.
            (void)eventually([&] { return chunk_answered.load(); }, std::chrono::milliseconds(1'500));
        }
    };
    hook.after = [&](std::string_view sql, std::uint64_t, auto& answer) {
        if (sql.find("WAIT_FOR_EXECUTED_GTID_SET") != sql.npos && chunks == 1 && answer && answer->rows[0][0] == "0") {
            confirmed = true;
        }
        if (chunks == 2 && sql.starts_with(insert_into_ghost) && sql.find(" IN (") == sql.npos) chunk_answered = true;
    };
    auto engine = engine_on(server, migration::open_traffic_gate(), hook);
    auto spec = postponed_spec();
    spec.alter = "DROP PRIMARY KEY, ADD KEY found (id)";
    spec.options.verify = false;
    spec.options.copy_workers = 1;
    spec.options.chunk_rows_fixed = 2'000;
    const auto id = run_until_ready(*engine, spec);
    CHECK(chunks >= 2);
    CHECK(batch_written);
    CHECK(engine->find(id)->unique_key == "PRIMARY (id), not unique in the new table, index found");
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    REQUIRE(wait_for_end(*engine, id)->state == migration_state::completed);
    CHECK(root.scalar("SELECT COUNT(*) FROM t WHERE id = 500") == "1");
    CHECK(root.scalar("SELECT v FROM t WHERE id = 500") == "2");
    CHECK(root.scalar("SELECT COUNT(*) FROM t") == "2000");
}

TEST_CASE("verification finds a key that the new table has twice, and mends it") {
    const auto server = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    const auto running = start_server(server);
    sql_connection root = connect(running, "test");
    fill(root, "id INT PRIMARY KEY, u INT NOT NULL, v INT NOT NULL");
    auto engine = engine_on(running);
    auto spec = postponed_spec();
    spec.alter = GENERATE(as<std::string>{}, "DROP PRIMARY KEY, ADD PRIMARY KEY (id, u)",
                          "DROP PRIMARY KEY, ADD PRIMARY KEY (u), ADD KEY found (id)");
    const auto id = run_until_ready(*engine, spec);
    root.exec("INSERT INTO `_t_gho` (id, u, v) VALUES (7, 5000, 1)");
    const auto mended =
        wait_until(*engine, id, [](const auto& s) { return is_final(s.state) || s.verification.rows_repaired != 0; });
    INFO(error_text(*mended));
    REQUIRE_FALSE(is_final(mended->state));
    CHECK(root.scalar("SELECT GROUP_CONCAT(u) FROM `_t_gho` WHERE id = 7") == "7");
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    REQUIRE(wait_for_end(*engine, id)->state == migration_state::completed);
    CHECK(root.scalar("SELECT COUNT(*) FROM t") == "2000");
}
