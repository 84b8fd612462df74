// Who may write to the ghost, and which turn a chunk and a batch take.

#include "migration/apply/turn_rules.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/migration/model_tables.hpp"

#include <atomic>
#include <future>
#include <thread>
#include <vector>

using namespace sluice::migration;
using namespace sluice::test;

namespace {

/// Takes a turn on a thread of its own and keeps it until told.
class taker {
public:
    taker(write_turns& turns, turn_kind kind)
        : thread_([this, &turns, kind] {
              const auto turn = turns.take(kind);
              has_it_.set_value();
              end_.get_future().wait();
          }) {}
    ~taker() {
        end();
        thread_.join();
    }
    taker(const taker&) = delete;
    taker& operator=(const taker&) = delete;

    [[nodiscard]] bool has_it() { return has_it_seen_.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }
    void wait_for_it() { REQUIRE(has_it_seen_.wait_for(std::chrono::seconds(30)) == std::future_status::ready); }
    void end() {
        if (!ended_.exchange(true)) end_.set_value();
    }

private:
    std::promise<void> has_it_;
    std::future<void> has_it_seen_ = has_it_.get_future();
    std::promise<void> end_;
    std::atomic<bool> ended_{false};
    std::thread thread_;
};

}  // namespace

TEST_CASE("shared turns run side by side, and a turn alone waits for all of them") {
    write_turns turns;
    taker first(turns, turn_kind::shared);
    taker second(turns, turn_kind::shared);
    first.wait_for_it();
    second.wait_for_it();
    taker alone(turns, turn_kind::alone);
    first.end();
    CHECK_FALSE(alone.has_it());
    second.end();
    alone.wait_for_it();
    taker third(turns, turn_kind::shared);
    CHECK_FALSE(third.has_it());
    alone.end();
    third.wait_for_it();
}

TEST_CASE("turns alone never meet") {
    write_turns turns;
    std::atomic<int> inside{0};
    std::atomic<bool> met{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 500; ++round) {
                const auto turn = turns.take(turn_kind::alone);
                if (++inside != 1) met = true;
                std::this_thread::yield();
                --inside;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK_FALSE(met);
}

TEST_CASE("which turns are taken: by keys that the ghost keeps unique or not, in exact order or not") {
    migration_plan plan;
    plan.mapping.key.exactly_ordered = true;
    CHECK(turn_of_chunk(plan, false) == turn_kind::shared);
    CHECK(turn_of_batch(plan) == turn_kind::shared);
    plan.mapping.key.enforced = false;
    CHECK(turn_of_chunk(plan, true) == turn_kind::shared);
    CHECK(turn_of_chunk(plan, false) == turn_kind::alone);
    CHECK(turn_of_batch(plan) == turn_kind::shared);
    plan.mapping.key.exactly_ordered = false;
    CHECK(turn_of_chunk(plan, true) == turn_kind::alone);
    plan.mapping.key = {};
    plan.writers_in_turn = true;
    CHECK(turn_of_chunk(plan, true) == turn_kind::alone);
    CHECK(turn_of_batch(plan) == turn_kind::alone);
}
