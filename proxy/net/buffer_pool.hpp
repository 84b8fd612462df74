#pragma once

// Read buffers that a thread's sessions borrow while bytes are on their way; an idle session has none. One thread.

#include <array>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace sluice::proxy {

inline constexpr std::size_t io_buffer_size = 64 * 1024;

class buffer_pool {
public:
    using block = std::array<std::byte, io_buffer_size>;

    [[nodiscard]] std::unique_ptr<block> borrow() {
        if (spare_.empty()) return std::unique_ptr<block>(new block);  // not zeroed
        auto taken = std::move(spare_.back());
        spare_.pop_back();
        return taken;
    }
    void give_back(std::unique_ptr<block> returned) {
        if (returned && spare_.size() < spare_max) spare_.push_back(std::move(returned));
    }

private:
    static constexpr std::size_t spare_max = 64;
    std::vector<std::unique_ptr<block>> spare_;
};

}  // namespace sluice::proxy
