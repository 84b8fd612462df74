#pragma once

// TLS over a connected, non-blocking stream socket. Nothing here waits, and nothing raises SIGPIPE.
//
// Records are encrypted into a buffer of ours and sent from there: what write_some() has accepted never has to be
// given again, whatever comes behind it. The buffer is bounded, and gone when it is empty. One thread.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "protocol/wire/bytes.hpp"
#include "proxy/net/io_result.hpp"
#include "proxy/net/tls_context.hpp"

namespace sluice::proxy {

enum class handshake_step : std::uint8_t {
    done,
    wants_read,   ///< call again when the socket is readable
    wants_write,  ///< ... writable
    failed,       ///< see failure()
};

class tls_stream {
public:
    /// The socket stays the caller's, and must stay open while this lives.
    tls_stream(std::shared_ptr<const tls_context> context, int descriptor);
    tls_stream(const tls_stream&) = delete;
    tls_stream& operator=(const tls_stream&) = delete;
    ~tls_stream();

    [[nodiscard]] handshake_step handshake();
    /// Why the handshake failed, in words fit for a user: "certificate verify failed (certificate has expired)".
    [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

    /// After the handshake, as channel::read_some() and write_some(). Without one, what comes is thrown away.
    [[nodiscard]] io_result read_some(std::span<std::byte> into) noexcept;
    [[nodiscard]] io_result write_some(protocol::byte_view first, protocol::byte_view second) noexcept;
    /// There may be more to read although the socket has nothing.
    [[nodiscard]] bool has_pending() const noexcept;
    [[nodiscard]] bool has_unsent() const noexcept { return unsent_begin_ != unsent_.size(); }
    /// Says goodbye, as far as the socket takes it now.
    void close_notify() noexcept;

    [[nodiscard]] bool resumed() const noexcept;
    [[nodiscard]] std::string version() const;  ///< "TLSv1.3"
    [[nodiscard]] std::string cipher() const;

private:
    struct socket_bio;

    [[nodiscard]] io_status send_unsent() noexcept;
    [[nodiscard]] io_result throw_away() noexcept;
    void fail_with(int ssl_error);

    std::shared_ptr<const tls_context> context_;  // outlives ssl_
    int descriptor_;
    ssl_pointer ssl_;
    std::string failure_;
    protocol::byte_buffer unsent_;
    std::size_t unsent_begin_ = 0;
    bool peer_closed_ = false;  // the socket is at its end or broken
    bool left_unread_ = false;  // the last read ended because there was no more room
    bool established_ = false;
    bool broken_ = false;
};

}  // namespace sluice::proxy
