// The edges of the proxy: where clients come in, what a load balancer says of them, how the server is found.

#include "bench/throwaway/child_process.hpp"
#include "bench/throwaway/programs.hpp"
#include "protocol/wire/proxy_header.hpp"
#include "tests/integration/proxy_fixture.hpp"

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace sluice::test {
namespace {

namespace fs = std::filesystem;
using proxy::listen_endpoint;
using proxy::proxy_options;
using proxy::proxy_server;

raw_client connected(int domain, const void* address, std::size_t size, const char* from = nullptr) {
    const int made = ::socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (from != nullptr) {
        sockaddr_in source{};
        source.sin_family = AF_INET;
        REQUIRE(::inet_pton(AF_INET, from, &source.sin_addr) == 1);
        REQUIRE(::bind(made, reinterpret_cast<const sockaddr*>(&source), sizeof source) == 0);
    }
    if (::connect(made, static_cast<const sockaddr*>(address), static_cast<socklen_t>(size)) != 0) {
        const std::string why = std::strerror(errno);
        ::close(made);
        throw raw_error(why);
    }
    return raw_client::adopt(made, 20s);
}

raw_client by_ipv4(std::uint16_t port, const char* from) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connected(AF_INET, &address, sizeof address, from);
}

raw_client by_ipv6(std::uint16_t port) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    address.sin6_addr = in6addr_loopback;
    return connected(AF_INET6, &address, sizeof address);
}

raw_client by_socket(const fs::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    return connected(AF_UNIX, &address, sizeof address);
}

bool has_ipv6() {
    std::ifstream addresses("/proc/net/if_inet6");
    std::string line;
    while (std::getline(addresses, line)) {
        if (line.starts_with("00000000000000000000000000000001 ")) return true;
    }
    WARN("no IPv6 on this machine: not tested");
    return false;
}

/// A folder of the test's own, for sockets.
struct folder {
    folder() {
        std::string pattern = (fs::temp_directory_path() / "sluice-edge-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path = pattern;
    }
    ~folder() { fs::remove_all(path); }
    fs::path path;
};

protocol::client_login app_login() {
    protocol::client_login login;
    login.user = app_user;
    login.password = app_password;
    return login;
}

raw_client logged_in(raw_client client) {
    client.login(app_login());
    return client;
}

std::uint16_t error_told(raw_client& client) {
    const auto err = protocol::parse_err(client.receive_packet().payload);
    REQUIRE(err.has_value());
    return err->code;
}

listen_endpoint on_unix(const fs::path& path) { return {.address = {}, .port = 0, .unix_path = path.string()}; }
listen_endpoint on_tcp(const std::string& address) { return {.address = address, .port = 0, .unix_path = {}}; }

/// The options of a proxy in front of the shared server.
proxy_options options_for(server_kind kind = server_kind::mysql_9_7) {
    proxy_options options;
    options.server_port = shared_server(kind).port();
    return options;
}

std::string binary_header(const char* source, std::uint16_t port) {
    protocol::byte_buffer bytes;
    const protocol::stream_address from{protocol::stream_kind::ip, *protocol::parse_ip_address(source), port};
    protocol::serialise(bytes, protocol::proxy_header{from, from});
    return protocol::to_string(bytes);
}

const std::string local_header("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16);

TEST_CASE("a PROXY header names the client, wherever it is cut") {
    auto options = options_for();
    options.proxy_protocol_networks = {"127.0.0.0/8"};
    options.answer_show = [](const sql::show_request&) {
        return proxy::show_answer{{"x"}, {}, std::nullopt, std::nullopt};
    };
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    struct row {
        std::string header;
        std::string client;
    };
    const row rows[] = {
        {"PROXY TCP4 203.0.113.9 192.0.2.1 4711 3306\r\n", "203.0.113.9:4711"},
        {"PROXY TCP6 2001:db8::9 2001:db8::1 4711 3306\r\n", "[2001:db8::9]:4711"},
        {binary_header("203.0.113.9", 4712), "203.0.113.9:4712"},
        {binary_header("::ffff:203.0.113.9", 4713), "203.0.113.9:4713"},
    };
    for (const row& r : rows) {
        for (std::size_t cut = 0; cut <= r.header.size(); ++cut) {
            CAPTURE(r.client, cut);
            raw_client client(proxied.port());
            client.send_bytes(r.header.substr(0, cut));
            if (cut % 16 == 0 && cut < r.header.size()) CHECK(client.silent_for(1ms));
            client.send_bytes(r.header.substr(cut));
            const auto greeting = protocol::parse_server_greeting(client.receive_packet().payload);
            REQUIRE(greeting.has_value());
            const auto sessions = proxied.proxy->sessions();
            const auto mine = std::find_if(sessions.begin(), sessions.end(), [&](const auto& session) {
                return session.connection_id == greeting->connection_id;
            });
            REQUIRE(mine != sessions.end());
            CHECK(mine->client == r.client);
        }
    }
    raw_client client(proxied.port());
    client.send_bytes(rows[0].header);
    client.login(app_login());
    const auto shown = client.query("SHOW PROXY SESSIONS");
    REQUIRE(shown.is_ok);
    const auto mine =
        std::find_if(shown.rows.begin(), shown.rows.end(), [](const auto& one) { return one[1] == "app"; });
    REQUIRE(mine != shown.rows.end());
    CHECK((*mine)[2] == "203.0.113.9:4711");
}

TEST_CASE("a PROXY header that names nobody leaves the connection's own address") {
    auto options = options_for();
    options.proxy_protocol_networks = {"127.0.0.1"};
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    const std::string headers[] = {local_header, "PROXY UNKNOWN\r\n"};
    for (const auto& header : headers) {
        raw_client client(proxied.port());
        client.send_bytes(header);
        client.login(app_login());
        CHECK(proxied.proxy->sessions().at(0).client == "127.0.0.1:" + std::to_string(client.local_port()));
        client.close();
        CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 0; }));
    }
}

TEST_CASE("a load balancer's client on a Unix socket is not one of Sluice's") {
    const folder here;
    auto options = options_for();
    options.listen = {on_tcp("127.0.0.1"), on_unix(here.path / "mysql.sock")};
    options.proxy_protocol_networks = {"127.0.0.1", "unix"};
    options.tls.client.mode = proxy::client_tls_mode::required;
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    // AF_UNIX, with two paths of 108 bytes.
    const auto header = "\r\n\r\n" + std::string("\0\r\nQUIT\n\x21\x31\0\xD8", 12) + std::string(216, '\0');
    raw_client by_tcp(proxied.port());
    by_tcp.send_bytes(header);
    const auto refused = by_tcp.try_login(app_login());
    REQUIRE(refused.has_value());
    CHECK(refused->error.code == 3159);
    // Where the load balancer itself is on one, nobody else can listen.
    auto local = by_socket(here.path / "mysql.sock");
    local.send_bytes(header);
    CHECK_FALSE(local.try_login(app_login()).has_value());
}

TEST_CASE("what is no PROXY header is refused where one is due") {
    auto options = options_for();
    options.proxy_protocol_networks = {"127.0.0.1"};
    options.login_limit = 300ms;
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    struct row {
        const char* name;
        std::string bytes;
        std::uint16_t error;
    };
    const row rows[] = {
        {"nothing", "", 1159},
        {"half a header", "PROXY TCP4 203.0", 1159},
        {"a login", std::string("\x20\0\0\x01", 4), 1043},
        {"HTTP", "GET / HTTP/1.1\r\n\r\n", 1043},
        {"a wrong address", "PROXY TCP4 203.0.113 192.0.2.1 1 1\r\n", 1043},
        {"bytes behind it", "PROXY TCP4 203.0.113.9 192.0.2.1 1 1\r\nx", 1043},
        {"a second one", "PROXY UNKNOWN\r\nPROXY UNKNOWN\r\n", 1043},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        raw_client client(proxied.port());
        client.send_bytes(r.bytes);
        CHECK(error_told(client) == r.error);
        CHECK(client.closed_by_peer());
    }
    raw_client(proxied.port()).close();  // a check whether the port is open
    CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 0; }));
    CHECK(proxied.proxy->statistics().server_unreachable == 0);
}

TEST_CASE("a PROXY header from elsewhere is not believed") {
    auto options = options_for();
    options.proxy_protocol_networks = {"127.0.0.2", "10.0.0.0/8", "::1", "unix"};
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    raw_client liar(proxied.port());
    liar.send_bytes("PROXY TCP4 203.0.113.9 192.0.2.1 4711 3306\r\n");
    // Either the greeting was on its way already, and the header is taken for a login, or it is told at once.
    auto told = liar.receive_packet();
    if (told.first_byte() != 0xFF) told = liar.receive_packet();
    CHECK(told.first_byte() == 0xFF);
    CHECK(liar.closed_by_peer());
    CHECK(logged_in(raw_client(proxied.port())).query("SELECT 1").is_ok);

    auto trusted = by_ipv4(proxied.port(), "127.0.0.2");
    CHECK(trusted.silent_for(50ms));
    trusted.send_bytes("PROXY TCP4 203.0.113.9 192.0.2.1 4711 3306\r\n");
    CHECK(logged_in(std::move(trusted)).query("SELECT 1").is_ok);
}

TEST_CASE("Unix sockets, next to ports") {
    const folder here;
    auto options = options_for();
    options.listen = {on_unix(here.path / "a.sock"), on_tcp("127.0.0.1"), on_unix(here.path / "b.sock"),
                      on_tcp("127.0.0.1")};
    options.listen_unix_mode = 0750;
    options.proxy_protocol_networks = {"127.0.0.2"};
    proxy_under_test proxied(server_kind::mysql_9_7, options);
    const auto endpoints = proxied.proxy->endpoints();
    REQUIRE(endpoints.size() == 4);
    CHECK(endpoints[0] == "unix:" + (here.path / "a.sock").string());
    CHECK(endpoints[1] == "127.0.0.1:" + std::to_string(proxied.port()));
    CHECK(endpoints[3].starts_with("127.0.0.1:"));
    CHECK(endpoints[3] != endpoints[1]);

    make_table(server_kind::mysql_9_7, "edge", 3);
    for (const char* name : {"a.sock", "b.sock"}) {
        CHECK((fs::status(here.path / name).permissions() & fs::perms::mask) == fs::perms(0750));
        auto client = by_socket(here.path / name);
        auto login = app_login();
        login.is_secure_transport = true;
        client.login(login);
        CHECK(client.query("SELECT COUNT(*) FROM test.edge").rows.at(0).at(0) == "3");
        CHECK(proxied.proxy->sessions().at(0).client == "localhost");
        client.close();
        CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 0; }));
    }
    const auto second_port = static_cast<std::uint16_t>(std::stoi(endpoints[3].substr(10)));
    CHECK(logged_in(raw_client(second_port)).query("SELECT 1").is_ok);
    proxied.proxy->stop(1s);
    CHECK(fs::is_empty(here.path));
    CHECK(proxied.proxy->endpoints() == endpoints);
}

TEST_CASE("a Unix socket's file is replaced only if nobody listens there") {
    const folder here;
    const auto path = here.path / "mysql.sock";
    auto options = options_for();
    options.listen = {on_tcp("127.0.0.1"), on_unix(path)};
    const auto error_with = [&](const proxy_options& with) {
        const auto outcome = proxy_server::start(with);
        return outcome.has_error() ? outcome.error().message : std::string();
    };
    {
        // What a process leaves behind that was killed: bound, and nobody listens any more.
        auto stale = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        REQUIRE(::bind(stale, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        ::close(stale);
    }
    {
        const proxy_under_test first(server_kind::mysql_9_7, options);
        CHECK(error_with(options) == "cannot listen on unix:" + path.string() + ": Address already in use");
        CHECK(by_socket(path).receive_packet().first_byte() == 10);  // and the first one goes on
    }
    CHECK_FALSE(fs::exists(path));

    std::ofstream(path) << "a file of somebody's";
    CHECK(error_with(options) == "cannot listen on unix:" + path.string() + ": File exists");
    CHECK(fs::file_size(path) == 20);

    // All or none: the first endpoint's file is gone again when the second cannot be opened.
    options.listen = {on_unix(here.path / "other.sock"), on_unix(here.path / "nowhere" / "a.sock")};
    CHECK_THAT(error_with(options), Catch::Matchers::Contains("No such file or directory"));
    CHECK_FALSE(fs::exists(here.path / "other.sock"));
    options.listen = {on_unix(here.path / std::string(108, 'x'))};
    CHECK_THAT(error_with(options), Catch::Matchers::Contains("File name too long"));
    options.listen = {};
    CHECK_THAT(error_with(options), Catch::Matchers::Contains("listen"));
    options.listen = {on_tcp("127.0.0.1")};
    options.proxy_protocol_networks = {"everywhere"};
    CHECK_THAT(error_with(options), Catch::Matchers::Contains("\"everywhere\""));
}

TEST_CASE("a socket's file that has become another one's is left alone") {
    const folder here;
    const auto path = here.path / "mysql.sock";
    auto options = options_for();
    options.listen = {on_unix(path)};
    proxy_under_test first(server_kind::mysql_9_7, options);
    CHECK(first.port() == 0);
    fs::remove(path);
    const proxy_under_test second(server_kind::mysql_9_7, options);
    first.proxy->stop(1s);
    CHECK(by_socket(path).receive_packet().first_byte() == 10);
}

TEST_CASE("a load balancer on a Unix socket") {
    const folder here;
    auto options = options_for();
    options.listen = {on_unix(here.path / "mysql.sock")};
    options.proxy_protocol_networks = {"unix"};
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    auto client = by_socket(here.path / "mysql.sock");
    CHECK(client.silent_for(50ms));
    client.send_bytes(binary_header("203.0.113.9", 4711));
    CHECK(client.receive_packet().first_byte() == 10);
    CHECK(proxied.proxy->sessions().at(0).client == "203.0.113.9:4711");
}

TEST_CASE("IPv6, alone and with IPv4") {
    if (!has_ipv6()) return;
    auto options = options_for();
    options.listen = {on_tcp("::1"), on_tcp("::")};
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    const auto endpoints = proxied.proxy->endpoints();
    CHECK(endpoints.at(0) == "[::1]:" + std::to_string(proxied.port()));
    auto client = logged_in(by_ipv6(proxied.port()));
    CHECK(proxied.proxy->sessions().at(0).client == "[::1]:" + std::to_string(client.local_port()));
    client.close();
    CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 0; }));
    CHECK_THROWS_AS(raw_client(proxied.port()), raw_error);  // ::1 is not 127.0.0.1

    REQUIRE(endpoints.at(1).starts_with("[::]:"));
    const auto port_of_all = static_cast<std::uint16_t>(std::stoi(endpoints[1].substr(5)));
    CHECK(logged_in(by_ipv6(port_of_all)).query("SELECT 1").is_ok);
    CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 0; }));
    auto mapped = logged_in(raw_client(port_of_all));
    CHECK(proxied.proxy->sessions().at(0).client == "127.0.0.1:" + std::to_string(mapped.local_port()));
}

}  // namespace
}  // namespace sluice::test
