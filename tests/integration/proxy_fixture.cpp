#include "tests/integration/proxy_fixture.hpp"

#include "tests/integration/tls_authority.hpp"

#include <map>

namespace sluice::test {
namespace {

// Finding an RSA key would be most of what a proxy's start takes.
const std::filesystem::path& shared_rsa_key() {
    static tls_authority keeper("the tests' keys");
    static const auto file = keeper.issue("rsa").key;
    return file;
}

}  // namespace

mysql_server& shared_server(server_kind kind) {
    static std::map<server_kind, mysql_server> servers;
    const auto found = servers.find(kind);
    if (found != servers.end()) return found->second;
    server_options options;
    options.kind = kind;
    options.extra_arguments = {"--max-allowed-packet=67108864", "--local-infile=1"};
    return servers.emplace(kind, mysql_server::start(options)).first->second;
}

proxy_under_test::proxy_under_test(server_kind server, proxy::proxy_options options) : kind(server) {
    if (options.server_port == 3306) options.server_port = shared_server(kind).port();
    if (options.rsa_key_file.empty()) options.rsa_key_file = shared_rsa_key();
    auto started = proxy::proxy_server::start(std::move(options));
    REQUIRE(started.has_value());
    proxy = std::move(*started);
}

raw_client proxy_under_test::client(protocol::capability_flags more, protocol::capability_flags less) const {
    protocol::client_login login;
    login.user = app_user;
    login.password = app_password;
    login.database = "test";
    login.capabilities |= more;
    login.capabilities &= ~less;
    raw_client made(port(), 20s);
    made.login(login);
    return made;
}

sql_connection proxy_under_test::connection() const { return sql_connection(port(), app_user, app_password, "test"); }

void make_table(server_kind kind, const std::string& table, int count) {
    auto root = connect(shared_server(kind), "test");
    root.exec("DROP TABLE IF EXISTS " + table);
    root.exec("CREATE TABLE " + table + " (id INT PRIMARY KEY, v VARCHAR(100)) ENGINE=InnoDB");
    for (int id = 1; id <= count; ++id) {
        root.exec("INSERT INTO " + table + " VALUES (" + std::to_string(id) + ", 'row " + std::to_string(id) + "')");
    }
}

}  // namespace sluice::test
