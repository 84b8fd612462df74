#pragma once

// Which identifiers does this text name, and what does it do to the transaction? A lexer with a few keywords, not a
// grammar. classify() reads the whole text once; the functions below it exist so that the hot path seldom calls it.
// Pure functions; safe from any thread. Any bytes are accepted; nothing throws but std::bad_alloc.

#include <cstddef>
#include <string_view>

#include "protocol/sql/statement_footprint.hpp"

namespace sluice::sql {

struct classify_options {
    lexer_options lexer{};
};

/// Bounds that keep a hostile text from growing the footprint. Beyond them it says touches_anything.
inline constexpr std::size_t names_max = 256;
inline constexpr std::size_t statements_max = 1024;
inline constexpr std::size_t assignments_max = 64;

/// All statements of the text, not only the first. PREPARE ... FROM 'literal' is looked into; FROM @x is anything.
[[nodiscard]] statement_footprint classify(std::string_view text, const classify_options& options = {});

/// The kind by the leading keywords alone, comments skipped. What WITH leads to is not looked for: it is `other`.
[[nodiscard]] statement_kind cheap_kind(std::string_view text, const lexer_options& options = {}) noexcept;

/// What MariaDB's SET STATEMENT variable = value, ... FOR runs (any statement may stand there, LOCK TABLES, HANDLER, XA
/// and LOAD DATA LOCAL among them; tried on 10.11): a view into text. Other texts, and all of MySQL's, as they are.
[[nodiscard]] std::string_view statement_run_by(std::string_view text, const lexer_options& options) noexcept;

/// Whether the text begins a stored program, in which semicolons separate nothing.
[[nodiscard]] bool begins_stored_program(std::string_view text, const lexer_options& options) noexcept;

/// Whether the bytes of table_name occur anywhere in text, in any letter case, be it in a string or comment. false is
/// certain for statements that name their tables in clear; a name with non-ASCII bytes is mentioned by every text that
/// has a non-ASCII byte. Fast: meant for every statement of a session while a migration exists.
[[nodiscard]] bool mentions(std::string_view text, std::string_view table_name) noexcept;

/// True if text certainly does not touch the table, found without reading it token by token: one statement, of a kind
/// that names its tables in clear, and no mention (a broken text without the bytes of the name is dismissed too). False
/// means "ask classify()".
[[nodiscard]] bool dismissed(std::string_view text, std::string_view table_name,
                             const lexer_options& options = {}) noexcept;

}  // namespace sluice::sql
