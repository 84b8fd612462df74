#pragma once

// What logins need before the first client comes: Sluice's RSA key, and the rules of TLS.

#include "protocol/result.hpp"
#include "proxy/net/proxy_server.hpp"
#include "proxy/net/tls_store.hpp"
#include "proxy/session/connect_fsm.hpp"

namespace sluice::proxy {

/// Reads or makes the key, writes its public half to the file that clients get it from, and opens the TLS store. The
/// error names the file that is to blame.
[[nodiscard]] result<session::login_rules, start_error> set_up_logins(const proxy_options& options, tls_store& tls);

[[nodiscard]] tls_report report_of(const tls_contexts& contexts);

}  // namespace sluice::proxy
