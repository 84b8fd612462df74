// Transactions with a snapshot from before the tables changed places, and killed statements, without a server.

#include "protocol/sql/classifier.hpp"
#include "proxy/session/hold_policy.hpp"
#include "proxy/session/isolation_tracker.hpp"
#include "proxy/session/kill_reading.hpp"
#include "proxy/session/named_statements.hpp"
#include "tests/unit/session/running_session.hpp"

#include <string>

namespace sluice::session {
namespace {

using sql::statement_kind;

statement_kind kind_of(std::string_view text) { return sql::cheap_kind(text, {}); }

byte_buffer refusal(std::uint16_t number, const char* state, const char* message) {
    byte_buffer packet;
    protocol::append_err_reply(packet, {number, state, message}, modern, 1);
    return packet;
}

// The session behind `before`, then a swap of shop.orders under a sealed gate.
struct swapped {
    explicit swapped(std::vector<const char*> before) : t(shard) {
        shard.watch(0, {"shop", "orders"});
        for (const char* text : before) t.done(text, in_trans);
        swap();
    }
    void swap() {
        shard.close(0, start + 1s);
        REQUIRE(shard.seal(0));
        shard.open(0, gate_end::swapped);
    }
    // True if the session's statement is answered with 1412, which must leave the rest of the session as it is.
    bool refused(const byte_buffer& command) {
        t.to_client.clear();
        t.to_server.clear();
        (void)t.client(command);
        while (t.next == core_next::again) (void)t.look();
        const bool is_refused = t.to_server.empty();
        if (is_refused) {
            CHECK(t.to_client == refusal(1412, "HY000", "Table definition has changed, please retry transaction"));
            CHECK(t.core.relay().in_transaction());
        } else {
            CHECK(t.to_server == command);
            (void)t.server(script().ok(in_trans));
        }
        REQUIRE(t.core.relay().idle());
        REQUIRE(t.unread.empty());
        return is_refused;
    }
    bool refused(std::string_view text) { return refused(query_packet(text)); }

    gate_shard shard{{}};
    running t;
};

TEST_CASE("a transaction with an older snapshot does not read the table behind the swap") {
    swapped one({"BEGIN", "SELECT * FROM other"});
    CHECK(one.shard.report(0).old_snapshots == 1);
    for (const char* text : {"SELECT * FROM orders", "SELECT * FROM other JOIN orders USING (id)",
                             "INSERT INTO other SELECT * FROM orders", "SELECT 1 WHERE EXISTS (TABLE orders)",
                             "EXECUTE unknown", "CALL p()", "HANDLER orders OPEN", "SET @a = (SELECT 1 FROM orders)"}) {
        INFO(text);
        CHECK(one.refused(text));
    }
    for (const char* text :
         {"SELECT * FROM other", "INSERT INTO orders VALUES (1)", "UPDATE orders SET a = 1", "DELETE FROM orders",
          "SELECT * FROM orders FOR UPDATE", "SELECT * FROM orders LOCK IN SHARE MODE", "PREPARE s FROM 'SELECT 1'",
          "SHOW CREATE TABLE orders", "SAVEPOINT a", "ROLLBACK TO SAVEPOINT a"}) {
        INFO(text);
        CHECK_FALSE(one.refused(text));
    }
    CHECK(one.shard.counters().refused == 8);
    // Longer than is looked at, and in many pieces.
    one.t.to_client.clear();
    one.t.to_server.clear();
    const auto large = query_packet("SELECT * FROM orders WHERE a = '" + std::string(70'000, 'x') + "'");
    for (std::size_t at = 0; at < large.size(); at += 999) {
        (void)one.t.client(byte_view(large).subspan(at, std::min<std::size_t>(999, large.size() - at)));
        while (one.t.next == core_next::again) (void)one.t.look();
    }
    CHECK(one.t.to_server.empty());
    CHECK_FALSE(one.t.to_client.empty());
    CHECK(one.refused("SELECT * FROM orders"));

    one.t.done("COMMIT");
    one.t.done("BEGIN", in_trans);
    CHECK_FALSE(one.refused("SELECT * FROM orders"));
}

TEST_CASE("who has no snapshot from before reads the table as it is") {
    struct {
        std::vector<const char*> before;
        bool refused;
    } const cases[] = {
        {{}, false},
        {{"BEGIN"}, false},
        {{"BEGIN", "SELECT 1", "SET @a = 1", "SAVEPOINT a"}, false},
        {{"BEGIN", "SELECT * FROM other"}, true},
        {{"START TRANSACTION WITH CONSISTENT SNAPSHOT"}, true},
        {{"BEGIN", "INSERT INTO other VALUES (1)"}, true},  // a trigger may have read
        {{"BEGIN", "SELECT * FROM other", "COMMIT AND CHAIN"}, false},
        {{"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "BEGIN", "SELECT * FROM other"}, false},
        {{"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "BEGIN", "SELECT * FROM other"}, true},
        {{"SET transaction_isolation = 'READ-COMMITTED'", "BEGIN", "SELECT * FROM other"}, false},
        {{"BEGIN", "DO f()"}, true},
        {{"BEGIN", "SET @a = f(1)"}, true},
        {{"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
          "BEGIN", "SELECT * FROM other", "COMMIT AND CHAIN", "SELECT * FROM other"},
         true},
        {{"SET @@transaction_isolation = 'READ-COMMITTED'", "BEGIN", "SELECT * FROM other"}, true},
        {{"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "CALL p()", "BEGIN", "SELECT * FROM other"}, true},
    };
    for (const auto& c : cases) {
        INFO((c.before.empty() ? "nothing" : c.before.back()));
        gate_shard shard({});
        running t(shard);
        shard.watch(0, {"shop", "orders"});
        bool open = false;
        for (const std::string text : c.before) {
            open = open || text.starts_with("BEGIN") || text.starts_with("START");
            t.done(text, open ? in_trans : autocommit);
        }
        shard.close(0, start + 1s);
        REQUIRE(shard.seal(0));
        CHECK(shard.old_snapshots(0, 9).size() == (c.refused ? 1 : 0));
        shard.open(0, gate_end::swapped);
        t.to_server.clear();
        (void)t.client(query_packet("SELECT * FROM orders"));
        CHECK(t.to_server.empty() == c.refused);
    }
}

TEST_CASE("an isolation level for one transaction is that of one transaction") {
    gate_shard shard({});
    running t(shard);
    shard.watch(0, {"shop", "orders"});
    t.done("SET TRANSACTION ISOLATION LEVEL READ COMMITTED");
    t.done("BEGIN", in_trans);
    t.done("SELECT * FROM other", in_trans);
    CHECK_FALSE(t.core.relay().has_snapshot());
    t.done("COMMIT");
    t.done("BEGIN", in_trans);
    t.done("SELECT * FROM other", in_trans);
    CHECK(t.core.relay().has_snapshot());
}

TEST_CASE("prepared statements are judged by their text") {
    gate_shard shard({});
    running t(shard);
    const auto prepare = [&](const char* text, std::uint32_t id) {
        (void)t.client(command_packet(command::stmt_prepare, text));
        (void)t.server(script().prepare_ok(id, 0, 0));
    };
    const auto execute = [](char id) {
        return command_packet(command::stmt_execute, std::string(1, id) + std::string("\0\0\0\0\1\0\0\0", 8));
    };
    prepare("SELECT * FROM orders", 3);
    prepare("SELECT * FROM other", 4);
    prepare("UPDATE orders SET a = ?", 5);
    t.done("PREPARE mine FROM 'SELECT * FROM orders'");
    t.done("prepare `Yours` from 'SELECT * FROM other'");
    t.done("PREPARE gone FROM 'SELECT * FROM other'");
    t.done("DEALLOCATE PREPARE gone");
    t.done("PREPARE any FROM @text");
    shard.watch(0, {"shop", "orders"});
    t.done("BEGIN", in_trans);
    t.done("SELECT * FROM other", in_trans);
    shard.close(0, start + 1s);
    REQUIRE(shard.seal(0));
    shard.open(0, gate_end::swapped);
    struct {
        byte_buffer sent;
        bool refused;
    } const cases[] = {
        {execute(3), true},
        {execute(4), false},
        {execute(5), false},
        {execute(9), true},
        {query_packet("EXECUTE mine"), true},
        {query_packet("EXECUTE Yours USING @a"), false},
        {query_packet("EXECUTE gone"), true},
        {query_packet("EXECUTE any"), true},
        {query_packet("EXECUTE IMMEDIATE 'SELECT * FROM orders'"), true},
        {query_packet("EXECUTE IMMEDIATE 'SELECT * FROM other' USING @a"), false},
        {query_packet("EXECUTE IMMEDIATE CONCAT('SELECT * FROM ', @t)"), true},
    };
    for (const auto& c : cases) {
        INFO(protocol::as_text(byte_view(c.sent).subspan(4)));
        t.to_server.clear();
        (void)t.client(c.sent);
        while (t.next == core_next::again) (void)t.look();
        // A refused COM_STMT_EXECUTE is made up for: see the next test.
        CHECK((t.to_server != c.sent) == c.refused);
        if (!t.to_server.empty()) (void)t.server(script().ok(in_trans));
        REQUIRE(t.core.relay().idle());
    }
}

TEST_CASE("while a gate is sealed no snapshot is taken, and the table is not read by an older one") {
    gate_shard shard({});
    running fresh(shard);
    running reader(shard);
    running writer(shard);
    shard.watch(0, {"shop", "orders"});
    fresh.done("BEGIN", in_trans);
    for (auto* t : {&reader, &writer}) {
        t->done("BEGIN", in_trans);
        t->done("SELECT * FROM other", in_trans);
    }
    shard.close(0, start + 1s);
    REQUIRE(shard.seal(0));
    CHECK(shard.old_snapshots(0, 9).size() == 2);
    CHECK(fresh.client(query_packet("SELECT 1")) == core_next::more);
    (void)fresh.server(script().ok(in_trans));
    CHECK(fresh.client(query_packet("SELECT * FROM other")) == core_next::held);
    CHECK(reader.client(query_packet("SELECT * FROM other")) == core_next::more);
    (void)reader.server(script().ok(in_trans));
    CHECK(reader.client(query_packet("SELECT * FROM orders")) == core_next::held);
    CHECK(writer.client(query_packet("INSERT INTO orders VALUES (1)")) == core_next::more);
    (void)writer.server(script().ok(in_trans));

    SECTION("given up: everybody goes on") {
        shard.open(0, gate_end::given_up);
        fresh.released();
        reader.to_server.clear();
        reader.released();
        CHECK(reader.to_server == query_packet("SELECT * FROM orders"));
    }
    SECTION("somebody else uses the table again: the reader goes on, to be waited for; the others wait") {
        shard.unseal(0);
        std::vector<gate_seat*> released;
        shard.release(9, start, released);
        REQUIRE(released.size() == 1);
        CHECK(released.front() == &reader.core.relay());
    }
    SECTION("the deadline, and no swap was announced: none may come any more, and everybody goes on") {
        shard.expire(start + 1s);
        CHECK_FALSE(shard.next_deadline());
        CHECK_FALSE(shard.announce(0));
        fresh.released();
        reader.to_server.clear();
        reader.released();
        CHECK(reader.to_server == query_packet("SELECT * FROM orders"));
        (void)reader.server(script().ok(in_trans));
        shard.open(0, gate_end::swapped);  // whoever says so is wrong, and too late
        CHECK(reader.client(query_packet("SELECT * FROM orders")) == core_next::more);
    }
    SECTION("the deadline behind an announced swap: who would take a snapshot goes on, the reader waits to be told") {
        REQUIRE(shard.announce(0));
        shard.expire(start + 1s);
        CHECK(shard.next_deadline() == start + 2s);
        fresh.released();
        SECTION("it is told") { shard.open(0, gate_end::given_up); }
        SECTION("it is told of a swap, which may have come behind the new snapshot, too") {
            (void)fresh.server(script().ok(in_trans));
            shard.open(0, gate_end::swapped);
            CHECK(fresh.core.relay().outdated() == slot_bit(0));
        }
        SECTION("nobody is left to tell it: a swap is presumed") {
            shard.expire(start + 2s);
            reader.to_client.clear();
            reader.released();
            CHECK(reader.to_client == refusal(1412, "HY000", "Table definition has changed, please retry transaction"));
        }
        CHECK_FALSE(shard.next_deadline());
    }
    SECTION("swapped: the reader is refused") {
        shard.open(0, gate_end::swapped);
        reader.to_client.clear();
        reader.released();
        CHECK(reader.to_client == refusal(1412, "HY000", "Table definition has changed, please retry transaction"));
        fresh.released();
        CHECK(shard.report(0).old_snapshots == 2);
    }
}

TEST_CASE("a table stays watched until the last old snapshot has ended") {
    swapped one({"BEGIN", "SELECT * FROM other"});
    one.shard.unwatch(0);
    CHECK(one.shard.is_watched(0));
    CHECK(one.refused("SELECT * FROM orders"));
    SECTION("it commits") { one.t.done("COMMIT"); }
    SECTION("it ends") { one.shard.leave(one.t.core.relay()); }
    CHECK_FALSE(one.shard.is_watched(0));
    CHECK_FALSE(one.shard.watching());
}

TEST_CASE("statements under way at the swap count as what they turn out to be") {
    gate_shard shard({});
    running t(shard);
    shard.watch(0, {"shop", "orders"});
    const auto swap = [&] {
        shard.close(0, start + 1s);
        REQUIRE(shard.seal(0));
        REQUIRE(shard.announce(0));
        shard.expire(start + 1s);
        shard.open(0, gate_end::swapped);
    };
    // One that has waited in the server for the table has read it as it is now.
    t.done("BEGIN", in_trans);
    (void)t.client(query_packet("SELECT * FROM orders"));
    swap();
    (void)t.server(script().ok(in_trans));
    CHECK(t.core.relay().outdated() == 0);
    t.done("COMMIT");
    // Pipelined: the snapshot of the second is taken sometime.
    (void)t.client(query_packet("BEGIN") + query_packet("SELECT * FROM other"));
    swap();
    (void)t.server(script().ok(in_trans));
    (void)t.server(script().ok(in_trans));
    CHECK(t.core.relay().outdated() == slot_bit(0));
    t.done("COMMIT");
    CHECK(t.core.relay().outdated() == 0);
    (void)t.client(query_packet("SELECT * FROM other"));
    swap();
    (void)t.server(script().ok());
    CHECK(t.core.relay().outdated() == 0);
}

TEST_CASE("a gate with the scope all holds whatever may be held") {
    gate_shard shard({});
    running t(shard);
    shard.watch(0, {"shop", "orders"}, {.holds_all = true});
    shard.close(0, start + 1s);
    for (const char* text : {"COMMIT", "KILL QUERY 9", "ROLLBACK"}) t.done(text);
    CHECK(t.client(command_packet(command::ping)) == core_next::more);
    (void)t.server(script().ok());
    CHECK(t.client(query_packet("SELECT * FROM other")) == core_next::held);
    CHECK(shard.in_use_count(0) == 0);
    shard.open(0);
    t.released();
    (void)t.server(script().ok());
    // What touches another table does not count as using this one.
    t.done("BEGIN", in_trans);
    t.done("SELECT * FROM other", in_trans);
    CHECK(shard.in_use_count(0) == 0);
    shard.close(0, start + 1s);
    CHECK(t.client(query_packet("SELECT * FROM other")) == core_next::more);
}

TEST_CASE("a held statement that is killed is answered, and the session goes on") {
    gate_shard shard({});
    running t(shard);
    shard.watch(0, {"shop", "orders"});
    shard.close(0, start + 1s);
    t.to_server.clear();
    (void)t.client(query_packet("SELECT * FROM orders") + command_packet(command::ping));
    REQUIRE(t.next == core_next::held);
    shard.interrupt(99);
    CHECK_FALSE(shard.has_ready());
    shard.interrupt(5);
    shard.interrupt(5);  // twice is once
    CHECK(shard.has_ready());
    t.to_client.clear();
    t.released();
    while (t.next == core_next::again) (void)t.look();
    CHECK(t.to_client == refusal(1317, "70100", "Query execution was interrupted"));
    CHECK(t.to_server == command_packet(command::ping));
    CHECK(shard.held_now() == 0);
    CHECK(shard.counters().interrupted == 1);
    (void)t.server(script().ok());
    CHECK(t.client(query_packet("SELECT * FROM orders")) == core_next::held);  // the gate is still closed
}

TEST_CASE("a KILL QUERY counts once the server has done it") {
    gate_shard shard({});
    running t(shard);
    t.done("KILL QUERY 7");
    CHECK(shard.take_kills().empty());  // nobody is held while no table is watched
    shard.watch(0, {"shop", "orders"});
    (void)t.client(query_packet("KILL QUERY 7"));
    CHECK(shard.take_kills().empty());
    (void)t.server(script().err(1095));
    CHECK(shard.take_kills().empty());
    t.done("/* x */ kill query 7;");
    CHECK(shard.take_kills() == std::vector<kill_request>{{7}});
}

TEST_CASE("whose statement a KILL ends") {
    CHECK(killed_query("KILL QUERY 12", {}) == 12);
    CHECK(killed_query("KILL SOFT QUERY 12 ;", {}) == 12);
    for (const char* text : {"KILL 12", "KILL CONNECTION 12", "KILL QUERY ID 12", "KILL QUERY @a", "KILL QUERY 1+1",
                             "SELECT 'KILL QUERY 12'", "KILL QUERY", "KILL QUERY 99999999999999999999"}) {
        INFO(text);
        CHECK_FALSE(killed_query(text, {}));
    }
}

TEST_CASE("how an isolation level is set") {
    using enum isolation;
    using scope = isolation_change::scope_kind;
    struct {
        const char* text;
        scope of;
        isolation level;
    } const cases[] = {
        {"SELECT 'isolation'", scope::none, unknown},
        {"SET autocommit = 0", scope::none, unknown},
        {"SET TRANSACTION READ ONLY", scope::none, unknown},
        {"SET GLOBAL TRANSACTION ISOLATION LEVEL READ COMMITTED", scope::none, unknown},
        {"SET GLOBAL transaction_isolation = 'READ-COMMITTED'", scope::none, unknown},
        {"set transaction isolation level read committed", scope::next_transaction, anew},
        {"SET TRANSACTION READ ONLY, ISOLATION LEVEL REPEATABLE READ", scope::next_transaction, repeatable},
        {"SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE", scope::session, anew},
        {"SET LOCAL TRANSACTION ISOLATION LEVEL READ UNCOMMITTED, READ WRITE", scope::session, anew},
        {"SET SESSION transaction_isolation = 'REPEATABLE-READ'", scope::session, repeatable},
        {"SET tx_isolation = \"READ-COMMITTED\"", scope::session, anew},
        {"SET @@transaction_isolation = 'READ-COMMITTED'", scope::session, unknown},
        {"SET @a = 1, transaction_isolation = 'READ-COMMITTED'", scope::session, unknown},
        {"SET transaction_isolation = 1", scope::session, unknown},
        {"SET transaction_isolation = DEFAULT", scope::session, unknown},
    };
    for (const auto& c : cases) {
        INFO(c.text);
        const auto change = isolation_change_of(c.text, kind_of(c.text), {});
        CHECK(change.scope == c.of);
        CHECK(change.level == c.level);
    }
    CHECK(
        isolation_change_of("SET TRANSACTION ISOLATION LEVEL READ COMMITTED; BEGIN", statement_kind::other, {}).scope ==
        scope::session);
}

}  // namespace
}  // namespace sluice::session
