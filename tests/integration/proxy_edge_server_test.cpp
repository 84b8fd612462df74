// How the proxy finds its server, waits for it, and tells it who the client is.

#include "bench/throwaway/child_process.hpp"
#include "bench/throwaway/programs.hpp"
#include "tests/integration/proxy_fixture.hpp"

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace sluice::test {
namespace {

namespace fs = std::filesystem;
using proxy::proxy_options;

std::uint16_t error_told(raw_client& client) {
    const auto err = protocol::parse_err(client.receive_packet().payload);
    REQUIRE(err.has_value());
    return err->code;
}

std::string message_told(raw_client& client) {
    const auto err = protocol::parse_err(client.receive_packet().payload);
    REQUIRE(err.has_value());
    return err->message;
}

bool greeted(raw_client& client) { return client.receive_packet().first_byte() == 10; }

/// A client that connects from this address of the loopback network.
raw_client from_address(const char* source, std::uint16_t port) {
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    REQUIRE(::inet_pton(AF_INET, source, &address.sin_addr) == 1);
    REQUIRE(::bind(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return raw_client::adopt(made, 20s);
}

/// A folder of the test's own with a Unix socket.
struct folder_of_sockets {
    folder_of_sockets() {
        std::string pattern = (fs::temp_directory_path() / "sluice-edge-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path = pattern;
    }
    ~folder_of_sockets() { fs::remove_all(path); }
    [[nodiscard]] raw_client client() const {
        const int made = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, (path / "mysql.sock").c_str(), sizeof address.sun_path - 1);
        REQUIRE(::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        return raw_client::adopt(made, 20s);
    }
    fs::path path;
};

TEST_CASE("the server's name is looked up for every connection, and all its addresses are tried") {
    std::atomic<int> asked = 0;
    // 127.0.0.2 is refused; 192.0.2.0/24 is nobody's, and says nothing or that it cannot be reached.
    std::atomic<const char*> answer{"127.0.0.2"};
    proxy_options options;
    options.server_port = shared_server(server_kind::mysql_9_7).port();
    options.server_host = "db.example";
    options.connect_limit = 500ms;
    options.lookup = [&](const std::string& host) {
        ++asked;
        std::vector<std::string> addresses;
        std::istringstream words(host == "db.example" ? answer.load() : "");
        for (std::string word; words >> word;) addresses.push_back(word);
        return addresses;
    };
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    struct row {
        const char* addresses;
        bool works;
    };
    const row rows[] = {
        {"127.0.0.2", false},
        {"127.0.0.1", true},
        {"", false},
        {"127.0.0.2 127.0.0.1", true},
        {"192.0.2.77 127.0.0.1", true},
        {"192.0.2.77 127.0.0.2", false},
        {"127.0.0.2 ::1 127.0.0.3 127.0.0.1", true},
    };
    int connections = 0;
    for (const row& r : rows) {
        CAPTURE(r.addresses);
        answer = r.addresses;
        raw_client client(proxied.port());
        if (r.works)
            CHECK(greeted(client));
        else
            CHECK_THAT(message_told(client),
                       Catch::Matchers::StartsWith("Can't connect to MySQL server on 'db.example:"));
        CHECK(asked == ++connections);
    }
}

TEST_CASE("a server that is down is waited for") {
    server_options own;
    auto server = mysql_server::start(own);
    server.stop();
    proxy_options options;
    options.server_port = server.port();
    options.server_wait = 60s;
    options.unauthenticated_max = 3;
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    raw_client waiting(proxied.port(), 60s);
    raw_client leaving(proxied.port());
    raw_client staying(proxied.port(), 60s);
    CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 3; }));
    CHECK(waiting.silent_for(200ms));
    CHECK(proxied.proxy->sessions().at(0).state == "connecting");
    raw_client too_many(proxied.port());
    CHECK(error_told(too_many) == 1040);
    leaving.close();
    CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 2; }));
    server.restart();
    waiting.login(app_user, app_password);
    CHECK(waiting.query("SELECT CURRENT_USER()").rows.at(0).at(0) == "app@%");
    CHECK(greeted(staying));
    CHECK(proxied.proxy->statistics().server_unreachable == 0);
}

TEST_CASE("waiting for a server has an end") {
    proxy_options options;
    options.server_port = 1;
    options.server_wait = 300ms;
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    const auto begin = std::chrono::steady_clock::now();
    raw_client client(proxied.port());
    CHECK(error_told(client) == 1429);
    CHECK(std::chrono::steady_clock::now() - begin >= 300ms);
    CHECK(proxied.proxy->statistics().server_unreachable == 1);
}

TEST_CASE("waiting ends when the proxy stops") {
    proxy_options options;
    options.server_port = 1;
    options.server_wait = 600s;
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    raw_client client(proxied.port());
    CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 1; }));
    proxied.proxy->stop(10s);
    CHECK(error_told(client) == 1053);
    CHECK(client.closed_by_peer());
}

TEST_CASE("the server behind its Unix socket") {
    for (const auto kind : every_server) {
        INFO(throwaway::to_string(kind));
        auto& server = shared_server(kind);
        proxy_options options;
        options.server_host = "no-such-host.invalid";
        options.server_socket = server.socket_file().string();
        const proxy_under_test proxied(kind, options);
        // Cold: the password passes, under RSA from the client, and as the server takes it over a socket.
        auto root = connect(server);
        root.exec("FLUSH PRIVILEGES");
        for (const char* state : {"cold", "warm"}) {
            INFO(state);
            auto client = proxied.client();
            CHECK(client.query("SELECT CURRENT_USER()").rows.at(0).at(0) == "app@%");
            CHECK(client.query("SELECT USER()").rows.at(0).at(0) == "app@localhost");
        }
    }
    proxy_options options;
    options.server_socket = "/nowhere/mysql.sock";
    const proxy_under_test nowhere(server_kind::mysql_9_7, options);
    raw_client client(nowhere.port());
    CHECK(message_told(client) ==
          "Can't connect to local MySQL server through socket '/nowhere/mysql.sock' (No such file or directory)");
}

TEST_CASE("MariaDB is told the client's address by a PROXY header") {
    server_options own;
    own.kind = server_kind::mariadb_10_11;
    own.extra_arguments = {"--proxy-protocol-networks=127.0.0.1"};
    auto server = mysql_server::start(own);
    auto root = connect(server);
    root.exec("CREATE USER elsewhere@'127.0.0.77' IDENTIFIED BY 'secret'");

    const folder_of_sockets here;
    proxy_options options;
    options.server_port = server.port();
    options.server_proxy_protocol = true;
    options.proxy_protocol_networks = {"127.0.0.78"};
    options.listen.push_back({.address = {}, .port = 0, .unix_path = (here.path / "mysql.sock").string()});
    const proxy_under_test proxied(server_kind::mariadb_10_11, options);

    auto client = from_address("127.0.0.77", proxied.port());
    client.login("elsewhere", "secret");
    CHECK(client.query("SELECT USER()").rows.at(0).at(0) == "elsewhere@127.0.0.77");
    // The same by way of a load balancer.
    auto balanced = from_address("127.0.0.78", proxied.port());
    balanced.send_bytes("PROXY TCP4 127.0.0.77 127.0.0.1 4711 3306\r\n");
    balanced.login("elsewhere", "secret");
    CHECK(balanced.query("SELECT USER()").rows.at(0).at(0) == "elsewhere@127.0.0.77");
    // Another address, and the proxy's own where a client has none.
    auto stranger = from_address("127.0.0.79", proxied.port());
    protocol::client_login login;
    login.user = "elsewhere";
    login.password = "secret";
    CHECK(stranger.try_login(login)->error.code == 1045);
    auto local = here.client();
    local.login(app_user, app_password);
    CHECK(local.query("SELECT USER()").rows.at(0).at(0) == "app@127.0.0.1");

    // What MariaDB itself does with a client of such a network that sends no header: it serves it.
    raw_client plain(server.port());
    plain.login(app_user, app_password);
    CHECK(plain.query("SELECT USER()").rows.at(0).at(0) == "app@127.0.0.1");
}

TEST_CASE("MySQL takes no PROXY header") {
    proxy_options options;
    options.server_proxy_protocol = true;
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    raw_client client(proxied.port());
    protocol::client_login login;
    login.user = app_user;
    login.password = app_password;
    CHECK_THROWS_AS(client.login(login), raw_error);
}

rows attributes_seen(std::uint64_t connection) {
    return connect(shared_server(server_kind::mysql_9_7))
        .query("SELECT attr_name, attr_value FROM performance_schema.session_connect_attrs WHERE processlist_id = " +
               std::to_string(connection) + " ORDER BY ordinal_position");
}

protocol::client_login with_attributes(protocol::connect_attributes attributes) {
    protocol::client_login login;
    login.user = app_user;
    login.password = app_password;
    login.attributes = std::move(attributes);
    return login;
}

TEST_CASE("the server sees the client's address among its connection attributes") {
    proxy_options options;
    options.proxy_protocol_networks = {"127.0.0.2"};
    const folder_of_sockets here;
    options.listen.push_back({.address = {}, .port = 0, .unix_path = (here.path / "mysql.sock").string()});
    const proxy_under_test proxied(server_kind::mysql_9_7, options);

    raw_client client(proxied.port());
    client.login(with_attributes({{"program", "test"}, {"_client_ip", "6.6.6.6"}}));
    const auto port = std::to_string(client.local_port());
    const auto id = client.greeting().connection_id;
    CHECK(attributes_seen(id) == rows{{"_client_ip", "127.0.0.1"}, {"_client_port", port}, {"program", "test"}});

    raw_client without(proxied.port());
    auto login = with_attributes({});
    login.capabilities &= ~protocol::capability::connect_attrs;
    without.login(login);
    CHECK(attributes_seen(without.greeting().connection_id) ==
          rows{{"_client_ip", "127.0.0.1"}, {"_client_port", std::to_string(without.local_port())}});

    auto balanced = from_address("127.0.0.2", proxied.port());
    balanced.send_bytes("PROXY TCP6 2001:db8::9 2001:db8::1 4711 3306\r\n");
    balanced.login(with_attributes({}));
    CHECK(attributes_seen(balanced.greeting().connection_id) ==
          rows{{"_client_ip", "2001:db8::9"}, {"_client_port", "4711"}});

    auto local = here.client();
    login = with_attributes({{"_client_ip", "6.6.6.6"}, {"program", "test"}});
    login.is_secure_transport = true;
    local.login(login);
    CHECK(attributes_seen(local.greeting().connection_id) == rows{{"program", "test"}});

    // The client library sends its own, and again at COM_CHANGE_USER.
    auto library = proxied.connection();
    for (const char* state : {"login", "change of user"}) {
        INFO(state);
        const auto seen = attributes_seen(std::stoull(library.scalar("SELECT CONNECTION_ID()")));
        REQUIRE(seen.size() > 2);
        CHECK(seen[0] == row{"_client_ip", "127.0.0.1"});
        CHECK(seen[1][0] == "_client_port");
        CHECK(std::any_of(seen.begin(), seen.end(), [](const row& one) { return one[0] == "_client_name"; }));
        library.change_user(app_user, app_password, "test");
    }
    options.server_client_attributes = false;
    options.listen.pop_back();
    const proxy_under_test silent(server_kind::mysql_9_7, options);
    raw_client as_it_is(silent.port());
    as_it_is.login(with_attributes({{"program", "test"}}));
    CHECK(attributes_seen(as_it_is.greeting().connection_id) == rows{{"program", "test"}});
}

TEST_CASE("attributes neither keep anybody out nor change an old server's login") {
    for (const auto kind : every_server) {
        INFO(throwaway::to_string(kind));
        const proxy_under_test proxied(kind);
        for (const std::size_t size : {std::size_t{0}, std::size_t{600}, std::size_t{40'000}}) {
            INFO(size);
            raw_client client(proxied.port());
            client.login(with_attributes({{"long", std::string(size, 'x')}}));
            CHECK(client.query("SELECT CURRENT_USER()").rows.at(0).at(0) == "app@%");
        }
        auto library = proxied.connection();
        library.change_user(app_user, app_password, "test");
        CHECK(library.scalar("SELECT DATABASE()") == "test");
    }
}

std::string output_of(std::vector<std::string> command) {
    const auto file = shared_server(server_kind::mysql_9_7).folder() / "edge-client-output";
    throwaway::launch launch;
    launch.command = std::move(command);
    launch.output = file;
    const int status = throwaway::run(launch);
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return std::to_string(status) + ": " + text.str();
}

TEST_CASE("the command lines' own way to a Unix socket and to IPv6") {
    const folder_of_sockets here;
    proxy_options options;
    const auto socket = (here.path / "mysql.sock").string();
    options.listen = {{.address = "::", .port = 0, .unix_path = {}}, {.address = {}, .port = 0, .unix_path = socket}};
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    auto root = connect(shared_server(server_kind::mysql_9_7));
    root.exec("CREATE USER IF NOT EXISTS edge@'%' IDENTIFIED BY 'secret'");
    const std::vector<std::string> rest{"--user=edge", "--password=secret", "--batch", "--skip-column-names",
                                        "--execute=SELECT 'in as', CURRENT_USER()"};
    const auto mysql = throwaway::client_command("mysql");
    const std::vector<std::string> mariadb{"/usr/bin/mariadb", "--no-defaults"};
    for (const auto& program : {mysql, mariadb}) {
        if (!fs::exists(program.at(0))) {
            FAIL("no " + program.at(0) + ": scripts/setup brings it");
        }
        for (const auto& way :
             {std::vector<std::string>{"--socket=" + socket},
              std::vector<std::string>{"--host=::1", "--protocol=TCP", "--port=" + std::to_string(proxied.port())}}) {
            for (const char* state : {"cold", "warm"}) {
                // MariaDB's program takes a server's key without being asked; MySQL's does not, and over TCP without
                // TLS it can log in when the server remembers the password.
                const bool by_socket = way.size() == 1;
                if (std::string(state) == "cold" && (by_socket || program == mariadb)) root.exec("FLUSH PRIVILEGES");
                INFO(program.back() << " " << way.at(0) << " " << state);
                auto command = program;
                command.insert(command.end(), way.begin(), way.end());
                command.insert(command.end(), rest.begin(), rest.end());
                CHECK_THAT(output_of(command), Catch::Matchers::Contains("in as\tedge@%"));
            }
        }
    }
}

}  // namespace
}  // namespace sluice::test
