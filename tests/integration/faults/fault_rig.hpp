#pragma once

// What the tests of faults share: a table with some rows, a migration that is stopped where the fault is to strike, and
// what must be true after its end.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/support/catch.hpp"

#include <functional>
#include <memory>
#include <string>

namespace sluice::test {

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

/// Table test.t with ids 1 to 1000.
inline void make_table(sql_connection& root) {
    root.exec("DROP TABLE IF EXISTS t, `_t_gho`, `_t_ghc`, `_t_del`, t_away");
    root.exec("CREATE TABLE t (id INT PRIMARY KEY, v INT NOT NULL, KEY by_v (v))");
    std::string values;
    for (int id = 1; id <= 1'000; ++id) values += (id == 1 ? "(" : ", (") + std::to_string(id) + ", 1)";
    root.exec("INSERT INTO t VALUES " + values);
}

inline migration::migration_spec postponed_spec() {
    migration::migration_spec spec{{"test", "t"}, "ADD COLUMN extra INT NOT NULL DEFAULT 3", {}};
    spec.options.drop_old_table = true;
    spec.options.postpone_cutover = true;
    spec.options.hold_interval = std::chrono::milliseconds(100);
    spec.options.page_flush_wait = std::chrono::milliseconds(0);
    return spec;
}

/// Creates the migration and waits until only the operator's word is missing. Its id.
inline std::string run_until_ready(migration::migration_service& engine,
                                   const migration::migration_spec& spec = postponed_spec()) {
    const auto created = engine.create(spec);
    REQUIRE(created);
    const auto ready = wait_until(engine, (*created)->id, [](const auto& s) {
        return s.state == migration::migration_state::ready || is_final(s.state);
    });
    INFO(error_text(*ready));
    REQUIRE(ready->state == migration::migration_state::ready);
    return (*created)->id;
}

/// Its end is a failure with this code.
inline migration::snapshot_ptr require_failed(const migration::migration_service& engine, const std::string& id,
                                              const std::string& code) {
    auto ended = wait_for_end(engine, id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration::migration_state::failed);
    CHECK(ended->error->code == code);
    CHECK_FALSE(ended->error->message.empty());
    return ended;
}

/// Tables of the engine's that are left, by name.
inline std::string artefacts(sql_connection& root) {
    return root.scalar(
        "SELECT IFNULL(GROUP_CONCAT(table_name ORDER BY table_name), '') FROM information_schema.tables"
        " WHERE table_schema = 'test' AND (table_name LIKE 't~%' OR table_name LIKE '\\_t\\_%')");
}

}  // namespace sluice::test
