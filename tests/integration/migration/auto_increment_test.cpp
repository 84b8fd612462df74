// An AUTO_INCREMENT that the ALTER sets is below the table's own counter: that of the new table is what the server's
// ALTER would have made it, and never below an id that a writer has got meanwhile.

#include "tests/integration/migration/way_back_scene.hpp"
#include "tests/support/catch.hpp"

#include <string>

using namespace sluice;
using namespace sluice::test;

TEST_CASE("an AUTO_INCREMENT below the counter is taken over by the new table, and by the old one's way back not") {
    const auto kind = GENERATE(values(all_kinds));
    const bool written_meanwhile = GENERATE(false, true);
    INFO(to_string(kind) << (written_meanwhile ? ", with an id from above meanwhile" : ""));
    way_back_scene scene(kind);
    sql_connection& root = scene.root;
    root.exec("DROP TABLE IF EXISTS counted, `_counted_del`, `_counted_gho`");
    root.exec("CREATE TABLE counted (id INT AUTO_INCREMENT PRIMARY KEY, v INT) ENGINE=InnoDB AUTO_INCREMENT = 1000");
    root.exec("INSERT INTO counted (id, v) VALUES (1, 1), (50, 2)");
    auto spec = spec_of("counted", "AUTO_INCREMENT = 100, ADD COLUMN extra INT NOT NULL DEFAULT 3");
    spec.options.postpone_cutover = true;
    scene.begin(spec);
    wait_for_ready(*scene.engine, scene.id);
    if (written_meanwhile) root.exec("INSERT INTO counted (v) VALUES (3)");
    scene.tell(migration::operator_command::cut_over);
    scene.wait_in_sync();
    root.exec("INSERT INTO counted (v) VALUES (4)");
    CHECK(root.scalar("SELECT id FROM counted WHERE v = 4") == (written_meanwhile ? "1001" : "100"));
    scene.revert();
    root.exec("INSERT INTO counted (v) VALUES (5)");
    CHECK(root.scalar("SELECT id FROM counted WHERE v = 5") == (written_meanwhile ? "1002" : "1000"));
}
