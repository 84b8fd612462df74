#include "migration/cutover/pending_rename.hpp"

#include "protocol/sql/classifier.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds look_interval{2};
constexpr milliseconds kill_interval{50};
// The server's default is the greatest number there is. At a small one it lets writers pass pending exclusive locks.
constexpr std::uint64_t write_lock_count_min = 1'000;

failure give_up(std::string why) { return refuse("given_up", std::move(why)); }

bool may_change(std::span<const table_name> tables, int lower_case_table_names, const cell& schema,
                const cell& statement) {
    if (!statement) return true;
    const sql::statement_footprint footprint = sql::classify(*statement);
    switch (footprint.first_kind()) {
        case sql::statement_kind::ddl:
        case sql::statement_kind::execute:
        case sql::statement_kind::other:
        case sql::statement_kind::empty: break;
        default: return false;
    }
    return std::any_of(tables.begin(), tables.end(), [&](const table_name& table) {
        return footprint.may_touch({table.schema, table.table}, schema.value_or(""), lower_case_table_names);
    });
}

}  // namespace

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

bool lock_waits::has(std::uint64_t connection) const {
    const std::string id = std::to_string(connection);
    return std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return row.at(0) == id; });
}

outcome<lock_waits> read_lock_waits(sql_session& by) {
    SLUICE_TRY(query_result waiting, by.run("SELECT id, db, LEFT(info, 4000) FROM information_schema.processlist"
                                            " WHERE state = 'Waiting for table metadata lock'"));
    return lock_waits{std::move(waiting.rows)};
}

pending_rename::pending_rename(sql_executor& executor, attempt_surroundings& around)
    : executor_(executor), around_(around) {}

pending_rename::~pending_rename() { end(); }

outcome<void> pending_rename::connect(milliseconds budget) {
    SLUICE_TRY(session_, executor_.connect());
    const auto wait_max = std::chrono::ceil<std::chrono::seconds>(budget);
    SLUICE_TRY_VOID(session_->run("SET SESSION lock_wait_timeout = " + std::to_string(wait_max.count())));
    SLUICE_TRY(auto killer, executor_.connect());
    watch_ = around_.watch(std::move(killer), session_->connection_id());
    return {};
}

void pending_rename::start(std::string statement, steady_clock::time_point deadline) {
    watch_->arm(deadline);
    running_ = around_.start(*session_, std::move(statement));
}

bool pending_rename::has_ended() { return running_->wait_ended(around_.now()); }

outcome<void> pending_rename::see_it_wait(sql_session& by, std::span<const table_name> tables,
                                          int lower_case_table_names, steady_clock::time_point deadline) {
    while (true) {
        if (has_ended()) return give_up("the rename ended before its time");
        if (around_.now() >= deadline) return give_up("the rename did not come to wait for the lock in time");
        SLUICE_TRY(const lock_waits waiting, read_lock_waits(by));
        if (waiting.has(connection_id())) {
            const std::string own = std::to_string(connection_id());
            const auto other = std::find_if(waiting.rows.begin(), waiting.rows.end(), [&](const auto& row) {
                return row.at(0) != own && may_change(tables, lower_case_table_names, row.at(1), row.at(2));
            });
            if (other == waiting.rows.end()) return {};
            return give_up("connection " + other->at(0).value_or("?") +
                           " waits for the table with a statement that may change its definition: " +
                           other->at(2).value_or("").substr(0, 200));
        }
        (void)running_->wait_ended(around_.now() + look_interval);
    }
}

outcome<void> pending_rename::let_go(steady_clock::time_point deadline) {
    if (watch_->disarm() || around_.now() >= deadline) {
        return give_up("the hold budget was spent before the rename");
    }
    let_go_ = true;
    return {};
}

outcome<void> pending_rename::result() {
    auto ended = running_->result();
    if (!ended) return std::move(ended).error();
    return {};
}

void pending_rename::end() {
    if (!running_) return;
    while (!let_go_ && !has_ended()) {
        // A kill that comes before the statement has begun strikes nothing: it is sent again.
        watch_->arm(around_.now());
        (void)running_->wait_ended(around_.now() + kill_interval);
    }
    // Once let go it may be renaming: it ends by itself, at the latest when its session's lock_wait_timeout is over.
    running_.reset();
    (void)watch_->disarm();
}

}  // namespace sluice::migration
