// What stands in the way of a start is told in one clear line, with the exit code that `sluice --help` promises.

#include "tests/integration/process_runner.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/mysql_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace sluice::test;

/// Holds a port of 127.0.0.1: listening, or only bound, so that nobody else has it and nobody answers.
class held_port {
public:
    explicit held_port(bool listening) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        ::sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::socklen_t length = sizeof address;
        REQUIRE(::bind(socket_, reinterpret_cast<const ::sockaddr*>(&address), length) == 0);
        REQUIRE(::getsockname(socket_, reinterpret_cast<::sockaddr*>(&address), &length) == 0);
        if (listening) REQUIRE(::listen(socket_, 1) == 0);
        number_ = ntohs(address.sin_port);
    }
    ~held_port() { ::close(socket_); }
    held_port(const held_port&) = delete;
    held_port& operator=(const held_port&) = delete;
    [[nodiscard]] std::uint16_t number() const { return number_; }
    [[nodiscard]] std::string text() const { return "127.0.0.1:" + std::to_string(number_); }

private:
    int socket_;
    std::uint16_t number_ = 0;
};

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::size_t lines(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

void check_refused(const finished& end, int exit_code, const std::vector<std::string>& parts) {
    INFO("standard error:\n" << end.err);
    CHECK(end.exit_code == exit_code);
    CHECK(end.out.empty());
    CHECK(lines(end.err) == 1);
    CHECK(end.err.starts_with("sluice: "));
    for (const std::string& part : parts) {
        CAPTURE(part);
        CHECK(holds(end.err, part));
    }
}

}  // namespace

TEST_CASE("help and version end well, a wrong command line with 2", "[process]") {
    CHECK(run_sluice({"--version"}).exit_code == 0);
    const auto help = run_sluice({"--help"});
    CHECK(help.exit_code == 0);
    for (const char* name : {"serve", "migrate", "list", "show", "watch", "cut-over", "postpone", "pause", "resume",
                             "abort", "Exit codes"}) {
        CAPTURE(name);
        CHECK(holds(help.out, name));
    }
    const std::vector<std::vector<std::string>> wrong = {
        {},
        {"frobnicate"},
        {"serve"},
        {"serve", "--confg", "x"},
        {"show"},
        {"show", "../etc"},
        {"migrate", "--schema", "s", "--table", "t"},
        {"migrate", "--schema", "s", "--table", "t", "--alter", "x", "--copy-workers", "0"},
        {"migrate", "--schema", "s", "--table", "t", "--alter", "x", "--copy-workers", "2.5"},
        {"migrate", "--schema", "s", "--table", "t", "--alter", "x", "--drop-old-table", "--no-drop-old-table"},
        {"migrate", "--schema", "s", "--table", "t", "--alter", "x", "--time-zone", "+2"},
        {"migrate", "--schema", "s", "--table", "t", "--alter", "x", "--json"},
        {"migrate", "--schema", "s", "--table", "t", "--alter", "x", "--dry-run", "--wait"},
        {"list", "--url", "ftp://x"},
        {"list", "--token-file", "/nowhere/token"},
    };
    for (const auto& arguments : wrong) {
        CAPTURE(arguments);
        check_refused(run_sluice(arguments), 2, {});
    }
}

TEST_CASE("a wrong configuration ends it with 2, the file and the lines", "[process]") {
    const config_folder folder;
    const std::string file = folder.write("bad.toml",
                                          "[proxy]\nlisten = 5\n[server]\nprt = 1\n[engine]\nuser = \"x\"\n"
                                          "password = \"y\"\n[admin]\ntoken_file = \"admin.token\"\n");
    for (const bool check_only : {false, true}) {
        std::vector<std::string> arguments{"serve", "--config", file};
        if (check_only) arguments.emplace_back("--check-config");
        const auto end = run_sluice(arguments);
        INFO(end.err);
        CHECK(end.exit_code == 2);
        CHECK(lines(end.err) == 3);
        CHECK(
            holds(end.err, file + ":2: `proxy.listen` must be a string or an array of strings, not a whole number\n"));
        CHECK(holds(end.err, file + ":4: unknown key `server.prt` (did you mean `port`?)\n"));
        CHECK(holds(end.err, file + ":7: `engine.password` a password does not belong in this file"));
    }
    check_refused(run_sluice({"serve", "--config", "/nowhere/sluice.toml"}), 2,
                  {"/nowhere/sluice.toml", "No such file"});
}

TEST_CASE("a good configuration is shown without its secrets", "[process]") {
    const config_folder folder;
    const auto end = run_sluice({"serve", "--check-config", "--config", folder.write_config(3306, "top-secret")});
    CHECK(end.exit_code == 0);
    CHECK(holds(end.out, "server.port = 3306\n"));
    CHECK(holds(end.out, ": good\n"));
    CHECK_FALSE(holds(end.out, "top-secret"));
    CHECK_FALSE(holds(end.out, "a-token-for"));
}

TEST_CASE("a server that nobody can reach ends the start with 1", "[process]") {
    const held_port nobody(false);
    const config_folder folder;
    check_refused(run_sluice({"serve", "--config", folder.write_config(nobody.number(), "x")}), 1,
                  {"cannot reach the server " + nobody.text()});
}

TEST_CASE("a refused login and ports in use end the start with 1", "[process]") {
    const auto server = mysql_server::start();
    SECTION("login") {
        const config_folder folder;
        check_refused(run_sluice({"serve", "--config", folder.write_config(server.port(), "wrong")}), 1,
                      {"127.0.0.1:" + std::to_string(server.port()), "'sluice'", "Access denied for user 'sluice'@'",
                       "1045", "[engine]"});
    }
    SECTION("the proxy's port") {
        const held_port taken(true);
        const config_folder folder;
        check_refused(
            run_sluice({"serve", "--config", folder.write_config(server.port(), sluice_password, taken.text())}), 1,
            {"proxy", "cannot listen on " + taken.text(), "in use"});
    }
    SECTION("the admin port") {
        const held_port taken(true);
        const config_folder folder;
        check_refused(run_sluice({"serve", "--config",
                                  folder.write_config(server.port(), sluice_password, "127.0.0.1:0", taken.text())}),
                      1, {"admin", "cannot listen on " + taken.text(), "in use"});
    }
}

TEST_CASE("without a Sluice at the admin port, commands end with 3", "[process]") {
    const held_port nobody(false);
    const std::string url = "http://" + nobody.text();
    const std::vector<std::vector<std::string>> all = {{"list"},
                                                       {"show", "0123"},
                                                       {"watch", "0123"},
                                                       {"abort", "0123"},
                                                       {"migrate", "--schema", "s", "--table", "t", "--alter", "x"}};
    for (std::vector<std::string> arguments : all) {
        CAPTURE(arguments);
        check_refused(run_sluice(arguments, {"SLUICE_URL=" + url}), 3, {url});
        arguments.insert(arguments.end(), {"--url", url});
        check_refused(run_sluice(arguments), 3, {url});
    }
}
