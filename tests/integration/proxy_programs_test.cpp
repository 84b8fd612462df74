// The server's own client programs through the proxy.

#include "bench/throwaway/programs.hpp"
#include "tests/integration/ended_program.hpp"
#include "tests/integration/proxy_fixture.hpp"

namespace sluice::test {
namespace {

ended_program run_client(const std::string& program, std::vector<std::string> arguments) {
    throwaway::launch launch;
    launch.command = throwaway::client_command(program);
    launch.command.emplace_back("--host=127.0.0.1");
    launch.command.insert(launch.command.end(), arguments.begin(), arguments.end());
    return run_to_end(launch);
}

TEST_CASE("the mysql client logs in, asks, and reads all that it is told") {
    proxy::proxy_options options;
    options.answer_show = [](const sql::show_request&) {
        return proxy::show_answer{{"id", "state"}, {{"m1", "copy"}}, std::nullopt, std::nullopt};
    };
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    auto root = connect(shared_server(server_kind::mysql_9_7));
    root.exec("CREATE USER IF NOT EXISTS program@'%' IDENTIFIED BY 'secret'");
    root.exec("GRANT ALL ON test.* TO program@'%'");

    // Sluice's own public key, as an operator would hand it out: asked for by a client, kept in a file.
    const auto port = "--port=" + std::to_string(proxied.port());
    const std::vector<std::string> login{port, "--user=program", "--password=secret", "--batch", "test"};
    const auto with = [&](std::vector<std::string> more) {
        more.insert(more.begin(), login.begin(), login.end());
        return run_client("mysql", more);
    };
    root.exec("FLUSH PRIVILEGES");
    const auto refused = with({"--ssl-mode=DISABLED", "--execute=SELECT 1"});
    CHECK(refused.status != 0);  // the program's own caution: no key, no TLS
    CHECK_THAT(refused.output, Catch::Matchers::Contains("requires secure connection"));
    for (const char* state : {"cold", "warm"}) {
        INFO(state);
        const auto answered =
            with({"--get-server-public-key", "--execute=SELECT CURRENT_USER(); SHOW MIGRATIONS; SELECT 2"});
        INFO(answered.output);
        CHECK(answered.status == 0);
        CHECK_THAT(answered.output, Catch::Matchers::Contains("program@%"));
        CHECK_THAT(answered.output, Catch::Matchers::Contains("m1\tcopy"));
    }
    const auto required = with({"--ssl-mode=REQUIRED", "--execute=SELECT 1"});
    CHECK(required.status != 0);
    CHECK_THAT(required.output, Catch::Matchers::Contains("SSL"));
}

TEST_CASE("mysqldump and mysqlbinlog read through the proxy") {
    make_table(server_kind::mysql_9_7, "dumped", 5);
    const proxy_under_test proxied;
    const auto port = "--port=" + std::to_string(proxied.port());
    const auto dumped = run_client(
        "mysqldump", {port, "--user=root", "--set-gtid-purged=OFF", "--single-transaction", "test", "dumped"});
    INFO(dumped.output);
    CHECK(dumped.status == 0);
    CHECK_THAT(dumped.output, Catch::Matchers::Contains("(5,'row 5')"));

    auto root = connect(shared_server(server_kind::mysql_9_7));
    const auto file = root.query("SHOW BINARY LOGS").at(0).at(0).value();
    const auto read = run_client("mysqlbinlog", {port, "--user=root", "--read-from-remote-server", "--verbose", file});
    CHECK(read.status == 0);
    CHECK_THAT(read.output, Catch::Matchers::Contains("`test`.`dumped`"));
    CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 0; }));
}

}  // namespace
}  // namespace sluice::test
