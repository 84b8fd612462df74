#pragma once

// Who may command migrations by SQL: users as the server has let them in, and where they come from.
//
// The name is the one that the client has logged in with. Where the server has an anonymous account, anybody can bear
// any name: such a server must not have operators here.

#include <string>
#include <string_view>
#include <vector>

#include "protocol/result.hpp"
#include "protocol/wire/ip_address.hpp"
#include "proxy/net/trusted_networks.hpp"

namespace sluice::proxy {

class operator_list {
public:
    /// Each entry user@from: from is % (anywhere), an address, a network ("10.0.0.0/8") or "unix" (Unix sockets). The
    /// error says which entry is none of these.
    [[nodiscard]] static result<operator_list, std::string> parse(const std::vector<std::string>& entries);

    [[nodiscard]] bool contains(std::string_view user, const protocol::stream_address& from) const noexcept;

private:
    struct entry {
        std::string user;
        bool from_anywhere = false;
        trusted_networks from;
    };
    std::vector<entry> entries_;
};

}  // namespace sluice::proxy
