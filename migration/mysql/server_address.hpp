#pragma once

// Where the primary is and who Sluice is there. The engine's connections go straight to the server, never through a
// proxy.

#include <cstdint>
#include <string>

namespace sluice::migration {

struct server_address {
    std::string host = "127.0.0.1";  ///< name, IPv4 or IPv6 address; always TCP, "localhost" too
    std::uint16_t port = 3306;
    std::string unix_socket;  ///< path of the server's socket; when set, host and port are not used
    std::string user;
    std::string password;

    /// For messages: "host:port" or the socket's path.
    [[nodiscard]] std::string text() const {
        return unix_socket.empty() ? host + ":" + std::to_string(port) : unix_socket;
    }
};

}  // namespace sluice::migration
