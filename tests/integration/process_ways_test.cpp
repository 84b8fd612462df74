// Which way a table is altered, and a dry run, as an operator sees them.

#include "tests/integration/process_served.hpp"
#include "tests/support/catch.hpp"

namespace {

using namespace sluice::test;

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a dry run prints a plan and changes nothing; a refusal is its message and 1", "[process]") {
    const auto server = mysql_server::start();
    fill(server, "t", 1000);
    served sluice(server);
    sql_connection direct = connect(server, "test");
    const auto before = direct.query("SHOW CREATE TABLE t");
    const std::vector<std::string> base{"migrate", "--schema", "test", "--table", "t", "--alter"};
    const auto dry = [&](const std::string& alter, std::vector<std::string> more = {}) {
        std::vector<std::string> all = base;
        all.push_back(alter);
        all.emplace_back("--dry-run");
        all.insert(all.end(), more.begin(), more.end());
        return sluice.run(all);
    };

    const auto plan = dry("ADD COLUMN note INT NOT NULL DEFAULT 7");
    INFO(plan.out << plan.err);
    REQUIRE(plan.exit_code == 0);
    for (const char* part :
         {"way         copy\n", "instant: possible, but not agreed to (set attempt_instant)\n",
          "key         PRIMARY (id)\n", "+ note int\n", "estimate    copy about", "Nothing was changed.\n"}) {
        CAPTURE(part);
        CHECK(holds(plan.out, part));
    }
    const auto instant = dry("ADD COLUMN note INT", {"--attempt-instant", "--json"});
    REQUIRE(instant.exit_code == 0);
    CHECK(boost::json::parse(instant.out).at("way") == "instant");

    const auto refused = dry("DROP COLUMN nope");
    CHECK(refused.exit_code == 1);
    CHECK(refused.out.empty());
    CHECK(holds(refused.err, "nope"));
    CHECK(sluice.run({"list"}).out == "no migrations\n");
    CHECK(direct.query("SHOW CREATE TABLE t") == before);
    CHECK(direct.query("SHOW TABLES").size() == 1);
}

TEST_CASE("the way that was taken is told everywhere", "[process]") {
    const auto server = mysql_server::start();
    fill(server, "t", 1000);
    served sluice(server);
    const auto done = sluice.run({"migrate", "--schema", "test", "--table", "t", "--alter", "COMMENT 'new'",
                                  "--attempt-instant", "--attempt-inplace", "--wait"});
    INFO(done.out << done.err);
    REQUIRE(done.exit_code == 0);
    CHECK(holds(done.out, "completed: test.t, altered by the server itself (inplace)\n"));
    CHECK(holds(done.out, "not instant: "));
    const std::string id = done.out.substr(10, 16);
    CHECK(sluice.show(id).at("way") == "inplace");
    CHECK(holds(sluice.run({"show", id}).out, "instant: ALGORITHM=INSTANT is not supported"));
    CHECK(holds(sluice.run({"list"}).out, "inplace"));
    sql_connection client = sluice.client();
    bool told = false;
    for (const auto& field : client.query("SHOW MIGRATION '" + id + "'")) {
        told = told || (field[0] == "way" && field[1] == "inplace");
    }
    CHECK(told);
}
