#pragma once

// How the proxy's two sides use TLS, as an operator sets it. Files are PEM.

#include <cstdint>
#include <filesystem>
#include <string>

namespace sluice::proxy {

enum class client_tls_mode : std::uint8_t {
    disabled,   ///< not offered
    preferred,  ///< offered
    required,   ///< clients that do not take it are refused (3159), but for those on a Unix socket
};

enum class client_certificate_mode : std::uint8_t {
    none,      ///< not asked for
    optional,  ///< one that is shown must be good
    required,
};

enum class server_tls_mode : std::uint8_t {
    disabled,
    preferred,        ///< where the server offers it; an attacker between Sluice and the server can take the offer away
    required,         ///< or no session; whoever answers is believed
    verify_ca,        ///< required, with a certificate of the CA
    verify_identity,  ///< required, with a certificate of the CA for the configured host
    as_client,        ///< exactly when the client's own connection has it
};

struct client_tls_settings {
    client_tls_mode mode = client_tls_mode::disabled;
    std::filesystem::path certificate_file;  ///< with its chain; empty: a self-signed one is made at the start
    std::filesystem::path key_file;          ///< both or none
    std::filesystem::path client_ca_file;    ///< whose certificates clients must show; needed unless `none`
    client_certificate_mode client_certificate = client_certificate_mode::none;
};

struct server_tls_settings {
    server_tls_mode mode = server_tls_mode::disabled;
    std::filesystem::path ca_file;           ///< empty: the system's
    std::filesystem::path certificate_file;  ///< shown to a server that asks; empty: none
    std::filesystem::path key_file;          ///< both or none
};

struct tls_settings {
    client_tls_settings client;
    server_tls_settings server;
};

}  // namespace sluice::proxy
