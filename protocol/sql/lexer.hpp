#pragma once

// Splits the text of SQL statements into tokens, as the server's own lexer does, without copying. It is what everything
// that must understand a statement stands on: the classifier, the ALTER parser, SHOW MIGRATIONS.
// Rules: MySQL 9.7 Reference Manual, "Language Structure" (literals, identifiers, comments); MariaDB Knowledge Base,
// "Comment Syntax". Never fails and never recurses: any bytes give tokens, and what was broken is told by trouble().
// A token's text points into the text given to the lexer, which must outlive it. One lexer belongs to one thread.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/sql/charset.hpp"

namespace sluice::sql {

/// What of the session and the server changes how a text is read.
struct lexer_options {
    bool ansi_quotes = false;                             ///< sql_mode has ANSI_QUOTES: "x" is an identifier
    bool no_backslash_escapes = false;                    ///< sql_mode has NO_BACKSLASH_ESCAPES
    multibyte_charset charset = multibyte_charset::none;  ///< of character_set_client
    bool mariadb = false;                                 ///< `/*M!` is code, and `/*!50700` to `/*!99999` are not
    std::uint32_t server_version = 0;  ///< 90700 for 9.7.0; 0: unknown, so versioned comments above 50600 are trouble

    bool operator==(const lexer_options&) const = default;
};

/// Takes ansi_quotes and no_backslash_escapes from the value of @@sql_mode ("A,B,C"; combinations such as ANSI count).
void adopt_sql_mode(lexer_options& options, std::string_view sql_mode) noexcept;

enum class token_kind : std::uint8_t {
    end,                ///< no more text (text is empty, at the end of the input)
    word,               ///< keyword or plain identifier
    quoted_identifier,  ///< `x`, or "x" under ansi_quotes; text has the quotes
    string,             ///< 'x' or "x", n'x' with its prefix; text has the quotes. Adjacent strings are separate tokens
    number,             ///< 1, 1.5, .5, 1e5
    hex_literal,        ///< 0x1F, x'1F'
    bit_literal,        ///< 0b01, b'01'
    user_variable,      ///< @x, @'x', @`x`, and the host part of an account name
    system_variable,    ///< @@x (of @@session.x only "@@session"; dot and name follow as tokens of their own)
    placeholder,        ///< ?
    hint,               ///< an optimizer hint comment, whole
    symbol,             ///< any other character, or one of := <=> <= >= <> != << >> && || -> ->>
};

struct token {
    token_kind kind = token_kind::end;
    std::string_view text{};

    /// An unquoted word equal to keyword, which must be given in upper case.
    [[nodiscard]] bool is(std::string_view keyword) const noexcept;
    [[nodiscard]] bool is_symbol(char c) const noexcept {
        return kind == token_kind::symbol && text.size() == 1 && text.front() == c;
    }
    [[nodiscard]] bool is_identifier() const noexcept {
        return kind == token_kind::word || kind == token_kind::quoted_identifier;
    }
};

/// The first thing found broken. Whoever must not overlook a table treats any trouble as "may be anything".
enum class lexer_trouble : std::uint8_t {
    none,
    unclosed_comment,
    unclosed_string,
    unclosed_identifier,
    uncertain_comment,  ///< a versioned comment that some servers run and others skip; read as code
};

[[nodiscard]] std::string_view to_string(lexer_trouble trouble) noexcept;

class lexer {
public:
    explicit lexer(std::string_view text, const lexer_options& options = {}) noexcept;

    /// The next token; `end` for ever after the last one. An unclosed string or identifier is one token up to the end.
    [[nodiscard]] token next() noexcept;

    [[nodiscard]] lexer_trouble trouble() const noexcept { return trouble_; }
    /// Offset of the first byte not yet read.
    [[nodiscard]] std::size_t position() const noexcept { return position_; }

private:
    enum class skipped : std::uint8_t { nothing, something, hint };
    enum class dot_state : std::uint8_t { none, before, after };  ///< of a name's separating dot

    [[nodiscard]] char at(std::size_t position) const noexcept {
        return position < text_.size() ? text_[position] : '\0';
    }
    [[nodiscard]] std::size_t identifier_end(std::size_t position) const noexcept;
    [[nodiscard]] skipped skip_comment() noexcept;
    void skip_to_comment_end(std::size_t from, bool one_nested) noexcept;
    [[nodiscard]] bool enter_executable_comment() noexcept;
    [[nodiscard]] token take(token_kind kind, std::size_t end) noexcept;
    [[nodiscard]] token take_quoted(token_kind kind, std::size_t open) noexcept;
    [[nodiscard]] token take_number_or_word() noexcept;
    [[nodiscard]] token take_word_or_prefixed_literal() noexcept;
    [[nodiscard]] token take_variable() noexcept;
    [[nodiscard]] token take_symbol() noexcept;
    void note(lexer_trouble trouble) noexcept {
        if (trouble_ == lexer_trouble::none) trouble_ = trouble;
    }

    std::string_view text_;
    lexer_options options_;
    std::size_t position_ = 0;
    bool in_executable_comment_ = false;
    dot_state dot_ = dot_state::none;
    lexer_trouble trouble_ = lexer_trouble::none;
};

/// ASCII letters only, as the server compares keywords.
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// The name that a word or quoted identifier stands for: quotes taken off, doubled quotes made single.
/// The bytes stay in the client's character set.
[[nodiscard]] std::string identifier_text(const token& identifier, const lexer_options& options);

/// The bytes that a string token stands for: quotes and prefix taken off, escapes resolved.
[[nodiscard]] std::string string_text(const token& string, const lexer_options& options);

}  // namespace sluice::sql
