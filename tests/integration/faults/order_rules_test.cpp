// The rules of order between copy and apply (docs/architecture.md, "Why no change is lost"), each driven to the moment
// where it alone decides. The comparison before the swap is off: it would find and repair what these are about.

#include "tests/integration/faults/stalled_commit.hpp"
#include "tests/integration/migration/engine_rig.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/lock_waits.hpp"

#include <atomic>
#include <memory>
#include <optional>

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;

namespace {

enum class flavour { gtid, positions, mariadb };

const char* name_of(flavour which) {
    constexpr const char* names[] = {"9.7 with GTIDs", "9.7 by position", "MariaDB"};
    return names[static_cast<int>(which)];
}

const mysql_server& server_of(flavour which) {
    static const mysql_server gtid = mysql_server::start();
    static const mysql_server positions = [] {
        server_options options;
        options.gtid = false;
        return mysql_server::start(options);
    }();
    static const mysql_server mariadb = start_server(server_kind::mariadb_10_11);
    return which == flavour::gtid ? gtid : which == flavour::positions ? positions : mariadb;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

constexpr const char* insert_into_ghost = "INSERT INTO `test`.`_t_gho`";

/// Table t with the ids 1 to 1000, and a migration of it that is copied in one chunk by one worker.
sql_connection filled_table(const mysql_server& server) {
    sql_connection root = connect(server, "test");
    root.exec("DROP TABLE IF EXISTS t");
    root.exec("CREATE TABLE t (id INT PRIMARY KEY, v INT NOT NULL)");
    std::string values;
    for (int id = 1; id <= 1'000; ++id) values += (id == 1 ? "(" : ", (") + std::to_string(id) + ", 1)";
    root.exec("INSERT INTO t VALUES " + values);
    return root;
}

migration::migration_spec spec_of_t() {
    migration::migration_spec spec{{"test", "t"}, "ADD COLUMN extra INT NOT NULL DEFAULT 3", {}};
    spec.options.verify = false;
    spec.options.copy_workers = 1;
    spec.options.chunk_rows_fixed = 1'000;
    spec.options.drop_old_table = true;
    spec.options.postpone_cutover = true;
    return spec;
}

void finish(migration::migration_service& engine, const std::string& id) {
    REQUIRE(engine.command(id, migration::operator_command::cut_over));
    const auto ended = wait_for_end(engine, id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
}

}  // namespace

TEST_CASE("rule 1: a change whose event is out before its commit is visible is not read too early") {
    const auto which = GENERATE(flavour::gtid, flavour::positions, flavour::mariadb);
    INFO(name_of(which));
    const mysql_server& server = server_of(which);
    sql_connection root = filled_table(server);
    std::atomic<bool> watching{false};
    std::atomic<bool> has_read{false};    // the row was read for the ghost while its change was not visible
    std::atomic<bool> has_waited{false};  // its visibility was asked for, and denied
    statement_hook hook;
    hook.after = [&](std::string_view sql, std::uint64_t, auto& answer) {
        if (!watching || !answer) return;
        if (sql.starts_with(insert_into_ghost)) has_read = true;
        if (contains(sql, "WAIT_FOR_EXECUTED_GTID_SET") && answer->rows[0][0] == "1") has_waited = true;
    };
    auto engine = engine_on(server, migration::open_traffic_gate(), hook);
    const auto created = engine->create(spec_of_t());
    REQUIRE(created);
    wait_for_ready(*engine, (*created)->id);

    watching = true;
    stalled_commit update(server, "UPDATE t SET v = 2 WHERE id = 5");
    wait_until("the change waits, or its row is read",
               [&] { return has_read || has_waited || lock_waits(root) != "0"; });
    CHECK_FALSE(has_read);
    watching = false;
    update.release();
    finish(*engine, (*created)->id);
    CHECK(root.scalar("SELECT v FROM t WHERE id = 5") == "2");
    CHECK(root.scalar("SELECT COUNT(*) FROM t") == "1000");
}

TEST_CASE("rule 2: a delete does not overtake a chunk whose snapshot still has the row") {
    const mysql_server& server = server_of(flavour::gtid);
    sql_connection root = filled_table(server);
    sql_connection holder = connect(server, "test");
    std::atomic<int> attempts{0};
    std::atomic<bool> applied{false};
    statement_hook hook;
    hook.before = [&](std::string_view sql, std::uint64_t) {
        if (!sql.starts_with(insert_into_ghost) || attempts++ != 0) return;
        // The chunk will wait here, in the middle: its snapshot is made, row 900 is not read yet.
        holder.exec("START TRANSACTION");
        holder.exec("INSERT INTO `_t_gho` (id, v) VALUES (500, 0)");
    };
    hook.after = [&](std::string_view sql, std::uint64_t, auto&) {
        if (sql.starts_with("DELETE FROM `test`.`_t_gho`")) applied = true;
    };
    auto engine = engine_on(server, migration::open_traffic_gate(), hook);
    const auto created = engine->create(spec_of_t());
    REQUIRE(created);
    REQUIRE(lock_wait_comes(root));
    root.exec("DELETE FROM t WHERE id = 900");
    // That something does not happen cannot be waited for. A batch that does not wait is there within milliseconds, and
    // the chunk's patience (5 s) is not to run out.
    CHECK_FALSE(eventually([&] { return applied.load(); }, std::chrono::milliseconds(1'500)));
    CHECK(attempts == 1);
    holder.exec("ROLLBACK");
    wait_for_ready(*engine, (*created)->id);
    finish(*engine, (*created)->id);
    CHECK(root.scalar("SELECT COUNT(*) FROM t WHERE id = 900") == "0");
    CHECK(root.scalar("SELECT COUNT(*) FROM t") == "999");
}

TEST_CASE("rule 3: a row that is inserted behind the range just as it is read is not lost") {
    const auto which = GENERATE(flavour::gtid, flavour::positions, flavour::mariadb);
    INFO(name_of(which));
    const mysql_server& server = server_of(which);
    sql_connection root = filled_table(server);
    std::atomic<bool> done{false};
    statement_hook hook;
    hook.after = [&](std::string_view sql, std::uint64_t, auto&) {
        if (!contains(sql, " DESC LIMIT 1") || !contains(sql, "`test`.`t`") || done.exchange(true)) return;
        connect(server, "test").exec("INSERT INTO t VALUES (1001, 7)");
    };
    auto engine = engine_on(server, migration::open_traffic_gate(), hook);
    const auto created = engine->create(spec_of_t());
    REQUIRE(created);
    wait_for_ready(*engine, (*created)->id);
    REQUIRE(done);
    finish(*engine, (*created)->id);
    CHECK(root.scalar("SELECT v FROM t WHERE id = 1001") == "7");
    CHECK(root.scalar("SELECT COUNT(*) FROM t") == "1001");
}

TEST_CASE("rule 3: a row that was logged before the stream began, and is committed after it, is not lost") {
    const auto which = GENERATE(flavour::gtid, flavour::positions, flavour::mariadb);
    INFO(name_of(which));
    const mysql_server& server = server_of(which);
    sql_connection root = filled_table(server);
    std::unique_ptr<stalled_commit> insert;
    std::atomic<bool> stalled{false};
    std::atomic<bool> past_barrier{false};
    std::atomic<bool> range_read{false};
    statement_hook hook;
    hook.before = [&](std::string_view sql, std::uint64_t) {
        const bool asks_position = sql == "SELECT @@GLOBAL.gtid_executed" || contains(sql, "SHOW MASTER STATUS") ||
                                   contains(sql, "SHOW BINARY LOG STATUS");
        // check_binlog() asks too, before there is a ghost.
        if (asks_position && !stalled &&
            connect(server, "test")
                    .scalar("SELECT COUNT(*) FROM information_schema.tables WHERE table_name = '_t_ghc'") == "1") {
            insert = std::make_unique<stalled_commit>(server, "INSERT INTO t VALUES (1001, 7)");
            stalled = true;
        }
        if (stalled && sql.starts_with("INSERT IGNORE INTO `test`.`_t_ghc`")) past_barrier = true;
    };
    hook.after = [&](std::string_view sql, std::uint64_t, auto& answer) {
        if (answer && contains(sql, " DESC LIMIT 1") && contains(sql, "`test`.`t`")) range_read = true;
    };
    auto engine = engine_on(server, migration::open_traffic_gate(), hook);
    const auto created = engine->create(spec_of_t());
    REQUIRE(created);
    // Without the barrier the range would be read while the row is not visible.
    CHECK(eventually([&] { return past_barrier || range_read || is_final(engine->find((*created)->id)->state); }));
    REQUIRE(stalled);
    CHECK_FALSE(range_read);
    insert->release();
    wait_for_ready(*engine, (*created)->id);
    finish(*engine, (*created)->id);
    CHECK(root.scalar("SELECT v FROM t WHERE id = 1001") == "7");
    CHECK(root.scalar("SELECT COUNT(*) FROM t") == "1001");
}
