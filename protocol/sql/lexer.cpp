#include "protocol/sql/lexer.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace sluice::sql {

namespace {

[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

[[nodiscard]] constexpr bool is_hex_digit(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

[[nodiscard]] constexpr bool is_identifier_byte(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
           static_cast<unsigned char>(c) >= 0x80;
}

[[nodiscard]] constexpr bool is_blank(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

[[nodiscard]] constexpr char to_upper(char c) noexcept {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

/// The number behind `/*!`; without one (digits 0) the comment is always code.
struct comment_version {
    std::uint32_t number = 0;
    std::size_t digits = 0;
    bool certain = true;
};

// The 5.6 line is the oldest that Sluice speaks to: comments for it and for older ones run everywhere.
constexpr std::uint32_t oldest_server_version = 50600;

/// text: from the first digit on. Five digits, and anything shorter is code already. A sixth digit is part of the
/// number to MariaDB and, if a blank follows, to MySQL 9; to MySQL 5 it is code; what the 8 line does differs by
/// release.
[[nodiscard]] comment_version read_version(std::string_view text, const lexer_options& options) noexcept {
    comment_version version;
    const auto digits = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
    if (digits < 5) return version;
    version.digits = 5;
    if (digits > 5) {
        const bool blank_follows = digits == 6 && text.size() > 6 && is_blank(text[6]);
        const bool six = options.mariadb || (options.server_version >= 90000 && blank_follows);
        if (six) version.digits = 6;
        version.certain = options.mariadb || options.server_version >= 90000 ||
                          (options.server_version != 0 && options.server_version < 80000);
    }
    for (const char c : text.substr(0, version.digits)) {
        version.number = version.number * 10 + static_cast<std::uint32_t>(c - '0');
    }
    return version;
}

/// Whether a server runs the comment; nullopt where that cannot be told.
[[nodiscard]] std::optional<bool> runs(const comment_version& version, const lexer_options& options,
                                       bool mariadb_comment) noexcept {
    if (version.digits == 0) return true;
    if (!version.certain) return std::nullopt;
    if (options.mariadb && !mariadb_comment && version.number >= 50700 && version.number <= 99999) return false;
    if (options.server_version != 0) return version.number <= options.server_version;
    if (version.number <= oldest_server_version) return true;
    return std::nullopt;
}

[[nodiscard]] char unescaped(char c) noexcept {
    switch (c) {
        case '0': return '\0';
        case 'b': return '\b';
        case 'n': return '\n';
        case 'r': return '\r';
        case 't': return '\t';
        case 'Z': return '\x1a';
        default: return c;
    }
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return to_upper(x) == to_upper(y); });
}

void adopt_sql_mode(lexer_options& options, std::string_view sql_mode) noexcept {
    static constexpr std::array<std::string_view, 7> with_ansi_quotes{"ANSI_QUOTES", "ANSI",       "DB2",   "MAXDB",
                                                                      "MSSQL",       "POSTGRESQL", "ORACLE"};
    options.ansi_quotes = false;
    options.no_backslash_escapes = false;
    while (!sql_mode.empty()) {
        const auto comma = std::min(sql_mode.find(','), sql_mode.size());
        const auto mode = sql_mode.substr(0, comma);
        sql_mode.remove_prefix(std::min(comma + 1, sql_mode.size()));
        if (equal_ignoring_case(mode, "NO_BACKSLASH_ESCAPES")) options.no_backslash_escapes = true;
        options.ansi_quotes =
            options.ansi_quotes || std::any_of(with_ansi_quotes.begin(), with_ansi_quotes.end(),
                                               [&](auto known) { return equal_ignoring_case(known, mode); });
    }
}

bool token::is(std::string_view keyword) const noexcept {
    if (kind != token_kind::word || text.size() != keyword.size()) return false;
    for (std::size_t i = 0; i < keyword.size(); ++i) {
        if (to_upper(text[i]) != keyword[i]) return false;
    }
    return true;
}

std::string_view to_string(lexer_trouble trouble) noexcept {
    switch (trouble) {
        case lexer_trouble::none: return "none";
        case lexer_trouble::unclosed_comment: return "unclosed comment";
        case lexer_trouble::unclosed_string: return "unclosed string";
        case lexer_trouble::unclosed_identifier: return "unclosed quoted identifier";
        case lexer_trouble::uncertain_comment: return "versioned comment that this server may run or skip";
    }
    return "unknown";
}

lexer::lexer(std::string_view text, const lexer_options& options) noexcept : text_(text), options_(options) {}

token lexer::next() noexcept {
    for (;;) {
        while (position_ < text_.size() && is_blank(text_[position_])) ++position_;
        if (position_ >= text_.size()) {
            if (in_executable_comment_) note(lexer_trouble::unclosed_comment);
            return token{token_kind::end, text_.substr(text_.size())};
        }
        const auto begin = position_;
        const auto what = skip_comment();
        if (what == skipped::hint) return token{token_kind::hint, text_.substr(begin, position_ - begin)};
        if (what == skipped::nothing) break;
    }
    const auto dot = std::exchange(dot_, dot_state::none);
    const char c = text_[position_];
    if (dot == dot_state::before && c == '.') {
        auto taken = take(token_kind::symbol, position_ + 1);
        dot_ = dot_state::after;
        return taken;
    }
    // Behind a dot, keywords and names that begin with digits are plain identifiers.
    if (dot == dot_state::after && is_identifier_byte(c)) return take(token_kind::word, identifier_end(position_));
    if (is_digit(c) || (c == '.' && is_digit(at(position_ + 1)))) return take_number_or_word();
    if (is_identifier_byte(c)) return take_word_or_prefixed_literal();
    switch (c) {
        case '\'': return take_quoted(token_kind::string, position_);
        case '"':
            return take_quoted(options_.ansi_quotes ? token_kind::quoted_identifier : token_kind::string, position_);
        case '`': return take_quoted(token_kind::quoted_identifier, position_);
        case '@': return take_variable();
        case '?': return take(token_kind::placeholder, position_ + 1);
        default: return take_symbol();
    }
}

std::size_t lexer::identifier_end(std::size_t position) const noexcept {
    while (position < text_.size() && is_identifier_byte(text_[position])) {
        position +=
            options_.charset == multibyte_charset::none ? 1 : character_length(options_.charset, text_, position);
    }
    return position;
}

token lexer::take(token_kind kind, std::size_t end) noexcept {
    const token taken{kind, text_.substr(position_, end - position_)};
    position_ = end;
    // "t.5x" is a name and a name, not "t" and ".5": the server looks for a dot directly after an identifier.
    if ((kind == token_kind::word || kind == token_kind::quoted_identifier || kind == token_kind::system_variable) &&
        at(end) == '.' && is_identifier_byte(at(end + 1))) {
        dot_ = dot_state::before;
    }
    return taken;
}

lexer::skipped lexer::skip_comment() noexcept {
    const char c = text_[position_];
    const char next = at(position_ + 1);
    const bool to_line_end =
        c == '#' || (c == '-' && next == '-' &&
                     (position_ + 2 >= text_.size() || static_cast<unsigned char>(text_[position_ + 2]) <= ' ' ||
                      text_[position_ + 2] == '\x7f'));
    if (to_line_end) {
        position_ = std::min(text_.find('\n', position_), text_.size());
        return skipped::something;
    }
    if (c == '*' && next == '/' && in_executable_comment_) {
        in_executable_comment_ = false;
        position_ += 2;
        return skipped::something;
    }
    if (c != '/' || next != '*') return skipped::nothing;
    if (at(position_ + 2) == '+') {
        skip_to_comment_end(position_ + 3, false);
        return skipped::hint;
    }
    if (!enter_executable_comment()) skip_to_comment_end(position_ + 2, false);
    return skipped::something;
}

/// At "/*": if it opens a comment that the server runs, goes behind its marks and returns true. A comment that is
/// marked as executable but skipped by this server is skipped here, with one nested comment, as the server does.
bool lexer::enter_executable_comment() noexcept {
    std::size_t mark = position_ + 2;
    const bool mariadb_comment = at(mark) == 'M' && at(mark + 1) == '!';
    if (mariadb_comment && !options_.mariadb) {
        // Plain comment to MySQL; with the server unknown it might be MariaDB.
        if (options_.server_version != 0) return false;
        note(lexer_trouble::uncertain_comment);
    }
    if (mariadb_comment) ++mark;
    if (at(mark) != '!') return false;
    ++mark;
    const auto version = read_version(text_.substr(std::min(mark, text_.size())), options_);
    const auto code = runs(version, options_, mariadb_comment);
    if (!code) note(lexer_trouble::uncertain_comment);
    if (code.value_or(true)) {
        in_executable_comment_ = true;
        position_ = mark + version.digits;
        return true;
    }
    skip_to_comment_end(mark, true);
    return true;
}

void lexer::skip_to_comment_end(std::size_t from, bool one_nested) noexcept {
    bool nested = false;
    while (from < text_.size()) {
        const char c = text_[from];
        if (c == '*' && at(from + 1) == '/') {
            from += 2;
            if (!nested) {
                position_ = from;
                return;
            }
            nested = false;
        } else if (one_nested && !nested && c == '/' && at(from + 1) == '*') {
            nested = true;
            from += 2;
        } else {
            ++from;
        }
    }
    note(lexer_trouble::unclosed_comment);
    position_ = text_.size();
}

/// open: position of the opening quote; the token begins at position_, which may be a prefix before it.
token lexer::take_quoted(token_kind kind, std::size_t open) noexcept {
    const char quote = text_[open];
    const bool string_like = quote == '\'' || (quote == '"' && !options_.ansi_quotes);
    const bool escapes = string_like && !options_.no_backslash_escapes &&
                         (kind == token_kind::string || kind == token_kind::user_variable);
    const bool multibyte = options_.charset != multibyte_charset::none;
    std::size_t at_byte = open + 1;
    while (at_byte < text_.size()) {
        const char c = text_[at_byte];
        if (multibyte && static_cast<unsigned char>(c) >= 0x80) {
            at_byte += character_length(options_.charset, text_, at_byte);
        } else if (escapes && c == '\\') {
            at_byte += 2;
        } else if (c == quote) {
            if (at(at_byte + 1) != quote) return take(kind, at_byte + 1);
            at_byte += 2;
        } else {
            ++at_byte;
        }
    }
    note(kind == token_kind::quoted_identifier ? lexer_trouble::unclosed_identifier : lexer_trouble::unclosed_string);
    return take(kind, text_.size());
}

token lexer::take_number_or_word() noexcept {
    const auto run_end = [this](std::size_t from, auto belongs) {
        while (from < text_.size() && belongs(text_[from])) ++from;
        return from;
    };
    if (text_[position_] == '0' && (at(position_ + 1) == 'x' || at(position_ + 1) == 'b')) {
        const bool hex = at(position_ + 1) == 'x';
        const auto end = hex ? run_end(position_ + 2, is_hex_digit)
                             : run_end(position_ + 2, [](char c) { return c == '0' || c == '1'; });
        if (end > position_ + 2 && !is_identifier_byte(at(end))) {
            return take(hex ? token_kind::hex_literal : token_kind::bit_literal, end);
        }
        return take(token_kind::word, identifier_end(position_));
    }
    auto end = run_end(position_, is_digit);
    const auto exponent_end = [&](std::size_t from) {
        if (at(from) != 'e' && at(from) != 'E') return from;
        const auto sign = (at(from + 1) == '+' || at(from + 1) == '-') ? from + 2 : from + 1;
        return is_digit(at(sign)) ? run_end(sign, is_digit) : from;
    };
    if (at(end) == '.') {
        return take(token_kind::number, exponent_end(run_end(end + 1, is_digit)));
    }
    if (const auto with_exponent = exponent_end(end); with_exponent != end) {
        return take(token_kind::number, with_exponent);
    }
    if (is_identifier_byte(at(end))) return take(token_kind::word, identifier_end(end));
    return take(token_kind::number, end);
}

token lexer::take_word_or_prefixed_literal() noexcept {
    if (at(position_ + 1) == '\'') {
        switch (text_[position_]) {
            case 'x':
            case 'X': return take_quoted(token_kind::hex_literal, position_ + 1);
            case 'b':
            case 'B': return take_quoted(token_kind::bit_literal, position_ + 1);
            case 'n':
            case 'N': return take_quoted(token_kind::string, position_ + 1);
            default: break;
        }
    }
    return take(token_kind::word, identifier_end(position_));
}

token lexer::take_variable() noexcept {
    if (at(position_ + 1) == '@') return take(token_kind::system_variable, identifier_end(position_ + 2));
    const char next = at(position_ + 1);
    if (next == '\'' || next == '"' || next == '`') return take_quoted(token_kind::user_variable, position_ + 1);
    auto end = position_ + 1;
    // Host names and user variables may hold dots.
    while (end < text_.size() && (is_identifier_byte(text_[end]) || text_[end] == '.')) {
        end += character_length(options_.charset, text_, end);
    }
    return take(end == position_ + 1 ? token_kind::symbol : token_kind::user_variable, end);
}

token lexer::take_symbol() noexcept {
    static constexpr std::array<std::string_view, 12> operators{"<=>", "->>", ":=", "<=", ">=", "<>",
                                                                "!=",  "<<",  ">>", "&&", "||", "->"};
    static constexpr std::string_view first_of_operators = "<>:!&|-";
    if (first_of_operators.find(text_[position_]) != std::string_view::npos) {
        const auto rest = text_.substr(position_);
        for (const auto known : operators) {
            if (rest.starts_with(known)) return take(token_kind::symbol, position_ + known.size());
        }
    }
    auto taken = take(token_kind::symbol, position_ + 1);
    if (taken.text.front() == '.' && is_identifier_byte(at(position_))) dot_ = dot_state::after;
    return taken;
}

std::string identifier_text(const token& identifier, const lexer_options& options) {
    if (identifier.kind != token_kind::quoted_identifier) return std::string(identifier.text);
    const auto text = identifier.text;
    const char quote = text.front();
    const auto end = text.size() > 1 && text.back() == quote ? text.size() - 1 : text.size();
    std::string name;
    name.reserve(end);
    for (std::size_t i = 1; i < end;) {
        const auto length = std::min(character_length(options.charset, text, i), end - i);
        name.append(text.substr(i, length));
        i += length == 1 && text[i] == quote ? 2 : length;
    }
    return name;
}

std::string string_text(const token& string, const lexer_options& options) {
    const auto text = string.text;
    const auto open = text.find_first_of("'\"");
    if (open == std::string_view::npos) return std::string(text);
    const char quote = text[open];
    std::string value;
    value.reserve(text.size() - open);
    for (std::size_t i = open + 1; i < text.size();) {
        const auto length = character_length(options.charset, text, i);
        if (length > 1) {
            value.append(text.substr(i, length));
            i += length;
        } else if (text[i] == '\\' && !options.no_backslash_escapes && i + 1 < text.size()) {
            // \% and \_ keep their backslash: they mean something to LIKE only.
            if (text[i + 1] == '%' || text[i + 1] == '_') value += '\\';
            value += unescaped(text[i + 1]);
            i += 2;
        } else if (text[i] == quote) {
            if (i + 1 >= text.size() || text[i + 1] != quote) break;
            value += quote;
            i += 2;
        } else {
            value += text[i++];
        }
    }
    return value;
}

}  // namespace sluice::sql
