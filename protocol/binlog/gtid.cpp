#include "protocol/binlog/gtid.hpp"

#include <algorithm>
#include <charconv>

namespace sluice::binlog {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

int hex_value(char digit) noexcept {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

constexpr bool is_hyphen_before(std::size_t byte) noexcept { return byte == 4 || byte == 6 || byte == 8 || byte == 10; }

decode_error malformed(std::string what) { return {decode_errc::malformed, std::move(what)}; }

}  // namespace

decode_result<uuid> uuid::parse(std::string_view text) {
    if (text.size() != text_size) return malformed("a server UUID has 36 characters: '" + std::string(text) + "'");
    uuid parsed;
    std::size_t at = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const bool is_separated = !is_hyphen_before(i) || text[at++] == '-';
        const int high = hex_value(text[at]);
        const int low = hex_value(text[at + 1]);
        if (!is_separated || high < 0 || low < 0) return malformed("not a server UUID: '" + std::string(text) + "'");
        parsed.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
        at += 2;
    }
    return parsed;
}

uuid uuid::from_bytes(byte_view raw) {
    SLUICE_ASSERT(raw.size() == size);
    uuid made;
    for (std::size_t i = 0; i < size; ++i) made.bytes[i] = std::to_integer<std::uint8_t>(raw[i]);
    return made;
}

std::string uuid::to_string() const {
    std::string text;
    text.reserve(text_size);
    for (std::size_t i = 0; i < size; ++i) {
        if (is_hyphen_before(i)) text.push_back('-');
        text.push_back(hex_digits[bytes[i] >> 4]);
        text.push_back(hex_digits[bytes[i] & 0x0F]);
    }
    return text;
}

bool is_gtid_tag(std::string_view text) noexcept {
    if (text.empty() || text.size() > gtid_tag_size_max) return false;
    const auto is_start = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
    if (!is_start(text.front())) return false;
    return std::all_of(text.begin(), text.end(), [&](char c) { return is_start(c) || (c >= '0' && c <= '9'); });
}

decode_result<gtid> gtid::parse(std::string_view text) {
    const auto first = text.find(':');
    const auto last = text.rfind(':');
    if (first == std::string_view::npos) return malformed("not a GTID: '" + std::string(text) + "'");
    gtid parsed;
    SLUICE_TRY(parsed.source.server, uuid::parse(text.substr(0, first)));
    if (last != first) {
        parsed.source.tag = text.substr(first + 1, last - first - 1);
        if (!is_gtid_tag(parsed.source.tag)) return malformed("not a GTID tag: '" + parsed.source.tag + "'");
    }
    const char* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data() + last + 1, end, parsed.number);
    if (failure != std::errc{} || stop != end || parsed.number == 0 || parsed.number > gtid_number_max) {
        return malformed("no transaction number at the end of '" + std::string(text) + "'");
    }
    return parsed;
}

std::string gtid::to_string() const {
    std::string text = source.server.to_string();
    if (!source.tag.empty()) text += ":" + source.tag;
    return text + ":" + std::to_string(number);
}

std::string mariadb_gtid::to_string() const {
    return std::to_string(domain_id) + "-" + std::to_string(server_id) + "-" + std::to_string(sequence);
}

}  // namespace sluice::binlog
