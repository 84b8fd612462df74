#pragma once

// The shards' common ground: where the coordinator's commands are handed to the I/O threads, and where those tell that
// something has changed. Knows no Asio: each shard is reached by a function that runs another one on its thread.
// Thread-safe.

#include <bitset>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "proxy/session/gate_shard.hpp"

namespace sluice::proxy {

using session::gate_shard;
using session::time_point;

class gate_hub {
public:
    using shard_task = std::function<void(gate_shard&)>;
    /// Runs the task on the shard's own thread, sometime; or never, once that has ended.
    using shard_door = std::function<void(shard_task)>;

    void add_shard(shard_door door);
    /// From now on nobody is waited for.
    void stop();
    [[nodiscard]] bool stopped() const;

    /// A free slot; nothing when all are taken or the proxy has stopped.
    [[nodiscard]] std::optional<unsigned> take_slot();
    void give_back_slot(unsigned slot);
    /// A slot that some shard still needs for a while.
    void retire_slot(unsigned slot);
    /// The retired ones, each to one caller only, who gives it back or retires it again: two that gave the same one
    /// back would free it under a third who has taken it meanwhile.
    [[nodiscard]] std::vector<unsigned> take_retired();

    /// By I/O threads: a count has fallen to zero, or released statements have gone. Wakes whoever waits.
    void tell_change();
    [[nodiscard]] std::uint64_t changes() const;
    /// Waits until changes() differs from `seen`; false when `until` came first or the proxy has stopped.
    [[nodiscard]] bool wait_change(std::uint64_t seen, time_point until);

    /// Runs `ask` on every shard's thread and gives the answers of those that came before `until`.
    template <class Answer, class Ask>
    [[nodiscard]] std::vector<Answer> ask_all(Ask ask, time_point until);
    [[nodiscard]] std::size_t shard_count() const;
    /// Hands the task to every shard and waits for none.
    void tell_all(const shard_task& task);

private:
    [[nodiscard]] std::vector<shard_door> doors() const;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<shard_door> doors_;
    std::bitset<session::slots_max> slots_taken_;
    std::bitset<session::slots_max> slots_retired_;
    std::uint64_t changes_ = 0;
    bool stopped_ = false;
};

template <class Answer, class Ask>
std::vector<Answer> gate_hub::ask_all(Ask ask, time_point until) {
    // Shared, because a late thread may still answer when nobody waits any more.
    struct answers {
        std::mutex mutex;
        std::condition_variable arrived;
        std::vector<Answer> values;
    };
    const auto shared = std::make_shared<answers>();
    const auto shards = doors();
    for (const auto& door : shards) {
        door([shared, ask](gate_shard& shard) {
            Answer answer = ask(shard);
            const std::lock_guard lock(shared->mutex);
            shared->values.push_back(std::move(answer));
            shared->arrived.notify_one();
        });
    }
    std::unique_lock lock(shared->mutex);
    // In slices, since a proxy that stops meanwhile answers no more.
    constexpr auto slice = std::chrono::milliseconds(50);
    while (shared->values.size() < shards.size() && !stopped()) {
        const auto now = std::chrono::steady_clock::now();
        if (now >= until) break;
        shared->arrived.wait_until(lock, std::min(until, now + slice));
    }
    return std::exchange(shared->values, {});
}

}  // namespace sluice::proxy
