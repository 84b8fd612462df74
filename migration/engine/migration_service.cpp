#include "migration/engine/migration_service.hpp"

#include "migration/engine/dry_run.hpp"
#include "migration/engine/migration_run.hpp"
#include "migration/engine/state_store.hpp"
#include "migration/model/option_fields.hpp"
#include "migration/sql/identifier.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <utility>

namespace sluice::migration {
namespace {

constexpr unsigned history_max = 1'000;
constexpr std::size_t id_prefix_min = 4;

std::string fresh_id() {
    std::random_device source;
    std::string id;
    constexpr const char* digits = "0123456789abcdef";
    for (int i = 0; i < 16; ++i) id += digits[source() % 16];
    return id;
}

outcome<void> check_group(const migration_options& options) {
    const bool named = !options.cutover_group.empty();
    if (named && options.cutover_group_size == 0) {
        return refuse("invalid_request",
                      "cutover_group_size: is 0, must say how many migrations group " + options.cutover_group + " has");
    }
    if (!named && options.cutover_group_size != 0) {
        return refuse("invalid_request", "cutover_group: is empty, must name the group of " +
                                             std::to_string(options.cutover_group_size) + " migrations");
    }
    if (named && (options.attempt_instant || options.attempt_inplace)) {
        return refuse("invalid_request", std::string(options.attempt_instant ? "attempt_instant" : "attempt_inplace") +
                                             ": is yes, must be no in a group: what the server alters by itself cannot "
                                             "wait for the others");
    }
    return {};
}

outcome<void> check_request(const migration_spec& spec) {
    const std::pair<const char*, const std::string*> names[] = {{"schema", &spec.table.schema},
                                                                {"table", &spec.table.table}};
    for (const auto& [field, name] : names) {
        if (auto valid = check_identifier(*name); !valid) {
            return refuse("invalid_request", std::string(field) + ": " + valid.error().message);
        }
    }
    if (spec.alter.empty()) {
        return refuse("invalid_request", "alter: is empty; give what follows ALTER TABLE, such as ADD COLUMN c INT");
    }
    if (const option_field* bad = find_bad_value(spec.options)) {
        return refuse("invalid_request", std::string(bad->name) + ": is " + shown_value(*bad, spec.options) +
                                             ", must be " + expected_value(*bad, shown_value(*bad, spec.options)));
    }
    return check_group(spec.options);
}

}  // namespace

struct migration_service::implementation {
    std::shared_ptr<sql_executor> sql;
    std::shared_ptr<change_feed_source> feeds;
    std::shared_ptr<traffic_gate> gate;
    state_store store;
    throttle_ports throttles;
    server_roles roles;

    mutable std::mutex mutex;
    bool recovered = false;
    std::map<std::string, std::shared_ptr<migration_run>> runs;  ///< by id: of this process
    std::map<std::string, snapshot_ptr> history;                 ///< by id: ended before this process

    std::vector<table_name> dry_running{};
    std::shared_ptr<cutover_groups> groups = std::make_shared<cutover_groups>();

    [[nodiscard]] run_environment environment() const { return {sql, feeds, gate, store, throttles, groups, roles}; }

    [[nodiscard]] std::vector<snapshot_ptr> all() const {
        std::vector<snapshot_ptr> found;
        for (const auto& [id, run] : runs) found.push_back(run->snapshot());
        for (const auto& [id, snapshot] : history) found.push_back(snapshot);
        std::sort(found.begin(), found.end(), [](const snapshot_ptr& a, const snapshot_ptr& b) {
            return a->created != b->created ? a->created > b->created : a->id < b->id;
        });
        if (found.size() > history_max) found.resize(history_max);
        return found;
    }

    [[nodiscard]] outcome<void> require_free(const table_name& table) const {
        for (const auto& [id, run] : runs) {
            const snapshot_ptr last = run->snapshot();
            if (is_final(last->state) || !(last->spec.table == table)) continue;
            return refuse("already_running", "migration " + id + " of " + quote_table(table) +
                                                 " is running; abort it or wait for its end");
        }
        return {};
    }

    /// The group has room for one more, and all agree on how many they are.
    [[nodiscard]] outcome<void> require_place(const migration_options& options) const {
        if (options.cutover_group.empty()) return {};
        std::uint32_t members = 0;
        for (const auto& [id, run] : runs) {
            const snapshot_ptr last = run->snapshot();
            const auto& theirs = last->spec.options;
            if (last->state > migration_state::cutting_over || theirs.cutover_group != options.cutover_group) continue;
            if (theirs.cutover_group_size != options.cutover_group_size) {
                return refuse("invalid_request", "cutover_group_size: is " +
                                                     std::to_string(options.cutover_group_size) + ", must be " +
                                                     std::to_string(theirs.cutover_group_size) + " as in migration " +
                                                     id + " of the same group");
            }
            ++members;
        }
        if (members < options.cutover_group_size) return {};
        return refuse("invalid_request", "cutover_group: " + options.cutover_group + " has its " +
                                             std::to_string(members) + " members already");
    }

    /// Ended runs keep nothing but their last snapshot. Their threads have ended, or are about to.
    void retire_ended_runs() {
        for (auto run = runs.begin(); run != runs.end();) {
            const snapshot_ptr last = run->second->snapshot();
            if (is_final(last->state) && run->second->at_rest()) {
                history[run->first] = last;
                run = runs.erase(run);
            } else {
                ++run;
            }
        }
        while (history.size() > history_max) {
            history.erase(std::min_element(history.begin(), history.end(), [](const auto& a, const auto& b) {
                return a.second->created < b.second->created;
            }));
        }
    }

    /// Taken up again, one would drop what the later one made.
    outcome<void> close_superseded(sql_session& session, migration_snapshot& snapshot) const {
        snapshot.state = migration_state::failed;
        snapshot.ended = std::chrono::system_clock::now();
        snapshot.error = refuse("superseded", "a later migration of " + quote_table(snapshot.spec.table) +
                                                  " was begun before the end of this one was stored");
        spdlog::warn("migration {}: {}", snapshot.id, snapshot.error->message);
        return store.save(session, snapshot);
    }

    std::shared_ptr<migration_run> add_run(migration_snapshot begin) {
        const std::string id = begin.id;
        auto& run = runs[id] = std::make_shared<migration_run>(environment(), std::move(begin));
        run->start();
        return run;
    }
};

migration_service::migration_service(std::shared_ptr<sql_executor> sql, std::shared_ptr<change_feed_source> feeds,
                                     std::shared_ptr<traffic_gate> gate, const service_options& options)
    : self_(new implementation{std::move(sql),
                               std::move(feeds),
                               std::move(gate),
                               state_store(options.state_schema),
                               options.throttles,
                               options.roles,
                               {},
                               false,
                               {},
                               {}}) {}

migration_service::~migration_service() {
    // All at once: none waits for the others' patience.
    for (const auto& [id, run] : self_->runs) run->request_stop();
}

outcome<void> migration_service::recover() {
    const std::lock_guard lock(self_->mutex);
    SLUICE_TRY(const auto session, self_->sql->connect());
    SLUICE_TRY_VOID(self_->store.prepare(*session));
    SLUICE_TRY(auto known, self_->store.load(*session, history_max));
    std::set<std::pair<std::string, std::string>> tables;
    for (migration_snapshot& snapshot : known) {
        // Newest first: whoever began a later one of the table knew that this one had ended.
        const bool is_newest = tables.emplace(snapshot.spec.table.schema, snapshot.spec.table.table).second;
        if (!is_final(snapshot.state) && !is_newest) {
            SLUICE_TRY_VOID(self_->close_superseded(*session, snapshot));
        }
        if (is_final(snapshot.state)) {
            const std::string id = snapshot.id;
            self_->history[id] = std::make_shared<const migration_snapshot>(std::move(snapshot));
            continue;
        }
        spdlog::warn("migration {} of {} was interrupted while {}: taking it up again", snapshot.id,
                     quote_table(snapshot.spec.table), to_string(snapshot.state));
        self_->add_run(std::move(snapshot));
    }
    self_->recovered = true;
    return {};
}

outcome<alter_forecast> migration_service::dry_run(const migration_spec& spec) {
    SLUICE_TRY_VOID(check_request(spec));
    {
        const std::lock_guard lock(self_->mutex);
        SLUICE_ASSERT(self_->recovered);
        SLUICE_TRY_VOID(self_->require_free(spec.table));
        auto& tables = self_->dry_running;
        if (std::find(tables.begin(), tables.end(), spec.table) != tables.end()) {
            return refuse("already_running",
                          "a dry run for " + quote_table(spec.table) + " is running; wait for its end");
        }
        tables.push_back(spec.table);
    }
    struct end_of_run {
        implementation& self;
        const table_name& table;
        ~end_of_run() {
            const std::lock_guard lock(self.mutex);
            std::erase(self.dry_running, table);
        }
    } const end{*self_, spec.table};
    return migration::dry_run(*self_->sql, self_->store, spec, self_->roles);
}

outcome<snapshot_ptr> migration_service::create(migration_spec spec) {
    SLUICE_TRY_VOID(check_request(spec));
    std::unique_lock lock(self_->mutex);
    SLUICE_ASSERT(self_->recovered);
    self_->retire_ended_runs();
    SLUICE_TRY_VOID(self_->require_free(spec.table));
    SLUICE_TRY_VOID(self_->require_place(spec.options));
    migration_snapshot begin;
    begin.id = fresh_id();
    begin.spec = std::move(spec);
    begin.created = begin.changed = std::chrono::system_clock::now();
    const auto run = self_->add_run(std::move(begin));
    auto begun = run->snapshot();
    lock.unlock();
    run->wait_until_stored();
    return begun;
}

std::vector<snapshot_ptr> migration_service::list() const {
    const std::lock_guard lock(self_->mutex);
    return self_->all();
}

snapshot_ptr migration_service::find(std::string_view id) const {
    if (id.size() < id_prefix_min) return nullptr;
    const std::lock_guard lock(self_->mutex);
    // A whole id, which is what programs that poll have, is not looked for among all of them.
    if (const auto run = self_->runs.find(std::string(id)); run != self_->runs.end()) return run->second->snapshot();
    snapshot_ptr found;
    for (const snapshot_ptr& snapshot : self_->all()) {
        if (!snapshot->id.starts_with(id)) continue;
        if (found) return nullptr;
        found = snapshot;
    }
    return found;
}

template <class Tell>
outcome<snapshot_ptr> migration_service::tell_run(std::string_view id, Tell tell) {
    const snapshot_ptr known = find(id);
    if (!known) return refuse("no_such_migration", "there is no migration " + std::string(id));
    std::unique_lock lock(self_->mutex);
    const auto run = self_->runs.find(known->id);
    if (run == self_->runs.end()) {
        return refuse("wrong_state", "migration " + known->id + " is " + std::string(to_string(known->state)) +
                                         ": it takes no commands any more");
    }
    const auto told = run->second;
    lock.unlock();  // it may have to ask the server
    SLUICE_TRY_VOID(tell(*told));
    told->wait_until_stored();
    return told->snapshot();
}

outcome<snapshot_ptr> migration_service::command(std::string_view id, operator_command command) {
    return tell_run(id, [command](migration_run& run) { return run.command(command); });
}

outcome<snapshot_ptr> migration_service::change(std::string_view id, const option_changes& changes) {
    if (const option_field* bad = find_bad_value(changes.values)) {
        return refuse("invalid_request",
                      std::string(bad->name) + ": must be " + expected_value(*bad, shown_value(*bad, changes.values)));
    }
    return tell_run(id, [&changes](migration_run& run) { return run.change(changes); });
}

}  // namespace sluice::migration
