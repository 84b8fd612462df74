#include "proxy/net/channel.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <spdlog/spdlog.h>
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

void channel::begin_tls(std::shared_ptr<const tls_context> context) {
    SLUICE_ASSERT(tls_ == nullptr);
    tls_ = std::make_unique<tls_stream>(std::move(context), socket_.native_handle());
}

io_result channel::read_some(std::span<std::byte> into) {
    if (!compression_) return read_transport(into);
    for (;;) {
        const auto plain = compression_->take(into);
        if (!plain) {
            spdlog::info("a connection ends: {}", plain.error().what);
            return {0, io_status::closed};
        }
        if (*plain != 0) return {*plain, io_status::ok};
        const auto got = read_transport(compression_->room());
        if (got.status != io_status::ok) return got;
        compression_->received(got.size);
    }
}

io_result channel::write_some(protocol::byte_view first, protocol::byte_view second) {
    if (!compression_) return write_transport(first, second);
    const auto earlier = write_frame();
    if (earlier.status != io_status::ok) return earlier;
    const auto accepted = compression_->accept(first.empty() ? second : first);
    if (accepted == 0) return write_transport({}, {});
    if (write_frame().status == io_status::closed) return {0, io_status::closed};
    return {accepted, io_status::ok};
}

io_result channel::write_frame() noexcept {
    while (!compression_->unsent().empty()) {
        const auto written = write_transport(compression_->unsent(), {});
        if (written.status != io_status::ok) return written;
        compression_->sent(written.size);
    }
    return {};
}

io_result channel::read_transport(std::span<std::byte> into) noexcept {
    if (tls_) return tls_->read_some(into);
    error_code error;
    const auto count = socket_.read_some(asio::buffer(into.data(), into.size()), error);
    return outcome_of(count, error);
}

io_result channel::write_transport(protocol::byte_view first, protocol::byte_view second) noexcept {
    if (tls_) return tls_->write_some(first, second);
    if (first.empty() && second.empty()) return {};
    const std::array<asio::const_buffer, 2> pieces{asio::const_buffer(first.data(), first.size()),
                                                   asio::const_buffer(second.data(), second.size())};
    error_code error;
    const auto count = socket_.write_some(pieces, error);
    return outcome_of(count, error);
}

void channel::shutdown_send() noexcept {
    if (tls_) tls_->close_notify();
    error_code ignored;
    socket_.shutdown(stream_socket::shutdown_send, ignored);
}

void channel::close() noexcept {
    if (tls_ && socket_.is_open()) tls_->close_notify();
    error_code ignored;
    socket_.close(ignored);
}

bool channel::peer_has_gone() noexcept {
    pollfd state{socket_.native_handle(), POLLIN | POLLRDHUP, 0};
    return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

}  // namespace sluice::proxy
