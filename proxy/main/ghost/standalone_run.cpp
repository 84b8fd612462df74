#include "proxy/main/ghost/standalone_run.hpp"

#include "migration/engine/migration_service.hpp"
#include "migration/mysql/binlog_stream.hpp"
#include "migration/sql/artefact_names.hpp"
#include "migration/sql/identifier.hpp"
#include "proxy/main/serve/throttle_adapters.hpp"

#include <spdlog/spdlog.h>

#include <charconv>
#include <set>
#include <utility>

namespace sluice::ghost {
namespace {

using migration::operator_command;
using migration::server_address;

std::string words_of(const migration::failure& why) {
    if (why.server_errno == 0) return why.message;
    return "Error " + std::to_string(why.server_errno) + " (" + why.sqlstate + "): " + why.message;
}

/// The server that this one replicates from; nothing for a master.
/// may_be_denied: MariaDB has a privilege of its own for the question (REPLICA MONITOR), which gh-ost's accounts lack.
result<std::optional<server_address>, std::string> source_of(migration::sql_session& session, const server_address& of,
                                                             bool may_be_denied) {
    constexpr unsigned parse_error = 1064;
    constexpr unsigned access_denied = 1227;
    auto told = session.run("SHOW REPLICA STATUS");
    if (!told && told.error().server_errno == parse_error) told = session.run("SHOW SLAVE STATUS");
    if (!told && told.error().server_errno == access_denied && may_be_denied) {
        spdlog::info("{} does not say whether it is a replica; as it was said to be the master, it is taken for one",
                     of.text());
        return std::optional<server_address>();
    }
    if (!told) return "cannot learn of " + of.text() + " whether it is a replica: " + words_of(told.error());
    std::optional<server_address> source;
    if (told->rows.empty()) return source;
    source = of;
    for (std::size_t i = 0; i < told->columns.size(); ++i) {
        const std::string value = told->rows[0][i].value_or("");
        if (told->columns[i] == "Source_Host" || told->columns[i] == "Master_Host") source->host = value;
        if (told->columns[i] == "Source_Port" || told->columns[i] == "Master_Port") {
            std::from_chars(value.data(), value.data() + value.size(), source->port);
        }
    }
    // A replica that was told to forget its source has a row without one.
    if (source->host.empty()) source.reset();
    return source;
}

struct looked_at {
    std::string version;
    std::optional<server_address> source;
};

result<looked_at, std::string> look_at(const server_address& address, const ghost_settings& settings) {
    migration::mysql_executor sql(address, {.connect_limit = settings.connect_limit});
    auto session = sql.connect();
    if (!session) return "cannot connect to " + address.text() + ": " + words_of(session.error());
    auto version = (*session)->run("SELECT VERSION()");
    if (!version) return "cannot ask " + address.text() + ": " + words_of(version.error());
    looked_at found;
    if (!version->rows.empty()) found.version = version->rows[0][0].value_or("");
    SLUICE_TRY(found.source, source_of(**session, address, settings.allow_on_master));
    return found;
}

}  // namespace

result<work_place, std::string> find_work_place(const ghost_settings& settings) {
    work_place place;
    SLUICE_TRY(const looked_at inspected, look_at(settings.server, settings));
    place.inspected_version = inspected.version;
    place.inspected_is_replica = inspected.source.has_value();
    place.master = settings.master ? *settings.master : settings.server;
    place.version = inspected.version;
    if (settings.master) {
        SLUICE_TRY(const looked_at master, look_at(place.master, settings));
        place.version = master.version;
    } else {
        std::set<std::string> seen{place.master.text()};
        for (auto source = inspected.source; source;) {
            // Two that replicate from each other: there is no telling which one takes the writes.
            if (!seen.insert(source->text()).second) {
                return "There seems to be a master-master setup at " + source->text() +
                       ". Tell which one is to be altered by --assume-master-host";
            }
            place.master = *source;
            SLUICE_TRY(const looked_at next, look_at(place.master, settings));
            place.version = next.version;
            source = next.source;
        }
    }
    const bool on_master = place.master.text() == settings.server.text();
    if (on_master && !settings.allow_on_master) {
        return std::string(
            "It seems like this migration attempt to run directly on master. Preferably it would be executed on a "
            "replica (and this reduces load from the master). To proceed please provide --allow-on-master.");
    }
    return place;
}

standalone_run::standalone_run(const ghost_settings& settings, const work_place& place)
    : ghost_run(settings),
      place_(place),
      sql_(std::make_shared<migration::mysql_executor>(
          place.master, migration::mysql_executor_options{.connect_limit = settings.connect_limit})) {
    const migration::binlog_stream_options stream{.server_id = settings.replica_server_id.value_or(0),
                                                  .connect_limit = settings.connect_limit};
    // gh-ost's accounts may use one schema: no durable state is kept, a run that was ended begins again.
    engine_ = std::make_unique<migration::migration_service>(
        sql_, std::make_shared<migration::binlog_stream_source>(place.master, stream), migration::open_traffic_gate(),
        migration::service_options{.state_schema = "", .throttles = throttle_ports_for(place.master)});
}

standalone_run::~standalone_run() { leave(); }

migration::outcome<migration::alter_forecast> standalone_run::dry_run() {
    SLUICE_TRY_VOID(engine_->recover());
    return engine_->dry_run(settings().spec);
}

result<void, command_refusal> standalone_run::begin() {
    if (auto ready = engine_->recover(); !ready) return command_refusal(words_of(ready.error()));
    if (settings().drop_old_table_first) {
        const migration::table_name& table = settings().spec.table;
        const migration::table_name old{table.schema, migration::artefact_names_of(table.table).old_table};
        spdlog::info("Dropping table {}", quote_table(old));
        auto session = sql_->connect();
        if (!session) return command_refusal(words_of(session.error()));
        auto dropped = (*session)->run("DROP TABLE IF EXISTS " + quote_table(old));
        if (!dropped) return command_refusal(words_of(dropped.error()));
    }
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

void standalone_run::leave() {
    end_count();
    engine_.reset();
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

void standalone_run::count_rows(bool beside) {
    if (!beside) {
        (void)pause(true).has_error();
        count();
        (void)pause(false).has_error();
        return;
    }
    spdlog::info(
        "As instructed, counting rows in the background; meanwhile I will use an estimated count, and will update it "
        "later on");
    counting_ = std::thread([this] { count(); });
}

void standalone_run::count() {
    auto session = sql_->connect();
    if (!session) {
        spdlog::warn("the rows are not counted: {}", words_of(session.error()));
        return;
    }
    counting_connection_ = (*session)->connection_id();
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
    count_ended_ = true;
}

void standalone_run::end_count() {
    if (!counting_.joinable()) return;
    if (const std::uint64_t connection = counting_connection_; connection != 0) {
        spdlog::info("stopping query for exact row count, because that can accidentally lock out the cut over");
        auto session = sql_->connect();
        if (session) (void)(*session)->run("KILL QUERY " + std::to_string(connection)).has_error();
    }
    counting_.join();
}

}  // namespace sluice::ghost
