// The load itself: its books are right, and false books show.

#include "bench/load/bookkeeping_load.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/mysql_server.hpp"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

load::endpoint as_app(const mysql_server& server) {
    return {.host = server.host(), .port = server.port(), .user = app_user, .password = app_password, .schema = "test"};
}

TEST_CASE("the load's books agree with the table, on every kind of server") {
    for (const auto kind : {server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11}) {
        INFO(throwaway::to_string(kind));
        auto server = start_server(kind);
        load::create_and_fill(as_app(server), "orders", 3'000);
        load::load_options options;
        options.target = as_app(server);
        options.filled_rows = 3'000;
        options.connections = 4;
        options.prepared_connections = 2;
        load::bookkeeping_load traffic(options);
        traffic.start("before");
        REQUIRE(traffic.wait_for_statements(1'500, 60s));
        traffic.phase("after");
        REQUIRE(traffic.wait_for_statements(1'500, 60s));
        traffic.stop();

        const auto report = traffic.report();
        for (const auto& message : report.first_errors) UNSCOPED_INFO(message);
        CHECK(report.errors == 0);
        CHECK(report.wrong_answers == 0);
        CHECK(report.reads > 0);
        CHECK(report.inserts > 0);
        CHECK(report.updates > 0);
        CHECK(report.deletes > 0);
        CHECK(report.committed > 0);
        CHECK(report.rolled_back > 0);
        REQUIRE(report.phases.size() == 2);
        for (const auto& phase : report.phases) {
            CHECK(phase.statements >= 1'400);
            CHECK(phase.p50_ms > 0);
            CHECK(phase.p50_ms <= phase.p99_ms);
            CHECK(phase.p99_ms <= phase.max_ms);
        }
        const auto outcome = load::verify(traffic.the_books(), as_app(server), "orders");
        for (const auto& difference : outcome.first_differences) UNSCOPED_INFO(difference);
        CHECK(outcome.equal());
        CHECK(outcome.rows_found == outcome.rows_expected);
        CHECK(outcome.rows_found == std::stoull(connect(server, "test").scalar("SELECT COUNT(*) FROM orders")));
    }
}

TEST_CASE("the load bears a table that changes its shape, at a given pace") {
    auto server = start_server(server_kind::mysql_9_7);
    load::create_and_fill(as_app(server), "orders", 1'000);
    load::load_options options;
    options.target = as_app(server);
    options.filled_rows = 1'000;
    options.connections = 3;
    options.prepared_connections = 1;
    options.statements_per_second = 600;
    load::bookkeeping_load traffic(options);
    const auto begin = std::chrono::steady_clock::now();
    traffic.start();
    REQUIRE(traffic.wait_for_statements(200, 60s));
    auto root = connect(server, "test");
    root.exec(
        "ALTER TABLE orders ADD COLUMN channel VARCHAR(20) NOT NULL DEFAULT 'web' FIRST, "
        "MODIFY note VARCHAR(400) NOT NULL, MODIFY amount DECIMAL(14,4) NOT NULL, ALGORITHM=COPY");
    REQUIRE(traffic.wait_for_statements(300, 60s));
    traffic.stop();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    CHECK(static_cast<double>(traffic.statements_so_far()) / took.count() < 700);
    CHECK(traffic.errors_so_far() == 0);
    CHECK(load::verify(traffic.the_books(), as_app(server), "orders").equal());
}

TEST_CASE("false books are found out") {
    auto server = start_server(server_kind::mysql_9_7);
    load::create_and_fill(as_app(server), "orders", 500);
    const auto where = as_app(server);
    using load::books;
    CHECK(load::verify(books(500), where, "orders").equal());

    struct falsification {
        const char* name;
        std::uint64_t id;
        load::maybe_row row;
    };
    auto other_amount = load::filled_row(7);
    other_amount.amount_cents += 1;
    auto other_moment = load::filled_row(500);
    other_moment.updated_at_us += 1;
    const falsification cases[] = {
        {"an amount", 7, other_amount},
        {"a microsecond, in the last row", 500, other_moment},
        {"the first row deleted", 1, std::nullopt},
        {"the last row deleted", 500, std::nullopt},
        {"a row too many", 900, load::filled_row(900)},
    };
    for (const auto& c : cases) {
        INFO(c.name);
        books expected(500);
        expected.set(c.id, c.row);
        const auto outcome = load::verify(expected, where, "orders");
        CHECK(outcome.differences == 1);
        REQUIRE(outcome.first_differences.size() == 1);
        CHECK_THAT(outcome.first_differences[0], Catch::Matchers::StartsWith("id " + std::to_string(c.id) + ":"));
    }
    CHECK(load::verify(books(499), where, "orders").differences == 1);
    CHECK(load::verify(books(501), where, "orders").differences == 1);

    SECTION("a table's own changes") {
        auto root = connect(server, "test");
        root.exec("DELETE FROM orders WHERE id IN (250, 500)");
        root.exec("UPDATE orders SET note = CONCAT(note, ' ') WHERE id = 3");
        CHECK(load::verify(books(500), where, "orders").differences == 3);
    }
    SECTION("a transaction in doubt may have happened or not, but not by halves") {
        auto root = connect(server, "test");
        books expected(500);
        expected.add({.before = {{2, load::filled_row(2)}, {600, std::nullopt}},
                      .after = {{2, std::nullopt}, {600, load::filled_row(600)}}});
        CHECK(load::verify(expected, where, "orders").equal());
        root.exec("DELETE FROM orders WHERE id = 2");
        CHECK(load::verify(expected, where, "orders").differences == 1);
        const auto row = load::texts(load::filled_row(600));
        root.exec("INSERT INTO orders VALUES (600, " + row[0] + ", '" + row[1] + "', " + row[2] + ", '" + row[3] +
                  "', '" + row[4] + "')");
        CHECK(load::verify(expected, where, "orders").equal());
    }
}

TEST_CASE("a server killed under load: errors are counted, and the books allow for what is unknown") {
    auto server = start_server(server_kind::mysql_9_7);
    load::create_and_fill(as_app(server), "orders", 2'000);
    load::load_options options;
    options.target = as_app(server);
    options.filled_rows = 2'000;
    load::bookkeeping_load traffic(options);
    traffic.start();
    REQUIRE(traffic.wait_for_statements(1'000, 60s));
    server.kill();
    server.restart();
    REQUIRE(traffic.wait_for_statements(1'000, 60s));
    traffic.stop();
    const auto report = traffic.report();
    CHECK(report.errors > 0);
    CHECK(report.reconnects > 0);
    CHECK(report.wrong_answers == 0);
    REQUIRE_FALSE(report.first_errors.empty());
    const auto outcome = load::verify(traffic.the_books(), as_app(server), "orders");
    for (const auto& difference : outcome.first_differences) UNSCOPED_INFO(difference);
    CHECK(outcome.equal());
}

TEST_CASE("percentiles are by nearest rank") {
    std::vector<std::uint32_t> latencies_us;
    for (std::uint32_t i = 100; i >= 1; --i) latencies_us.push_back(i * 1'000);
    const auto stats = load::summarise("all", latencies_us, 2.5);
    CHECK(stats.statements == 100);
    CHECK(stats.p50_ms == 50.0);
    CHECK(stats.p99_ms == 99.0);
    CHECK(stats.max_ms == 100.0);
    std::vector<std::uint32_t> none;
    CHECK(load::summarise("none", none, 1).statements == 0);
}

}  // namespace
}  // namespace sluice::test
