#pragma once

// In which ways a script is run: the client's capabilities, and what lies between its socket and its packets.

#include "tests/support/wire_login.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::test::oracle {

/// A name for the messages, and the capabilities that the client wants.
struct mode {
    std::string name;
    std::uint64_t capabilities = 0;
    bool is_main = false;  ///< every script runs in it
};

/// The matrix; $SLUICE_ORACLE_MODE leaves only the one of that name.
[[nodiscard]] const std::vector<mode>& modes();
/// The one by this name; asserted to exist.
[[nodiscard]] const mode& mode_named(std::string_view name);

struct transport_kind {
    std::string name;
    bool tls = false;
    wire::compression compressed = wire::compression::none;
};

/// "deprecate_eof" and so on. Throws wire::error for unknown ones.
[[nodiscard]] std::uint64_t capability_named(std::string_view name);
/// All that are known by name, for messages about differing greetings.
[[nodiscard]] std::string capability_names(std::uint64_t flags);

}  // namespace sluice::test::oracle
