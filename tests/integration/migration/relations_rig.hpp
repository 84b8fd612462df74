#pragma once

// What the tests of triggers and foreign keys share: one server of each kind, and migrations of tables in `test`.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/integration/migration/statement_hook.hpp"
#include "tests/support/catch.hpp"

#include <map>
#include <string>

namespace sluice::test {

inline mysql_server& relations_server(server_kind kind) {
    static std::map<server_kind, mysql_server> servers;
    auto place = servers.find(kind);
    if (place == servers.end()) {
        place = servers.emplace(kind, start_server(kind)).first;
        auto root = connect(place->second);
        root.exec("SET GLOBAL log_bin_trust_function_creators = ON");
        const char* may_set_definer = kind == server_kind::mysql_9_7   ? "SET_ANY_DEFINER, SYSTEM_USER"
                                      : kind == server_kind::mysql_5_6 ? "SUPER"
                                                                       : "SET USER";
        root.exec(std::string("GRANT ") + may_set_definer + " ON *.* TO " + sluice_user + "@'%'");
    }
    return place->second;
}

/// Schemas `test` and `other`, empty; the connection uses `test`.
inline sql_connection emptied_schemas(mysql_server& server) {
    auto root = connect(server);
    root.exec("SET foreign_key_checks = 0");
    for (const char* schema : {"test", "other"}) {
        root.exec(std::string("DROP DATABASE IF EXISTS ") + schema);
        root.exec(std::string("CREATE DATABASE ") + schema + " DEFAULT CHARACTER SET utf8mb4");
    }
    root.exec("USE test");
    root.exec("SET foreign_key_checks = 1");
    return root;
}

inline migration::migration_spec relations_spec(const std::string& table, const std::string& alter) {
    migration::migration_spec spec{{"test", table}, alter, {}};
    spec.options.hold_interval = std::chrono::milliseconds(100);
    spec.options.page_flush_wait = std::chrono::milliseconds(0);
    return spec;
}

inline migration::snapshot_ptr migrated(const mysql_server& server, const migration::migration_spec& spec) {
    auto engine = engine_on(server);
    const auto created = engine->create(spec);
    if (!created) throw std::runtime_error(created.error().message);
    return wait_for_end(*engine, (*created)->id);
}

inline std::unique_ptr<migration::migration_service> hooked_engine_on(const mysql_server& server, statement_hook hook) {
    const auto address = engine_address(server);
    auto service = std::make_unique<migration::migration_service>(
        std::make_shared<hooked_executor>(std::make_shared<migration::mysql_executor>(address), std::move(hook)),
        std::make_shared<migration::binlog_stream_source>(address), migration::open_traffic_gate(),
        migration::service_options{});
    auto recovered = service->recover();
    if (!recovered) throw std::runtime_error("recover: " + recovered.error().message);
    return service;
}

/// The migration is refused or fails with this code; the message has all of the words; nothing of it is left.
inline void check_refused(mysql_server& server, const migration::migration_spec& spec, const std::string& code,
                          const std::vector<std::string>& words) {
    const auto ended = migrated(server, spec);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration::migration_state::failed);
    CHECK(ended->error->code == code);
    for (const auto& word : words) CHECK_THAT(ended->error->message, Catch::Matchers::Contains(word));
    auto root = connect(server);
    CHECK(root.scalar("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'test' AND TABLE_NAME LIKE "
                      "'%gh%'") == "0");
}

inline bool is_ready(const migration::migration_snapshot& snapshot) {
    return snapshot.state == migration::migration_state::ready || migration::is_final(snapshot.state);
}

}  // namespace sluice::test
