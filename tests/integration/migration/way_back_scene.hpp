#pragma once

// A migration with keep_old_table_in_sync on a real server, without a proxy: for tests of the way back.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace sluice::test {

inline std::string tables_left(sql_connection& root, const std::string& like) {
    return root.scalar(
        "SELECT IFNULL(GROUP_CONCAT(table_name ORDER BY table_name), '') FROM information_schema.tables "
        "WHERE table_schema = 'test' AND table_name LIKE '" +
        like + "'");
}

inline const mysql_server& server_of(server_kind kind) {
    static const mysql_server mysql_9_7 = start_server(server_kind::mysql_9_7);
    if (kind == server_kind::mysql_9_7) return mysql_9_7;
    static const mysql_server mysql_5_6 = start_server(server_kind::mysql_5_6);
    if (kind == server_kind::mysql_5_6) return mysql_5_6;
    static const mysql_server mariadb = start_server(server_kind::mariadb_10_11);
    return mariadb;
}

inline constexpr auto all_kinds = {server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11};

inline migration::migration_spec spec_of(const std::string& table, const std::string& alter) {
    migration::migration_spec spec{{"test", table}, alter, {}};
    spec.options.keep_old_table_in_sync = true;
    spec.options.hold_interval = std::chrono::milliseconds(100);
    spec.options.page_flush_wait = std::chrono::milliseconds(0);
    spec.options.hold_budget = std::chrono::milliseconds(2'000);
    spec.options.cutover_attempts_max = 1'000;
    spec.options.chunk_rows_fixed = 100;
    spec.options.apply_batch_keys = 20;
    return spec;
}

inline std::string way_back_text(const migration::migration_snapshot& snapshot) {
    const auto& why = snapshot.way_back.ended_by;
    return std::string(to_string(snapshot.state)) + ", " + error_text(snapshot) + ", " +
           (why ? why->code + ": " + why->message : "way back not ended") + ", " + snapshot.waiting_for;
}

/// One migration, and the engine that is at it.
class way_back_scene {
public:
    explicit way_back_scene(server_kind kind, statement_hook with = {})
        : server(server_of(kind)),
          root(connect(server, "test")),
          hook(std::move(with)),
          engine(engine_on(server, migration::open_traffic_gate(), hook)) {}

    void begin(const migration::migration_spec& spec) {
        const auto created = engine->create(spec);
        REQUIRE(created);
        id = (*created)->id;
    }
    void begin_in_sync(const migration::migration_spec& spec) {
        begin(spec);
        wait_in_sync();
    }
    void wait_in_sync() {
        const auto seen = wait_until(*engine, id, [](const auto& s) {
            return s.state == migration::migration_state::in_sync || is_final(s.state);
        });
        INFO(way_back_text(*seen));
        REQUIRE(seen->state == migration::migration_state::in_sync);
    }
    migration::snapshot_ptr wait_end(migration::migration_state expected) {
        auto ended = wait_for_end(*engine, id);
        INFO(way_back_text(*ended));
        REQUIRE(ended->state == expected);
        return ended;
    }
    void tell(migration::operator_command command) { REQUIRE(engine->command(id, command)); }
    migration::snapshot_ptr revert() {
        tell(migration::operator_command::revert);
        return wait_end(migration::migration_state::reverted);
    }
    void wait_applied(std::uint64_t keys) {
        wait_until(*engine, id, [keys](const auto& s) { return s.way_back.keys_applied >= keys; });
    }
    void stop_engine() { engine.reset(); }
    void start_engine() { engine = engine_on(server, migration::open_traffic_gate(), hook); }
    void wait_for_more(const auto& writes, std::uint64_t transactions) {
        const std::uint64_t before = writes.transactions();
        wait_until(*engine, id,
                   [&](const auto& s) { return writes.transactions() > before + transactions || is_final(s.state); });
    }

    const mysql_server& server;
    sql_connection root;
    statement_hook hook;
    std::unique_ptr<migration::migration_service> engine;
    std::string id;
};

}  // namespace sluice::test
