// There and back through the program: clients of the proxy write all the time, the table gets its new definition and
// its old one again, and the books say that no write was lost.

#include "bench/load/bookkeeping_load.hpp"
#include "proxy/main/client/progress_view.hpp"
#include "proxy/main/demo/served_sluice.hpp"
#include "tests/integration/whole/wait_for_state.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/mysql_server.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <string>

using namespace sluice;
using namespace sluice::test;

namespace {

namespace json = boost::json;

constexpr std::uint64_t filled_rows = 5'000;

std::string definition_of(sql_connection& root) {
    const std::string text = root.query("SHOW CREATE TABLE orders")[0][1].value_or("");
    const auto counter = text.find(" AUTO_INCREMENT=");
    return counter == std::string::npos ? text : text.substr(0, counter) + text.substr(text.find(' ', counter + 1));
}

}  // namespace

TEST_CASE("there and back under clients of the proxy: no error, and the books are equal") {
    const mysql_server server = start_server(server_kind::mysql_9_7);
    const load::endpoint direct{server.host(), server.port(), app_user, app_password, "test"};
    served_sluice sluice(SLUICE_PROGRAM, server.port());
    load::create_and_fill(direct, "orders", filled_rows);
    sql_connection root = connect(server, "test");
    const std::string definition_before = definition_of(root);

    load::load_options options;
    options.target = direct;
    options.target.port = sluice.port();
    options.filled_rows = filled_rows;
    options.connections = 8;
    options.prepared_connections = 4;
    options.transaction_statements_max = 5;
    options.statements_per_second = 400;
    load::bookkeeping_load traffic(options);
    traffic.start();

    auto made = sluice.admin().post(
        "/v1/migrations", json::serialize(json::object{
                              {"schema", "test"},
                              {"table", "orders"},
                              {"alter", "ADD COLUMN priority INT NOT NULL DEFAULT 7"},
                              {"options", json::object{{"keep_old_table_in_sync", true}, {"hold_interval_ms", 200}}}}));
    if (!made) FAIL(made.error().message);
    const std::string id = read_progress(*made)->id;
    const json::object in_sync = wait_for_state(sluice, id, "in_sync");
    CHECK(in_sync.at("way_back").as_object().at("open").as_bool());
    CHECK(root.scalar("SELECT COUNT(*) FROM information_schema.columns WHERE table_name = 'orders' AND column_name = "
                      "'priority'") == "1");
    REQUIRE(traffic.wait_for_statements(600, std::chrono::minutes(1)));

    auto told = sluice.admin().post("/v1/migrations/" + id + "/revert", "");
    if (!told) FAIL(told.error().message);
    const json::object reverted = wait_for_state(sluice, id, "reverted");
    INFO(json::serialize(reverted));
    CHECK(reverted.at("cutover_attempts").as_array().back().at("backwards").as_bool());
    CHECK(reverted.at("way_back").as_object().at("keys_applied").to_number<std::uint64_t>() > 0);
    REQUIRE(traffic.wait_for_statements(200, std::chrono::minutes(1)));
    traffic.stop();

    CHECK(definition_of(root) == definition_before);
    const auto report = traffic.report();
    for (const auto& message : report.first_errors) UNSCOPED_INFO(message);
    CHECK(report.errors == 0);
    CHECK(report.wrong_answers == 0);
    const auto books = load::verify(traffic.the_books(), direct, "orders");
    for (const auto& difference : books.first_differences) UNSCOPED_INFO(difference);
    CHECK(books.equal());
    CHECK(sluice.stop() == 0);
}
