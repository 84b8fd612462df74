#include "proxy/main/ghost/replica_modes.hpp"

#include "migration/check/replica_status.hpp"
#include "migration/mysql/mysql_executor.hpp"
#include "migration/throttle/heartbeat_time.hpp"
#include "proxy/main/ghost/hooks.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace sluice::ghost {
namespace {

using migration::outcome;
using migration::query_result;
using migration::refuse;
using migration::replica_status;
using migration::server_address;
using migration::sql_session;
using std::chrono::steady_clock;

constexpr std::chrono::seconds stop_limit{60};
constexpr std::chrono::milliseconds poll{50};

/// Whatever is asked for, the answer is when the last change that the replica has was made on its source.
class lag_session final : public sql_session {
public:
    explicit lag_session(std::unique_ptr<sql_session> session) : session_(std::move(session)) {}

    outcome<query_result> run(std::string_view) override {
        SLUICE_TRY(const auto channels, migration::read_replica_status(*session_));
        std::chrono::seconds behind{0};
        for (const replica_status& each : channels) {
            if (!each.runs() || !each.behind) {
                return refuse("replication_broken", "replication does not run (receiver: " + each.receiver +
                                                        ", applier: " + each.applier + ")");
            }
            behind = std::max(behind, *each.behind);
        }
        query_result answer;
        answer.columns = {"value"};
        answer.rows = {{migration::heartbeat_text(std::chrono::system_clock::now() - behind)}};
        return answer;
    }
    [[nodiscard]] std::uint64_t connection_id() const override { return session_->connection_id(); }

private:
    std::unique_ptr<sql_session> session_;
};

class directory_with_own_lag final : public migration::replica_directory {
public:
    directory_with_own_lag(std::shared_ptr<migration::replica_directory> others, server_address replica)
        : others_(std::move(others)), replica_(std::move(replica)) {}

    outcome<std::unique_ptr<sql_session>> connect(const std::string& host, std::uint16_t port) override {
        SLUICE_TRY(auto session, others_->connect(host, port));
        if (host == replica_.host && port == replica_.port) session = std::make_unique<lag_session>(std::move(session));
        return session;
    }

private:
    const std::shared_ptr<migration::replica_directory> others_;
    const server_address replica_;
};

class hooked_replication final : public migration::replication_switch {
public:
    hooked_replication(const server_address& replica, std::chrono::seconds connect_limit, bool by_hooks,
                       hook_caller call_hook)
        : name_(replica.text()),
          sql_(replica, {.connect_limit = connect_limit}),
          by_hooks_(by_hooks),
          call_hook_(std::move(call_hook)) {}

    outcome<void> stop() override {
        if (auto told = call_hook_(on_stop_replication); !told) return refuse("hook_failed", told.error());
        SLUICE_TRY(const auto session, sql_.connect());
        if (by_hooks_) {
            spdlog::warn("--test-on-replica-skip-replica-stop enabled, we are not stopping replication.");
        } else {
            spdlog::debug("testing on replica. Stopping replication on {}", name_);
            SLUICE_TRY_VOID(tell(*session, "STOP"));
        }
        return see_it_stand_still(*session);
    }

    outcome<void> start() override {
        if (auto told = call_hook_(on_start_replication); !told) return refuse("hook_failed", told.error());
        if (by_hooks_) {
            spdlog::warn("--test-on-replica-skip-replica-stop enabled, we are not starting replication.");
            return {};
        }
        spdlog::debug("testing on replica. Starting replication on {} after a cut-over that was given up", name_);
        SLUICE_TRY(const auto session, sql_.connect());
        return tell(*session, "START");
    }

private:
    static outcome<void> tell(sql_session& session, const std::string& word) {
        constexpr unsigned parse_error = 1064;
        // MariaDB's for all of its connections; MySQL from 8.0.22 on; and before.
        outcome<query_result> told = query_result();
        for (const char* what : {" ALL SLAVES", " REPLICA", " SLAVE"}) {
            told = session.run(word + what);
            if (told || told.error().server_errno != parse_error) break;
        }
        if (!told) return std::move(told).error();
        return {};
    }

    /// What came between the swap and the way back would be lost to the table.
    outcome<void> see_it_stand_still(sql_session& session) const {
        const auto until = steady_clock::now() + (by_hooks_ ? std::chrono::seconds(5) : stop_limit);
        while (true) {
            SLUICE_TRY(const auto channels, migration::read_replica_status(session));
            if (std::ranges::all_of(channels, [](const replica_status& each) { return each.applier == "No"; }))
                return {};
            if (steady_clock::now() > until) break;
            std::this_thread::sleep_for(poll);
        }
        return refuse("replication_runs",
                      "replication on " + name_ + " still runs, and would change the tables while they are swapped" +
                          (by_hooks_ ? ": with --test-on-replica-skip-replica-stop, a hook gh-ost-on-stop-replication "
                                       "must stop it"
                                     : ""));
    }

    const std::string name_;
    migration::mysql_executor sql_;
    const bool by_hooks_;
    const hook_caller call_hook_;
};

}  // namespace

migration::throttle_ports with_own_lag(migration::throttle_ports ports, const server_address& replica) {
    ports.replicas = std::make_shared<directory_with_own_lag>(std::move(ports.replicas), replica);
    return ports;
}

std::shared_ptr<migration::replication_switch> replication_of(const server_address& replica,
                                                              std::chrono::seconds connect_limit, bool by_hooks,
                                                              hook_caller call_hook) {
    return std::make_shared<hooked_replication>(replica, connect_limit, by_hooks, std::move(call_hook));
}

}  // namespace sluice::ghost
