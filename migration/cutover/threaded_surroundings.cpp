#include "migration/cutover/attempt_surroundings.hpp"
#include "migration/cutover/statement_watch.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::steady_clock;

class statement_on_thread final : public running_statement {
public:
    statement_on_thread(sql_session& session, std::string sql)
        : thread_([this, &session, statement = std::move(sql)] {
              auto ended = session.run(statement);
              const std::lock_guard lock(mutex_);
              result_ = std::move(ended);
              ended_.notify_all();
          }) {}
    statement_on_thread(const statement_on_thread&) = delete;
    statement_on_thread& operator=(const statement_on_thread&) = delete;
    ~statement_on_thread() override { thread_.join(); }

    bool wait_ended(steady_clock::time_point until) override {
        std::unique_lock lock(mutex_);
        return ended_.wait_until(lock, until, [this] { return result_.has_value(); });
    }

    outcome<query_result> result() override {
        std::unique_lock lock(mutex_);
        ended_.wait(lock, [this] { return result_.has_value(); });
        return *result_;
    }

private:
    std::mutex mutex_;
    std::condition_variable ended_;
    std::optional<outcome<query_result>> result_;
    std::thread thread_;  // last: it uses the others
};

class surroundings_of_threads final : public attempt_surroundings {
public:
    steady_clock::time_point now() override { return steady_clock::now(); }
    void sleep_for(std::chrono::milliseconds time) override { std::this_thread::sleep_for(time); }
    std::unique_ptr<kill_timer> watch(std::unique_ptr<sql_session> killer, std::uint64_t victim) override {
        return std::make_unique<statement_watch>(std::move(killer), victim);
    }
    std::unique_ptr<running_statement> start(sql_session& session, std::string sql) override {
        return std::make_unique<statement_on_thread>(session, std::move(sql));
    }
    bool park_batches(work_ledger& ledger, steady_clock::time_point until) override {
        return ledger.park_batches(until);
    }
    bool wait_read_through(work_ledger& ledger, const stream_position& position,
                           steady_clock::time_point until) override {
        return ledger.wait_read_through(position, until);
    }
};

}  // namespace

attempt_surroundings& threaded_surroundings() noexcept {
    static surroundings_of_threads threads;
    return threads;
}

}  // namespace sluice::migration
