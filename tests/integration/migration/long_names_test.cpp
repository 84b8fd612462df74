// Names as long as a server takes them, as many as it takes.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"

#include <string>

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;

TEST_CASE(
    "a key whose columns' names are longer than what the durable row holds of it does not keep it from being stored") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    INFO(to_string(kind));
    const mysql_server server = start_server(kind);
    sql_connection root = connect(server, "test");
    std::string columns;
    std::string names;
    for (int i = 0; i < 16; ++i) {
        std::string name = "k" + std::to_string(i);
        name.append(64 - name.size(), '_');
        columns += name + " TINYINT NOT NULL, ";
        names += (i == 0 ? "" : ", ") + name;
    }
    root.exec("CREATE TABLE t (" + columns + "PRIMARY KEY (" + names + ")) ENGINE=InnoDB");
    auto engine = engine_on(server);
    migration::migration_spec spec{{"test", "t"}, "ADD COLUMN extra INT NOT NULL DEFAULT 3", {}};
    spec.options.drop_old_table = true;
    spec.options.postpone_cutover = true;
    const auto created = engine->create(spec);
    REQUIRE(created);
    const std::string& id = (*created)->id;
    CHECK(wait_for_ready(*engine, id)->unique_key == "PRIMARY (" + names + ")");
    const std::string stored = " FROM _sluice.migrations WHERE id = '" + id + "'";
    wait_for_value(root, "SELECT state" + stored, "ready");
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    CHECK(wait_for_end(*engine, id)->state == migration_state::completed);
    engine.reset();
    CHECK(root.scalar("SELECT state" + stored) == "completed");
    CHECK(root.scalar("SELECT CHAR_LENGTH(unique_key)" + stored) == "1024");
    CHECK(engine_on(server)->find(id)->state == migration_state::completed);
}
