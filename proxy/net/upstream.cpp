#include "proxy/net/upstream.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace sluice::proxy {

namespace asio = boost::asio;

upstream_attempt::upstream_attempt(asio::io_context& context, std::string host, std::uint16_t port)
    : resolver_(context), host_(std::move(host)), port_(port) {}

void upstream_attempt::start(tcp::socket& socket, callback done) {
    socket_ = &socket;
    done_ = std::move(done);
    boost::system::error_code not_an_address;
    const auto address = asio::ip::make_address(host_, not_an_address);
    if (!not_an_address) {
        connect(tcp::resolver::results_type::create(tcp::endpoint(address, port_), host_, ""));
        return;
    }
    auto self = shared_from_this();
    resolver_.async_resolve(host_, std::to_string(port_),
                            [self](const boost::system::error_code& error, tcp::resolver::results_type found) {
                                if (error) return self->finish(error);
                                self->connect(std::move(found));
                            });
}

void upstream_attempt::connect(tcp::resolver::results_type found) {
    if (socket_ == nullptr) return;
    auto self = shared_from_this();
    asio::async_connect(*socket_, std::move(found),
                        [self](const boost::system::error_code& error, const tcp::endpoint&) { self->finish(error); });
}

void upstream_attempt::finish(const boost::system::error_code& error) {
    if (socket_ == nullptr) return;
    socket_ = nullptr;
    const auto done = std::exchange(done_, nullptr);
    upstream_result outcome;
    outcome.error = error;
    if (error) {
        outcome.message =
            "Can't connect to MySQL server on '" + host_ + ":" + std::to_string(port_) + "' (" + error.message() + ")";
    }
    done(outcome);
}

void upstream_attempt::cancel() {
    socket_ = nullptr;
    done_ = nullptr;
    resolver_.cancel();
}

void set_relay_options(asio::ip::tcp::socket& socket) {
    boost::system::error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
    socket.non_blocking(true, ignored);
}

}  // namespace sluice::proxy
