// A server that folds the letters of table names (lower_case_table_names = 1): it logs the table by other letters than
// the migration and the clients call it.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/support/catch.hpp"

#include <string>

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;

TEST_CASE("changes are followed by whatever letters the table is called, where the server folds them") {
    const auto kind = GENERATE(server_kind::mysql_5_6, server_kind::mariadb_10_11);
    INFO(to_string(kind));
    server_options options;
    options.kind = kind;
    options.gtid = kind == server_kind::mariadb_10_11;
    options.extra_arguments = {"--lower-case-table-names=1"};
    const mysql_server server = mysql_server::start(options);
    sql_connection root = connect(server, "test");
    root.exec("CREATE TABLE Shops (id INT NOT NULL PRIMARY KEY)");
    root.exec("INSERT INTO Shops VALUES (1)");
    root.exec(
        "CREATE TABLE Orders (id INT NOT NULL PRIMARY KEY, v INT, shop INT, KEY by_shop (shop), CONSTRAINT to_shop "
        "FOREIGN KEY (shop) REFERENCES Shops (id))");
    root.exec("INSERT INTO Orders VALUES (1, 1, 1), (2, 2, 1), (3, 3, 1)");

    auto engine = engine_on(server);
    migration::migration_spec spec{{"test", "ORDERS"}, "ADD COLUMN extra INT NOT NULL DEFAULT 7", {}};
    spec.options.postpone_cutover = true;
    spec.options.keep_foreign_keys = true;
    spec.options.verify = false;  // it would find and repair what is lost
    const auto created = engine->create(spec);
    REQUIRE(created);
    const std::string id = (*created)->id;
    wait_for_ready(*engine, id);
    root.exec("UPDATE ORDERS SET v = 20 WHERE id = 2");
    root.exec("DELETE FROM orders WHERE id = 3");
    root.exec("INSERT INTO oRdErS VALUES (4, 40, 1)");
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    const auto ended = wait_for_end(*engine, id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    CHECK(root.scalar("SELECT GROUP_CONCAT(id, ':', v, ':', extra ORDER BY id) FROM Orders") == "1:1:7,2:20:7,4:40:7");
    CHECK(root.error_of("INSERT INTO orders VALUES (5, 5, 99, 7)") == 1452);
}
