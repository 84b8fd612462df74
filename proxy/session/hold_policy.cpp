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

bool must_hold(const hold_question& question) noexcept {
    if ((question.may_touch & question.holding) == 0) return false;
    if (question.holds_locks || (question.in_transaction && question.has_touched)) return false;
    return is_holdable(question.command) && is_holdable(question.kind);
}

}  // namespace sluice::session
