#include "proxy/net/channel.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

namespace sluice::proxy {

namespace asio = boost::asio;
using error_code = boost::system::error_code;

namespace {

io_result outcome_of(std::size_t moved, const error_code& error) noexcept {
    if (!error) return {moved, io_status::ok};
    const bool is_later =
        error == asio::error::would_block || error == asio::error::try_again || error == asio::error::interrupted;
    return {0, is_later ? io_status::later : io_status::closed};
}

bool is_tcp(const stream_socket& socket) noexcept {
    error_code error;
    const auto endpoint = socket.local_endpoint(error);
    return !error && (endpoint.protocol().family() == AF_INET || endpoint.protocol().family() == AF_INET6);
}

}  // namespace

void channel::adopt(stream_socket socket) {
    // Connecting has left it registered for writability, and each acknowledged byte would wake the thread for nothing:
    // the descriptor is registered anew.
    error_code error;
    const auto protocol = socket.local_endpoint(error).protocol();
    const auto descriptor = socket.release(error);
    socket_.assign(protocol, descriptor, error);
    if (error) ::close(descriptor);
    set_options();
}

// Errors are ignored: the connection is then only less good.
void channel::set_options() noexcept {
    using no_delay = asio::detail::socket_option::boolean<IPPROTO_TCP, TCP_NODELAY>;
    error_code ignored;
    socket_.non_blocking(true, ignored);
    if (!is_tcp(socket_)) return;
    socket_.set_option(no_delay(true), ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
}

io_result channel::read_some(std::span<std::byte> into) noexcept {
    error_code error;
    const auto count = socket_.read_some(asio::buffer(into.data(), into.size()), error);
    return outcome_of(count, error);
}

io_result channel::write_some(protocol::byte_view first, protocol::byte_view second) noexcept {
    if (first.empty() && second.empty()) return {};
    const std::array<asio::const_buffer, 2> pieces{asio::const_buffer(first.data(), first.size()),
                                                   asio::const_buffer(second.data(), second.size())};
    error_code error;
    const auto count = socket_.write_some(pieces, error);
    return outcome_of(count, error);
}

void channel::shutdown_send() noexcept {
    error_code ignored;
    socket_.shutdown(stream_socket::shutdown_send, ignored);
}

void channel::close() noexcept {
    error_code ignored;
    socket_.close(ignored);
}

bool channel::peer_has_gone() noexcept {
    pollfd state{socket_.native_handle(), POLLIN | POLLRDHUP, 0};
    return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

}  // namespace sluice::proxy
