#pragma once

// The connection attributes by which Sluice tells the server who its client is: _client_ip and _client_port, the names
// that MySQL Router uses. Pure functions.

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/message/auth.hpp"
#include "protocol/message/handshake.hpp"
#include "protocol/wire/ip_address.hpp"

namespace sluice::session {

/// Servers refuse a longer block.
inline constexpr std::size_t attribute_bytes_max = 65'535;

/// Of a client on TCP its address and port; of one on a Unix socket, or unknown, nothing.
[[nodiscard]] protocol::connect_attributes client_attributes(const protocol::stream_address& client);

/// The client's block of attributes behind `own`. Its own attributes of these names are dropped, whatever `own` has: it
/// is not to pass for another. `own` comes first, because servers keep the first 512 bytes by default; the client's
/// last ones are dropped where the whole would be over the limit. Of a malformed block what precedes the fault is kept.
/// A block that is over the limit by itself is given back as it is, for the server to refuse.
[[nodiscard]] std::string with_client_attributes(std::string_view block, const protocol::connect_attributes& own);

/// What the server is told of the client in the answers to its greeting and in COM_CHANGE_USER.
class client_introduction {
public:
    /// Leaves the client's attributes as they are.
    client_introduction() = default;
    /// Puts these in front of them.
    explicit client_introduction(protocol::connect_attributes own) : own_(std::move(own)) {}

    /// connect_attrs, when it is to be set towards a server that offers these capabilities, whatever the client has
    /// set. Not for clients without plugin_auth: servers misread their COM_CHANGE_USER with attributes.
    [[nodiscard]] protocol::capability_flags capability_to_server(protocol::capability_flags offered,
                                                                  protocol::capability_flags session) const noexcept;
    void introduce(protocol::handshake_response& response) const;
    /// A COM_CHANGE_USER without a plugin's name is left as it is, for the server to refuse.
    void introduce(protocol::change_user& change) const;

private:
    std::optional<protocol::connect_attributes> own_;
};

}  // namespace sluice::session
