#include "proxy/net/upstream.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace sluice::proxy {

namespace asio = boost::asio;

upstream_attempt::upstream_attempt(asio::io_context& context, std::string host, std::uint16_t port)
    : resolver_(context), host_(std::move(host)), port_(port), socket_(context) {}

void upstream_attempt::start(callback done) {
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
    if (!done_) return;
    auto self = shared_from_this();
    asio::async_connect(socket_, std::move(found),
                        [self](const boost::system::error_code& error, const tcp::endpoint&) { self->finish(error); });
}

void upstream_attempt::finish(const boost::system::error_code& error) {
    if (!done_) return;
    const auto done = std::exchange(done_, nullptr);
    upstream_result outcome{error, {}, stream_socket(std::move(socket_))};
    if (error) {
        outcome.message =
            "Can't connect to MySQL server on '" + host_ + ":" + std::to_string(port_) + "' (" + error.message() + ")";
    }
    done(std::move(outcome));
}

void upstream_attempt::cancel() {
    done_ = nullptr;
    resolver_.cancel();
    boost::system::error_code ignored;
    socket_.close(ignored);
}

}  // namespace sluice::proxy
