#pragma once

// The character sets in which a byte of ASCII value (0x5c backslash, 0x60 backtick, 0x7c, digits) may be the later byte
// of a character. A lexer that does not know them splits strings and identifiers in the wrong place. All other
// character sets that a client may use have trail bytes >= 0x80 only, or letters, and need no care (ucs2, utf16, utf32
// cannot be client character sets).
// Source: MySQL 9.7 Reference Manual, "Character Sets and Collations"; ids as in information_schema.COLLATIONS.
// Values only; safe from any thread.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::sql {

enum class multibyte_charset : std::uint8_t { none, big5, sjis, gbk, cp932, gb18030 };

/// From a collation id (handshake, 16 bits; MariaDB's NOPAD ids are known). Unknown ids are `none`.
[[nodiscard]] multibyte_charset multibyte_charset_of_collation(std::uint16_t collation_id) noexcept;

/// From the name of a character set ("gbk") or collation ("gbk_chinese_ci"), in any letter case. Unknown: `none`.
[[nodiscard]] multibyte_charset multibyte_charset_of_name(std::string_view name) noexcept;

/// Bytes of the valid multi-byte character at text[position]; 1 for everything else (ASCII, invalid or cut sequences,
/// charset none). position must be < text.size().
[[nodiscard]] std::size_t character_length(multibyte_charset charset, std::string_view text,
                                           std::size_t position) noexcept;

}  // namespace sluice::sql
