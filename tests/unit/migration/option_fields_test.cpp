#include "migration/model/option_fields.hpp"

#include "tests/support/catch.hpp"

#include <set>
#include <string>

namespace {

using namespace sluice::migration;

const option_field& field_of(std::string_view name) {
    const option_field* found = find_option_field(name);
    REQUIRE(found != nullptr);
    return *found;
}

}  // namespace

TEST_CASE("every option has a name of its own and ways to be read and written", "[option_fields]") {
    std::set<std::string_view> names;
    for (const option_field& field : option_fields()) {
        CAPTURE(field.name);
        CHECK(names.insert(field.name).second);
        CHECK_FALSE(field.help.empty());
        const bool is_text = field.kind == option_kind::text;
        CHECK((field.get_text != nullptr && field.set_text != nullptr && field.rule.holds != nullptr) == is_text);
        CHECK((field.get != nullptr && field.set != nullptr) != is_text);
        const migration_options defaults;
        if (!is_text) CHECK((field.get(defaults) >= field.min && field.get(defaults) <= field.max));
        CHECK(find_option_field(field.name) == &field);
    }
    CHECK(find_bad_value(migration_options{}) == nullptr);
    CHECK(find_option_field("no_such_option") == nullptr);
}

TEST_CASE("a time zone is an offset that exists, or a name", "[option_fields]") {
    const option_field& zone = field_of("time_zone");
    for (const char* good :
         {"", "+00:00", "-13:59", "+14:00", "+05:30", "Europe/Paris", "UTC", "Etc/GMT+5", "SYSTEM"}) {
        CAPTURE(good);
        CHECK(text_fits(zone, good));
    }
    for (const char* bad : {"+14:01", "-14:00", "+1:00", "+0100", "01:00 ", "+05:60", "+aa:00", "Europe/Paris'",
                            "Europe Paris", "a;b", "+"}) {
        CAPTURE(bad);
        CHECK_FALSE(text_fits(zone, bad));
    }
    CHECK(text_fits(zone, std::string(64, 'x')));
    CHECK_FALSE(text_fits(zone, std::string(65, 'x')));
}

TEST_CASE("a trigger suffix is what may end a name, counted in characters", "[option_fields]") {
    const option_field& suffix = field_of("trigger_suffix");
    std::string umlauts;
    for (int i = 0; i < 64; ++i) umlauts += "\xC3\xBC";
    for (const std::string& good : {std::string("_new"), std::string("`"), std::string("$1"), umlauts}) {
        CAPTURE(good);
        CHECK(text_fits(suffix, good));
    }
    for (const std::string& bad : {std::string("a "), std::string("a\0b", 3), std::string("\xFF"), umlauts + "x"}) {
        CAPTURE(bad);
        CHECK_FALSE(text_fits(suffix, bad));
    }
}

TEST_CASE("what is expected and what is there are said in words", "[option_fields]") {
    CHECK(expected_value(field_of("hold_budget_ms")) == "a whole number from 10 to 10000");
    CHECK(expected_value(field_of("verify")) == "true or false");
    CHECK(expected_value(field_of("time_zone")) ==
          "a text of up to 64 characters, an offset such as +02:00 or the name of a zone such as Europe/Paris");
    migration_options options;
    options.time_zone = "+02:00";
    CHECK(shown_value(field_of("time_zone"), options) == "+02:00");
    CHECK(shown_value(field_of("verify"), options) == "yes");
    CHECK(shown_value(field_of("drop_old_table"), options) == "no");
    CHECK(shown_value(field_of("hold_budget_ms"), options) == "500");
    CHECK_FALSE(same_value(field_of("time_zone"), options, migration_options{}));
}

TEST_CASE("a value that must not be is found, whatever its kind", "[option_fields]") {
    migration_options options;
    options.trigger_suffix = "x ";
    REQUIRE(find_bad_value(options) != nullptr);
    CHECK(find_bad_value(options)->name == "trigger_suffix");
    options = {};
    options.copy_workers = 0;
    REQUIRE(find_bad_value(options) != nullptr);
    CHECK(find_bad_value(options)->name == "copy_workers");
}
