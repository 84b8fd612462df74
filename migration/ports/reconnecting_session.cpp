#include "migration/ports/reconnecting_session.hpp"

#include <algorithm>
#include <charconv>
#include <random>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds backoff_min{100};
constexpr milliseconds backoff_max{5'000};

std::string fresh_lock_name() {
    std::random_device source;
    std::string name = "sluice:life:";
    constexpr const char* digits = "0123456789abcdef";
    for (int word = 0; word < 4; ++word) {
        auto bits = source();
        for (int i = 0; i < 8; ++i, bits >>= 4U) name += digits[bits % 16];
    }
    return name;
}

}  // namespace

reconnecting_session::reconnecting_session(sql_executor& executor, std::function<bool()> give_up, clock& time)
    : executor_(executor), give_up_(std::move(give_up)), time_(time) {}

outcome<void> reconnecting_session::end_lost_connection() {
    if (life_lock_.empty()) return {};
    const auto until = time_.now() + std::chrono::minutes(1);
    while (time_.now() < until) {
        SLUICE_TRY(const query_result holder, session_->run("SELECT IS_USED_LOCK('" + life_lock_ + "')"));
        // A lock that somebody else has taken since is none of the lost connection's either.
        if (holder.rows.empty() || holder.rows[0].empty() || holder.rows[0][0] != std::to_string(life_id_)) {
            life_lock_.clear();
            return {};
        }
        // 1094 (no such thread) only says that it went by itself in between.
        auto killed = session_->run("KILL " + *holder.rows[0][0]);
        if (!killed && killed.error().server_errno != 1094) return std::move(killed).error();
        time_.sleep_for(milliseconds(20));
    }
    return refuse("lost_connection_lives",
                  "a lost connection of the engine could not be ended on the server in a minute");
}

// One whose GET_LOCK was not answered before it was lost, or of an earlier process.
outcome<void> reconnecting_session::end_holder(const std::string& lock) {
    SLUICE_TRY(const query_result holder, session_->run("SELECT IS_USED_LOCK('" + lock + "')"));
    if (holder.rows.empty() || holder.rows[0].empty() || !holder.rows[0][0]) return {};
    const std::string& id = *holder.rows[0][0];
    life_lock_ = lock;
    life_id_ = 0;
    std::from_chars(id.data(), id.data() + id.size(), life_id_);
    return end_lost_connection();
}

outcome<void> reconnecting_session::connect_once() {
    SLUICE_TRY(session_, executor_.connect());
    has_lock_ = false;
    auto ready = [this]() -> outcome<void> {
        SLUICE_TRY_VOID(end_lost_connection());
        const std::string name = given_lock_.empty() ? fresh_lock_name() : given_lock_;
        if (may_live_) SLUICE_TRY_VOID(may_live_(*session_));
        if (!given_lock_.empty()) SLUICE_TRY_VOID(end_holder(name));
        SLUICE_TRY_VOID(session_->run("SELECT GET_LOCK('" + name + "', 0)"));
        life_lock_ = name;
        life_id_ = session_->connection_id();
        // Whoever comes to forbid it from here on finds the name, and ends it.
        if (may_live_) SLUICE_TRY_VOID(may_live_(*session_));
        return {};
    }();
    if (!ready) session_.reset();
    return ready;
}

outcome<void> reconnecting_session::connect() {
    if (session_) return {};
    const auto until = time_.now() + patience;
    milliseconds backoff = backoff_min;
    while (true) {
        auto connected = connect_once();
        if (connected) return {};
        failure why = std::move(connected).error();
        const bool transient = why.then != disposition::abort;
        if (!transient || give_up_() || time_.now() + backoff > until) {
            why.then = disposition::abort;
            return why;
        }
        time_.sleep_for(backoff);
        backoff = std::min(backoff * 2, backoff_max);
    }
}

outcome<bool> reconnecting_session::take_lock(const std::string& name, unsigned seconds) {
    SLUICE_TRY(const query_result got, run("SELECT GET_LOCK('" + name + "', " + std::to_string(seconds) + ")"));
    const bool has_it = !got.rows.empty() && !got.rows[0].empty() && got.rows[0][0] == "1";
    SLUICE_TRY(const query_result held, run("SELECT IS_USED_LOCK('" + life_lock_ + "') = CONNECTION_ID()"));
    const bool still_has_other = !held.rows.empty() && !held.rows[0].empty() && held.rows[0][0] == "1";
    if (!still_has_other) {
        life_lock_ = has_it ? name : fresh_lock_name();
        if (!has_it) SLUICE_TRY_VOID(run("SELECT GET_LOCK('" + life_lock_ + "', 0)"));
    }
    has_lock_ = has_it;
    return has_it;
}

outcome<void> reconnecting_session::replace() {
    session_.reset();
    return connect();
}

outcome<query_result> reconnecting_session::run(std::string_view sql) {
    SLUICE_TRY_VOID(connect());
    auto outcome = session_->run(sql);
    if (outcome || outcome.error().then != disposition::outcome_unknown) return outcome;
    failure lost = std::move(outcome).error();
    session_.reset();
    SLUICE_TRY_VOID(connect());
    lost.then = disposition::retry;
    return lost;
}

}  // namespace sluice::migration
