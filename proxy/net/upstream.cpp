#include "proxy/net/upstream.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace sluice::proxy {

namespace asio = boost::asio;

namespace {

constexpr std::size_t addresses_max = 16;
constexpr std::chrono::milliseconds first_pause{50};
constexpr std::chrono::milliseconds longest_pause{1'000};

}  // namespace

std::string unreachable_text(const proxy_options& options, const std::string& why) {
    if (!options.server_socket.empty()) {
        return "Can't connect to local MySQL server through socket '" + options.server_socket + "' (" + why + ")";
    }
    return "Can't connect to MySQL server on '" + options.server_host + ":" + std::to_string(options.server_port) +
           "' (" + why + ")";
}

upstream_attempt::upstream_attempt(asio::io_context& context, const proxy_options& options)
    : context_(context),
      options_(options),
      resolver_(context),
      timer_(context),
      socket_(context),
      pause_(first_pause) {}

void upstream_attempt::start(callback done) {
    done_ = std::move(done);
    give_up_at_ = std::chrono::steady_clock::now() + options_.server_wait;
    asio::post(context_, [self = shared_from_this()] {
        if (self->done_) self->look_up();
    });
}

void upstream_attempt::look_up() {
    if (!options_.server_socket.empty()) {
        on_found({}, {asio::local::stream_protocol::endpoint(options_.server_socket)});
        return;
    }
    error_code not_an_address;
    const auto address = asio::ip::make_address(options_.server_host, not_an_address);
    if (!not_an_address) {
        on_found({}, {tcp::endpoint(address, options_.server_port)});
        return;
    }
    if (options_.lookup) {
        std::vector<any_endpoint> found;
        for (const auto& text : options_.lookup(options_.server_host)) {
            found.emplace_back(tcp::endpoint(asio::ip::make_address(text), options_.server_port));
        }
        const error_code error = found.empty() ? error_code(asio::error::host_not_found) : error_code{};
        on_found(error, std::move(found));
        return;
    }
    const auto self = shared_from_this();
    limit_step(options_.connect_limit, [self] {
        self->resolver_.cancel();
        self->try_again(asio::error::timed_out);
    });
    resolver_.async_resolve(options_.server_host, std::to_string(options_.server_port),
                            [self, step = step_](const error_code& error, const tcp::resolver::results_type& results) {
                                if (!self->done_ || step != self->step_) return;
                                std::vector<any_endpoint> found;
                                for (const auto& one : results) found.emplace_back(one.endpoint());
                                self->on_found(error, std::move(found));
                            });
}

void upstream_attempt::on_found(const error_code& error, std::vector<any_endpoint> found) {
    if (error) return try_again(error);
    addresses_ = std::move(found);
    addresses_.resize(std::min(addresses_.size(), addresses_max));
    next_address_ = 0;
    connect_next();
}

void upstream_attempt::connect_next() {
    error_code ignored;
    socket_.close(ignored);
    const auto self = shared_from_this();
    limit_step(options_.connect_limit, [self] { self->on_connected(asio::error::timed_out); });
    socket_.async_connect(addresses_[next_address_++], [self, step = step_](const error_code& error) {
        if (self->done_ && step == self->step_) self->on_connected(error);
    });
}

void upstream_attempt::on_connected(const error_code& error) {
    if (!error) return finish({});
    if (next_address_ < addresses_.size()) return connect_next();
    try_again(error);
}

void upstream_attempt::try_again(const error_code& error) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(give_up_at_ - std::chrono::steady_clock::now());
    if (left.count() <= 0) return finish(error);
    error_code ignored;
    socket_.close(ignored);
    const auto self = shared_from_this();
    limit_step(std::min(pause_, left), [self] { self->look_up(); });
    pause_ = std::min(2 * pause_, longest_pause);
}

void upstream_attempt::limit_step(std::chrono::milliseconds after, std::function<void()> expired) {
    ++step_;
    timer_.expires_after(after);
    timer_.async_wait([self = shared_from_this(), step = step_, expired = std::move(expired)](const error_code&) {
        if (self->done_ && step == self->step_) expired();
    });
}

void upstream_attempt::finish(const error_code& error) {
    ++step_;
    timer_.cancel();
    const auto done = std::exchange(done_, nullptr);
    upstream_result outcome{error, {}, std::move(socket_)};
    if (error) outcome.message = unreachable_text(options_, error.message());
    done(std::move(outcome));
}

void upstream_attempt::cancel() {
    done_ = nullptr;
    resolver_.cancel();
    timer_.cancel();
    error_code ignored;
    socket_.close(ignored);
}

}  // namespace sluice::proxy
