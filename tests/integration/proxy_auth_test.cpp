// Logins in every combination of transports: what a client gives on its side must reach the server on the other, in the
// form that it takes there. The client is the real C library.

#include "bench/throwaway/child_process.hpp"
#include "bench/throwaway/programs.hpp"
#include "tests/integration/proxy_crossing.hpp"
#include "tests/integration/tls_authority.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <pwd.h>
#include <unistd.h>

namespace sluice::test {
namespace {

namespace fs = std::filesystem;

struct account {
    const char* user;
    const char* plugin;
    const char* password;
};

void make_account(sql_connection& root, const account& a) {
    if (root.scalar("SELECT COUNT(*) FROM mysql.user WHERE user = " + root.quote(a.user)) != "0") {
        root.exec("DROP USER " + std::string(a.user) + "@'%'");
    }
    root.exec("CREATE USER " + std::string(a.user) + "@'%' IDENTIFIED WITH " + a.plugin + " BY " +
              root.quote(a.password));
}

constexpr account sha2_accounts[] = {
    {"full", "caching_sha2_password", "a secret of some length: \xc3\xa4"},
    {"bare", "caching_sha2_password", ""},
    {"older", "sha256_password", "another secret"},
    {"older_bare", "sha256_password", ""},
};

TEST_CASE("every account of 9.7 logs in over every pair of transports") {
    auto root = connect(shared_server(server_kind::mysql_9_7));
    for (const auto& a : sha2_accounts) make_account(root, a);
    for (const auto to_server : every_way) {
        const crossing through(server_kind::mysql_9_7, to_server);
        for (const auto from_client : every_way) {
            for (const auto& a : sha2_accounts) {
                for (const char* begins_with : {a.plugin, "caching_sha2_password", "mysql_native_password"}) {
                    INFO(name_of(from_client)
                         << " to " << name_of(to_server) << ", " << a.user << ", begins with " << begins_with);
                    const auto options = through.as(from_client, a.user, a.password, begins_with);
                    root.exec("FLUSH PRIVILEGES");  // forgets what the plugin has cached
                    for (const char* cache : {"cold", "warm"}) {
                        INFO(cache);
                        sql_connection made(options);
                        CHECK(made.scalar("SELECT CURRENT_USER()") == std::string(a.user) + "@%");
                        const bool encrypted = made.query("SHOW STATUS LIKE 'Ssl_cipher'")[0][1] != "";
                        CHECK(encrypted == (to_server == way::tls));
                        CHECK((made.tls_cipher() != "") == (from_client == way::tls));
                    }
                    auto wrong = options;
                    wrong.password = "not the password";
                    for (const char* cache : {"cold", "warm"}) {
                        INFO(cache);
                        if (*cache == 'c') root.exec("FLUSH PRIVILEGES");
                        CHECK(login_error(wrong) == 1045);
                    }
                }
            }
        }
    }
}

TEST_CASE("a session changes its user over every pair of transports") {
    auto root = connect(shared_server(server_kind::mysql_9_7));
    for (const auto& a : sha2_accounts) make_account(root, a);
    for (const auto to_server : every_way) {
        const crossing through(server_kind::mysql_9_7, to_server);
        for (const auto from_client : every_way) {
            for (const auto& first : sha2_accounts) {
                INFO(name_of(from_client) << " to " << name_of(to_server) << ", beginning as " << first.user);
                sql_connection made(through.as(from_client, first.user, first.password, first.plugin));
                for (const auto& then : sha2_accounts) {
                    INFO("then as " << then.user);
                    root.exec("FLUSH PRIVILEGES");
                    made.change_user(then.user, then.password, "");
                    CHECK(made.scalar("SELECT CURRENT_USER()") == std::string(then.user) + "@%");
                }
                root.exec("FLUSH PRIVILEGES");
                CHECK_THROWS_WITH(made.change_user("full", "wrong", ""), Catch::Matchers::Contains("1045"));
            }
        }
    }
}

TEST_CASE("a client that holds Sluice's public key sends its password unasked, over every way to the server") {
    auto root = connect(shared_server(server_kind::mysql_9_7));
    const auto folder = shared_server(server_kind::mysql_9_7).folder();
    const auto servers_key = shared_server(server_kind::mysql_9_7).data_folder() / "public_key.pem";
    for (const auto& a : sha2_accounts) make_account(root, a);
    for (const auto to_server : every_way) {
        INFO("to the server: " << name_of(to_server));
        proxy::proxy_options options;
        const crossing shape(server_kind::mysql_9_7, to_server);
        options = shape.options(to_server, shared_server(server_kind::mysql_9_7));
        options.listen = {proxy::listen_endpoint{}};
        options.rsa_public_key_file = folder / "sluice.pub";
        const proxy_under_test proxied(server_kind::mysql_9_7, options);
        for (const auto& a : sha2_accounts) {
            INFO(a.user);
            connect_options client;
            client.port = proxied.port();
            client.user = a.user;
            client.password = a.password;
            client.plugin = a.plugin;
            client.server_public_key_file = (folder / "sluice.pub").string();
            root.exec("FLUSH PRIVILEGES");
            CHECK(login_error(client) == 0);
            if (*a.password == '\0') continue;
            // The server's own: a plain server reads it, behind TLS nobody does.
            client.server_public_key_file = servers_key.string();
            root.exec("FLUSH PRIVILEGES");
            const bool looks_secure = to_server == way::tls || (to_server == way::local && a.plugin[0] == 'c');
            CHECK(login_error(client) == (looks_secure ? 1043 : 0));
        }
    }
}

TEST_CASE("accounts of 5.6 and of MariaDB log in over every pair of transports") {
    for (const auto kind : {server_kind::mysql_5_6, server_kind::mariadb_10_11}) {
        auto& server = shared_server(kind);
        for (const auto to_server : {way::plain, way::local}) {
            const crossing through(kind, to_server, server);
            for (const auto from_client : every_way) {
                INFO(throwaway::to_string(kind) << ": " << name_of(from_client) << " to " << name_of(to_server));
                sql_connection made(through.as(from_client, app_user, app_password, ""));
                CHECK(made.scalar("SELECT CURRENT_USER()") == "app@%");
                made.change_user(sluice_user, sluice_password, "");
                CHECK(made.scalar("SELECT CURRENT_USER()") == "sluice@%");
                CHECK(login_error(through.as(from_client, app_user, "wrong", "")) == 1045);
            }
        }
    }
}

TEST_CASE("MariaDB's ed25519 and native accounts log in over every pair of transports") {
    const auto plugins = mariadb_plugins("auth_ed25519");
    server_options wanted;
    wanted.kind = server_kind::mariadb_10_11;
    tls_authority ca("the server's");
    const auto shown = ca.issue("mariadb");
    wanted.extra_arguments = {"--plugin-dir=" + plugins, "--plugin-load-add=auth_ed25519",
                              "--ssl-cert=" + shown.certificate.string(), "--ssl-key=" + shown.key.string()};
    auto server = mysql_server::start(wanted);
    auto root = connect(server);
    root.exec("CREATE USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('secret')");
    root.exec("CREATE USER native@'%' IDENTIFIED BY 'secret'");
    for (const auto to_server : every_way) {
        const crossing through(server_kind::mariadb_10_11, to_server, server);
        for (const auto from_client : every_way) {
            for (const std::string user : {"ed", "native"}) {
                INFO(user << ": " << name_of(from_client) << " to " << name_of(to_server));
                sql_connection made(through.as(from_client, user, "secret", ""));
                CHECK(made.scalar("SELECT CURRENT_USER()") == user + "@%");
                CHECK((made.scalar("SELECT VARIABLE_VALUE FROM information_schema.session_status WHERE VARIABLE_NAME = "
                                   "'Ssl_cipher'") != "") == (to_server == way::tls));
                made.change_user(user, "secret", "");
                CHECK(made.scalar("SELECT CURRENT_USER()") == user + "@%");
                CHECK(login_error(through.as(from_client, user, "wrong", "")) == 1045);
            }
        }
    }
}

// The client of the server's own tree, over TLS or not; its output.
std::string ask_by_program(std::uint16_t port, const std::vector<std::string>& arguments) {
    const auto output = shared_server(server_kind::mysql_9_7).folder() / "auth-output";
    fs::remove(output);
    throwaway::launch launch;
    launch.command = throwaway::client_command("mysql");
    for (const auto& argument :
         {std::string("--host=127.0.0.1"), "--port=" + std::to_string(port), std::string("--skip-column-names"),
          std::string("--batch"), std::string("--execute=SELECT CURRENT_USER()")}) {
        launch.command.push_back(argument);
    }
    launch.command.insert(launch.command.end(), arguments.begin(), arguments.end());
    launch.output = output;
    (void)throwaway::run(launch);
    std::ostringstream text;
    text << std::ifstream(output).rdbuf();
    return text.str();
}

TEST_CASE("a second factor is asked for and given through Sluice") {
    auto root = connect(shared_server(server_kind::mysql_9_7));
    // The second factor is who stands at the server's Unix socket, and that is this process.
    const std::string me = getpwuid(geteuid())->pw_name;
    if (root.scalar("SELECT COUNT(*) FROM information_schema.plugins WHERE plugin_name = 'auth_socket'") == "0") {
        root.exec("INSTALL PLUGIN auth_socket SONAME 'auth_socket.so'");
    }
    root.exec("DROP USER IF EXISTS twofold@localhost");
    root.exec("CREATE USER twofold@localhost IDENTIFIED BY 'first' AND IDENTIFIED WITH auth_socket AS '" + me + "'");
    const crossing through(server_kind::mysql_9_7, way::local);
    for (const char* tls : {"--ssl-mode=DISABLED", "--ssl-mode=REQUIRED"}) {
        INFO(tls);
        root.exec("FLUSH PRIVILEGES");
        const auto ask = [&](const std::string& password) {
            return ask_by_program(through.proxied.port(), {tls, "--get-server-public-key", "--user=twofold",
                                                           "--password1=" + password, "--password2=whatever"});
        };
        CHECK_THAT(ask("first"), Catch::Matchers::Contains("twofold@localhost"));
        CHECK_THAT(ask("wrong"), Catch::Matchers::Contains("1045"));
    }
}

TEST_CASE("the server's own client program logs in with and without TLS") {
    auto root = connect(shared_server(server_kind::mysql_9_7));
    for (const auto& a : sha2_accounts) make_account(root, a);
    for (const auto to_server : every_way) {
        const crossing through(server_kind::mysql_9_7, to_server);
        for (const char* tls : {"--ssl-mode=DISABLED", "--ssl-mode=PREFERRED", "--ssl-mode=REQUIRED"}) {
            for (const auto& a : sha2_accounts) {
                INFO(name_of(to_server) << " " << tls << " " << a.user);
                root.exec("FLUSH PRIVILEGES");
                const auto said = ask_by_program(
                    through.proxied.port(), {tls, "--get-server-public-key", "--default-auth=" + std::string(a.plugin),
                                             "--user=" + std::string(a.user), "--password=" + std::string(a.password)});
                CHECK_THAT(said, Catch::Matchers::Contains(std::string(a.user) + "@%"));
            }
        }
    }
}

}  // namespace
}  // namespace sluice::test
