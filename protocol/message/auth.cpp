#include "protocol/message/auth.hpp"

#include "protocol/message/command.hpp"
#include "protocol/wire/reader.hpp"
#include "protocol/wire/writer.hpp"

namespace sluice::protocol {

namespace {

constexpr std::uint8_t more_data_byte = 0x01;
constexpr std::uint8_t next_factor_byte = 0x02;
constexpr std::uint8_t switch_byte = 0xFE;

wire_result<void> expect_byte(reader& in, std::uint8_t expected, const char* what) {
    SLUICE_TRY(const auto first, in.u8());
    if (first != expected) return wire_error{wire_errc::malformed, what};
    return {};
}

}  // namespace

auth_packet_kind classify_auth_packet(std::uint8_t first_byte) noexcept {
    switch (first_byte) {
        case 0x00: return auth_packet_kind::ok;
        case more_data_byte: return auth_packet_kind::more_data;
        case next_factor_byte: return auth_packet_kind::next_factor;
        case switch_byte: return auth_packet_kind::switch_request;
        case 0xFF: return auth_packet_kind::err;
        default: return auth_packet_kind::unknown;
    }
}

std::string_view auth_switch_request::scramble() const noexcept {
    std::string_view view = data;
    if (view.ends_with('\0')) view.remove_suffix(1);
    return view;
}

wire_result<auth_switch_request> parse_auth_switch_request(byte_view payload) {
    reader in(payload);
    SLUICE_TRY_VOID(expect_byte(in, switch_byte, "not an authentication switch request"));
    auth_switch_request request;
    if (in.empty()) {
        request.plugin = old_password_plugin;
        request.is_old_form = true;
        return request;
    }
    SLUICE_TRY(request.plugin, in.nul_text());
    request.data = in.rest_text();
    return request;
}

void serialise(byte_buffer& buffer, const auth_switch_request& request) {
    writer out(buffer);
    out.u8(switch_byte);
    if (request.is_old_form) return;
    out.nul_text(request.plugin);
    out.text(request.data);
}

wire_result<auth_more_data> parse_auth_more_data(byte_view payload) {
    reader in(payload);
    SLUICE_TRY_VOID(expect_byte(in, more_data_byte, "not an authentication data packet"));
    return auth_more_data{std::string(in.rest_text())};
}

void serialise(byte_buffer& buffer, const auth_more_data& more) {
    writer out(buffer);
    out.u8(more_data_byte);
    out.text(more.data);
}

wire_result<auth_next_factor> parse_auth_next_factor(byte_view payload) {
    reader in(payload);
    SLUICE_TRY_VOID(expect_byte(in, next_factor_byte, "not a next-factor packet"));
    auth_next_factor factor;
    SLUICE_TRY(factor.plugin, in.nul_text());
    factor.data = in.rest_text();
    return factor;
}

void serialise(byte_buffer& buffer, const auth_next_factor& factor) {
    writer out(buffer);
    out.u8(next_factor_byte);
    out.nul_text(factor.plugin);
    out.text(factor.data);
}

wire_result<change_user> parse_change_user(byte_view payload, capability_flags capabilities) {
    reader in(payload);
    SLUICE_TRY_VOID(expect_byte(in, static_cast<std::uint8_t>(command::change_user), "not COM_CHANGE_USER"));
    change_user change;
    SLUICE_TRY(change.user, in.nul_text());
    if (has(capabilities, capability::secure_connection)) {
        SLUICE_TRY(const auto size, in.u8());
        SLUICE_TRY(change.auth_response, in.text(size));
    } else {
        SLUICE_TRY(change.auth_response, in.nul_text());
    }
    SLUICE_TRY(change.database, in.nul_text());
    if (in.empty()) return change;
    SLUICE_TRY(change.character_set, in.u16());
    if (has(capabilities, capability::plugin_auth) && !in.empty()) {
        SLUICE_TRY(change.auth_plugin, in.nul_text());
    }
    if (has(capabilities, capability::connect_attrs) && !in.empty()) {
        SLUICE_TRY(change.attributes, in.lenenc_text());
    }
    change.trailing = in.rest_text();
    return change;
}

void serialise(byte_buffer& buffer, const change_user& change, capability_flags capabilities) {
    writer out(buffer);
    out.u8(static_cast<std::uint8_t>(command::change_user));
    out.nul_text(change.user);
    if (has(capabilities, capability::secure_connection)) {
        SLUICE_ASSERT(change.auth_response.size() <= 0xFF);
        out.u8(static_cast<std::uint8_t>(change.auth_response.size()));
        out.text(change.auth_response);
    } else {
        out.nul_text(change.auth_response);
    }
    out.nul_text(change.database);
    if (!change.character_set) return;
    out.u16(*change.character_set);
    if (has(capabilities, capability::plugin_auth) && change.auth_plugin) out.nul_text(*change.auth_plugin);
    if (has(capabilities, capability::connect_attrs) && change.attributes) out.lenenc_text(*change.attributes);
    out.text(change.trailing);
}

}  // namespace sluice::protocol
