#pragma once

// SIGINT and SIGTERM, which every thread keeps blocked: one that has come waits until somebody takes it.

#include <optional>

namespace sluice::ghost {

/// Any thread; it goes on waiting.
[[nodiscard]] bool ending_signal_waits();

/// Its number, and it waits no longer.
std::optional<int> take_ending_signal();

}  // namespace sluice::ghost
