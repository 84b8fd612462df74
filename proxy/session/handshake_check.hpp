#pragma once

// What the parts of connect_fsm have in common.

#include <string>
#include <utility>

#include "protocol/message/err.hpp"
#include "protocol/message/handshake.hpp"

namespace sluice::session {

/// ER_HANDSHAKE_ERROR.
[[nodiscard]] inline protocol::err_packet bad_handshake(std::string message) {
    return {1043, "08S01", std::move(message)};
}

/// Whether a response can be written under what both sides agree on. A client may have used a capability that the
/// server did not offer, and its authentication data then has a form that the server would read as something else.
[[nodiscard]] inline bool can_be_passed_on(const protocol::handshake_response& response) noexcept {
    const auto capabilities = response.capabilities;
    if (!protocol::has(capabilities, protocol::capability::protocol_41)) return false;
    if (protocol::has(capabilities, protocol::capability::plugin_auth_lenenc_data)) return true;
    if (protocol::has(capabilities, protocol::capability::secure_connection))
        return response.auth_response.size() <= 0xFF;
    return response.auth_response.find('\0') == std::string::npos;
}

}  // namespace sluice::session
