#include "protocol/wire/ip_address.hpp"

#include <algorithm>
#include <charconv>

namespace sluice::protocol {
namespace {

constexpr std::size_t groups_of_v6 = 8;
constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

/// Digits of this base alone, no sign; at most `digits_max` of them.
std::optional<unsigned> number(std::string_view text, int base, std::size_t digits_max, unsigned max) {
    if (text.empty() || text.size() > digits_max || text.front() == '-') return std::nullopt;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
    return value;
}

bool parse_v4(std::string_view text, std::uint8_t* into) {
    for (int part = 0; part < 4; ++part) {
        const auto dot = text.find('.');
        if ((dot == std::string_view::npos) != (part == 3)) return false;
        const auto digits = text.substr(0, dot);
        const auto value = number(digits, 10, 3, 255);
        // A leading zero means octal to some readers.
        if (!value || (digits.size() > 1 && digits.front() == '0')) return false;
        into[part] = static_cast<std::uint8_t>(*value);
        if (part < 3) text.remove_prefix(dot + 1);
    }
    return true;
}

/// Groups with colons in between, the last two possibly in the form of IPv4. Gives the number of bytes; nothing for
/// another text.
std::optional<std::size_t> parse_groups(std::string_view text, std::array<std::uint8_t, 16>& into) {
    std::size_t size = 0;
    if (text.empty()) return size;
    for (;;) {
        const auto colon = text.find(':');
        const auto group = text.substr(0, colon);
        if (colon == std::string_view::npos && group.find('.') != std::string_view::npos) {
            if (size + 4 > into.size() || !parse_v4(group, into.data() + size)) return std::nullopt;
            return size + 4;
        }
        const auto value = number(group, 16, 4, 0xFFFF);
        if (!value || size + 2 > into.size()) return std::nullopt;
        into[size++] = static_cast<std::uint8_t>(*value >> 8U);
        into[size++] = static_cast<std::uint8_t>(*value & 0xFFU);
        if (colon == std::string_view::npos) return size;
        text.remove_prefix(colon + 1);
    }
}

std::optional<ip_address> parse_v6(std::string_view text) {
    ip_address address{true, {}};
    const auto gap = text.find("::");
    if (gap == std::string_view::npos) {
        const auto size = parse_groups(text, address.bytes);
        if (size != address.bytes.size()) return std::nullopt;
        return address;
    }
    std::array<std::uint8_t, 16> tail{};
    const auto head_text = text.substr(0, gap);
    if (head_text.find('.') != std::string_view::npos) return std::nullopt;
    const auto head_size = parse_groups(head_text, address.bytes);
    const auto tail_size = parse_groups(text.substr(gap + 2), tail);
    // The gap stands for at least one group.
    if (!head_size || !tail_size || *head_size + *tail_size + 2 > address.bytes.size()) return std::nullopt;
    std::copy_n(tail.begin(), *tail_size, address.bytes.end() - static_cast<std::ptrdiff_t>(*tail_size));
    return address;
}

std::string v4_text(const std::uint8_t* bytes) {
    std::string text;
    for (int i = 0; i < 4; ++i) text += (i == 0 ? "" : ".") + std::to_string(bytes[i]);
    return text;
}

struct zero_run {
    std::size_t begin = 0;
    std::size_t size = 0;
};

/// The first of the longest runs of two zero groups or more.
zero_run longest_zero_run(const std::array<unsigned, groups_of_v6>& groups) {
    zero_run best;
    for (std::size_t begin = 0; begin < groups.size(); ++begin) {
        std::size_t size = 0;
        while (begin + size < groups.size() && groups[begin + size] == 0) ++size;
        if (size >= 2 && size > best.size) best = {begin, size};
    }
    return best;
}

std::string v6_text(const ip_address& address) {
    std::array<unsigned, groups_of_v6> groups{};
    for (std::size_t i = 0; i < groups.size(); ++i) {
        groups[i] = static_cast<unsigned>(address.bytes[2 * i] << 8U) | address.bytes[2 * i + 1];
    }
    const auto run = longest_zero_run(groups);
    std::string text;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        if (run.size != 0 && i == run.begin) {
            text += "::";
            i += run.size - 1;
            continue;
        }
        if (!text.empty() && !text.ends_with(':')) text += ':';
        std::array<char, 4> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), groups[i], 16).ptr;
        text.append(digits.data(), end);
    }
    return text;
}

}  // namespace

std::optional<ip_address> parse_ip_address(std::string_view text) {
    if (text.find(':') != std::string_view::npos) return parse_v6(text);
    ip_address address;
    if (!parse_v4(text, address.bytes.data())) return std::nullopt;
    return address;
}

std::string to_text(const ip_address& address) {
    if (!address.is_v6) return v4_text(address.bytes.data());
    const auto inner = unmapped(address);
    return inner.is_v6 ? v6_text(address) : "::ffff:" + v4_text(inner.bytes.data());
}

ip_address unmapped(const ip_address& address) noexcept {
    if (!address.is_v6 || !std::equal(mapped_prefix.begin(), mapped_prefix.end(), address.bytes.begin())) {
        return address;
    }
    ip_address inner;
    std::copy_n(address.bytes.begin() + mapped_prefix.size(), 4, inner.bytes.begin());
    return inner;
}

std::string to_text(const stream_address& address) {
    switch (address.kind) {
        case stream_kind::ip:
            return (address.ip.is_v6 ? "[" + to_text(address.ip) + "]" : to_text(address.ip)) + ":" +
                   std::to_string(address.port);
        case stream_kind::local_socket: return "localhost";
        case stream_kind::unknown: break;
    }
    return "?";
}

}  // namespace sluice::protocol
