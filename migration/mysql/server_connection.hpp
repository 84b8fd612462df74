#pragma once

// A plain protocol connection of our own to the server: login, simple statements, then packets as they come.

#include "migration/mysql/stream_socket.hpp"
#include "protocol/message/capabilities.hpp"
#include "protocol/message/client_handshake.hpp"
#include "protocol/message/err.hpp"
#include "protocol/wire/frame.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace sluice::migration {

/// Used by one thread at a time, except wake(). Failures are those of stream_socket, and "protocol_violation" (abort).
class server_connection {
public:
    using clock = stream_socket::clock;

    /// Connects and logs in; besides the above: "access_denied", "unsupported_login", "server_error" (abort),
    /// "too_many_connections" (retry).
    static outcome<std::unique_ptr<server_connection>> open(const server_address& address, clock::time_point deadline);

    /// Runs a statement that has no result set.
    outcome<void> run(std::string_view sql, clock::time_point deadline);

    /// Sends a command; its answer is read by next_packet().
    outcome<void> send_command(protocol::byte_view payload, clock::time_point deadline);

    /// The next packet, valid until the next call; nothing when none was complete at the deadline (a part of one is
    /// kept).
    outcome<std::optional<protocol::byte_view>> next_packet(clock::time_point deadline);

    /// Largest packet accepted from now on, in bytes.
    void set_packet_size_max(std::size_t size) noexcept { packet_.set_payload_size_max(size); }
    /// When the last bytes came in.
    [[nodiscard]] clock::time_point last_heard() const noexcept { return last_heard_; }
    [[nodiscard]] protocol::capability_flags capabilities() const noexcept { return capabilities_; }
    /// Of the server's certificate, see tls_client.hpp; empty without TLS.
    [[nodiscard]] std::string server_fingerprint() const { return socket_->server_fingerprint(); }
    void wake() noexcept { socket_->wake(); }

private:
    explicit server_connection(std::unique_ptr<stream_socket> socket);
    outcome<protocol::byte_view> expect_packet(clock::time_point deadline);
    outcome<void> log_in(const server_address& address, clock::time_point deadline);
    outcome<void> send_answer(const std::optional<protocol::client_handshake::outgoing>& answer,
                              clock::time_point deadline);

    std::unique_ptr<stream_socket> socket_;
    std::vector<std::byte> received_;  ///< room for one read
    protocol::byte_view unread_;       ///< part of received_ not yet consumed
    protocol::packet_assembler packet_;
    protocol::capability_flags capabilities_ = 0;
    clock::time_point last_heard_;
};

}  // namespace sluice::migration
