#pragma once

// Threads that write until they are told to stop, and what one of them saw that it should not have.

#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace sluice::test {

/// Belongs to one thread; stopping() is for the writers as well. What `write` uses must outlive it.
class writer_threads {
public:
    writer_threads() = default;
    writer_threads(const writer_threads&) = delete;
    writer_threads& operator=(const writer_threads&) = delete;
    ~writer_threads() { join(); }

    /// Runs write(0) to write(count - 1), each on a thread of its own. Each is to return once stopping() is true.
    void start(unsigned count, const std::function<void(unsigned)>& write) {
        for (unsigned i = 0; i < count; ++i) {
            threads_.emplace_back([this, write, i] {
                try {
                    write(i);
                } catch (const std::exception& error) {
                    const std::lock_guard lock(mutex_);
                    error_ = error.what();
                }
            });
        }
    }
    [[nodiscard]] bool stopping() const { return stopping_; }

    /// Ends them; throws what one of them threw.
    void stop() {
        join();
        if (!error_.empty()) throw std::runtime_error("a writer saw: " + error_);
    }

private:
    void join() {
        stopping_ = true;
        for (auto& thread : threads_) thread.join();
        threads_.clear();
    }

    std::atomic<bool> stopping_{false};
    std::mutex mutex_;
    std::string error_;
    std::vector<std::thread> threads_;
};

}  // namespace sluice::test
