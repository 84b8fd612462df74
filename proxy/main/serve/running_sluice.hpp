#pragma once

// Everything that `sluice serve` runs, as one value: started in the order in which the parts need each other, ended in
// the opposite one.

#include "admin/http_server.hpp"
#include "admin/refusal.hpp"
#include "admin/router.hpp"
#include "proxy/main/config.hpp"
#include "proxy/main/serve/proxy_adapter.hpp"
#include "proxy/main/serve/switchboard.hpp"

#include <filesystem>
#include <memory>

namespace sluice::migration {
class mysql_executor;
}

namespace sluice {

/// Belongs to one thread.
class running_sluice {
public:
    /// The error says what stands in the way: the server out of reach, the engine's login refused, a port in use.
    [[nodiscard]] static result<std::unique_ptr<running_sluice>, admin::refusal> start(config settings);

    /// Takes over what it can of a configuration file that was read again; logs what it took and what it did not.
    void reload(const std::filesystem::path& file);

    /// The engine stops first (its migrations go on at the next start; a server that is silent is waited for for
    /// fifteen seconds), then clients get the configured time to finish, then the rest ends. Once.
    void stop();

private:
    explicit running_sluice(config settings);
    [[nodiscard]] result<void, admin::refusal> start_all();
    void stop_engine();
    [[nodiscard]] admin::router_settings settings_for_router(const config& settings) const;

    config settings_;
    switchboard migrations_;
    proxy_adapter proxy_view_;
    admin::router router_;
    std::unique_ptr<proxy::proxy_server> proxy_;
    std::shared_ptr<migration::mysql_executor> sql_;
    std::unique_ptr<migration::migration_service> engine_;
    std::unique_ptr<admin::http_server> http_;
};

}  // namespace sluice
