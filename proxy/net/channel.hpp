#pragma once

// One end of a session as a stream of plain bytes: a TCP or Unix socket and, above it, whatever changes the bytes on
// their way. Nothing here waits: calls that cannot go on say so, and the owner waits with async_wait(). One thread.

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/socket_base.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "protocol/wire/bytes.hpp"

namespace sluice::proxy {

/// TCP and Unix sockets alike.
using stream_socket = boost::asio::generic::stream_protocol::socket;

enum class io_status : std::uint8_t {
    ok,
    later,   ///< nothing more can be done before the socket is ready
    closed,  ///< the peer has gone, or the connection is broken
};

struct io_result {
    std::size_t size = 0;  ///< bytes moved; 0 unless ok
    io_status status = io_status::ok;
};

class channel {
public:
    using wait_type = boost::asio::socket_base::wait_type;

    /// A socket that is not open is a channel that is not open.
    explicit channel(stream_socket socket) noexcept : socket_(std::move(socket)) {}

    /// Takes a connected socket over and sets its options: non-blocking, and for TCP no delay and keepalive.
    void adopt(stream_socket socket);
    /// The same for the socket that it was made with.
    void set_options() noexcept;

    /// Up to as many bytes as there is room for.
    [[nodiscard]] io_result read_some(std::span<std::byte> into) noexcept;
    /// Writes what can be written of `first` and then of `second`, and before them what was accepted earlier. With both
    /// empty: only that.
    [[nodiscard]] io_result write_some(protocol::byte_view first, protocol::byte_view second) noexcept;

    /// Bytes can be read although the socket itself may have none.
    [[nodiscard]] bool has_pending() const noexcept { return false; }
    /// Bytes that write_some() has accepted are not with the kernel yet.
    [[nodiscard]] bool has_unsent() const noexcept { return false; }

    /// The handler gets an error_code; after close() it is operation_aborted.
    template <class Handler>
    void async_wait(wait_type what, Handler&& handler) {
        socket_.async_wait(what, std::forward<Handler>(handler));
    }

    /// Nothing more will be written; the peer is told.
    void shutdown_send() noexcept;
    void close() noexcept;

    /// Whether the peer has gone, even behind bytes that were not read yet.
    [[nodiscard]] bool peer_has_gone() noexcept;

private:
    stream_socket socket_;
};

}  // namespace sluice::proxy
