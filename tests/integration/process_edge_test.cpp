// A whole Sluice with several listeners, in front of a server's Unix socket.

#include "tests/integration/process_runner.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/mysql_server.hpp"
#include "tests/support/raw_client.hpp"

#include <csignal>
#include <cstring>
#include <filesystem>

#include <sys/socket.h>
#include <sys/un.h>

namespace {

using namespace sluice::test;

raw_client by_socket(const std::filesystem::path& path) {
    const int made = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return raw_client::adopt(made);
}

std::string configuration(const std::string& listen, const std::string& server) {
    return "[proxy]\nlisten = " + listen + "\n[server]\n" + server + "\n[engine]\nuser = \"" +
           sluice::throwaway::sluice_user +
           "\"\npassword_file = \"engine.password\"\n[admin]\nlisten = \"127.0.0.1:0\"\ntoken_file = \"admin.token\"\n";
}

}  // namespace

TEST_CASE("clients and migrations by way of Unix sockets", "[process]") {
    const auto server = mysql_server::start();
    const config_folder folder;
    folder.write("engine.password", sluice_password);
    const auto file = folder.write("sluice.toml", configuration(R"(["127.0.0.1:0", "unix:mysql.sock"])",
                                                                "socket = \"" + server.socket_file().string() + "\""));
    const auto socket = folder.path() / "mysql.sock";
    connect(server, "test").exec("CREATE TABLE t (id INT PRIMARY KEY)");
    sluice_process sluice({"serve", "--config", file});
    const auto log = sluice.wait_for_message("admin port: ");
    CHECK(log.find("unix:" + socket.string()) != std::string::npos);
    const auto url = log.substr(log.rfind("http://"));

    auto client = by_socket(socket);
    sluice::protocol::client_login login;
    login.user = app_user;
    login.password = app_password;
    login.is_secure_transport = true;
    client.login(login);
    CHECK(client.query("SELECT USER()").rows.at(0).at(0) == "app@localhost");
    CHECK(client.query("SHOW PROXY SESSIONS").rows.at(0).at(2) == "localhost");
    const auto migrated =
        run_sluice({"migrate", "--schema", "test", "--table", "t", "--alter", "ADD COLUMN note INT", "--wait"},
                   {"SLUICE_URL=" + url, "SLUICE_TOKEN_FILE=" + (folder.path() / "admin.token").string()});
    INFO(migrated.out << migrated.err);
    CHECK(migrated.exit_code == 0);
    CHECK(client.query("SELECT COUNT(note) FROM test.t").is_ok);
    client.close();
    sluice.signal(SIGTERM);
    CHECK(sluice.wait().exit_code == 0);
    CHECK_FALSE(std::filesystem::exists(socket));
}

TEST_CASE("a listener that cannot be opened ends the start, and no other one stays", "[process]") {
    const auto server = mysql_server::start();
    const config_folder folder;
    folder.write("engine.password", sluice_password);
    const auto file = folder.write(
        "sluice.toml", configuration(R"(["unix:mysql.sock", "127.0.0.1:)" + std::to_string(server.port()) + "\"]",
                                     "port = " + std::to_string(server.port())));
    const auto ended = run_sluice({"serve", "--config", file});
    CHECK(ended.exit_code == 1);
    CHECK(ended.err.find("cannot listen on 127.0.0.1:" + std::to_string(server.port()) + ": Address already in use") !=
          std::string::npos);
    CHECK_FALSE(std::filesystem::exists(folder.path() / "mysql.sock"));
}
