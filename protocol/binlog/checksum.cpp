#include "protocol/binlog/checksum.hpp"

#include "protocol/binlog/event_cursor.hpp"
#include "protocol/binlog/event_header.hpp"

#include <algorithm>
#include <array>

#include <zlib.h>

namespace sluice::binlog {

namespace {

uLong add_to_crc(uLong crc, byte_view bytes) {
    return crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
}

constexpr std::size_t flags_offset = event_header::size - 2;

std::uint32_t crc_of(byte_view event) {
    auto crc = crc32_z(0, nullptr, 0);
    const bool is_description =
        std::to_integer<std::uint8_t>(event[4]) == static_cast<std::uint8_t>(event_type::format_description);
    if (!is_description) return static_cast<std::uint32_t>(add_to_crc(crc, event));
    const std::array<std::byte, 1> flags{event[flags_offset] & ~std::byte{event_flag::binlog_in_use}};
    crc = add_to_crc(crc, event.first(flags_offset));
    crc = add_to_crc(crc, flags);
    return static_cast<std::uint32_t>(add_to_crc(crc, event.subspan(flags_offset + 1)));
}

}  // namespace

decode_result<checksum_algorithm> parse_checksum_algorithm(std::string_view text) {
    const auto equals = [text](std::string_view upper) {
        return std::equal(text.begin(), text.end(), upper.begin(), upper.end(), [](char given, char wanted) {
            return (given >= 'a' && given <= 'z' ? static_cast<char>(given - 'a' + 'A') : given) == wanted;
        });
    };
    if (equals("NONE") || equals("OFF")) return checksum_algorithm::none;
    if (equals("CRC32")) return checksum_algorithm::crc32;
    return decode_error{decode_errc::unsupported, "unknown binlog checksum algorithm '" + std::string(text) + "'"};
}

decode_result<byte_view> verify_checksum(byte_view event, checksum_algorithm algorithm) {
    if (algorithm == checksum_algorithm::none) return event;
    if (event.size() < event_header::size + checksum_size) {
        return decode_error{decode_errc::truncated, "event is shorter than its header and checksum"};
    }
    const auto summed = event.first(event.size() - checksum_size);
    event_cursor stored(event.last(checksum_size));
    if (stored.u32() != crc_of(summed)) {
        return decode_error{decode_errc::checksum_mismatch, "event does not match its CRC32"};
    }
    return summed;
}

}  // namespace sluice::binlog
