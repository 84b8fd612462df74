#pragma once

// One I/O thread: an io_context, its shard of the gates, its sessions and their buffers. What is not marked thread-safe
// belongs to the thread itself.

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include "proxy/net/buffer_pool.hpp"
#include "proxy/net/channel.hpp"
#include "proxy/net/environment.hpp"
#include "proxy/net/gate_hub.hpp"
#include "proxy/session/latency_meter.hpp"

namespace sluice::proxy {

class session_driver;

/// Written by the thread, read by anybody.
struct thread_counters {
    std::atomic<std::uint64_t> statements{0};
    std::atomic<std::uint64_t> statements_answered{0};
    std::atomic<std::uint64_t> statements_held{0};
    std::atomic<std::uint64_t> statements_held_now{0};
    std::atomic<std::uint64_t> holds_overflowed{0};
    std::atomic<std::uint64_t> holds_interrupted{0};
    std::atomic<std::uint64_t> release_turns{0};
    std::atomic<std::uint64_t> snapshots_refused{0};
};

class io_thread {
public:
    io_thread(std::shared_ptr<environment> surroundings, std::shared_ptr<gate_hub> hub);
    io_thread(const io_thread&) = delete;
    io_thread& operator=(const io_thread&) = delete;
    ~io_thread();  ///< join() must have been called, or start() not

    void start();
    /// Thread-safe. Ends idle sessions, and the others as they become idle.
    void drain();
    /// Thread-safe. Ends all sessions now.
    void close_sessions();
    /// Thread-safe. Ends the thread and waits for it.
    void join();

    /// Thread-safe. Never run once the thread has ended.
    void post(std::function<void()> task);
    /// Thread-safe: the door of this thread's shard.
    void post_gate_task(gate_hub::shard_task task);
    [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }
    /// Takes a client's connection over; called on this thread.
    void begin_session(stream_socket client);
    /// Thread-safe; approximate.
    [[nodiscard]] std::size_t session_count() const noexcept { return session_count_.load(std::memory_order_relaxed); }
    [[nodiscard]] const thread_counters& counters() const noexcept { return counters_; }
    [[nodiscard]] std::vector<session_view> views() const;
    /// For how long clients have waited for the replies to statements that are timed.
    [[nodiscard]] std::vector<std::chrono::microseconds> statements_under_way(session::time_point now) const;

    // For sessions:
    [[nodiscard]] environment& surroundings() noexcept { return *surroundings_; }
    [[nodiscard]] gate_shard& shard() noexcept { return shard_; }
    [[nodiscard]] session::latency_meter& meter() noexcept { return meter_; }
    [[nodiscard]] buffer_pool& buffers() noexcept { return buffers_; }
    [[nodiscard]] bool draining() const noexcept { return draining_; }
    void count_statements(std::uint64_t more) noexcept { add(counters_.statements, more); }
    void count_answer() noexcept { add(counters_.statements_answered, 1); }
    /// At the end of everything that a session has done in one turn.
    void after_turn() {
        if (shard_.watching()) look_after_gates();
    }
    void forget(std::uint64_t ticket);

private:
    static void add(std::atomic<std::uint64_t>& counter, std::uint64_t more) noexcept {
        counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
    }
    void run();
    void on_gate_task(const gate_hub::shard_task& task);
    void look_after_gates();
    void arm_gate_timer();
    void release_burst();

    std::shared_ptr<environment> surroundings_;
    std::shared_ptr<gate_hub> hub_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    boost::asio::steady_timer gate_timer_;
    gate_shard shard_;
    session::latency_meter meter_;
    buffer_pool buffers_;
    std::unordered_map<std::uint64_t, std::shared_ptr<session_driver>> sessions_;
    std::vector<session::gate_seat*> released_;
    std::uint64_t last_ticket_ = 0;
    bool release_scheduled_ = false;
    bool draining_ = false;
    std::atomic<std::size_t> session_count_{0};
    thread_counters counters_;
    std::thread thread_;
};

}  // namespace sluice::proxy
