#include "protocol/binlog/format_description.hpp"

#include "protocol/binlog/event_cursor.hpp"

#include <charconv>

namespace sluice::binlog {

namespace {

constexpr std::size_t server_version_size = 50;
constexpr std::uint16_t supported_version = 4;

/// "10.11.14-MariaDB" gives 101114; parts that are not there count as 0.
std::uint32_t version_number(std::string_view text) {
    std::uint32_t number = 0;
    for (int part = 0; part < 3; ++part) {
        std::uint32_t value = 0;
        const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
        number = number * 100 + (failure == std::errc{} && value < 100 ? value : 0);
        text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
        if (!text.empty() && text.front() == '.') text.remove_prefix(1);
    }
    return number;
}

/// Servers older than these write no algorithm and no checksum behind the description.
bool states_checksum(const format_description_event& event) {
    constexpr std::uint32_t mysql_first = 50601;
    constexpr std::uint32_t mariadb_first = 50300;
    return version_number(event.server_version) >= (event.is_mariadb() ? mariadb_first : mysql_first);
}

}  // namespace

bool format_description_event::is_mariadb() const noexcept {
    return server_version.find("MariaDB") != std::string::npos;
}

decode_result<format_description_event> format_description_event::decode(byte_view event) {
    if (event.size() < event_header::size) {
        return decode_error{decode_errc::truncated, "format description: ends within its header"};
    }
    event_cursor cursor(event.subspan(event_header::size));
    format_description_event description;
    description.binlog_version = cursor.u16();
    const auto version = cursor.text(server_version_size);
    description.server_version = version.substr(0, version.find('\0'));
    description.created_s = cursor.u32();
    const auto common_header_size = cursor.u8();
    auto sizes = cursor.rest();
    if (!cursor.ok()) return cursor.error("format description");
    if (description.binlog_version != supported_version || common_header_size != event_header::size) {
        return decode_error{decode_errc::unsupported, "format description: not binlog format version 4"};
    }
    if (states_checksum(description)) {
        if (sizes.size() < 1 + checksum_size) {
            return decode_error{decode_errc::truncated, "format description: no checksum algorithm"};
        }
        const auto algorithm = std::to_integer<std::uint8_t>(sizes[sizes.size() - checksum_size - 1]);
        if (algorithm > static_cast<std::uint8_t>(checksum_algorithm::crc32)) {
            return decode_error{decode_errc::unsupported, "format description: unknown checksum algorithm"};
        }
        description.checksum = static_cast<checksum_algorithm>(algorithm);
        SLUICE_TRY_VOID(verify_checksum(event, description.checksum));
        sizes = sizes.first(sizes.size() - checksum_size - 1);
    }
    if (sizes.size() >= description.post_header_sizes.size()) {
        return decode_error{decode_errc::malformed, "format description: more event types than there can be"};
    }
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        description.post_header_sizes[i + 1] = std::to_integer<std::uint8_t>(sizes[i]);
    }
    return description;
}

}  // namespace sluice::binlog
