// Every value of a unique key moves on to the next row, in one transaction: a row's new value is held by the row behind
// it, to the end of the table, so that no part of the rows can be brought without all the others.

#include "tests/integration/migration/way_back_scene.hpp"
#include "tests/support/catch.hpp"

#include <cstdint>
#include <string>

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;

namespace {

constexpr std::uint64_t row_count = 32'768;  // more than the first wide batch has

void fill(sql_connection& root) {
    root.exec("DROP TABLE IF EXISTS shifted, `_shifted_del`");
    root.exec("CREATE TABLE shifted (id INT PRIMARY KEY, pos INT NOT NULL, UNIQUE KEY u (pos))");
    root.exec("INSERT INTO shifted VALUES (0, 0)");
    for (std::uint64_t rows = 1; rows < row_count; rows *= 2) {
        const std::string more = std::to_string(rows);
        root.exec("INSERT INTO shifted SELECT id + " + more + ", pos + " + more + " FROM shifted");
    }
}

void shift(sql_connection& root) {
    root.exec("START TRANSACTION");
    root.exec("UPDATE shifted SET pos = -pos - 1");
    root.exec("UPDATE shifted SET pos = -pos");
    root.exec("COMMIT");
}

}  // namespace

TEST_CASE("all values of a unique key move on by one row: no conflict, forward and on the way back") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mariadb_10_11);
    INFO(to_string(kind));
    way_back_scene scene(kind);
    fill(scene.root);
    auto spec = spec_of("shifted", "ADD COLUMN extra INT NOT NULL DEFAULT 3");
    spec.options.chunk_rows_fixed = 10'000;
    spec.options.apply_batch_keys = 500;
    spec.options.postpone_cutover = true;
    scene.begin(spec);
    wait_for_ready(*scene.engine, scene.id);
    shift(scene.root);
    wait_until(*scene.engine, scene.id,
               [](const auto& s) { return s.deltas_applied >= row_count || is_final(s.state); });
    scene.tell(migration::operator_command::cut_over);
    scene.wait_in_sync();
    const std::string in_place = "SELECT COUNT(*) FROM shifted WHERE pos = id + ";
    CHECK(scene.root.scalar(in_place + "1 AND extra = 3") == std::to_string(row_count));

    shift(scene.root);
    wait_until(*scene.engine, scene.id,
               [](const auto& s) { return s.way_back.keys_applied >= row_count || is_final(s.state); });
    scene.revert();
    CHECK(scene.root.scalar(in_place + "2") == std::to_string(row_count));
}
