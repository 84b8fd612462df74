#include "proxy/main/serve/running_sluice.hpp"

#include "admin/command_answers.hpp"
#include "migration/mysql/binlog_stream.hpp"
#include "migration/mysql/mysql_executor.hpp"
#include "proxy/main/endpoint_text.hpp"
#include "proxy/main/serve/gate_adapter.hpp"
#include "proxy/main/serve/latency_adapter.hpp"
#include "proxy/main/serve/logging.hpp"
#include "proxy/main/serve/throttle_adapters.hpp"
#include "proxy/main/version.hpp"

#include <spdlog/spdlog.h>

#include <future>
#include <thread>

namespace sluice {
namespace {

constexpr std::chrono::seconds engine_stop_max{15};

/// A Sluice whose engine cannot log in would look healthy until the first migration, so it does not start.
result<void, admin::refusal> check_engine_login(migration::sql_executor& sql, const migration::server_address& server) {
    auto session = sql.connect();
    if (session.has_value()) return {};
    const migration::failure& why = session.error();
    const std::string number = why.server_errno == 0 ? "" : " (error " + std::to_string(why.server_errno) + ")";
    if (why.code == "cannot_connect") {
        return admin::refusal{"cannot reach the server " + server.text() + ": " + why.message + number};
    }
    return admin::refusal{"the server " + server.text() + " refuses the engine's login as '" + server.user +
                          "': " + why.message + number + "; see [engine] in the configuration"};
}

}  // namespace

running_sluice::running_sluice(config settings)
    : settings_(std::move(settings)), router_(migrations_, proxy_view_, settings_for_router(settings_)) {}

admin::router_settings running_sluice::settings_for_router(const config& settings) const {
    return {.token = settings.admin_token, .defaults = settings.migration_defaults, .version = std::string(version())};
}

result<std::unique_ptr<running_sluice>, admin::refusal> running_sluice::start(config settings) {
    std::unique_ptr<running_sluice> made(new running_sluice(std::move(settings)));
    SLUICE_TRY_VOID(made->start_all());
    return made;
}

result<void, admin::refusal> running_sluice::start_all() {
    sql_ = std::make_shared<migration::mysql_executor>(
        settings_.engine, migration::mysql_executor_options{.connect_limit = settings_.engine_connect_limit});
    auto feeds = std::make_shared<migration::binlog_stream_source>(
        settings_.engine, migration::binlog_stream_options{.connect_limit = settings_.engine_connect_limit});
    SLUICE_TRY_VOID(check_engine_login(*sql_, settings_.engine));
    // Both ports are taken before anybody is answered at either.
    SLUICE_TRY(http_, admin::http_server::listen(settings_.admin));
    proxy::proxy_options options = settings_.proxy;
    options.answer_show = [this](const sql::show_request& request) {
        if (request.subject == sql::show_subject::command) {
            return to_proxy_answer(admin::answer_command(request.command, migrations_));
        }
        return to_proxy_answer(admin::answer_show(request, migrations_, proxy_view_));
    };
    auto proxy = proxy::proxy_server::start(std::move(options));
    if (proxy.has_error()) return admin::refusal{"proxy: " + proxy.error().message};
    proxy_ = std::move(proxy).value();
    proxy_view_.connect(*proxy_, settings_.proxy);
    migration::throttle_ports throttles = throttle_ports_for(settings_.engine);
    throttles.clients = client_latencies_of(proxy_->timing());
    engine_ = std::make_unique<migration::migration_service>(
        sql_, std::move(feeds), std::make_shared<gate_adapter>(proxy_->gates()),
        migration::service_options{.state_schema = settings_.state_schema, .throttles = std::move(throttles)});
    if (auto recovered = engine_->recover(); recovered.has_error()) {
        const migration::failure& why = recovered.error();
        return admin::refusal{"the migration engine cannot start: " + why.message + " (" + why.code + ")"};
    }
    migrations_.connect(*engine_);
    http_->serve([this](const admin::http_request& request) { return router_.answer(request); });
    if (!settings_.admin_token) spdlog::warn("the admin port takes commands without a token");
    spdlog::info("sluice {} serves {} for the server {}", version(), proxy_view_.status().listen,
                 settings_.engine.text());
    spdlog::info("admin port: http://{}", to_text({settings_.admin.address, http_->port()}));
    return {};
}

void running_sluice::reload(const std::filesystem::path& file) {
    auto loaded = load_config(file);
    if (loaded.has_error()) {
        for (const config_problem& problem : loaded.error()) spdlog::error("reload: {}", problem.text());
        spdlog::error("reload: nothing was changed");
        return;
    }
    config& fresh = *loaded;
    const config_changes changes = compare(settings_, fresh);
    for (const std::string& key : changes.needing_restart) {
        spdlog::warn("reload: {} is different now; that needs a restart", key);
    }
    for (const std::string& key : changes.reloadable) {
        spdlog::info("reload: {} = {}", key, fresh.settings.at(key));
        settings_.settings[key] = fresh.settings.at(key);
    }
    set_log_level(fresh.log.level);
    // Whether a token is asked for at all stays as it was started; which one it is may change with the file's content.
    if (settings_.admin_token && fresh.admin_token) settings_.admin_token = fresh.admin_token;
    settings_.migration_defaults = fresh.migration_defaults;
    router_.replace_settings(settings_for_router(settings_));
    if (const auto tls = proxy_->reload_tls(); tls.has_error()) {
        spdlog::error("reload: TLS goes on with the certificates that it has: {}", tls.error().message);
    } else if (!tls->for_clients.subject.empty()) {
        spdlog::info("reload: certificate for clients: {}, good until {}", tls->for_clients.subject,
                     tls->for_clients.not_after);
    }
    spdlog::info("reload: done");
}

// What its threads wait for, at most, is a server that does not answer. The stop is the operator's order, and what is
// left undone the next start finds in the durable state.
void running_sluice::stop_engine() {
    std::promise<void> stopped;
    std::thread watch([this, end = stopped.get_future()] {
        if (end.wait_for(engine_stop_max) == std::future_status::ready) return;
        spdlog::warn("the server does not answer the migration engine: its connections are given up");
        sql_->break_connections();
    });
    // A dry run is such a call under way. And a cut-over must not go on while its gates vanish.
    migrations_.disconnect();
    engine_.reset();
    stopped.set_value();
    watch.join();
}

void running_sluice::stop() {
    proxy_view_.begin_drain();
    stop_engine();
    proxy_->stop(settings_.drain_limit);
    http_.reset();
    spdlog::info("stopped");
}

}  // namespace sluice
