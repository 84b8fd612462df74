// Transactions whose snapshot is older than the swap. A new table is filled in the meantime, so to them it is short.

#include "bench/throwaway/child_process.hpp"
#include "bench/throwaway/programs.hpp"
#include "protocol/message/prepared.hpp"
#include "protocol/message/statement_command.hpp"
#include "tests/integration/proxy_gated_move.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace sluice::test {
namespace {

using protocol::command;
TEST_CASE("on the bare server an old snapshot finds a part of the table, and nothing says so") {
    for (const auto kind : every_server) {
        half_copied test(kind);
        auto reader = connect(shared_server(kind), "test");
        reader.exec("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
        reader.exec("START TRANSACTION WITH CONSISTENT SNAPSHOT");
        test.fill();
        test.rename();
        CHECK(reader.scalar(count) == "7");
        reader.exec("COMMIT");
        CHECK(reader.scalar(count) == std::to_string(all_rows));
    }
}

TEST_CASE("what reads by an old snapshot, and what by locks or anew") {
    // The facts on which snapshots are judged (proxy/session/isolation_tracker.cpp, reads_by_snapshot).
    for (const auto kind : every_server) {
        struct {
            const char* level;
            const char* statement;
            bool is_short;
        } const cases[] = {
            {"REPEATABLE READ", "SELECT COUNT(*) FROM moved", true},
            {"REPEATABLE READ", "SELECT COUNT(*) FROM moved FOR UPDATE", false},
            {"REPEATABLE READ", "SELECT COUNT(*) FROM moved LOCK IN SHARE MODE", false},
            {"SERIALIZABLE", "SELECT COUNT(*) FROM moved", false},
            {"READ COMMITTED", "SELECT COUNT(*) FROM moved", false},
            {"READ UNCOMMITTED", "SELECT COUNT(*) FROM moved", false},
        };
        for (const auto& c : cases) {
            INFO(c.level << ": " << c.statement);
            half_copied test(kind);
            auto reader = connect(shared_server(kind), "test");
            reader.exec(std::string("SET SESSION TRANSACTION ISOLATION LEVEL ") + c.level);
            reader.exec("BEGIN");
            (void)reader.scalar("SELECT COUNT(*) FROM beside");
            test.fill();
            test.rename();
            CHECK(reader.scalar(c.statement) == (c.is_short ? "7" : std::to_string(all_rows)));
        }
        half_copied test(kind);
        auto writer = connect(shared_server(kind), "test");
        writer.exec("BEGIN");
        (void)writer.scalar("SELECT COUNT(*) FROM beside");
        test.fill();
        test.rename();
        CHECK(writer.exec("UPDATE moved SET v = 'x'") == all_rows);
        CHECK(writer.exec("DELETE FROM moved") == all_rows);
        writer.exec("ROLLBACK");
    }
}

TEST_CASE("through Sluice an old snapshot is answered with 1412, and its transaction goes on") {
    for (const auto kind : every_server) {
        struct {
            std::vector<const char*> before;
            bool refused;
        } const cases[] = {
            {{"START TRANSACTION WITH CONSISTENT SNAPSHOT"}, true},
            {{"BEGIN", "SELECT * FROM beside"}, true},
            {{"SET autocommit = 0", "SELECT * FROM beside"}, true},
            {{"BEGIN"}, false},
            {{"BEGIN", "SELECT * FROM beside", "COMMIT", "BEGIN"}, false},
            {{}, false},
            {{"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "BEGIN", "SELECT * FROM beside"}, false},
        };
        for (const auto& c : cases) {
            gated_move test(kind);
            auto reader = test.proxied.client();
            for (const char* statement : c.before) REQUIRE(reader.query(statement).is_ok);
            INFO((c.before.empty() ? "nothing" : c.before.back()));
            const auto report = test.swap();
            CHECK(report.old_snapshots == (c.refused ? 1 : 0));
            if (!c.refused) {
                CHECK(reader.query(count).rows == rows{{std::to_string(all_rows)}});
                continue;
            }
            CHECK(is_refusal(reader.query(count)));
            CHECK(reader.query("INSERT INTO beside VALUES (99, 'kept')").affected_rows == 1);
            CHECK(is_refusal(reader.query(count)));
            // Also when the migration is over.
            test.gate.reset();
            CHECK(is_refusal(reader.query(count)));
            CHECK(reader.query("COMMIT").is_ok);
            CHECK(reader.query(count).rows == rows{{std::to_string(all_rows)}});
            CHECK(test.root.scalar("SELECT v FROM beside WHERE id = 99") == "kept");
            CHECK(test.proxied.proxy->statistics().snapshots_refused == 3);
        }
    }
}

TEST_CASE("what was sent ahead for a refused execution does not stay with the statement") {
    for (const auto kind : every_server) {
        INFO(to_string(kind));
        gated_move test(kind);
        auto reader = test.proxied.client();
        reader.send_command(command::stmt_prepare, "SELECT ?, COUNT(*) FROM moved");
        const auto head = protocol::parse_prepare_ok(reader.receive_packet().payload, reader.capabilities());
        REQUIRE(head.has_value());
        const int eofs = protocol::has(reader.capabilities(), protocol::capability::deprecate_eof) ? 0 : 1;
        for (int i = 0; i < 3 + 2 * eofs; ++i) (void)reader.receive_packet();
        REQUIRE(reader.query("BEGIN").is_ok);
        REQUIRE(reader.query("SELECT * FROM beside").is_ok);
        test.swap();
        const auto execute_with = [&](std::string_view data) {
            protocol::byte_buffer piece;
            protocol::serialise(piece, protocol::stmt_send_long_data{head->statement_id, 0, protocol::as_bytes(data)});
            reader.send_packet(piece);
            std::string body(4, '\0');
            for (unsigned i = 0; i < 4; ++i) body[i] = static_cast<char>(head->statement_id >> (8 * i));
            body.append("\0\1\0\0\0\0\1\xFC\0", 9);  // its parameter: a BLOB, sent ahead
            reader.send_command(command::stmt_execute, body);
        };
        execute_with("in vain ");
        CHECK(is_refusal(reader.receive_result()));
        CHECK(reader.query("COMMIT").is_ok);
        execute_with("seen");
        for (int i = 0; i < 3 + eofs; ++i) (void)reader.receive_packet();
        const auto row = reader.receive_packet().text();
        CHECK(row.find("\x04seen") != std::string::npos);
        (void)reader.receive_packet();
        CHECK(reader.query(count).rows == rows{{std::to_string(all_rows)}});
    }
}

TEST_CASE("the server is asked how a transaction reads of which the proxy does not know") {
    half_copied unused;
    auto root = connect(shared_server(server_kind::mysql_9_7), "test");
    std::size_t asked = 0;
    proxy::watch_rules rules;
    rules.ask_transactions = [&] {
        ++asked;
        std::vector<proxy::open_transaction> all;
        for (const auto& row :
             root.query("SELECT trx_mysql_thread_id, trx_isolation_level FROM information_schema.INNODB_TRX")) {
            all.push_back({std::stoull(*row[0]), *row[1] != "REPEATABLE READ"});
        }
        return all;
    };
    gated_move test(server_kind::mysql_9_7, rules);
    // A server's default that no statement of the session tells.
    root.exec("SET GLOBAL transaction_isolation = 'READ-COMMITTED'");
    auto committed = test.proxied.client();
    root.exec("SET GLOBAL transaction_isolation = 'REPEATABLE-READ'");
    auto repeatable = test.proxied.client();
    for (auto* client : {&committed, &repeatable}) {
        REQUIRE(client->query("BEGIN").is_ok);
        REQUIRE(client->query("SELECT * FROM beside").is_ok);
    }
    CHECK(test.swap().old_snapshots == 1);
    CHECK(asked == 1);
    CHECK(committed.query(count).rows == rows{{std::to_string(all_rows)}});
    CHECK(is_refusal(repeatable.query(count)));
}

TEST_CASE("a sealed gate lets nobody come between its drain and the swap") {
    gated_move test;
    auto reader = test.proxied.client();
    REQUIRE(reader.query("BEGIN").is_ok);
    REQUIRE(reader.query("SELECT * FROM beside").is_ok);
    auto fresh = test.proxied.client();
    REQUIRE(fresh.query("BEGIN").is_ok);
    test.fill();
    test.gate->close(in(20s));
    REQUIRE(test.gate->wait_drained(in(5s)));
    REQUIRE(test.gate->seal(in(5s)));
    reader.send_command(command::query, count);
    fresh.send_command(command::query, "SELECT COUNT(*) FROM beside");
    REQUIRE(eventually([&] { return test.proxied.proxy->statistics().statements_held_now == 2; }));
    test.rename();
    test.gate->open(proxy::gate_end::swapped);
    CHECK(is_refusal(reader.receive_result()));
    CHECK(fresh.receive_result().is_ok);
    CHECK(fresh.query(count).rows == rows{{std::to_string(all_rows)}});
}

TEST_CASE("at a full gate no older snapshot comes to read the new table") {
    proxy::proxy_options options;
    options.io_threads = 1;
    options.held_statements_max = 1;
    gated_move test(server_kind::mysql_9_7, {}, options);
    auto reader = test.proxied.client();
    REQUIRE(reader.query("BEGIN").is_ok);
    REQUIRE(reader.query("SELECT * FROM beside").is_ok);
    auto waiting = test.proxied.client();
    test.gate->close(in(10s));
    REQUIRE(test.gate->wait_drained(in(5s)));
    REQUIRE(test.gate->seal(in(5s)));
    waiting.send_command(command::query, "SELECT COUNT(*) FROM moved FOR UPDATE");
    REQUIRE(eventually([&] { return test.proxied.proxy->statistics().statements_held_now == 1; }));
    test.root.exec("LOCK TABLES moved WRITE, moved_new WRITE");

    SECTION("it goes on before the swap is announced: none follows") {
        reader.send_command(command::query, count);
        auto looking = connect(shared_server(server_kind::mysql_9_7), "test");
        REQUIRE(eventually([&] {
            return looking.scalar("SELECT COUNT(*) FROM performance_schema.processlist WHERE info = '" + count +
                                  "' AND state = 'Waiting for table metadata lock'") == "1";
        }));
        const bool announced = test.gate->announce_swap(in(5s));
        CHECK_FALSE(announced);
        if (announced) {
            test.fill();
            test.rename();
        }
        test.root.exec("UNLOCK TABLES");
        const auto report = test.gate->open(announced ? proxy::gate_end::swapped : proxy::gate_end::given_up);
        CHECK(report.overflowed == 1);
        CHECK(reader.receive_result().rows == rows{{std::to_string(all_rows)}});
    }
    SECTION("it comes behind the announcement: it is refused") {
        REQUIRE(test.gate->announce_swap(in(5s)));
        CHECK(is_refusal(reader.query(count)));
        test.fill();
        test.rename();
        test.root.exec("UNLOCK TABLES");
        CHECK(test.gate->open(proxy::gate_end::swapped).overflowed == 0);
        CHECK(is_refusal(reader.query(count)));
        CHECK(reader.query("COMMIT").is_ok);
        CHECK(reader.query(count).rows == rows{{std::to_string(all_rows)}});
    }
    CHECK(waiting.receive_result().rows == rows{{std::to_string(all_rows)}});
}

TEST_CASE("young transactions with a snapshot are waited for; the table used again breaks the seal") {
    gated_move test;
    auto reader = test.proxied.client();
    REQUIRE(reader.query("BEGIN").is_ok);
    REQUIRE(reader.query("SELECT * FROM beside").is_ok);
    CHECK(test.gate->old_snapshots().size() == 1);
    CHECK(test.gate->blockers().empty());
    test.gate->close(in(300s));  // of which a tenth is waited
    REQUIRE(test.gate->wait_drained(in(5s)));
    std::thread ends([&] { (void)reader.query("COMMIT"); });
    REQUIRE(test.gate->seal(in(20s)));
    ends.join();
    CHECK(test.gate->open(proxy::gate_end::swapped).old_snapshots == 0);

    REQUIRE(reader.query("BEGIN").is_ok);
    REQUIRE(reader.query("SELECT * FROM beside").is_ok);
    test.gate->close(in(20s));
    REQUIRE(test.gate->wait_drained(in(5s)));
    REQUIRE(reader.query("SELECT COUNT(*) FROM moved").is_ok);
    CHECK_FALSE(test.gate->seal(in(5s)));
    CHECK_FALSE(test.gate->wait_drained(in(20ms)));
    REQUIRE(reader.query(count).is_ok);  // not sealed: it must be able to end
    REQUIRE(reader.query("COMMIT").is_ok);
    CHECK(test.gate->wait_drained(in(5s)));
    CHECK(test.gate->seal(in(5s)));
    test.gate->open();
}

struct dump {
    throwaway::launch launch;
    std::filesystem::path output;
    int status = -1;
    std::thread runner;

    explicit dump(std::uint16_t port, const std::vector<std::string>& tables) {
        output = shared_server(server_kind::mysql_9_7).folder() / "dump-output";
        std::filesystem::remove(output);
        launch.command = throwaway::client_command("mysqldump");
        launch.command.insert(launch.command.end(),
                              {"--host=127.0.0.1", "--port=" + std::to_string(port), "--user=dumper",
                               "--password=secret", "--get-server-public-key", "--single-transaction",
                               "--set-gtid-purged=OFF", "--no-tablespaces", "--skip-extended-insert", "test"});
        launch.command.insert(launch.command.end(), tables.begin(), tables.end());
        launch.output = output;
        runner = std::thread([this] { status = throwaway::run(launch); });
    }
    std::string text() {
        runner.join();
        std::ostringstream all;
        all << std::ifstream(output).rdbuf();
        return all.str();
    }
};

std::size_t rows_of(const std::string& dumped, const std::string& table) {
    std::size_t found = 0;
    const std::string insert = "INSERT INTO `" + table + "`";
    for (auto at = dumped.find(insert); at != std::string::npos; at = dumped.find(insert, at + 1)) ++found;
    return found;
}

TEST_CASE("a mysqldump --single-transaction that crosses a swap ends with a clear error, never short") {
    gated_move test;
    test.root.exec("CREATE USER IF NOT EXISTS dumper@'%' IDENTIFIED BY 'secret'");
    test.root.exec("GRANT ALL ON test.* TO dumper@'%'");
    // The dump has its snapshot, and waits before a table that it reads first.
    const auto waits = [&] {
        return eventually([&] {
            return test.root.scalar(
                       "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'dumper' AND "
                       "STATE LIKE 'Waiting for table metadata lock%'") == "1";
        });
    };
    auto locker = connect(shared_server(server_kind::mysql_9_7), "test");

    SECTION("on the bare server it is short, and says that it has succeeded") {
        locker.exec("LOCK TABLES beside WRITE");
        dump direct(shared_server(server_kind::mysql_9_7).port(), {"beside", "moved"});
        const bool waited = waits();
        test.fill();
        test.rename();
        locker.exec("UNLOCK TABLES");
        const auto text = direct.text();
        INFO(text);
        CHECK(waited);
        CHECK(direct.status == 0);
        CHECK(rows_of(text, "moved") == 7);
    }
    SECTION("through Sluice, the table not yet read") {
        locker.exec("LOCK TABLES beside WRITE");
        dump proxied(test.proxied.port(), {"beside", "moved"});
        const bool waited = waits();
        const bool seen = test.gate->old_snapshots().size() == 1;
        test.swap();
        locker.exec("UNLOCK TABLES");
        const auto text = proxied.text();
        INFO(text);
        CHECK(waited);
        CHECK(seen);
        CHECK(proxied.status != 0);
        CHECK_THAT(text, Catch::Matchers::Contains("1412"));
        CHECK_THAT(text, Catch::Matchers::Contains("Table definition has changed"));
        CHECK(rows_of(text, "moved") == 0);
    }
    SECTION("through Sluice, the table already read: it is waited for, and right") {
        locker.exec("LOCK TABLES beside WRITE");
        dump proxied(test.proxied.port(), {"moved", "beside"});
        const bool waited = waits();
        test.fill();
        test.gate->close(in(5s));
        const bool drained = test.gate->wait_drained(in(50ms));
        test.gate->open();
        locker.exec("UNLOCK TABLES");
        const auto text = proxied.text();
        INFO(text);
        CHECK(waited);
        CHECK_FALSE(drained);
        CHECK(proxied.status == 0);
        CHECK(rows_of(text, "moved") == all_rows);
        CHECK(test.gate->wait_drained(in(5s)));
    }
}

}  // namespace
}  // namespace sluice::test
