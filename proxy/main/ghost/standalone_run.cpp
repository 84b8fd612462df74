#include "proxy/main/ghost/standalone_run.hpp"

#include "migration/checkpoint/checkpoint_table.hpp"
#include "migration/engine/migration_service.hpp"
#include "migration/mysql/binlog_stream.hpp"
#include "migration/sql/artefact_names.hpp"
#include "migration/sql/identifier.hpp"
#include "proxy/main/ghost/refusal_words.hpp"
#include "proxy/main/serve/throttle_adapters.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace sluice::ghost {
namespace {

using migration::operator_command;

// Asked by the thread that everything else waits for.
constexpr std::chrono::seconds log_server_connect_limit{3};
constexpr std::chrono::seconds log_server_read_limit{10};

/// The one that a run of this kind goes by; "checkpoint_missing" where there is none.
migration::outcome<migration::checkpoint> checkpoint_for(migration::sql_executor& sql,
                                                         const migration::migration_spec& spec) {
    const bool resumes = spec.kind == migration::run_kind::resume;
    const migration::table_name table{
        spec.table.schema, migration::artefact_names_of(spec.table.table, spec.options.tables_named_after).checkpoints};
    SLUICE_TRY(const auto session, sql.connect());
    SLUICE_TRY(auto found,
               migration::read_checkpoint([&session](std::string_view text) { return session->run(text); }, table));
    if (!found || found->swapped == resumes) {
        return migration::refuse("checkpoint_missing",
                                 "there is nothing in " + quote_table(table) +
                                     (resumes ? " to go on from" : " that says where the cut-over was"));
    }
    return *std::move(found);
}

}  // namespace

result<void, std::string> take_alter_of_checkpoint(ghost_settings& settings, const work_place& place) {
    migration::mysql_executor sql(place.master, {.connect_limit = settings.connect_limit});
    auto found = checkpoint_for(sql, settings.spec);
    if (!found) return words_of(found.error());
    settings.spec.alter = found->alter;
    // What became of renamed columns was decided then.
    settings.spec.options.skip_renamed_columns = found->options.find("skip_renamed_columns=yes") != std::string::npos;
    return {};
}

standalone_run::standalone_run(const ghost_settings& settings, const work_place& place)
    : ghost_run(settings),
      place_(place),
      sql_(std::make_shared<migration::mysql_executor>(
          place.master, migration::mysql_executor_options{.connect_limit = settings.connect_limit})) {
    const migration::binlog_stream_options stream{.server_id = settings.replica_server_id.value_or(0),
                                                  .connect_limit = settings.connect_limit};
    engine_ = std::make_unique<migration::migration_service>(
        sql_, std::make_shared<migration::binlog_stream_source>(place.log_server.value_or(place.master), stream),
        migration::open_traffic_gate(), engine_options());
}

migration::service_options standalone_run::engine_options() {
    // gh-ost's accounts may use one schema: no durable state is kept in another one.
    migration::service_options options{
        .state_schema = "", .throttles = throttle_ports_for(settings().server), .roles = {}};
    migration::server_roles& roles = options.roles;
    const std::chrono::seconds limit = settings().connect_limit;
    if (place_.log_server) {
        roles.log_server = std::make_shared<migration::mysql_executor>(
            *place_.log_server,
            migration::mysql_executor_options{.connect_limit = std::min(limit, log_server_connect_limit),
                                              .read_limit = log_server_read_limit});
    }
    roles.works_on_replica = settings().on_replica();
    if (roles.works_on_replica) options.throttles = with_own_lag(options.throttles, place_.master);
    if (settings().test_on_replica) {
        roles.replication =
            replication_of(place_.master, limit, settings().replication_by_hooks,
                           [this](const char* hook) -> result<void, std::string> {
                               environment_variables variables;
                               {
                                   const auto held = lock();
                                   variables = hook_variables();
                               }
                               return run_hooks(settings().hooks.path, hook, variables, interrupt_by_new_orders());
                           });
    }
    return options;
}

standalone_run::~standalone_run() { (void)leave().has_error(); }

migration::outcome<migration::alter_forecast> standalone_run::dry_run() {
    SLUICE_TRY_VOID(engine_->recover());
    return engine_->dry_run(settings().spec);
}

migration::outcome<std::string> standalone_run::foresee() {
    const migration::migration_spec& spec = settings().spec;
    SLUICE_TRY(const migration::checkpoint found, checkpoint_for(*sql_, spec));
    if (spec.kind == migration::run_kind::take_back) {
        return migration::quote_table({spec.table.schema, spec.options.old_table_name}) +
               " would get the changes made since the cut-over, followed from " + found.place +
               ", and then be the table again";
    }
    return "the copy would go on behind " + std::to_string(found.rows_copied) + " rows, and changes be followed from " +
           found.place;
}

result<void, command_refusal> standalone_run::begin() {
    if (auto ready = engine_->recover(); !ready) return command_refusal(words_of(ready.error()));
    auto made = engine_->create(settings().spec);
    if (!made) return command_refusal(words_of(made.error()));
    id_ = (*made)->id;
    return {};
}

result<run_view, command_refusal> standalone_run::look() {
    const auto snapshot = engine_ ? engine_->find(id_) : nullptr;
    if (!snapshot) return command_refusal("the run has not begun, or is over");
    return view_of(*snapshot);
}

result<void, command_refusal> standalone_run::cut_over() {
    if (!engine_) return command_refusal("the run is over");
    if (auto told = engine_->command(id_, operator_command::cut_over); !told)
        return command_refusal(told.error().message);
    return {};
}

result<void, command_refusal> standalone_run::pause(bool on) {
    if (!engine_) return command_refusal("the run is over");
    auto told = engine_->command(id_, on ? operator_command::pause : operator_command::resume);
    if (!told) return command_refusal(told.error().message);
    return {};
}

result<void, command_refusal> standalone_run::leave() {
    end_count();
    // Not under the lock: it waits for threads that may want it.
    std::unique_ptr<migration::migration_service> ended;
    const auto held = lock();
    ended = std::move(engine_);
    return {};
}

migration::migration_options standalone_run::options() {
    const auto snapshot = engine_ ? engine_->find(id_) : nullptr;
    return snapshot ? snapshot->spec.options : settings().spec.options;
}

result<void, command_refusal> standalone_run::change(const migration::option_changes& changes) {
    if (!engine_) return command_refusal("the run is over");
    if (auto changed = engine_->change(id_, changes); !changed) return command_refusal(changed.error().message);
    return {};
}

std::string standalone_run::applier() { return place_.master.text() + ", Version: " + place_.version; }

std::string standalone_run::inspector() { return settings().server.text() + ", Version: " + place_.inspected_version; }

void standalone_run::begin_count(bool beside) {
    spdlog::info(beside
                     ? "As instructed, counting rows in the background; meanwhile I will use an estimated count, and "
                       "will update it later on"
                     : "As instructed, I'm issuing a SELECT COUNT(*) on the table. This may take a while");
    counting_ = std::thread([this] {
        count();
        count_ended_ = true;
    });
}

void standalone_run::count() {
    auto session = sql_->connect();
    if (!session) {
        spdlog::warn("the rows are not counted: {}", words_of(session.error()));
        return;
    }
    counting_connection_ = (*session)->connection_id();
    // The engine's own sessions soon give up waiting; a count that waits keeps nobody from anything.
    (void)(*session)->run("SET SESSION lock_wait_timeout = 31536000").has_error();
    if (stop_counting_) return;
    auto counted = (*session)->run("SELECT COUNT(*) FROM " + quote_table(settings().spec.table));
    counting_connection_ = 0;
    if (!counted) {
        spdlog::info("the rows were not counted to their end: {}", words_of(counted.error()));
        return;
    }
    const std::string text = counted->rows.empty() ? "" : counted->rows[0][0].value_or("");
    std::uint64_t rows = 0;
    std::from_chars(text.data(), text.data() + text.size(), rows);
    {
        const auto held = lock();
        set_row_count(rows);
    }
    spdlog::info("Exact number of rows via COUNT: {}", rows);
    counted_ = true;
}

void standalone_run::end_count() {
    if (!counting_.joinable()) return;
    if (!count_ended_) {
        spdlog::info("stopping query for exact row count, because that can accidentally lock out the cut over");
    }
    stop_counting_ = true;
    // Again and again: one that comes just before the query strikes nothing.
    while (!count_ended_) {
        if (const std::uint64_t connection = counting_connection_; connection != 0) {
            auto session = sql_->connect();
            if (session) (void)(*session)->run("KILL QUERY " + std::to_string(connection)).has_error();
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    counting_.join();
}

}  // namespace sluice::ghost
