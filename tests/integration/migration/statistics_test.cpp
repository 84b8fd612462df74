// The server chooses its plans by statistics: those of the new table are fresh when it becomes live.

#include "tests/integration/migration/way_back_scene.hpp"
#include "tests/support/catch.hpp"

#include <string>

using namespace sluice;
using namespace sluice::test;

TEST_CASE("the new table has statistics of all its rows when it becomes live") {
    const auto kind = GENERATE(values(all_kinds));
    INFO(to_string(kind));
    way_back_scene scene(kind);
    // Nothing but ANALYZE TABLE counts the rows of such a table.
    scene.root.exec(
        "CREATE TABLE counted_rows (id INT NOT NULL PRIMARY KEY, v INT NOT NULL) STATS_PERSISTENT=1 "
        "STATS_AUTO_RECALC=0");
    std::string rows;
    for (int id = 1; id <= 500; ++id) rows += (id == 1 ? "(" : ",(") + std::to_string(id) + ",1)";
    scene.root.exec("INSERT INTO counted_rows VALUES " + rows);
    auto spec = spec_of("counted_rows", "ADD COLUMN extra INT");
    spec.options.keep_old_table_in_sync = false;
    scene.begin(spec);
    scene.wait_end(migration::migration_state::completed);
    CHECK(scene.root.scalar("SELECT n_rows FROM mysql.innodb_table_stats WHERE database_name = 'test' AND table_name = "
                            "'counted_rows'") == "500");
}
