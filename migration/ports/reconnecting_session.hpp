#pragma once

// A session that survives the loss of its connection. After a loss the statement's outcome is unknown, but one thing is
// made certain before the caller hears of it: the lost connection is gone on the server, so nothing of it can still
// take effect later. Used by one thread at a time.

#include "migration/ports/clock.hpp"
#include "migration/ports/sql_executor.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::migration {

class reconnecting_session final : public sql_session {
public:
    /// give_up: asked between attempts to connect again; true ends them.
    reconnecting_session(sql_executor& executor, std::function<bool()> give_up, clock& time = real_clock());

    /// Runs one statement, connecting first if need be. A lost connection comes back as "connection_lost" with
    /// disposition retry, after the new connection stands and the old one has ended on the server. When no connection
    /// can be had within patience, or give_up said so, the failure's disposition is abort.
    outcome<query_result> run(std::string_view sql) override;
    /// Of the connection in hand; 0 when there is none.
    [[nodiscard]] std::uint64_t connection_id() const override { return session_ ? session_->connection_id() : 0; }

    /// The lock by which the connection is found bears this name, of at most 64 characters, instead of one of chance: a
    /// later process can find it as well. Whoever holds it then is ended. Call before the first connection.
    ///   may_live: asked of each new connection before it ends anybody, and again once it bears the name. Its failure
    /// ends that connection and is taken as one to connect. Runs on the thread of this session.
    void live_under(std::string lock_name, std::function<outcome<void>(sql_session&)> may_live = {}) {
        given_lock_ = std::move(lock_name);
        may_live_ = std::move(may_live);
    }

    outcome<void> connect();
    /// GET_LOCK: whether the lock was had within `seconds`. It is lost with the connection, and not taken again. Before
    /// MySQL 5.7.5 a session has one lock only: there it also becomes the one by which the connection is found.
    outcome<bool> take_lock(const std::string& name, unsigned seconds);
    /// The lock that take_lock() had last is held still, as far as is known: without a statement, a connection whose
    /// loss nobody has noticed counts as there. So it holds for the next statement, if that is answered.
    [[nodiscard]] bool has_lock() const noexcept { return session_ && has_lock_; }
    /// Gives the connection up and makes certain that it has ended on the server, whatever it was doing.
    outcome<void> replace();
    [[nodiscard]] bool connected() const noexcept { return session_ != nullptr; }
    /// For calls that must not be repeated or reconnected; connect() first.
    [[nodiscard]] sql_session& raw() { return *session_; }
    void close() noexcept { session_.reset(); }

    static constexpr std::chrono::minutes patience{10};

private:
    outcome<void> connect_once();
    outcome<void> end_lost_connection();
    outcome<void> end_holder(const std::string& lock);

    sql_executor& executor_;
    std::function<bool()> give_up_;
    clock& time_;
    std::unique_ptr<sql_session> session_;
    /// A user-level lock that the connection holds for as long as it lives. Connection ids start over with the server,
    /// this name does not: killing the lost connection by it cannot hit a stranger.
    std::string life_lock_;
    std::string given_lock_;  ///< its name where that is given
    std::function<outcome<void>(sql_session&)> may_live_;
    std::uint64_t life_id_ = 0;  ///< connection id at that time
    bool has_lock_ = false;      ///< of take_lock(); of the connection in hand
};

}  // namespace sluice::migration
