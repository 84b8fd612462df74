#pragma once

// Where the primary is and who Sluice is there. The engine's connections go straight to the server, never through a
// proxy.

#include <cstdint>
#include <string>

namespace sluice::migration {

enum class tls_mode : std::uint8_t {
    disabled,
    preferred,        ///< plain with a server that does not offer TLS
    required,         ///< the server's certificate is not looked at
    verify_ca,        ///< it must come from a trusted authority
    verify_identity,  ///< and be made out to the server's host
};

/// TLS towards the server. Files are PEM; an empty path: none (of the authorities: the system's).
struct tls_settings {
    tls_mode mode = tls_mode::disabled;
    std::string ca_file;
    std::string cert_file;  ///< Sluice's own, for servers that ask for one
    std::string key_file;
};

struct server_address {
    std::string host = "127.0.0.1";  ///< name, IPv4 or IPv6 address; always TCP, "localhost" too
    std::uint16_t port = 3306;
    std::string unix_socket;  ///< path of the server's socket; when set, host and port are not used
    std::string user;
    std::string password;
    tls_settings tls;  ///< not used with unix_socket, which is no network

    /// For messages: "host:port" or the socket's path.
    [[nodiscard]] std::string text() const {
        return unix_socket.empty() ? host + ":" + std::to_string(port) : unix_socket;
    }
};

}  // namespace sluice::migration
