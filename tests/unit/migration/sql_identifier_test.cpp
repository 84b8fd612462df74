#include <set>
#include <string>
#include <vector>

#include "migration/sql/artefact_names.hpp"
#include "migration/sql/identifier.hpp"
#include "tests/support/catch.hpp"

using namespace sluice;
using namespace sluice::migration;

namespace {

std::string repeated(std::string_view piece, std::size_t times) {
    std::string text;
    while (times-- > 0) text += piece;
    return text;
}

}  // namespace

TEST_CASE("sql_identifier: quoting") {
    CHECK(quote_identifier("t") == "`t`");
    CHECK(quote_identifier("a`b") == "`a``b`");
    CHECK(quote_identifier("``") == "``````");
    CHECK(quote_identifier("select") == "`select`");
    CHECK(quote_identifier("a\"b'c\\d$e") == "`a\"b'c\\d$e`");
    CHECK(quote_identifier("déjà") == "`déjà`");
    CHECK(quote_table({"my db", "a`b"}) == "`my db`.`a``b`");
    CHECK_THROWS_AS(quote_identifier(""), assertion_failure);
    CHECK_THROWS_AS(quote_identifier(std::string_view("a\0b", 3)), assertion_failure);
    CHECK_THROWS_AS(quote_identifier(repeated("x", 65)), assertion_failure);
}

TEST_CASE("sql_identifier: a text is shortened between characters, never within one") {
    CHECK(shortened("", 3).empty());
    CHECK(shortened("abc", 3) == "abc");
    CHECK(shortened("abcd", 3) == "abc...");
    CHECK(shortened("äöü", 3) == "äöü");
    CHECK(shortened("äöüx", 3) == "äöü...");
    CHECK(shortened("🐬🐬🐬", 2) == "🐬🐬...");
    CHECK(shortened("abc", 0) == "...");
}

TEST_CASE("sql_identifier: what can be a name") {
    for (const auto& name : {std::string("t"), repeated("x", 64), repeated("é", 64), repeated("日", 64),
                             std::string("a b"), std::string(" a"), std::string("\xEF\xBF\xBD")}) {
        CAPTURE(name);
        CHECK(check_identifier(name).has_value());
    }
    struct sample {
        std::string name;
        std::string why;
    };
    const std::vector<sample> refused{
        {"", "empty"},
        {repeated("x", 65), "longer than 64"},
        {repeated("é", 65), "longer than 64"},
        {std::string("a\0b", 3), "NUL"},
        {"a ", "space"},
        {"\xF0\x9F\x98\x80", "U+FFFF"},
        {"\xFF", "UTF-8"},
        {"a\xC3", "UTF-8"},
        {"\xC0\x80", "UTF-8"},
        {"\xE0\x80\x80", "UTF-8"},
        {"\xED\xA0\x80", "UTF-8"},
        {"\xC3(", "UTF-8"},
    };
    for (const auto& one : refused) {
        CAPTURE(one.name);
        const auto checked = check_identifier(one.name);
        REQUIRE(checked.has_error());
        CHECK(checked.error().code == "bad_identifier");
        CHECK(checked.error().message.find(one.why) != std::string::npos);
    }
    CHECK(character_count("déjà") == 4);
    CHECK(character_count("\xFF\xFF") == 2);
}

TEST_CASE("sql_identifier: string literals mean the same under every sql_mode") {
    CHECK(quote_string("") == "''");
    CHECK(quote_string("it's") == "'it''s'");
    CHECK(quote_string("a\"b`c") == "'a\"b`c'");
    CHECK(quote_string("déjà") == "'déjà'");
    CHECK(quote_string("a\\") == "_utf8mb4 0x615C");
    CHECK(quote_string(std::string_view("\0", 1)) == "_utf8mb4 0x00");
    CHECK(quote_string("a\nb") == "_utf8mb4 0x610A62");
    CHECK(to_hex("\x01\xAB\xFF") == "01ABFF");
}

TEST_CASE("sql_artefact_names: names of the tables that a migration makes") {
    const auto names = artefact_names_of("orders");
    CHECK(names.ghost == "_orders_gho");
    CHECK(names.changelog == "_orders_ghc");
    CHECK(names.old_table == "_orders_del");
    CHECK(names.swap_ghost == "orders~gho");
    CHECK(names.swap_old == "orders~old");
    CHECK_FALSE(names.shortened);

    const auto longest = artefact_names_of(repeated("x", 59));
    CHECK_FALSE(longest.shortened);
    CHECK(longest.ghost == "_" + repeated("x", 59) + "_gho");
    CHECK(artefact_names_of(repeated("é", 59)).shortened == false);

    const auto shortened = artefact_names_of(repeated("x", 60));
    CHECK(shortened.shortened);
    CHECK(character_count(shortened.ghost) == 64);
    CHECK(shortened.ghost.starts_with("_" + repeated("x", 50) + "_"));
    CHECK(shortened.ghost.ends_with("_gho"));
    // Names of running migrations depend on it: the hash never changes.
    CHECK(artefact_names_of("a_table_with_a_name_so_long_that_its_ghost_would_not_fit_at_all").ghost ==
          "_a_table_with_a_name_so_long_that_its_ghost_would_n_8bff0fc2_gho");
}

TEST_CASE("sql_artefact_names: long names that begin alike stay apart") {
    std::set<std::string> all;
    for (int i = 0; i < 500; ++i) {
        auto number = std::to_string(i);
        number.insert(0, 4 - number.size(), '0');
        for (const auto& stem : {repeated("x", 60), repeated("日", 60)}) {
            const auto names = artefact_names_of(stem + number);
            for (const auto& name : {names.ghost, names.changelog, names.old_table, names.swap_ghost, names.swap_old}) {
                CHECK(check_identifier(name).has_value());
                CHECK(all.insert(name).second);
            }
        }
    }
}

TEST_CASE("sql_artefact_names: names of the swap sort behind the table, whatever it is called") {
    for (const std::string& table : {std::string("t"), std::string("Orders"), std::string("~"), std::string("_x"),
                                     repeated("z", 60), repeated("z", 61), repeated("~", 64), repeated("é", 64),
                                     "a" + repeated("日", 63), repeated("日", 40) + "b" + repeated("日", 23)}) {
        INFO(table);
        const auto names = artefact_names_of(table);
        for (const auto& name : {names.swap_ghost, names.swap_old}) {
            CHECK(check_identifier(name).has_value());
            CHECK(name > table);
            CHECK(character_count(name) <= 64);
        }
    }
}
