#include "protocol/auth/client_auth.hpp"

#include "protocol/auth/caching_sha2.hpp"
#include "protocol/auth/native_password.hpp"
#include "protocol/auth/rsa.hpp"

namespace sluice::protocol {

namespace {

// A server needs one switch; a few more do no harm, an endless row of them does.
constexpr unsigned switches_max = 4;
constexpr std::size_t scramble_size_due = 20;

bool is_spoken(std::string_view plugin) {
    return plugin == native_password_plugin || plugin == caching_sha2_plugin || plugin == sha256_plugin ||
           plugin == clear_password_plugin;
}

std::string with_nul(std::string_view password) {
    std::string text(password);
    text.push_back('\0');
    return text;
}

}  // namespace

wire_result<std::string> client_auth::begin(std::string_view plugin, std::string_view scramble) {
    plugin_ = is_spoken(plugin) ? plugin : caching_sha2_plugin;
    scramble_ = scramble;
    return respond();
}

wire_result<std::string> client_auth::respond() {
    if (plugin_ == clear_password_plugin) {
        if (!is_secure_transport_) {
            return wire_error{wire_errc::insecure, "server asks for the password in clear over a plain connection"};
        }
        return with_nul(password_);
    }
    if (scramble_.size() != scramble_size_due) {
        return wire_error{wire_errc::malformed, "server's scramble is not 20 bytes"};
    }
    if (plugin_ == sha256_plugin) return sha256_response();
    if (plugin_ == native_password_plugin) return native_password_response(password_, scramble_);
    return caching_sha2_response(password_, scramble_);
}

std::string client_auth::sha256_response() {
    if (is_secure_transport_ || password_.empty()) return with_nul(password_);
    key_requested_ = true;
    return std::string(1, static_cast<char>(sha256_request_public_key));
}

wire_result<std::optional<std::string>> client_auth::on_packet(byte_view payload) {
    if (payload.empty()) return wire_error{wire_errc::truncated, "empty authentication packet"};
    switch (classify_auth_packet(std::to_integer<std::uint8_t>(payload[0]))) {
        case auth_packet_kind::switch_request: return on_switch(payload);
        case auth_packet_kind::more_data: return on_more_data(payload);
        case auth_packet_kind::next_factor:
            return wire_error{wire_errc::unsupported, "server asks for a second authentication factor"};
        default: return wire_error{wire_errc::malformed, "unexpected packet during authentication"};
    }
}

wire_result<std::optional<std::string>> client_auth::on_switch(byte_view payload) {
    SLUICE_TRY(const auto request, parse_auth_switch_request(payload));
    if (++switches_ > switches_max) {
        return wire_error{wire_errc::malformed, "server keeps switching the authentication plugin"};
    }
    if (!is_spoken(request.plugin)) {
        return wire_error{wire_errc::unsupported, "server asks for an unknown authentication plugin"};
    }
    plugin_ = request.plugin;
    scramble_ = request.scramble();
    key_requested_ = false;
    SLUICE_TRY(auto answer, respond());
    return std::optional(std::move(answer));
}

wire_result<std::optional<std::string>> client_auth::on_more_data(byte_view payload) {
    SLUICE_TRY(const auto more, parse_auth_more_data(payload));
    if (key_requested_) return on_public_key(more.data);
    if (plugin_ != caching_sha2_plugin) {
        return wire_error{wire_errc::malformed, "authentication data that the plugin does not expect"};
    }
    if (more.data.size() == 1) {
        const auto code = static_cast<std::uint8_t>(more.data[0]);
        if (code == caching_sha2_fast_auth_ok) return std::nullopt;
        if (code == caching_sha2_full_auth) return on_full_auth();
    }
    return wire_error{wire_errc::malformed, "unknown step of caching_sha2_password"};
}

wire_result<std::optional<std::string>> client_auth::on_full_auth() {
    if (is_secure_transport_) return std::optional(with_nul(password_));
    key_requested_ = true;
    return std::optional(std::string(1, static_cast<char>(caching_sha2_request_public_key)));
}

wire_result<std::optional<std::string>> client_auth::on_public_key(std::string_view pem) {
    key_requested_ = false;
    SLUICE_TRY(const auto key, rsa_public_key::from_pem(pem));
    SLUICE_TRY(auto ciphertext, key.encrypt(mask_password(password_, scramble_)));
    return std::optional(std::move(ciphertext));
}

}  // namespace sluice::protocol
