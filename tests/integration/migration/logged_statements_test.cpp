// Changes that stand in the binary log as statements and reach the table by ways on which its name is not seen: no row
// event tells of them, so they must end the migration, or be known to be of other tables.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/support/catch.hpp"

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;

namespace {

const std::vector<server_kind> all_kinds = {server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11};

struct statement_scene {
    explicit statement_scene(server_kind what)
        : kind(what), server(start(what)), root(connect(server, "test")), engine(engine_on(server)) {
        root.exec("CREATE TABLE t (id INT PRIMARY KEY, v INT NOT NULL) ENGINE=InnoDB");
        root.exec("INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)");
        root.exec("CREATE DATABASE other");
        for (const char* table : {"u", "other.u", "other.plain"}) {
            root.exec(std::string("CREATE TABLE ") + table + " (n INT)");
        }
        root.exec("CREATE VIEW seen AS SELECT * FROM t");
        root.exec("CREATE TRIGGER carry AFTER INSERT ON u FOR EACH ROW UPDATE t SET v = v + 1");
        root.exec("CREATE TRIGGER other.carry AFTER INSERT ON other.u FOR EACH ROW UPDATE test.t SET v = v + 1");
        root.exec(
            "CREATE FUNCTION change_it() RETURNS INT MODIFIES SQL DATA BEGIN UPDATE t SET v = v + 1; RETURN 1; END");
    }
    static mysql_server start(server_kind what) {
        server_options options;
        options.kind = what;
        options.gtid = false;
        options.extra_arguments = {"--log-bin-trust-function-creators=ON"};
        return mysql_server::start(options);
    }
    std::string begin_and_wait() {
        migration::migration_spec spec{{"test", "t"}, "ADD COLUMN extra INT NOT NULL DEFAULT 3", {}};
        spec.options.postpone_cutover = true;
        spec.options.drop_old_table = true;
        const auto created = engine->create(spec);
        REQUIRE(created);
        const std::string id = (*created)->id;
        wait_for_ready(*engine, id);
        return id;
    }
    /// How a migration ends during which a session runs these; its code, and the table is as it was.
    std::string end_after(const std::vector<std::string>& statements) {
        const std::string id = begin_and_wait();
        sql_connection client = connect(server, "test");
        for (const std::string& each : statements) client.exec(each);
        const auto ended = wait_for_end(*engine, id);
        INFO(error_text(*ended));
        CHECK(ended->state == migration_state::failed);
        CHECK(root.scalar("SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'test' AND COLUMN_NAME "
                          "= 'extra'") == "0");
        return ended->error ? ended->error->code : std::string();
    }
    [[nodiscard]] bool is_mariadb() const { return kind == server_kind::mariadb_10_11; }

    server_kind kind;
    mysql_server server;
    sql_connection root;
    std::unique_ptr<migration::migration_service> engine;
};

const std::string as_statements = "SET SESSION binlog_format = 'STATEMENT'";

}  // namespace

TEST_CASE("a statement in the log ends the migration where a view, a trigger or a function may lead to the table") {
    statement_scene s(GENERATE(from_range(all_kinds)));
    CAPTURE(throwaway::to_string(s.kind));
    std::vector<std::string> changes{"UPDATE seen SET v = 9 WHERE id = 1", "INSERT INTO u VALUES (1)",
                                     "INSERT INTO other.u VALUES (1)", "INSERT INTO other.plain SELECT change_it()",
                                     "/*!50000 UPDATE seen SET v = 8 */"};
    if (s.is_mariadb()) {
        changes.insert(changes.end(), {"SET STATEMENT max_statement_time = 9 FOR UPDATE seen SET v = 7",
                                       "/*M! UPDATE seen SET v = 6 */", "CREATE TABLE made SELECT change_it() AS c"});
    }
    for (const std::string& change : changes) {
        CAPTURE(change);
        CHECK(s.end_after({as_statements, change}) == "statement_based_change");
    }
    CHECK(s.end_after({as_statements, "SET sql_mode = 'ANSI_QUOTES'", "UPDATE \"t\" SET v = 5"}) ==
          "statement_based_change");
}

TEST_CASE("what takes the rows away is seen in whatever dialect the statement was written") {
    statement_scene s(GENERATE(from_range(all_kinds)));
    CAPTURE(throwaway::to_string(s.kind));
    CHECK(s.end_after({"SET sql_mode = 'ANSI_QUOTES'", "TRUNCATE TABLE \"t\""}) == "original_changed");
    CHECK(s.end_after({"/*!50600 TRUNCATE TABLE t */"}) == "original_changed");
    if (s.is_mariadb()) {
        CHECK(s.end_after({"SET STATEMENT max_statement_time = 9 FOR TRUNCATE TABLE t"}) == "original_changed");
        CHECK(s.end_after({"/*M! TRUNCATE TABLE t */"}) == "original_changed");
        CHECK(s.end_after({"SET STATEMENT max_statement_time = 9 FOR ALTER TABLE t ADD COLUMN w INT"}) ==
              "original_changed");
    }
}

TEST_CASE("statements in the log that cannot have changed the table do not end the migration") {
    statement_scene s(GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6));
    CAPTURE(throwaway::to_string(s.kind));
    s.root.exec("CREATE TABLE mem (n INT) ENGINE=MEMORY");
    s.root.exec("INSERT INTO mem VALUES (1)");
    const std::string id = s.begin_and_wait();
    {
        // The server says of these which schemas they have to do with.
        sql_connection client = connect(s.server, "other");
        client.exec(as_statements);
        client.exec("INSERT INTO plain VALUES (1)");
        client.exec("UPDATE plain SET n = 2");
    }
    // Such a table is empty now, which the server logs when it is first used.
    s.server.restart();
    sql_connection anew = connect(s.server, "test");
    CHECK(anew.scalar("SELECT COUNT(*) FROM mem") == "0");
    anew.exec("INSERT INTO t VALUES (4, 4)");
    REQUIRE(s.engine->command(id, migration::operator_command::cut_over));
    const auto done = wait_for_end(*s.engine, id);
    INFO(error_text(*done));
    CHECK(done->state == migration_state::completed);
    CHECK(anew.scalar("SELECT SUM(v + extra) FROM t") == "22");
}
