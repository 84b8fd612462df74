#include "proxy/main/config.hpp"
#include "migration/model/option_fields.hpp"
#include "tests/support/catch.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

using namespace sluice;

/// A folder with the two secret files that a good configuration names.
struct folder {
    folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "sluice-config-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path = pattern;
        write("engine.password", "engine-secret\n", 0600);
        write("admin.token", "0123456789abcdef\n", 0600);
    }
    ~folder() { std::filesystem::remove_all(path); }
    void write(const std::string& name, const std::string& text, ::mode_t mode) const {
        std::ofstream(path / name, std::ios::binary) << text;
        REQUIRE(::chmod((path / name).c_str(), mode) == 0);
    }
    std::filesystem::path path;
};

const std::string engine = "[engine]\nuser = \"sluice\"\npassword_file = \"engine.password\"\n";
const std::string admin_section = "[admin]\ntoken_file = \"admin.token\"\n";

std::optional<std::string> test_environment(const std::string& name) {
    if (name == "SECRET") return "from-the-environment";
    return std::nullopt;
}

config_outcome parse(const folder& f, const std::string& text) {
    return parse_config(text, f.path / "sluice.toml", test_environment);
}

}  // namespace

TEST_CASE("the smallest configuration has defaults for the rest", "[config]") {
    const folder f;
    const auto made = parse(f, engine + admin_section);
    REQUIRE(made);
    REQUIRE(made->proxy.listen.size() == 1);
    CHECK(made->proxy.listen[0].address == "127.0.0.1");
    CHECK(made->proxy.listen[0].port == 6033);
    CHECK(made->proxy.listen[0].unix_path.empty());
    CHECK(made->proxy.proxy_protocol_networks.empty());
    CHECK(made->proxy.server_wait.count() == 0);
    CHECK_FALSE(made->proxy.server_proxy_protocol);
    CHECK(made->proxy.server_client_attributes);
    CHECK(made->proxy.server_host == "127.0.0.1");
    CHECK(made->proxy.server_port == 3306);
    CHECK(made->proxy.io_threads >= 1);
    CHECK(made->engine.user == "sluice");
    CHECK(made->engine.password == "engine-secret");
    CHECK(made->engine.port == 3306);
    CHECK(made->admin.port == 6034);
    CHECK(made->admin.address == "127.0.0.1");
    REQUIRE(made->admin_token);
    CHECK(made->admin_token->accepts("Bearer 0123456789abcdef"));
    CHECK(made->state_schema == "_sluice");
    CHECK(made->log.level == "info");
    CHECK(made->log.file.empty());
    const migration::migration_options defaults;
    for (const auto& field : migration::option_fields()) CHECK(same_value(field, made->migration_defaults, defaults));
}

TEST_CASE("the example has every key, and with its default", "[config]") {
    const folder f;
    std::ifstream file(std::string(SLUICE_FIXTURES) + "/../../configs/sluice.toml");
    REQUIRE(file);
    std::stringstream text;
    text << file.rdbuf();
    const auto example = parse(f, text.str());
    REQUIRE(example);
    const auto smallest = parse(f, engine + admin_section);
    REQUIRE(smallest);
    CHECK(example->settings == smallest->settings);
    for (const auto& [key, value] : example->settings) {
        CAPTURE(key);
        const std::string name = key.substr(key.find('.') + 1);
        const bool explained = text.str().find("\n" + name + " = ") != std::string::npos ||
                               text.str().find("\n# " + name + " = ") != std::string::npos;
        CHECK(explained);
    }
}

TEST_CASE("every value arrives where it belongs", "[config]") {
    const folder f;
    const auto made = parse(f, R"([proxy]
listen = ["unix:run/a.sock", "[::1]:4000", "localhost:4002"]
listen_unix_mode = "750"
proxy_protocol_networks = ["10.0.0.0/8", "unix"]
threads = 3
connections_max = 10
unauthenticated_max = 5
connect_limit_ms = 100
login_limit_ms = 200
login_packet_bytes_max = 8192
held_statements_max = 7
held_bytes_max = 4096
release_burst = 2
drain_limit_s = 9
tls = "required"
tls_cert_file = "tls/cert.pem"
tls_key_file = "/elsewhere/key.pem"
tls_client_ca_file = "clients.pem"
tls_client_cert = "optional"
rsa_key_file = "rsa.pem"
rsa_public_key_file = "rsa.pub"
[server]
tls = "verify_identity"
tls_ca_file = "ca.pem"
tls_cert_file = "own.pem"
tls_key_file = "own.key"
host = "db.example"
port = 3307
wait_ms = 1500
proxy_protocol = true
client_address_attributes = false
[engine]
user = "eng"
password_env = "SECRET"
connect_limit_s = 4
state_schema = "jobs"
[admin]
listen = "0.0.0.0:4001"
allow_non_loopback = true
token_file = "admin.token"
connections_max = 6
request_limit_ms = 300
idle_limit_ms = 400
body_bytes_max = 2048
[migration]
hold_budget_ms = 250
postpone_cutover = true
time_zone = "-03:30"
[log]
level = "debug"
file = "logs/sluice.log"
)");
    if (made.has_error()) FAIL(made.error().front().text());
    const auto& p = made->proxy;
    REQUIRE(p.listen.size() == 3);
    CHECK(p.listen[0].unix_path == (f.path / "run/a.sock").string());
    CHECK(p.listen[1].address == "::1");
    CHECK(p.listen[1].port == 4000);
    CHECK(p.listen[1].unix_path.empty());
    CHECK(p.listen[2].address == "127.0.0.1");
    CHECK(p.listen_unix_mode == 0750);
    CHECK(p.proxy_protocol_networks == std::vector<std::string>{"10.0.0.0/8", "unix"});
    CHECK(p.server_wait == std::chrono::milliseconds(1500));
    CHECK(p.server_proxy_protocol);
    CHECK_FALSE(p.server_client_attributes);
    CHECK(p.io_threads == 3);
    CHECK(p.connections_max == 10);
    CHECK(p.unauthenticated_max == 5);
    CHECK(p.connect_limit == std::chrono::milliseconds(100));
    CHECK(p.login_limit == std::chrono::milliseconds(200));
    CHECK(p.login_packet_bytes_max == 8192);
    CHECK(p.held_statements_max == 7);
    CHECK(p.held_bytes_max == 4096);
    CHECK(p.release_burst == 2);
    CHECK(p.server_host == "db.example");
    CHECK(p.server_port == 3307);
    CHECK(made->drain_limit == std::chrono::seconds(9));
    CHECK(p.tls.client.mode == proxy::client_tls_mode::required);
    CHECK(p.tls.client.certificate_file == f.path / "tls/cert.pem");
    CHECK(p.tls.client.key_file == "/elsewhere/key.pem");
    CHECK(p.tls.client.client_ca_file == f.path / "clients.pem");
    CHECK(p.tls.client.client_certificate == proxy::client_certificate_mode::optional);
    CHECK(p.tls.server.mode == proxy::server_tls_mode::verify_identity);
    CHECK(p.tls.server.ca_file == f.path / "ca.pem");
    CHECK(p.tls.server.certificate_file == f.path / "own.pem");
    CHECK(p.tls.server.key_file == f.path / "own.key");
    CHECK(p.rsa_key_file == f.path / "rsa.pem");
    CHECK(p.rsa_public_key_file == f.path / "rsa.pub");
    CHECK(made->engine.host == "db.example");
    CHECK(made->engine.port == 3307);
    CHECK(made->engine.user == "eng");
    CHECK(made->engine.password == "from-the-environment");
    CHECK(made->engine_connect_limit == std::chrono::seconds(4));
    CHECK(made->state_schema == "jobs");
    CHECK(made->admin.address == "0.0.0.0");
    CHECK(made->admin.port == 4001);
    CHECK(made->admin.allow_non_loopback);
    CHECK(made->admin.connections_max == 6);
    CHECK(made->admin.request_limit == std::chrono::milliseconds(300));
    CHECK(made->admin.idle_limit == std::chrono::milliseconds(400));
    CHECK(made->admin.body_bytes_max == 2048);
    CHECK(made->migration_defaults.hold_budget == std::chrono::milliseconds(250));
    CHECK(made->migration_defaults.postpone_cutover);
    CHECK(made->migration_defaults.time_zone == "-03:30");
    CHECK(made->log.level == "debug");
    CHECK(made->log.file == f.path / "logs/sluice.log");
}

TEST_CASE("the server may be behind a socket, for the proxy and for the engine", "[config]") {
    const folder f;
    const auto made = parse(f, "[server]\nsocket = \"mysqld.sock\"\n" + engine + admin_section);
    REQUIRE(made);
    CHECK(made->proxy.server_socket == (f.path / "mysqld.sock").string());
    CHECK(made->engine.unix_socket == made->proxy.server_socket);
}

TEST_CASE("a wrong configuration is refused with line, key and what would be right", "[config]") {
    const folder f;
    f.write("open.token", "0123456789abcdef\n", 0644);
    f.write("short.token", "short\n", 0600);
    struct row {
        std::string text;
        unsigned line;
        const char* message;  // must be part of it
    };
    const std::string rest = engine + admin_section;  // 5 lines
    const row rows[] = {
        {rest + "[proxy]\nlisten = 6033\n", 7,
         "`proxy.listen` must be a string or an array of strings, not a whole number"},
        {rest + "[proxy]\nlisten = \"6033\"\n", 7, "`proxy.listen` must be address:port"},
        {rest + "[proxy]\nlisten = \"db.example:6033\"\n", 7, "`proxy.listen` must be address:port"},
        {rest + "[proxy]\nlisten = \"127.0.0.1:66000\"\n", 7, "`proxy.listen` must be address:port"},
        {rest + "[proxy]\nlisten = []\n", 7, "`proxy.listen` must have an address"},
        {rest + "[proxy]\nlisten = [\"127.0.0.1:1\", 2]\n", 7, "must be a string or an array of strings, not an array"},
        {rest + "[proxy]\nlisten = [\"127.0.0.1:1\", \"x\"]\n", 7, "not \"x\""},
        {rest + "[proxy]\nlisten = \"unix:\"\n", 7, "`proxy.listen` must have a path"},
        {rest + "[proxy]\nlisten = \"unix:/" + std::string(107, 'p') + "\"\n", 7,
         "of 108 bytes, and the system takes 107"},
        {rest + "[proxy]\nlisten_unix_mode = \"0888\"\n", 7, "permissions in octal digits"},
        {rest + "[proxy]\nlisten_unix_mode = \"1777\"\n", 7, "permissions in octal digits"},
        {rest + "[proxy]\nlisten_unix_mode = 777\n", 7, "must be a string"},
        {rest + "[proxy]\nproxy_protocol_networks = [\"10.0.0.1/8\"]\n", 7, "not \"10.0.0.1/8\""},
        {rest + "[server]\nsocket = \"/s\"\nport = 1\n", 7, "exclude each other"},
        {rest + "[server]\nsocket = \"/" + std::string(107, 's') + "\"\n", 7,
         "`server.socket` has a socket's path of 108"},
        {rest + "[server]\nwait_ms = -1\n", 7, "`server.wait_ms` must be a whole number from 0 to 3600000"},
        {rest + "[proxy]\n\nthreads = 300\n", 8, "`proxy.threads` must be a whole number from 0 to 256, not 300"},
        {rest + "[proxy]\nthreads = 2.5\n", 7, "not a number with a fraction"},
        {rest + "[proxy]\nthreads = \"2\"\n", 7, "not a string"},
        {rest + "[proxy]\ntls = \"maybe\"\n", 7,
         "must be one of \"disabled\", \"preferred\", \"required\", not \"maybe\""},
        {rest + "[proxy]\ntls_cert_file = \"c\"\n", 7, "`proxy.tls_cert_file` and its other half go together"},
        {rest + "[proxy]\ntls_key_file = \"k\"\n", 7, "`proxy.tls_key_file` and its other half go together"},
        {rest + "[proxy]\ntls_client_cert = \"optional\"\n", 7, "needs `proxy.tls_client_ca_file`"},
        {rest + "[proxy]\ntls_client_ca_file = \"c\"\ntls_client_cert = \"required\"\n", 8,
         "cannot be \"required\" unless `proxy.tls` is"},
        {rest + "[server]\ntls = \"verify-ca\"\n", 7, "\"verify_ca\""},
        {rest + "[server]\ntls_ca_file = \"c\"\n", 7, "is not looked at unless"},
        {rest + "[server]\ntls_key_file = \"k\"\n", 7, "`server.tls_key_file` and its other half go together"},
        {rest + "[server]\ntls = \"as_client\"\n[proxy]\ntls = \"disabled\"\n", 7, "no client would ever have it"},
        {rest + "[proxy]\nlogin_limit_s = 3\n", 7,
         "unknown key `proxy.login_limit_s` (did you mean `login_limit_ms`?)"},
        {rest + "[proxi]\n", 6, "unknown section `proxi` (did you mean `proxy`?)"},
        {"threads = 2\n" + rest, 1, "unknown section `threads`"},
        {"proxy = 3\n" + rest, 1, "`proxy` must be a section"},
        {rest + "[server]\nport = 0\n", 7, "from 1 to 65535"},
        {rest + "[server]\nhost = \"\"\n", 7, "`server.host` must not be empty"},
        {rest + "[log]\nlevel = \"loud\"\n", 7, "\"trace\", \"debug\""},
        {rest + "[migration]\nhold_budget_ms = 5\n", 7,
         "`migration.hold_budget_ms` must be a whole number from 10 to 10000"},
        {rest + "[migration]\npostpone_cutover = \"yes\"\n", 7, "must be true or false, not a string"},
        {rest + "[migration]\npostpone_cutover = 2020-01-01\n", 7, "not a date or time"},
        {rest + "[migration]\ntime_zone = \"+2\"\n", 7, "`migration.time_zone` must be a text of up to 64 characters"},
        {rest + "[migration]\ntrigger_suffix = 7\n", 7, "must be a string, not a whole number"},
        {rest + "[server\n", 6, "not TOML"},
        {rest + "[admin]\n", 6, "not TOML"},
        {admin_section, 0, "`engine.user` is missing"},
        {admin_section + "[engine]\nuser = \"x\"\n", 3, "`engine.password_file` or `engine.password_env` must be set"},
        {admin_section + "[engine]\nuser = \"x\"\npassword = \"p\"\n", 5, "does not belong in this file"},
        {admin_section + "[engine]\nuser = \"x\"\npassword_file = \"a\"\npassword_env = \"b\"\n", 5,
         "only one of them"},
        {admin_section + "[engine]\nuser = \"x\"\npassword_env = \"UNSET\"\n", 5, "UNSET, which is not set"},
        {admin_section + "[engine]\nuser = \"x\"\npassword_file = \"nowhere\"\n", 5, "No such file"},
        {engine, 0, "`admin.token_file` is missing"},
        {engine + "[admin]\ntoken = \"abc\"\n", 5, "does not belong in this file"},
        {engine + "[admin]\ntoken_file = \"open.token\"\n", 5, "chmod 600"},
        {engine + "[admin]\ntoken_file = \"short.token\"\n", 5, "at least 16 characters"},
        {engine + "[admin]\nrequire_token = false\ntoken_file = \"admin.token\"\n", 6, "makes no sense"},
        {engine + "[admin]\ntoken_file = \"admin.token\"\nlisten = \"0.0.0.0:1\"\n", 6, "allow_non_loopback"},
        {engine + "[admin]\nallow_non_loopback = true\nrequire_token = false\nlisten = \"0.0.0.0:1\"\n", 6,
         "only on a loopback"},
    };
    for (const row& r : rows) {
        CAPTURE(r.text);
        const auto made = parse(f, r.text);
        REQUIRE(made.has_error());
        bool found = false;
        for (const config_problem& problem : made.error()) {
            INFO(problem.text());
            CHECK(problem.text().starts_with((f.path / "sluice.toml").string() + ":"));
            found = found || (problem.line == r.line && problem.message.find(r.message) != std::string::npos);
        }
        INFO(made.error().front().text());
        CHECK(found);
    }
}

TEST_CASE("all that is wrong is told at once, in the order of the lines", "[config]") {
    const folder f;
    const auto made = parse(f, "[log]\nlevel = 1\n[proxy]\nthreads = -1\nzzz = 1\n" + engine + admin_section);
    REQUIRE(made.has_error());
    REQUIRE(made.error().size() == 3);
    CHECK(made.error()[0].line == 2);
    CHECK(made.error()[1].line == 4);
    CHECK(made.error()[2].line == 5);
}

TEST_CASE("no secret is among the settings that are shown", "[config]") {
    const folder f;
    const auto made = parse(f, engine + admin_section);
    REQUIRE(made);
    for (const auto& [key, value] : made->settings) {
        CHECK(value.find("engine-secret") == std::string::npos);
        CHECK(value.find("0123456789abcdef") == std::string::npos);
    }
    CHECK(made->settings.at("engine.password_file") == "engine.password");
}

TEST_CASE("a reload takes over some keys and names the others", "[config]") {
    const folder f;
    const auto before = parse(f, engine + admin_section);
    const auto after = parse(
        f, engine + admin_section + "[proxy]\nthreads = 7\n[migration]\ncopy_workers = 4\n[log]\nlevel = \"debug\"\n");
    REQUIRE(before);
    REQUIRE(after);
    const config_changes changes = compare(*before, *after);
    CHECK(changes.reloadable == std::vector<std::string>{"log.level", "migration.copy_workers"});
    CHECK(changes.needing_restart == std::vector<std::string>{"proxy.threads"});
    const config_changes none = compare(*before, *before);
    CHECK(none.reloadable.empty());
    CHECK(none.needing_restart.empty());
}

TEST_CASE("a file that cannot be read is named", "[config]") {
    const folder f;
    for (const auto& file : {f.path / "nowhere.toml", f.path}) {
        const auto made = load_config(file, test_environment);
        REQUIRE(made.has_error());
        CHECK(made.error().front().text().starts_with(file.string() + ": cannot be read"));
    }
    f.write("sluice.toml", engine + admin_section, 0644);
    CHECK(load_config(f.path / "sluice.toml", test_environment).has_value());
}
