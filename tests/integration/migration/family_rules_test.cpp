// What the exactness of a migration rests on where servers differ: reads that wait for rows which are logged but not
// yet committed, prepared XA transactions, the log's files, and changes that are logged as statements.

#include "migration/check/checks.hpp"
#include "migration/family/lock_holders.hpp"
#include "migration/ports/reconnecting_session.hpp"
#include "migration/sql/copy_statements.hpp"
#include "tests/integration/migration/engine_rig.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/lock_waits.hpp"

#include <fstream>

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;

namespace {

const std::vector<server_kind> all_kinds = {server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

mysql_server start(server_kind kind, bool gtid, std::vector<std::string> arguments = {}) {
    server_options options;
    options.kind = kind;
    options.gtid = gtid;
    options.extra_arguments = std::move(arguments);
    return mysql_server::start(options);
}

void make_table(sql_connection& root, const std::string& rows = "(1, 1), (2, 2), (3, 3)") {
    root.exec("CREATE TABLE t (id INT PRIMARY KEY, v INT NOT NULL) ENGINE=InnoDB");
    root.exec("INSERT INTO t VALUES " + rows);
}

migration::migration_spec add_column() {
    migration::migration_spec spec{{"test", "t"}, "ADD COLUMN extra INT NOT NULL DEFAULT 3", {}};
    spec.options.postpone_cutover = true;
    spec.options.drop_old_table = true;
    spec.options.hold_interval = std::chrono::milliseconds(100);
    spec.options.page_flush_wait = std::chrono::milliseconds(0);
    spec.options.hold_budget = std::chrono::milliseconds(2'000);
    return spec;
}

std::string begin(migration::migration_service& engine, const migration::migration_spec& spec = add_column()) {
    const auto created = engine.create(spec);
    REQUIRE(created);
    return (*created)->id;
}

void cut_over(migration::migration_service& engine, const std::string& id) {
    REQUIRE(engine.command(id, migration::operator_command::cut_over));
    const auto done = wait_for_end(engine, id);
    INFO(error_text(*done));
    REQUIRE(done->state == migration_state::completed);
}

void grant_xa_recover(sql_connection& root, server_kind kind) {
    if (kind == server_kind::mysql_9_7) root.exec("GRANT XA_RECOVER_ADMIN ON *.* TO 'sluice'@'%'");
}

}  // namespace

TEST_CASE("a change that is logged but not yet visible is waited for by the read of its row (MariaDB)") {
    // Semi-synchronous replication without a replica: the commit stands still behind the write to the log.
    const mysql_server server =
        start(server_kind::mariadb_10_11, true,
              {"--rpl-semi-sync-master-wait-point=AFTER_SYNC", "--rpl-semi-sync-master-timeout=600000"});
    sql_connection root = connect(server, "test");
    make_table(root);
    auto engine = engine_on(server);
    const std::string id = begin(*engine);
    wait_for_ready(*engine, id);

    root.exec("SET GLOBAL rpl_semi_sync_master_enabled = ON");
    struct stalled_commit {
        sql_connection& root;
        std::thread thread;
        void release() {
            root.exec("SET GLOBAL rpl_semi_sync_master_enabled = OFF");
            thread.join();
        }
        ~stalled_commit() {
            if (thread.joinable()) release();
        }
    } stalled{root, std::thread([&server] {
                  sql_connection client(server.port(), app_user, app_password, "test");
                  client.exec("UPDATE t SET v = 100 WHERE id = 2");
              })};
    // The engine has heard of the change and reads the row: it waits for its lock. An engine that did not would get
    // as far as its COMMIT, with the old row.
    wait_for_value(root,
                   "SELECT COUNT(*) > 0 FROM information_schema.processlist WHERE user = 'sluice' AND"
                   " (info LIKE 'INSERT INTO `test`.`\\_t\\_gho`%' OR info = 'COMMIT')",
                   "1");
    CHECK(root.scalar("SELECT v FROM t WHERE id = 2") == "2");
    CHECK(root.scalar(
              "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'sluice' AND info = 'COMMIT'") == "0");
    REQUIRE(lock_wait_comes(root));
    stalled.release();
    wait_for_value(root, "SELECT v FROM _t_gho WHERE id = 2", "100");
    cut_over(*engine, id);
    CHECK(root.scalar("SELECT SUM(v + extra) FROM t") == "113");
}

TEST_CASE("the reads of a batch wait for the rows of prepared transactions; without the lock they would not") {
    const auto kind = GENERATE(from_range(all_kinds));
    CAPTURE(throwaway::to_string(kind));
    const mysql_server server = start(kind, false);
    sql_connection root = connect(server, "test");
    make_table(root);
    sql_connection client = connect(server, "test");
    client.exec("XA START 'a'");
    client.exec("UPDATE t SET v = 100 WHERE id = 2");
    client.exec("INSERT INTO t VALUES (4, 400)");
    client.exec("DELETE FROM t WHERE id = 3");
    client.exec("XA END 'a'");
    client.exec("XA PREPARE 'a'");

    migration::copy_columns what;
    what.original = what.ghost = {"test", "t"};
    what.original_index = what.ghost_index = "PRIMARY";
    migration::key_column key;
    key.original = key.ghost = "id";
    what.key = {key};
    migration::mysql_executor_options options;
    options.row_lock_wait_limit = std::chrono::seconds(1);
    const auto session = migration::mysql_executor(engine_address(server), options).connect();
    REQUIRE(session);
    // The greatest key, and each of the three rows.
    CHECK((*session)->run(migration::range_max_statement(what))->rows[0][0] == "3");
    const auto greatest = (*session)->run(migration::range_max_statement(what, migration::read_lock::share));
    REQUIRE(greatest.has_error());
    CHECK(greatest.error().code == "lock_wait_timeout");
    for (const std::string id : {"2", "3", "4"}) {
        CAPTURE(id);
        const std::string read = "SELECT v FROM test.t WHERE id = " + id;
        CHECK((*session)->run(read).has_value());
        const auto waiting = (*session)->run(read + " LOCK IN SHARE MODE");
        REQUIRE(waiting.has_error());
        CHECK(waiting.error().code == "lock_wait_timeout");
    }
    client.exec("XA COMMIT 'a'");
    CHECK((*session)->run(migration::range_max_statement(what, migration::read_lock::share))->rows[0][0] == "4");
}

TEST_CASE("a prepared XA transaction whose connection is gone holds up the cut-over, and is not lost") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mariadb_10_11);
    CAPTURE(throwaway::to_string(kind));
    const mysql_server server = start(kind, kind != server_kind::mysql_9_7);
    sql_connection root = connect(server, "test");
    make_table(root);
    grant_xa_recover(root, kind);
    auto engine = engine_on(server);
    const std::string id = begin(*engine);
    wait_for_ready(*engine, id);
    {
        sql_connection client = connect(server, "test");
        client.exec("XA START 'lonely'");
        client.exec("UPDATE t SET v = 100 WHERE id = 2");
        client.exec("XA END 'lonely'");
        client.exec("XA PREPARE 'lonely'");
    }
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    const auto waiting = wait_until(*engine, id, [](const auto& s) {
        return contains(s.waiting_for, "XA transactions that have changed the table") || is_final(s.state);
    });
    INFO(error_text(*waiting));
    REQUIRE_FALSE(is_final(waiting->state));
    CHECK(contains(waiting->waiting_for, "X'6c6f6e656c79'"));
    root.exec("XA COMMIT 'lonely'");
    CHECK(wait_for_end(*engine, id)->state == migration_state::completed);
    CHECK(root.scalar("SELECT v + extra FROM t WHERE id = 2") == "103");
}

TEST_CASE("XA transactions from before the migration are waited for, also where there are always others") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mariadb_10_11);
    CAPTURE(throwaway::to_string(kind));
    const mysql_server server = start(kind, true);
    sql_connection root = connect(server, "test");
    make_table(root);
    grant_xa_recover(root, kind);
    root.exec("CREATE TABLE other (id INT PRIMARY KEY)");
    const auto prepare = [&](const std::string& xid, const std::string& statement) {
        sql_connection client = connect(server, "test");
        client.exec("XA START '" + xid + "'");
        client.exec(statement);
        client.exec("XA END '" + xid + "'");
        client.exec("XA PREPARE '" + xid + "'");
        return client;
    };
    sql_connection first = prepare("first", "UPDATE t SET v = 100 WHERE id = 2");
    auto engine = engine_on(server);
    const std::string id = begin(*engine);
    const auto waiting =
        wait_until(*engine, id, [](const auto& s) { return contains(s.waiting_for, "first") || is_final(s.state); });
    INFO(error_text(*waiting));
    REQUIRE_FALSE(is_final(waiting->state));
    sql_connection later = prepare("later", "INSERT INTO other VALUES (1)");
    first.exec("XA COMMIT 'first'");
    wait_for_ready(*engine, id);  // while the later one is still prepared
    cut_over(*engine, id);
    CHECK(root.scalar("SELECT v + extra FROM t WHERE id = 2") == "103");
    later.exec("XA COMMIT 'later'");
}

TEST_CASE("the log's files may be rotated, at any time and past number 999999") {
    const auto kind = GENERATE(from_range(all_kinds));
    const bool gtid = GENERATE(true, false);
    if (gtid && kind == server_kind::mariadb_10_11) return;  // it has no such switch
    CAPTURE(throwaway::to_string(kind), gtid);
    mysql_server server = start(kind, gtid);
    server.stop();
    // A server numbers its next file by the highest that it finds.
    std::ofstream(server.data_folder() / "binlog.999997").put('\n');
    server.restart();
    sql_connection root = connect(server, "test");
    make_table(root);
    auto engine = engine_on(server);
    auto spec = add_column();
    spec.options.hold_budget = std::chrono::seconds(10);  // its first attempt has a sixteenth of it
    const std::string id = begin(*engine, spec);
    wait_for_ready(*engine, id);
    const std::string before = engine->find(id)->stream_position;
    for (const std::string row : {"4", "5", "6"}) {
        root.exec("FLUSH LOGS");
        root.exec("INSERT INTO t VALUES (" + row + ", " + row + ")");
        wait_for_value(root, "SELECT COUNT(*) FROM _t_gho WHERE id = " + row, "1");
    }
    if (!gtid) {
        CHECK(contains(before, "binlog.99999"));
        // The snapshot is published a moment after the change has been applied.
        wait_until(*engine, id, [](const auto& seen) { return contains(seen.stream_position, "binlog.1000"); });
    }
    // Nothing but the head of a file stands behind the last change.
    root.exec("FLUSH LOGS");
    cut_over(*engine, id);
    CHECK(engine->find(id)->cutover_attempts.size() == 1);
    CHECK(root.scalar("SELECT SUM(v + extra) FROM t") == "39");
}

TEST_CASE("a change that is logged as a statement ends the migration, the table as it was") {
    struct change {
        const char* setting;
        const char* statement;
    };
    const auto kind = GENERATE(from_range(all_kinds));
    const auto one = GENERATE(values<change>({
        {"STATEMENT", "UPDATE t SET v = v + 1 WHERE id = 1"},
        {"MIXED", "INSERT INTO t VALUES (9, 9)"},
        {"STATEMENT", "/* c */ REPLACE INTO `test`.`t` VALUES (1, 2)"},
        {"STATEMENT", "DO change_it()"},
        {"STATEMENT", "WITH c AS (SELECT 1 AS id) DELETE FROM t WHERE id IN (SELECT id FROM c)"},
    }));
    if (contains(one.statement, "WITH") && kind != server_kind::mysql_9_7) return;  // not before DELETE there
    CAPTURE(throwaway::to_string(kind), one.setting, one.statement);
    const mysql_server server = start(kind, false, {"--log-bin-trust-function-creators=ON"});
    sql_connection root = connect(server, "test");
    make_table(root);
    root.exec(
        "CREATE FUNCTION change_it() RETURNS INT MODIFIES SQL DATA BEGIN UPDATE t SET v = 7 WHERE id = 1; RETURN 1; "
        "END");
    auto engine = engine_on(server);
    const std::string id = begin(*engine);
    wait_for_ready(*engine, id);
    sql_connection client = connect(server, "test");
    client.exec(std::string("SET SESSION binlog_format = '") + one.setting + "'");
    client.exec(one.statement);
    const auto ended = wait_for_end(*engine, id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::failed);
    CHECK(ended->error->code == "statement_based_change");
    CHECK(root.query("SELECT table_name FROM information_schema.tables WHERE table_schema = 'test'") == rows{{"t"}});
}

TEST_CASE("what empties the table or puts other rows in its place ends the migration") {
    const auto kind = GENERATE(from_range(all_kinds));
    const auto statement =
        GENERATE(as<std::string>{}, "/* by the job */ TRUNCATE TABLE t", "-- x\n TRUNCATE t",
                 "ALTER TABLE t TRUNCATE PARTITION p0", "ALTER TABLE t EXCHANGE PARTITION p0 WITH TABLE x",
                 "CREATE OR REPLACE TABLE t (id INT PRIMARY KEY, v INT NOT NULL) ENGINE=InnoDB PARTITION BY HASH (id) "
                 "PARTITIONS 2",
                 "RENAME TABLE t TO t2, x TO t");
    if (contains(statement, "OR REPLACE") && kind != server_kind::mariadb_10_11) return;
    CAPTURE(throwaway::to_string(kind), statement);
    const mysql_server server = start(kind, false);
    sql_connection root = connect(server, "test");
    root.exec("CREATE TABLE t (id INT PRIMARY KEY, v INT NOT NULL) ENGINE=InnoDB PARTITION BY HASH (id) PARTITIONS 2");
    root.exec("CREATE TABLE x (id INT PRIMARY KEY, v INT NOT NULL) ENGINE=InnoDB");
    root.exec("INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)");
    auto engine = engine_on(server);
    const std::string id = begin(*engine);
    wait_for_ready(*engine, id);
    root.exec(statement);
    const auto ended = wait_for_end(*engine, id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::failed);
    CHECK(ended->error->code == "original_changed");
}

TEST_CASE("who may stand in the way of the table's lock is told as far as the server knows it") {
    const auto kind = GENERATE(from_range(all_kinds));
    CAPTURE(throwaway::to_string(kind));
    const mysql_server server = start(kind, true);
    sql_connection root = connect(server, "test");
    make_table(root);
    sql_connection client(server.port(), app_user, app_password, "test");
    client.exec("START TRANSACTION");
    client.query("SELECT * FROM t");  // no row lock, for which the copy would wait already
    auto session = migration::mysql_executor(engine_address(server)).connect();
    REQUIRE(session);
    const auto family = migration::family_of(**session);
    REQUIRE(family);
    const auto open = migration::open_transactions(**family, **session);
    REQUIRE(open.size() == 1);
    CHECK(open[0].connection_id == client.connection_id());
    CHECK(contains(open[0].client, "app@"));
    const auto holders = migration::lock_holders(**family, {"test", "t"}, **session);
    CHECK(holders.size() == (kind == server_kind::mysql_9_7 ? 1 : 0));

    auto spec = add_column();
    spec.options.postpone_cutover = false;
    spec.options.hold_budget = std::chrono::milliseconds(200);
    auto engine = engine_on(server);
    const std::string id = begin(*engine, spec);
    const auto waiting = wait_until(*engine, id, [&](const auto& s) {
        const bool named = contains(s.waiting_for, "app@");
        const bool reported = !s.cutover_attempts.empty() && !s.cutover_attempts.back().blockers.empty();
        return named || reported || is_final(s.state);
    });
    INFO(error_text(*waiting));
    CHECK_FALSE(is_final(waiting->state));
    client.exec("COMMIT");
    CHECK(wait_for_end(*engine, id)->state == migration_state::completed);
    CHECK(root.scalar("SELECT SUM(v + extra) FROM t") == "15");
}

TEST_CASE("the engine's lock on a migration does not cost it the one by which a lost connection is found") {
    // Before 5.7.5 a session has one user-level lock: taking a second gives the first one back.
    const auto kind = GENERATE(from_range(all_kinds));
    CAPTURE(throwaway::to_string(kind));
    const mysql_server server = start(kind, true);
    sql_connection root = connect(server, "test");
    make_table(root);
    migration::mysql_executor executor(engine_address(server));
    migration::reconnecting_session session(executor, [] { return false; });
    REQUIRE(session.connect().has_value());
    const auto got = session.take_lock("of the migration", 1);
    REQUIRE(got.has_value());
    CHECK(*got);
    const std::string lost = std::to_string(session.connection_id());
    CHECK(root.scalar("SELECT IS_USED_LOCK('of the migration')") == lost);
    root.exec("KILL " + lost);
    // Whoever asks leaves again: on a busy machine the killed session of a 5.6 may be waiting on the next connection's
    // socket, which has got the number of its own, until that is closed (seen in poll() of 5.6.24).
    wait_until("the end of the killed session", [&] {
        return connect(server, "test").scalar("SELECT IFNULL(IS_USED_LOCK('of the migration'), 'free')") == "free";
    });
    sql_connection other = connect(server, "test");
    CHECK(other.scalar("SELECT GET_LOCK('of the migration', 60)") == "1");
    const auto told = session.run("SELECT 1");
    REQUIRE(told.has_error());
    CHECK(told.error().code == "connection_lost");
    CHECK(told.error().then == migration::disposition::retry);
    // Whoever has the lock now is not taken for the lost connection.
    CHECK(other.scalar("SELECT IS_USED_LOCK('of the migration') = CONNECTION_ID()") == "1");
    const auto again = session.take_lock("of the migration", 0);
    REQUIRE(again.has_value());
    CHECK_FALSE(*again);
    other.exec("DO RELEASE_LOCK('of the migration')");
    const auto later = session.take_lock("of the migration", 0);
    REQUIRE(later.has_value());
    CHECK(*later);
    CHECK(root.scalar("SELECT IS_USED_LOCK('of the migration')") == std::to_string(session.connection_id()));
}

TEST_CASE("MariaDB's fractions of a second of old are refused where the log does not say how long they are") {
    const mysql_server server = start(server_kind::mariadb_10_11, true, {"--mysql56-temporal-format=OFF"});
    sql_connection root = connect(server, "test");
    const bool has_fraction = GENERATE(true, false);
    CAPTURE(has_fraction);
    root.exec(std::string("CREATE TABLE t (at DATETIME") + (has_fraction ? "(3)" : "") +
              ", id INT PRIMARY KEY, v INT NOT NULL) ENGINE=InnoDB");
    root.exec("INSERT INTO t VALUES ('2024-01-02 03:04:05', 1, 1)");
    auto engine = engine_on(server);
    const std::string id = begin(*engine);
    wait_for_ready(*engine, id);
    root.exec("INSERT INTO t VALUES ('2024-01-02 03:04:06', 2, 2)");
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    const auto ended = wait_for_end(*engine, id);
    INFO(error_text(*ended));
    CHECK(ended->state == (has_fraction ? migration_state::failed : migration_state::completed));
    if (has_fraction) CHECK(ended->error->code == "binlog_undecodable");
    CHECK(root.scalar("SELECT SUM(v) FROM t") == "3");
}
