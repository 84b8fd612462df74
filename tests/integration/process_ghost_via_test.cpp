// `sluice gh-ost --via`: the job is handed to a running Sluice.

#include "tests/integration/process_served.hpp"

#include <filesystem>

namespace {

using namespace sluice::test;

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("--via hands the job to a running Sluice and shows it in the same form", "[process][ghost]") {
    const auto server = mysql_server::start();
    fill(server, "t", 5000);
    served sluice(server);
    const std::string socket = (sluice.folder().path() / "gh.sock").string();
    const auto words = [&](std::vector<std::string> more) {
        std::vector<std::string> all{
            "gh-ost",    "--via=" + sluice.url(),        "--token-file=" + sluice.token_file(), "--database=test",
            "--table=t", "--serve-socket-file=" + socket};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    };
    const auto plan = run_sluice(words({"--alter=ADD COLUMN c INT"}));
    INFO(plan.out << plan.err);
    CHECK(plan.exit_code == 0);
    CHECK(holds(plan.out, "+ c int\n"));
    CHECK(sluice.run({"list"}).out == "no migrations\n");

    const auto done =
        run_sluice(words({"--alter=ADD COLUMN c INT", "--ok-to-drop-table", "--chunk-size=500", "--execute"}));
    INFO(done.out << done.err);
    REQUIRE(done.exit_code == 0);
    CHECK(holds(done.out, "# chunk-size: 500;"));
    CHECK(holds(done.out, "Copy: 5000/5000 100.0%; "));
    CHECK(holds(done.out, "streamer: binlog.0000"));
    CHECK(done.out.ends_with("# Done\n"));
    sql_connection direct = connect(server, "test");
    CHECK(direct.query("SHOW TABLES").size() == 1);
    CHECK(holds(sluice.run({"list"}).out, "completed"));

    const auto refused = run_sluice(words({"--alter=DROP COLUMN nope", "--execute"}));
    CHECK(refused.exit_code == 1);
    CHECK(holds(refused.err, "nope"));
}
