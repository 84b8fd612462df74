#pragma once

// A client's end of TLS without a socket: bytes from the server go in, bytes for it come out. One thread.

#include "migration/model/failure.hpp"
#include "migration/mysql/server_address.hpp"
#include "protocol/wire/bytes.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>

struct ssl_ctx_st;
struct ssl_st;

namespace sluice::migration {

/// Failures: "tls_failed" (abort), naming the file or what is wrong with the server's certificate; "stream_lost"
/// (retry) where an established connection breaks.
class tls_client {
public:
    /// `host`: who the certificate must be made out to under tls_mode::verify_identity; a name or an address.
    static outcome<std::unique_ptr<tls_client>> create(const tls_settings& settings, const std::string& host);

    /// True when done; false: send what take_outgoing() gives, add what the server answers, and call it again.
    outcome<bool> handshake();

    /// Plain bytes for the server: then send take_outgoing().
    outcome<void> write(protocol::byte_view bytes);
    /// Plain bytes from the server; 0: there are none without more incoming ones.
    outcome<std::size_t> read(std::span<std::byte> room);

    void add_incoming(std::span<const std::byte> bytes);
    [[nodiscard]] protocol::byte_buffer take_outgoing();

    /// SHA-1 of the server's certificate in hex, after the handshake: what MariaDB's client library can be told to
    /// expect.
    [[nodiscard]] std::string server_fingerprint() const;

private:
    struct context_release {
        void operator()(ssl_ctx_st* context) const noexcept;
    };
    struct session_release {
        void operator()(ssl_st* session) const noexcept;
    };
    using context_handle = std::unique_ptr<ssl_ctx_st, context_release>;
    using session_handle = std::unique_ptr<ssl_st, session_release>;

    tls_client(context_handle context, session_handle session) noexcept;

    context_handle context_;
    session_handle session_;  ///< owns its two memory BIOs
};

}  // namespace sluice::migration
