#include "migration/cutover/statement_watch.hpp"

#include <string>
#include <utility>

namespace sluice::migration {

statement_watch::statement_watch(std::unique_ptr<sql_session> killer, std::uint64_t victim)
    : killer_(std::move(killer)), victim_(victim), thread_([this] { watch(); }) {}

statement_watch::~statement_watch() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        changed_.notify_all();
    }
    thread_.join();
}

void statement_watch::arm(std::chrono::steady_clock::time_point deadline) {
    const std::lock_guard lock(mutex_);
    deadline_ = deadline;
    killed_ = false;
    changed_.notify_all();
}

bool statement_watch::disarm() {
    std::unique_lock lock(mutex_);
    deadline_.reset();
    changed_.notify_all();
    changed_.wait(lock, [this] { return !killing_; });
    return killed_;
}

void statement_watch::watch() {
    std::unique_lock lock(mutex_);
    while (!ending_) {
        if (!deadline_) {
            changed_.wait(lock);
            continue;
        }
        if (std::chrono::steady_clock::now() < *deadline_) {
            changed_.wait_until(lock, *deadline_);
            continue;
        }
        deadline_.reset();
        killing_ = true;
        lock.unlock();
        // If this connection is lost too, lock_wait_timeout of the victim's session is the second line.
        const bool sent = killer_->run("KILL QUERY " + std::to_string(victim_)).has_value();
        lock.lock();
        killed_ = sent;
        killing_ = false;
        changed_.notify_all();
    }
}

}  // namespace sluice::migration
