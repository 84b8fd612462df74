#include "proxy/net/statement_timing.hpp"

#include <condition_variable>

namespace sluice::proxy {

void statement_timing::begin() {
    const std::lock_guard lock(mutex_);
    if (wanted_by_++ == 0) switch_on(true);
}

void statement_timing::end() {
    const std::lock_guard lock(mutex_);
    if (--wanted_by_ == 0) switch_on(false);
}

void statement_timing::switch_on(bool on) {
    for (const auto& thread : threads_) thread->post([thread = thread.get(), on] { thread->meter().switch_on(on); });
}

std::optional<statement_times> statement_timing::read() const {
    // Shared, because a late thread may still answer when nobody waits any more.
    struct gathering {
        std::mutex mutex;
        std::condition_variable arrived;
        statement_times sum;
        std::size_t answers = 0;
    };
    constexpr std::chrono::seconds patience{1};
    const auto shared = std::make_shared<gathering>();
    shared->sum.answered.resize(session::latency_meter::buckets);
    for (const auto& thread : threads_) {
        thread->post([shared, thread = thread.get()] {
            const auto waiting = thread->statements_under_way(std::chrono::steady_clock::now());
            const std::lock_guard lock(shared->mutex);
            auto& sum = shared->sum;
            for (std::size_t i = 0; i < sum.answered.size(); ++i) sum.answered[i] += thread->meter().counts()[i];
            sum.under_way.insert(sum.under_way.end(), waiting.begin(), waiting.end());
            ++shared->answers;
            shared->arrived.notify_one();
        });
    }
    std::unique_lock lock(shared->mutex);
    const bool all = shared->arrived.wait_for(lock, patience, [&] { return shared->answers == threads_.size(); });
    if (!all) return std::nullopt;
    return std::move(shared->sum);
}

}  // namespace sluice::proxy
