#include "protocol/message/handshake.hpp"

#include "protocol/wire/reader.hpp"
#include "protocol/wire/writer.hpp"

namespace sluice::protocol {

namespace {

constexpr std::uint8_t handshake_version = 10;
constexpr std::size_t auth_data_first_size = 8;
constexpr std::size_t ssl_request_size = 32;

// The second part is at least 13 bytes, whatever the size field says: 12 of the scramble and a NUL.
std::size_t auth_data_second_size(std::uint8_t size_field) {
    return std::max<std::size_t>(13, size_field > auth_data_first_size ? size_field - auth_data_first_size : 0);
}

// MariaDB's flags stand in the last four reserved bytes, and only where the lowest MySQL flag is clear.
template <std::size_t size>
capability_flags extended_capabilities(capability_flags lower, const std::array<std::byte, size>& reserved) {
    if (has(lower, capability::long_password)) return 0;
    capability_flags upper = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        upper |= std::to_integer<capability_flags>(reserved[size - 4 + i]) << (32 + 8 * i);
    }
    return upper;
}

template <std::size_t size>
void write_reserved(writer& out, capability_flags capabilities, const std::array<std::byte, size>& reserved) {
    if (has(capabilities, capability::long_password)) {
        out.bytes(reserved);
    } else {
        out.bytes(byte_view(reserved).first(size - 4));
        out.u32(static_cast<std::uint32_t>(capabilities >> 32));
    }
}

template <std::size_t size>
wire_result<std::array<std::byte, size>> read_reserved(reader& in) {
    SLUICE_TRY(const auto view, in.bytes(size));
    std::array<std::byte, size> copy{};
    std::copy(view.begin(), view.end(), copy.begin());
    return copy;
}

wire_result<ssl_request> read_client_head(reader& in) {
    auto probe = in;
    SLUICE_TRY(const auto lower, probe.u16());
    if (!has(lower, capability::protocol_41)) {
        return wire_error{wire_errc::unsupported, "client does not speak the 4.1 protocol"};
    }
    ssl_request head;
    SLUICE_TRY(head.capabilities, in.u32());
    SLUICE_TRY(head.packet_size_max, in.u32());
    SLUICE_TRY(head.character_set, in.u8());
    SLUICE_TRY(head.reserved, read_reserved<23>(in));
    head.capabilities |= extended_capabilities(head.capabilities, head.reserved);
    return head;
}

void write_client_head(writer& out, const ssl_request& head) {
    out.u32(static_cast<std::uint32_t>(head.capabilities & capability::mysql_mask));
    out.u32(head.packet_size_max);
    out.u8(head.character_set);
    write_reserved(out, head.capabilities, head.reserved);
}

wire_result<std::string_view> read_auth_response(reader& in, capability_flags capabilities) {
    if (has(capabilities, capability::plugin_auth_lenenc_data)) return in.lenenc_text();
    if (!has(capabilities, capability::secure_connection)) return in.nul_text();
    SLUICE_TRY(const auto size, in.u8());
    return in.text(size);
}

// Reads a name that should end in a NUL but, at the end of a packet, does not always.
std::string read_last_name(reader& in, bool& terminated) {
    auto name = in.nul_text();
    terminated = name.has_value();
    return std::string(terminated ? name.value() : in.rest_text());
}

}  // namespace

std::string_view server_greeting::scramble() const noexcept {
    std::string_view view = auth_data;
    if (view.ends_with('\0')) view.remove_suffix(1);
    return view;
}

wire_result<server_greeting> parse_server_greeting(byte_view payload) {
    reader in(payload);
    SLUICE_TRY(const auto version, in.u8());
    if (version != handshake_version) {
        return wire_error{wire_errc::unsupported, "server greets with a protocol version other than 10"};
    }
    server_greeting greeting;
    SLUICE_TRY(greeting.server_version, in.nul_text());
    SLUICE_TRY(greeting.connection_id, in.u32());
    SLUICE_TRY(greeting.auth_data, in.text(auth_data_first_size));
    SLUICE_TRY(const auto filler, in.u8());
    greeting.filler = std::byte{filler};
    SLUICE_TRY(greeting.capabilities, in.u16());
    greeting.has_second_half = !in.empty();
    if (!greeting.has_second_half) return greeting;

    SLUICE_TRY(greeting.character_set, in.u8());
    SLUICE_TRY(greeting.status, in.u16());
    SLUICE_TRY(const auto upper, in.u16());
    greeting.capabilities |= static_cast<capability_flags>(upper) << 16;
    SLUICE_TRY(greeting.auth_data_size_field, in.u8());
    SLUICE_TRY(greeting.reserved, read_reserved<10>(in));
    greeting.capabilities |= extended_capabilities(greeting.capabilities, greeting.reserved);
    if (has(greeting.capabilities, capability::secure_connection)) {
        SLUICE_TRY(const auto second, in.text(auth_data_second_size(greeting.auth_data_size_field)));
        greeting.auth_data += second;
    }
    if (has(greeting.capabilities, capability::plugin_auth)) {
        greeting.auth_plugin = read_last_name(in, greeting.auth_plugin_terminated);
    }
    greeting.trailing = in.rest_text();
    return greeting;
}

void serialise(byte_buffer& buffer, const server_greeting& greeting) {
    SLUICE_ASSERT(greeting.auth_data.size() >= auth_data_first_size);
    const auto auth_data = std::string_view(greeting.auth_data);
    writer out(buffer);
    out.u8(handshake_version);
    out.nul_text(greeting.server_version);
    out.u32(greeting.connection_id);
    out.text(auth_data.substr(0, auth_data_first_size));
    out.u8(std::to_integer<std::uint8_t>(greeting.filler));
    out.u16(static_cast<std::uint16_t>(greeting.capabilities & 0xFFFF));
    if (!greeting.has_second_half) return;

    out.u8(greeting.character_set);
    out.u16(greeting.status);
    out.u16(static_cast<std::uint16_t>((greeting.capabilities >> 16) & 0xFFFF));
    out.u8(greeting.auth_data_size_field);
    write_reserved(out, greeting.capabilities, greeting.reserved);
    if (has(greeting.capabilities, capability::secure_connection)) {
        const auto second = auth_data.substr(auth_data_first_size);
        SLUICE_ASSERT(second.size() == auth_data_second_size(greeting.auth_data_size_field));
        out.text(second);
    }
    if (has(greeting.capabilities, capability::plugin_auth)) {
        out.text(greeting.auth_plugin);
        if (greeting.auth_plugin_terminated) out.u8(0);
    }
    out.text(greeting.trailing);
}

wire_result<handshake_response> parse_handshake_response(byte_view payload) {
    reader in(payload);
    SLUICE_TRY(const auto head, read_client_head(in));
    handshake_response response;
    response.capabilities = head.capabilities;
    response.packet_size_max = head.packet_size_max;
    response.character_set = head.character_set;
    response.reserved = head.reserved;
    SLUICE_TRY(response.user, in.nul_text());
    SLUICE_TRY(response.auth_response, read_auth_response(in, head.capabilities));
    if (has(head.capabilities, capability::connect_with_db)) {
        response.has_database = !in.empty();
        if (response.has_database) {
            SLUICE_TRY(response.database, in.nul_text());
        }
    }
    if (has(head.capabilities, capability::plugin_auth)) {
        response.has_auth_plugin = !in.empty();
        if (response.has_auth_plugin) response.auth_plugin = read_last_name(in, response.auth_plugin_terminated);
    }
    if (has(head.capabilities, capability::connect_attrs)) {
        response.has_attributes = !in.empty();
        if (response.has_attributes) {
            SLUICE_TRY(response.attributes, in.lenenc_text());
        }
    }
    if (has(head.capabilities, capability::zstd_compression)) {
        response.has_zstd_level = !in.empty();
        if (response.has_zstd_level) {
            SLUICE_TRY(response.zstd_level, in.u8());
        }
    }
    response.trailing = in.rest_text();
    return response;
}

void serialise(byte_buffer& buffer, const handshake_response& response) {
    const auto capabilities = response.capabilities;
    writer out(buffer);
    write_client_head(out, {capabilities, response.packet_size_max, response.character_set, response.reserved});
    out.nul_text(response.user);
    if (has(capabilities, capability::plugin_auth_lenenc_data)) {
        out.lenenc_text(response.auth_response);
    } else if (has(capabilities, capability::secure_connection)) {
        SLUICE_ASSERT(response.auth_response.size() <= 0xFF);
        out.u8(static_cast<std::uint8_t>(response.auth_response.size()));
        out.text(response.auth_response);
    } else {
        out.nul_text(response.auth_response);
    }
    if (has(capabilities, capability::connect_with_db) && response.has_database) out.nul_text(response.database);
    if (has(capabilities, capability::plugin_auth) && response.has_auth_plugin) {
        out.text(response.auth_plugin);
        if (response.auth_plugin_terminated) out.u8(0);
    }
    if (has(capabilities, capability::connect_attrs) && response.has_attributes) out.lenenc_text(response.attributes);
    if (has(capabilities, capability::zstd_compression) && response.has_zstd_level) out.u8(response.zstd_level);
    out.text(response.trailing);
}

wire_result<connect_attributes> parse_attributes(std::string_view block) {
    reader in(block);
    connect_attributes attributes;
    while (!in.empty()) {
        SLUICE_TRY(const auto key, in.lenenc_text());
        SLUICE_TRY(const auto value, in.lenenc_text());
        attributes.emplace_back(key, value);
    }
    return attributes;
}

std::string serialise_attributes(const connect_attributes& attributes) {
    byte_buffer block;
    writer out(block);
    for (const auto& [key, value] : attributes) {
        out.lenenc_text(key);
        out.lenenc_text(value);
    }
    return to_string(block);
}

bool is_ssl_request(byte_view payload) {
    if (payload.size() != ssl_request_size) return false;
    reader in(payload);
    const auto lower = in.u16();
    return lower && has(*lower, capability::protocol_41 | capability::ssl);
}

wire_result<ssl_request> parse_ssl_request(byte_view payload) {
    if (payload.size() < ssl_request_size) return wire_error{wire_errc::truncated, "TLS request is too short"};
    if (!is_ssl_request(payload)) return wire_error{wire_errc::malformed, "not a TLS request"};
    reader in(payload);
    return read_client_head(in);
}

void serialise(byte_buffer& buffer, const ssl_request& request) {
    writer out(buffer);
    write_client_head(out, request);
}

}  // namespace sluice::protocol
