// What a session may hold on a watched table, judged by the server: whenever performance_schema.metadata_locks shows a
// granted lock of the connection that outlives its statement, or, on servers that have no such table, another session
// cannot lock the table, the proxy must count the session as using the table. And at the end of each script, when
// nothing is held any more, it must not.

#include "protocol/message/prepared.hpp"
#include "protocol/message/statement_command.hpp"
#include "tests/integration/proxy_fixture.hpp"

#include <functional>
#include <optional>

namespace sluice::test {
namespace {

using protocol::command;
namespace capability = protocol::capability;

constexpr std::uint16_t error_not_preparable = 1295;
constexpr auto npos = std::string_view::npos;

struct script {
    const char* name;
    std::vector<const char*> steps;
    bool holds = true;  ///< the server is seen to hold a lock on the table meanwhile
};

const std::vector<script> scripts = {
    {"autocommit", {"SELECT * FROM watched", "UPDATE watched SET v = 'a' WHERE id = 1"}, false},
    {"transaction", {"BEGIN", "SELECT 1", "SELECT * FROM watched", "SELECT 2", "COMMIT"}},
    {"chain", {"BEGIN", "SELECT * FROM watched", "COMMIT AND CHAIN", "SELECT * FROM watched", "ROLLBACK"}},
    {"begin again", {"BEGIN", "SELECT * FROM watched", "BEGIN", "SELECT * FROM watched", "COMMIT"}},
    {"another table", {"BEGIN", "SELECT * FROM other_table", "SELECT 1", "COMMIT"}, false},
    {"failed statement", {"BEGIN", "SELECT nope FROM watched", "SELECT * FROM nowhere", "ROLLBACK"}},
    {"failed row", {"BEGIN", "INSERT INTO watched VALUES (1, 'again')", "SELECT nope", "ROLLBACK"}},
    {"a number that looks like a deadlock",
     {"BEGIN", "SELECT * FROM watched", "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213", "SELECT nope", "ROLLBACK"}},
    {"without autocommit",
     {"SET autocommit = 0", "SELECT * FROM watched", "COMMIT", "SELECT nope FROM watched", "SELECT nope", "ROLLBACK",
      "UPDATE watched SET v = 'b' WHERE id = 2", "SET autocommit = 1"}},
    {"implicit commit",
     {"BEGIN", "SELECT * FROM watched", "CREATE TABLE IF NOT EXISTS made_here (a INT)", "SELECT * FROM made_here",
      "BEGIN", "SELECT * FROM watched", "DROP TABLE made_here", "SELECT 1"}},
    {"set transaction",
     {"SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION READ ONLY", "SELECT * FROM watched",
      "COMMIT"}},
    {"savepoints",
     {"BEGIN", "SAVEPOINT s", "SELECT * FROM watched", "ROLLBACK TO SAVEPOINT s", "SELECT * FROM watched",
      "RELEASE SAVEPOINT s", "COMMIT"}},
    {"snapshot", {"START TRANSACTION WITH CONSISTENT SNAPSHOT", "SELECT 1", "COMMIT"}, false},
    {"several statements",
     {"BEGIN; SELECT * FROM watched", "SELECT 1; SELECT 2", "COMMIT; SELECT 1",
      "SELECT 1; BEGIN; SELECT * FROM watched; SELECT nope; COMMIT", "SELECT nope", "ROLLBACK",
      "SELECT 1; LOCK TABLES watched READ; SELECT nope", "SELECT nope", "UNLOCK TABLES; SELECT 1"}},
    {"procedure that begins", {"CALL begins()", "SELECT 1", "COMMIT"}},
    {"procedure that begins and fails", {"CALL begins_and_fails()", "SELECT nope", "SELECT nope", "ROLLBACK"}},
    {"it, in one text", {"SELECT 1; CALL begins_and_fails(); SELECT 1", "SELECT nope", "ROLLBACK"}},
    {"procedure without autocommit that fails",
     {"CALL switches_and_fails()", "SELECT nope FROM watched", "SELECT nope", "ROLLBACK", "SET autocommit = 1"}},
    {"procedure that commits", {"BEGIN", "SELECT * FROM watched", "CALL commits()", "SELECT * FROM other_table"}},
    {"by the text of a prepared one",
     {"BEGIN", "PREPARE p FROM 'SELECT * FROM watched'", "EXECUTE p", "DEALLOCATE PREPARE p", "COMMIT"}},
    {"locked tables",
     {"LOCK TABLES watched READ", "SELECT * FROM watched", "COMMIT", "SELECT 1", "UNLOCK TABLES",
      "LOCK TABLES watched WRITE", "LOCK TABLES other_table READ", "LOCK TABLES watched READ, nowhere READ",
      "UNLOCK TABLES"}},
    {"locked tables and BEGIN", {"LOCK TABLES watched WRITE", "BEGIN", "SELECT 1", "COMMIT"}},
    {"locked tables without autocommit",
     {"SET autocommit = 0", "LOCK TABLES watched WRITE", "SELECT * FROM watched", "COMMIT", "SELECT 1", "UNLOCK TABLES",
      "SET autocommit = 1"}},
    {"handler",
     {"HANDLER watched OPEN", "HANDLER watched READ FIRST", "BEGIN", "SELECT * FROM other_table", "COMMIT", "SELECT 1",
      "HANDLER watched CLOSE"}},
    {"two handlers",
     {"HANDLER test.watched OPEN AS `One`", "HANDLER watched OPEN two", "HANDLER one CLOSE", "ROLLBACK",
      "HANDLER none CLOSE", "HANDLER two CLOSE"}},
    {"handler that an ALTER closes",
     {"HANDLER watched OPEN", "ALTER TABLE watched COMMENT = 'x'", "HANDLER watched CLOSE"}},
    {"XA",
     {"XA START 'x'", "SELECT * FROM watched", "UPDATE watched SET v = 'c' WHERE id = 3", "XA END 'x'", "SELECT 1",
      "XA PREPARE 'x'", "SELECT nope", "XA COMMIT 'x'"}},
    {"XA in one phase", {"XA START 'y'", "SELECT * FROM watched", "XA END 'y'", "XA COMMIT 'y' ONE PHASE"}},
    {"XA rolled back", {"XA START 'z'", "SELECT nope FROM watched", "XA END 'z'", "SELECT 1", "XA ROLLBACK 'z'"}},
    {"XA that stays attached",
     {"SET SESSION xa_detach_on_prepare = OFF", "XA START 'a'", "UPDATE watched SET v = 'd' WHERE id = 3", "XA END 'a'",
      "XA PREPARE 'a'", "BEGIN", "SELECT * FROM other_table", "SELECT 1", "XA ROLLBACK 'a'",
      "SET SESSION xa_detach_on_prepare = ON"}},
    {"flushed tables",
     {"FLUSH TABLES watched WITH READ LOCK", "COMMIT", "SELECT 1", "UNLOCK TABLES", "FLUSH TABLES watched FOR EXPORT",
      "SELECT 1", "UNLOCK TABLES", "FLUSH TABLES watched WITH READ LOCK", "BEGIN", "COMMIT"}},
    {"flushed tables in one text", {"SELECT 1; FLUSH TABLES watched WITH READ LOCK", "SELECT 1", "UNLOCK TABLES"}},
    {"global read lock", {"FLUSH TABLES WITH READ LOCK", "BEGIN", "SELECT * FROM watched", "COMMIT", "UNLOCK TABLES"}},
    {"a lock of no table", {"SELECT GET_LOCK('l', 1)", "SELECT 1", "SELECT RELEASE_LOCK('l')"}, false},
};

struct oracle {
    explicit oracle(server_kind kind = server_kind::mysql_9_7) : proxied(kind) {
        make_table(kind, "watched", 3);
        make_table(kind, "other_table", 3);
        auto root = connect(shared_server(kind), "test");
        for (const char* name : {"begins", "begins_and_fails", "switches_and_fails", "commits"}) {
            root.exec(std::string("DROP PROCEDURE IF EXISTS ") + name);
        }
        root.exec("CREATE PROCEDURE begins() BEGIN START TRANSACTION; DO (SELECT COUNT(*) FROM watched); END");
        root.exec(
            "CREATE PROCEDURE begins_and_fails() BEGIN START TRANSACTION; DO (SELECT COUNT(*) FROM watched); "
            "DO (SELECT COUNT(*) FROM nowhere); END");
        root.exec(
            "CREATE PROCEDURE switches_and_fails() BEGIN SET autocommit = 0; DO (SELECT COUNT(*) FROM nowhere); "
            "END");
        root.exec("CREATE PROCEDURE commits() BEGIN COMMIT; END");
        root.exec(kind == server_kind::mysql_9_7
                      ? "GRANT SESSION_VARIABLES_ADMIN, XA_RECOVER_ADMIN, RELOAD, LOCK TABLES ON *.* TO app"
                      : "GRANT RELOAD, LOCK TABLES ON *.* TO app");
        gate = proxied.proxy->gates().watch({"test", "watched"});
        REQUIRE(gate != nullptr);
    }

    [[nodiscard]] bool in_use() { return !gate->blockers().empty(); }
    [[nodiscard]] bool idle() const {
        for (const auto& session : proxied.proxy->sessions()) {
            if (session.state != "idle") return false;
        }
        return true;
    }

    proxy_under_test proxied;
    std::unique_ptr<proxy::table_gate> gate;
};

// One statement, as a text or prepared; its results are read and forgotten.
void run(raw_client& client, const std::string& text, bool prepared) {
    if (prepared) {
        client.send_command(command::stmt_prepare, text);
        const auto first = client.receive_packet();
        if (first.first_byte() == 0xFF) {
            if (protocol::parse_err(first.payload)->code != error_not_preparable &&
                text.find(';') == std::string::npos) {
                return;
            }
        } else {
            const auto head = protocol::parse_prepare_ok(first.payload, client.capabilities());
            const bool has_eof = !protocol::has(client.capabilities(), capability::deprecate_eof);
            const int definitions = head->column_count + (has_eof && head->column_count != 0 ? 1 : 0);
            for (int i = 0; i < definitions; ++i) (void)client.receive_packet();
            protocol::byte_buffer execute;
            protocol::serialise_stmt_execute(execute, head->statement_id, 0, {}, client.capabilities());
            client.send_packet(execute);
            // Rows are binary: only the end is looked for.
            const auto reply = client.receive_packet();
            if (reply.first_byte() != 0 && reply.first_byte() != 0xFF) {
                for (int ends = has_eof ? 2 : 1; ends != 0;) {
                    const auto next = client.receive_packet();
                    if (next.first_byte() == 0xFF) break;
                    if (next.first_byte() == 0xFE) --ends;
                }
            }
            client.send_command(command::stmt_close,
                                protocol::to_string(protocol::byte_view(first.payload).subspan(1, 4)));
            return;
        }
    }
    client.send_command(command::query, text);
    (void)client.receive_results();
}

// As applications leave: Sluice waits a while for a client that does not hang up.
void leave(raw_client& client) {
    client.send_command(command::quit);
    CHECK(client.closed_by_peer());
    client.close();
}

/// Tells whether a connection holds a lock on the table that outlives its statement.
using judge = std::function<bool(std::uint64_t connection_id)>;

void follow_scripts(server_kind kind, const judge& holds_lock) {
    oracle test(kind);
    for (const bool prepared : {false, true}) {
        for (const auto& one : scripts) {
            auto client = test.proxied.client(capability::multi_statements);
            const auto held = [&] { return holds_lock(client.greeting().connection_id); };
            bool seen = false;
            std::string told;
            for (const char* text : one.steps) {
                told += std::string(text) + "\n";
                INFO(one.name << (prepared ? ", prepared:\n" : ":\n") << told);
                run(client, text, prepared);
                REQUIRE(eventually([&] { return test.idle(); }));
                const bool holds = held();
                seen = seen || holds;
                if (holds) CHECK(test.in_use());
            }
            INFO(one.name << (prepared ? ", prepared" : ""));
            // 5.6 takes an idle HANDLER's lock away for whoever wants the table.
            const bool yields = kind == server_kind::mysql_5_6 && std::string_view(one.name).find("handler") != npos;
            // What fails to be prepared is not run.
            if (!prepared || seen) CHECK(seen == (one.holds && !yields));
            CHECK_FALSE(held());
            CHECK_FALSE(test.in_use());
            leave(client);
            REQUIRE(eventually([&] { return test.proxied.proxy->sessions().empty(); }));
        }
    }
}

TEST_CASE("whenever the server holds a lock on a watched table, its session counts as using it") {
    auto root = connect(shared_server(server_kind::mysql_9_7));
    follow_scripts(server_kind::mysql_9_7, [&](std::uint64_t connection_id) {
        return root.scalar(
                   "SELECT COUNT(*) FROM performance_schema.metadata_locks m JOIN performance_schema.threads t "
                   "ON t.thread_id = m.owner_thread_id WHERE object_schema = 'test' AND object_name = 'watched' "
                   "AND lock_status = 'GRANTED' AND lock_duration <> 'STATEMENT' AND processlist_id = " +
                   std::to_string(connection_id)) != "0";
    });
}

// Nobody else is there: who cannot lock the table is kept from it by the session.
TEST_CASE("on MariaDB and 5.6 a session counts as using a watched table whenever others cannot lock it") {
    for (const auto kind : {server_kind::mariadb_10_11, server_kind::mysql_5_6}) {
        INFO(throwaway::to_string(kind));
        auto root = connect(shared_server(kind));
        raw_client other(shared_server(kind).port());
        other.login("sluice", sluice_password, "test");
        const auto other_id = std::to_string(other.greeting().connection_id);
        follow_scripts(kind, [&](std::uint64_t) {
            other.send_command(command::query, "LOCK TABLES watched WRITE");
            bool waits = false;
            wait_until("the lock, or that it is waited for", [&] {
                if (!other.silent_for(std::chrono::milliseconds(0))) return true;
                const auto state =
                    root.query("SELECT state FROM information_schema.processlist WHERE id = " + other_id);
                waits = !state.empty() && state[0][0].value_or("").starts_with("Waiting for");
                return waits;
            });
            if (waits) root.exec("KILL QUERY " + other_id);
            const auto answer = other.receive_result();
            if (answer.is_ok) CHECK(other.query("UNLOCK TABLES").is_ok);
            return !answer.is_ok;
        });
    }
}

TEST_CASE("a consistent snapshot is of every table, and another table's transaction is not this one's") {
    oracle test;
    for (const char* text :
         {"START TRANSACTION WITH CONSISTENT SNAPSHOT", "SELECT 1; START TRANSACTION WITH CONSISTENT SNAPSHOT"}) {
        INFO(text);
        auto client = test.proxied.client(capability::multi_statements);
        run(client, text, false);
        // It locks nothing. Of several statements in one text the proxy knows less, and errs towards "in use".
        CHECK((test.in_use() || test.gate->old_snapshots().size() == 1));
        run(client, "COMMIT", false);
        CHECK_FALSE(test.in_use());
        CHECK(test.gate->old_snapshots().empty());
    }
    auto client = test.proxied.client();
    run(client, "BEGIN", false);
    run(client, "SELECT * FROM other_table", false);
    CHECK_FALSE(test.in_use());
}

TEST_CASE("an XA transaction that was prepared and let go does not follow its session") {
    oracle test;
    auto client = test.proxied.client();
    for (const char* text : {"XA START 'gone'", "UPDATE watched SET v = 'x' WHERE id = 1", "XA END 'gone'"}) {
        run(client, text, false);
    }
    CHECK(test.in_use());
    run(client, "XA PREPARE 'gone'", false);
    auto root = connect(shared_server(server_kind::mysql_9_7));
    root.exec("XA ROLLBACK 'gone'");
    run(client, "BEGIN", false);
    CHECK_FALSE(test.in_use());
}

TEST_CASE("on MariaDB and 5.6 an XA transaction that was prepared stays with its session") {
    for (const auto kind : {server_kind::mariadb_10_11, server_kind::mysql_5_6}) {
        INFO(throwaway::to_string(kind));
        oracle test(kind);
        auto client = test.proxied.client();
        for (const char* text : {"XA START 'kept'", "UPDATE watched SET v = 'x' WHERE id = 1", "XA END 'kept'",
                                 "XA PREPARE 'kept'", "BEGIN", "SELECT 1", "SELECT nope"}) {
            run(client, text, false);
        }
        CHECK(test.in_use());
        auto other = connect(shared_server(kind), "test");
        other.exec("SET lock_wait_timeout = 1");
        CHECK_THROWS_AS(other.exec("LOCK TABLES watched WRITE"), sql_error);
        run(client, "XA ROLLBACK 'kept'", false);
        CHECK_FALSE(test.in_use());
        other.exec("LOCK TABLES watched WRITE");
    }
}

TEST_CASE("COM_RESET_CONNECTION and COM_CHANGE_USER end what a session holds") {
    oracle test;
    for (const char* text :
         {"LOCK TABLES watched READ", "HANDLER watched OPEN", "FLUSH TABLES watched WITH READ LOCK"}) {
        INFO(text);
        auto client = test.proxied.client();
        run(client, text, false);
        CHECK(test.in_use());
        client.send_command(command::reset_connection);
        CHECK(client.receive_result().is_ok);
        CHECK_FALSE(test.in_use());
        auto library = test.proxied.connection();
        library.query(text);
        CHECK(test.in_use());
        library.change_user(app_user, app_password, "test");
        CHECK_FALSE(test.in_use());
    }
}

TEST_CASE("MariaDB prepares what locks tables, too") {
    oracle test(server_kind::mariadb_10_11);
    for (const bool prepared : {false, true}) {
        INFO(prepared);
        auto client = test.proxied.client();
        run(client, "LOCK TABLES watched WRITE", prepared);
        CHECK(test.in_use());
        run(client, "SELECT 1", prepared);
        CHECK(test.in_use());
        run(client, "UNLOCK TABLES", prepared);
        CHECK_FALSE(test.in_use());
        run(client, "HANDLER watched OPEN AS h", prepared);
        CHECK(test.in_use());
        run(client, "HANDLER h CLOSE", prepared);
        CHECK_FALSE(test.in_use());
    }
}

TEST_CASE("the default schema is known") {
    for (const auto kind : every_server) {
        auto root = connect(shared_server(kind));
        for (const auto more : {protocol::capability_flags{0}, capability::session_track}) {
            INFO(throwaway::to_string(kind) << (more == 0 ? "" : ", tracked"));
            root.exec("CREATE DATABASE IF NOT EXISTS soon_gone");
            const proxy_under_test proxied(kind);
            auto client = proxied.client(more | capability::multi_statements);
            const auto schema = [&] { return proxied.proxy->sessions().at(0).schema; };
            const auto same = [&](const char* expected) {
                CHECK(schema() == expected);
                const auto told = client.query("SELECT DATABASE()").rows.at(0).at(0);
                CHECK(told.value_or("") == expected);
            };
            same("test");
            run(client, "USE mysql", false);
            same("mysql");
            run(client, "USE no_such_schema", false);
            same("mysql");
            run(client, "SELECT 1; USE test; SELECT 2", false);
            same("test");
            client.send_command(command::init_db, "soon_gone");
            (void)client.receive_result();
            same("soon_gone");
            client.send_command(command::init_db, "no_such_schema");
            (void)client.receive_result();
            same("soon_gone");
            if (kind != server_kind::mysql_5_6) {
                client.send_command(command::reset_connection);
                (void)client.receive_result();
                same("soon_gone");
            }
            run(client, "DROP DATABASE soon_gone", false);
            same("");
            run(client, "USE test", false);
            same("test");
            leave(client);
            REQUIRE(eventually([&] { return proxied.proxy->sessions().empty(); }));
            auto library = proxied.connection();
            library.change_user(app_user, app_password, "mysql");
            CHECK(schema() == "mysql");
        }
    }
}

}  // namespace
}  // namespace sluice::test
