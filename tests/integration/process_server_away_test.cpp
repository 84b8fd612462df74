// A server that takes no writes for a while, as at the beginning of a switchover: what was copied is worth the wait.
// And one that says nothing at all, which is worth none when Sluice is to stop.

#include "tests/integration/process_served.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"

#include <csignal>
#include <string>

namespace {

using namespace sluice::test;

void take_writes(sql_connection& root, bool does) {
    root.exec(std::string("SET GLOBAL super_read_only = ") + (does ? "OFF" : "ON"));
    if (does) root.exec("SET GLOBAL read_only = OFF");
}

}  // namespace

TEST_CASE("a server that takes no writes for a while does not end a copy", "[process][server_away]") {
    const auto server = mysql_server::start();
    fill(server, "t", 20'000);
    sql_connection root = connect(server, "test");
    served sluice(server);
    const std::string id =
        sluice.begin({"--schema", "test", "--table", "t", "--alter", "ADD x INT NOT NULL DEFAULT 3",
                      "--chunk-rows-fixed", "10", "--copy-workers", "1", "--checkpoint-interval-s", "1"});
    wait_for_value(root, "SELECT report LIKE '%\"checkpoint\"%' FROM _sluice.migrations", "1");
    take_writes(root, false);
    sluice.wait_until(id, "that it waits", [](const boost::json::object& now) {
        return now.at("waiting_for").as_string().find("read") != std::string::npos;
    });
    take_writes(root, true);
    CHECK(sluice.run({"settings", id, "--chunk-rows-fixed", "0"}).exit_code == 0);
    const auto ended = sluice.wait_for(id, "completed");
    CHECK(ended.at("resumed").to_number<int>() >= 1);
    CHECK(root.scalar("SELECT CONCAT(COUNT(*), '/', SUM(x)) FROM t") == "20000/60000");
}

TEST_CASE("a dry run that waits for a silent server does not keep Sluice from stopping", "[process][server_away]") {
    auto server = mysql_server::start();
    fill(server, "t", 10);
    sql_connection root = connect(server, "test");
    sql_connection holder = connect(server, "test");
    holder.exec("LOCK TABLES t WRITE");
    served sluice(server);
    sluice_process asks({"migrate", "--schema", "test", "--table", "t", "--alter", "ADD x INT", "--dry-run"},
                        {"SLUICE_URL=" + sluice.url(), "SLUICE_TOKEN_FILE=" + sluice.token_file()});
    wait_for_value(root, "SELECT COUNT(*) > 0 FROM performance_schema.processlist WHERE user = '" +
                             std::string(sluice_user) + "' AND state = 'Waiting for table metadata lock'");
    server.suspend();  // in the midst of its statement
    sluice.process().signal(SIGTERM);
    const auto end = sluice.process().wait();
    CHECK(end.exit_code == 0);
    CHECK(end.err.find("connections are given up") != std::string::npos);
    CHECK(asks.wait().exit_code != 0);
    server.resume();
}
