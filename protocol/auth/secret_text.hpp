#pragma once

// Passwords in memory.

#include <cstddef>
#include <span>
#include <string>

namespace sluice::protocol {

/// Overwrites the text, in a way that the compiler keeps, and empties it. (Copies that were made of it stay.)
void wipe(std::string& secret) noexcept;
/// Overwrites the bytes in the same way.
void wipe(std::span<std::byte> secret) noexcept;

/// Wipes a text at the end of the scope.
class wipe_at_end {
public:
    explicit wipe_at_end(std::string& secret) noexcept : secret_(secret) {}
    wipe_at_end(const wipe_at_end&) = delete;
    wipe_at_end& operator=(const wipe_at_end&) = delete;
    ~wipe_at_end() { wipe(secret_); }

private:
    std::string& secret_;
};

}  // namespace sluice::protocol
