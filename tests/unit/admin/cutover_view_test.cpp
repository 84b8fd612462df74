#include "admin/cutover_view.hpp"
#include "admin/command_answers.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/admin/directory_double.hpp"

#include <map>

using namespace sluice;

namespace {

migration::gate_blocker blocker(std::uint64_t id) {
    migration::gate_blocker made;
    made.connection_id = id;
    made.client = "app@10.0.0.7";
    made.statement = "UPDATE t SET v = 1";
    made.age = std::chrono::milliseconds(31'000);
    made.in_transaction = true;
    made.direct = true;
    return made;
}

std::map<std::string, std::optional<std::string>> named(const admin::text_table& table, std::size_t row) {
    REQUIRE(table.rows.size() > row);
    REQUIRE(table.rows[row].size() == table.columns.size());
    std::map<std::string, std::optional<std::string>> values;
    for (std::size_t i = 0; i < table.columns.size(); ++i) values[table.columns[i]] = table.rows[row][i];
    return values;
}

sql::migration_command command(sql::migration_verb verb) {
    return {.verb = verb, .id = "0123456789abcdef", .settings = {}};
}

}  // namespace

TEST_CASE("each attempt to cut over is a row, with whom it met and who was killed for it", "[cutover_view]") {
    auto s = test::sample_snapshot();
    migration::cutover_attempt failed;
    failed.number = 1;
    failed.began = s.created;
    failed.given_up_because = "statements or transactions on the table did not end in time";
    failed.steps = {{"close", std::chrono::microseconds(80)}, {"drain", std::chrono::microseconds(333'401)}};
    failed.hold.statements_held = 14;
    failed.hold.hold_p50 = std::chrono::microseconds(900);
    failed.hold.hold_p99 = std::chrono::microseconds(61'000);
    failed.hold.hold_max = std::chrono::microseconds(61'200);
    failed.hold.overflowed = 3;
    failed.blockers = {blocker(12), blocker(13)};
    migration::cutover_attempt done;
    done.number = 2;
    done.succeeded = true;
    s.cutover_attempts = {failed, done};
    s.blocker_kills = {{.at = s.created, .before_attempt = 2, .blocker = blocker(12), .error = {}},
                       {.at = s.created, .before_attempt = 2, .blocker = blocker(13), .error = "no right"}};
    const auto table = admin::cutovers_table(s);
    REQUIRE(table.rows.size() == 2);
    const auto first = named(table, 0);
    CHECK(first.at("attempt") == "1");
    CHECK(first.at("began") == "2023-11-14T22:13:20.123Z");
    CHECK(first.at("succeeded") == "no");
    CHECK(first.at("given_up_because") == failed.given_up_because);
    CHECK(first.at("hold_p99_us") == "61000");
    CHECK(first.at("overflowed") == "3");
    CHECK(first.at("steps") == "close 80 us, drain 333401 us");
    CHECK(first.at("kills") == std::nullopt);
    const std::string of_12 =
        "connection 12 of app@10.0.0.7 (directly, not through the proxy) has had a transaction open for 31 s; last "
        "statement: UPDATE t SET v = 1";
    CHECK(first.at("blockers")->find(of_12 + "; connection 13") == 0);
    const auto second = named(table, 1);
    CHECK(second.at("given_up_because") == std::nullopt);
    CHECK(second.at("blockers") == std::nullopt);
    CHECK(second.at("kills")->find("killed at 2023-11-14T22:13:20.123Z: " + of_12 + "; not killed at ") == 0);
    CHECK(second.at("kills")->ends_with("(no right)"));
}

TEST_CASE("a command by SQL does what the HTTP API's does", "[cutover_view]") {
    using sql::migration_verb;
    test::directory_double directory;
    directory.add(test::sample_snapshot());
    const std::pair<migration_verb, migration::operator_command> all[] = {
        {migration_verb::cut_over, migration::operator_command::cut_over},
        {migration_verb::postpone, migration::operator_command::postpone},
        {migration_verb::pause, migration::operator_command::pause},
        {migration_verb::resume, migration::operator_command::resume},
        {migration_verb::abort, migration::operator_command::abort},
        {migration_verb::revert, migration::operator_command::revert},
        {migration_verb::finish, migration::operator_command::finish}};
    for (const auto& [verb, wanted] : all) {
        const auto answer = admin::answer_command(command(verb), directory);
        REQUIRE(answer.has_value());
        CHECK(*answer == "migration 0123456789abcdef is copying");
        CHECK(directory.commands.back().second == wanted);
    }
    directory.refusal = migration::refuse("wrong_state", "it is completed");
    const auto refused = admin::answer_command(command(migration_verb::abort), directory);
    REQUIRE(refused.has_error());
    CHECK(refused.error().message == "Sluice: it is completed");
}

TEST_CASE("options changed by SQL are looked at like those of the HTTP API", "[cutover_view]") {
    test::directory_double directory;
    directory.add(test::sample_snapshot());
    using kind = sql::migration_setting::value_kind;
    const auto answer = [&](const sql::migration_setting& setting) {
        auto wanted = command(sql::migration_verb::alter);
        wanted.settings = {setting};
        return admin::answer_command(wanted, directory);
    };
    CHECK(answer({"hold_budget_ms", kind::number, "250"}).has_value());
    CHECK(answer({"cutover_window", kind::text, "Mon 02:00-03:00"}).has_value());
    CHECK(answer({"postpone_cutover", kind::flag, "true"}).has_value());
    REQUIRE(directory.changes.size() == 3);
    CHECK(directory.changes[0].second.values.hold_budget == std::chrono::milliseconds(250));
    CHECK(directory.changes[2].second.values.postpone_cutover);
    for (const sql::migration_setting& bad : {sql::migration_setting{"hold_budget_ms", kind::number, "5"},
                                              sql::migration_setting{"hold_budget_ms", kind::number, "250.5"},
                                              sql::migration_setting{"hold_budget_ms", kind::text, "250"},
                                              sql::migration_setting{"hold_budget", kind::number, "250"},
                                              sql::migration_setting{"postpone_cutover", kind::number, "1"}}) {
        CAPTURE(bad.option, bad.value);
        const auto refused = answer(bad);
        REQUIRE(refused.has_error());
        CHECK(refused.error().message.find(bad.option) != std::string::npos);
    }
    CHECK(directory.changes.size() == 3);
}
