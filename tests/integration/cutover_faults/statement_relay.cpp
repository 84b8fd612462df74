#include "tests/integration/cutover_faults/statement_relay.hpp"

#include "tests/support/loopback.hpp"
#include "tests/support/mysql_server.hpp"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice::test {
namespace {

constexpr std::size_t header_size = 4;
constexpr std::size_t user_offset = header_size + 32;  // behind capabilities, packet size, character set and filler
constexpr char query_command = 3;
constexpr int look_interval_ms = 5;

void close_with_reset(int socket) {
    const linger at_once{1, 0};
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(socket);
}

bool send_all(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

}  // namespace

const char* to_string(moment when) {
    switch (when) {
        case moment::before: return "before";
        case moment::during: return "during";
        case moment::after: return "after";
    }
    return "?";
}

struct statement_relay::order {
    std::function<bool(const engine_statement&)> is_it;
    moment when;
    std::function<void()> strike;
};

struct statement_relay::connection {
    int client = -1;
    int server = -1;
    steady_clock::time_point began = steady_clock::now();
    std::string unread{};  ///< from the client, not a whole packet yet
    bool login_seen = false;
    bool of_engine = false;
    bool of_lock_session = false;
    std::shared_ptr<order> at_answer{};  ///< to be carried out when the server answers
};

statement_relay::statement_relay(std::uint16_t server_port)
    : server_port_(server_port), listener_(listen_on_loopback(port_)) {
    if (listener_ < 0) {
        throw std::runtime_error(std::string("the relay cannot listen: ") + std::strerror(errno));
    }
    acceptor_ = std::thread([this] { accept_all(); });
}

statement_relay::~statement_relay() {
    ending_ = true;
    acceptor_.join();
    for (auto& pump : pumps_) pump.join();
    ::close(listener_);
}

void statement_relay::arm(std::function<bool(const engine_statement&)> is_it, moment when,
                          std::function<void()> strike) {
    const std::lock_guard lock(mutex_);
    struck_ = false;
    heard_.clear();
    armed_ = std::make_shared<order>(order{std::move(is_it), when, std::move(strike)});
}

void statement_relay::disarm(std::function<void(const engine_statement&)> listener) {
    const std::lock_guard lock(mutex_);
    armed_.reset();
    listener_function_ = std::move(listener);
}

bool statement_relay::wait_struck(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [this] { return struck_; });
}

void statement_relay::reset_engine() {
    const std::lock_guard lock(mutex_);
    reset_at_ = silent_until_ = steady_clock::now();
}

void statement_relay::silence_engine(std::chrono::milliseconds how_long) {
    const std::lock_guard lock(mutex_);
    silent_until_ = reset_at_ = steady_clock::now() + how_long;
}

std::string statement_relay::heard() const {
    const std::lock_guard lock(mutex_);
    std::string all;
    for (const auto& statement : heard_) all += statement + "\n";
    return all;
}

std::shared_ptr<statement_relay::order> statement_relay::order_for(const engine_statement& statement) {
    constexpr std::size_t shown = 160;
    std::function<void(const engine_statement&)> listener;
    std::shared_ptr<order> matching;
    {
        const std::lock_guard lock(mutex_);
        heard_.push_back((statement.of_lock_session ? "* " : "  ") + std::string(statement.sql.substr(0, shown)));
        listener = listener_function_;
        if (armed_ && armed_->is_it(statement)) matching = std::exchange(armed_, nullptr);
    }
    if (listener) listener(statement);
    return matching;
}

void statement_relay::carry_out(const order& what) {
    what.strike();
    const std::lock_guard lock(mutex_);
    struck_ = true;
    changed_.notify_all();
}

bool statement_relay::must_end(const connection& c) const {
    const std::lock_guard lock(mutex_);
    return c.of_engine && c.began < reset_at_ && steady_clock::now() >= reset_at_;
}

void statement_relay::accept_all() {
    while (!ending_) {
        pollfd waits{listener_, POLLIN, 0};
        if (poll(&waits, 1, look_interval_ms) <= 0) continue;
        const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) continue;
        const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const auto address = loopback(server_port_);
        if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            ::close(server);
            close_with_reset(client);
            continue;
        }
        send_at_once(client);
        send_at_once(server);
        const std::lock_guard lock(mutex_);
        pumps_.emplace_back([this, client, server] { pump(client, server); });
    }
}

void statement_relay::pump(int client, int server) {
    connection c{.client = client, .server = server};
    bool open = true;
    while (open && !ending_ && !must_end(c)) {
        bool silent = false;
        {
            const std::lock_guard lock(mutex_);
            silent = c.of_engine && steady_clock::now() < silent_until_;
        }
        const short wanted = silent ? 0 : POLLIN;
        pollfd waits[2] = {{c.client, wanted, 0}, {c.server, wanted, 0}};
        if (silent) {
            std::this_thread::sleep_for(std::chrono::milliseconds(look_interval_ms));
            continue;
        }
        if (poll(waits, 2, look_interval_ms) < 0 && errno != EINTR) break;
        if (waits[1].revents != 0) open = pass_answers(c);
        if (open && waits[0].revents != 0) open = pass_requests(c);
    }
    close_with_reset(c.client);
    ::close(c.server);
}

bool statement_relay::pass_requests(connection& c) {
    char chunk[64 * 1024];
    const auto count = recv(c.client, chunk, sizeof chunk, 0);
    if (count <= 0) return false;
    const std::string_view bytes(chunk, static_cast<std::size_t>(count));
    if (c.login_seen && !c.of_engine) return send_all(c.server, bytes);
    c.unread += bytes;
    while (c.unread.size() >= header_size) {
        const auto byte = [&c](std::size_t i) {
            return static_cast<std::size_t>(static_cast<unsigned char>(c.unread[i]));
        };
        const std::size_t size = header_size + byte(0) + (byte(1) << 8U) + (byte(2) << 16U);
        if (c.unread.size() < size) return true;
        const std::string packet = c.unread.substr(0, size);
        c.unread.erase(0, size);
        if (!pass_packet(c, packet)) return false;
    }
    return true;
}

bool statement_relay::pass_packet(connection& c, std::string_view packet) {
    if (!c.login_seen) {
        c.login_seen = true;
        const std::string_view user = sluice_user;
        c.of_engine = packet.substr(std::min(user_offset, packet.size())).starts_with(std::string(user) + '\0');
        return send_all(c.server, packet);
    }
    const bool is_query = packet[3] == 0 && packet.size() > header_size && packet[header_size] == query_command;
    if (!is_query) return send_all(c.server, packet);
    const std::string_view sql = packet.substr(header_size + 1);
    if (sql.starts_with("LOCK TABLES")) c.of_lock_session = true;
    const auto struck = order_for({sql, c.of_lock_session});
    if (!struck) return send_all(c.server, packet);
    if (struck->when != moment::before && !send_all(c.server, packet)) return false;
    if (struck->when == moment::after) {
        c.at_answer = struck;
        return true;
    }
    carry_out(*struck);
    return true;
}

bool statement_relay::pass_answers(connection& c) {
    char chunk[64 * 1024];
    const auto count = recv(c.server, chunk, sizeof chunk, 0);
    if (count <= 0) return false;
    if (c.at_answer) {
        carry_out(*std::exchange(c.at_answer, nullptr));
        return true;
    }
    return send_all(c.client, std::string_view(chunk, static_cast<std::size_t>(count)));
}

}  // namespace sluice::test
