#include "migration/engine/stopped_trial.hpp"

#include "migration/changelog/changelog.hpp"
#include "migration/cutover/swap_check.hpp"
#include "migration/engine/preparation.hpp"
#include "migration/family/server_family.hpp"
#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"

#include <array>
#include <chrono>
#include <thread>

namespace sluice::migration {
namespace {

// A killed process's connection may take a moment to end on the server.
constexpr std::chrono::seconds lock_patience{10};
constexpr std::chrono::milliseconds poll{100};

outcome<void> wait_for_end_of(sql_session& session, const migration_spec& spec, const stopped_trial& trial) {
    const auto until = std::chrono::steady_clock::now() + lock_patience;
    while (true) {
        SLUICE_TRY(const auto freed, session.run("SELECT IS_FREE_LOCK(" + quote_string(trial.lock) + ")"));
        if (!freed.rows.empty() && freed.rows[0].at(0) == "1") return {};
        if (std::chrono::steady_clock::now() > until) break;
        std::this_thread::sleep_for(poll);
    }
    return refuse("running_elsewhere",
                  "a trial of " + quote_table(spec.table) + " is being worked on by another process");
}

}  // namespace

outcome<void> note_stopped(const statement_runner& run, const table_name& changelog, const stopped_trial& trial) {
    SLUICE_TRY_VOID(run(write_changelog_statement(changelog, replication_hint, trial.lock + " " + trial.old_table)));
    return {};
}

outcome<void> forget_stopped(const statement_runner& run, const table_name& changelog) {
    SLUICE_TRY_VOID(
        run("DELETE FROM " + quote_table(changelog) + " WHERE hint = " + quote_string(replication_hint.name)));
    return {};
}

outcome<std::optional<stopped_trial>> find_stopped_trial(const statement_runner& run, const migration_spec& spec) {
    constexpr unsigned no_such_table = 1146;
    constexpr unsigned no_such_schema = 1049;
    const auto found = run(read_changelog_statement(plan_names(spec).changelog, replication_hint));
    if (!found) {
        const unsigned number = found.error().server_errno;
        if (number == no_such_table || number == no_such_schema) return std::optional<stopped_trial>();
        return found.error();
    }
    if (found->rows.empty() || !found->rows[0].at(0)) return std::optional<stopped_trial>();
    const std::string& text = *found->rows[0][0];
    const auto blank = text.find(' ');
    if (blank == std::string::npos) return std::optional<stopped_trial>();
    return std::optional(stopped_trial{text.substr(0, blank), text.substr(blank + 1)});
}

outcome<void> swap_tables_back(const statement_runner& run, const migration_plan& names) {
    // After a lost connection it may have been done; where two sessions have swapped, the names are settled first.
    SLUICE_TRY(const swap_state state, settle_swap(run, names));
    if (state != swap_state::swapped) return {};
    const std::array renames{table_rename{names.original, names.ghost}, table_rename{names.old_table, names.original}};
    SLUICE_TRY_VOID(run(rename_statement(renames)));
    return {};
}

outcome<void> undo_trial(sql_session& session, const migration_spec& spec, const stopped_trial& trial) {
    SLUICE_TRY_VOID(wait_for_end_of(session, spec, trial));
    SLUICE_TRY(const family_ptr family, family_of(session));
    migration_plan names = plan_names(spec);
    names.old_table.table = trial.old_table;
    names.rename_under_lock = family->rename_under_lock();
    return swap_tables_back([&session](std::string_view sql) { return session.run(sql); }, names);
}

}  // namespace sluice::migration
