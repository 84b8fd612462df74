#pragma once

// How a password crosses Sluice. Digests pass as they are: client and server compute with the same scramble. A password
// itself travels in clear where a transport is secure and under an RSA key where it is not, so it is carried over when
// the two sides differ, and because a plain client is given Sluice's key:
//
//   from the client           to a secure server     to a plain server
//   in clear (secure)         as it is               masked, under the server's key
//   under Sluice's key        in clear               under the server's key
//   under the server's key    cannot be read         as it is
//
// caching_sha2_password sends it when the server asks for full authentication, sha256_password with its first answer.
// mysql_clear_password, dialog and OpenID Connect's token pass, but never from a secure client to a plain server. Other
// plugins pass as they are. Sources: WL#9591 (caching_sha2_password); MySQL manual, "SHA-256 Pluggable Authentication",
// "OpenID Connect Pluggable Authentication"; WL#1054.
//
// Pure; one thread. Passwords are wiped as soon as they are on their way.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/auth/rsa.hpp"
#include "protocol/message/auth.hpp"

namespace sluice::session {

enum class transport_kind : std::uint8_t {
    plain,
    local,  ///< a Unix socket: secure for caching_sha2_password, plain for sha256_password, which looks for TLS
    tls,
};

struct password_step {
    enum class kind : std::uint8_t {
        pass,       ///< the packet goes on as it is
        to_client,  ///< `payload` is the answer to it; the client speaks again
        to_server,  ///< `payload` goes to the server in its place
        fail,       ///< `payload` says why, fit for the client
    };
    kind what = kind::pass;
    std::string payload;

    ~password_step();  ///< wipes
};

class password_exchange {
public:
    /// `key` is Sluice's own; must be there.
    explicit password_exchange(std::shared_ptr<const protocol::rsa_key_pair> key);
    password_exchange(password_exchange&&) noexcept = default;
    password_exchange& operator=(password_exchange&&) noexcept = default;
    ~password_exchange();

    void set_transports(transport_kind client, transport_kind server) noexcept;
    /// The server asks for an answer of this plugin: with its greeting, a switch, the next factor.
    void begin(std::string_view plugin, std::string_view scramble);
    /// The client answers by this plugin instead, or again (COM_CHANGE_USER): the scramble stays.
    void use_plugin(std::string_view plugin);
    /// The login has ended, for better or for worse.
    void end() noexcept;

    /// What the client has said: a packet, or the authentication data of its first answer or of COM_CHANGE_USER.
    [[nodiscard]] password_step on_client(std::string_view payload);
    /// The data of a more-data packet: pass or to_server or fail.
    [[nodiscard]] password_step on_more_data(std::string_view data);

    /// After the packet that was passed on: the server has not asked for anything, it will speak again.
    [[nodiscard]] bool awaits_server() const noexcept { return awaits_server_; }

private:
    [[nodiscard]] bool speaks_in_clear() const noexcept;
    [[nodiscard]] bool is_secure(transport_kind transport) const noexcept;
    [[nodiscard]] std::uint8_t key_request() const noexcept;
    [[nodiscard]] password_step take_password(std::string_view payload);
    [[nodiscard]] password_step take_clear(std::string_view payload);
    [[nodiscard]] password_step take_encrypted(std::string_view payload);
    [[nodiscard]] password_step ask_server_for_key();

    std::shared_ptr<const protocol::rsa_key_pair> key_;
    transport_kind client_ = transport_kind::plain;
    transport_kind server_ = transport_kind::plain;
    std::string plugin_;
    std::string scramble_;
    bool password_due_ = false;  // the client's next packet is the password, or asks for the key
    bool key_given_ = false;     // to the client
    bool server_key_due_ = false;
    bool awaits_server_ = false;
    std::string masked_;  // with the scramble; while the server's key is due
};

}  // namespace sluice::session
