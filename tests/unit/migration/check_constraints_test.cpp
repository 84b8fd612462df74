// Names of CHECK constraints in the ghost, and what they become by the swap.

#include "migration/sql/check_constraints.hpp"
#include "protocol/sql/alter_rewriting.hpp"
#include "tests/support/catch.hpp"

using namespace sluice;
using namespace sluice::migration;

TEST_CASE("check constraints are read out of SHOW CREATE TABLE") {
    const auto checks = check_constraints_of(
        "CREATE TABLE `t` (\n  `id` int NOT NULL,\n  PRIMARY KEY (`id`),\n"
        "  CONSTRAINT `f` FOREIGN KEY (`id`) REFERENCES `p` (`id`),\n"
        "  CONSTRAINT `odd``name` CHECK ((`a` > 0)),\n"
        "  CONSTRAINT `t_chk_2` CHECK ((`a` <> _utf8mb4'x,')) /*!80016 NOT ENFORCED */\n) ENGINE=InnoDB");
    REQUIRE(checks.size() == 2);
    CHECK(checks[0].name == "odd`name");
    CHECK(checks[0].rule == "CHECK ((`a` > 0))");
    CHECK(checks[1].name == "t_chk_2");
    CHECK(checks[1].rule == "CHECK ((`a` <> _utf8mb4'x,')) /*!80016 NOT ENFORCED */");
}

TEST_CASE("names that the server gave follow the table; chosen ones get one beside, and change back") {
    const table_name original{"s", "t"};
    const table_name ghost{"s", "_t_gho"};
    const std::vector<check_constraint> checks{
        {"T_chk_7", "CHECK (1)"}, {"rule", "CHECK (1)"}, {"t_chk_x", "CHECK (1)"}};
    const auto names = ghost_check_names(checks, original, ghost, {"rule", "t_chk_7", "t_chk_x"});
    CHECK(names.at("t_chk_7") == "_t_gho_chk_7");
    CHECK(names.at("rule") == "rule_sluice");
    CHECK(names.at("t_chk_x") == "t_chk_x_sluice");
    CHECK(ghost_check_names({{"rule_sluice", "CHECK (1)"}}, original, ghost, {"rule_sluice"}).at("rule_sluice") ==
          "rule");
    CHECK(
        ghost_check_names({{"rule_sluice", "CHECK (1)"}}, original, ghost, {"rule_sluice", "rule"}).at("rule_sluice") ==
        "rule_sluice2");
    const std::string longest(64, 'x');
    const auto shortened = ghost_check_names({{longest, "CHECK (1)"}}, original, ghost, {}).at(longest);
    CHECK(shortened.size() == 64);
    CHECK(shortened.ends_with("x_sluice"));
}

TEST_CASE("an ALTER speaks of the ghost's constraints, where it names the original's") {
    const sql::constraint_names names{{"rule", "rule_sluice"}, {"t_chk_1", "_t_gho_chk_1"}};
    const auto rewritten = [&](std::string_view body) { return sql::with_constraint_names(body, names); };
    CHECK(rewritten("DROP CHECK `Rule`, ALTER CHECK t_chk_1 NOT ENFORCED") ==
          "DROP CHECK `rule_sluice`, ALTER CHECK `_t_gho_chk_1` NOT ENFORCED");
    CHECK(rewritten("DROP CONSTRAINT rule, ADD CONSTRAINT rule CHECK (a > 'DROP CHECK rule')") ==
          "DROP CONSTRAINT `rule_sluice`, ADD CONSTRAINT `rule_sluice` CHECK (a > 'DROP CHECK rule')");
    CHECK(rewritten("ADD c INT CONSTRAINT rule CHECK (c > 0)") == "ADD c INT CONSTRAINT `rule_sluice` CHECK (c > 0)");
    CHECK(rewritten("ADD CONSTRAINT rule UNIQUE (a)") == "ADD CONSTRAINT rule UNIQUE (a)");
    CHECK(rewritten("DROP COLUMN rule /* DROP CHECK rule */") == "DROP COLUMN rule /* DROP CHECK rule */");
}

TEST_CASE("ALGORITHM and LOCK are left out wherever they stand") {
    const auto left = [](std::string_view body) { return sql::without_algorithm_and_lock(body); };
    CHECK(left("ADD c INT") == "ADD c INT");
    CHECK(left("ALGORITHM=INPLACE, ADD c INT, LOCK = NONE") == "ADD c INT");
    CHECK(left("ADD c INT, ALGORITHM INPLACE, LOCK NONE, DROP d") == "ADD c INT, DROP d");
    CHECK(left("ALGORITHM=COPY, LOCK=SHARED").empty());
    CHECK(left("ADD `lock` INT COMMENT 'LOCK=NONE', ADD (algorithm INT, lock_ INT)") ==
          "ADD `lock` INT COMMENT 'LOCK=NONE', ADD (algorithm INT, lock_ INT)");
}
