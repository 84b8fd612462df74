#pragma once

// Listens for the reasons to hold a migration back, each by a thread of its own, so that one that hangs does not hide
// another: the server's status, the throttle query, the HTTP probe, every control replica, the proxy's clients, and the
// flag files. Writes the heartbeats by which lag is measured, and beside them why it throttles.

#include "migration/model/table_description.hpp"
#include "migration/ports/sql_executor.hpp"
#include "migration/ports/throttle_ports.hpp"
#include "migration/throttle/throttle_judge.hpp"

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace sluice::migration {

class throttler {
public:
    /// Starts to listen. executor: the primary's; must outlive it. changelog: the table `_t_ghc`, which exists.
    throttler(throttle_settings settings, sql_executor& executor, throttle_ports ports, table_name changelog);
    /// Stops; waits for statements under way (they are bounded by the sessions' own limits).
    ~throttler();
    throttler(const throttler&) = delete;
    throttler& operator=(const throttler&) = delete;

    void set(throttle_settings settings);
    /// The verdict of now. For one thread, the coordinator's.
    [[nodiscard]] throttle_verdict judge();
    /// Age of the last heartbeat that the server took; nothing before the first.
    [[nodiscard]] std::optional<std::chrono::milliseconds> lag() const;
    /// Of the clients' statements, where they are looked at.
    [[nodiscard]] client_latency_figures clients() const;

private:
    struct listener {
        std::thread thread;
        bool stop = false;  ///< under the mutex
    };

    void start(const std::string& name, void (throttler::*work)(listener&, const std::string&));
    void listen_to_server(listener& self, const std::string& name);
    void ask_query(listener& self, const std::string& name);
    void ask_http(listener& self, const std::string& name);
    void ask_replica(listener& self, const std::string& name);
    void listen_to_clients(listener& self, const std::string& name);
    void write_heartbeats(listener& self, const std::string& name);
    /// Starts and stops listeners as the settings want it.
    void adjust();
    /// False when the listener is to end.
    bool rest(listener& self, std::chrono::milliseconds time);
    [[nodiscard]] bool resting() const;
    [[nodiscard]] throttle_settings settings() const;

    sql_executor& executor_;
    const throttle_ports ports_;
    const table_name changelog_;

    mutable std::mutex mutex_;
    std::condition_variable woken_;
    throttle_settings settings_;
    throttle_signals signals_;
    bool resting_ = false;
    std::optional<throttle_time> held_since_;  ///< there has been a reason to hold back at every look
    throttle_time judged_at_{};
    std::optional<std::string> throttle_row_;  ///< still to be written, with the next heartbeat
    std::map<std::string, std::unique_ptr<listener>> listeners_;

    throttle_judge judge_;  // the coordinator's own
    std::string last_reason_;
};

}  // namespace sluice::migration
