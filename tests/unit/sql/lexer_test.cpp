#include "protocol/sql/lexer.hpp"

#include <string>
#include <vector>

#include "tests/support/catch.hpp"

namespace {

using namespace sluice::sql;

constexpr lexer_options ansi{.ansi_quotes = true};
constexpr lexer_options no_escapes{.no_backslash_escapes = true};
constexpr lexer_options gbk{.charset = multibyte_charset::gbk};
constexpr lexer_options sjis{.charset = multibyte_charset::sjis};
constexpr lexer_options big5{.charset = multibyte_charset::big5};
constexpr lexer_options cp932{.charset = multibyte_charset::cp932};
constexpr lexer_options gb18030{.charset = multibyte_charset::gb18030};
constexpr lexer_options mysql97{.server_version = 90700};
constexpr lexer_options mysql56{.server_version = 50624};
constexpr lexer_options mariadb{.mariadb = true, .server_version = 101100};

/// Tokens joined by '|', to be read in one look.
struct lexed {
    std::string text;
    std::string kinds;
    lexer_trouble trouble = lexer_trouble::none;
};

char letter_of(token_kind kind) {
    switch (kind) {
        case token_kind::end: return 'e';
        case token_kind::word: return 'w';
        case token_kind::quoted_identifier: return 'q';
        case token_kind::string: return 's';
        case token_kind::number: return 'n';
        case token_kind::hex_literal: return 'x';
        case token_kind::bit_literal: return 'b';
        case token_kind::user_variable: return '@';
        case token_kind::system_variable: return '$';
        case token_kind::placeholder: return '?';
        case token_kind::hint: return 'h';
        case token_kind::symbol: return '.';
    }
    return '!';
}

lexed lex(std::string_view text, const lexer_options& options) {
    lexer source(text, options);
    lexed all;
    for (auto next = source.next(); next.kind != token_kind::end; next = source.next()) {
        if (!all.text.empty()) all.text += '|';
        all.text += next.text;
        all.kinds += letter_of(next.kind);
    }
    all.trouble = source.trouble();
    return all;
}

struct sample {
    std::string text;
    std::string tokens;
    std::string kinds;
    lexer_options options{};
    lexer_trouble trouble = lexer_trouble::none;
};

void check(const std::vector<sample>& samples) {
    for (const auto& one : samples) {
        CAPTURE(one.text);
        const auto found = lex(one.text, one.options);
        CHECK(found.text == one.tokens);
        CHECK(found.kinds == one.kinds);
        CHECK(to_string(found.trouble) == to_string(one.trouble));
    }
}

}  // namespace

TEST_CASE("lexer: words, names and symbols") {
    check({
        {"", "", ""},
        {" \t\r\n\f\v ", "", ""},
        {"select a", "select|a", "ww"},
        {"a$b _x $y 1a 0xg 0b2", "a$b|_x|$y|1a|0xg|0b2", "wwwwww"},
        {"d\xC3\xA9j\xC3\xA0", "d\xC3\xA9j\xC3\xA0", "w"},
        {"a.b.c", "a|.|b|.|c", "w.w.w"},
        {"t.5x", "t|.|5x", "w.w"},
        {"t.1e5", "t|.|1e5", "w.w"},
        {"`t`.1e5", "`t`|.|1e5", "q.w"},
        {"t .5", "t|.5", "wn"},
        {"t.select", "t|.|select", "w.w"},
        {"t.`x`", "t|.|`x`", "w.q"},
        {"t.*", "t|.|*", "w.."},
        {"a<=>b<=c>=d<>e!=f:=g", "a|<=>|b|<=|c|>=|d|<>|e|!=|f|:=|g", "w.w.w.w.w.w.w"},
        {"a<<b>>c&&d||e->f->>g", "a|<<|b|>>|c|&&|d||||e|->|f|->>|g", "w.w.w.w.w.w.w"},
        {"(?,?);", "(|?|,|?|)|;", ".?.?.."},
        {std::string("a\0b", 3), std::string("a|\0|b", 5), "w.w"},
    });
}

TEST_CASE("lexer: numbers and literals") {
    check({
        {"1 1.5 .5 1. 1e5 1E+5 1.5e-3 1e", "1|1.5|.5|1.|1e5|1E+5|1.5e-3|1e", "nnnnnnnw"},
        {"0x1F x'1F' X'' 0b01 b'01' B'1'", "0x1F|x'1F'|X''|0b01|b'01'|B'1'", "xxxbbb"},
        {"0X1F 0x", "0X1F|0x", "ww"},
        {"n'x' N'y' _utf8'z'", "n'x'|N'y'|_utf8|'z'", "ssws"},
        {"1-- 2", "1", "n"},
        {"1--2", "1|-|-|2", "n..n"},
        {"-1", "-|1", ".n"},
    });
}

TEST_CASE("lexer: strings and quoted names") {
    check({
        {"'a''b'", "'a''b'", "s"},
        {"'a' 'b'", "'a'|'b'", "ss"},
        {R"('a\'b' c)", R"('a\'b'|c)", "sw"},
        {R"('a\\' b)", R"('a\\'|b)", "sw"},
        {R"('a\' b)", R"('a\'|b)", "sw", no_escapes},
        {R"("a\"b" c)", R"("a\"b"|c)", "sw"},
        {R"("a""b" c)", R"("a""b"|c)", "sw"},
        {R"("a""b" c)", R"("a""b"|c)", "qw", ansi},
        {R"("a\" b)", R"("a\"|b)", "qw", ansi},
        {"`a``b` c", "`a``b`|c", "qw"},
        {R"(`a\` b)", R"(`a\`|b)", "qw"},
        {"`a'b` 'c`d'", "`a'b`|'c`d'", "qs"},
        {"'-- x' '/* y' '#'", "'-- x'|'/* y'|'#'", "sss"},
        {"'abc", "'abc", "s", {}, lexer_trouble::unclosed_string},
        {"'abc\\", "'abc\\", "s", {}, lexer_trouble::unclosed_string},
        {"\"abc", "\"abc", "s", {}, lexer_trouble::unclosed_string},
        {"`abc", "`abc", "q", {}, lexer_trouble::unclosed_identifier},
        {"\"abc", "\"abc", "q", ansi, lexer_trouble::unclosed_identifier},
        {"x'ab", "x'ab", "x", {}, lexer_trouble::unclosed_string},
        {"'", "'", "s", {}, lexer_trouble::unclosed_string},
    });
}

TEST_CASE("lexer: variables") {
    check({
        {"@a @`b c` @'d' @\"e\" @f.g", "@a|@`b c`|@'d'|@\"e\"|@f.g", "@@@@@"},
        {"@@x @@session.x @@GLOBAL.`x`", "@@x|@@session|.|x|@@GLOBAL|.|`x`", "$$.w$.q"},
        {"root@localhost", "root|@localhost", "w@"},
        {"`root`@`%`", "`root`|@`%`", "q@"},
        {"@", "@", "."},
        {"@x:=1", "@x|:=|1", "@.n"},
        {R"(@'a\'b' c)", R"(@'a\'b'|c)", "@w"},
    });
}

TEST_CASE("lexer: comments") {
    check({
        {"a -- b\nc", "a|c", "ww"},
        {"a --\nc", "a|c", "ww"},
        {"a --", "a", "w"},
        {"a --b", "a|-|-|b", "w..w"},
        {"a --\x01 b\nc", "a|c", "ww"},
        {"a # b\nc", "a|c", "ww"},
        {"a#b\nc", "a|c", "ww"},
        {"a/* b */c", "a|c", "ww"},
        {"a/**/c", "a|c", "ww"},
        {"a/***/c", "a|c", "ww"},
        {"a /* b /* c */ d */", "a|d|*|/", "ww.."},
        {"a /* ' */ b /* \" */", "a|b", "ww"},
        {"a /* b", "a", "w", {}, lexer_trouble::unclosed_comment},
        {"a /*", "a", "w", {}, lexer_trouble::unclosed_comment},
        {"a /*/", "a", "w", {}, lexer_trouble::unclosed_comment},
        {"select /*+ MAX_EXECUTION_TIME(5) */ 1", "select|/*+ MAX_EXECUTION_TIME(5) */|1", "whn"},
        {"select /*+ x", "select|/*+ x", "wh", {}, lexer_trouble::unclosed_comment},
        {"a */ b", "a|*|/|b", "w..w"},
    });
}

TEST_CASE("lexer: executable comments are code where the server runs them") {
    check({
        {"a /*! b */ c", "a|b|c", "www"},
        {"a /*!b*/c", "a|b|c", "www"},
        {"a /*!40101 b */ c", "a|b|c", "www"},
        {"a /*!50600b*/ c", "a|b|c", "www"},
        {"a /*! b /* x */ c */ d", "a|b|c|d", "wwww"},
        {"a /*! '*/' */ d", "a|'*/'|d", "wsw"},
        {"a /*! b", "a|b", "ww", {}, lexer_trouble::unclosed_comment},
        {"a /*!", "a", "w", {}, lexer_trouble::unclosed_comment},
        {"/*!123 a */", "123|a", "nw"},
        // Which servers run this one is not known without their version: read, and told.
        {"a /*!80000 b */ c", "a|b|c", "www", {}, lexer_trouble::uncertain_comment},
        {"a /*!80000 b */ c", "a|b|c", "www", mysql97},
        {"a /*!90700 b */ c", "a|b|c", "www", mysql97},
        {"a /*!90701 b */ c", "a|c", "ww", mysql97},
        {"a /*!99999 b /* x */ y */ c", "a|c", "ww", mysql97},
        {"a /*!080000 b */ c", "a|b|c", "www", mysql97},
        {"a /*!100000 b */ c", "a|c", "ww", mysql97},
        {"a /*!80000 b */ c", "a|c", "ww", mysql56},
        // Six digits: as seen on MySQL 9.7, 5.6 and MariaDB 10.11.
        {"a /*!090704+1*/ c", "a|4|+|1|c", "wn.nw", mysql97},
        {"a /*!999999+1*/ c", "a|c", "ww", mysql97},
        {"a /*!500001 b */ c", "a|1|b|c", "wnww", mysql56},
        {"a /*!080000 b */ c", "a|0|b|c", "wnww", mysql56},
        {"a /*!080000 b */ c", "a|0|b|c", "wnww", {.server_version = 80036}, lexer_trouble::uncertain_comment},
        {"a /*!080000 b */ c", "a|0|b|c", "wnww", {}, lexer_trouble::uncertain_comment},
        {"a /*!090700+1*/ c", "a|c", "ww", mariadb},
        {"a /*!9999 b */ c", "a|9999|b|c", "wnww", mysql97},
        {"a /*!99999 b", "a", "w", mysql97, lexer_trouble::unclosed_comment},
        // MariaDB skips what MySQL 5.7 and later mean for themselves, and has a mark of its own.
        {"a /*!50700 b */ c", "a|c", "ww", mariadb},
        {"a /*!50600 b */ c", "a|b|c", "www", mariadb},
        {"a /*!100100 b */ c", "a|b|c", "www", mariadb},
        {"a /*!110100 b */ c", "a|c", "ww", mariadb},
        {"a /*M! b */ c", "a|b|c", "www", mariadb},
        {"a /*M!100100 b */ c", "a|b|c", "www", mariadb},
        {"a /*m! b */ c", "a|c", "ww", mariadb},
        {"a /*M!50701 b */ c", "a|b|c", "www", mariadb},
        {"a /*M! b */ c", "a|c", "ww", mysql97},
        {"a /*M! b */ c", "a|b|c", "www", {}, lexer_trouble::uncertain_comment},
    });
}

TEST_CASE("lexer: trail bytes that look like quotes and backslashes") {
    check({
        {"'\xBF\x5C' a", "'\xBF\x5C'|a", "sw", gbk},
        {"'\xBF\x5C' a", "'\xBF\x5C' a", "s", {}, lexer_trouble::unclosed_string},
        {"'\x95\x5C' a", "'\x95\x5C'|a", "sw", sjis},
        {"'\x95\x5C' a", "'\x95\x5C'|a", "sw", cp932},
        {"'\xA5\x5C' a", "'\xA5\x5C'|a", "sw", big5},
        {"'\x81\x5C' a", "'\x81\x5C'|a", "sw", gb18030},
        {"'\x81\x30\x81\x30' a", "'\x81\x30\x81\x30'|a", "sw", gb18030},
        {"`\xBF\x60` a", "`\xBF\x60`|a", "qw", gbk},
        {"\xBF\x60 a", "\xBF\x60|a", "ww", gbk},
        // An invalid sequence is bytes: the quote behind a lone lead byte closes.
        {"'\xBF' a", "'\xBF'|a", "sw", gbk},
        {"'\x80\x5C' a'", "'\x80\x5C' a'", "s", gbk},
        {"'\xA0\x5C' a'", "'\xA0\x5C' a'", "s", sjis},
    });
}

TEST_CASE("lexer: text of names and strings") {
    const auto only = [](std::string_view text, const lexer_options& options) {
        lexer source(text, options);
        return source.next();
    };
    CHECK(identifier_text(only("abc", {}), {}) == "abc");
    CHECK(identifier_text(only("`a``b`", {}), {}) == "a`b");
    CHECK(identifier_text(only("``", {}), {}).empty());
    CHECK(identifier_text(only("`a", {}), {}) == "a");
    CHECK(identifier_text(only("`", {}), {}).empty());
    CHECK(identifier_text(only("\"a\"\"b`c\"", ansi), ansi) == "a\"b`c");
    CHECK(identifier_text(only("`\xBF\x60`", gbk), gbk) == "\xBF\x60");

    CHECK(string_text(only("'a''b'", {}), {}) == "a'b");
    CHECK(string_text(only(R"('\0\b\n\r\t\Z\\\'\"\x')", {}), {}) == std::string("\0\b\n\r\t\x1a\\'\"x", 10));
    CHECK(string_text(only(R"('a\%b\_c')", {}), {}) == R"(a\%b\_c)");
    CHECK(string_text(only(R"('a\n')", no_escapes), no_escapes) == R"(a\n)");
    CHECK(string_text(only("n'a'", {}), {}) == "a");
    CHECK(string_text(only("'a", {}), {}) == "a");
    CHECK(string_text(only("'\xBF\x5C'", gbk), gbk) == "\xBF\x5C");
    CHECK(string_text(only("\"a'b\"", {}), {}) == "a'b");
}

TEST_CASE("lexer: sql_mode") {
    const auto adopted = [](std::string_view mode) {
        lexer_options options{.ansi_quotes = true, .no_backslash_escapes = true};
        adopt_sql_mode(options, mode);
        return options;
    };
    CHECK_FALSE(adopted("").ansi_quotes);
    CHECK_FALSE(adopted("").no_backslash_escapes);
    CHECK(adopted("STRICT_TRANS_TABLES,ANSI_QUOTES").ansi_quotes);
    CHECK(adopted("ansi").ansi_quotes);
    CHECK(adopted("ORACLE,NO_ZERO_DATE").ansi_quotes);
    CHECK_FALSE(adopted("NO_ANSI_QUOTES_AT_ALL").ansi_quotes);
    CHECK(adopted("REAL_AS_FLOAT,NO_BACKSLASH_ESCAPES").no_backslash_escapes);
}

TEST_CASE("charset: from collation ids and names") {
    CHECK(multibyte_charset_of_collation(28) == multibyte_charset::gbk);
    CHECK(multibyte_charset_of_collation(87) == multibyte_charset::gbk);
    CHECK(multibyte_charset_of_collation(1) == multibyte_charset::big5);
    CHECK(multibyte_charset_of_collation(13) == multibyte_charset::sjis);
    CHECK(multibyte_charset_of_collation(95) == multibyte_charset::cp932);
    CHECK(multibyte_charset_of_collation(248) == multibyte_charset::gb18030);
    CHECK(multibyte_charset_of_collation(1052) == multibyte_charset::gbk);
    CHECK(multibyte_charset_of_collation(255) == multibyte_charset::none);
    CHECK(multibyte_charset_of_collation(8) == multibyte_charset::none);
    CHECK(multibyte_charset_of_name("GBK") == multibyte_charset::gbk);
    CHECK(multibyte_charset_of_name("sjis_japanese_ci") == multibyte_charset::sjis);
    CHECK(multibyte_charset_of_name("utf8mb4") == multibyte_charset::none);
    CHECK(multibyte_charset_of_name("") == multibyte_charset::none);
}
