#include "migration/ports/clock.hpp"

#include <thread>

namespace sluice::migration {
namespace {

class machine_clock final : public clock {
public:
    std::chrono::steady_clock::time_point now() override { return std::chrono::steady_clock::now(); }
    void sleep_for(std::chrono::milliseconds time) override { std::this_thread::sleep_for(time); }
};

}  // namespace

clock& real_clock() noexcept {
    static machine_clock machine;
    return machine;
}

}  // namespace sluice::migration
