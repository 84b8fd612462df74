#include "protocol/wire/proxy_header.hpp"

#include "protocol/wire/writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sluice::protocol {
namespace {

using outcome = wire_result<std::optional<read_proxy_header>>;

constexpr std::string_view line_start = "PROXY ";
constexpr std::size_t line_size_max = 107;  // with CR and LF
constexpr std::string_view signature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t fixed_size = 16;  // of version 2: signature, command, family, length

constexpr std::uint8_t version_2 = 2;
constexpr std::uint8_t command_local = 0;
constexpr std::uint8_t command_proxy = 1;
constexpr std::uint8_t unspecified = 0x00;
constexpr std::uint8_t tcp_over_ipv4 = 0x11;
constexpr std::uint8_t tcp_over_ipv6 = 0x21;
constexpr std::uint8_t unix_stream = 0x31;
constexpr std::size_t ipv4_block_size = 12;
constexpr std::size_t ipv6_block_size = 36;
constexpr std::size_t unix_block_size = 216;

wire_error malformed(const char* what) noexcept { return {wire_errc::malformed, what}; }

std::uint8_t byte_at(byte_view bytes, std::size_t index) noexcept {
    return std::to_integer<std::uint8_t>(bytes[index]);
}

std::uint16_t u16_at(byte_view bytes, std::size_t index) noexcept {  // network order
    return static_cast<std::uint16_t>(byte_at(bytes, index) << 8U | byte_at(bytes, index + 1));
}

/// Whether the bytes begin as `expected` does, as far as they go.
bool may_begin_with(byte_view bytes, std::string_view expected) noexcept {
    return expected.starts_with(as_text(bytes.first(std::min(bytes.size(), expected.size()))));
}

std::optional<std::uint16_t> parse_port(std::string_view digits) {
    if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return port;
}

/// The text behind "PROXY TCP4 " or "PROXY TCP6 ".
wire_result<proxy_header> parse_ends(std::string_view text, bool is_v6) {
    std::array<std::string_view, 4> words;  // source, destination, source's port, destination's port
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto space = text.find(' ');
        if ((space == std::string_view::npos) != (i + 1 == words.size())) {
            return malformed("a PROXY line must have two addresses and two ports");
        }
        words[i] = text.substr(0, space);
        if (space != std::string_view::npos) text.remove_prefix(space + 1);
    }
    proxy_header header;
    for (std::size_t i = 0; i < 2; ++i) {
        const auto ip = parse_ip_address(words[i]);
        const auto port = parse_port(words[i + 2]);
        if (!ip || ip->is_v6 != is_v6) return malformed("an address of a PROXY line is not one of its family");
        if (!port) return malformed("a port of a PROXY line is no number from 0 to 65535");
        (i == 0 ? header.source : header.destination) = {stream_kind::ip, *ip, *port};
    }
    return header;
}

outcome parse_line(byte_view bytes) {
    const auto text = as_text(bytes.first(std::min(bytes.size(), line_size_max)));
    const auto line_feed = text.find('\n');
    if (line_feed == std::string_view::npos) {
        const auto carriage_return = text.find('\r');
        if (carriage_return != std::string_view::npos && carriage_return + 1 != text.size()) {
            return malformed("a PROXY line does not end in CR LF");
        }
        if (text.size() == line_size_max) return wire_error{wire_errc::too_large, "a PROXY line is over 107 bytes"};
        return std::optional<read_proxy_header>{};
    }
    if (text.find('\r') + 1 != line_feed) return malformed("a PROXY line does not end in CR LF");
    read_proxy_header read{{}, line_feed + 1};
    const auto line = text.substr(line_start.size(), line_feed - 1 - line_start.size());
    const auto family = line.substr(0, line.find(' '));
    if (family == "TCP4" || family == "TCP6") {
        if (family.size() == line.size()) return malformed("a PROXY line must have two addresses and two ports");
        SLUICE_TRY(read.header, parse_ends(line.substr(family.size() + 1), family == "TCP6"));
    } else if (family != "UNKNOWN") {
        return malformed("a PROXY line names neither TCP4 nor TCP6 nor UNKNOWN");
    }
    return std::optional(read);
}

stream_address ip_end(byte_view block, std::size_t address_at, std::size_t port_at, bool is_v6) {
    stream_address end{stream_kind::ip, {is_v6, {}}, u16_at(block, port_at)};
    for (std::size_t i = 0; i < (is_v6 ? 16U : 4U); ++i) end.ip.bytes[i] = byte_at(block, address_at + i);
    return end;
}

wire_result<proxy_header> parse_block(std::uint8_t family, byte_view block) {
    proxy_header header;
    switch (family) {
        case unspecified: return header;
        case tcp_over_ipv4:
            if (block.size() < ipv4_block_size) return malformed("a PROXY header is too short for IPv4 addresses");
            header.source = ip_end(block, 0, 8, false);
            header.destination = ip_end(block, 4, 10, false);
            return header;
        case tcp_over_ipv6:
            if (block.size() < ipv6_block_size) return malformed("a PROXY header is too short for IPv6 addresses");
            header.source = ip_end(block, 0, 32, true);
            header.destination = ip_end(block, 16, 34, true);
            return header;
        case unix_stream:
            if (block.size() < unix_block_size) return malformed("a PROXY header is too short for Unix addresses");
            header.source.kind = header.destination.kind = stream_kind::local_socket;
            return header;
        default: return malformed("a PROXY header of a family or transport that is not served");
    }
}

outcome parse_binary(byte_view bytes) {
    if (bytes.size() <= signature.size()) return std::optional<read_proxy_header>{};
    const auto version = byte_at(bytes, 12) >> 4U;
    const auto command = byte_at(bytes, 12) & 0x0FU;
    if (version != version_2) return malformed("a PROXY header of an unknown version");
    if (command != command_local && command != command_proxy) return malformed("a PROXY header of an unknown command");
    if (bytes.size() < fixed_size) return std::optional<read_proxy_header>{};
    read_proxy_header read{{}, fixed_size + u16_at(bytes, 14)};
    if (read.size > proxy_header_size_max) return wire_error{wire_errc::too_large, "a PROXY header is over 4096 bytes"};
    if (bytes.size() < read.size) return std::optional<read_proxy_header>{};
    if (command == command_local) return std::optional(read);  // whatever else it holds
    SLUICE_TRY(read.header, parse_block(byte_at(bytes, 13), bytes.subspan(fixed_size, read.size - fixed_size)));
    return std::optional(read);
}

ip_address as_v6(const ip_address& address) noexcept {
    if (address.is_v6) return address;
    ip_address mapped{true, {}};
    mapped.bytes[10] = mapped.bytes[11] = 0xFF;
    std::copy_n(address.bytes.begin(), 4, mapped.bytes.begin() + 12);
    return mapped;
}

}  // namespace

outcome parse_proxy_header(byte_view bytes) {
    if (may_begin_with(bytes, line_start)) {
        if (bytes.size() < line_start.size()) return std::optional<read_proxy_header>{};
        return parse_line(bytes);
    }
    if (may_begin_with(bytes, signature)) return parse_binary(bytes);
    return malformed("the first bytes are no PROXY header");
}

void serialise(byte_buffer& out, const proxy_header& header) {
    writer to(out);
    to.text(signature);
    const auto put_u16 = [&](std::size_t value) {  // network order
        to.u8(static_cast<std::uint8_t>(value >> 8U));
        to.u8(static_cast<std::uint8_t>(value & 0xFFU));
    };
    if (header.source.kind != stream_kind::ip || header.destination.kind != stream_kind::ip) {
        to.u8(version_2 << 4U | command_local);
        to.u8(unspecified);
        put_u16(0);
        return;
    }
    const bool is_v6 = header.source.ip.is_v6 || header.destination.ip.is_v6;
    to.u8(version_2 << 4U | command_proxy);
    to.u8(is_v6 ? tcp_over_ipv6 : tcp_over_ipv4);
    put_u16(is_v6 ? ipv6_block_size : ipv4_block_size);
    for (const auto* end : {&header.source, &header.destination}) {
        const auto ip = is_v6 ? as_v6(end->ip) : end->ip;
        for (std::size_t i = 0; i < (is_v6 ? 16U : 4U); ++i) to.u8(ip.bytes[i]);
    }
    put_u16(header.source.port);
    put_u16(header.destination.port);
}

}  // namespace sluice::protocol
