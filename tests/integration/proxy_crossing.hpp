#pragma once

// Every pair of transports through the proxy, for tests of what crosses it at a login.

#include "bench/throwaway/programs.hpp"
#include "tests/integration/proxy_fixture.hpp"

#include <filesystem>
#include <string>

namespace sluice::test {

enum class way { plain, tls, local };
inline constexpr way every_way[] = {way::plain, way::tls, way::local};

inline const char* name_of(way w) {
    switch (w) {
        case way::plain: return "plain";
        case way::tls: return "TLS";
        case way::local: return "Unix socket";
    }
    return "?";
}

/// Takes clients in every way, and goes to the server in one.
struct crossing {
    crossing(server_kind kind, way to_server, mysql_server& server = shared_server(server_kind::mysql_9_7))
        : socket((server.folder() / "proxy.sock").string()), proxied(kind, options(to_server, server)) {}

    proxy::proxy_options options(way to_server, const mysql_server& server) const {
        proxy::proxy_options made;
        made.listen = {proxy::listen_endpoint{}, proxy::listen_endpoint{"", 0, socket}};
        made.tls.client.mode = proxy::client_tls_mode::preferred;
        made.server_port = server.port();
        if (to_server == way::tls) made.tls.server.mode = proxy::server_tls_mode::required;
        if (to_server == way::local) made.server_socket = server.socket_file().string();
        return made;
    }

    [[nodiscard]] connect_options as(way client, const std::string& user, const std::string& password,
                                     const std::string& plugin) const {
        connect_options made;
        made.port = proxied.port();
        if (client == way::local) made.unix_socket = socket;
        made.tls = client == way::tls;
        made.user = user;
        made.password = password;
        made.plugin = plugin;
        return made;
    }

    std::string socket;
    proxy_under_test proxied;
};

inline unsigned login_error(const connect_options& options) {
    try {
        sql_connection made(options);
        return 0;
    } catch (const sql_error& failure) {
        return failure.number();
    }
}

/// Where MariaDB's own plugins have been unpacked; the core package has none.
inline std::string mariadb_plugins(const std::string& needed) {
    namespace fs = std::filesystem;
    for (const auto& folder : {throwaway::cache_folder() / "mariadb-plugins", fs::path("/usr/lib/mysql/plugin")}) {
        if (fs::exists(folder / (needed + ".so"))) return folder.string();
    }
    FAIL("MariaDB's " << needed << " is not there: scripts/setup brings it");
    return {};
}

}  // namespace sluice::test
