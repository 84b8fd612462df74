// When a worker of the copy ends.

#include "migration/copy/copy_worker.hpp"
#include "tests/support/catch.hpp"

#include <future>

using namespace sluice::migration;
using namespace std::chrono_literals;

namespace {

class no_server final : public sql_executor {
public:
    outcome<std::unique_ptr<sql_session>> connect() override { return refuse("no_server", "nobody should ask"); }
};

}  // namespace

TEST_CASE(
    "a worker that is paused with nothing left to copy ends: the coordinator waits for it, and cannot resume it") {
    const migration_plan plan;
    work_ledger ledger({1'000, true});
    no_server server;
    chunk_planner planner(plan, ledger);
    copy_worker worker(plan, ledger, planner, server);
    ledger.set_frontier(copy_frontier(std::nullopt, true));  // an empty table: all is copied from the start
    REQUIRE(ledger.all_copied());
    ledger.pause_copy(true);
    auto ended = std::async(std::launch::async, [&worker] { worker.run(); });
    const bool in_time = ended.wait_for(10s) == std::future_status::ready;
    ledger.pause_copy(false);
    CHECK(in_time);
}
