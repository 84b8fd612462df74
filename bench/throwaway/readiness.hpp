#pragma once

#include <cstdint>

namespace sluice::throwaway {

/// A port that nobody listens on, below the range from which the system takes ports for outgoing connections, so that
/// it is still free after a restart. Somebody else may take it before we do: be ready to try again.
[[nodiscard]] std::uint16_t free_port();

/// True when a MySQL server greets at this port of 127.0.0.1. Takes at most a second.
[[nodiscard]] bool greets(std::uint16_t port);

}  // namespace sluice::throwaway
