#include "migration/cutover/swap_check.hpp"

#include "migration/cutover/sentry_swap.hpp"
#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <vector>

namespace sluice::migration {
namespace {

constexpr unsigned no_such_thread = 1094;
constexpr unsigned table_exists = 1050;
constexpr std::chrono::minutes pending_rename_max{1};
constexpr std::chrono::milliseconds pending_rename_poll{20};

struct present_tables {
    bool ghost = false;
    bool old_table = false;
    bool swap_ghost = false;
    bool swap_old = false;
    bool sentry = false;  ///< it is the sentry that bears the name swap_old
};

// One statement, so that it sees the tables before a swap or after it. The server compares the names: it knows how it
// folds their letters where it does.
outcome<present_tables> look(const statement_runner& run, const swap_names& names, int lower_case_table_names) {
    const auto bytes = [](const std::string& text) { return "CAST(" + text + " AS BINARY)"; };
    std::string columns = "table_comment";
    std::string list;
    for (const table_name& table : {names.ghost, names.old_table, names.swap_ghost, names.swap_old}) {
        const std::string name = quote_string(table.table);
        columns +=
            lower_case_table_names == 0 ? ", " + bytes("table_name") + " = " + bytes(name) : ", table_name = " + name;
        list += (list.empty() ? "" : ", ") + name;
    }
    SLUICE_TRY(const query_result found,
               run("SELECT " + columns + " FROM information_schema.tables WHERE table_schema = " +
                   quote_string(names.original.schema) + " AND table_name IN (" + list + ")"));
    present_tables present;
    for (const auto& row : found.rows) {
        if (row.size() < 5) continue;
        if (row[1] == "1") present.ghost = true;
        if (row[2] == "1") present.old_table = true;
        if (row[3] == "1") present.swap_ghost = true;
        if (row[4] != "1") continue;
        if (!row[0]) {
            failure locked = refuse("lock_wait_timeout", quote_table(names.swap_old) + " is locked by somebody");
            locked.then = disposition::retry;
            return locked;
        }
        present.sentry = row[0] == sentry_comment;
        present.swap_old = !present.sentry;
    }
    return present;
}

// list: information_schema's is everywhere, but on MySQL 8 it fails on statements that utf8mb3 cannot hold (3854).
outcome<query_result> find_pending_rename(const statement_runner& run, const table_swap& swap,
                                          std::string_view list = "information_schema") {
    return run("SELECT id FROM " + std::string(list) +
               ".processlist WHERE info LIKE 'RENAME TABLE %' AND INSTR(info, " + quote_string(swap_clause(swap)) +
               ") > 0");
}

/// The server itself does not take the statement. A session that could not be had again says "abort" as well, often
/// with the number of what its connecting failed with: that tells nothing of what waits on the server.
bool is_refusal(const failure& why) {
    const bool is_of_client = why.server_errno >= 2000 && why.server_errno < 3000;
    return why.then == disposition::abort && why.server_errno != 0 && !is_of_client && why.code != "connection_lost" &&
           why.attempted != "connect";
}

failure still_pending() {
    return refuse("swap_pending", "the swap's RENAME TABLE could not be ended on the server in a minute");
}

outcome<void> kill_all(const statement_runner& run, const query_result& sessions) {
    for (const auto& row : sessions.rows) {
        auto killed = run("KILL " + row.at(0).value_or("0"));
        if (!killed && killed.error().server_errno != no_such_thread) return std::move(killed).error();
    }
    return {};
}

// A process that was killed may have left its RENAME waiting, for LOCK INSTANCE FOR BACKUP or a metadata lock, or
// stalled in its commit: it could take place behind the look at the tables. Where it runs under LOCK TABLES it is
// atomic: killed, it has renamed both tables or none. And it may have been sent, but not been read by the server yet:
// then no list has it, but its session holds the table's lock until it has read that, or finds its client gone.
outcome<void> end_rename_under_lock(const statement_runner& run, const migration_plan& names, clock& time) {
    const auto until = time.now() + pending_rename_max;
    while (true) {
        const auto pending =
            find_pending_rename(run, {names.original, names.ghost, names.old_table}, "performance_schema");
        // Where the server has no such list (before 8.0.22) or does not show it, there is nothing to be ended.
        const bool has_list = pending || !is_refusal(pending.error());
        if (has_list && !pending) return pending.error();
        if (has_list && !pending->rows.empty()) {
            if (time.now() > until) return still_pending();
            SLUICE_TRY_VOID(kill_all(run, *pending));
        } else {
            const auto passed = run("SELECT 1 FROM " + quote_table(names.original) + " LIMIT 0");
            // What the server refuses outright (there is no such table) has no lock to be waited for.
            if (passed || is_refusal(passed.error())) return {};
            if (passed.error().then != disposition::retry || time.now() > until) return passed.error();
        }
        time.sleep_for(pending_rename_poll);
    }
}

// A rename whose client is gone waits on in the server. The sentry is put in its way before it is killed: it could be
// granted its locks at that very moment, and on MariaDB a kill that strikes while it renames costs the table its
// triggers (sentry_swap.hpp).
outcome<void> end_pending_rename(const statement_runner& run, const migration_plan& names, clock& time) {
    const auto until = time.now() + pending_rename_max;
    while (true) {
        SLUICE_TRY(const query_result pending,
                   find_pending_rename(run, {names.original, names.swap_ghost, names.swap_old}));
        if (pending.rows.empty()) return {};
        if (time.now() > until) return still_pending();
        const auto present = look(run, swap_names_of(names), names.lower_case_table_names);
        // Locked: it is renaming, or waits for a holder that is about to go.
        if (!present && present.error().then != disposition::retry) return present.error();
        if (present && present->sentry) {
            SLUICE_TRY_VOID(kill_all(run, pending));
        } else if (present && !present->swap_old) {
            auto made = run(create_sentry_statement(names.swap_old));
            const bool comes_later =
                made || made.error().server_errno == table_exists || made.error().then == disposition::retry;
            if (!comes_later) return std::move(made).error();
        }
        time.sleep_for(pending_rename_poll);
    }
}

outcome<void> rename(const statement_runner& run, const table_name& from, const table_name& to) {
    const std::array renames{table_rename{from, to}};
    SLUICE_TRY_VOID(run(rename_statement(renames)));
    return {};
}

outcome<bool> is_there(const statement_runner& run, const table_name& table) {
    SLUICE_TRY(const query_result found,
               run("SELECT 1 FROM information_schema.tables WHERE table_schema = " + quote_string(table.schema) +
                   " AND table_name = " + quote_string(table.table)));
    return !found.rows.empty();
}

struct half_rename {
    std::vector<swap_names> nameless;  ///< nothing bears the original's name
    bool one_is_new = false;
};

outcome<half_rename> look_for_half_rename(const statement_runner& run, std::span<const swap_names> group,
                                          int lower_case_table_names) {
    half_rename found;
    for (const swap_names& one : group) {
        SLUICE_TRY(const bool original, is_there(run, one.original));
        SLUICE_TRY(const present_tables present, look(run, one, lower_case_table_names));
        if (!original && present.swap_ghost && present.swap_old) found.nameless.push_back(one);
        if (original && !present.swap_ghost && !present.ghost) found.one_is_new = true;
    }
    return found;
}

// MySQL 5.6 renames one table after the other, and a server that dies in between leaves originals under the old
// tables' names and nothing under their own. Nobody can have written to these since. All originals go before the first
// ghost comes (swap_statement()). So if one table is new, everything had been applied, and the others become new as
// well; otherwise all get their names back. The RENAME is not in the binary log (it would have got there behind its
// end), so where the account may say so giving back is not either.
//   Several members may be at it at the same time: a name is given only where nothing bears it, so that the one who
// comes second fails, and looks again.
outcome<void> mend_half_rename(const statement_runner& run, std::span<const swap_names> group,
                               int lower_case_table_names) {
    outcome<void> done;
    for (std::size_t times = 0; times <= group.size(); ++times) {
        SLUICE_TRY(const half_rename half, look_for_half_rename(run, group, lower_case_table_names));
        if (half.nameless.empty()) return {};
        const bool unlogged = !half.one_is_new && run("SET SESSION sql_log_bin = 0").has_value();
        for (const swap_names& one : half.nameless) {
            done = rename(run, half.one_is_new ? one.swap_ghost : one.swap_old, one.original);
            if (!done) break;
        }
        if (unlogged) SLUICE_TRY_VOID(run("SET SESSION sql_log_bin = 1"));
        if (!done && done.error().then != disposition::abort) return done;
    }
    return done;
}

}  // namespace

outcome<void> check_swap_names(const statement_runner& run, const migration_plan& names) {
    SLUICE_TRY(const present_tables present, look(run, swap_names_of(names), names.lower_case_table_names));
    // One that somebody has locked may have been left out: the server's own word counts.
    if (!present.ghost) SLUICE_TRY_VOID(run("SELECT 1 FROM " + quote_table(names.ghost) + " LIMIT 0"));
    const bool by_two_sessions = !names.rename_under_lock;
    if (!present.old_table && !(by_two_sessions && present.swap_old)) return {};
    return refuse("old_table_name_taken",
                  "somebody else has made a table " +
                      quote_table(present.old_table ? names.old_table : names.swap_old) + ", which is what " +
                      quote_table(names.original) +
                      " would have to be called behind the cut-over: rename or drop it, and start the migration again");
}

outcome<swap_state> settle_swap(const statement_runner& run, const migration_plan& names, clock& time,
                                std::span<const swap_names> group) {
    const std::array alone{swap_names_of(names)};
    SLUICE_TRY_VOID(names.rename_under_lock ? end_rename_under_lock(run, names, time)
                                            : end_pending_rename(run, names, time));
    SLUICE_TRY(present_tables present, look(run, alone.front(), names.lower_case_table_names));
    if (!names.rename_under_lock) {
        if (group.size() > 1 || (present.swap_ghost && present.swap_old)) {
            SLUICE_TRY_VOID(mend_half_rename(run, group.empty() ? std::span<const swap_names>(alone) : group,
                                             names.lower_case_table_names));
            SLUICE_TRY(present, look(run, alone.front(), names.lower_case_table_names));
        }
        // The ghost goes first: without it under that name, the swap cannot take place any more.
        if (present.swap_ghost) {
            SLUICE_TRY_VOID(rename(run, names.swap_ghost, names.ghost));
            present.ghost = true;
        }
        if (present.sentry) SLUICE_TRY_VOID(run(drop_table_statement(names.swap_old)));
        if (!present.ghost && present.swap_old) {
            SLUICE_TRY_VOID(rename(run, names.swap_old, names.old_table));
            present.old_table = true;
        }
    }
    if (present.ghost) return swap_state::not_swapped;
    return present.old_table ? swap_state::swapped : swap_state::neither;
}

}  // namespace sluice::migration
