// Rows that collide, and values that only seem to; and who stands in the way of a cut-over.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/integration/migration/moving_values.hpp"
#include "tests/support/catch.hpp"

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;

namespace {

const mysql_server& shared_server() {
    static const mysql_server server = mysql_server::start();
    return server;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

migration::migration_spec spec_of(const std::string& table, const std::string& alter) {
    migration::migration_spec spec{{"test", table}, alter, {}};
    spec.options.drop_old_table = true;
    spec.options.hold_interval = std::chrono::milliseconds(100);
    spec.options.page_flush_wait = std::chrono::milliseconds(0);
    return spec;
}

migration::snapshot_ptr run(migration::migration_service& engine, const migration::migration_spec& spec) {
    const auto created = engine.create(spec);
    REQUIRE(created);
    return wait_for_end(engine, (*created)->id);
}

std::string tables_like(sql_connection& root, const std::string& pattern) {
    return root.scalar(
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'test' AND table_name LIKE '" + pattern +
        "'");
}

}  // namespace

TEST_CASE("rows that collide under a new unique key end the migration; key and value are named, no row is lost") {
    struct collision {
        const char* table;
        const char* columns;
        const char* rows;
        const char* alter;
        const char* value;
    };
    const auto one = GENERATE(values<collision>({
        {"dup_int", "id INT PRIMARY KEY, v INT", "(1, 10), (2, 20), (3, 10)", "ADD UNIQUE KEY u (v)", "10"},
        {"dup_case", "id INT PRIMARY KEY, v VARCHAR(20) COLLATE utf8mb4_0900_as_cs", "(1, 'a'), (2, 'A')",
         "MODIFY v VARCHAR(20) COLLATE utf8mb4_0900_ai_ci, ADD UNIQUE KEY u (v)", "A"},
        {"dup_space", "id INT PRIMARY KEY, v VARCHAR(20) COLLATE utf8mb4_bin", "(1, 'x'), (2, 'x ')",
         "ADD UNIQUE KEY u (v)", "x"},
        {"dup_generated", "id INT PRIMARY KEY, v INT", "(1, 4), (2, 5)",
         "ADD g INT GENERATED ALWAYS AS (v DIV 2) STORED, ADD UNIQUE KEY u (g)", "2"},
    }));
    INFO(one.table);
    sql_connection root = connect(shared_server(), "test");
    root.exec(std::string("CREATE TABLE ") + one.table + " (" + one.columns + ")");
    root.exec(std::string("INSERT INTO ") + one.table + " VALUES " + one.rows);
    const auto rows = root.query(std::string("SELECT * FROM ") + one.table + " ORDER BY id");
    auto engine = engine_on(shared_server());
    const auto ended = run(*engine, spec_of(one.table, one.alter));
    REQUIRE(ended->state == migration_state::failed);
    CHECK(ended->error->code == "unique_key_conflict");
    INFO(ended->error->message);
    CHECK(contains(ended->error->message, "`u`"));
    CHECK(contains(ended->error->message, one.value));
    CHECK(root.query(std::string("SELECT * FROM ") + one.table + " ORDER BY id") == rows);
    CHECK(tables_like(root, std::string("\\_") + one.table + "%") == "0");
}

TEST_CASE("values of a unique key that move between rows while the table is copied are no conflict") {
    auto spec = spec_of("moving", "ADD COLUMN extra INT NOT NULL DEFAULT 3");
    spec.options.drop_old_table = false;
    check_values_may_move(shared_server(), spec, 3'000, 20, [](sql_connection& connection, unsigned i) {
        // Three rows far apart pass their values on, by way of one that nobody has.
        const std::string ids[] = {std::to_string(i * 7 % 3'000), std::to_string((i * 7 + 1'000) % 3'000),
                                   std::to_string((i * 7 + 2'000) % 3'000)};
        std::string held[3];
        connection.exec("START TRANSACTION");
        // FOR UPDATE: a direct client that only reads first and writes while LOCK TABLES waits is the server's victim.
        for (int n = 0; n < 3; ++n) {
            held[n] = connection.scalar("SELECT v FROM moving WHERE id = " + ids[n] + " FOR UPDATE");
        }
        connection.exec("UPDATE moving SET v = -1 WHERE id = " + ids[0]);
        connection.exec("UPDATE moving SET v = -3 WHERE id = " + ids[1]);
        connection.exec("UPDATE moving SET v = " + held[1] + " WHERE id = " + ids[0]);
        connection.exec("UPDATE moving SET v = -4 WHERE id = " + ids[2]);
        connection.exec("UPDATE moving SET v = " + held[2] + " WHERE id = " + ids[1]);
        connection.exec("UPDATE moving SET v = " + held[0] + " WHERE id = " + ids[2]);
        connection.exec("COMMIT");
    });
}

TEST_CASE("values that do not fit the new definition end the migration with a stable code") {
    struct misfit {
        const char* table;
        const char* columns;
        const char* rows;
        const char* alter;
        const char* code;
    };
    const auto one = GENERATE(values<misfit>({
        {"fit_null", "id INT PRIMARY KEY, v INT", "(1, 1), (2, NULL)", "MODIFY v INT NOT NULL", "null_not_allowed"},
        {"fit_range", "id INT PRIMARY KEY, v INT", "(1, 1), (2, 70000)", "MODIFY v SMALLINT", "out_of_range"},
        {"fit_length", "id INT PRIMARY KEY, v VARCHAR(20)", "(1, 'short'), (2, 'much too long')", "MODIFY v VARCHAR(5)",
         "data_truncated"},
        {"fit_enum", "id INT PRIMARY KEY, v ENUM('a','b')", "(1, 'a'), (2, 'b')", "MODIFY v ENUM('a')",
         "data_truncated"},
    }));
    INFO(one.table);
    sql_connection root = connect(shared_server(), "test");
    root.exec(std::string("CREATE TABLE ") + one.table + " (" + one.columns + ")");
    root.exec(std::string("INSERT INTO ") + one.table + " VALUES " + one.rows);
    auto engine = engine_on(shared_server());
    const auto ended = run(*engine, spec_of(one.table, one.alter));
    REQUIRE(ended->state == migration_state::failed);
    INFO(error_text(*ended));
    CHECK(ended->error->code == one.code);
    CHECK(root.scalar(std::string("SELECT COUNT(*) FROM ") + one.table) == "2");
    CHECK(tables_like(root, std::string("\\_") + one.table + "%") == "0");
}

TEST_CASE("a client with a transaction open on the table is waited for, and named") {
    const mysql_server& server = shared_server();
    sql_connection root = connect(server, "test");
    root.exec("CREATE TABLE waited (id INT PRIMARY KEY, v INT)");
    root.exec("INSERT INTO waited VALUES (1, 1)");
    sql_connection client(server.port(), app_user, app_password, "test");
    client.exec("START TRANSACTION");
    client.exec("UPDATE waited SET v = 2 WHERE id = 1");
    auto engine = engine_on(server);
    const auto created = engine->create(spec_of("waited", "ADD COLUMN extra INT NOT NULL DEFAULT 3"));
    REQUIRE(created);
    const std::string id = (*created)->id;
    const auto waiting = wait_until(*engine, id, [&](const auto& s) {
        return contains(s.waiting_for, "connection " + std::to_string(client.connection_id())) || is_final(s.state);
    });
    CHECK(contains(waiting->waiting_for, "app@"));
    CHECK_FALSE(is_final(waiting->state));
    client.exec("COMMIT");
    CHECK(wait_for_end(*engine, id)->state == migration_state::completed);
    CHECK(root.scalar("SELECT v + extra FROM waited") == "5");
}

TEST_CASE("the AUTO_INCREMENT counter goes over, also where rows at its end are gone; an explicit one is kept") {
    const mysql_server& server = shared_server();
    sql_connection root = connect(server, "test");
    auto engine = engine_on(server);
    root.exec("CREATE TABLE counted (id INT AUTO_INCREMENT PRIMARY KEY, v INT)");
    root.exec("INSERT INTO counted (v) VALUES (1), (2), (3), (4), (5)");
    root.exec("DELETE FROM counted WHERE id > 2");
    REQUIRE(run(*engine, spec_of("counted", "ADD COLUMN extra INT"))->state == migration_state::completed);
    root.exec("INSERT INTO counted (v) VALUES (6)");
    CHECK(root.scalar("SELECT MAX(id) FROM counted") == "6");
    REQUIRE(run(*engine, spec_of("counted", "AUTO_INCREMENT = 100"))->state == migration_state::completed);
    root.exec("INSERT INTO counted (v) VALUES (7)");
    CHECK(root.scalar("SELECT MAX(id) FROM counted") == "100");
}

TEST_CASE("id 0 and zero dates travel as they are") {
    const mysql_server& server = shared_server();
    sql_connection root = connect(server, "test");
    root.exec("SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'");
    root.exec("CREATE TABLE zeros (id INT AUTO_INCREMENT PRIMARY KEY, d DATE NOT NULL DEFAULT '0000-00-00')");
    root.exec("INSERT INTO zeros VALUES (0, '0000-00-00'), (1, '2024-00-10')");
    auto engine = engine_on(server);
    const auto ended = run(*engine, spec_of("zeros", "ADD COLUMN extra INT"));
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    CHECK(root.query("SELECT id, d FROM zeros ORDER BY id") == rows{{"0", "0000-00-00"}, {"1", "2024-00-10"}});
}

TEST_CASE("somebody who changes, empties or drops the table meanwhile ends the migration, and keeps what he made") {
    const auto statement = GENERATE(as<std::string>{}, "ALTER TABLE meddled ADD COLUMN mine INT",
                                    "TRUNCATE TABLE meddled", "RENAME TABLE meddled TO meddled_away",
                                    "CREATE TRIGGER tr BEFORE INSERT ON meddled FOR EACH ROW SET NEW.v = 1");
    INFO(statement);
    const mysql_server& server = shared_server();
    sql_connection root = connect(server, "test");
    root.exec("DROP TABLE IF EXISTS meddled, meddled_away");
    root.exec("CREATE TABLE meddled (id INT PRIMARY KEY, v INT)");
    root.exec("INSERT INTO meddled VALUES (1, 1), (2, 2)");
    auto spec = spec_of("meddled", "ADD COLUMN extra INT");
    spec.options.postpone_cutover = true;
    auto engine = engine_on(server);
    const auto created = engine->create(spec);
    REQUIRE(created);
    const std::string id = (*created)->id;
    wait_until(*engine, id, [](const auto& s) { return s.state == migration_state::ready; });
    root.exec(statement);
    (void)engine->command(id, migration::operator_command::cut_over).has_error();
    const auto ended = wait_for_end(*engine, id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::failed);
    CHECK(ended->error->code == "original_changed");
    CHECK(tables_like(root, "meddled%") == "1");
    CHECK(tables_like(root, "\\_meddled%") == "0");
}
