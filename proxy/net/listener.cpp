#include "proxy/net/listener.hpp"

#include <spdlog/spdlog.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <chrono>

#include "protocol/message/text_resultset.hpp"

namespace sluice::proxy {

namespace asio = boost::asio;

namespace {

constexpr int backlog = 1024;
constexpr std::chrono::milliseconds retry_after{100};  // when the process is out of descriptors

}  // namespace

listener::listener(std::shared_ptr<environment> surroundings, std::vector<std::shared_ptr<io_thread>> threads)
    : surroundings_(std::move(surroundings)),
      threads_(std::move(threads)),
      acceptor_(threads_.front()->context()),
      retry_timer_(threads_.front()->context()) {}

result<void, start_error> listener::open() {
    const auto& options = surroundings_->options;
    const auto where = options.listen_address + ":" + std::to_string(options.listen_port);
    boost::system::error_code error;
    const auto address = asio::ip::make_address(options.listen_address, error);
    if (error) return start_error{"cannot listen on " + where + ": not an address"};
    const tcp::endpoint endpoint(address, options.listen_port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(backlog, error);
    if (error) return start_error{"cannot listen on " + where + ": " + error.message()};
    port_ = acceptor_.local_endpoint(error).port();
    return {};
}

void listener::start() {
    asio::post(acceptor_.get_executor(), [this] { accept_next(); });
}

void listener::stop() {
    asio::post(acceptor_.get_executor(), [this] {
        boost::system::error_code ignored;
        acceptor_.close(ignored);
        retry_timer_.cancel();
    });
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

void listener::accept_next() {
    if (!acceptor_.is_open()) return;
    auto& home = least_busy();
    acceptor_.async_accept(home.context(), [this, &home](const boost::system::error_code& error, tcp::socket client) {
        on_accepted(error, std::move(client), home);
    });
}

void listener::on_accepted(const boost::system::error_code& error, tcp::socket client, io_thread& home) {
    if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
    if (error) {
        spdlog::warn("proxy: cannot accept a connection: {}", error.message());
        retry_timer_.expires_after(retry_after);
        retry_timer_.async_wait([this](const boost::system::error_code& cancelled) {
            if (!cancelled) accept_next();
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
    accept_next();
}

// With the words that servers use, in the place of the greeting.
bool listener::refuse(tcp::socket& client) {
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
    client.shutdown(tcp::socket::shutdown_send, ignored);
    return true;
}

}  // namespace sluice::proxy
