#pragma once

// Stands between `sluice serve` and its server and reads what the engine asks (its login is told by the user's name;
// all else, the clients' sessions too, passes as it comes). A test says at which statement something is to happen:
// before the server gets it, just behind it, or when the server's answer is there and the engine does not have it yet.
// So the program under test is the real one, without a fault point in it. Connections must be plain.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sluice::test {

enum class moment {
    before,  ///< the server never gets the statement
    during,  ///< the server gets it, nobody waits for the answer: executed or not
    after,   ///< the server has executed it, the engine never gets the answer
};
[[nodiscard]] const char* to_string(moment when);

struct engine_statement {
    std::string_view sql;
    bool of_lock_session;  ///< LOCK TABLES has been sent on this connection, or is this statement
};

class statement_relay {
public:
    explicit statement_relay(std::uint16_t server_port);
    statement_relay(const statement_relay&) = delete;
    statement_relay& operator=(const statement_relay&) = delete;
    /// Ends all connections.
    ~statement_relay();

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

    /// Strikes once, at the first statement of the engine's that `is_it` knows, on a thread of the relay's. Neither the
    /// statement (before) nor its answer (after) is passed on afterwards: the strike must end the connection.
    void arm(std::function<bool(const engine_statement&)> is_it, moment when, std::function<void()> strike);
    /// False: not within `limit`.
    [[nodiscard]] bool wait_struck(std::chrono::milliseconds limit);
    /// Nothing strikes any more. Called for each statement from now on, before the server gets it; may be empty.
    void disarm(std::function<void(const engine_statement&)> listener = {});

    /// Ends all of the engine's connections with a reset; it may connect again.
    void reset_engine();
    /// Nothing of the engine's passes in either direction for so long; then what was connected is reset.
    void silence_engine(std::chrono::milliseconds how_long);

    /// The engine's statements since arm(), shortened, for a failed test's message.
    [[nodiscard]] std::string heard() const;

private:
    using steady_clock = std::chrono::steady_clock;
    struct connection;
    struct order;

    void accept_all();
    void pump(int engine_side, int server_side);
    bool pass_requests(connection& c);
    bool pass_packet(connection& c, std::string_view packet);
    bool pass_answers(connection& c);
    std::shared_ptr<order> order_for(const engine_statement& statement);
    void carry_out(const order& what);
    [[nodiscard]] bool must_end(const connection& c) const;

    std::uint16_t server_port_;
    std::uint16_t port_ = 0;
    int listener_ = -1;
    std::atomic<bool> ending_{false};

    mutable std::mutex mutex_;  // of what follows
    std::condition_variable changed_;
    std::shared_ptr<order> armed_;
    std::function<void(const engine_statement&)> listener_function_;
    bool struck_ = false;
    steady_clock::time_point reset_at_{};  ///< connections from before it end at it
    steady_clock::time_point silent_until_{};
    std::vector<std::string> heard_;
    std::vector<std::thread> pumps_;
    std::thread acceptor_;
};

}  // namespace sluice::test
