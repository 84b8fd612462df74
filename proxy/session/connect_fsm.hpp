#pragma once

// The connection phase: the server's greeting goes to the client, the client's answer and every authentication packet
// are passed on, until the server says OK or ERR. Sluice keeps no passwords; the one exchange in which it takes part is
// caching_sha2_password's full authentication under RSA, where the client gets Sluice's own public key, and the
// password (still masked with the server's scramble) is encrypted again with the server's key. COM_CHANGE_USER
// re-enters here. Sources: MySQL internals manual, "Connection Phase"; WL#9591 (caching_sha2_password); WL#1054
// (authentication plugins).
//
// Pure; one thread; packets before the login's end are bounded. Bytes of one side go in, bytes for both come out.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "protocol/auth/rsa.hpp"
#include "protocol/message/auth.hpp"
#include "protocol/message/err.hpp"
#include "protocol/message/handshake.hpp"
#include "protocol/wire/frame.hpp"

namespace sluice::session {

struct login_rules {
    std::shared_ptr<const protocol::rsa_key_pair> rsa_key;  ///< Sluice's own; must be there
    std::size_t packet_bytes_max = 65'536;
};

enum class login_state : std::uint8_t {
    greeting,    ///< the server is to speak
    response,    ///< the client is to answer the greeting
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
    protocol::capability_flags offered = 0;       ///< to the client; valid after the greeting
    protocol::capability_flags capabilities = 0;  ///< of the session; valid after the client's answer
    protocol::status_flags status = 0;
    std::uint16_t collation_id = 0;
    std::string user;
    std::string schema;
};

class connect_fsm {
public:
    explicit connect_fsm(login_rules rules);

    /// Looks at bytes from one side and appends what goes out. Returns how many bytes were used up: all of them, or
    /// those up to the end of the login (what lies behind belongs to the next phase).
    std::size_t on_server(protocol::byte_view bytes, protocol::byte_buffer& to_client,
                          protocol::byte_buffer& to_server);
    std::size_t on_client(protocol::byte_view bytes, protocol::byte_buffer& to_client,
                          protocol::byte_buffer& to_server);

    /// A COM_CHANGE_USER (whole payload, with command byte) of sequence id 0 is being sent on; the state becomes
    /// exchange.
    void begin_change_user(protocol::byte_view payload);

    /// The client has gone. A server counts a connection that ends before the answer to its greeting against the host
    /// that it came from (max_connect_errors): Sluice's. So a login that cannot succeed is sent instead, after which
    /// the server's bytes are to be fed until the state is abandoned. False when there is nothing to be done: hang up.
    [[nodiscard]] bool abandon(protocol::byte_buffer& to_server);

    /// Tells the client why Sluice ends its login. The state becomes failed.
    void fail(const protocol::err_packet& error, protocol::byte_buffer& to_client);

    [[nodiscard]] login_state state() const noexcept { return state_; }
    [[nodiscard]] const login_facts& facts() const noexcept { return facts_; }
    /// Why, in a log's words; set when failed.
    [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

private:
    enum class side : std::uint8_t { client, server };

    void on_server_packet(protocol::byte_view payload, protocol::byte_buffer& to_client,
                          protocol::byte_buffer& to_server);
    void on_greeting(protocol::byte_view payload, protocol::byte_buffer& to_client);
    void on_exchange_packet(protocol::byte_view payload, protocol::byte_buffer& to_client,
                            protocol::byte_buffer& to_server);
    [[nodiscard]] bool take_server_key(protocol::byte_view payload, protocol::byte_buffer& to_client,
                                       protocol::byte_buffer& to_server);
    void on_abandoned_packet(protocol::byte_view payload, protocol::byte_buffer& to_server);
    void on_client_packet(protocol::byte_view payload, protocol::byte_buffer& to_client,
                          protocol::byte_buffer& to_server);
    void on_response(protocol::byte_view payload, protocol::byte_buffer& to_client, protocol::byte_buffer& to_server);
    void on_full_authentication(protocol::byte_view payload, protocol::byte_buffer& to_client,
                                protocol::byte_buffer& to_server);
    void send(side to, protocol::byte_view payload, protocol::byte_buffer& out);
    [[nodiscard]] bool over() const noexcept;

    login_rules rules_;
    login_state state_ = login_state::greeting;
    login_facts facts_;
    std::string failure_;
    protocol::server_greeting greeting_;
    protocol::packet_assembler from_server_;
    protocol::packet_assembler from_client_;
    std::uint8_t next_to_client_ = 0;  // sequence ids
    std::uint8_t next_to_server_ = 0;
    std::string plugin_;       // that the server has asked for last
    bool answer_due_ = false;  // the server has greeted and got no answer yet
    bool full_authentication_ = false;
    bool server_key_due_ = false;
    std::string masked_password_;  // while the server's key is due
};

}  // namespace sluice::session
