#pragma once

// A real server with the engine on it, without a proxy: for tests of what the engine makes of tables.

#include "migration/engine/migration_service.hpp"
#include "migration/mysql/binlog_stream.hpp"
#include "migration/mysql/mysql_executor.hpp"
#include "tests/integration/migration/statement_hook.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/mysql_server.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace sluice::test {

inline migration::server_address engine_address(const mysql_server& server) {
    return {.host = server.host(),
            .port = server.port(),
            .unix_socket = {},
            .user = sluice_user,
            .password = sluice_password,
            .tls = {}};
}

/// The engine of one process; destroy it and make another to play a restart.
inline std::unique_ptr<migration::migration_service> engine_on(
    const mysql_server& server, std::shared_ptr<migration::traffic_gate> gate = migration::open_traffic_gate(),
    const statement_hook& hook = {}) {
    const auto address = engine_address(server);
    auto service = std::make_unique<migration::migration_service>(
        std::make_shared<hooked_executor>(std::make_shared<migration::mysql_executor>(address), hook),
        std::make_shared<migration::binlog_stream_source>(address), std::move(gate), migration::service_options{});
    auto recovered = service->recover();
    if (!recovered) throw std::runtime_error("recover: " + recovered.error().message);
    return service;
}

/// Polls until `holds` is true of the migration; throws after `limit` with the last state.
inline migration::snapshot_ptr wait_until(const migration::migration_service& engine, const std::string& id,
                                          const std::function<bool(const migration::migration_snapshot&)>& holds,
                                          std::chrono::seconds limit = std::chrono::seconds(120)) {
    migration::snapshot_ptr snapshot;
    const auto look = [&] {
        snapshot = engine.find(id);
        return snapshot && holds(*snapshot);
    };
    if (eventually(look, limit)) return snapshot;
    throw std::runtime_error("migration " + id + " stays " +
                             (snapshot ? std::string(to_string(snapshot->state)) + " (" + snapshot->waiting_for + ")"
                                       : std::string("unknown")));
}

inline migration::snapshot_ptr wait_for_end(const migration::migration_service& engine, const std::string& id) {
    return wait_until(engine, id, [](const auto& snapshot) { return migration::is_final(snapshot.state); });
}

inline std::string error_text(const migration::migration_snapshot& snapshot) {
    return snapshot.error ? snapshot.error->code + ": " + snapshot.error->message : std::string("no error");
}

/// Throws, with its error, when the migration ends before it is ready for its cut-over.
inline migration::snapshot_ptr wait_for_ready(const migration::migration_service& engine, const std::string& id) {
    const auto seen = wait_until(engine, id, [](const auto& snapshot) {
        return snapshot.state == migration::migration_state::ready || migration::is_final(snapshot.state);
    });
    if (seen->state == migration::migration_state::ready) return seen;
    throw std::runtime_error("migration " + id + " is " + std::string(to_string(seen->state)) +
                             " instead of ready: " + error_text(*seen));
}

}  // namespace sluice::test
