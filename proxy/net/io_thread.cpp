#include "proxy/net/io_thread.hpp"

#include <spdlog/spdlog.h>
#include <boost/asio/post.hpp>

#include "proxy/net/session_driver.hpp"

namespace sluice::proxy {

namespace asio = boost::asio;

io_thread::io_thread(std::shared_ptr<environment> surroundings, std::shared_ptr<gate_hub> hub)
    : surroundings_(std::move(surroundings)),
      hub_(std::move(hub)),
      work_(asio::make_work_guard(context_)),
      gate_timer_(context_),
      shard_({surroundings_->options.held_statements_max, surroundings_->options.held_bytes_max}) {}

io_thread::~io_thread() = default;

void io_thread::start() {
    thread_ = std::thread([this] { run(); });
}

void io_thread::run() {
    // Sessions catch their own exceptions; one that comes here was thrown between them.
    for (;;) {
        try {
            context_.run();
            return;
        } catch (const std::exception& failure) {
            spdlog::critical("proxy: an I/O thread goes on after: {}", failure.what());
        }
    }
}

void io_thread::drain() {
    asio::post(context_, [this] {
        draining_ = true;
        const auto sessions = sessions_;
        for (const auto& [ticket, session] : sessions) session->on_draining();
    });
}

void io_thread::close_sessions() {
    asio::post(context_, [this] {
        const auto sessions = sessions_;
        for (const auto& [ticket, session] : sessions) session->close("the proxy stops");
    });
}

void io_thread::join() {
    if (!thread_.joinable()) return;
    asio::post(context_, [this] {
        gate_timer_.cancel();
        work_.reset();
    });
    thread_.join();
}

void io_thread::begin_session(stream_socket client) {
    const auto ticket = ++last_ticket_;
    auto session = std::make_shared<session_driver>(*this, std::move(client), ticket);
    sessions_.emplace(ticket, session);
    session_count_.store(sessions_.size(), std::memory_order_relaxed);
    session->start();
}

void io_thread::forget(std::uint64_t ticket) {
    sessions_.erase(ticket);
    session_count_.store(sessions_.size(), std::memory_order_relaxed);
}

std::vector<session_view> io_thread::views() const {
    std::vector<session_view> all;
    all.reserve(sessions_.size());
    for (const auto& [ticket, session] : sessions_) all.push_back(session->view());
    return all;
}

std::vector<std::chrono::microseconds> io_thread::statements_under_way(session::time_point now) const {
    std::vector<std::chrono::microseconds> all;
    for (const auto& [ticket, session] : sessions_) {
        const auto since = session->waiting_since();
        if (since) all.push_back(std::chrono::duration_cast<std::chrono::microseconds>(now - *since));
    }
    return all;
}

void io_thread::post(std::function<void()> task) { asio::post(context_, std::move(task)); }

void io_thread::post_gate_task(gate_hub::shard_task task) {
    asio::post(context_, [this, task = std::move(task)] { on_gate_task(task); });
}

void io_thread::on_gate_task(const gate_hub::shard_task& task) {
    task(shard_);
    arm_gate_timer();
    look_after_gates();
}

void io_thread::look_after_gates() {
    if (shard_.take_drained() != 0) hub_->tell_change();
    const auto totals = shard_.counters();
    counters_.statements_held.store(totals.held, std::memory_order_relaxed);
    counters_.holds_overflowed.store(totals.overflowed, std::memory_order_relaxed);
    counters_.statements_held_now.store(shard_.held_now(), std::memory_order_relaxed);
    counters_.snapshots_refused.store(totals.refused, std::memory_order_relaxed);
    counters_.holds_interrupted.store(totals.interrupted, std::memory_order_relaxed);
    for (const auto& kill : shard_.take_kills()) {
        hub_->tell_all([kill](gate_shard& shard) { shard.interrupt(kill.connection_id); });
    }
    if (!shard_.has_ready() || release_scheduled_) return;
    release_scheduled_ = true;
    asio::post(context_, [this] { release_burst(); });
}

// A gate opens at its deadline even if whoever closed it is no more.
void io_thread::arm_gate_timer() {
    const auto next = shard_.next_deadline();
    if (!next) {
        gate_timer_.cancel();
        return;
    }
    gate_timer_.expires_at(*next);
    gate_timer_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        shard_.expire(std::chrono::steady_clock::now());
        arm_gate_timer();
        look_after_gates();
    });
}

// A few at a time, so that whatever else the thread has to do comes in between, and the server is not run over.
void io_thread::release_burst() {
    release_scheduled_ = false;
    released_.clear();
    shard_.release(surroundings_->options.release_burst, std::chrono::steady_clock::now(), released_);
    if (!released_.empty()) add(counters_.release_turns, 1);
    std::vector<std::shared_ptr<session_driver>> sessions;
    for (const auto* seat : released_) {
        const auto found = sessions_.find(seat->ticket());
        if (found != sessions_.end()) sessions.push_back(found->second);
    }
    for (const auto& session : sessions) session->on_released();
    look_after_gates();
    hub_->tell_change();
}

}  // namespace sluice::proxy
