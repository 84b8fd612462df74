#pragma once

// A client's side of an authentication exchange, sans-io. Speaks mysql_native_password, caching_sha2_password (fast;
// full in clear over a secure transport, else under the server's RSA key), sha256_password (likewise, without a fast
// way; servers also name it to a login of an unknown account) and mysql_clear_password (secure transport only). An
// attacker between client and server could send a key of his own; on plain connections that is the plugin's weakness.

#include "protocol/message/auth.hpp"
#include "protocol/wire/bytes.hpp"
#include "protocol/wire/error.hpp"

#include <optional>
#include <string>

namespace sluice::protocol {

class client_auth {
public:
    client_auth(std::string password, bool is_secure_transport)
        : password_(std::move(password)), is_secure_transport_(is_secure_transport) {}

    /// TLS has been set up.
    void set_secure_transport() noexcept { is_secure_transport_ = true; }

    /// The answer to the greeting's plugin and scramble. For a plugin unknown here: as caching_sha2_password
    /// (the server then switches): send plugin() along. Errors: insecure, malformed, crypto_failure.
    [[nodiscard]] wire_result<std::string> begin(std::string_view plugin, std::string_view scramble);

    /// Takes a switch request, more-data or next-factor packet (not OK or ERR). Returns the packet to send, which may
    /// be empty; nothing: wait for the next packet. Errors: unsupported (plugin, second factor), insecure, malformed,
    /// crypto_failure.
    [[nodiscard]] wire_result<std::optional<std::string>> on_packet(byte_view payload);

    /// The plugin in use.
    [[nodiscard]] const std::string& plugin() const noexcept { return plugin_; }

private:
    [[nodiscard]] wire_result<std::string> respond();
    [[nodiscard]] std::string sha256_response();
    [[nodiscard]] wire_result<std::optional<std::string>> on_switch(byte_view payload);
    [[nodiscard]] wire_result<std::optional<std::string>> on_more_data(byte_view payload);
    [[nodiscard]] wire_result<std::optional<std::string>> on_full_auth();
    [[nodiscard]] wire_result<std::optional<std::string>> on_public_key(std::string_view pem);

    std::string password_;
    bool is_secure_transport_;
    std::string plugin_;
    std::string scramble_;
    bool key_requested_ = false;
    unsigned switches_ = 0;
};

}  // namespace sluice::protocol
