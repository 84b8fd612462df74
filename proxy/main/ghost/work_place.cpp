// Finding the servers of a run.

#include "migration/check/check_replica.hpp"
#include "migration/check/server_variables.hpp"
#include "migration/mysql/mysql_executor.hpp"
#include "proxy/main/ghost/refusal_words.hpp"
#include "proxy/main/ghost/replica_modes.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace sluice::ghost {
namespace {

using migration::replica_status;
using migration::server_address;

constexpr unsigned access_denied = 1227;

struct looked_at {
    server_address address;
    std::string version;
    std::string identity;  ///< the same by whatever name the server is reached
    std::vector<replica_status> channels;
    std::unique_ptr<migration::sql_session> session;
};

/// may_be_denied: MariaDB has a privilege of its own for the question (REPLICA MONITOR), which gh-ost's accounts lack.
result<looked_at, std::string> look_at(const server_address& address, const ghost_settings& settings,
                                       bool may_be_denied) {
    migration::mysql_executor sql(address, {.connect_limit = settings.connect_limit});
    auto session = sql.connect();
    if (!session) return "cannot connect to " + address.text() + ": " + words_of(session.error());
    auto facts = (*session)->run("SELECT VERSION(), CONCAT(@@server_id, ' ', @@hostname, ' ', @@port)");
    if (!facts) return "cannot ask " + address.text() + ": " + words_of(facts.error());
    looked_at found{address, {}, {}, {}, std::move(session).value()};
    if (!facts->rows.empty()) {
        found.version = facts->rows[0].at(0).value_or("");
        found.identity = facts->rows[0].at(1).value_or("");
    }
    auto channels = migration::read_replica_status(*found.session);
    if (channels) {
        found.channels = std::move(channels).value();
    } else if (channels.error().server_errno == access_denied && may_be_denied) {
        spdlog::info("{} does not say whether it is a replica; as it was said to be the master, it is taken for one",
                     address.text());
    } else {
        return "cannot learn of " + address.text() + " whether it is a replica: " + words_of(channels.error());
    }
    return found;
}

std::string refused_replica(const server_address& replica, const migration::failure& why, bool works_there) {
    const std::string& name = replica.text();
    std::string sentence = name + ": " + why.message;
    if (why.code == "replica_log") {
        sentence = name + " must have log_slave_updates enabled for " +
                   (works_there ? "testing/migrating on replica" : "executing migration") + " (" + why.message + ")";
    } else if (why.code == "binlog_off") {
        sentence = name + " must have binary logs enabled (" + why.message + ")";
    }
    return sentence;
}

/// Both threads of every channel. What a trial that was killed has stopped is started again, where the run may do that.
result<void, std::string> require_running(looked_at& replica, const ghost_settings& settings) {
    // Whoever has started it since, a server's own start maybe, need not know of a trial.
    if (replica.address.text() == settings.server.text()) {
        const bool applies =
            std::ranges::any_of(replica.channels, [](const replica_status& each) { return each.applier != "No"; });
        SLUICE_TRY(const bool mended, mend_stopped_trial(*replica.session, settings, replica.version, applies));
        if (mended) return {};
    }
    const auto halted = std::ranges::find_if(replica.channels, [](const replica_status& each) { return !each.runs(); });
    if (halted == replica.channels.end()) return {};
    const replica_status& one = *halted;
    return "Replication on " + replica.address.text() + " is broken: Slave_IO_Running: " + one.receiver +
           ", Slave_SQL_Running: " + one.applier + ". Please make sure replication runs before using gh-ost (" +
           (one.error.empty() ? start_statement(replica.version) +
                                    " starts it; a trial by --test-on-replica leaves it "
                                    "stopped"
                              : one.error) +
           ")";
}

result<void, std::string> require_prompt(const looked_at& replica, const ghost_settings& settings) {
    for (const replica_status& each : replica.channels) {
        if (each.delay <= settings.spec.options.max_lag) continue;
        return replica.address.text() + " keeps a delay of " + std::to_string(each.delay.count()) +
               " s, above --max-lag-millis: it would throttle the run for ever";
    }
    return {};
}

/// The way up from the server of --host: itself, its source, and so on. A server that has been met ends it.
struct way_up {
    std::vector<looked_at> met;
    std::optional<std::size_t> loop;  ///< the first that the last one replicates from
};

result<server_address, std::string> source_of(const looked_at& replica, const ghost_settings& settings) {
    server_address source = settings.server;
    source.host = replica.channels.front().source_host;
    source.port = replica.channels.front().source_port;
    const bool several = std::ranges::any_of(replica.channels, [&](const replica_status& each) {
        return each.source_host != source.host || each.source_port != source.port;
    });
    if (!several) return source;
    return replica.address.text() +
           " replicates from several sources. Tell which one is to be altered by --assume-master-host";
}

/// until: the identity of a server that ends the way; empty: none.
result<way_up, std::string> go_up(looked_at begin, const ghost_settings& settings, const std::string& until) {
    way_up way;
    way.met.push_back(std::move(begin));
    while (!way.met.back().channels.empty() && way.met.back().identity != until) {
        SLUICE_TRY(const server_address source, source_of(way.met.back(), settings));
        SLUICE_TRY(looked_at next, look_at(source, settings, false));
        const auto known = std::ranges::find(way.met, next.identity, &looked_at::identity);
        if (known != way.met.end()) {
            way.loop = static_cast<std::size_t>(known - way.met.begin());
            return way;
        }
        way.met.push_back(std::move(next));
    }
    return way;
}

/// Reads the replica's log if every server below the master hands on what it gets.
result<void, std::string> choose_log(way_up& way, std::size_t master, const ghost_settings& settings,
                                     work_place& place) {
    for (std::size_t i = 0; i < master; ++i) {
        SLUICE_TRY_VOID(require_running(way.met[i], settings));
        SLUICE_TRY_VOID(require_prompt(way.met[i], settings));
        auto passes = migration::check_passes_on(*way.met[i].session, settings.spec);
        if (!passes) return refused_replica(way.met[i].address, passes.error(), false);
    }
    if (master != 0) place.log_server = settings.server;
    return {};
}

result<void, std::string> find_on_replica(looked_at inspected, const ghost_settings& settings, work_place& place) {
    if (inspected.channels.empty()) {
        return std::string(
            "Instructed to --test-on-replica or --migrate-on-replica, but the server we connect to doesn't seem to be "
            "a "
            "replica");
    }
    SLUICE_TRY_VOID(require_running(inspected, settings));
    SLUICE_TRY_VOID(require_prompt(inspected, settings));
    auto logged = migration::check_logs_replicated(*inspected.session);
    if (!logged) return refused_replica(inspected.address, logged.error(), true);
    spdlog::info(
        "--test-on-replica or --migrate-on-replica given. Will not execute on master but rather on replica {} "
        "itself",
        inspected.address.text());
    place.master = settings.server;
    place.version = inspected.version;
    return {};
}

/// Whether the master replicates from a server below it, or may do so.
bool is_circular(const way_up& way, const ghost_settings& settings) {
    const looked_at& master = way.met.back();
    if (master.channels.empty()) return false;
    const auto source = source_of(master, settings);
    if (!source) return true;
    const auto above = look_at(*source, settings, false);
    return !above || std::ranges::find(way.met, above->identity, &looked_at::identity) != way.met.end();
}

result<void, std::string> find_assumed(looked_at inspected, const ghost_settings& settings, work_place& place) {
    SLUICE_TRY(const looked_at master, look_at(*settings.master, settings, true));
    place.master = *settings.master;
    place.version = master.version;
    if (master.identity == inspected.identity) return {};
    spdlog::info("Master forced to be {}", place.master.text());
    auto way = go_up(std::move(inspected), settings, master.identity);
    const bool below = way && !way->loop && way->met.back().identity == master.identity;
    if (below && !is_circular(*way, settings)) return choose_log(*way, way->met.size() - 1, settings, place);
    // What a co-master gets from its clients reaches its own log first, and the master later.
    spdlog::info("{} is not a plain replica of {}{}: the binary log of the master itself is read",
                 settings.server.text(), place.master.text(), way ? "" : " (" + way.error() + ")");
    return {};
}

result<void, std::string> find_by_replication(looked_at inspected, const ghost_settings& settings, work_place& place) {
    SLUICE_TRY(way_up way, go_up(std::move(inspected), settings, {}));
    if (way.loop && !settings.allow_master_master) {
        return "There seems to be a master-master setup at " + way.met[*way.loop].address.text() +
               ". This is unsupported. Bailing out (say --allow-master-master, and by --assume-master-host which one "
               "is "
               "to be altered)";
    }
    // Of several masters, the one that is met first.
    const std::size_t master = way.loop ? *way.loop : way.met.size() - 1;
    place.master = way.met[master].address;
    place.version = way.met[master].version;
    return choose_log(way, master, settings, place);
}

}  // namespace

result<work_place, std::string> find_work_place(const ghost_settings& settings) {
    work_place place;
    SLUICE_TRY(looked_at inspected, look_at(settings.server, settings, settings.allow_on_master));
    const std::string identity = inspected.identity;
    place.inspected_version = inspected.version;
    place.inspected_is_replica = !inspected.channels.empty();
    if (settings.on_replica()) {
        SLUICE_TRY_VOID(find_on_replica(std::move(inspected), settings, place));
        return place;
    }
    if (settings.master) {
        SLUICE_TRY_VOID(find_assumed(std::move(inspected), settings, place));
    } else {
        SLUICE_TRY_VOID(find_by_replication(std::move(inspected), settings, place));
    }
    const bool on_master = place.master.text() == settings.server.text();
    if (on_master && !settings.allow_on_master) {
        return std::string(
            "It seems like this migration attempt to run directly on master. Preferably it would be executed on a "
            "replica (and this reduces load from the master). To proceed please provide --allow-on-master.");
    }
    return place;
}

}  // namespace sluice::ghost
