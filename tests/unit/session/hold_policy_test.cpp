#include "proxy/session/hold_policy.hpp"
#include "tests/support/catch.hpp"

namespace sluice::session {
namespace {

using protocol::command;
using sql::statement_kind;

hold_question statement() {
    hold_question question;
    question.kind = statement_kind::select;
    question.may_touch = slot_bit(1);
    question.holding = slot_bit(1) | slot_bit(2);
    return question;
}

TEST_CASE("a statement is held exactly when nobody can come to wait for it") {
    CHECK(must_hold(statement()).open == slot_bit(1));
    auto question = statement();
    question.may_touch = slot_bit(0);
    CHECK(must_hold(question).all() == 0);

    question = statement();
    question.in_transaction = true;  // a bare BEGIN
    CHECK(must_hold(question).open == slot_bit(1));
    question.has_touched = true;
    CHECK(must_hold(question).all() == 0);

    question = statement();
    question.holds_locks = true;
    CHECK(must_hold(question).all() == 0);
}

TEST_CASE(
    "what runs others waits at a sealed gate whatever its session holds, for it may read by a snapshot of its own") {
    auto question = statement();
    question.kind = statement_kind::call;
    question.runs_several = true;
    question.touches_a_table = true;
    question.undecided = slot_bit(1) | slot_bit(2);
    SECTION("it may hold locks") { question.holds_locks = true; }
    SECTION("it is in a transaction that has touched a table") {
        question.in_transaction = question.has_touched = true;
    }
    CHECK(must_hold(question).told == slot_bit(1));
    CHECK(must_hold(question).open == 0);
    question.reads_anew = true;  // so does the session; what it runs may set that
    CHECK(must_hold(question).told == slot_bit(1));
    question.runs_several = false;
    CHECK(must_hold(question).all() == 0);
    question.reads_anew = false;
    CHECK(must_hold(question).all() == 0);
    question.has_snapshot = true;
    CHECK(must_hold(question).told == slot_bit(1));
    question.runs_several = true;
    question.undecided = 0;
    CHECK(must_hold(question).all() == 0);
}

TEST_CASE("what runs others waits at a sealed gate, however its session reads") {
    auto question = statement();
    question.sealed = question.undecided = slot_bit(2);
    question.touches_a_table = true;
    question.reads_anew = true;
    CHECK(must_hold(question).all() == slot_bit(1));
    question.runs_several = true;
    CHECK(must_hold(question).open == (slot_bit(1) | slot_bit(2)));
    CHECK(must_hold(question).told == slot_bit(1));
}

TEST_CASE("what ends something or frees somebody is never held") {
    using enum statement_kind;
    for (const auto kind :
         {commit, rollback, rollback_to_savepoint, savepoint, release_savepoint, unlock_tables, handler_close, xa_end,
          xa_prepare, xa_commit, xa_rollback, xa_recover, deallocate, kill, administration}) {
        auto question = statement();
        question.kind = kind;
        INFO(sql::to_string(kind));
        CHECK(must_hold(question).all() == 0);
    }
    for (const auto kind : {select, insert, update, delete_, replace, load_data, ddl, start_transaction, lock_tables,
                            call, execute, prepare, handler_open, explain, show, flush, set, do_, other}) {
        auto question = statement();
        question.kind = kind;
        INFO(sql::to_string(kind));
        CHECK(must_hold(question).open == slot_bit(1));
    }
}

TEST_CASE("of the commands, those that open tables are held") {
    using enum command;
    for (const auto kind : {query, stmt_prepare, stmt_execute, mariadb_stmt_bulk_execute, field_list}) {
        auto question = statement();
        question.command = kind;
        question.kind = statement_kind::other;
        CHECK(must_hold(question).open == slot_bit(1));
    }
    for (const auto kind : {quit, ping, init_db, process_kill, change_user, reset_connection, stmt_fetch, stmt_close,
                            stmt_reset, stmt_send_long_data, set_option, statistics, binlog_dump}) {
        auto question = statement();
        question.command = kind;
        question.kind = statement_kind::other;
        INFO(protocol::command_name(kind));
        CHECK(must_hold(question).all() == 0);
    }
}

}  // namespace
}  // namespace sluice::session
