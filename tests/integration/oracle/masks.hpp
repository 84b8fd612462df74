#pragma once

// The fields in which a session through the proxy must differ from a direct one, each with its reason. Everything else
// has to be equal, byte for byte. docs/wire.md shows this list; a test keeps the two equal.

#include "tests/integration/oracle/conversation.hpp"

#include <string>
#include <vector>

namespace sluice::test::oracle {

struct mask_rule {
    const char* name;
    const char* where;
    const char* reason;
};
/// All there are.
[[nodiscard]] const std::vector<mask_rule>& mask_rules();

/// The packet's payload with every such field checked for its form and replaced by its name.
/// Throws wire::error when a field does not have the form that it must have.
[[nodiscard]] std::string without_own_fields(const seen_packet& packet, const reply* of, const transcript& in);

/// A capability of the greeting in which the proxy may differ.
struct capability_rule {
    const char* name;  ///< as mode.hpp knows it
    enum class direction : std::uint8_t { removed, added } kind;
    const char* reason;
};
[[nodiscard]] const std::vector<capability_rule>& capability_rules();
/// What is wrong with a greeting's capabilities through the proxy; empty: nothing.
[[nodiscard]] std::string capability_difference(std::uint64_t direct, std::uint64_t through);

}  // namespace sluice::test::oracle
