#include "protocol/sql/migration_command.hpp"

#include "protocol/sql/show_request.hpp"
#include "tests/support/catch.hpp"

#include <string>

using namespace sluice::sql;

TEST_CASE("migration_command: verbs of operators") {
    struct row {
        const char* text;
        migration_verb verb;
    };
    for (const row& r :
         {row{"CUT OVER MIGRATION 'a1b2'", migration_verb::cut_over},
          row{"/* now */ cut over\nmigration \"a1b2\" ;", migration_verb::cut_over},
          row{"POSTPONE MIGRATION 'a1b2'", migration_verb::postpone},
          row{"Pause Migration 'a1b2'", migration_verb::pause},
          row{"RESUME MIGRATION 'a1b2' -- go on", migration_verb::resume},
          row{"ABORT MIGRATION 'a1b2'", migration_verb::abort}, row{"REVERT MIGRATION 'a1b2'", migration_verb::revert},
          row{"FINISH MIGRATION 'a1b2'", migration_verb::finish}}) {
        CAPTURE(r.text);
        const auto command = read_migration_command(r.text);
        REQUIRE(command);
        CHECK(command->verb == r.verb);
        CHECK(command->id == "a1b2");
        CHECK(command->settings.empty());
        const auto request = read_own_statement(r.text);
        REQUIRE(request);
        CHECK(request->subject == show_subject::command);
        CHECK(request->command.id == "a1b2");
    }
}

TEST_CASE("migration_command: settings with their values as written") {
    const auto command = read_migration_command(
        "ALTER MIGRATION 'x' SET hold_budget_ms = 250, `cutover_window`='Mon 02:00-03:00, Tue 01:00-02:00',"
        " postpone_cutover = off, drop_old_table = TRUE, hold_interval_ms = 1.5");
    REQUIRE(command);
    CHECK(command->verb == migration_verb::alter);
    REQUIRE(command->settings.size() == 5);
    using kind = migration_setting::value_kind;
    CHECK(command->settings[0].option == "hold_budget_ms");
    CHECK(command->settings[0].kind == kind::number);
    CHECK(command->settings[0].value == "250");
    CHECK(command->settings[1].option == "cutover_window");
    CHECK(command->settings[1].kind == kind::text);
    CHECK(command->settings[1].value == "Mon 02:00-03:00, Tue 01:00-02:00");
    CHECK(command->settings[2].kind == kind::flag);
    CHECK(command->settings[2].value == "false");
    CHECK(command->settings[3].value == "true");
    CHECK(command->settings[4].value == "1.5");
}

TEST_CASE("migration_command: everything else goes to the server") {
    for (const char* text : {"",
                             "CUT",
                             "CUT OVER",
                             "CUT MIGRATION 'x'",
                             "CUT OVER MIGRATION",
                             "CUT OVER MIGRATION x",
                             "CUT OVER MIGRATION 5",
                             "CUT OVER MIGRATION 'x' 'y'",
                             "CUT OVER MIGRATION 'x'; SELECT 1",
                             "CUT OVER MIGRATION 'unclosed",
                             "CUT OVER MIGRATION 'x' /* unclosed",
                             "CUT OVER TABLE 'x'",
                             "ABORT 'x'",
                             "ALTER MIGRATION 'x'",
                             "ALTER MIGRATION 'x' SET",
                             "ALTER MIGRATION 'x' SET a",
                             "ALTER MIGRATION 'x' SET a =",
                             "ALTER MIGRATION 'x' SET a = b",
                             "ALTER MIGRATION 'x' SET a = 1,",
                             "ALTER MIGRATION 'x' SET a = 1 b = 2",
                             "ALTER MIGRATION 'x' a = 1",
                             "ALTER TABLE migration ADD COLUMN x INT",
                             "ALTER TABLE t SET x = 1",
                             "`CUT` OVER MIGRATION 'x'",
                             "SELECT 1"}) {
        CAPTURE(text);
        CHECK_FALSE(read_migration_command(text));
        CHECK_FALSE(read_own_statement(text));
    }
}

TEST_CASE("migration_command: the report of the attempts is a SHOW") {
    const auto request = read_own_statement("SHOW MIGRATION CUTOVERS 'a1b2'");
    REQUIRE(request);
    CHECK(request->subject == show_subject::cutovers);
    CHECK(request->id == "a1b2");
    CHECK_FALSE(read_own_statement("SHOW MIGRATION CUTOVERS"));
    CHECK_FALSE(read_own_statement("SHOW CUTOVERS 'a1b2'"));
}
