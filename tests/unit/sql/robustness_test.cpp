// Whatever bytes come in: an answer, in bounded time, without a crash. Run under the sanitizers too.

#include <random>
#include <string>
#include <vector>

#include "protocol/sql/alter_statement.hpp"
#include "protocol/sql/classifier.hpp"
#include "protocol/sql/show_request.hpp"
#include "tests/support/catch.hpp"

namespace {

using namespace sluice::sql;

const std::vector<std::string> samples{
    "SELECT a.b, 'it''s \\' x', \"y\"\"z\", `q``r` FROM s.t JOIN u ON t.1x = .5e-3 WHERE x->>'$.a' <=> 0x1F",
    "INSERT INTO `t` (a, b) VALUES (1, b'01'), (x'ab', n'c'), (?, @v), (@@session.sql_mode, 1e5) -- end",
    "/*!50100 SELECT */ /*+ hint */ 1 /*M!100100 x */ # c\n; UPDATE t SET a = /* ; */ ';' ; CALL p()",
    "SET SESSION a = (1, 2), @@global.b := 'x', NAMES gbk COLLATE gbk_bin, @`c d` = 5, CHARACTER SET sjis",
    "PREPARE s FROM 'SELECT ''x'' FROM t'; EXECUTE s USING @a; DEALLOCATE PREPARE s",
    "CREATE DEFINER=`a`@`b` TRIGGER t BEFORE INSERT ON x FOR EACH ROW BEGIN SET @a = 1; END",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY; COMMIT AND CHAIN; ROLLBACK WORK TO SAVEPOINT x",
    "SHOW MIGRATIONS WHERE state = 'copying';",
    "SHOW MIGRATION '\\0\\n\\Z''abc'",
    "ALTER TABLE `s`.`t` ADD COLUMN (a INT, INDEX i ((lower(b)), c(5) DESC)), CHANGE x y ENUM('a,b') NOT NULL",
    "ADD CONSTRAINT f FOREIGN KEY k (a, b) REFERENCES s.p (x) ON DELETE CASCADE, DROP PRIMARY KEY, ENGINE=InnoDB "
    "COMMENT='x' ROW_FORMAT DYNAMIC, ORDER BY a, b DESC PARTITION BY RANGE (a) (PARTITION p VALUES LESS THAN (5))",
    "'\xBF\x5C' `\xBF\x60` \x81\x30\x81\x30 '\x95\x5C",
};

const std::vector<lexer_options> options{
    {},
    {.ansi_quotes = true, .server_version = 90700},
    {.no_backslash_escapes = true, .mariadb = true, .server_version = 101100},
    {.charset = multibyte_charset::gbk},
    {.charset = multibyte_charset::gb18030, .server_version = 50624},
    {.ansi_quotes = true, .charset = multibyte_charset::sjis},
    {.charset = multibyte_charset::big5},
};

void feed(std::string_view text) {
    for (const auto& one : options) {
        lexer source(text, one);
        std::size_t tokens = 0;
        std::size_t position = 0;
        for (auto next = source.next(); next.kind != token_kind::end; next = source.next()) {
            REQUIRE_FALSE(next.text.empty());
            REQUIRE(next.text.data() >= text.data());
            REQUIRE(next.text.data() + next.text.size() <= text.data() + text.size());
            REQUIRE(source.position() > position);
            position = source.position();
            if (next.kind == token_kind::string) REQUIRE(string_text(next, one).size() <= next.text.size());
            if (next.is_identifier()) REQUIRE(identifier_text(next, one).size() <= next.text.size());
            ++tokens;
        }
        REQUIRE(tokens <= text.size());
        REQUIRE(source.next().kind == token_kind::end);

        const auto footprint = classify(text, {.lexer = one});
        REQUIRE(footprint.names.size() <= names_max);
        REQUIRE(footprint.statements.size() <= statements_max);
        if (source.trouble() != lexer_trouble::none) REQUIRE(footprint.touches_anything);
        // A statement may be dismissed only if the thorough look agrees.
        if (dismissed(text, "orders", one) && footprint.trouble == lexer_trouble::none) {
            REQUIRE_FALSE(footprint.may_touch({"s", "orders"}, "", 1));
        }
        (void)cheap_kind(text, one);
        (void)read_own_statement(text, one);
        const auto altered = parse_alter(text, one);
        if (altered.has_error()) {
            REQUIRE_FALSE(altered.error().message.empty());
            REQUIRE(altered.error().offset <= text.size());
        } else {
            REQUIRE_FALSE(altered->clauses.empty());
        }
    }
}

}  // namespace

TEST_CASE("robustness: every prefix and every suffix of every sample") {
    for (const auto& sample : samples) {
        for (std::size_t i = 0; i <= sample.size(); ++i) {
            // Copies of exact size: the sanitizer sees a read beyond the end.
            const std::vector<char> prefix(sample.begin(), sample.begin() + static_cast<std::ptrdiff_t>(i));
            feed({prefix.data(), prefix.size()});
            const std::vector<char> suffix(sample.begin() + static_cast<std::ptrdiff_t>(i), sample.end());
            feed({suffix.data(), suffix.size()});
        }
    }
}

TEST_CASE("robustness: random bytes, random tokens, broken samples") {
    std::mt19937 random(20260101);
    const auto below = [&random](std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
    };
    const std::vector<std::string> pieces{
        "'",     "\"",         "`",       "\\",         "/*",        "*/",      "/*!",    "/*!50000", "/*M!",
        "/*+",   "--",         "-- ",     "#",          "\n",        ";",       ",",      "(",        ")",
        ".",     "@",          "@@",      ":=",         "=",         "0x",      "x'",     "b'",       "n'",
        "1",     "1e",         "e5",      "\xBF",       "\x5C",      "\x81",    "\x30",   " ",        "ADD",
        "DROP",  "COLUMN",     "KEY",     "SET",        "SELECT",    "FROM",    "WITH",   "ALTER",    "TABLE",
        "SHOW",  "MIGRATIONS", "PREPARE", "CONSTRAINT", "PRIMARY",   "CHANGE",  "RENAME", "TO",       "ORDER",
        "BY",    "PARTITION",  "IF",      "NOT",        "EXISTS",    "a",       "t",      "CREATE",   "TRIGGER",
        "BEGIN", "USE",        "ENGINE",  "DEFAULT",    "CHARACTER", "CONVERT", "INDEX",  "SERIAL",   "orders",
    };
    for (int round = 0; round < 3000; ++round) {
        std::string bytes(below(60), '\0');
        for (auto& byte : bytes) byte = static_cast<char>(below(256));
        feed(bytes);

        std::string tokens;
        for (std::size_t i = below(25); i > 0; --i) {
            tokens += pieces[below(pieces.size())];
            if (below(2) == 0) tokens += ' ';
        }
        feed(tokens);

        auto broken = samples[below(samples.size())];
        for (std::size_t i = 1 + below(4); i > 0; --i) broken[below(broken.size())] = static_cast<char>(below(256));
        feed(broken);
    }
}
