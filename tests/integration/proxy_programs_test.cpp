// The server's own client programs through the proxy.

#include "bench/throwaway/programs.hpp"
#include "tests/integration/ended_program.hpp"
#include "tests/integration/proxy_fixture.hpp"

#include <filesystem>

namespace sluice::test {
namespace {

namespace fs = std::filesystem;

// A program beside the server's, in its tree, if there is one.
std::optional<fs::path> client_program(const std::string& name) {
    const auto program = throwaway::cache_folder() / "mysql-9.7/usr/bin" / name;
    if (!fs::exists(program)) return std::nullopt;
    return program;
}

ended_program run_client(const fs::path& program, std::vector<std::string> arguments) {
    const auto tree = throwaway::cache_folder() / "mysql-9.7";
    throwaway::launch launch;
    launch.command = {tree / "usr/lib64/ld-linux-x86-64.so.2",
                      "--library-path",
                      tree / "usr/lib/x86_64-linux-gnu",
                      program,
                      "--no-defaults",
                      "--host=127.0.0.1"};
    launch.command.insert(launch.command.end(), arguments.begin(), arguments.end());
    return run_to_end(launch);
}

TEST_CASE("the mysql client logs in, asks, and reads all that it is told") {
    const auto mysql = client_program("mysql");
    if (!mysql) {
        FAIL("no mysql client of 9.7: scripts/setup brings it");
    }
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
        return run_client(*mysql, more);
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
    const auto dump = client_program("mysqldump");
    const auto binlog = client_program("mysqlbinlog");
    if (!dump || !binlog) {
        FAIL("no client programs of 9.7: scripts/setup brings it");
    }
    make_table(server_kind::mysql_9_7, "dumped", 5);
    const proxy_under_test proxied;
    const auto port = "--port=" + std::to_string(proxied.port());
    const auto dumped =
        run_client(*dump, {port, "--user=root", "--set-gtid-purged=OFF", "--single-transaction", "test", "dumped"});
    INFO(dumped.output);
    CHECK(dumped.status == 0);
    CHECK_THAT(dumped.output, Catch::Matchers::Contains("(5,'row 5')"));

    auto root = connect(shared_server(server_kind::mysql_9_7));
    const auto file = root.query("SHOW BINARY LOGS").at(0).at(0).value();
    const auto read = run_client(*binlog, {port, "--user=root", "--read-from-remote-server", "--verbose", file});
    CHECK(read.status == 0);
    CHECK_THAT(read.output, Catch::Matchers::Contains("`test`.`dumped`"));
    CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 0; }));
}

}  // namespace
}  // namespace sluice::test
