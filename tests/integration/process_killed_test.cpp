// A Sluice that is killed leaves the table as it was, and the next one finishes the work.

#include "tests/integration/process_served.hpp"
#include "tests/support/catch.hpp"

#include <csignal>

namespace {

using namespace sluice::test;

constexpr const char* artefacts =
    "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'test' AND table_name IN ('_t_gho', '_t_ghc')";

}  // namespace

TEST_CASE("killed while it copies: the table is as it was, and the next start goes on", "[process]") {
    const auto server = mysql_server::start();
    fill(server, "t", 20'000);
    sql_connection direct = connect(server, "test");
    const std::string checksum = "SELECT CONCAT(COUNT(*), '/', SUM(CRC32(CONCAT(id, v)))) FROM t";
    const std::string before = direct.scalar(checksum);
    std::string id;
    {
        served first(server);
        // Chunks of ten rows: long enough under way to be met at it.
        id = first.begin({"--schema", "test", "--table", "t", "--alter", "ADD x INT NOT NULL DEFAULT 3",
                          "--chunk-rows-fixed", "10", "--copy-workers", "1"});
        first.wait_until(id, "copied rows",
                         [](const boost::json::object& now) { return now.at("rows_copied").to_number<int>() != 0; });
        first.process().signal(SIGKILL);
        CHECK(first.process().wait().exit_code == 128 + SIGKILL);
    }
    CHECK(direct.scalar(checksum) == before);
    CHECK(direct.error_of("SELECT x FROM t LIMIT 1") == 1054);
    CHECK(direct.scalar(artefacts) == "2");

    served second(server);
    const auto end = second.run({"watch", id});
    INFO(end.out << end.err);
    CHECK(end.exit_code == 0);
    CHECK(direct.scalar(checksum) == before);
    CHECK(direct.scalar("SELECT SUM(x) FROM t") == "60000");
    CHECK(direct.scalar(artefacts) == "0");
}
