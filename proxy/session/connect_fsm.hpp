#pragma once

// The connection phase: the server's greeting goes to the client, the client's answer and every authentication packet
// are passed on, until the server says OK or ERR. Sluice keeps no passwords; how one crosses it is password_exchange's.
// COM_CHANGE_USER re-enters here.
//
// Either side may go over to TLS, each by its own rule: the greeting says what the client may do, a request for TLS
// (SSLRequest) of the client's is answered here, one to the server comes before the client's answer goes there. The
// owner makes the transport secure when the state asks for it. Nothing that a side has sent in plain is taken for
// something that came through TLS. The session's capabilities are the same on both sides, those of the transports are
// not. Sources: MySQL internals manual, "Connection Phase"; WL#9591 (caching_sha2_password); WL#1054 (plugins).
//
// Pure; one thread; packets before the login's end are bounded. Bytes of one side go in, bytes for both come out.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "protocol/auth/rsa.hpp"
#include "protocol/message/auth.hpp"
#include "protocol/message/err.hpp"
#include "protocol/message/handshake.hpp"
#include "protocol/wire/frame.hpp"
#include "proxy/session/client_attributes.hpp"
#include "proxy/session/compression_choice.hpp"
#include "proxy/session/password_exchange.hpp"

namespace sluice::session {

/// Whether a side speaks TLS. What is believed of certificates is the owner's matter.
enum class tls_rule : std::uint8_t {
    disabled,
    preferred,  ///< where the other end takes it
    required,   ///< or no login. A client on a Unix socket need not.
    as_client,  ///< to the server only: exactly when the client does
};

struct login_rules {
    std::shared_ptr<const protocol::rsa_key_pair> rsa_key;  ///< Sluice's own; must be there
    std::size_t packet_bytes_max = 65'536;
    tls_rule client_tls = tls_rule::disabled;
    tls_rule server_tls = tls_rule::disabled;
    compression_rules compression{};
    bool client_is_local = false;  ///< a Unix socket: as good as TLS, as in the server
    bool server_is_local = false;
};

enum class login_state : std::uint8_t {
    greeting,    ///< the server is to speak
    response,    ///< the client is to answer the greeting
    client_tls,  ///< the owner is to make the client's transport secure, then to call on_client_secured()
    server_tls,  ///< ... the server's ...
    exchange,    ///< authentication runs
    done,        ///< OK has been passed on: commands may follow
    refused,     ///< the server's ERR has been passed on
    failed,      ///< see failure(); an ERR for the client has been written where it may understand one
    abandoning,  ///< the client has gone before its answer; the server is being told politely
    abandoned,   ///< the server has answered that
};

/// What is known of the session from its login.
struct login_facts {
    std::uint64_t connection_id = 0;
    std::string server_version;
    protocol::capability_flags offered = 0;       ///< to the client, but for its transport; valid after the greeting
    protocol::capability_flags capabilities = 0;  ///< of the session; valid after the client's answer
    protocol::status_flags status = 0;
    std::uint16_t collation_id = 0;
    std::string user;
    std::string schema;
    bool client_has_tls = false;
    bool server_has_tls = false;
    /// Of the bytes behind the OK that ends the first login; a COM_CHANGE_USER changes nothing about it.
    protocol::compression_algorithm client_compression = protocol::compression_algorithm::none;
    protocol::compression_algorithm server_compression = protocol::compression_algorithm::none;
    int client_zstd_level = protocol::zstd_level_default;
    [[nodiscard]] bool is_compressed() const noexcept {
        return client_compression != protocol::compression_algorithm::none ||
               server_compression != protocol::compression_algorithm::none;
    }
};

class connect_fsm {
public:
    explicit connect_fsm(login_rules rules);

    /// Looks at bytes from one side and appends what goes out. Returns how many bytes were used up: all of them, or
    /// those up to the end of the login (what lies behind belongs to the next phase). A client's bytes that nobody has
    /// asked for yet stay as well: they are to be given again when the server has spoken.
    std::size_t on_server(protocol::byte_view bytes, protocol::byte_buffer& to_client,
                          protocol::byte_buffer& to_server);
    std::size_t on_client(protocol::byte_view bytes, protocol::byte_buffer& to_client,
                          protocol::byte_buffer& to_server);

    /// Who the client is. Before the server's greeting: a PROXY header tells it late.
    void set_client(bool is_local, client_introduction introduction) {
        rules_.client_is_local = is_local;
        client_.kind = is_local ? transport_kind::local : transport_kind::plain;
        introduction_ = std::move(introduction);
    }

    /// At most so many bytes may be taken from the client's socket now: what comes behind a request for TLS is for the
    /// TLS layer.
    [[nodiscard]] std::size_t client_bytes_max() const noexcept;
    void on_client_secured();
    void on_server_secured(protocol::byte_buffer& to_client, protocol::byte_buffer& to_server);

    /// The client has sent COM_CHANGE_USER (whole payload, with command byte) with sequence id 0. The state becomes
    /// exchange.
    void begin_change_user(protocol::byte_view payload, protocol::byte_buffer& to_client,
                           protocol::byte_buffer& to_server);
    /// It was refused, by a server that keeps the session: the facts of before hold again.
    void keep_user(const login_facts& facts) { facts_ = facts; }

    /// The client has gone. A server counts a connection that ends before the answer to its greeting against the host
    /// that it came from (max_connect_errors): Sluice's. So a login that cannot succeed is sent instead, after which
    /// the server's bytes are to be fed until the state is abandoned. False when there is nothing to be done: hang up.
    [[nodiscard]] bool abandon(protocol::byte_buffer& to_server);

    /// Tells the client why Sluice ends its login, unless it is in the middle of its TLS handshake and could not read
    /// it. The state becomes failed.
    void fail(const protocol::err_packet& error, protocol::byte_buffer& to_client);

    [[nodiscard]] login_state state() const noexcept { return state_; }
    [[nodiscard]] const login_facts& facts() const noexcept { return facts_; }
    /// Why, in a log's words; set when failed.
    [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

private:
    enum class side : std::uint8_t { client, server };
    /// What is agreed with one side about its transport only.
    struct transport {
        transport_kind kind = transport_kind::plain;
        protocol::capability_flags capabilities = 0;
    };
    using answer = std::variant<protocol::handshake_response, protocol::change_user>;

    void on_server_packet(protocol::byte_view payload, protocol::byte_buffer& to_client,
                          protocol::byte_buffer& to_server);
    void on_greeting(protocol::byte_view payload, protocol::byte_buffer& to_client);
    [[nodiscard]] const char* missing_tls() const noexcept;
    void on_exchange_packet(protocol::byte_view payload, protocol::byte_buffer& to_client,
                            protocol::byte_buffer& to_server);
    void on_abandoned_packet(protocol::byte_view payload, protocol::byte_buffer& to_server);
    void on_client_packet(protocol::byte_view payload, protocol::byte_buffer& to_client,
                          protocol::byte_buffer& to_server);
    void on_response(protocol::byte_view payload, protocol::byte_buffer& to_client, protocol::byte_buffer& to_server);
    [[nodiscard]] bool choose_compression(protocol::handshake_response& response);
    void on_ssl_request(protocol::byte_buffer& to_client);
    void send_ssl_request(protocol::byte_buffer& to_client, protocol::byte_buffer& to_server);
    void look_at_answer(protocol::byte_buffer& to_client, protocol::byte_buffer& to_server);
    void send_answer(protocol::byte_buffer& to_server);
    void follow(const password_step& step, protocol::byte_view payload, protocol::byte_buffer& to_client,
                protocol::byte_buffer& to_server);
    void send(side to, protocol::byte_view payload, protocol::byte_buffer& out);
    [[nodiscard]] bool server_wants_tls() const noexcept;
    [[nodiscard]] bool client_may_speak() const noexcept;
    [[nodiscard]] bool over() const noexcept;

    login_rules rules_;
    client_introduction introduction_;
    login_state state_ = login_state::greeting;
    login_facts facts_;
    std::string failure_;
    protocol::server_greeting greeting_;
    transport client_;
    transport server_;
    bool server_offers_tls_ = false;
    protocol::packet_assembler from_server_;
    protocol::packet_assembler from_client_;
    std::size_t client_bytes_ = 0;     // taken from the client in plain, before the end of its first packet
    std::uint8_t next_to_client_ = 0;  // sequence ids
    std::uint8_t next_to_server_ = 0;
    bool client_turn_ = false;  // the server has asked it for something
    bool answer_due_ = false;   // the server has greeted and got no answer yet
    password_exchange password_;
    /// The client's answer to the greeting, or its COM_CHANGE_USER, until it can go to the server.
    std::optional<answer> answer_;
};

}  // namespace sluice::session
