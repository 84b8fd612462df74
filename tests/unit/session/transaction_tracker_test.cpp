#include "proxy/session/transaction_tracker.hpp"
#include "protocol/sql/classifier.hpp"
#include "proxy/session/lock_reading.hpp"
#include "tests/unit/session/packets.hpp"

#include <string>
#include <vector>

namespace sluice::session {
namespace {

constexpr status_flags autocommit = server_status::autocommit;
constexpr status_flags in_trans = server_status::in_trans;
constexpr time_point start{};

struct step {
    const char* text;
    status_flags status;  // of the server behind it
    bool open;            // what is to be known then
    bool locks;
    bool touched;
    std::uint16_t error = 0;  // it fails with this
    slot_mask may_touch = 0;
};

ended_reply reply_to(const step& s) {
    ended_reply ended;
    ended.expected.command = protocol::command::query;
    const auto footprint = sql::classify(s.text);
    ended.expected.kind = footprint.first_kind();
    ended.expected.flush = flush_lock_of(s.text, ended.expected.kind, {});
    if (const auto alias = handler_alias(s.text, {}); !alias.empty()) {
        ended.expected.memory = std::make_unique<command_memory>();
        ended.expected.memory->text = alias;
    }
    if (footprint.statements.size() > 1) {
        ended.expected.kind = sql::statement_kind::other;
        ended.expected.memory = std::make_unique<command_memory>();
        ended.expected.memory->statements = footprint.statements;
    }
    ended.expected.touches_a_table = !footprint.touches_nothing();
    ended.expected.may_touch = s.may_touch;
    ended.failed = s.error != 0;
    ended.told_status = s.error == 0;
    ended.error_code = s.error;
    return ended;
}

TEST_CASE("what may hold locks is known after every statement") {
    const std::vector<std::vector<step>> histories = {
        {{"SELECT * FROM t", autocommit, false, false, false}},
        {{"BEGIN", autocommit | in_trans, true, false, false},
         {"SELECT 1", autocommit | in_trans, true, false, false},
         {"SELECT * FROM t", autocommit | in_trans, true, false, true},
         {"COMMIT AND CHAIN", autocommit | in_trans, true, false, false},
         {"UPDATE t SET a = 1", autocommit | in_trans, true, false, true},
         {"BEGIN", autocommit | in_trans, true, false, false},
         {"COMMIT", autocommit, false, false, false}},
        // A failed statement keeps its locks. So it seems to be with a deadlock's victim, until the server says else.
        {{"BEGIN", autocommit | in_trans, true, false, false},
         {"SELECT * FROM t WHERE nonsense", autocommit | in_trans, true, false, true, 1054},
         {"UPDATE t SET a = 1", autocommit | in_trans, true, false, true, 1213},
         {"SELECT 1", autocommit, false, false, false}},
        // What a failed procedure may have begun is open until the server tells a status again.
        {{"CALL begins_and_fails()", autocommit, true, false, true, 1146},
         {"SELECT nonsense", autocommit, true, false, true, 1054},
         {"SELECT 1", autocommit, false, false, false}},
        {{"SELEC", autocommit, false, false, false, 1064}},
        // Without autocommit everything begins a transaction, success or not.
        {{"SET autocommit = 0", 0, false, false, false},
         {"SELECT * FROM t WHERE nonsense", 0, true, false, true, 1054},
         {"ROLLBACK", 0, false, false, false},
         {"SELECT * FROM t", in_trans, true, false, true},
         {"COMMIT", 0, false, false, false}},
        // Locks without a transaction.
        {{"LOCK TABLES t READ", autocommit, false, true, true},
         {"SELECT 1", autocommit, false, true, true},
         {"UNLOCK TABLES", autocommit, false, false, false}},
        {{"LOCK TABLES t READ", autocommit, false, true, true}, {"BEGIN", autocommit | in_trans, true, false, false}},
        {{"LOCK TABLES t READ", autocommit, false, false, false, 1146}},
        {{"LOCK TABLES t READ", autocommit, false, true, true},
         {"COMMIT", autocommit, false, true, true},
         {"UNLOCK TABLES", autocommit, false, false, false}},
        {{"FLUSH TABLES t WITH READ LOCK", autocommit, false, true, true},
         {"BEGIN", autocommit | in_trans, true, false, false}},
        {{"FLUSH TABLES WITH READ LOCK", autocommit, false, true, true},
         {"BEGIN", autocommit | in_trans, true, true, true},
         {"COMMIT", autocommit, false, true, true},
         {"UNLOCK TABLES", autocommit, false, false, false}},
        {{"FLUSH TABLES t FOR EXPORT", autocommit, false, true, true},
         {"UNLOCK TABLES", autocommit, false, false, false}},
        {{"FLUSH TABLES t", autocommit, false, false, false}},
        {{"HANDLER t OPEN", autocommit, false, true, true},
         {"HANDLER u OPEN", autocommit, false, true, true},
         {"HANDLER t CLOSE", autocommit, false, true, true},
         {"HANDLER u CLOSE", autocommit, false, false, false},
         {"HANDLER u CLOSE", autocommit, false, false, false}},
        // A HANDLER outlives transactions; one that somebody's ALTER TABLE has closed is known by its failing CLOSE.
        {{"HANDLER shop.t OPEN AS `H`", autocommit, false, true, true},
         {"BEGIN", autocommit | in_trans, true, true, true},
         {"COMMIT", autocommit, false, true, true},
         {"HANDLER g CLOSE", autocommit, false, true, true, 1109},
         {"HANDLER h CLOSE", autocommit, false, false, false, 1109}},
        {{"XA START 'x'", autocommit | in_trans, true, true, false},
         {"INSERT INTO t VALUES (1)", autocommit | in_trans, true, true, true},
         {"XA END 'x'", autocommit | in_trans, true, true, true},
         {"XA PREPARE 'x'", autocommit, false, true, true},
         {"XA COMMIT 'x'", autocommit, false, false, false}},
        // Prepared, and nobody's: the session may begin another.
        {{"XA START 'x'", autocommit | in_trans, true, true, false},
         {"XA END 'x'", autocommit | in_trans, true, true, false},
         {"XA PREPARE 'x'", autocommit, false, true, false},
         {"SELECT * FROM t", autocommit, false, true, true, 1399},
         {"BEGIN", autocommit | in_trans, true, false, false}},
        // Several statements in one text; a failure may have come after some of them.
        {{"BEGIN; SELECT * FROM t", autocommit | in_trans, true, false, true}},
        {{"LOCK TABLES t READ; SELECT nonsense", autocommit, false, true, true, 1054}},
        {{"LOCK TABLES t READ", autocommit, false, true, true},
         {"UNLOCK TABLES; SELECT nonsense", autocommit, false, true, true, 1054}},
    };
    for (const auto& history : histories) {
        transaction_tracker tracker;
        tracker.reset(autocommit);
        std::string told;
        for (const auto& s : history) {
            told += std::string(s.text) + "; ";
            INFO(told);
            tracker.on_reply(reply_to(s), s.status, start);
            CHECK(tracker.in_transaction() == s.open);
            CHECK(tracker.holds_locks() == s.locks);
            CHECK(tracker.has_touched() == s.touched);
        }
    }
}

TEST_CASE("the tables of a transaction add up and end with it") {
    transaction_tracker tracker;
    tracker.reset(autocommit);
    const auto run = [&](const char* text, status_flags status, slot_mask touches, time_point now = start) {
        step s{text, status, false, false, false};
        s.may_touch = touches;
        tracker.on_reply(reply_to(s), status, now);
        return tracker.touched();
    };
    CHECK(run("SELECT * FROM a", autocommit, 1) == 0);
    CHECK(run("BEGIN", autocommit | in_trans, 0, start + std::chrono::seconds(1)) == 0);
    CHECK(run("SELECT * FROM a", autocommit | in_trans, 1, start + std::chrono::seconds(2)) == 1);
    CHECK(run("SELECT * FROM b", autocommit | in_trans, 2) == 3);
    CHECK(tracker.since() == start + std::chrono::seconds(1));
    CHECK(run("COMMIT AND CHAIN", autocommit | in_trans, 0, start + std::chrono::seconds(5)) == 0);
    CHECK(tracker.since() == start + std::chrono::seconds(5));
    CHECK(run("SELECT * FROM b", autocommit | in_trans, 2) == 2);
    CHECK(run("ROLLBACK", autocommit, 0) == 0);
    // What outlives a transaction is counted on its own.
    CHECK(run("HANDLER a OPEN", autocommit, 1) == 1);
    CHECK(run("BEGIN", autocommit | in_trans, 0) == 1);
    CHECK(run("SELECT * FROM b", autocommit | in_trans, 2) == 3);
    CHECK(run("COMMIT", autocommit, 0) == 1);
    CHECK(run("HANDLER a CLOSE", autocommit, 0) == 0);
    CHECK(run("LOCK TABLES a READ, b READ", autocommit, 3) == 3);
    CHECK(run("COMMIT", autocommit, 0) == 3);
    CHECK(run("UNLOCK TABLES", autocommit, 0) == 0);
}

TEST_CASE("what was open before a watch counts as having touched everything") {
    transaction_tracker tracker;
    tracker.reset(autocommit | in_trans);
    CHECK(tracker.on_watch(slot_bit(7)));
    CHECK(tracker.touched() == slot_bit(7));
    CHECK(tracker.has_touched());
    tracker.reset(autocommit);
    CHECK_FALSE(tracker.on_watch(slot_bit(7)));
    CHECK(tracker.touched() == 0);
}

TEST_CASE("a reset connection holds nothing") {
    transaction_tracker tracker;
    tracker.reset(autocommit);
    tracker.on_reply(reply_to({"LOCK TABLES t READ", autocommit, false, true, true}), autocommit, start);
    REQUIRE(tracker.holds_locks());
    ended_reply reset;
    reset.expected.command = protocol::command::reset_connection;
    tracker.on_reply(reset, autocommit, start);
    CHECK_FALSE(tracker.holds_locks());
    ended_reply flushed;
    flushed.expected.command = protocol::command::query;
    flushed.expected.flush = flush_lock::tables;
    tracker.on_reply(flushed, autocommit, start);
    CHECK(tracker.holds_locks());
}

}  // namespace
}  // namespace sluice::session
