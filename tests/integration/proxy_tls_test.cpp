// TLS on both sides of the proxy: modes, certificates, reload, resumption. What attackers and bad luck do to a
// handshake is in proxy_handshake_test.cpp; who may log in how is in proxy_auth_test.cpp.

#include "tests/integration/proxy_fixture.hpp"
#include "tests/integration/tls_authority.hpp"

#include <atomic>
#include <fstream>

namespace sluice::test {
namespace {

namespace fs = std::filesystem;
using proxy::client_certificate_mode;
using proxy::client_tls_mode;
using proxy::server_tls_mode;

connect_options library_options(std::uint16_t port, bool tls) {
    connect_options options;
    options.port = port;
    options.user = app_user;
    options.password = app_password;
    options.tls = tls;
    return options;
}

struct outcome {
    unsigned error = 0;
    std::string text;
};

outcome try_library(const connect_options& options) {
    try {
        sql_connection made(options);
        return {0, made.scalar("SELECT CURRENT_USER()")};
    } catch (const sql_error& failure) {
        return {failure.number(), failure.what()};
    }
}

/// A 9.7 server that shows a certificate of this authority.
mysql_server start_with(const issued_certificate& shown, const tls_authority& ca, std::vector<std::string> more = {}) {
    server_options options;
    options.extra_arguments = {"--ssl-ca=" + ca.ca_file().string(), "--ssl-cert=" + shown.certificate.string(),
                               "--ssl-key=" + shown.key.string()};
    options.extra_arguments.insert(options.extra_arguments.end(), more.begin(), more.end());
    return mysql_server::start(options);
}

bool server_side_encrypted(sql_connection& through) {
    return through.query("SHOW STATUS LIKE 'Ssl_cipher'")[0][1] != "";
}

TEST_CASE("modes of both sides decide who has TLS, and nobody is downgraded in silence") {
    auto& with_tls = shared_server(server_kind::mysql_9_7);
    server_options bare_options;
    bare_options.extra_arguments = {"--tls-version="};
    auto without_tls = mysql_server::start(bare_options);
    struct row {
        client_tls_mode clients;
        server_tls_mode server;
        bool server_has_tls;
        bool client_asks;
        unsigned error;  // 0: logged in
        bool server_encrypted;
        bool client_encrypted;  // the library goes on without TLS that is not offered, unless it is to check the name
    };
    const row rows[] = {
        {client_tls_mode::disabled, server_tls_mode::disabled, true, false, 0, false, false},
        {client_tls_mode::disabled, server_tls_mode::disabled, true, true, 0, false, false},
        {client_tls_mode::disabled, server_tls_mode::preferred, true, false, 0, true, false},
        {client_tls_mode::disabled, server_tls_mode::preferred, false, false, 0, false, false},
        {client_tls_mode::disabled, server_tls_mode::required, false, false, 1429, false, false},
        {client_tls_mode::preferred, server_tls_mode::disabled, true, true, 0, false, true},
        {client_tls_mode::preferred, server_tls_mode::disabled, true, false, 0, false, false},
        {client_tls_mode::preferred, server_tls_mode::required, true, false, 0, true, false},
        {client_tls_mode::preferred, server_tls_mode::required, false, true, 1429, false, false},
        {client_tls_mode::preferred, server_tls_mode::as_client, true, true, 0, true, true},
        {client_tls_mode::preferred, server_tls_mode::as_client, true, false, 0, false, false},
        {client_tls_mode::preferred, server_tls_mode::as_client, false, false, 0, false, false},
        {client_tls_mode::preferred, server_tls_mode::as_client, false, true, 0, false, false},
        {client_tls_mode::required, server_tls_mode::disabled, true, true, 0, false, true},
        {client_tls_mode::required, server_tls_mode::disabled, true, false, 3159, false, false},
        {client_tls_mode::required, server_tls_mode::as_client, false, true, 1429, false, false},
    };
    for (const auto& r : rows) {
        INFO("clients " << static_cast<int>(r.clients) << ", server " << static_cast<int>(r.server) << ", it has TLS "
                        << r.server_has_tls << ", the client asks " << r.client_asks);
        proxy::proxy_options options;
        options.tls.client.mode = r.clients;
        options.tls.server.mode = r.server;
        options.server_port = r.server_has_tls ? with_tls.port() : without_tls.port();
        const proxy_under_test proxied(server_kind::mysql_9_7, options);
        const auto said = try_library(library_options(proxied.port(), r.client_asks));
        CAPTURE(said.text);
        if (r.error != 0) {
            // What comes in front of TLS that was asked for is quoted by the library, not believed.
            CHECK(said.error != 0);
            CHECK_THAT(said.text, Catch::Matchers::Contains(r.error == 1429 ? "does not offer TLS" : "proxy.tls"));
            if (!r.client_asks) CHECK(said.error == r.error);
            continue;
        }
        CHECK(said.error == 0);
        if (said.error != 0) continue;
        sql_connection made(library_options(proxied.port(), r.client_asks));
        CHECK(server_side_encrypted(made) == r.server_encrypted);
        const auto views = proxied.proxy->sessions();
        const auto mine = std::find_if(views.begin(), views.end(),
                                       [&](const auto& v) { return v.connection_id == made.connection_id(); });
        REQUIRE(mine != views.end());
        CHECK(mine->client_tls == (r.client_encrypted ? "TLSv1.3" : ""));
        CHECK(mine->server_tls == (r.server_encrypted ? "TLSv1.3" : ""));
    }
}

TEST_CASE("a server that demands TLS gets it, and refuses in its own words otherwise") {
    server_options strict;
    strict.extra_arguments = {"--require-secure-transport=ON"};
    auto server = mysql_server::start(strict);
    proxy::proxy_options options;
    options.server_port = server.port();
    options.tls.server.mode = server_tls_mode::preferred;
    const proxy_under_test encrypted(server_kind::mysql_9_7, options);
    CHECK(try_library(library_options(encrypted.port(), false)).text == "app@%");
    options.tls.server.mode = server_tls_mode::disabled;
    const proxy_under_test plain(server_kind::mysql_9_7, options);
    CHECK(try_library(library_options(plain.port(), false)).error == 3159);
}

TEST_CASE("the server's certificate is checked as far as the mode says") {
    tls_authority ca("right CA");
    tls_authority foreign("foreign CA");
    auto good = start_with(ca.issue("by-address", "IP:127.0.0.1,DNS:db.example"), ca);
    auto expired = start_with(ca.issue("expired", "IP:127.0.0.1", -1), ca);
    auto elsewhere = start_with(ca.issue("elsewhere", "DNS:elsewhere.example"), ca);
    struct row {
        const mysql_server& server;
        server_tls_mode mode;
        const tls_authority& believed;
        const char* host;
        const char* reason;  // in the error; empty: logged in
    };
    const row rows[] = {
        {good, server_tls_mode::verify_ca, ca, "127.0.0.1", ""},
        {good, server_tls_mode::verify_identity, ca, "127.0.0.1", ""},
        {good, server_tls_mode::verify_identity, ca, "localhost", "hostname mismatch"},
        {good, server_tls_mode::verify_ca, ca, "localhost", ""},
        {good, server_tls_mode::verify_ca, foreign, "127.0.0.1", "certificate verify failed"},
        {good, server_tls_mode::required, foreign, "127.0.0.1", ""},
        {elsewhere, server_tls_mode::verify_ca, ca, "127.0.0.1", ""},
        {elsewhere, server_tls_mode::verify_identity, ca, "127.0.0.1", "IP address mismatch"},
        {expired, server_tls_mode::verify_ca, ca, "127.0.0.1", "certificate has expired"},
        {expired, server_tls_mode::required, ca, "127.0.0.1", ""},
    };
    for (const auto& r : rows) {
        INFO("mode " << static_cast<int>(r.mode) << ", host " << r.host << ", expects: " << r.reason);
        proxy::proxy_options options;
        options.server_host = r.host;
        options.server_port = r.server.port();
        options.tls.server.mode = r.mode;
        if (r.mode != server_tls_mode::required) options.tls.server.ca_file = r.believed.ca_file();
        const proxy_under_test proxied(server_kind::mysql_9_7, options);
        const auto said = try_library(library_options(proxied.port(), false));
        CAPTURE(said.text);
        if (*r.reason == '\0') {
            CHECK(said.error == 0);
            continue;
        }
        CHECK(said.error == 1429);
        CHECK_THAT(said.text, Catch::Matchers::Contains(r.reason));
        CHECK_THAT(said.text, Catch::Matchers::Contains(r.host));
    }
}

TEST_CASE("a name in the server's certificate is the configured one") {
    tls_authority ca("CA");
    auto server = start_with(ca.issue("named", "DNS:localhost"), ca);
    proxy::proxy_options options;
    options.server_host = "localhost";
    options.server_port = server.port();
    options.tls.server.mode = server_tls_mode::verify_identity;
    options.tls.server.ca_file = ca.ca_file();
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    CHECK(try_library(library_options(proxied.port(), false)).text == "app@%");
}

TEST_CASE("clients show certificates, and so does Sluice to a server that asks") {
    tls_authority ca("clients' CA");
    tls_authority foreign("foreign CA");
    const auto shown = ca.issue("proxy", "IP:127.0.0.1");
    const auto mine = ca.issue("client");
    const auto expired = ca.issue("expired client", "", -1);
    const auto strange = foreign.issue("stranger");
    const auto login = [&](std::uint16_t port, const issued_certificate* certificate) {
        auto options = library_options(port, true);
        options.tls_ca_file = ca.ca_file().string();
        if (certificate != nullptr) {
            options.tls_cert_file = certificate->certificate.string();
            options.tls_key_file = certificate->key.string();
        }
        return try_library(options).error;
    };
    for (const auto mode :
         {client_certificate_mode::none, client_certificate_mode::optional, client_certificate_mode::required}) {
        INFO("client certificates: " << static_cast<int>(mode));
        proxy::proxy_options options;
        options.tls.client = {client_tls_mode::required, shown.certificate, shown.key, ca.ca_file(), mode};
        const proxy_under_test proxied(server_kind::mysql_9_7, options);
        CHECK(login(proxied.port(), &mine) == 0);
        CHECK((login(proxied.port(), nullptr) == 0) == (mode != client_certificate_mode::required));
        CHECK((login(proxied.port(), &strange) == 0) == (mode == client_certificate_mode::none));
        CHECK((login(proxied.port(), &expired) == 0) == (mode == client_certificate_mode::none));
        CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 0; }));
    }

    auto server = start_with(ca.issue("server", "IP:127.0.0.1"), ca);
    connect(server).exec("CREATE USER certified@'%' IDENTIFIED BY 'secret' REQUIRE SUBJECT '/CN=client'");
    for (const bool shows : {false, true}) {
        proxy::proxy_options options;
        options.server_port = server.port();
        options.tls.server = {server_tls_mode::verify_ca, ca.ca_file(), {}, {}};
        if (shows) {
            options.tls.server.certificate_file = mine.certificate;
            options.tls.server.key_file = mine.key;
        }
        const proxy_under_test proxied(server_kind::mysql_9_7, options);
        auto as = library_options(proxied.port(), false);
        as.user = "certified";
        as.password = "secret";
        CHECK(try_library(as).error == (shows ? 0 : 1045));
    }
}

TEST_CASE("sessions with the server are resumed") {
    proxy::proxy_options options;
    options.io_threads = 1;
    options.tls.server.mode = server_tls_mode::required;
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    const auto reused = [&] {
        auto made = proxied.connection();
        return made.query("SHOW STATUS LIKE 'Ssl_session_reused'");
    };
    auto root = connect(shared_server(server_kind::mysql_9_7));
    const auto hits = [&] {
        return std::stoi(root.query("SHOW GLOBAL STATUS LIKE 'Ssl_session_cache_hits'")[0][1].value());
    };
    (void)reused();
    const int before = hits();
    for (int i = 0; i < 3; ++i) (void)reused();
    CHECK(hits() >= before + 3);
}

TEST_CASE("certificates are reloaded under traffic, and bad ones are not") {
    tls_authority ca("CA");
    tls_authority next_ca("next CA");
    const auto first = ca.issue("first", "IP:127.0.0.1");
    const auto second = next_ca.issue("second", "IP:127.0.0.1");
    const auto in_force = ca.folder() / "in-force.pem";
    const auto its_key = ca.folder() / "in-force.key";
    const auto install = [&](const issued_certificate& from) {
        fs::copy_file(from.certificate, in_force, fs::copy_options::overwrite_existing);
        fs::copy_file(from.key, its_key, fs::copy_options::overwrite_existing);
    };
    install(first);
    proxy::proxy_options options;
    options.tls.client = {client_tls_mode::preferred, in_force, its_key, {}, client_certificate_mode::none};
    options.tls.server.mode = server_tls_mode::required;
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    const auto login_under = [&](const tls_authority& believed) {
        auto client = library_options(proxied.port(), true);
        client.tls_ca_file = believed.ca_file().string();
        return try_library(client).error;
    };
    CHECK(login_under(ca) == 0);
    CHECK(login_under(next_ca) != 0);

    std::atomic<bool> going = true;
    std::atomic<int> done = 0;
    std::atomic<int> failed = 0;
    std::thread traffic([&] {
        sql_connection lasting(library_options(proxied.port(), true));
        while (going) {
            if (try_library(library_options(proxied.port(), true)).error != 0) ++failed;
            if (lasting.error_of("SELECT 1") != 0) ++failed;
            ++done;
        }
    });
    CHECK(eventually([&] { return done > 3; }));

    fs::copy_file(second.certificate, in_force, fs::copy_options::overwrite_existing);
    auto refused = proxied.proxy->reload_tls();  // the key is still the old one's
    REQUIRE(refused.has_error());
    CHECK_THAT(refused.error().message, Catch::Matchers::Contains(its_key.string()));
    CHECK_THAT(refused.error().message, Catch::Matchers::Contains("private key"));
    std::ofstream(in_force) << "no certificate";
    refused = proxied.proxy->reload_tls();
    REQUIRE(refused.has_error());
    CHECK_THAT(refused.error().message, Catch::Matchers::StartsWith(in_force.string()));
    fs::remove(in_force);
    CHECK(proxied.proxy->reload_tls().has_error());
    CHECK(login_under(ca) == 0);

    install(second);
    const auto reloaded = proxied.proxy->reload_tls();
    REQUIRE(reloaded.has_value());
    CHECK(reloaded->for_clients.subject == "CN=second");
    CHECK(reloaded->for_clients.issuer == "CN=next CA");
    CHECK_FALSE(reloaded->for_clients.is_self_made);
    CHECK(reloaded->for_server.subject.empty());
    CHECK(login_under(next_ca) == 0);
    CHECK(login_under(ca) != 0);
    const int so_far = done;
    CHECK(eventually([&] { return done > so_far + 3; }));
    going = false;
    traffic.join();
    CHECK(failed == 0);
}

TEST_CASE("settings that cannot work are refused at the start, naming the file") {
    tls_authority ca("CA");
    const auto one = ca.issue("one");
    const auto two = ca.issue("two");
    const auto refusal = [](proxy::proxy_options options) {
        const auto started = proxy::proxy_server::start(std::move(options));
        REQUIRE(started.has_error());
        return started.error().message;
    };
    proxy::proxy_options options;
    options.tls.client = {client_tls_mode::preferred, one.certificate, two.key, {}, client_certificate_mode::none};
    CHECK_THAT(refusal(options), Catch::Matchers::StartsWith(two.key.string() + ": "));
    options.tls.client.certificate_file = "/nowhere.pem";
    CHECK_THAT(refusal(options), Catch::Matchers::StartsWith("/nowhere.pem: "));
    options.tls.client = {client_tls_mode::required, one.certificate, one.key, one.key,
                          client_certificate_mode::required};
    CHECK_THAT(refusal(options), Catch::Matchers::StartsWith(one.key.string() + ": "));
    options.tls.client = {};
    options.tls.server = {server_tls_mode::verify_ca, one.key, {}, {}};
    CHECK_THAT(refusal(options), Catch::Matchers::StartsWith(one.key.string() + ": "));
    options.tls.server = {};
    options.rsa_key_file = one.certificate;
    CHECK_THAT(refusal(options), Catch::Matchers::StartsWith(one.certificate.string() + ": "));
    options.rsa_key_file = one.key;
    options.rsa_public_key_file = "/nowhere/rsa.pub";
    CHECK_THAT(refusal(options), Catch::Matchers::StartsWith("/nowhere/rsa.pub: "));
}

TEST_CASE("Sluice's RSA key is the configured one, and is handed out in the file") {
    tls_authority ca("CA");
    const auto pair = ca.issue("pair");
    proxy::proxy_options options;
    options.rsa_key_file = pair.key;
    options.rsa_public_key_file = ca.folder() / "rsa.pub";
    std::string before;
    for (int start = 0; start < 2; ++start) {
        const proxy_under_test proxied(server_kind::mysql_9_7, options);
        std::stringstream text;
        text << std::ifstream(options.rsa_public_key_file).rdbuf();
        CHECK_THAT(text.str(), Catch::Matchers::StartsWith("-----BEGIN PUBLIC KEY-----"));
        if (start == 1) CHECK(text.str() == before);
        before = text.str();
    }
}

TEST_CASE("a server that speaks only what is not secure any more is refused in words") {
    tls_authority ca("CA");
    const auto shown = ca.issue("old", "IP:127.0.0.1");
    server_options old;
    old.kind = server_kind::mysql_5_6;
    old.extra_arguments = {"--ssl-ca=" + ca.ca_file().string(), "--ssl-cert=" + shown.certificate.string(),
                           "--ssl-key=" + shown.key.string()};
    auto server = mysql_server::start(old);
    proxy::proxy_options options;
    options.server_port = server.port();
    options.tls.server.mode = server_tls_mode::preferred;
    const proxy_under_test proxied(server_kind::mysql_5_6, options);
    const auto said = try_library(library_options(proxied.port(), false));
    CHECK(said.error == 1429);
    CHECK_THAT(said.text, Catch::Matchers::Contains("TLS: "));
}

TEST_CASE("MariaDB over TLS on both sides") {
    tls_authority ca("CA");
    const auto shown = ca.issue("maria", "IP:127.0.0.1");
    server_options wanted;
    wanted.kind = server_kind::mariadb_10_11;
    wanted.extra_arguments = {"--ssl-ca=" + ca.ca_file().string(), "--ssl-cert=" + shown.certificate.string(),
                              "--ssl-key=" + shown.key.string()};
    auto server = mysql_server::start(wanted);
    proxy::proxy_options options;
    options.server_port = server.port();
    options.tls.client.mode = client_tls_mode::preferred;
    options.tls.server = {server_tls_mode::verify_identity, ca.ca_file(), {}, {}};
    const proxy_under_test proxied(server_kind::mariadb_10_11, options);
    for (const bool tls : {false, true}) {
        sql_connection made(library_options(proxied.port(), tls));
        CHECK(server_side_encrypted(made));
        made.change_user(sluice_user, sluice_password, "");
        CHECK(made.scalar("SELECT CURRENT_USER()") == "sluice@%");
    }
}

TEST_CASE("large results and statements cross TLS whole, in both directions") {
    proxy::proxy_options options;
    options.tls.client.mode = client_tls_mode::required;
    options.tls.server.mode = server_tls_mode::required;
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    sql_connection made(library_options(proxied.port(), true));
    made.exec("SET SESSION max_execution_time = 0");
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{16'000}, std::size_t{17'000'000}, std::size_t{40} << 20U}) {
        INFO(size);
        std::string text(size, 'x');
        for (std::size_t at = 0; at < size; at += 997) text[at] = static_cast<char>('a' + at % 26);
        CHECK(made.scalar("SELECT '" + text + "'") == text);
    }
}

}  // namespace
}  // namespace sluice::test
