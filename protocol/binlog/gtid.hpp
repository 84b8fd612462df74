#pragma once

// Global transaction identifiers: MySQL's uuid[:tag]:number (tags since 8.3, WL#15294) and MariaDB's
// domain-server-sequence. Values, freely copied.

#include "protocol/binlog/error.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::binlog {

inline constexpr std::size_t gtid_tag_size_max = 32;
/// Transaction numbers are 1 .. 2^63 - 2.
inline constexpr std::uint64_t gtid_number_max = 0x7FFFFFFFFFFFFFFE;

struct uuid {
    static constexpr std::size_t size = 16;
    static constexpr std::size_t text_size = 36;

    std::array<std::uint8_t, size> bytes{};

    /// "3e11fa47-71ca-11e1-9e33-c80aa9429562", hyphens required, either letter case.
    [[nodiscard]] static decode_result<uuid> parse(std::string_view text);
    /// `raw` must have 16 bytes.
    [[nodiscard]] static uuid from_bytes(byte_view raw);
    [[nodiscard]] std::string to_string() const;

    friend auto operator<=>(const uuid&, const uuid&) = default;
};

/// True for what may stand as a tag: lower-case letters, digits and underscores, no digit in front, 1 to 32 of them.
[[nodiscard]] bool is_gtid_tag(std::string_view text) noexcept;

/// The source of a transaction: a server, and the tag under which it committed (empty: untagged).
struct gtid_source {
    uuid server;
    std::string tag;

    friend auto operator<=>(const gtid_source&, const gtid_source&) = default;
};

struct gtid {
    gtid_source source;
    std::uint64_t number = 0;  ///< 1 .. gtid_number_max

    /// "uuid:7" or "uuid:tag:7".
    [[nodiscard]] static decode_result<gtid> parse(std::string_view text);
    [[nodiscard]] std::string to_string() const;

    friend auto operator<=>(const gtid&, const gtid&) = default;
};

struct mariadb_gtid {
    std::uint32_t domain_id = 0;
    std::uint32_t server_id = 0;
    std::uint64_t sequence = 0;

    /// "0-1-42"
    [[nodiscard]] std::string to_string() const;

    friend auto operator<=>(const mariadb_gtid&, const mariadb_gtid&) = default;
};

}  // namespace sluice::binlog
