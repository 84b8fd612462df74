// Triggers and foreign keys as values: names, bodies, statements.

#include "migration/relations/foreign_key.hpp"
#include "migration/relations/joined_gate.hpp"
#include "migration/relations/plan_relations.hpp"
#include "migration/relations/table_trigger.hpp"
#include "migration/sql/identifier.hpp"
#include "tests/support/catch.hpp"

using namespace sluice;
using namespace sluice::migration;

namespace {

table_trigger trigger_of(std::string statement, std::string sql_mode = "", std::string charset = "utf8mb4") {
    return {.name = "tr",
            .timing = "BEFORE",
            .event = "INSERT",
            .definer = "root@localhost",
            .statement = std::move(statement),
            .sql_mode = std::move(sql_mode),
            .charset_client = std::move(charset),
            .collation_connection = "utf8mb4_bin",
            .database_collation = "utf8mb4_bin"};
}

std::string body(const table_trigger& trigger, bool is_mariadb = false) {
    const auto found = body_of(trigger, is_mariadb);
    return found ? *found : found.error().code;
}

foreign_key key_named(std::string name, unsigned rules = delete_no_action | update_no_action) {
    return {.name = std::move(name),
            .child = {"s", "t"},
            .parent = {"s", "p`q"},
            .child_columns = {"a", "b"},
            .parent_columns = {"x", "y"},
            .rules = rules};
}

}  // namespace

TEST_CASE("a suffix is added, or taken away where the name ends with it and something is left") {
    CHECK(new_trigger_name("tr", "_new", false) == "tr_new");
    CHECK(new_trigger_name("tr_new", "_new", false) == "tr_new_new");
    CHECK(new_trigger_name("tr_new", "_new", true) == "tr");
    CHECK(new_trigger_name("tr", "_new", true) == "tr_new");
    CHECK(new_trigger_name("_new", "_new", true) == "_new_new");
    CHECK(new_trigger_name("ü", "ü", true) == "üü");
}

TEST_CASE("the body of a trigger is what stands behind FOR EACH ROW, byte for byte") {
    const std::string head = "CREATE DEFINER=`root`@`localhost` TRIGGER `tr` BEFORE INSERT ON `t` FOR EACH ROW";
    CHECK(body(trigger_of(head + "\n  SET @x = 1")) == "\n  SET @x = 1");
    CHECK(body(trigger_of("CREATE DEFINER=a@b trigger `FOR EACH ROW` before insert on `for each` for/**/each -- "
                          "row\nrow begin end")) == " begin end");
    CHECK(body(trigger_of(R"(CREATE TRIGGER "for each row x" AFTER DELETE ON "t" FOR EACH ROW SET @a = "b")",
                          "ANSI_QUOTES")) == R"( SET @a = "b")");
    CHECK(body(trigger_of(head + " FOLLOWS `other` SET @x = 1")) == " SET @x = 1");
    CHECK(body(trigger_of(head + " PRECEDES other BEGIN END")) == " BEGIN END");
    CHECK(body(trigger_of(head + " follows: BEGIN END")) == " follows: BEGIN END");
    // In gbk the second byte of 0xBF5C is no backslash.
    CHECK(body(trigger_of("CREATE TRIGGER `\xBF\x5C` BEFORE INSERT ON t FOR EACH ROW SET @x = '\xBF\x5C'", "",
                          "gbk")) == " SET @x = '\xBF\x5C'");
    CHECK(body(trigger_of("CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW  ")) == "trigger_unreadable");
    CHECK(body(trigger_of("CREATE TRIGGER tr BEFORE INSERT ON t")) == "trigger_unreadable");
    CHECK(body(trigger_of("")) == "trigger_unreadable");
}

TEST_CASE("the head of a trigger names definer, trigger and table, quoted") {
    auto trigger = trigger_of("");
    trigger.definer = "o`k@x@%";
    CHECK(trigger_head(trigger, "n`w", {"s", "_t_gho"}) ==
          "CREATE DEFINER=`o``k@x`@`%` TRIGGER `s`.`n``w` BEFORE INSERT ON `s`.`_t_gho` FOR EACH ROW");
    trigger.definer = "a_role";
    CHECK_THAT(trigger_head(trigger, "n", {"s", "g"}), Catch::Matchers::StartsWith("CREATE DEFINER=`a_role` TRIGGER"));
    CHECK(trigger_session_statement(trigger_of("", "ANSI_QUOTES", "latin1")) ==
          "SET SESSION character_set_client = 'latin1', collation_connection = 'utf8mb4_bin', sql_mode = "
          "'ANSI_QUOTES'");
}

TEST_CASE("names that InnoDB made are told from others, and follow the table") {
    CHECK(key_named("t_ibfk_1").has_generated_name());
    CHECK(key_named("t_ibfk_12").has_generated_name());
    for (const char* name : {"t_ibfk_", "t_ibfk_1a", "u_ibfk_1", "t_ibfk", "T_ibfk_1", "fk"}) {
        CHECK_FALSE(key_named(name).has_generated_name());
    }
    CHECK(generated_name_on(key_named("t_ibfk_12"), "_t_gho") == "_t_gho_ibfk_12");
}

TEST_CASE("a name for the meantime comes and goes, and is never longer than a name may be") {
    CHECK(passing_name("fk") == "_fk");
    CHECK(passing_name("_fk") == "fk");
    CHECK(passing_name("_") == "__");
    const std::string longest = std::string(62, 'x') + "üü";
    CHECK(character_count(passing_name(longest.substr(1))) == 64);
    CHECK(character_count(passing_name(longest)) == 64);
    CHECK(passing_name(longest) != longest);
    CHECK(passing_name(longest) == passing_name(longest));
}

TEST_CASE("statements about foreign keys have every rule, and are metadata only or refused") {
    CHECK(
        add_clause(key_named("fk")) ==
        "ADD CONSTRAINT `fk` FOREIGN KEY (`a`, `b`) REFERENCES `s`.`p``q` (`x`, `y`) ON DELETE NO ACTION ON UPDATE NO "
        "ACTION");
    CHECK(rules_text(key_named("fk", 0)) == "ON DELETE RESTRICT ON UPDATE RESTRICT");
    CHECK(rules_text(key_named("fk", delete_cascade | update_set_null)) == "ON DELETE CASCADE ON UPDATE SET NULL");
    CHECK(rules_text(key_named("fk", delete_set_null | update_cascade)) == "ON DELETE SET NULL ON UPDATE CASCADE");
    CHECK_FALSE(key_named("fk", delete_no_action).changes_child());
    for (const unsigned rule : {delete_cascade, delete_set_null, update_cascade, update_set_null}) {
        CHECK(key_named("fk", rule).changes_child());
    }
    CHECK(shown(key_named("fk", delete_cascade)) == "`fk` (`s`.`t` to `s`.`p``q`, ON DELETE CASCADE)");
    CHECK_THAT(add_unnamed_clause(key_named("fk"), "i"), Catch::Matchers::StartsWith("ADD FOREIGN KEY `i` (`a`, `b`)"));
    CHECK(alter_keys_statement({"s", "t"}, {drop_clause("x"), drop_clause("y")}) ==
          "ALTER TABLE `s`.`t` DROP FOREIGN KEY `x`, DROP FOREIGN KEY `y`, ALGORITHM=INPLACE");
}

TEST_CASE("an index serves a foreign key if it begins with its columns, whole and in their order") {
    table_description table;
    const auto add = [&](const char* name, std::vector<key_part> parts) {
        key_description key;
        key.name = name;
        key.parts = std::move(parts);
        table.keys.push_back(std::move(key));
    };
    add("prefix", {{"a", 10, false}, {"b", std::nullopt, false}});
    add("turned", {{"b", std::nullopt, false}, {"a", std::nullopt, false}});
    add("short", {{"a", std::nullopt, false}});
    CHECK(index_for(table, {"a", "b"}) == nullptr);
    add("longer", {{"A", std::nullopt, false}, {"b", std::nullopt, false}, {"c", std::nullopt, false}});
    REQUIRE(index_for(table, {"a", "b"}) != nullptr);
    CHECK(index_for(table, {"a", "b"})->name == "longer");
}

TEST_CASE("foreign keys that the ALTER drops are left out of the ghost's, and nothing else") {
    relations_plan plan;
    plan.found.own = {key_named("fk"), key_named("t_ibfk_1")};
    const auto rest = [&](const char* text) {
        const auto alter = sql::parse_alter(text);
        REQUIRE(alter);
        return body_without_foreign_keys(*alter, plan);
    };
    CHECK(rest("ADD COLUMN c INT, DROP INDEX fk") == "ADD COLUMN c INT, DROP INDEX fk");
    CHECK(rest("ADD COLUMN c INT, DROP FOREIGN KEY FK, DROP INDEX i") == "ADD COLUMN c INT, DROP INDEX i");
    CHECK(rest("DROP CONSTRAINT t_ibfk_1, DROP CONSTRAINT other") == "DROP CONSTRAINT other");
    CHECK(rest("DROP FOREIGN KEY fk").empty());
}

namespace {

struct scripted_gate final : table_gate {
    explicit scripted_gate(std::vector<std::string>& log, std::string name) : log_(log), name_(std::move(name)) {}
    std::vector<gate_blocker> blockers() override {
        return {{.connection_id = 7, .client = name_, .statement = {}, .age = std::chrono::milliseconds(5)}};
    }
    void close(std::chrono::steady_clock::time_point) override { log_.push_back("close " + name_); }
    bool wait_drained(std::chrono::steady_clock::time_point) override {
        log_.push_back("drain " + name_);
        return true;
    }
    std::vector<gate_blocker> old_snapshots() override { return blockers(); }
    bool seal(std::chrono::steady_clock::time_point) override {
        log_.push_back("seal " + name_);
        return true;
    }
    bool announce_swap(std::chrono::steady_clock::time_point) override {
        log_.push_back("announce " + name_);
        return true;
    }
    hold_report open(gate_opening why) override {
        log_.push_back((why == gate_opening::swapped ? "swapped " : "open ") + name_);
        return {.statements_held = 2,
                .hold_max = std::chrono::microseconds(name_ == "t" ? 5 : 9),
                .overflowed = 1,
                .old_snapshots = 3};
    }

    std::vector<std::string>& log_;
    std::string name_;
};

struct scripted_traffic final : traffic_gate {
    std::unique_ptr<table_gate> watch(const gated_table& table, const watch_rules&) override {
        if (table.table == "refused") return nullptr;
        return std::make_unique<scripted_gate>(log, table.table);
    }
    std::vector<std::string> log;
};

}  // namespace

TEST_CASE("joined gates close before any of them is drained, and report as one") {
    scripted_traffic traffic;
    CHECK(watch_tables(traffic, {{"s", "t"}, {"s", "refused"}}, {}) == nullptr);
    const auto gate = watch_tables(traffic, {{"s", "t"}, {"s", "p"}}, {});
    REQUIRE(gate != nullptr);
    CHECK(gate->blockers().size() == 1);
    CHECK(gate->old_snapshots().size() == 1);
    gate->close({});
    CHECK(gate->wait_drained({}));
    const auto report = gate->open(gate_opening::swapped);
    CHECK(report.statements_held == 4);
    CHECK(report.hold_max == std::chrono::microseconds(9));
    CHECK(report.overflowed == 2);
    CHECK(report.old_snapshots == 6);
    CHECK(traffic.log == std::vector<std::string>{"close t", "close p", "drain t", "drain p", "drain t", "drain p",
                                                  "seal t", "seal p", "swapped t", "swapped p"});
}

TEST_CASE("with the hold scope none no table is watched") {
    scripted_traffic traffic;
    const auto gate = watch_tables(traffic, {{"s", "refused"}}, {.scope = hold_scope::none, .ask_transactions = {}});
    REQUIRE(gate != nullptr);
    gate->close({});
    CHECK(gate->wait_drained({}));
    CHECK(gate->open(gate_opening::swapped).statements_held == 0);
    CHECK(traffic.log.empty());
}

TEST_CASE("a hold scope is one of three words, and table unless one is given") {
    CHECK(parse_hold_scope("") == hold_scope::table);
    CHECK(parse_hold_scope("table") == hold_scope::table);
    CHECK(parse_hold_scope("all") == hold_scope::all);
    CHECK(parse_hold_scope("none") == hold_scope::none);
    CHECK_FALSE(parse_hold_scope("All"));
}
