#pragma once

// The configuration file: TOML 1.0, read and checked as a whole before anything starts. Unknown keys, wrong types and
// values out of range are all reported, with their lines. configs/sluice.toml explains every key. Secrets stand in
// files or in the environment, never in the file itself. Relative paths in it start at its own folder.

#include "admin/http_server.hpp"
#include "admin/secret.hpp"
#include "migration/model/migration_spec.hpp"
#include "migration/mysql/server_address.hpp"
#include "protocol/result.hpp"
#include "proxy/net/proxy_server.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct log_options {
    std::string level = "info";  ///< trace, debug, info, warn, error
    std::filesystem::path file;  ///< empty: standard error
};

struct config {
    proxy::proxy_options proxy;            ///< [proxy] and [server]; answer_show is not filled in
    std::chrono::seconds drain_limit{30};  ///< from the first SIGTERM to the end of the last session
    migration::server_address engine;      ///< [server] and [engine], the password included
    std::chrono::seconds engine_connect_limit{10};
    std::string state_schema = "_sluice";
    admin::http_server_options admin;
    std::optional<admin::bearer_token> admin_token;
    migration::migration_options migration_defaults;
    log_options log;

    /// Every key with its value as text (of secrets only where they come from): for --check-config, and to tell at a
    /// reload what has changed.
    std::map<std::string, std::string> settings;
};

struct config_problem {
    std::string file;
    unsigned line = 0;    ///< 0: the file as a whole
    std::string message;  ///< names the key as section.key

    /// "file:line: message"
    [[nodiscard]] std::string text() const;
};

/// A variable's value, nullopt when it is not set. Injected for tests.
using environment_reader = std::function<std::optional<std::string>(const std::string& name)>;

[[nodiscard]] std::optional<std::string> read_environment(const std::string& name);

/// At least one problem when there is no configuration; in the order of lines.
using config_outcome = result<config, std::vector<config_problem>>;

[[nodiscard]] config_outcome load_config(const std::filesystem::path& file,
                                         const environment_reader& environment = read_environment);

/// The same from a text; `file` names it in messages and is where relative paths start.
[[nodiscard]] config_outcome parse_config(std::string_view text, const std::filesystem::path& file,
                                          const environment_reader& environment = read_environment);

/// Keys that differ between two configurations, split by whether a running Sluice can take them over.
struct config_changes {
    std::vector<std::string> reloadable;
    std::vector<std::string> needing_restart;
};
[[nodiscard]] config_changes compare(const config& running, const config& fresh);

}  // namespace sluice
