#include "proxy/session/hold_policy.hpp"

namespace sluice::session {

namespace {

bool is_holdable(protocol::command command) noexcept {
    using enum protocol::command;
    switch (command) {
        case query:
        case stmt_prepare:
        case stmt_execute:
        case mariadb_stmt_bulk_execute:
        case field_list: return true;
        default: return false;
    }
}

bool is_holdable(sql::statement_kind kind) noexcept {
    using enum sql::statement_kind;
    switch (kind) {
        case commit:
        case rollback:
        case rollback_to_savepoint:
        case savepoint:
        case release_savepoint:
        case unlock_tables:
        case handler_close:
        case xa_end:
        case xa_prepare:
        case xa_commit:
        case xa_rollback:
        case xa_recover:
        case deallocate:
        case kill:
        case administration: return false;
        default: return true;
    }
}

}  // namespace

hold_masks must_hold(const hold_question& question) noexcept {
    if (((question.may_touch & question.holding) | question.holding_all | question.undecided) == 0) return {};
    if (!is_holdable(question.command) || !is_holdable(question.kind)) return {};
    hold_masks wait;
    // What runs others may set by what they read.
    const bool reads_anew = question.reads_anew && !question.runs_several;
    if (question.holds_locks || (question.in_transaction && question.has_touched)) {
        // What waits in spite of that: it would read by the open transaction's snapshot, or by one that it may take
        // itself, and which table that reads is not yet known.
        const bool reads_by_older = question.has_snapshot && question.reads_by_snapshot;
        if ((reads_by_older || question.runs_several) && !reads_anew) {
            wait.told = question.may_touch & question.undecided;
        }
        return wait;
    }
    wait.open = (question.may_touch & question.holding) | question.holding_all;
    if (reads_anew) return wait;
    const bool begins = question.in_transaction || !question.autocommit || question.runs_several;
    if (begins && question.touches_a_table) wait.open |= question.sealed;
    // It may take a snapshot before it comes to wait in the server for the table to change places. Also at a gate that
    // is yet to be sealed, since that may open by itself while it is undecided.
    if (question.runs_several) wait.told = question.may_touch & (question.holding | question.undecided);
    return wait;
}

bool must_refuse(const hold_question& question, slot_mask outdated) noexcept {
    if ((question.may_touch & outdated) == 0 || !question.reads_by_snapshot || question.reads_anew) return false;
    return is_holdable(question.command) && is_holdable(question.kind);
}

}  // namespace sluice::session
