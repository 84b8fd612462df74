#pragma once

// What the kernel knows of a socket of this process whose other end a test writes to.

#include <cstdint>

namespace sluice::test::wire {

/// True when `bytes` have arrived at the TCP socket since it was opened, and its owner has read them all.
[[nodiscard]] bool has_read(int socket, std::uint64_t bytes);

}  // namespace sluice::test::wire
