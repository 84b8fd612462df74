#pragma once

// What the control interfaces see of the proxy, and their answers in the proxy's form.

#include "admin/proxy_view.hpp"
#include "admin/show_answers.hpp"
#include "proxy/net/proxy_server.hpp"

#include <atomic>
#include <string>

namespace sluice {

/// Thread-safe.
class proxy_adapter final : public admin::proxy_view {
public:
    /// From now on shows this proxy, which must stay as long as anybody asks.
    void connect(proxy::proxy_server& server, const proxy::proxy_options& options);
    /// From now on `accepting` is false.
    void begin_drain() noexcept { draining_ = true; }

    [[nodiscard]] admin::proxy_status status() const override;
    [[nodiscard]] std::vector<admin::session_view> sessions() const override;
    [[nodiscard]] result<admin::shown_certificates, admin::refusal> reload_tls() override;

private:
    std::uint64_t sessions_max_ = 0;  // written before server_ and not afterwards
    std::string listen_;
    std::string server_text_;
    std::atomic<proxy::proxy_server*> server_{nullptr};
    std::atomic<bool> draining_{false};
};

[[nodiscard]] proxy::show_answer to_proxy_answer(result<admin::text_table, admin::show_refusal> answer);
/// Of a command: what was done, in words.
[[nodiscard]] proxy::show_answer to_proxy_answer(result<std::string, admin::show_refusal> done);

}  // namespace sluice
