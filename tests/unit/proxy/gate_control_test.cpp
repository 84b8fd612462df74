// The coordinator's side of the gates, with I/O threads of which the test controls every turn.

#include "proxy/net/gate_control.hpp"
#include "proxy/net/gate_hub.hpp"
#include "tests/support/catch.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace sluice::proxy {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

class test_seat final : public session::gate_seat {
public:
    session::seat_view view() const override { return {7, "app@x", "SELECT 1", begun, true}; }
    std::uint64_t connection_id() const noexcept override { return 7; }
    bool has_snapshot() const override { return snapshot && !reads_anew; }
    session::slot_mask outdated() const override { return outdated_slots; }

    steady_clock::time_point begun = steady_clock::now() - 50ms;
    bool snapshot = false;
    bool reads_anew = false;
    session::slot_mask outdated_slots = 0;

protected:
    bool on_swapped(session::slot_mask swapped) override {
        if (has_snapshot()) outdated_slots |= swapped;
        return has_snapshot();
    }
    void on_reads_anew(session::time_point since) override { reads_anew = since == begun; }
    session::slot_mask on_watch(session::slot_mask) override { return in_use(); }
};

// Runs tasks one after the other on a thread of its own; can be made deaf.
class test_thread {
public:
    test_thread() : runner_([this] { run(); }) {}
    ~test_thread() {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
        }
        changed_.notify_one();
        runner_.join();
    }
    void post(gate_hub::shard_task task) {
        const std::lock_guard lock(mutex_);
        tasks_.push_back(std::move(task));
        changed_.notify_one();
    }
    void set_deaf(bool deaf) {
        const std::lock_guard lock(mutex_);
        deaf_ = deaf;
        changed_.notify_one();
    }

private:
    void run() {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [&] { return ended_ || (!deaf_ && !tasks_.empty()); });
            if (ended_) return;
            auto task = std::move(tasks_.front());
            tasks_.pop_front();
            lock.unlock();
            task(shard_);
            lock.lock();
        }
    }

    gate_shard shard_{{}};
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<gate_hub::shard_task> tasks_;
    bool deaf_ = false;
    bool ended_ = false;
    std::thread runner_;
};

struct two_threads {
    two_threads() {
        for (auto* thread : {&first, &second}) {
            hub->add_shard([thread](gate_hub::shard_task task) { thread->post(std::move(task)); });
        }
    }
    ~two_threads() { hub->stop(); }
    void on_first(gate_hub::shard_task task) {
        first.post(std::move(task));
        (void)hub->ask_all<int>([](gate_shard&) { return 0; }, steady_clock::now() + 10s);
    }

    std::shared_ptr<gate_hub> hub = std::make_shared<gate_hub>();
    test_thread first, second;
    gate_control control{hub};
};

TEST_CASE("all shards watch, close and open together") {
    two_threads t;
    auto gate = t.control.watch({"s", "t"});
    REQUIRE(gate != nullptr);
    const auto holding = [&] {
        return t.hub->ask_all<session::slot_mask>([](gate_shard& shard) { return shard.holding(); },
                                                  steady_clock::now() + 10s);
    };
    const auto watched = t.hub->ask_all<session::slot_mask>([](gate_shard& shard) { return shard.watched(); },
                                                            steady_clock::now() + 10s);
    CHECK(watched == std::vector<session::slot_mask>{1, 1});
    gate->close(steady_clock::now() + 10s);
    CHECK(holding() == std::vector<session::slot_mask>{1, 1});
    gate->open();
    CHECK(holding() == std::vector<session::slot_mask>{0, 0});
    gate->close(steady_clock::now() + 10s);
    gate.reset();
    CHECK(holding() == std::vector<session::slot_mask>{0, 0});
}

TEST_CASE("64 tables can be watched, and places are given back") {
    two_threads t;
    std::vector<std::unique_ptr<table_gate>> gates;
    for (unsigned i = 0; i < session::slots_max; ++i) {
        gates.push_back(t.control.watch({"s", "t" + std::to_string(i)}));
        REQUIRE(gates.back() != nullptr);
    }
    CHECK(t.control.watch({"s", "one too many"}) == nullptr);
    gates.erase(gates.begin() + 10);
    CHECK(t.control.watch({"s", "again"}) != nullptr);
}

TEST_CASE("a retired place is looked at by one of those who ask at the same time, and taken by one") {
    two_threads t;
    const auto slot = t.hub->take_slot();
    REQUIRE(slot);
    t.hub->retire_slot(*slot);
    CHECK(t.hub->take_retired() == std::vector<unsigned>{*slot});
    CHECK(t.hub->take_retired().empty());
    const auto other = t.hub->take_slot();  // it is not free meanwhile
    REQUIRE(other);
    CHECK(*other != *slot);
    t.hub->retire_slot(*slot);
    // No shard watches it any more.
    CHECK(t.control.watch({"s", "t"}) != nullptr);
    CHECK(t.hub->take_retired().empty());
    CHECK(t.hub->take_slot() == slot);
}

TEST_CASE("drained means zero in every shard, and is told at once") {
    two_threads t;
    auto gate = t.control.watch({"s", "t"});
    auto seat = std::make_unique<test_seat>();
    t.on_first([&](gate_shard& shard) {
        shard.join(*seat);
        shard.set_in_use(*seat, 1);
    });
    CHECK_FALSE(gate->wait_drained(steady_clock::now() + 5ms));
    const auto blockers = gate->blockers();
    REQUIRE(blockers.size() == 1);
    CHECK(blockers[0].connection_id == 7);
    CHECK(blockers[0].client == "app@x");
    CHECK(blockers[0].statement == "SELECT 1");
    CHECK(blockers[0].in_transaction);
    CHECK(blockers[0].age >= 50ms);
    std::thread ends([&] {
        t.first.post([&](gate_shard& shard) {
            shard.set_in_use(*seat, 0);
            (void)shard.take_drained();
            t.hub->tell_change();
        });
    });
    CHECK(gate->wait_drained(steady_clock::now() + 10s));
    ends.join();
    CHECK(gate->blockers().empty());
    t.on_first([&](gate_shard&) { seat.reset(); });
}

TEST_CASE("an I/O thread that does not come to its turn delays, but blocks nobody for ever") {
    two_threads t;
    auto gate = t.control.watch({"s", "t"});
    t.second.set_deaf(true);
    const auto begun = steady_clock::now();
    CHECK_FALSE(gate->wait_drained(begun + 20ms));  // it may hold anything
    gate->close(steady_clock::now() + 10s);
    (void)gate->blockers();
    gate->open();
    gate.reset();
    CHECK(steady_clock::now() - begun < 10s);
    // Its place is not used again: the late thread would forget another table in it.
    std::size_t free = 0;
    t.second.set_deaf(false);
    std::vector<std::unique_ptr<table_gate>> gates;
    while (auto next = t.control.watch({"s", "t"})) gates.push_back(std::move(next)), ++free;
    CHECK(free == session::slots_max - 1);
}

TEST_CASE("a proxy that has stopped answers as if nothing were held or in flight") {
    two_threads t;
    auto gate = t.control.watch({"s", "t"});
    t.second.set_deaf(true);
    std::thread stopper([&] {
        std::this_thread::sleep_for(20ms);
        t.hub->stop();
    });
    CHECK(gate->wait_drained(steady_clock::now() + 30s));
    stopper.join();
    const auto begun = steady_clock::now();
    gate->close(begun + 10s);
    CHECK(gate->open().statements_held == 0);
    CHECK(gate->blockers().empty());
    CHECK(t.control.watch({"s", "u"}) == nullptr);
    CHECK(steady_clock::now() - begun < 5s);
}

TEST_CASE("reports of all shards are put together") {
    two_threads t;
    auto gate = t.control.watch({"s", "t"});
    gate->close(steady_clock::now() + 10s);
    std::vector<std::unique_ptr<test_seat>> seats;
    const auto begun = steady_clock::now();
    constexpr int per_thread = 50;
    for (auto* thread : {&t.first, &t.second}) {
        std::vector<test_seat*> own;
        for (int i = 0; i < per_thread; ++i) {
            seats.push_back(std::make_unique<test_seat>());
            own.push_back(seats.back().get());
        }
        // 1 to 50 ms on one thread, 51 to 100 ms on the other.
        const int before = thread == &t.second ? per_thread : 0;
        thread->post([own, begun, before](gate_shard& shard) {
            for (auto* seat : own) {
                shard.join(*seat);
                (void)shard.hold(*seat, {1, 0}, 1, begun);
            }
            shard.open(0);
            std::vector<session::gate_seat*> released;
            for (int i = 1; i <= per_thread; ++i)
                shard.release(1, begun + std::chrono::milliseconds(before + i), released);
        });
    }
    const auto report = gate->open();
    CHECK(report.statements_held == 2 * per_thread);
    CHECK(report.hold_max == 100ms);
    CHECK(report.hold_p99 == 99ms);
    CHECK(report.hold_p50 == 51ms);
    for (std::size_t i = 0; i < 2; ++i) {
        (i == 0 ? t.first : t.second).post([&, i](gate_shard& shard) {
            for (std::size_t n = 0; n < per_thread; ++n) shard.leave(*seats[i * per_thread + n]);
        });
    }
    (void)t.hub->ask_all<int>([](gate_shard&) { return 0; }, steady_clock::now() + 10s);
}

}  // namespace
}  // namespace sluice::proxy
