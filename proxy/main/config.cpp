#include "proxy/main/config.hpp"

#include "admin/closest_name.hpp"
#include "migration/model/option_fields.hpp"
#include "proxy/main/compression_config.hpp"
#include "proxy/main/endpoint_text.hpp"
#include "proxy/main/tls_config.hpp"
#include "proxy/main/toml_section.hpp"
#include "proxy/net/operator_list.hpp"
#include "proxy/net/trusted_networks.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>

namespace sluice {
namespace {

constexpr std::array<std::string_view, 6> section_names{"proxy", "server", "engine", "admin", "migration", "log"};
constexpr std::array<std::string_view, 5> level_names{"trace", "debug", "info", "warn", "error"};
constexpr std::size_t config_bytes_max = 1024 * 1024;
constexpr std::int64_t port_max = 65'535;

/// What every section's reader needs.
struct reading {
    const toml::table& root;
    std::string file;
    std::filesystem::path folder;
    const environment_reader& environment;
    std::vector<config_problem> problems;
    config made;

    toml_section section(const char* name) { return {root, name, file, problems, made.settings}; }
    [[nodiscard]] std::filesystem::path resolve(const std::string& path) const { return folder / path; }
};

/// An address to listen on; "localhost" is 127.0.0.1.
void read_listen(toml_section& section, std::string& address, std::uint16_t& port) {
    std::string text = to_text({address, port});
    section.text("listen", text);
    auto parsed = parse_endpoint(text);
    if (parsed && parsed->host == "localhost") parsed->host = "127.0.0.1";
    if (!parsed || !is_ip_address(parsed->host)) {
        section.problem("listen",
                        "must be address:port, such as \"127.0.0.1:6033\" or \"[::1]:6033\", not \"" + text + "\"");
        return;
    }
    address = parsed->host;
    port = parsed->port;
}

/// Where clients connect, and which of them come with a PROXY header.
void read_listeners(reading& r, toml_section& s) {
    proxy::proxy_options& o = r.made.proxy;
    std::vector<std::string> texts{"127.0.0.1:6033"};
    s.texts("listen", texts);
    if (texts.empty()) s.problem("listen", "must have an address");
    o.listen.clear();
    for (const std::string& text : texts) {
        auto parsed = parse_listen_endpoint(text);
        if (!parsed) {
            s.problem("listen", parsed.error());
            continue;
        }
        if (!parsed->unix_path.empty()) parsed->unix_path = r.resolve(parsed->unix_path).string();
        o.listen.push_back(std::move(parsed).value());
    }
    std::string mode = "0777";
    s.text("listen_unix_mode", mode);
    const auto [end, error] = std::from_chars(mode.data(), mode.data() + mode.size(), o.listen_unix_mode, 8);
    if (error != std::errc{} || end != mode.data() + mode.size() || o.listen_unix_mode > 0777) {
        s.problem("listen_unix_mode", "must be permissions in octal digits, such as \"0770\", not \"" + mode + "\"");
    }
    s.texts("proxy_protocol_networks", o.proxy_protocol_networks);
    const auto networks = proxy::trusted_networks::parse(o.proxy_protocol_networks);
    if (!networks) s.problem("proxy_protocol_networks", networks.error());
    s.texts("operators", o.operators);
    if (const auto operators = proxy::operator_list::parse(o.operators); !operators) {
        s.problem("operators", operators.error());
    }
}

void read_proxy(reading& r) {
    toml_section s = r.section("proxy");
    proxy::proxy_options& o = r.made.proxy;
    read_listeners(r, s);
    std::int64_t threads = s.whole("threads", 0, 0, 256);
    if (threads == 0) threads = std::clamp<std::int64_t>(std::thread::hardware_concurrency(), 1, 256);
    o.io_threads = static_cast<unsigned>(threads);
    s.number("connections_max", o.connections_max, 1, 1'000'000);
    s.number("unauthenticated_max", o.unauthenticated_max, 1, 1'000'000);
    s.duration("connect_limit_ms", o.connect_limit, 10, 300'000);
    s.duration("login_limit_ms", o.login_limit, 10, 300'000);
    s.number("login_packet_bytes_max", o.login_packet_bytes_max, 4'096, 1'048'576);
    s.number("held_statements_max", o.held_statements_max, 0, 10'000'000);
    s.number("held_bytes_max", o.held_bytes_max, 0, std::int64_t{1} << 40);
    s.number("release_burst", o.release_burst, 1, 1'000'000);
    s.duration("drain_limit_s", r.made.drain_limit, 0, 86'400);
    read_client_compression(s, o.compression);
    read_client_tls(
        s, [&r](const std::string& path) { return r.resolve(path); }, o);
    s.finish();
}

void read_server(reading& r) {
    toml_section s = r.section("server");
    migration::server_address& a = r.made.engine;
    s.text("host", a.host);
    if (a.host.empty()) s.problem("host", "must not be empty");
    s.number("port", a.port, 1, port_max);
    proxy::proxy_options& o = r.made.proxy;
    s.text("socket", o.server_socket);
    if (!o.server_socket.empty()) {
        if (s.has("host") || s.has("port"))
            s.problem("socket", "and `server.host` or `server.port` exclude each other");
        o.server_socket = r.resolve(o.server_socket).string();
        const auto usable = parse_listen_endpoint("unix:" + o.server_socket);
        if (!usable) s.problem("socket", usable.error());
        a.unix_socket = o.server_socket;
    }
    s.duration("wait_ms", o.server_wait, 0, 3'600'000);
    s.flag("proxy_protocol", o.server_proxy_protocol);
    s.flag("client_address_attributes", o.server_client_attributes);
    read_server_compression(s, o.compression);
    read_server_tls(
        s, [&r](const std::string& path) { return r.resolve(path); }, r.made.proxy);
    s.finish();
    a.tls = engine_tls(r.made.proxy);
    r.made.proxy.server_host = a.host;
    r.made.proxy.server_port = a.port;
}

void read_password(reading& r, toml_section& s, std::string& password) {
    constexpr const char* way = "a password does not belong in this file; use `password_file` or `password_env`";
    s.forbid("password", way);
    std::string file;
    std::string variable;
    s.text("password_file", file);
    s.text("password_env", variable);
    if (file.empty() == variable.empty()) {
        if (!s.has("password"))
            s.problem("password_file", "or `engine.password_env` must be set, and only one of them");
        return;
    }
    if (!variable.empty()) {
        const auto value = r.environment(variable);
        if (!value)
            return s.problem("password_env", "names the environment variable " + variable + ", which is not set");
        password = *value;
        return;
    }
    auto secret = admin::read_secret_file(r.resolve(file));
    if (secret.has_error()) return s.problem("password_file", "cannot be used: " + secret.error().message);
    password = std::move(secret).value();
}

void read_engine(reading& r) {
    toml_section s = r.section("engine");
    s.text("user", r.made.engine.user);
    if (r.made.engine.user.empty()) s.problem("user", "is missing: the MySQL account that runs migrations");
    read_password(r, s, r.made.engine.password);
    s.duration("connect_limit_s", r.made.engine_connect_limit, 1, 300);
    s.text("state_schema", r.made.state_schema);
    if (r.made.state_schema.empty() || r.made.state_schema.size() > 64) {
        s.problem("state_schema", "must have 1 to 64 characters");
    }
    s.finish();
}

void read_admin(reading& r) {
    toml_section s = r.section("admin");
    admin::http_server_options& o = r.made.admin;
    o.port = 6034;
    s.flag("allow_non_loopback", o.allow_non_loopback);
    read_listen(s, o.address, o.port);
    const bool loopback = admin::is_loopback_host(o.address);
    if (!loopback && !o.allow_non_loopback) {
        s.problem("listen", "can be reached from other machines; that needs `admin.allow_non_loopback = true`");
    }
    s.forbid("token", "does not belong in this file; use `token_file`");
    const bool require_token = s.boolean("require_token", true);
    std::string file;
    s.text("token_file", file);
    if (require_token && file.empty()) {
        s.problem("token_file",
                  "is missing: a file with the token that requests must bring (or `require_token = false`)");
    }
    if (!require_token && !loopback) s.problem("require_token", "may be false only on a loopback address");
    if (!require_token && !file.empty()) s.problem("token_file", "makes no sense with `require_token = false`");
    if (require_token && !file.empty()) {
        auto token = admin::bearer_token::from_file(r.resolve(file));
        if (token.has_error()) {
            s.problem("token_file", "cannot be used: " + token.error().message);
        } else {
            r.made.admin_token = std::move(token).value();
        }
    }
    s.number("connections_max", o.connections_max, 1, 10'000);
    s.duration("request_limit_ms", o.request_limit, 10, 600'000);
    s.duration("idle_limit_ms", o.idle_limit, 10, 3'600'000);
    s.number("body_bytes_max", o.body_bytes_max, 1'024, 16 * 1024 * 1024);
    s.finish();
}

void read_migration(reading& r) {
    toml_section s = r.section("migration");
    migration::migration_options& defaults = r.made.migration_defaults;
    for (const migration::option_field& field : migration::option_fields()) {
        switch (field.kind) {
            case migration::option_kind::number:
                field.set(defaults, s.whole(field.name, field.get(defaults), field.min, field.max));
                break;
            case migration::option_kind::flag:
                field.set(defaults, s.boolean(field.name, field.get(defaults) != 0) ? 1 : 0);
                break;
            case migration::option_kind::text: {
                std::string value = field.get_text(defaults);
                s.text(field.name, value);
                if (migration::text_fits(field, value)) {
                    field.set_text(defaults, value);
                } else {
                    s.problem(field.name,
                              "must be " + migration::expected_value(field, value) + ", not \"" + value + "\"");
                }
                break;
            }
        }
    }
    s.finish();
}

void read_log(reading& r) {
    toml_section s = r.section("log");
    s.one_of("level", r.made.log.level, level_names);
    std::string file;
    s.text("file", file);
    if (!file.empty()) r.made.log.file = r.resolve(file);
    s.finish();
}

void check_sections(reading& r) {
    for (const auto& [key, node] : r.root) {
        if (std::find(section_names.begin(), section_names.end(), key.str()) != section_names.end()) continue;
        r.problems.push_back(
            {r.file, key.source().begin.line,
             "unknown section `" + std::string(key.str()) + "`" + admin::name_hint(key.str(), section_names)});
    }
}

bool is_reloadable(std::string_view key) {
    return key.starts_with("migration.") || key == "log.level" || key == "admin.token_file";
}

}  // namespace

std::string config_problem::text() const {
    return file + ":" + (line == 0 ? "" : std::to_string(line) + ":") + " " + message;
}

std::optional<std::string> read_environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
}

config_outcome parse_config(std::string_view text, const std::filesystem::path& file,
                            const environment_reader& environment) {
    toml::table root;
    try {
        root = toml::parse(text, std::string_view(file.native()));
    } catch (const toml::parse_error& e) {
        return std::vector{
            config_problem{file.string(), e.source().begin.line, "not TOML: " + std::string(e.description())}};
    }
    reading r{.root = root,
              .file = file.string(),
              .folder = file.parent_path(),
              .environment = environment,
              .problems = {},
              .made = {}};
    check_sections(r);
    read_proxy(r);
    read_server(r);
    read_engine(r);
    read_admin(r);
    read_migration(r);
    read_log(r);
    if (r.problems.empty()) return std::move(r.made);
    std::stable_sort(r.problems.begin(), r.problems.end(),
                     [](const config_problem& a, const config_problem& b) { return a.line < b.line; });
    return std::move(r.problems);
}

config_outcome load_config(const std::filesystem::path& file, const environment_reader& environment) {
    const auto unreadable = [&](const std::string& why) {
        return std::vector{config_problem{file.string(), 0, "cannot be read: " + why}};
    };
    std::error_code error;
    if (std::filesystem::is_directory(file, error)) return unreadable("it is a folder");
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return unreadable(std::strerror(errno));
    std::string text(config_bytes_max + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(stream.gcount()));
    if (text.size() > config_bytes_max)
        return unreadable("it is larger than " + std::to_string(config_bytes_max) + " bytes");
    return parse_config(text, file, environment);
}

config_changes compare(const config& running, const config& fresh) {
    config_changes changes;
    for (const auto& [key, value] : fresh.settings) {
        const auto before = running.settings.find(key);
        if (before != running.settings.end() && before->second == value) continue;
        (is_reloadable(key) ? changes.reloadable : changes.needing_restart).push_back(key);
    }
    return changes;
}

}  // namespace sluice
