#include "proxy/net/tls_store.hpp"

#include <utility>

namespace sluice::proxy {

result<void, tls_error> tls_store::open(tls_settings settings, std::string server_host) {
    settings_ = std::move(settings);
    server_host_ = std::move(server_host);
    if (settings_.client.mode != client_tls_mode::disabled && settings_.client.certificate_file.empty()) {
        SLUICE_TRY(own_, self_signed_certificate::make());
    }
    SLUICE_TRY_VOID(reload());
    return {};
}

result<tls_contexts, tls_error> tls_store::reload() {
    const std::lock_guard one_at_a_time(loading_);
    tls_contexts fresh;
    if (settings_.client.mode != client_tls_mode::disabled) {
        SLUICE_TRY(fresh.clients, tls_context::for_clients(settings_.client, own_ ? &*own_ : nullptr));
    }
    if (settings_.server.mode != server_tls_mode::disabled) {
        SLUICE_TRY(fresh.server, tls_context::for_server(settings_.server, server_host_));
    }
    const std::lock_guard lock(mutex_);
    contexts_ = fresh;
    return fresh;
}

tls_contexts tls_store::contexts() const {
    const std::lock_guard lock(mutex_);
    return contexts_;
}

}  // namespace sluice::proxy
