#include "proxy/main/serve/proxy_adapter.hpp"

#include "proxy/main/endpoint_text.hpp"

namespace sluice {

void proxy_adapter::connect(proxy::proxy_server& server, const proxy::proxy_options& options) {
    sessions_max_ = options.connections_max;
    for (const auto& endpoint : server.endpoints()) listen_ += (listen_.empty() ? "" : ", ") + endpoint;
    server_text_ = options.server_socket.empty() ? to_text({options.server_host, options.server_port})
                                                 : "unix:" + options.server_socket;
    server_.store(&server, std::memory_order_release);
}

admin::proxy_status proxy_adapter::status() const {
    const proxy::proxy_server* server = server_.load(std::memory_order_acquire);
    if (server == nullptr) return {};
    const proxy::proxy_statistics s = server->statistics();
    return {.accepting = !draining_,
            .sessions = s.sessions,
            .sessions_in_login = s.sessions_in_login,
            .sessions_max = sessions_max_,
            .sessions_total = s.sessions_total,
            .sessions_refused_total = s.connections_refused,
            .server_unreachable_total = s.server_unreachable,
            .logins_failed_total = s.logins_failed,
            .statements_total = s.statements,
            .statements_answered_total = s.statements_answered,
            .statements_held = s.statements_held_now,
            .statements_held_total = s.statements_held,
            .holds_overflowed_total = s.holds_overflowed,
            .holds_interrupted_total = s.holds_interrupted,
            .snapshots_refused_total = s.snapshots_refused,
            .listen = listen_,
            .server = server_text_};
}

std::vector<admin::session_view> proxy_adapter::sessions() const {
    const proxy::proxy_server* server = server_.load(std::memory_order_acquire);
    std::vector<admin::session_view> all;
    if (server == nullptr) return all;
    for (proxy::session_view& s : server->sessions()) {
        all.push_back({.connection_id = s.connection_id,
                       .user = std::move(s.user),
                       .client = std::move(s.client),
                       .schema = std::move(s.schema),
                       .state = std::move(s.state),
                       .in_transaction = s.in_transaction,
                       .statements = s.statements,
                       .age = s.age});
    }
    return all;
}

result<admin::shown_certificates, admin::refusal> proxy_adapter::reload_tls() {
    proxy::proxy_server* server = server_.load(std::memory_order_acquire);
    if (server == nullptr) return admin::refusal{"the proxy has not started yet"};
    auto reloaded = server->reload_tls();
    if (reloaded.has_error()) return admin::refusal{reloaded.error().message};
    const auto shown = [](proxy::certificate_facts& facts) -> std::optional<admin::shown_certificate> {
        if (facts.subject.empty() && facts.not_after.empty()) return std::nullopt;
        return admin::shown_certificate{std::move(facts.subject), std::move(facts.issuer), std::move(facts.not_after),
                                        facts.is_self_made};
    };
    return admin::shown_certificates{.for_clients = shown(reloaded->for_clients),
                                     .for_server = shown(reloaded->for_server)};
}

namespace {

proxy::show_error to_proxy_error(const admin::show_refusal& why) {
    return {.number = static_cast<std::uint16_t>(why.server_errno), .sql_state = why.sqlstate, .message = why.message};
}

}  // namespace

proxy::show_answer to_proxy_answer(result<admin::text_table, admin::show_refusal> answer) {
    proxy::show_answer made;
    if (answer.has_error()) {
        made.error = to_proxy_error(answer.error());
        return made;
    }
    made.columns = std::move(answer->columns);
    made.rows = std::move(answer->rows);
    return made;
}

proxy::show_answer to_proxy_answer(result<std::string, admin::show_refusal> done) {
    proxy::show_answer made;
    if (done.has_error()) {
        made.error = to_proxy_error(done.error());
    } else {
        made.done = *std::move(done);
    }
    return made;
}

}  // namespace sluice
