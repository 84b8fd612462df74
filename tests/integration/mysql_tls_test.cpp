// TLS of the engine's own connections: statements through the client library, the binlog through the stream.

#include "tests/support/catch.hpp"

#include "migration/mysql/binlog_stream.hpp"
#include "migration/mysql/mysql_executor.hpp"
#include "migration/mysql/server_connection.hpp"
#include "tests/integration/mysql_address.hpp"

#include <chrono>
#include <cstdlib>
#include <string>

using namespace sluice::migration;
using namespace std::chrono_literals;
using sluice::test::address_of;
using sluice::test::mysql_server;
using sluice::test::server_kind;
using sluice::test::start_server;
namespace test = sluice::test;
namespace binlog = sluice::binlog;

namespace {

server_address address_with(const mysql_server& server, tls_mode mode, std::string ca_file = "") {
    auto address = address_of(server);
    address.tls.mode = mode;
    address.tls.ca_file = std::move(ca_file);
    return address;
}

/// The cipher that the server sees, "" on a plain connection; else "error: code".
std::string cipher_of_executor(const server_address& address) {
    mysql_executor executor(address);
    const auto session = executor.connect();
    if (session.has_error()) return "error: " + session.error().code;
    const auto answer = (*session)->run("SHOW STATUS LIKE 'Ssl_cipher'");
    REQUIRE(answer.has_value());
    return answer->rows.at(0).at(1).value();
}

/// The same of a connection of our own, as the binlog stream has them: "TLS" or "".
std::string transport_of_stream(const server_address& address) {
    const auto connection = server_connection::open(address, server_connection::clock::now() + 20s);
    if (connection.has_error()) return "error: " + connection.error().code;
    return (*connection)->server_fingerprint().empty() ? "" : "TLS";
}

/// A certificate made out to 127.0.0.1, signed by itself, and its key.
void make_certificate(const std::filesystem::path& folder) {
    const std::string command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=sluice-test" +
                                std::string(" -addext subjectAltName=IP:127.0.0.1 -keyout '") +
                                (folder / "own-key.pem").string() + "' -out '" + (folder / "own-cert.pem").string() +
                                "' 2> /dev/null";
    REQUIRE(std::system(command.c_str()) == 0);  // NOLINT(cert-env33-c): fixed words and a folder of our own
}

}  // namespace

TEST_CASE("the engine's connections use TLS as they are told to") {
    auto server = start_server(server_kind::mysql_9_7);
    const auto servers_ca = (server.data_folder() / "ca.pem").string();
    make_certificate(server.folder());
    const auto other_ca = (server.folder() / "own-cert.pem").string();

    CHECK(cipher_of_executor(address_with(server, tls_mode::disabled)).empty());
    CHECK(transport_of_stream(address_with(server, tls_mode::disabled)).empty());
    for (const auto mode : {tls_mode::preferred, tls_mode::required}) {
        CHECK(cipher_of_executor(address_with(server, mode)).starts_with("TLS_"));
        CHECK(transport_of_stream(address_with(server, mode)) == "TLS");
    }
    // The server made its certificate by itself: signed by its own authority, made out to no host.
    CHECK(cipher_of_executor(address_with(server, tls_mode::verify_ca, servers_ca)).starts_with("TLS_"));
    CHECK(transport_of_stream(address_with(server, tls_mode::verify_ca, servers_ca)) == "TLS");
    CHECK(cipher_of_executor(address_with(server, tls_mode::verify_identity, servers_ca)) == "error: tls_failed");
    CHECK(transport_of_stream(address_with(server, tls_mode::verify_identity, servers_ca)) == "error: tls_failed");
    for (const auto mode : {tls_mode::verify_ca, tls_mode::verify_identity}) {
        CHECK(cipher_of_executor(address_with(server, mode, other_ca)) == "error: tls_failed");
        CHECK(transport_of_stream(address_with(server, mode, other_ca)) == "error: tls_failed");
        CHECK(cipher_of_executor(address_with(server, mode, "/no/such/file")) == "error: tls_failed");
        CHECK(transport_of_stream(address_with(server, mode, "/no/such/file")) == "error: tls_failed");
    }

    // With a certificate made out to the address, and a server that takes no plain connections from the network.
    server.restart({"--ssl-cert=" + other_ca, "--ssl-key=" + (server.folder() / "own-key.pem").string(),
                    "--require-secure-transport=ON"});
    CHECK(cipher_of_executor(address_with(server, tls_mode::verify_identity, other_ca)).starts_with("TLS_"));
    CHECK(transport_of_stream(address_with(server, tls_mode::verify_identity, other_ca)) == "TLS");
    auto by_name = address_with(server, tls_mode::verify_identity, other_ca);
    by_name.host = "localhost";
    CHECK(cipher_of_executor(by_name) == "error: tls_failed");
    CHECK(transport_of_stream(by_name) == "error: tls_failed");
    CHECK(cipher_of_executor(address_with(server, tls_mode::disabled)) == "error: server_error");
    CHECK(transport_of_stream(address_with(server, tls_mode::disabled)) == "error: server_error");
}

TEST_CASE("a server without TLS is used in plain only where that is allowed") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    const bool has_switch = kind == server_kind::mysql_9_7;  // the others have no certificate
    const auto server =
        start_server(kind, has_switch ? std::vector<std::string>{"--tls-version="} : std::vector<std::string>{});
    // Where the server knows a password by its hash alone, it asks for the password itself, encrypted.
    sluice::test::sql_connection(server.port()).exec("FLUSH PRIVILEGES");
    CHECK(cipher_of_executor(address_with(server, tls_mode::preferred)).empty());
    CHECK(transport_of_stream(address_with(server, tls_mode::preferred)).empty());
    for (const auto mode : {tls_mode::required, tls_mode::verify_ca, tls_mode::verify_identity}) {
        CHECK(cipher_of_executor(address_with(server, mode)) == "error: tls_failed");
        CHECK(transport_of_stream(address_with(server, mode)) == "error: tls_failed");
    }
}

TEST_CASE("a binary log comes through TLS, large events and slow ones") {
    const auto server = start_server(server_kind::mysql_9_7, {"--require-secure-transport=ON"});
    test::connect_options secure;
    secure.port = server.port();
    secure.tls = true;
    test::sql_connection root(secure);
    feed_start start;
    start.executed = binlog::gtid_set::parse(root.scalar("SELECT @@GLOBAL.gtid_executed")).value();
    binlog_stream_source source(address_with(server, tls_mode::required));
    auto feed = source.attach(start);
    INFO((feed.has_error() ? feed.error().message : std::string()));
    REQUIRE(feed.has_value());
    root.exec("CREATE TABLE test.large (id INT PRIMARY KEY, t LONGTEXT)");
    root.exec("INSERT INTO test.large VALUES (1, REPEAT('x', 3000000)), (2, 'y')");
    std::size_t largest = 0;
    const auto until = std::chrono::steady_clock::now() + 30s;
    while (largest < 3'000'000 && std::chrono::steady_clock::now() < until) {
        const auto event = (*feed)->next(100ms);
        INFO((event.has_error() ? event.error().message : std::string()));
        REQUIRE(event.has_value());
        if (*event) largest = std::max(largest, (*event)->size());
    }
    CHECK(largest > 3'000'000);
}
