#include "proxy/session/password_exchange.hpp"

#include <utility>

#include "protocol/auth/caching_sha2.hpp"
#include "protocol/auth/secret_text.hpp"
#include "protocol/result.hpp"

namespace sluice::session {

namespace {

using kind = password_step::kind;

constexpr const char* unreadable_password =
    "Sluice cannot read the password: it is encrypted with a key other than Sluice's. Let the client ask for the key, "
    "give it Sluice's public key (see proxy.rsa_public_key_file), or use TLS";
constexpr const char* clear_password_refused =
    "The account wants the password or token in clear, and Sluice's connection to the server is not encrypted; set "
    "server.tls";

bool is_empty_password(std::string_view payload) noexcept {
    return payload.empty() || payload == std::string_view("\0", 1);
}

std::string one_byte(std::uint8_t value) { return std::string(1, static_cast<char>(value)); }

}  // namespace

password_step::~password_step() { protocol::wipe(payload); }

password_exchange::password_exchange(std::shared_ptr<const protocol::rsa_key_pair> key) : key_(std::move(key)) {
    SLUICE_ASSERT(key_ != nullptr);
}

password_exchange::~password_exchange() { protocol::wipe(masked_); }

void password_exchange::set_transports(transport_kind client, transport_kind server) noexcept {
    client_ = client;
    server_ = server;
}

bool password_exchange::is_secure(transport_kind transport) const noexcept {
    if (transport == transport_kind::local) return plugin_ != protocol::sha256_plugin;
    return transport == transport_kind::tls;
}

bool password_exchange::speaks_in_clear() const noexcept {
    return plugin_ == protocol::clear_password_plugin || plugin_ == protocol::dialog_plugin ||
           plugin_ == protocol::openid_connect_plugin;
}

void password_exchange::begin(std::string_view plugin, std::string_view scramble) {
    scramble_ = scramble;
    use_plugin(plugin);
}

void password_exchange::use_plugin(std::string_view plugin) {
    end();
    plugin_ = plugin;
    password_due_ = plugin_ == protocol::sha256_plugin || speaks_in_clear();
}

void password_exchange::end() noexcept {
    protocol::wipe(masked_);
    password_due_ = key_given_ = server_key_due_ = awaits_server_ = false;
}

std::uint8_t password_exchange::key_request() const noexcept {
    return plugin_ == protocol::sha256_plugin ? protocol::sha256_request_public_key
                                              : protocol::caching_sha2_request_public_key;
}

password_step password_exchange::on_client(std::string_view payload) {
    awaits_server_ = false;
    if (!password_due_) return {};
    if (speaks_in_clear()) {
        // A dialog goes on for as many questions as the server has.
        password_due_ = plugin_ == protocol::dialog_plugin;
        if (!is_empty_password(payload) && is_secure(client_) && !is_secure(server_)) {
            return {kind::fail, clear_password_refused};
        }
        return {};
    }
    if (payload == one_byte(key_request())) {
        key_given_ = true;
        return {kind::to_client, key_->public_pem()};
    }
    password_due_ = false;
    return take_password(payload);
}

password_step password_exchange::take_password(std::string_view payload) {
    if (is_empty_password(payload)) return {};
    if (is_secure(client_) && !key_given_) return take_clear(payload);
    return take_encrypted(payload);
}

password_step password_exchange::take_clear(std::string_view payload) {
    if (is_secure(server_)) return {};
    if (payload.back() != '\0' || scramble_.empty()) return {kind::fail, "Bad handshake: the password is malformed"};
    payload.remove_suffix(1);
    masked_ = protocol::mask_password(payload, scramble_);
    return ask_server_for_key();
}

password_step password_exchange::take_encrypted(std::string_view payload) {
    auto masked = key_->decrypt(payload);
    if (!masked) {
        // The client holds the server's own key (--server-public-key-path), and a plain server can read it.
        if (!is_secure(server_)) return {};
        return {kind::fail, unreadable_password};
    }
    const protocol::wipe_at_end wiped(*masked);
    if (!is_secure(server_)) {
        masked_ = *masked;
        return ask_server_for_key();
    }
    if (scramble_.empty()) return {kind::fail, unreadable_password};
    auto password = protocol::unmask_password(*masked, scramble_);
    if (!password) return {kind::fail, unreadable_password};
    const protocol::wipe_at_end wiped_too(*password);
    return {kind::to_server, *password + '\0'};
}

password_step password_exchange::ask_server_for_key() {
    server_key_due_ = true;
    return {kind::to_server, one_byte(key_request())};
}

password_step password_exchange::on_more_data(std::string_view data) {
    if (server_key_due_) {
        server_key_due_ = false;
        const protocol::wipe_at_end wiped(masked_);
        const auto key = protocol::rsa_public_key::from_pem(data);
        if (!key) return {kind::fail, "The server's public key is not understood: " + std::string(key.error().what)};
        auto encrypted = key->encrypt(masked_);
        if (!encrypted) return {kind::fail, "The password cannot be encrypted for the server"};
        return {kind::to_server, std::move(*encrypted)};
    }
    if (plugin_ == protocol::caching_sha2_plugin && data.size() == 1) {
        password_due_ = data == one_byte(protocol::caching_sha2_full_auth);
        awaits_server_ = data == one_byte(protocol::caching_sha2_fast_auth_ok);
    }
    return {};
}

}  // namespace sluice::session
