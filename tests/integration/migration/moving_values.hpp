#pragma once

// Values of a unique key that move between the rows of a table while it is migrated.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/integration/migration/writer_threads.hpp"
#include "tests/support/catch.hpp"

#include <atomic>
#include <functional>
#include <string>

namespace sluice::test {

/// Migrates the spec's table (id INT PRIMARY KEY, v INT UNIQUE), which gets so many rows with id = v, from 0 on, while
/// `move` is called again and again; the ALTER adds `extra` with a default of 3. That must be no conflict, and lose
/// nothing. move: one transaction that leaves every value in one row; behind the copy comes this many more of them.
inline void check_values_may_move(const mysql_server& server, migration::migration_spec spec, int row_count,
                                  unsigned more, const std::function<void(sql_connection&, unsigned number)>& move) {
    using migration::migration_state;
    const std::string& table = spec.table.table;
    sql_connection root = connect(server, "test");
    root.exec("CREATE TABLE " + table + " (id INT PRIMARY KEY, v INT NOT NULL, UNIQUE KEY u (v))");
    std::string values;
    for (int i = 0; i < row_count; ++i)
        values += (i == 0 ? "(" : ", (") + std::to_string(i) + ", " + std::to_string(i) + ")";
    root.exec("INSERT INTO " + table + " VALUES " + values);
    std::atomic<unsigned> moves{0};
    writer_threads writer;
    writer.start(1, [&](unsigned) {
        sql_connection connection(server.port(), app_user, app_password, "test");
        for (; !writer.stopping(); ++moves) move(connection, moves);
    });
    spec.options.chunk_rows_fixed = 20;
    spec.options.postpone_cutover = true;
    auto engine = engine_on(server);
    const auto created = engine->create(spec);
    REQUIRE(created);
    const std::string id = (*created)->id;
    wait_for_ready(*engine, id);
    const unsigned before = moves;
    wait_until(*engine, id, [&](const auto& s) { return moves > before + more || is_final(s.state); });
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    const auto ended = wait_for_end(*engine, id);
    writer.stop();
    INFO(error_text(*ended));
    CHECK(ended->state == migration_state::completed);
    CHECK(root.scalar("SELECT COUNT(*) FROM " + table + " WHERE extra = 3") == std::to_string(row_count));
    CHECK(root.scalar("SELECT SUM(v) FROM " + table) == std::to_string((row_count - 1) * row_count / 2));
}

}  // namespace sluice::test
