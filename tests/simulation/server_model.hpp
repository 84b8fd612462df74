#pragma once

// A small model of the server, as far as a cut-over can see it: tables by name, metadata locks with their queues,
// transactions whose commit has two moments (logged, then visible), XA, statements that are killed, and connections
// that are lost with a statement on its way.
//
// It also knows the truth: what every committed write through a table's own name has made of its rows. Whoever reads a
// table by that name must find the truth, always.

#include "migration/model/failure.hpp"
#include "migration/ports/sql_executor.hpp"
#include "tests/simulation/world.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::simulation {

constexpr std::size_t keys_per_table = 12;
constexpr long missing = -1;
using row_values = std::array<long, keys_per_table>;

struct table_object {
    row_values rows{};
    bool new_shape = false;
    bool sentry = false;
};
using table_ptr = std::shared_ptr<table_object>;

enum class lock_type : std::uint8_t { read, write, no_read_write, exclusive };

struct write_of_row {
    std::size_t table = 0;  ///< number of the watched table by whose name it was made
    table_ptr object;
    std::size_t key = 0;
    long value = 0;
};

struct log_entry {
    enum class what : std::uint8_t { rows, prepared, committed_prepared } kind = what::rows;
    std::uint64_t number = 0;  ///< of the transaction; also its place in the log
    std::string xid;
    std::vector<write_of_row> writes;
};

struct server_kind {
    bool rename_under_lock = true;
    bool forgets_locks_of_detached_xa = false;  ///< MariaDB
};

using answer = migration::outcome<migration::query_result>;
using on_answer = std::function<void(answer)>;

[[nodiscard]] migration::failure server_error(unsigned number, std::string message);

class server_model {
public:
    server_model(world& in, server_kind kind, std::size_t tables);

    // --- what the tables are called ---
    [[nodiscard]] static std::string name_of(std::size_t table) { return "t" + std::to_string(table + 1); }
    [[nodiscard]] table_ptr find(const std::string& name) const;
    [[nodiscard]] const row_values& truth(std::size_t table) const { return truth_[table]; }
    [[nodiscard]] std::size_t tables() const { return truth_.size(); }
    [[nodiscard]] const server_kind& kind() const { return kind_; }

    // --- sessions ---
    std::uint64_t open_session(milliseconds lock_wait_max = std::chrono::seconds(50));
    /// The client is gone. What runs goes on; then the session ends.
    void lose(std::uint64_t session);
    void kill_query(std::uint64_t session);
    void kill_connection(std::uint64_t session);
    [[nodiscard]] bool exists(std::uint64_t session) const { return sessions_.contains(session); }
    /// It takes no more statements.
    [[nodiscard]] bool is_ending(std::uint64_t session) const {
        const auto found = sessions_.find(session);
        return found == sessions_.end() || found->second.lost;
    }
    /// Locks of any kind, user-level ones left aside.
    [[nodiscard]] bool has_locks(std::uint64_t session) const;

    // --- statements of clients; the answer comes once, and later ---
    void begin(std::uint64_t session, on_answer done);
    void write(std::uint64_t session, std::size_t table, std::size_t key, long value, on_answer done);
    /// Each of the tables, one key of each, in one statement; checks the truth.
    void read(std::uint64_t session, std::vector<std::size_t> tables, std::size_t key, on_answer done);
    /// A table that nobody changes: a transaction reads by its snapshot of this moment from now on.
    void read_beside(std::uint64_t session, on_answer done);
    void commit(std::uint64_t session, on_answer done);
    void rollback(std::uint64_t session, on_answer done);
    void xa_prepare(std::uint64_t session, std::string xid, on_answer done);
    void xa_commit(std::uint64_t session, std::string xid, on_answer done);

    // --- statements of the engine, as text ---
    void run_sql(std::uint64_t session, std::string_view sql, on_answer done);
    /// What the applier does with a batch: one transaction that locks the original for reading, the ghost for writing.
    void apply(std::uint64_t session, std::size_t table, std::vector<std::size_t> keys, on_answer done);

    // --- the log ---
    std::function<void(const log_entry&)> on_logged;
    /// A watched table's name has come to stand for another table.
    std::function<void()> on_swapped;
    [[nodiscard]] std::uint64_t logged() const { return logged_; }
    [[nodiscard]] bool is_visible(std::uint64_t transaction) const;
    [[nodiscard]] std::string executed_text() const;
    /// Whether any XA transaction is prepared, or any other is open with writes.
    [[nodiscard]] bool has_open_writes() const;

private:
    struct lock_wish {
        std::string name;
        lock_type type = lock_type::read;
    };
    enum class scope : std::uint8_t { statement, transaction, session };
    struct operation {
        std::uint64_t session = 0;
        std::vector<lock_wish> wishes;
        std::size_t next = 0;
        scope keeps = scope::statement;
        microseconds takes{0};
        std::function<std::optional<answer>()> effect;  ///< nothing: it answers later by itself
        on_answer done;
        std::string text;
        bool waiting = false;
        bool executing = false;
        std::uint64_t order = 0;  ///< among those that wait
        bool over = false;
    };
    using operation_ptr = std::shared_ptr<operation>;
    struct granted_lock {
        std::uint64_t session = 0;
        lock_type type = lock_type::read;
        scope keeps = scope::statement;
    };
    struct named_lock {
        std::vector<granted_lock> granted;
        std::vector<operation_ptr> pending;
    };
    struct session_state {
        bool in_transaction = false;
        std::optional<time_point> snapshot_at;  ///< of that transaction
        std::vector<write_of_row> writes;
        operation_ptr running;
        bool lost = false;
        bool killed = false;  ///< by KILL: its client hears of that
        milliseconds lock_wait_max{};
        std::string user_lock;
    };

    void start(operation_ptr what);
    void advance(const operation_ptr& what);
    void execute(const operation_ptr& what);
    void finish(const operation_ptr& what, answer with);
    [[nodiscard]] bool may_have(const named_lock& lock, const operation& what) const;
    void grant_pending(const std::string& name);
    void release(std::uint64_t session, scope down_from);
    void stop_waiting(const operation_ptr& what, migration::failure why);
    void end_session(std::uint64_t session);
    void commit_writes(std::vector<write_of_row> writes, std::function<void()> visible);
    void log(log_entry entry);
    [[nodiscard]] bool is_older_than_swap(std::uint64_t session) const;
    [[nodiscard]] bool row_is_locked(const table_ptr& object, std::size_t key, std::uint64_t except) const;

    // Text; server_sql.cpp.
    [[nodiscard]] std::optional<answer> answer_at_once(std::uint64_t session, std::string_view sql);
    answer processlist(std::string_view sql) const;
    answer information_schema_tables(std::string_view sql) const;
    void plan_statement(const operation_ptr& what, std::string_view sql);
    void plan_rename(const operation_ptr& what, std::string_view sql);
    void plan_delete(const operation_ptr& what, std::string_view sql);
    void plan_insert(const operation_ptr& what, std::string_view sql);
    answer rename_now(const std::vector<std::pair<std::string, std::string>>& pairs);
    void carry(const operation_ptr& what, const std::string& ghost, const std::string& original,
               const std::vector<std::size_t>& keys, bool locking, time_point until);

    world& world_;
    server_kind kind_;
    std::map<std::string, table_ptr> tables_;
    std::vector<row_values> truth_;
    std::map<std::uint64_t, session_state> sessions_;
    std::map<std::string, named_lock> locks_;
    std::map<std::string, std::vector<write_of_row>> prepared_;
    std::map<std::string, std::uint64_t> prepared_by_;  ///< session that still has the metadata locks
    std::map<std::uint64_t, std::vector<write_of_row>> committing_;
    std::uint64_t next_session_ = 1;
    std::uint64_t next_order_ = 1;
    std::uint64_t logged_ = 0;
    std::optional<time_point> swapped_at_;
    std::set<std::uint64_t> invisible_;  ///< logged, not yet visible
};

}  // namespace sluice::simulation
