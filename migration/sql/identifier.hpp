#pragma once

// Names and strings as SQL text. quote_identifier() is the only place in the project that quotes a name.
// Pure functions; safe from any thread. Text is UTF-8, as on the engine's connections.
// Source: MySQL 9.7 Reference Manual, "Schema Object Names", "Identifier Length Limits".

#include <cstddef>
#include <string>
#include <string_view>

#include "migration/model/failure.hpp"
#include "migration/model/table_description.hpp"

namespace sluice::migration {

/// Longest name of a schema, table, column or index, in characters (not bytes).
inline constexpr std::size_t identifier_characters_max = 64;

/// Characters of a UTF-8 text; an invalid byte counts as one.
[[nodiscard]] std::size_t character_count(std::string_view utf8) noexcept;
/// The first `characters_max` characters of a UTF-8 text, never cutting one in two; "..." is put after what was cut.
[[nodiscard]] std::string shortened(std::string_view utf8, std::size_t characters_max);
/// Each byte that is not part of a well-formed sequence becomes a question mark: clients' statements come in any
/// character set, and the server takes only UTF-8 into our tables.
[[nodiscard]] std::string well_formed_utf8(std::string_view text);

/// Refuses ("bad_identifier") what cannot be a name on the server: empty, over 64 characters, a NUL, bytes that are not
/// UTF-8, a trailing space, a character beyond U+FFFF. For names that come from people or programs.
[[nodiscard]] outcome<void> check_identifier(std::string_view name);

/// `name` in backticks, backticks within doubled. A name that check_identifier() refuses trips an assertion.
[[nodiscard]] std::string quote_identifier(std::string_view name);

/// `schema`.`table`
[[nodiscard]] std::string quote_table(const table_name& table);

/// A string literal that means the same under every sql_mode: 'text' with quotes doubled, or _utf8mb4 0x... where text
/// has a backslash or a control character. Fit for expressions; clauses such as COMMENT take only the first form.
[[nodiscard]] std::string quote_string(std::string_view text);

/// Upper-case hexadecimal digits, two per byte.
[[nodiscard]] std::string to_hex(std::string_view bytes);

}  // namespace sluice::migration
