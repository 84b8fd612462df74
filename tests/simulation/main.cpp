// cutover_simulation [--from N] [--count N]   plays that many seeds; exit status 1 and the seed at the first violation
// cutover_simulation --seed N                 plays one and tells what happens

#include "tests/simulation/simulated_run.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

int main(int argc, char** argv) {
    using namespace sluice::simulation;
    std::uint64_t from = 1;
    std::uint64_t count = 1'000;
    std::uint64_t only = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view name = argv[i];
        const std::uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
        if (name == "--from") {
            from = value;
        } else if (name == "--count") {
            count = value;
        } else if (name == "--seed") {
            only = value;
        } else {
            std::fprintf(stderr, "unknown option %s\n", argv[i]);
            return 2;
        }
    }
    if (only != 0) {
        const run_result one = run_seed(only, true);
        std::printf("seed %llu: %s\n", static_cast<unsigned long long>(only),
                    one.violation.empty() ? "every invariant held" : one.violation.c_str());
        return one.violation.empty() ? 0 : 1;
    }
    const auto began = std::chrono::steady_clock::now();
    std::uint64_t swapped[4] = {};
    std::uint64_t given_up = 0;
    std::uint64_t unknown = 0;
    for (std::uint64_t seed = from; seed < from + count; ++seed) {
        const run_result one = run_seed(seed, false);
        if (!one.violation.empty()) {
            std::printf("seed %llu: %s\nreplay it with --seed %llu\n", static_cast<unsigned long long>(seed),
                        one.violation.c_str(), static_cast<unsigned long long>(seed));
            return 1;
        }
        swapped[(one.group ? 2 : 0) + (one.sentry ? 1 : 0)] += one.swapped;
        given_up += one.given_up;
        unknown += one.unknown;
    }
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    std::printf(
        "%llu seeds from %llu in %.1f s. Swapped: %llu under the lock, %llu by two sessions, groups %llu and %llu;"
        " given up %llu, unknown at first %llu\n",
        static_cast<unsigned long long>(count), static_cast<unsigned long long>(from), took,
        static_cast<unsigned long long>(swapped[0]), static_cast<unsigned long long>(swapped[1]),
        static_cast<unsigned long long>(swapped[2]), static_cast<unsigned long long>(swapped[3]),
        static_cast<unsigned long long>(given_up), static_cast<unsigned long long>(unknown));
    // Attempts that never come to their end would prove nothing.
    const bool each_kind = count < 500 || (swapped[0] != 0 && swapped[1] != 0 && swapped[2] != 0 && swapped[3] != 0);
    const bool often = (swapped[0] + swapped[1] + swapped[2] + swapped[3]) * 2 > count;
    if (each_kind && often) return 0;
    std::printf("too few attempts came to their end\n");
    return 1;
}
