#include "proxy/main/serve/latency_adapter.hpp"
#include "proxy/main/serve/proxy_adapter.hpp"
#include "proxy/main/serve/switchboard.hpp"
#include "tests/support/catch.hpp"

using namespace sluice;

TEST_CASE("without an engine every call is answered with unavailable", "[switchboard]") {
    switchboard board;
    const auto created = board.create({});
    const auto listed = board.list();
    const auto found = board.find("0123");
    const auto commanded = board.command("0123", migration::operator_command::abort);
    REQUIRE(created.has_error());
    REQUIRE(listed.has_error());
    REQUIRE(found.has_error());
    REQUIRE(commanded.has_error());
    for (const auto* why : {&created.error(), &listed.error(), &found.error(), &commanded.error()}) {
        CHECK(why->code == "unavailable");
    }
    board.disconnect();
    CHECK(board.list().has_error());
}

TEST_CASE("without a proxy nothing is accepted and nobody is there", "[proxy_adapter]") {
    const proxy_adapter adapter;
    CHECK_FALSE(adapter.status().accepting);
    CHECK(adapter.sessions().empty());
}

TEST_CASE("answers and refusals take the proxy's form", "[proxy_adapter]") {
    const proxy::show_answer table = to_proxy_answer(result<admin::text_table, admin::show_refusal>(
        admin::text_table{.columns = {"a", "b"}, .rows = {{"1", std::nullopt}}}));
    CHECK_FALSE(table.error);
    CHECK(table.columns == std::vector<std::string>{"a", "b"});
    REQUIRE(table.rows.size() == 1);
    CHECK(table.rows[0] == std::vector<std::optional<std::string>>{"1", std::nullopt});
    const proxy::show_answer refused = to_proxy_answer(result<std::string, admin::show_refusal>(
        admin::show_refusal{.server_errno = 1105, .sqlstate = "HY000", .message = "no"}));
    REQUIRE(refused.error);
    CHECK(refused.error->number == 1105);
    CHECK(refused.error->sql_state == "HY000");
    CHECK(refused.error->message == "no");
}

TEST_CASE("clients' latencies reach the engine with their bounds, what is under way by its age", "[latency_adapter]") {
    proxy::statement_times times;
    times.answered.resize(session::latency_meter::buckets);
    times.answered[session::latency_meter::bucket_of(std::chrono::milliseconds(2))] = 7;
    times.under_way = {std::chrono::seconds(3), std::chrono::milliseconds(1)};
    const migration::latency_report report = to_report(times);
    REQUIRE(report.answered.size() == times.answered.size());
    for (const migration::latency_count& each : report.answered) {
        if (each.statements == 0) continue;
        CHECK(each.statements == 7);
        CHECK(each.up_to >= std::chrono::milliseconds(2));
        CHECK(each.up_to < std::chrono::microseconds(2'126));
    }
    REQUIRE(report.under_way.size() == 2);
    CHECK(report.under_way[0].up_to == std::chrono::milliseconds(1));
    CHECK(report.under_way[1].up_to == std::chrono::seconds(3));
    CHECK(report.under_way[1].statements == 1);
}
