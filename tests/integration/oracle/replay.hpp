#pragma once

// A recorded session fed to the proxy's pure session, without sockets: whole, and cut in every way. However the bytes
// arrive, the same ones go out, and the same is known of the session.

#include "tests/support/wire_packets.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sluice::test::oracle {

struct replayed {
    std::string to_client;
    std::string to_server;
    std::vector<std::string> facts;  ///< what the session knows, after each passage
    bool blind = false;              ///< it has stopped to follow
    bool idle = false;               ///< at the end nothing is awaited
    bool ended = false;

    friend bool operator==(const replayed&, const replayed&) = default;
};

/// The sizes of the pieces into which passage `index` of `size` bytes is cut; the last piece takes what is left.
using cutting = std::function<std::vector<std::size_t>(std::size_t index, std::size_t size)>;

[[nodiscard]] replayed replay(const std::vector<wire::passage>& record, const cutting& cut);

}  // namespace sluice::test::oracle
