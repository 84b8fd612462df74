#pragma once

// One end of a session as a stream of plain bytes: a TCP or Unix socket and, above it, whatever changes the bytes on
// their way. Nothing here waits: calls that cannot go on say so, and the owner waits with async_wait(). One thread.

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/socket_base.hpp>
#include <memory>
#include <span>
#include <utility>

#include "protocol/wire/bytes.hpp"
#include "proxy/net/compression.hpp"
#include "proxy/net/io_result.hpp"
#include "proxy/net/tls_stream.hpp"

namespace sluice::proxy {

/// TCP and Unix sockets alike.
using stream_socket = boost::asio::generic::stream_protocol::socket;

class channel {
public:
    using wait_type = boost::asio::socket_base::wait_type;

    /// A socket that is not open is a channel that is not open.
    explicit channel(stream_socket socket) noexcept : socket_(std::move(socket)) {}

    /// Takes a connected socket over and sets its options: non-blocking, and for TCP no delay and keepalive.
    void adopt(stream_socket socket);
    /// The same for the socket that it was made with.
    void set_options() noexcept;

    /// From now on everything travels under TLS. Call continue_handshake() until it is done; nothing may be read or
    /// written before. Once.
    void begin_tls(std::shared_ptr<const tls_context> context);
    [[nodiscard]] handshake_step continue_handshake() { return tls_->handshake(); }
    /// Null: plain.
    [[nodiscard]] const tls_stream* tls() const noexcept { return tls_.get(); }

    /// From now on everything travels in compressed frames, under TLS if there is TLS. Once.
    void begin_compression(std::unique_ptr<compression> layer) noexcept { compression_ = std::move(layer); }
    /// Null: none.
    [[nodiscard]] compression* compressed() noexcept { return compression_.get(); }

    /// Up to as many bytes as there is room for.
    [[nodiscard]] io_result read_some(std::span<std::byte> into);
    /// Writes what can be written of `first` and then of `second`, and before them what was accepted earlier. With both
    /// empty: only that.
    [[nodiscard]] io_result write_some(protocol::byte_view first, protocol::byte_view second);

    /// Bytes can be read although the socket itself may have none.
    [[nodiscard]] bool has_pending() const noexcept {
        return (tls_ && tls_->has_pending()) || (compression_ && compression_->has_pending());
    }
    /// Bytes that write_some() has accepted are not with the kernel yet.
    [[nodiscard]] bool has_unsent() const noexcept {
        return (tls_ && tls_->has_unsent()) || (compression_ && !compression_->unsent().empty());
    }

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
    [[nodiscard]] io_result read_transport(std::span<std::byte> into) noexcept;
    [[nodiscard]] io_result write_transport(protocol::byte_view first, protocol::byte_view second) noexcept;
    [[nodiscard]] io_result write_frame() noexcept;

    stream_socket socket_;
    std::unique_ptr<tls_stream> tls_;
    std::unique_ptr<compression> compression_;
};

}  // namespace sluice::proxy
