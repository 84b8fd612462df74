#pragma once

// The routes of the HTTP API, from a request value to a response value.
//
//   GET  /healthz                      the process lives; needs no token
//   GET  /readyz                       200 while the proxy takes connections, else 503; needs no token
//   GET  /metrics                      Prometheus text
//   POST /v1/migrations                begins one; 201 and its Location
//   GET  /v1/migrations                newest first
//   GET  /v1/migrations/{id}           a unique prefix of at least 4 characters will do
//   POST /v1/migrations/{id}/{cut-over|postpone|pause|resume|abort}
//   POST /v1/migrations/{id}/settings  changes options while it runs; 409 for those that cannot be
//   POST /v1/tls/reload                reads certificates and keys again; 422 when one is no good

#include "admin/http_message.hpp"
#include "admin/migration_directory.hpp"
#include "admin/problem.hpp"
#include "admin/proxy_view.hpp"
#include "admin/secret.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::admin {

struct router_settings {
    std::optional<bearer_token> token;      ///< without one, only requests that no web page can forge are answered
    migration::migration_options defaults;  ///< of requests that leave options out
    std::string version;
};

/// Thread-safe. Directory and view must outlive it.
class router {
public:
    router(migration_directory& migrations, proxy_view& proxy, router_settings settings);

    /// Never throws for what a client sent; HEAD is answered like GET (the server leaves the body out).
    [[nodiscard]] http_response answer(const http_request& request);

    /// For a reload of the configuration; requests under way finish with what they began with.
    void replace_settings(router_settings settings);

private:
    [[nodiscard]] http_response answer_migrations(const http_request& request, std::string_view path,
                                                  const router_settings& settings);
    [[nodiscard]] http_response create(const http_request& request, const router_settings& settings);
    [[nodiscard]] http_response dry_run(const migration::migration_spec& spec);
    [[nodiscard]] http_response list() const;
    [[nodiscard]] http_response reload_tls(const http_request& request);
    [[nodiscard]] http_response show(std::string_view id) const;
    [[nodiscard]] http_response change(const http_request& request, std::string_view id);
    [[nodiscard]] http_response command(const http_request& request, std::string_view id, std::string_view name);

    migration_directory& migrations_;
    proxy_view& proxy_;
    std::mutex mutex_;
    std::shared_ptr<const router_settings> settings_;
};

}  // namespace sluice::admin
