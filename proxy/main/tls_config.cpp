#include "proxy/main/tls_config.hpp"

#include <algorithm>
#include <array>

namespace sluice {
namespace {

using proxy::client_certificate_mode;
using proxy::client_tls_mode;
using proxy::server_tls_mode;

// In the order of the enumerations.
constexpr std::array<std::string_view, 3> client_mode_names{"disabled", "preferred", "required"};
constexpr std::array<std::string_view, 3> certificate_mode_names{"none", "optional", "required"};
constexpr std::array<std::string_view, 6> server_mode_names{"disabled",  "preferred",       "required",
                                                            "verify_ca", "verify_identity", "as_client"};

template <class Mode>
Mode read_mode(toml_section& s, std::string_view key, Mode fallback, std::span<const std::string_view> names) {
    std::string chosen(names[static_cast<std::size_t>(fallback)]);
    s.one_of(key, chosen, names);
    const auto found = std::find(names.begin(), names.end(), chosen);
    return found == names.end() ? fallback : static_cast<Mode>(found - names.begin());
}

void read_path(toml_section& s, std::string_view key, const path_resolver& resolve, std::filesystem::path& path) {
    std::string text;
    s.text(key, text);
    if (!text.empty()) path = resolve(text);
}

void read_pair(toml_section& s, const path_resolver& resolve, std::filesystem::path& certificate,
               std::filesystem::path& key) {
    read_path(s, "tls_cert_file", resolve, certificate);
    read_path(s, "tls_key_file", resolve, key);
    if (certificate.empty() != key.empty()) {
        s.problem(certificate.empty() ? "tls_key_file" : "tls_cert_file",
                  "and its other half go together: `tls_cert_file` and `tls_key_file`");
    }
}

}  // namespace

void read_client_tls(toml_section& s, const path_resolver& resolve, proxy::proxy_options& options) {
    auto& client = options.tls.client;
    client.mode = read_mode(s, "tls", client_tls_mode::preferred, client_mode_names);
    read_pair(s, resolve, client.certificate_file, client.key_file);
    read_path(s, "tls_client_ca_file", resolve, client.client_ca_file);
    client.client_certificate = read_mode(s, "tls_client_cert", client_certificate_mode::none, certificate_mode_names);
    if (client.client_certificate != client_certificate_mode::none && client.client_ca_file.empty()) {
        s.problem("tls_client_cert", "needs `proxy.tls_client_ca_file`: whose certificates are good");
    }
    if (client.client_certificate == client_certificate_mode::required && client.mode != client_tls_mode::required) {
        s.problem("tls_client_cert", "cannot be \"required\" unless `proxy.tls` is: a plain client shows none");
    }
    read_path(s, "rsa_key_file", resolve, options.rsa_key_file);
    read_path(s, "rsa_public_key_file", resolve, options.rsa_public_key_file);
}

void read_server_tls(toml_section& s, const path_resolver& resolve, proxy::proxy_options& options) {
    auto& server = options.tls.server;
    server.mode = read_mode(s, "tls", server_tls_mode::preferred, server_mode_names);
    read_path(s, "tls_ca_file", resolve, server.ca_file);
    read_pair(s, resolve, server.certificate_file, server.key_file);
    const bool verifies = server.mode == server_tls_mode::verify_ca || server.mode == server_tls_mode::verify_identity;
    if (!server.ca_file.empty() && !verifies) {
        s.problem("tls_ca_file", "is not looked at unless `server.tls` is \"verify_ca\" or \"verify_identity\"");
    }
    if (server.mode == server_tls_mode::as_client && options.tls.client.mode == client_tls_mode::disabled) {
        s.problem("tls", "cannot be \"as_client\" with `proxy.tls = \"disabled\"`: no client would ever have it");
    }
}

migration::tls_settings engine_tls(const proxy::proxy_options& options) {
    const auto& server = options.tls.server;
    migration::tls_settings made;
    switch (server.mode) {
        case server_tls_mode::disabled: made.mode = migration::tls_mode::disabled; break;
        case server_tls_mode::preferred:
        case server_tls_mode::as_client: made.mode = migration::tls_mode::preferred; break;
        case server_tls_mode::required: made.mode = migration::tls_mode::required; break;
        case server_tls_mode::verify_ca: made.mode = migration::tls_mode::verify_ca; break;
        case server_tls_mode::verify_identity: made.mode = migration::tls_mode::verify_identity; break;
    }
    made.ca_file = server.ca_file.string();
    made.cert_file = server.certificate_file.string();
    made.key_file = server.key_file.string();
    return made;
}

}  // namespace sluice
