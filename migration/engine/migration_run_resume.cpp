// Checkpoints of a copy, and a process that goes on from the last one. checkpoint/checkpoint.hpp tells why that is
// exact.

#include "migration/apply/server_position.hpp"
#include "migration/check/checks.hpp"
#include "migration/checkpoint/checkpoint_table.hpp"
#include "migration/checkpoint/former_workers.hpp"
#include "migration/cutover/swap_check.hpp"
#include "migration/engine/migration_run.hpp"
#include "migration/relations/relation_steps.hpp"
#include "migration/reverse/reverse_plan.hpp"
#include "migration/sql/create_statement.hpp"
#include "migration/sql/identifier.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds look_interval{250};  // whether what a checkpoint needs is applied by now
constexpr milliseconds tick_wait{100};
constexpr std::chrono::seconds retry_wait{1};
constexpr std::chrono::seconds silence_max{60};

/// The tables or the log are not what the checkpoint says: trying again cannot help, beginning anew can.
bool is_reason_to_begin_anew(const failure& why) {
    constexpr std::array codes{std::string_view("original_changed"), std::string_view("binlog_purged"),
                               std::string_view("binlog_refused"),   std::string_view("binlog_undecodable"),
                               std::string_view("no_such_table"),    std::string_view("stream_silent")};
    return why.code.starts_with("checkpoint_") || std::ranges::find(codes, why.code) != codes.end();
}

outcome<std::string> definition_of(const statement_runner& run, const table_name& table) {
    SLUICE_TRY(const query_result shown, run("SHOW CREATE TABLE " + quote_table(table)));
    if (shown.rows.empty() || shown.rows[0].size() < 2 || !shown.rows[0][1]) {
        return refuse("no_such_table", quote_table(table) + " is not there");
    }
    return *shown.rows[0][1];
}

/// Which server's log a file and an offset are of. MariaDB has no server_uuid: whether a replica's log is the same is
/// told there by the marker behind the place alone.
outcome<std::string> name_of_log(const statement_runner& run, const migration_plan& plan, const server_family& family,
                                 bool is_of_replica) {
    if (is_of_replica) return "a replica " + plan.log_server_uuid;
    SLUICE_TRY(const query_result told, run(family.identity_query()));
    return told.rows.empty() || told.rows[0].empty() ? std::string() : told.rows[0][0].value_or("");
}

outcome<void> require_same(std::string_view what, const std::string& then, const std::string& now) {
    if (then == now) return {};
    return refuse("checkpoint_differs", std::string(what) + " is not what it was when the checkpoint was made (" +
                                            then + "; now " + now + ")");
}

}  // namespace

outcome<void> migration_run::begin_checkpoints(const sql::alter_statement& alter, const server_facts& facts) {
    const migration_plan& plan = prepared_->plan;
    checkpoint basis;
    basis.run = plan.run;
    basis.by_gtid = plan.follow_by_gtid;
    SLUICE_TRY(basis.server, name_of_log(runner(), plan, *facts.family, log_server_.has_value()));
    basis.expects_unknown_prepared = unknown_prepared_;
    basis.alter = alter.body;
    basis.options = options_of_plan(plan.options);
    basis.original = without_counter(plan.original_description.create_statement);
    SLUICE_TRY(const std::string ghost, definition_of(runner(), plan.ghost));
    basis.ghost = shape_of_ghost(ghost);
    basis.unique_key = describe(plan.mapping.key);
    basis.moment = plan.moment;
    basis.old_table = plan.old_table.table;
    basis.former_trigger_names = former_trigger_names(plan.relations);
    basis.deferred = prepared_->deferred;
    basis_ = std::move(basis);
    if (!current_.spec.checkpoint_table) return {};
    tables_made_.checkpoints = true;
    SLUICE_TRY_VOID(create_checkpoint_table(runner(), plan.checkpoints));
    return {};
}

void migration_run::note_checkpoint() {
    const std::chrono::seconds interval(current_.spec.options.checkpoint_interval_s);
    const bool may_be = basis_ && interval.count() != 0 && current_.state >= migration_state::copying &&
                        current_.state <= migration_state::ready;
    const auto now = steady_clock::now();
    if (!may_be || now < next_checkpoint_) return;
    if (!std::exchange(checkpoint_begun_, true)) checkpoint_place_ = {};
    const auto place = checkpoint_place_.look(*ledger_);
    next_checkpoint_ = now + look_interval;
    if (!place) return;
    auto marker = changelog_->write_marker(runner());
    auto copied = ledger_->copied();
    if (!marker || !copied) return;
    const work_ledger::counters counters = ledger_->count();
    checkpoint made = *basis_;
    made.place = place_to_text(*place);
    made.marker = *marker;
    if (made.by_gtid && !log_server_) {
        const auto executed = read_server_position(runner(), prepared_->plan);
        if (!executed) return;
        made.executed = place_to_text(*executed);
    }
    if (!is_on_its_server()) return;
    made.copied = *std::move(copied);
    made.rows_copied = counters.rows_copied;
    made.deltas_applied = counters.deltas_applied;
    current_.checkpoint = to_text(made);
    if (current_.spec.checkpoint_table) {
        auto written = write_checkpoint(runner(), prepared_->plan.checkpoints, made);
        if (!written) {
            spdlog::warn("migration {}: its checkpoint could not be stored: {}", current_.id, written.error().message);
            return;
        }
    } else {
        save();
    }
    spdlog::debug("migration {}: checkpoint at {}, {} rows copied", current_.id, made.place, made.rows_copied);
    checkpoint_begun_ = false;
    next_checkpoint_ = now + interval;
}

// A run without a state schema: what an earlier one has left is looked for in the table's own schema.
outcome<std::optional<migration_run::ending>> migration_run::settle_resumed() {
    migration_plan names = plan_names(current_.spec);
    SLUICE_TRY(const auto found, read_checkpoint(runner(), names.checkpoints));
    if (!found) {
        return refuse("checkpoint_missing", "there is no checkpoint of Sluice's in " + quote_table(names.checkpoints) +
                                                " to go on from: a run makes them with --checkpoint");
    }
    if (found->swapped) {
        return refuse("checkpoint_swapped", "the migration of " + quote_table(names.original) +
                                                " is finished: there is nothing to go on with");
    }
    current_.spec.options.old_table_name = found->old_table;
    SLUICE_TRY(names, names_for_settling());
    SLUICE_TRY(const swap_state state, which_is_which(names, "the run before did not say", current_.swap_group));
    if (state == swap_state::neither) {
        return refuse("checkpoint_lost", "the new table " + quote_table(names.ghost) +
                                             " is gone: without --resume the migration begins anew");
    }
    current_.checkpoint = to_text(*found);
    if (state == swap_state::swapped) {
        spdlog::info("migration {}: its cut-over had taken place before the interruption", current_.id);
        prepared_ = prepared_migration{names, {}};
        tidy();
        return std::optional(ending::completed);
    }
    may_go_on_ = true;
    return std::optional<ending>();
}

// Behind the swap: from where the way back of the finished migration can begin.
void migration_run::keep_checkpoint_of_swap() {
    const auto last = checkpoint_from_text(current_.checkpoint);
    if (!basis_ && !last) return;
    checkpoint made = basis_ ? *basis_ : *last;
    if (last) made = *last;
    if (!current_.way_back.resume_from.empty()) made.place = current_.way_back.resume_from;
    made.swapped = true;
    made.swap_clause = clause_of_swap(prepared_->plan);
    auto written = write_checkpoint(runner(), prepared_->plan.checkpoints, made);
    if (!written) {
        spdlog::warn("migration {}: from where it could be taken back was not stored: {}", current_.id,
                     written.error().message);
    }
    current_.leftovers.push_back(quote_table(prepared_->plan.checkpoints));
}

// A finished migration of an earlier process, without a state schema, is taken back.
outcome<migration_run::ending> migration_run::take_back() {
    const migration_plan names = plan_names(current_.spec);
    SLUICE_TRY(const auto found, read_checkpoint(runner(), names.checkpoints));
    if (!found || !found->swapped) {
        return refuse("checkpoint_missing", quote_table(names.checkpoints) +
                                                " does not say where in the binary log the cut-over of " +
                                                quote_table(names.original) +
                                                " was: only a finished migration with --checkpoint can be taken back");
    }
    SLUICE_TRY(const sql::alter_statement alter, parse_alter_of(current_.spec));
    SLUICE_TRY_VOID(require_same("the ALTER", found->alter, alter.body));
    SLUICE_TRY(const server_facts facts, run_checks_again(control_, current_.spec, alter, role_of_server()));
    SLUICE_TRY_VOID(meet_log_server(facts));
    migration_plan looked;
    if (log_server_) {
        SLUICE_TRY(looked.log_server_uuid, log_server_->uuid());
    }
    SLUICE_TRY(const std::string server, name_of_log(runner(), looked, *facts.family, log_server_.has_value()));
    if (!found->by_gtid && found->server != server) {
        return refuse("checkpoint_differs", "the place of the cut-over is known in another server's binary log only");
    }
    // Of these two the log tells, and of no other two that bear the names by now.
    for (const auto& [table, known] :
         {std::pair{names.old_table, shape_of(found->original)}, std::pair{names.original, found->ghost}}) {
        SLUICE_TRY(const std::string definition, definition_of(runner(), table));
        const bool is_new = table == names.original;
        if ((is_new ? shape_of_ghost(definition) : shape_of(definition)) == known) continue;
        return refuse("checkpoint_differs", quote_table(table) + " is not defined as the " +
                                                std::string(is_new ? "new" : "old") +
                                                " table was at the cut-over: it is another one, or was altered since");
    }
    current_.way_back.resume_from = found->place;
    current_.way_back.resume_is_after_swap = false;
    current_.way_back.former_trigger_names = found->former_trigger_names;
    swap_clause_ = found->swap_clause;
    changelog_ = std::make_unique<changelog>(names.changelog);
    if (auto known = changelog_->continue_after_last(runner()); !known) SLUICE_TRY_VOID(changelog_->create(runner()));
    // Markers of the migration stand in the log as well, whose table is gone: higher than any of them.
    using std::chrono::duration_cast;
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    changelog_->continue_after(static_cast<std::uint64_t>(duration_cast<milliseconds>(since_epoch).count()));
    revert_requested_ = true;
    return keep_in_sync();
}

void migration_run::give_up_work() {
    if (crew_) crew_->join_all();
    crew_.reset();
    reader_.reset();
    ledger_.reset();
    changelog_.reset();
    prepared_.reset();
    basis_.reset();
}

outcome<bool> migration_run::go_on() {
    enter(migration_state::preparing);
    const auto from = checkpoint_from_text(current_.checkpoint);
    outcome<void> gone_on = refuse("checkpoint_unreadable", "the checkpoint is of another version of Sluice");
    while (from) {
        gone_on = require_claim();
        if (gone_on) gone_on = go_on_from(*from);
        if (gone_on) break;
        if (interrupted()) {
            tables_made_ = all_tables();  // after an abort they go, as if this process had made them
            return interruption();
        }
        give_up_work();
        if (gone_on.error().then == disposition::abort) break;
        wait_for("the server, to go on from the checkpoint: " + gone_on.error().message);
        publish();
        std::unique_lock lock(mutex_);
        woken_.wait_for(lock, retry_wait);
    }
    if (gone_on) {
        ++current_.resumed;
        tables_made_ = all_tables();
        current_.way = alter_way::copy;
        spdlog::info("migration {}: goes on from its checkpoint: {} rows are copied, changes are followed from {}",
                     current_.id, from->rows_copied, from->place);
        return true;
    }
    const bool resumes = current_.spec.kind == run_kind::resume;
    if (resumes || !is_reason_to_begin_anew(gone_on.error())) {
        const migration_plan names = plan_names(current_.spec);
        current_.leftovers = {quote_table(names.ghost), quote_table(names.changelog)};
        if (!resumes) return std::move(gone_on).error();
        current_.leftovers.push_back(quote_table(names.checkpoints));
        failure why = std::move(gone_on).error();
        why.message += ". " + quote_table(names.ghost) + ", " + quote_table(names.changelog) + " and " +
                       quote_table(names.checkpoints) + " are left as they are; the original is unchanged";
        return why;
    }
    SLUICE_TRY(const migration_plan names, names_on_server());
    spdlog::warn("migration {}: cannot go on from its checkpoint ({}): {}; {} and {} are dropped and it begins again",
                 current_.id, gone_on.error().code, gone_on.error().message, quote_table(names.ghost),
                 quote_table(names.changelog));
    SLUICE_TRY_VOID(drop_what_was_left(names));
    current_.rows_copied = 0;
    current_.deltas_applied = 0;
    current_.checkpoint.clear();
    return false;
}

outcome<void> migration_run::go_on_from(const checkpoint& from) {
    SLUICE_TRY(const sql::alter_statement alter, parse_alter_of(current_.spec));
    SLUICE_TRY_VOID(require_same("the ALTER", from.alter, alter.body));
    SLUICE_TRY_VOID(require_same("an option", from.options, options_of_plan(current_.spec.options)));
    SLUICE_TRY(const migration_plan names, names_on_server());
    // Before anything is read: they may still write.
    SLUICE_TRY_VOID(end_former_workers(control_, from.run));
    SLUICE_TRY(const auto run, changelog(names.changelog).run_named(runner()));
    if (run != from.run) {
        return refuse("checkpoint_foreign", quote_table(names.ghost) + " is of another run than the checkpoint");
    }
    // What an attempt to cut over had made of it when the process ended: names that would be in the way of their like,
    // and triggers that the applier must not fire.
    SLUICE_TRY_VOID(release_ghost(control_, names));
    SLUICE_TRY(const server_facts facts, run_checks_again(control_, current_.spec, alter, role_of_server()));
    SLUICE_TRY_VOID(meet_log_server(facts));
    SLUICE_TRY_VOID(require_taken_over(from));
    SLUICE_TRY(const std::string original, definition_of(runner(), names.original));
    if (without_counter(original) != from.original) {
        return refuse("original_changed", "the definition of " + quote_table(names.original) +
                                              " is not what it was when the checkpoint was made");
    }
    SLUICE_TRY(prepared_, adopt_tables(control_, current_.spec, alter, facts, from));
    SLUICE_TRY_VOID(plan_log_server());
    SLUICE_TRY_VOID(check_trial());
    const migration_plan& plan = prepared_->plan;
    SLUICE_TRY(const std::string ghost, definition_of(runner(), plan.ghost));
    if (shape_of_ghost(ghost) != from.ghost) {
        return refuse("checkpoint_differs", quote_table(plan.ghost) + " was changed by somebody since the checkpoint");
    }
    SLUICE_TRY_VOID(require_same("the key by which rows are found", from.unique_key, describe(plan.mapping.key)));
    SLUICE_TRY(const std::string server, name_of_log(runner(), plan, *facts.family, log_server_.has_value()));
    if (from.by_gtid != plan.follow_by_gtid || (!from.by_gtid && from.server != server)) {
        return refuse("checkpoint_differs",
                      "the checkpoint's place in the binary log is of another server, or of another gtid_mode");
    }
    basis_ = from;
    current_.unique_key = describe(plan.mapping.key);
    current_.rows_estimate = plan.original_description.rows_estimate;
    return follow_from(from);
}

outcome<void> migration_run::follow_from(const checkpoint& from) {
    const migration_plan& plan = prepared_->plan;
    auto place = place_from_text(from.place, from.by_gtid);
    if (!place) return refuse("checkpoint_unreadable", "the checkpoint's place in the binary log cannot be read");
    SLUICE_TRY(const stream_position end,
               log_server_ ? log_server_->position(plan) : read_server_position(control_, plan));
    if (!end.reached(*place)) {
        return refuse("checkpoint_ahead", "the server's binary log ends before the checkpoint's place, " + from.place +
                                              ": it was reset, or the server lost the end of it");
    }
    if (const auto executed = place_from_text(from.executed, true);
        !from.executed.empty() && !log_server_ && (!executed || !end.reached(*executed))) {
        return refuse("checkpoint_ahead",
                      "the server lacks transactions that were there when the checkpoint was made, chunks of the copy "
                      "maybe; there were " +
                          from.executed);
    }
    ledger_ = std::make_unique<work_ledger>(work_ledger_options{
        plan.options.delta_keys_max, plan.mapping.key.bytes_are_identity, plan.options.delta_bytes_max});
    ledger_->go_on_from(from.copied, from.rows_copied, from.deltas_applied);
    changelog_ = std::make_unique<changelog>(plan.changelog, plan.markers);
    SLUICE_TRY_VOID(changelog_->continue_after_last(runner()));
    changelog_->continue_after(from.marker);
    stream_guard_ = {};
    reader_ = std::make_unique<stream_reader>(plan, *ledger_, *environment_.feeds, *std::move(place));
    if (from.expects_unknown_prepared) reader_->expect_unknown_prepared();
    reader_->expect_marker(from.marker, changelog_->last_marker());
    SLUICE_TRY_VOID(reader_->attach());
    crew_ = std::make_unique<crew>(plan, *ledger_, *environment_.sql, permit());
    crew_->start_reader(*reader_);
    // The changes since the checkpoint may be more than the delta set takes.
    crew_->start_apply();
    // If the log is another one than it was, this one comes first.
    SLUICE_TRY_VOID(changelog_->write_marker(runner()));
    auto moved_at = steady_clock::now();
    auto asked_at = moved_at;
    auto read = ledger_->count().position.at;
    while (!ledger_->wait_marker(from.marker, steady_clock::now() + tick_wait)) {
        SLUICE_TRY_VOID(tick(milliseconds(0)));
        const auto now_at = ledger_->count().position.at;
        if (now_at != read) moved_at = steady_clock::now();
        read = now_at;
        // The silence of a server that does not answer says nothing of its log.
        if (steady_clock::now() - asked_at > retry_wait) {
            if (!control_.run("DO 0")) moved_at = steady_clock::now();
            asked_at = steady_clock::now();
        }
        if (steady_clock::now() - moved_at > silence_max) {
            return refuse("stream_silent",
                          "what the last checkpoint wrote did not come in the binary log, and nothing "
                          "else for a minute");
        }
    }
    return {};
}

}  // namespace sluice::migration
