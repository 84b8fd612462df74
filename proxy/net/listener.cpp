#include "proxy/net/listener.hpp"

#include <spdlog/spdlog.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <chrono>

#include "protocol/message/text_resultset.hpp"

namespace sluice::proxy {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds retry_after{100};  // when the process is out of descriptors

}  // namespace

listener::listener(std::shared_ptr<environment> surroundings, std::vector<std::shared_ptr<io_thread>> threads)
    : surroundings_(std::move(surroundings)), threads_(std::move(threads)) {}

result<void, start_error> listener::open() {
    auto& context = threads_.front()->context();
    const auto& options = surroundings_->options;
    std::vector<std::unique_ptr<door>> opened;
    for (const auto& endpoint : options.listen) {
        SLUICE_TRY(auto socket, listen_socket::open(context, endpoint, options.listen_unix_mode));
        opened.push_back(std::make_unique<door>(door{std::move(socket), asio::steady_timer(context)}));
    }
    doors_ = std::move(opened);
    return {};
}

void listener::start() {
    asio::post(threads_.front()->context(), [this] {
        for (const auto& one : doors_) accept_next(*one);
    });
}

void listener::stop() {
    asio::post(threads_.front()->context(), [this] {
        for (const auto& one : doors_) {
            one->socket.close();
            one->retry_timer.cancel();
        }
    });
}

std::uint16_t listener::port() const noexcept {
    for (const auto& one : doors_) {
        if (one->socket.port() != 0) return one->socket.port();
    }
    return 0;
}

std::vector<std::string> listener::endpoints() const {
    std::vector<std::string> texts;
    for (const auto& one : doors_) texts.push_back(one->socket.text());
    return texts;
}

io_thread& listener::least_busy() noexcept {
    // From another one each time, so that equals take turns.
    next_thread_ = (next_thread_ + 1) % threads_.size();
    auto* best = threads_[next_thread_].get();
    for (const auto& thread : threads_) {
        if (thread->session_count() < best->session_count()) best = thread.get();
    }
    return *best;
}

void listener::accept_next(door& at) {
    if (!at.socket.acceptor().is_open()) return;
    auto& home = least_busy();
    at.socket.acceptor().async_accept(home.context(),
                                      [this, &at, &home](const boost::system::error_code& error, stream_socket client) {
                                          on_accepted(error, std::move(client), at, home);
                                      });
}

void listener::on_accepted(const boost::system::error_code& error, stream_socket client, door& at, io_thread& home) {
    if (error == asio::error::operation_aborted || !at.socket.acceptor().is_open()) return;
    if (error) {
        spdlog::warn("proxy: cannot accept a connection: {}", error.message());
        at.retry_timer.expires_after(retry_after);
        at.retry_timer.async_wait([this, &at](const boost::system::error_code& cancelled) {
            if (!cancelled) accept_next(at);
        });
        return;
    }
    if (!refuse(client)) {
        auto& counters = surroundings_->counters;
        ++counters.sessions;
        ++counters.sessions_in_login;
        ++counters.sessions_total;
        auto moved = std::make_shared<stream_socket>(std::move(client));
        asio::post(home.context(), [&home, moved] { home.begin_session(std::move(*moved)); });
    }
    accept_next(at);
}

// With the words that servers use, in the place of the greeting.
bool listener::refuse(stream_socket& client) {
    const auto& options = surroundings_->options;
    auto& counters = surroundings_->counters;
    const char* words = nullptr;
    if (counters.sessions >= options.connections_max)
        words = "Too many connections";
    else if (counters.sessions_in_login >= options.unauthenticated_max)
        words = "Too many connections that have not logged in";
    if (words == nullptr) return false;
    if (counters.connections_refused++ == 0) spdlog::warn("proxy: connections are refused from now on: {}", words);
    protocol::byte_buffer packet;
    // No capabilities: in the place of a greeting an ERR has no SQLSTATE.
    protocol::append_err_reply(packet, {1040, {}, words}, 0, 0);
    boost::system::error_code ignored;
    client.non_blocking(true, ignored);
    client.write_some(asio::buffer(packet.data(), packet.size()), ignored);
    client.shutdown(stream_socket::shutdown_send, ignored);
    return true;
}

}  // namespace sluice::proxy
