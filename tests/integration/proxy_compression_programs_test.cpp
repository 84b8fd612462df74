// The servers' own client programs with every kind of compression on either side of the proxy; SHOW STATUS is the
// server's witness, the status of the programs is the client's.

#include "bench/throwaway/programs.hpp"
#include "tests/integration/ended_program.hpp"
#include "tests/integration/proxy_fixture.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace sluice::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using protocol::compression_algorithm;

// The mysql client of 9.7 and the mariadb client of the system.
struct program {
    const char* name;
    std::vector<std::string> command;
    const char* compressed;  // the option; null: none
};

std::vector<program> programs() {
    std::vector<program> all;
    auto tls = throwaway::client_command("mysql");
    tls.insert(tls.end(), {"--get-server-public-key", "--commands"});
    auto mysql = tls;
    mysql.emplace_back("--ssl-mode=DISABLED");
    all.push_back({"mysql", mysql, nullptr});
    all.push_back({"mysql zlib", mysql, "--compression-algorithms=zlib"});
    all.push_back({"mysql zstd", mysql, "--compression-algorithms=zstd"});
    all.push_back({"mysql zstd over TLS", tls, "--compression-algorithms=zstd"});
    all.push_back({"mariadb", {"mariadb", "--no-defaults"}, nullptr});
    all.push_back({"mariadb zlib", {"mariadb", "--no-defaults"}, "--compress"});
    return all;
}

ended_program run(const program& which, std::uint16_t port, const fs::path& input) {
    throwaway::launch launch;
    launch.command = which.command;
    for (const auto& argument : {"--host=127.0.0.1", "--user=app", "--password=app-secret", "--local-infile=1",
                                 "--max-allowed-packet=64M", "--batch", "--skip-column-names", "--database=test"}) {
        launch.command.emplace_back(argument);
    }
    launch.command.push_back("--port=" + std::to_string(port));
    if (which.compressed != nullptr) launch.command.emplace_back(which.compressed);
    launch.input = input;
    return run_to_end(launch);
}

TEST_CASE("client programs work whatever is compressed, and the server says what is") {
    const auto folder = shared_server(server_kind::mysql_9_7).folder();
    {
        std::ofstream rows(folder / "rows.txt");
        for (int i = 0; i < 30'000; ++i) rows << i << ",row " << i << "\n";
        std::ostringstream common;
        common << "SHOW STATUS LIKE 'Compression';\n\\s\n"
               << "DROP TABLE IF EXISTS comp; CREATE TABLE comp (a INT, b LONGTEXT);\n"
               << "LOAD DATA LOCAL INFILE '" << (folder / "rows.txt").string()
               << "' INTO TABLE comp FIELDS TERMINATED BY ',';\n"
               << "SELECT 'loaded', COUNT(*), SUM(a) FROM comp; SELECT * FROM comp ORDER BY a;\n"
               << "PREPARE s FROM 'SELECT ?, REPEAT(?, 3)'; SET @a = 1, @b = 'x'; EXECUTE s USING @a, @b;\n";
        std::ofstream(folder / "short.sql") << common.str() << "DROP TABLE comp; SELECT 'done';\n";
        std::ofstream(folder / "long.sql") << common.str() << "SELECT 'wide', REPEAT('ab', 9 * 1024 * 1024);\n"
                                           << "SELECT 'long', LENGTH('" << std::string(40'000'000, 'y') << "');\n"
                                           << "DROP TABLE comp; SELECT 'done';\n";
    }
    int turn = 0;
    for (const auto kind : every_server) {
        for (const auto algorithm :
             {compression_algorithm::none, compression_algorithm::zlib, compression_algorithm::zstd}) {
            const bool used = algorithm == compression_algorithm::zlib ||
                              (algorithm == compression_algorithm::zstd && kind == server_kind::mysql_9_7);
            proxy::proxy_options options;
            options.compression.to_server = algorithm;
            const proxy_under_test proxied(kind, options);
            for (const auto& which : programs()) {
                // The client of 9.7 has no mysql_native_password any more.
                if (kind != server_kind::mysql_9_7 && which.name[1] == 'y') continue;
                CAPTURE(to_string(kind), protocol::compression_name(algorithm), which.name);
                // Rows and statements beyond 16 MiB take their time.
                const bool is_long = turn++ % 4 == 1;
                const auto ended = run(which, proxied.port(), folder / (is_long ? "long.sql" : "short.sql"));
                const auto& text = ended.output;
                INFO(text.substr(0, 1000));
                CHECK(ended.status == 0);
                CHECK_THAT(text.substr(0, 1000), Contains(used ? "Compression\tON" : "Compression\tOFF"));
                CHECK((text.find("Protocol:\t\tCompressed") != std::string::npos) == (which.compressed != nullptr));
                CHECK(text.find("loaded\t30000\t449985000\n") != std::string::npos);
                CHECK(text.find("29999\trow 29999\n") != std::string::npos);
                CHECK(text.find("1\txxx\n") != std::string::npos);
                CHECK((text.find("long\t40000000\n") != std::string::npos) == is_long);
                CHECK((text.size() > 18 * 1024 * 1024) == is_long);
                CHECK(text.ends_with("done\n"));
            }
        }
    }
}

}  // namespace
}  // namespace sluice::test
