#pragma once

// A client's side of the connection phase, sans-io: payloads in, payloads out. Used by the binlog connection and by the
// test client. One object per connection, one thread at a time.

#include "protocol/auth/client_auth.hpp"
#include "protocol/message/err.hpp"
#include "protocol/message/handshake.hpp"

#include <optional>
#include <string>

namespace sluice::protocol {

enum class client_tls : std::uint8_t {
    never,
    if_offered,  ///< plain with a server that does not offer it
    always,      ///< the login fails (2026) with a server that does not offer it; nothing of the account is sent to it
};

struct client_login {
    std::string user;
    std::string password;
    std::string database;  ///< empty: none
    /// Wanted; what the server lacks is left out. protocol_41, secure_connection, plugin_auth and (with a database)
    /// connect_with_db are added. ssl is asked for by `tls`. Do not ask for compress or
    /// zstd_compression: they need a transport change.
    capability_flags capabilities = capability::long_password | capability::long_flag | capability::transactions |
                                    capability::multi_results | capability::plugin_auth_lenenc_data |
                                    capability::connect_attrs | capability::deprecate_eof;
    std::uint8_t character_set = 45;           ///< collation id; utf8mb4_general_ci is known to all servers since 5.5.3
    std::uint32_t packet_size_max = 1U << 30;  ///< bytes
    connect_attributes attributes;
    /// True on a Unix socket, or where TLS is there already: passwords may travel in clear.
    bool is_secure_transport = false;
    client_tls tls = client_tls::never;
};

/// Why a login failed.
struct login_failure {
    /// The server's own ERR; or, where Sluice gave up by itself, one of MySQL's client codes (2007 no common protocol,
    /// 2026 no TLS, 2027 malformed packet, 2059 unknown plugin, 2061 plugin refused) and the reason as message.
    err_packet error;
    bool from_server = false;
};

enum class login_state : std::uint8_t {
    waiting,   ///< for the server's next packet
    securing,  ///< when what on_packet() returned is sent: TLS is to be set up, then on_secured() called
    done,
    failed,
};

class client_handshake {
public:
    explicit client_handshake(client_login login);

    struct outgoing {
        byte_buffer payload;  ///< to be framed by the caller (append_framed)
        std::uint8_t sequence = 0;
    };

    /// Takes the next packet from the server (the greeting first) with the sequence id of its last frame. Returns what
    /// to send, if anything; then look at state(). After done or failed it must not be called again (asserted).
    [[nodiscard]] std::optional<outgoing> on_packet(byte_view payload, std::uint8_t sequence);

    /// The TLS handshake has succeeded. Returns what to send through it.
    [[nodiscard]] std::optional<outgoing> on_secured();

    [[nodiscard]] login_state state() const noexcept { return state_; }
    /// Set when failed.
    [[nodiscard]] const login_failure& failure() const noexcept { return failure_; }
    /// The server's greeting; filled once state() is past its arrival.
    [[nodiscard]] const server_greeting& greeting() const noexcept { return greeting_; }
    /// The capabilities of the session; valid once the response has been sent.
    [[nodiscard]] capability_flags capabilities() const noexcept { return capabilities_; }
    [[nodiscard]] const std::string& server_version() const noexcept { return greeting_.server_version; }
    [[nodiscard]] std::uint32_t connection_id() const noexcept { return greeting_.connection_id; }
    /// Status flags of the OK that ended the login.
    [[nodiscard]] status_flags status() const noexcept { return status_; }

private:
    std::optional<outgoing> on_greeting(byte_view payload, std::uint8_t sequence);
    outgoing ask_for_tls(std::uint8_t sequence);
    std::optional<outgoing> respond(std::uint8_t sequence);
    std::optional<outgoing> on_auth_packet(byte_view payload, std::uint8_t sequence);
    void fail(err_packet error, bool from_server);
    void fail(wire_error error);

    client_login login_;
    client_auth auth_;
    server_greeting greeting_;
    capability_flags capabilities_ = 0;
    status_flags status_ = 0;
    login_state state_ = login_state::waiting;
    login_failure failure_;
    bool greeted_ = false;
    std::uint8_t tls_request_sequence_ = 0;
};

}  // namespace sluice::protocol
