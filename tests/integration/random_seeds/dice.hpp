#pragma once

// Random choices that are the same on every machine for the same seed.

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace sluice::test {

class dice {
public:
    explicit dice(std::uint64_t seed) : engine_(seed) {}

    /// 0 … bound - 1; bound must not be 0.
    std::size_t below(std::size_t bound) { return static_cast<std::size_t>(engine_() % bound); }
    std::size_t between(std::size_t least, std::size_t most) { return least + below(most - least + 1); }
    bool percent(unsigned chance) { return below(100) < chance; }
    template <class T>
    const T& pick(const std::vector<T>& from) {
        return from.at(below(from.size()));
    }

private:
    std::mt19937_64 engine_;  // its numbers are laid down by the standard; those of distributions are not
};

}  // namespace sluice::test
