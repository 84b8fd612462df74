// Without a PRIMARY KEY, minimal row images hold only the key by which the server itself tells rows apart: that is the
// one to choose, though another has fewer bytes.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/support/catch.hpp"

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;

namespace {

struct two_keys {
    const char* name;
    const char* create;  ///< the columns of table t and its two keys
    std::vector<std::string> then;
    const char* chosen;
};

const std::vector<two_keys>& tables() {
    static const std::vector<two_keys> all = {
        {"the wider key first", "a BIGINT NOT NULL, b INT NOT NULL, v INT, UNIQUE z (a), UNIQUE y (b)", {}, "z (a)"},
        {"the narrower key first", "a BIGINT NOT NULL, b INT NOT NULL, v INT, UNIQUE y (b), UNIQUE a (a)", {}, "y (b)"},
        {"the server puts the nullable key behind",
         "a BIGINT NOT NULL, b INT NOT NULL, v INT, n INT, UNIQUE n (n), UNIQUE w (a), UNIQUE b (b)",
         {},
         "w (a)"},
        {"a key added later, before the other by its name",
         "a BIGINT NOT NULL, b INT NOT NULL, v INT, UNIQUE w (a)",
         {"ALTER TABLE t ADD UNIQUE added (b)"},
         "w (a)"},
        {"keys that become NOT NULL later",
         "a BIGINT NOT NULL, b INT, v INT, UNIQUE w (a), UNIQUE b (b)",
         {"ALTER TABLE t MODIFY b INT NOT NULL"},
         "w (a)"},
    };
    return all;
}

const mysql_server& server_of(server_kind kind) {
    static const mysql_server mysql = start_server(server_kind::mysql_9_7);
    static const mysql_server old = start_server(server_kind::mysql_5_6);
    static const mysql_server mariadb = start_server(server_kind::mariadb_10_11);
    return kind == server_kind::mysql_9_7 ? mysql : kind == server_kind::mysql_5_6 ? old : mariadb;
}

}  // namespace

TEST_CASE("changes with minimal images are followed in a table with two unique keys and no PRIMARY KEY") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    const auto& table = tables()[GENERATE(range(std::size_t{0}, tables().size()))];
    INFO(to_string(kind) << ": " << table.name);
    const mysql_server& server = server_of(kind);
    sql_connection root = connect(server, "test");
    root.exec("DROP TABLE IF EXISTS t");
    root.exec(std::string("CREATE TABLE t (") + table.create + ") ENGINE=InnoDB");
    for (const auto& statement : table.then) root.exec(statement);
    for (int row = 1; row <= 100; ++row) {
        root.exec("INSERT INTO t (a, b, v) VALUES (" + std::to_string(row * 10) + ", " + std::to_string(row) + ", 0)");
    }

    auto engine = engine_on(server);
    migration::migration_spec spec{{"test", "t"}, "ADD COLUMN extra INT NOT NULL DEFAULT 3", {}};
    spec.options.postpone_cutover = true;
    spec.options.drop_old_table = true;
    spec.options.verify = false;  // it would find and repair what is lost
    const auto created = engine->create(spec);
    REQUIRE(created);
    const std::string& id = (*created)->id;
    CHECK(wait_for_ready(*engine, id)->unique_key == table.chosen);

    root.exec("SET SESSION binlog_row_image = MINIMAL");
    root.exec("UPDATE t SET v = b WHERE b <= 20");
    root.exec("DELETE FROM t WHERE b BETWEEN 21 AND 30");
    root.exec("UPDATE t SET b = b + 1000 WHERE b BETWEEN 31 AND 40");
    root.exec("UPDATE t SET a = a + 10000 WHERE b BETWEEN 41 AND 50");
    root.exec("INSERT INTO t (a, b, v) VALUES (1, 5000, 77)");
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    const auto ended = wait_for_end(*engine, id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    CHECK(root.scalar("SELECT COUNT(*) FROM t WHERE extra = 3") == "91");
    CHECK(root.scalar("SELECT COUNT(*) FROM t WHERE v = b AND b <= 20") == "20");
    CHECK(root.scalar("SELECT COUNT(*) FROM t WHERE b BETWEEN 21 AND 40") == "0");
    CHECK(root.scalar("SELECT COUNT(*) FROM t WHERE b BETWEEN 1031 AND 1040 AND v = 0") == "10");
    CHECK(root.scalar("SELECT COUNT(*) FROM t WHERE a >= 10000 AND b BETWEEN 41 AND 50") == "10");
    CHECK(root.scalar("SELECT a FROM t WHERE b = 5000 AND v = 77") == "1");
}
