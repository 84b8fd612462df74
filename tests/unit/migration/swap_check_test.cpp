#include "migration/cutover/swap_check.hpp"

#include "migration/cutover/sentry_swap.hpp"
#include "migration/engine/preparation.hpp"
#include "tests/support/catch.hpp"

#include <chrono>

using namespace sluice;
using migration::disposition;
using migration::failure;
using migration::query_result;
using migration::swap_state;

namespace {

// The ghost is there, and the old table is not.
query_result tables_before_swap() {
    query_result found;
    found.rows = {{"", "1", "0", "0", "0"}};
    return found;
}

/// No RENAME is listed; `read` is what becomes of the statement that waits for the table's lock.
migration::outcome<swap_state> settle(const migration::outcome<query_result>& list,
                                      const migration::outcome<query_result>& read) {
    migration::migration_plan names = migration::plan_names({{"shop", "orders"}, "ADD c INT", {}});
    names.rename_under_lock = true;
    return migration::settle_swap(
        [&](std::string_view sql) -> migration::outcome<query_result> {
            if (sql.find(".processlist") != std::string_view::npos) return list;
            if (sql.starts_with("SELECT 1 FROM `shop`.`orders`")) return read;
            return tables_before_swap();
        },
        names);
}

failure failed(unsigned number, const char* code, const char* attempted) {
    return {.code = code,
            .message = "why",
            .server_errno = number,
            .sqlstate = {},
            .attempted = attempted,
            .then = disposition::abort};
}

// The two sessions' names: the ghost bears its own for the swap, and the sentry is in the rename's way.
query_result with_sentry() {
    query_result found;
    found.rows = {{"", "0", "0", "1", "0"}, {std::string(migration::sentry_comment), "0", "0", "0", "1"}};
    return found;
}

/// Passes only by being slept away.
class passing_time final : public migration::clock {
public:
    std::chrono::steady_clock::time_point now() override { return std::chrono::steady_clock::time_point(passed_); }
    void sleep_for(std::chrono::milliseconds time) override { passed_ += time; }
    [[nodiscard]] std::chrono::steady_clock::duration passed() const { return passed_; }

private:
    std::chrono::steady_clock::duration passed_{0};
};

}  // namespace

TEST_CASE("which table is which is said only once the server has let go of a RENAME, or has said that it has none") {
    const query_result none;
    CHECK(settle(none, none).value() == swap_state::not_swapped);
    // No such table: nobody can hold its lock.
    CHECK(settle(none, failed(1146, "no_such_table", "SELECT 1")).has_value());
    // No such list.
    CHECK(settle(failed(1146, "no_such_table", "SELECT id"), none).has_value());

    // A session that was given up also says `abort`: it has not waited for anything.
    const auto lost =
        GENERATE(failed(0, "lost_connection_lives", ""), failed(2003, "cannot_connect", "connect"),
                 failed(2013, "connection_lost", "SELECT 1"), failed(1040, "too_many_connections", "connect"),
                 failed(1045, "access_denied", "connect"), failed(1053, "connection_lost", "SELECT 1"));
    CAPTURE(lost.server_errno);
    CHECK(settle(none, lost).has_error());
    CHECK(settle(lost, none).has_error());
}

TEST_CASE("a RENAME that is still pending a minute after its session was first killed is an error, not an answer") {
    const bool rename_under_lock = GENERATE(true, false);
    CAPTURE(rename_under_lock);
    passing_time time;
    migration::migration_plan names = migration::plan_names({{"shop", "orders"}, "ADD c INT", {}});
    names.rename_under_lock = rename_under_lock;
    int kills = 0;
    const auto state = migration::settle_swap(
        [&](std::string_view sql) -> migration::outcome<query_result> {
            query_result pending;
            pending.rows = {{"7"}};
            if (sql.find(".processlist") != std::string_view::npos) return pending;
            if (sql == "KILL 7") ++kills;
            return with_sentry();
        },
        names, time);
    REQUIRE(state.has_error());
    CHECK(state.error().code == "swap_pending");
    CHECK(kills > 1);
    CHECK(time.passed() > std::chrono::minutes(1));
}
