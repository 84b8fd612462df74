#include "admin/show_answers.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/admin/directory_double.hpp"

#include <map>

namespace {

using namespace sluice;

sql::show_request all_migrations() {
    return {
        .subject = sql::show_subject::migrations, .id = {}, .like = std::nullopt, .state = std::nullopt, .command = {}};
}

test::directory_double three_migrations() {
    test::directory_double directory;
    const std::pair<const char*, migration::migration_state> all[] = {
        {"orders", migration::migration_state::copying},
        {"order_lines", migration::migration_state::failed},
        {"customers", migration::migration_state::completed},
    };
    int number = 0;
    for (const auto& [table, state] : all) {
        auto s = test::sample_snapshot();
        s.id = "id" + std::to_string(++number);
        s.spec.table.table = table;
        s.state = state;
        if (state == migration::migration_state::failed) s.error = migration::refuse("no_key", "there is no key");
        directory.add(s);
    }
    return directory;
}

std::vector<std::string> ids(const admin::text_table& table) {
    std::vector<std::string> found;
    for (const auto& row : table.rows) found.push_back(row.at(0).value());
    return found;
}

std::map<std::string, std::optional<std::string>> by_name(const admin::text_table& table) {
    std::map<std::string, std::optional<std::string>> values;
    for (const auto& row : table.rows) values[row.at(0).value()] = row.at(1);
    return values;
}

}  // namespace

TEST_CASE("LIKE matches as MySQL does", "[show_answers]") {
    struct row {
        const char* text;
        const char* pattern;
        bool matches;
    };
    const row rows[] = {
        {"", "", true},
        {"", "%", true},
        {"a", "", false},
        {"abc", "abc", true},
        {"abc", "ABC", true},
        {"abc", "a%", true},
        {"abc", "%c", true},
        {"abc", "%b%", true},
        {"abc", "a_c", true},
        {"abc", "a_", false},
        {"abc", "____", false},
        {"a_c", "a\\_c", true},
        {"abc", "a\\_c", false},
        {"a%c", "a\\%c", true},
        {"abc", "a\\%c", false},
        {"mississippi", "m%iss%ppi", true},
        {"mississippi", "m%isx%", false},
        {"abab", "%ab", true},
        {"a\\", "a\\", true},
        {"\xC3\xA9x", "_x", true},
    };
    for (const row& r : rows) {
        CAPTURE(r.text, r.pattern);
        CHECK(admin::like_matches(r.text, r.pattern) == r.matches);
    }
}

TEST_CASE("LIKE cannot be made to take for ever", "[show_answers]") {
    std::string pattern;
    for (int i = 0; i < 500; ++i) pattern += "%a";
    CHECK_FALSE(admin::like_matches(std::string(5000, 'a') + "b", pattern + "%c"));
}

TEST_CASE("SHOW MIGRATIONS lists, and LIKE and WHERE choose", "[show_answers]") {
    const auto directory = three_migrations();
    const test::proxy_double proxy;
    struct row {
        std::optional<std::string> like;
        std::optional<std::string> state;
        std::vector<std::string> ids;
    };
    const row rows[] = {
        {std::nullopt, std::nullopt, {"id1", "id2", "id3"}},
        {"shop.order%", std::nullopt, {"id1", "id2"}},
        {"order%", std::nullopt, {}},
        {std::nullopt, "completed", {"id3"}},
        {std::nullopt, "COPYING", {"id1"}},
        {std::nullopt, "ready", {}},
    };
    for (const row& r : rows) {
        CAPTURE(r.like.value_or("-"), r.state.value_or("-"));
        auto request = all_migrations();
        request.like = r.like;
        request.state = r.state;
        const auto answer = admin::answer_show(request, directory, proxy);
        REQUIRE(answer);
        CHECK(ids(*answer) == r.ids);
        for (const auto& line : answer->rows) CHECK(line.size() == answer->columns.size());
    }
    const auto answer = admin::answer_show(all_migrations(), directory, proxy);
    REQUIRE(answer);
    CHECK(answer->rows[0][3] == "copying");
    CHECK(answer->rows[0][4] == std::nullopt);  // the way is not decided
    CHECK(answer->rows[0][5] == "25.0");
    CHECK(answer->rows[0].back() == std::nullopt);
    CHECK(answer->rows[1].back() == "no_key: there is no key");
}

TEST_CASE("a state that does not exist is refused with those that do", "[show_answers]") {
    auto request = all_migrations();
    request.state = "done";
    const auto answer = admin::answer_show(request, three_migrations(), test::proxy_double());
    REQUIRE(answer.has_error());
    CHECK(answer.error().message.find("'done'") != std::string::npos);
    CHECK(answer.error().message.find("completed") != std::string::npos);
    CHECK(answer.error().sqlstate.size() == 5);
}

TEST_CASE("SHOW MIGRATION tells the way, and why others were not taken", "[show_answers]") {
    test::directory_double directory;
    auto s = test::sample_snapshot();
    s.way = migration::alter_way::inplace;
    s.passed_over.push_back({migration::alter_way::instant, "not supported (error 1845)"});
    directory.add(s);
    auto request = all_migrations();
    request.subject = sql::show_subject::migration;
    request.id = s.id;
    const auto answer = admin::answer_show(request, directory, test::proxy_double());
    REQUIRE(answer);
    bool way = false;
    bool reason = false;
    for (const auto& line : answer->rows) {
        way = way || (line[0] == "way" && line[1] == "inplace");
        reason = reason || (line[0] == "way_passed_over" && line[1] == "instant: not supported (error 1845)");
    }
    CHECK(way);
    CHECK(reason);
}

TEST_CASE("SHOW MIGRATION tells all about one, or that there is none", "[show_answers]") {
    test::directory_double directory;
    auto s = test::sample_snapshot();
    migration::cutover_attempt attempt;
    attempt.number = 2;
    attempt.succeeded = true;
    attempt.steps = {{"lock", std::chrono::microseconds(40)}, {"rename", std::chrono::microseconds(50)}};
    attempt.hold.hold_max = std::chrono::microseconds(1234);
    attempt.blockers = {{.connection_id = 5,
                         .client = "a@b:1",
                         .statement = "SELECT 1",
                         .age = std::chrono::milliseconds(9),
                         .in_transaction = true}};
    s.cutover_attempts = {attempt};
    s.leftovers = {"`a`.`b`", "`a`.`c`"};
    s.verification.passes = 1;
    s.verification.last_pass.rows_compared = 7;
    s.throttled_by = "client-latency p99=4.5ms >= 3.0ms (1.5ms without the copy)";
    s.lag = std::chrono::milliseconds(20);
    s.client_latency = std::chrono::microseconds(4'500);
    s.client_latency_baseline = std::chrono::microseconds(1'500);
    s.stream_file = "binlog.000003:4";
    directory.add(s);
    auto request = all_migrations();
    request.subject = sql::show_subject::migration;
    request.id = s.id;
    const auto answer = admin::answer_show(request, directory, test::proxy_double());
    REQUIRE(answer);
    CHECK(answer->columns == std::vector<std::string>{"name", "value"});
    const auto values = by_name(*answer);
    CHECK(values.at("alter") == "ADD COLUMN note VARCHAR(20)");
    CHECK(values.at("state") == "copying");
    CHECK(values.at("eta_s") == "8");
    CHECK(values.at("throttled_by") == "client-latency p99=4.5ms >= 3.0ms (1.5ms without the copy)");
    CHECK(values.at("lag_ms") == "20");
    CHECK(values.at("heartbeat_lag_ms") == std::nullopt);
    CHECK(values.at("client_latency_p99_us") == "4500");
    CHECK(values.at("client_latency_baseline_us") == "1500");
    CHECK(values.at("stream_file") == "binlog.000003:4");
    CHECK(values.at("option_max_client_latency_rise_percent") == "0");
    CHECK(values.at("ended") == std::nullopt);
    CHECK(values.at("verification") == "on");
    CHECK(values.at("verification_passes") == "1");
    CHECK(values.at("verification_rows_compared") == "7");
    CHECK(values.at("verification_last_pass_ended") == std::nullopt);
    CHECK(values.at("cutover_attempts_made") == "2");
    CHECK(values.at("last_attempt_succeeded") == "yes");
    CHECK(values.at("last_attempt_steps") == "lock 40 us, rename 50 us");
    CHECK(values.at("last_attempt_hold_max_us") == "1234");
    CHECK(values.at("last_attempt_blocker") ==
          "connection 5 of a@b:1 has had a transaction open for 9 ms; last statement: SELECT 1");
    CHECK(values.at("leftover") == "`a`.`c`");
    CHECK(values.at("option_hold_budget_ms") == "500");
    CHECK(values.at("option_postpone_cutover") == "no");

    request.id = "nothing";
    const auto none = admin::answer_show(request, directory, test::proxy_double());
    REQUIRE(none.has_error());
    CHECK(none.error().message.find("`nothing`") != std::string::npos);
}

TEST_CASE("while the engine is away, that is the answer", "[show_answers]") {
    test::directory_double directory;
    directory.refusal = migration::refuse("unavailable", "starting");
    for (const auto subject : {sql::show_subject::migrations, sql::show_subject::migration}) {
        auto request = all_migrations();
        request.subject = subject;
        const auto answer = admin::answer_show(request, directory, test::proxy_double());
        REQUIRE(answer.has_error());
        CHECK(answer.error().message == "Sluice: starting");
    }
    auto request = all_migrations();
    request.subject = sql::show_subject::proxy_status;
    CHECK(admin::answer_show(request, directory, test::proxy_double()).has_value());
}

TEST_CASE("SHOW PROXY STATUS and SESSIONS show what the proxy says", "[show_answers]") {
    const auto directory = three_migrations();
    test::proxy_double proxy;
    proxy.open = {{.connection_id = 11,
                   .user = "app",
                   .client = "10.0.0.1:4000",
                   .schema = "",
                   .state = "held",
                   .in_transaction = false,
                   .statements = 21,
                   .age = std::chrono::milliseconds(1500)}};
    auto request = all_migrations();
    request.subject = sql::show_subject::proxy_status;
    const auto status = admin::answer_show(request, directory, proxy);
    REQUIRE(status);
    const auto values = by_name(*status);
    CHECK(values.at("accepting") == "yes");
    CHECK(values.at("sessions") == "3");
    CHECK(values.at("statements_held_total") == "6");
    CHECK(values.at("migrations_running") == "1");
    request.subject = sql::show_subject::proxy_sessions;
    const auto sessions = admin::answer_show(request, directory, proxy);
    REQUIRE(sessions);
    REQUIRE(sessions->rows.size() == 1);
    CHECK(sessions->rows[0] == std::vector<std::optional<std::string>>{"11", "app", "10.0.0.1:4000", std::nullopt,
                                                                       "held", "no", "21", "1500"});
    CHECK(sessions->columns.size() == sessions->rows[0].size());
}
