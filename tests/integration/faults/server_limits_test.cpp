// Limits of the server that the work meets: sizes of transactions and packets are worked around where they can be, a
// full tablespace and lost rights are a clear end.

#include "tests/integration/faults/fault_rig.hpp"

#include <atomic>

using namespace sluice;
using namespace sluice::test;

namespace {

mysql_server start_with(std::vector<std::string> arguments, server_kind kind = server_kind::mysql_9_7) {
    server_options options;
    options.kind = kind;
    options.extra_arguments = std::move(arguments);
    return mysql_server::start(options);
}

/// t with `rows` rows of `bytes` each in a BLOB.
void make_wide_table(sql_connection& root, int rows, int bytes) {
    root.exec("CREATE TABLE t (id INT PRIMARY KEY, v INT NOT NULL, wide LONGBLOB)");
    for (int id = 1; id <= rows; ++id) {
        root.exec("INSERT INTO t VALUES (" + std::to_string(id) + ", 1, REPEAT('x', " + std::to_string(bytes) + "))");
    }
}

void set_binlog_cache(sql_connection& root, const std::string& bytes) {
    root.exec("SET GLOBAL binlog_cache_size = 4096");
    root.exec("SET GLOBAL max_binlog_cache_size = " + bytes);
}

server_kind any_kind() { return GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11); }

}  // namespace

TEST_CASE("chunks and batches larger than max_binlog_cache_size are cut until they fit") {
    const auto kind = any_kind();
    INFO(to_string(kind));
    const mysql_server server = start_with({}, kind);
    sql_connection root = connect(server, "test");
    sql_connection eyes = connect(server, "test");
    make_wide_table(root, 100, 10'000);
    // This session wrote to the log before, so it keeps the old limit.
    set_binlog_cache(eyes, "65536");
    std::atomic<int> too_large{0};
    statement_hook hook;
    hook.after = [&](std::string_view, std::uint64_t, auto& answer) {
        if (!answer && answer.error().server_errno == 1197) ++too_large;
    };
    auto engine = engine_on(server, migration::open_traffic_gate(), hook);
    const std::string id = run_until_ready(*engine);
    const int by_copy = too_large;
    CHECK(by_copy > 0);
    CHECK(engine->find(id)->rows_copied == 100);
    root.exec("UPDATE t SET v = 2");
    wait_until(*engine, id, [](const auto& s) { return s.deltas_applied >= 100 || is_final(s.state); });
    CHECK(too_large > by_copy);
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    const auto ended = wait_for_end(*engine, id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration::migration_state::completed);
    CHECK(eyes.scalar("SELECT COUNT(*) FROM t WHERE v = 2 AND wide = REPEAT('x', 10000)") == "100");
}

TEST_CASE("rows larger than max_binlog_cache_size travel one at a time") {
    // The servers look at the limit only between two writes to the cache, so that one row alone always fits.
    const auto kind = any_kind();
    INFO(to_string(kind));
    const mysql_server server = start_with({}, kind);
    sql_connection root = connect(server, "test");
    make_wide_table(root, 10, 200'000);
    set_binlog_cache(root, "65536");
    auto engine = engine_on(server);
    const std::string id = run_until_ready(*engine);
    CHECK(engine->find(id)->rows_copied == 10);
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    const auto ended = wait_for_end(*engine, id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration::migration_state::completed);
    CHECK(connect(server, "test").scalar("SELECT COUNT(*) FROM t WHERE wide = REPEAT('x', 200000)") == "10");
}

TEST_CASE("statements stay below max_allowed_packet, and rows above it travel inside the server") {
    const auto kind = any_kind();
    INFO(to_string(kind));
    const mysql_server server = start_with({}, kind);
    sql_connection root = connect(server, "test");
    root.exec("CREATE TABLE t (k VARBINARY(700) PRIMARY KEY, v INT NOT NULL, wide LONGBLOB)");
    std::string values;
    for (int i = 0; i < 400; ++i) {
        values += (i == 0 ? "" : ", ") + ("(RPAD('" + std::to_string(i) + "', 700, 'k'), 1, REPEAT('x', 100))");
    }
    root.exec("INSERT INTO t VALUES " + values);
    root.exec("INSERT INTO t VALUES ('large', 1, REPEAT('y', 300000))");
    // For sessions that begin from now on.
    connect(server).exec("SET GLOBAL max_allowed_packet = 65536");
    auto engine = engine_on(server);
    auto spec = postponed_spec();
    spec.options.apply_batch_keys = 400;
    const std::string id = run_until_ready(*engine, spec);
    root.exec("UPDATE t SET v = 2");
    wait_until(*engine, id, [](const auto& s) { return s.deltas_applied >= 401 || is_final(s.state); });
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    const auto ended = wait_for_end(*engine, id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration::migration_state::completed);
    CHECK(root.scalar("SELECT COUNT(*) FROM t WHERE v = 2 AND extra = 3") == "401");
    CHECK(root.scalar("SELECT wide = REPEAT('y', 300000) FROM t WHERE k = 'large'") == "1");
}

TEST_CASE("a full tablespace ends the migration, and the ghost gives its space back") {
    const mysql_server server =
        start_with({"--innodb-file-per-table=0", "--innodb-data-file-path=ibdata1:12M:autoextend:max:32M"});
    sql_connection root = connect(server, "test");
    make_wide_table(root, 20, 800'000);
    auto engine = engine_on(server);
    const auto created = engine->create(postponed_spec());
    REQUIRE(created);
    const auto ended = require_failed(*engine, (*created)->id, "out_of_space");
    CHECK(ended->leftovers.empty());
    CHECK(artefacts(root).empty());
    CHECK(root.scalar("SELECT COUNT(*) FROM t WHERE LENGTH(wide) = 800000") == "20");
    // There is room again: also for the end of the migration itself.
    root.exec("INSERT INTO t VALUES (21, 1, REPEAT('x', 800000))");
    CHECK(root.scalar("SELECT state FROM _sluice.migrations") == "failed");
}

TEST_CASE("rights that are lost on the way are a clear end; what cannot be dropped any more is named") {
    const auto kind = any_kind();
    const auto statement =
        GENERATE(as<std::string>{}, "REVOKE INSERT ON *.* FROM 'sluice'@'%'", "DROP USER 'sluice'@'%'");
    INFO(to_string(kind) << ": " << statement);
    const mysql_server server = start_with({}, kind);
    sql_connection root = connect(server, "test");
    make_table(root);
    auto engine = engine_on(server);
    const std::string id = run_until_ready(*engine);
    root.exec(statement);
    // Sessions keep global rights for as long as they live.
    for (const auto& row : root.query("SELECT id FROM information_schema.processlist WHERE user = 'sluice'")) {
        root.error_of("KILL " + *row[0]);
    }
    root.exec("UPDATE t SET v = 2");
    const auto ended = require_failed(*engine, id, "access_denied");
    CHECK(root.scalar("SELECT COUNT(*) FROM t WHERE v = 2") == "1000");
    if (contains(statement, "DROP USER")) {
        CHECK(ended->leftovers == std::vector<std::string>{"`test`.`_t_gho`", "`test`.`_t_ghc`"});
    } else {
        CHECK(ended->leftovers.empty());
        CHECK(artefacts(root).empty());
    }
}

TEST_CASE("a delta set that is full by bytes slows the stream and loses nothing") {
    const mysql_server server = start_with({});
    sql_connection root = connect(server, "test");
    root.exec("CREATE TABLE t (id INT PRIMARY KEY, v INT NOT NULL)");
    for (int begin = 0; begin < 30'000; begin += 10'000) {
        std::string values;
        for (int id = begin; id < begin + 10'000; ++id) {
            values += (id == begin ? "(" : ", (") + std::to_string(id) + ", 1)";
        }
        root.exec("INSERT INTO t VALUES " + values);
    }
    auto spec = postponed_spec();
    spec.options.delta_bytes_max = 1024 * 1024;
    spec.options.apply_workers = 1;
    auto engine = engine_on(server);
    const std::string id = run_until_ready(*engine, spec);
    // Twelve times what fits; a key of this table takes well over 128 bytes, an event brings a thousand at the most.
    std::uint64_t largest = 0;
    const auto watch = [&](const auto& s) {
        largest = std::max(largest, s.backlog_keys);
        return is_final(s.state);
    };
    for (int value = 2; value <= 4; ++value) root.exec("UPDATE t SET v = " + std::to_string(value));
    wait_until(*engine, id, [&](const auto& s) { return watch(s) || s.deltas_seen >= 90'000; });
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    const auto ended = wait_until(*engine, id, watch);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration::migration_state::completed);
    CHECK(largest > 0);
    CHECK(largest < 1024 * 1024 / 128 + 1'000);
    CHECK(root.scalar("SELECT COUNT(*) FROM t WHERE v = 4 AND extra = 3") == "30000");
}
