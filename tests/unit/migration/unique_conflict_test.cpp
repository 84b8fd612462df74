// Which key a server speaks of when it refuses a row.

#include "migration/apply/unique_conflict.hpp"
#include "tests/support/catch.hpp"

#include <string>

using namespace sluice::migration;

namespace {

migration_plan plan_of(const std::string& ghost, const std::string& swap_ghost, const std::string& key) {
    migration_plan plan;
    plan.ghost = {"s", ghost};
    plan.swap_ghost = {"s", swap_ghost};
    for (const std::string& name : {std::string("PRIMARY"), std::string("u"), key}) {
        key_description described;
        described.name = name;
        described.unique = true;
        plan.ghost_description.keys.push_back(std::move(described));
    }
    return plan;
}

std::optional<std::string> key_in(const migration_plan& plan, const std::string& text) {
    failure why;
    why.code = "duplicate_entry";
    why.message = text;
    return duplicate_key_of(plan, why);
}

}  // namespace

TEST_CASE("the key of a duplicate is read whatever the names and the value are, with the table before it or without") {
    struct name_set {
        const char* ghost;
        const char* swap_ghost;
        const char* key;
    };
    const auto names = GENERATE(values<name_set>({
        {"_t_gho", "t~gho", "k"},
        {"_1.e5_gho", "1.e5~gho", "k"},
        {"_a.b.u_gho", "a.b.u~gho", "a.u"},
        {"_it's_gho", "it's~gho", "it's"},
        {"_.'_gho", ".'~gho", "'u'"},
        {"_T.1_gho", "T.1~gho", "u.u"},
    }));
    INFO(names.ghost << " " << names.key);
    const auto plan = plan_of(names.ghost, names.swap_ghost, names.key);
    const std::string value = GENERATE(as<std::string>{}, "7", "it's", "a.b", "' for key 'u", "_t_gho.u");
    for (const std::string key : {"PRIMARY", "u", names.key}) {
        const std::string before = "Duplicate entry '" + value + "' for key '";
        CHECK(key_in(plan, before + key + "'") == key);  // MySQL before 8.0.19, MariaDB
        CHECK(key_in(plan, before + names.ghost + "." + key + "'") == key);
        CHECK(key_in(plan, before + names.swap_ghost + "." + key + "'") == key);
        CHECK(key_in(plan, "Doppelter Eintrag '" + value + "' für Schlüssel '" + key + "'") == key);
    }
}

TEST_CASE("a table whose letters the server has folded, a key that is not known, and failures that speak of none") {
    const auto plan = plan_of("_T.1_gho", "T.1~gho", "k");
    CHECK(key_in(plan, "Duplicate entry '7' for key '_t.1_gho.PRIMARY'") == "PRIMARY");
    CHECK(key_in(plan, "Duplicate entry '7' for key 'other'") == "other");
    CHECK(key_in(plan, "Duplicate entry") == "");
    CHECK(key_in(plan, "'") == "");
    failure other;
    other.code = "deadlock";
    other.message = "for key 'u'";
    CHECK_FALSE(duplicate_key_of(plan, other));
}
