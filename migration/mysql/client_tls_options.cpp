#include "migration/mysql/client_tls_options.hpp"

#include "migration/mysql/server_connection.hpp"

#include <mysql.h>

namespace sluice::migration {
namespace {

const char* path_or_none(const std::string& path) { return path.empty() ? nullptr : path.c_str(); }

}  // namespace

#ifdef MARIADB_PACKAGE_VERSION

void set_tls_options(st_mysql* connection, const tls_settings& settings, const std::string& fingerprint) {
    const my_bool on = 1;
    const my_bool off = 0;
    mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT,
                  settings.mode == tls_mode::verify_identity ? &on : &off);
    if (settings.mode == tls_mode::disabled) return;
    mysql_ssl_set(connection, path_or_none(settings.key_file), path_or_none(settings.cert_file),
                  path_or_none(settings.ca_file), nullptr, nullptr);
    // Despite its name: TLS is used where the server has it.
    mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &on);
    if (!fingerprint.empty()) mysql_options(connection, MARIADB_OPT_TLS_PEER_FP, fingerprint.c_str());
}

bool needs_fingerprint(const tls_settings& settings) noexcept { return settings.mode == tls_mode::verify_ca; }

bool may_have_misjudged(const failure& refused, const tls_settings& settings) noexcept {
    return settings.mode == tls_mode::preferred && refused.code == "access_denied";
}

#else

void set_tls_options(st_mysql* connection, const tls_settings& settings, const std::string&) {
    const auto mode = [&] {
        switch (settings.mode) {
            case tls_mode::disabled: return SSL_MODE_DISABLED;
            case tls_mode::preferred: return SSL_MODE_PREFERRED;
            case tls_mode::required: return SSL_MODE_REQUIRED;
            case tls_mode::verify_ca: return SSL_MODE_VERIFY_CA;
            default: return SSL_MODE_VERIFY_IDENTITY;
        }
    }();
    mysql_options(connection, MYSQL_OPT_SSL_MODE, &mode);
    mysql_options(connection, MYSQL_OPT_SSL_CA, path_or_none(settings.ca_file));
    mysql_options(connection, MYSQL_OPT_SSL_CERT, path_or_none(settings.cert_file));
    mysql_options(connection, MYSQL_OPT_SSL_KEY, path_or_none(settings.key_file));
}

bool needs_fingerprint(const tls_settings&) noexcept { return false; }

bool may_have_misjudged(const failure&, const tls_settings&) noexcept { return false; }

#endif

outcome<std::string> learn_fingerprint(const server_address& address, std::chrono::seconds limit) {
    SLUICE_TRY(const auto connection, server_connection::open(address, server_connection::clock::now() + limit));
    return connection->server_fingerprint();
}

outcome<void> check_is_secure(st_mysql* connection, const tls_settings& settings) {
    const bool may_be_plain = settings.mode == tls_mode::disabled || settings.mode == tls_mode::preferred;
    if (may_be_plain || mysql_get_ssl_cipher(connection) != nullptr) return {};
    return refuse("tls_failed", "TLS with the server: it is required, but the server does not offer it");
}

}  // namespace sluice::migration
