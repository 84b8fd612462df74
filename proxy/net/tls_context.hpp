#pragma once

// What all TLS connections of one side share: certificate, key, whom to believe; and, towards the server, sessions to
// be resumed. At least TLS 1.2, no compression, no renegotiation.
//
// Immutable but for the sessions, which have a lock of their own: thread-safe. A reload makes a new one; connections
// keep the one that they began with. OpenSSL's error queue of the calling thread is empty afterwards.

#include <memory>
#include <string>

#include "protocol/result.hpp"
#include "proxy/net/tls_certificate.hpp"
#include "proxy/net/tls_settings.hpp"

struct ssl_session_st;  // OpenSSL's SSL_SESSION

namespace sluice::proxy {

struct ssl_deleter {
    void operator()(ssl_st* connection) const noexcept;
};
using ssl_pointer = std::unique_ptr<ssl_st, ssl_deleter>;

class tls_context {
public:
    /// For connections of clients. `own` is used when the settings name no certificate; it must be there then.
    [[nodiscard]] static result<std::shared_ptr<const tls_context>, tls_error> for_clients(
        const client_tls_settings& settings, const self_signed_certificate* own);
    /// For connections to the server called `host` (a name or an address).
    [[nodiscard]] static result<std::shared_ptr<const tls_context>, tls_error> for_server(
        const server_tls_settings& settings, const std::string& host);

    tls_context(const tls_context&) = delete;
    tls_context& operator=(const tls_context&) = delete;
    ~tls_context();

    /// A new connection's state, in its role and, towards the server, with a session to be resumed if there is one.
    /// The context must outlive it. Null when there is no memory.
    [[nodiscard]] ssl_pointer connection() const;

    /// The certificate that is shown to the other side; all empty when there is none.
    [[nodiscard]] const certificate_facts& certificate() const noexcept { return certificate_; }

private:
    struct session_shelf;

    explicit tls_context(bool accepts);
    [[nodiscard]] result<void, tls_error> use_files(const std::filesystem::path& certificate,
                                                    const std::filesystem::path& key);
    [[nodiscard]] result<void, tls_error> trust(const std::filesystem::path& ca);
    static int on_new_session(ssl_st* connection, ssl_session_st* session);

    ssl_ctx_st* context_;
    bool accepts_;
    std::string server_name_;  // for SNI; empty: an address
    std::unique_ptr<session_shelf> sessions_;
    certificate_facts certificate_;
};

}  // namespace sluice::proxy
