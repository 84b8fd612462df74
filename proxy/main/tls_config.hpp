#pragma once

// The keys of [proxy] and [server] that are about TLS and the key of logins by RSA.

#include "migration/mysql/server_address.hpp"
#include "proxy/main/toml_section.hpp"
#include "proxy/net/proxy_server.hpp"

#include <filesystem>
#include <functional>

namespace sluice {

/// Where a path of the configuration file starts.
using path_resolver = std::function<std::filesystem::path(const std::string& path)>;

void read_client_tls(toml_section& section, const path_resolver& resolve, proxy::proxy_options& options);
/// After read_client_tls().
void read_server_tls(toml_section& section, const path_resolver& resolve, proxy::proxy_options& options);

/// The same for the engine's own connections. It has no client to be as: "as_client" is "preferred" for it.
[[nodiscard]] migration::tls_settings engine_tls(const proxy::proxy_options& options);

}  // namespace sluice
