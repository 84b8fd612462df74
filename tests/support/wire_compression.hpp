#pragma once

// The compressed protocol for a test client, on zlib and libzstd. Source: MySQL manual, "Compressed Packet Header".

#include "tests/support/wire_bytes.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::test::wire {

enum class compression : std::uint8_t { none, zlib, zstd };

class compressor {
public:
    explicit compressor(compression kind) : kind_(kind) {}

    /// The sequence id begins anew.
    void begin_command() noexcept { sequence_ = 0; }
    /// Appends frames with these bytes inside.
    void wrap(std::string_view plain, std::string& wire);
    /// Takes whole frames off the front of `wire` and appends what was inside. Throws error.
    void unwrap(std::string& wire, std::string& plain);
    [[nodiscard]] std::uint64_t frames_compressed() const noexcept { return frames_compressed_; }

private:
    compression kind_;
    std::uint8_t sequence_ = 0;
    std::uint64_t frames_compressed_ = 0;  // received ones that were really compressed
};

}  // namespace sluice::test::wire
