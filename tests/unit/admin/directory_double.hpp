#pragma once

// A directory of migrations that tests fill, and that notes what it is asked to do.

#include "admin/migration_directory.hpp"
#include "admin/proxy_view.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::test {

inline migration::migration_snapshot sample_snapshot() {
    migration::migration_snapshot s;
    s.id = "0123456789abcdef";
    s.spec.table = {"shop", "orders"};
    s.spec.alter = "ADD COLUMN note VARCHAR(20)";
    s.state = migration::migration_state::copying;
    s.rows_estimate = 1000;
    s.rows_copied = 250;
    s.rows_per_s = 100;
    s.backlog_keys = 7;
    s.progress = 0.25;
    s.eta = std::chrono::seconds(8);
    s.created = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'700'000'000'123));
    s.changed = s.created;
    return s;
}

class directory_double final : public admin::migration_directory {
public:
    migration::outcome<migration::snapshot_ptr> create(migration::migration_spec spec) override {
        created = spec;
        if (refusal) return *refusal;
        auto snapshot = sample_snapshot();
        snapshot.spec = std::move(spec);
        return std::make_shared<const migration::migration_snapshot>(std::move(snapshot));
    }
    migration::outcome<migration::alter_forecast> dry_run(const migration::migration_spec& spec) override {
        planned = spec;
        if (refusal) return *refusal;
        migration::alter_forecast found;
        found.spec = spec;
        found.server = "MySQL 9.7.0";
        found.ways = {{migration::alter_way::instant, false, true, "not supported (error 1845)"},
                      {migration::alter_way::copy, true, true, ""}};
        found.unique_key = "PRIMARY (id)";
        found.columns = {{"id", "id", "int", "int"}, {"", "note", "", "varchar(20)"}, {"old", "", "int", ""}};
        found.rows_estimate = 1000;
        found.copy_estimate = std::chrono::seconds(3);
        found.estimate_basis = "a guess";
        found.warnings = {{"replicas", "2 replicas"}};
        return found;
    }
    migration::outcome<std::vector<migration::snapshot_ptr>> list() const override {
        if (refusal) return *refusal;
        return known;
    }
    migration::outcome<migration::snapshot_ptr> find(std::string_view id) const override {
        if (refusal) return *refusal;
        for (const auto& snapshot : known) {
            if (snapshot->id == id) return snapshot;
        }
        return migration::refuse("no_such_migration", "there is no migration `" + std::string(id) + "`");
    }
    migration::outcome<migration::snapshot_ptr> command(std::string_view id,
                                                        migration::operator_command command) override {
        commands.emplace_back(std::string(id), command);
        if (refusal) return *refusal;
        return find(id);
    }

    migration::outcome<migration::snapshot_ptr> change(std::string_view id,
                                                       const migration::option_changes& wanted) override {
        changes.emplace_back(std::string(id), wanted);
        if (refusal) return *refusal;
        return find(id);
    }

    void add(migration::migration_snapshot snapshot) {
        known.push_back(std::make_shared<const migration::migration_snapshot>(std::move(snapshot)));
    }

    std::vector<migration::snapshot_ptr> known;
    std::optional<migration::failure> refusal;
    std::optional<migration::migration_spec> created;
    std::optional<migration::migration_spec> planned;
    std::vector<std::pair<std::string, migration::operator_command>> commands;
    std::vector<std::pair<std::string, migration::option_changes>> changes;
};

class proxy_double final : public admin::proxy_view {
public:
    admin::proxy_status status() const override { return now; }
    std::vector<admin::session_view> sessions() const override { return open; }
    result<admin::shown_certificates, admin::refusal> reload_tls() override {
        ++tls_reloads;
        if (!tls_problem.empty()) return admin::refusal{tls_problem};
        return admin::shown_certificates{
            .for_clients = admin::shown_certificate{"CN=sluice", "CN=ca", "2030-01-01T00:00:00Z", false},
            .for_server = std::nullopt};
    }

    admin::proxy_status now{.accepting = true,
                            .sessions = 3,
                            .sessions_max = 100,
                            .sessions_total = 12,
                            .statements_total = 345,
                            .statements_held = 1,
                            .statements_held_total = 6,
                            .listen = "127.0.0.1:6033",
                            .server = "127.0.0.1:3306"};
    std::vector<admin::session_view> open;
    std::string tls_problem;
    int tls_reloads = 0;
};

}  // namespace sluice::test
