#include "migration/cutover/sentry_swap.hpp"

#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"
#include "protocol/sql/classifier.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds look_interval{2};
// The server's default is the greatest number there is. At a small one it lets writers pass pending exclusive locks.
constexpr std::uint64_t write_lock_count_min = 1'000;
constexpr const char* waits_for_table = "Waiting for table metadata lock";

failure give_up(std::string why) { return refuse("given_up", std::move(why)); }

// Another exclusive lock that was asked for before ours is granted before ours: what it does to the table would be
// lost.
bool may_change_table(const migration_plan& plan, const cell& schema, const cell& statement) {
    if (!statement) return true;
    const sql::statement_footprint footprint = sql::classify(*statement);
    switch (footprint.first_kind()) {
        case sql::statement_kind::ddl:
        case sql::statement_kind::execute:
        case sql::statement_kind::other:
        case sql::statement_kind::empty: break;
        default: return false;
    }
    return footprint.may_touch({plan.original.schema, plan.original.table}, schema.value_or(""),
                               plan.lower_case_table_names);
}

outcome<void> check_lock_priority(sql_session& session) {
    SLUICE_TRY(const query_result shown, session.run("SELECT @@GLOBAL.max_write_lock_count"));
    const std::string text = shown.rows.empty() ? "" : shown.rows[0][0].value_or("");
    std::uint64_t count = 0;
    std::from_chars(text.data(), text.data() + text.size(), count);
    if (count >= write_lock_count_min) return {};
    return refuse("write_lock_count_too_low",
                  "max_write_lock_count is " + text + "; a cut-over by two sessions needs " +
                      std::to_string(write_lock_count_min) + " or more, or writers come between them");
}

}  // namespace

migration_plan with_swap_names(migration_plan plan) {
    plan.ghost = plan.swap_ghost;
    plan.columns.ghost = plan.swap_ghost;
    plan.ghost_description.name = plan.swap_ghost;
    plan.old_table = plan.swap_old;
    return plan;
}

std::string create_sentry_statement(const table_name& name) {
    return "CREATE TABLE " + quote_table(name) + " (nothing TINYINT) COMMENT = '" + std::string(sentry_comment) + "'";
}

sentry_swap::sentry_swap(const migration_plan& plan, sql_executor& executor) : plan_(plan), executor_(executor) {}

sentry_swap::~sentry_swap() { end(); }

void sentry_swap::end() {
    if (!thread_.joinable()) return;
    while (!let_go_ && !has_ended()) {
        // A kill that comes before the statement has begun strikes nothing: it is sent again.
        watch_->arm(steady_clock::now());
        std::unique_lock lock(mutex_);
        ended_.wait_for(lock, milliseconds(50), [this] { return result_.has_value(); });
    }
    // Without the sentry it may be renaming: it ends by itself, at the latest when its session's lock_wait_timeout is
    // over.
    thread_.join();
}

outcome<void> sentry_swap::prepare(sql_session& session, const table_name& usual_ghost) {
    SLUICE_TRY_VOID(check_lock_priority(session));
    SLUICE_TRY(renamer_, executor_.connect());
    // Once it is let go, this alone bounds its wait for whoever came to read the ghost at that moment.
    const auto wait_max = std::chrono::ceil<std::chrono::seconds>(plan_.options.hold_budget);
    SLUICE_TRY_VOID(renamer_->run("SET SESSION lock_wait_timeout = " + std::to_string(wait_max.count())));
    SLUICE_TRY(auto killer, executor_.connect());
    watch_ = std::make_unique<statement_watch>(std::move(killer), renamer_->connection_id());
    SLUICE_TRY_VOID(session.run(create_sentry_statement(plan_.old_table)));
    const std::array renames{table_rename{usual_ghost, plan_.ghost}};
    SLUICE_TRY_VOID(session.run(rename_statement(renames)));
    return {};
}

void sentry_swap::start_rename(steady_clock::time_point deadline) {
    watch_->arm(deadline);
    thread_ = std::thread([this] {
        auto renamed = renamer_->run(swap_statement(plan_.original, plan_.ghost, plan_.old_table));
        const std::lock_guard lock(mutex_);
        result_ = std::move(renamed);
        ended_.notify_all();
    });
}

bool sentry_swap::has_ended() {
    const std::lock_guard lock(mutex_);
    return result_.has_value();
}

outcome<void> sentry_swap::see_it_wait(sql_session& holder, steady_clock::time_point deadline) {
    const std::string look = "SELECT id, db, LEFT(info, 4000) FROM information_schema.processlist WHERE state = '" +
                             std::string(waits_for_table) + "'";
    const std::string renamer = std::to_string(renamer_->connection_id());
    while (true) {
        if (has_ended()) return give_up("the rename ended before its time");
        if (steady_clock::now() >= deadline) return give_up("the rename did not come to wait for the lock in time");
        SLUICE_TRY(const query_result waiting, holder.run(look));
        bool seen = false;
        const std::vector<cell>* before = nullptr;
        for (const auto& row : waiting.rows) {
            if (row.at(0) == renamer) {
                seen = true;
            } else if (may_change_table(plan_, row.at(1), row.at(2))) {
                before = &row;
            }
        }
        if (seen && before == nullptr) return {};
        if (seen) {
            return give_up("connection " + before->at(0).value_or("?") +
                           " waits for the table with a statement that may change its definition: " +
                           before->at(2).value_or("").substr(0, 200));
        }
        std::unique_lock lock(mutex_);
        ended_.wait_for(lock, look_interval, [this] { return result_.has_value(); });
    }
}

outcome<void> sentry_swap::result_of_rename() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return result_.has_value(); });
    if (!*result_) return result_->error();
    return {};
}

outcome<void> sentry_swap::swap(sql_session& holder, steady_clock::time_point deadline) {
    start_rename(deadline);
    SLUICE_TRY_VOID(see_it_wait(holder, deadline));
    // The point of no return: from here on only the server knows whether the rename takes place, and nothing may be
    // sent to end it. A kill that strikes while it renames costs the table its triggers on MariaDB.
    if (watch_->disarm() || steady_clock::now() >= deadline) {
        return give_up("the hold budget was spent before the rename");
    }
    let_go_ = true;
    SLUICE_TRY_VOID(holder.run("DROP TABLE " + quote_table(plan_.old_table)));
    // A lost connection unlocks as well: the rename's own answer is what counts.
    (void)holder.run("UNLOCK TABLES").has_error();
    return result_of_rename();
}

}  // namespace sluice::migration
