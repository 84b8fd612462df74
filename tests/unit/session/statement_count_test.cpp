// How many statements a text holds, and what follows for the session from one that may run others.

#include "tests/unit/session/lone_relay.hpp"

#include <string>
#include <vector>

namespace sluice::session {
namespace {

constexpr std::uint16_t duplicate_key = 1062;

TEST_CASE("a semicolon in a string or comment separates nothing: what fails has begun no transaction") {
    for (const char* text :
         {"INSERT INTO orders VALUES (1, 'a &amp; b')", "INSERT INTO orders VALUES (1) /* ; x */",
          "INSERT INTO orders VALUES (1); -- why; and how", "INSERT INTO orders VALUES (1); # x",
          "INSERT INTO orders VALUES (1) ;\v; /* app=x */", "INSERT INTO `shop`.orders SELECT 1 AS `a;b`"}) {
        INFO(text);
        relay one;
        REQUIRE(one.query(text) == client_next::more);
        CHECK(one.uses());
        (void)one.reply(script().err(duplicate_key));
        CHECK_FALSE(one.fsm.in_transaction());
        CHECK_FALSE(one.uses());
    }
    // Of these it is not known what has been done.
    for (const char* text : {"INSERT INTO orders VALUES (1); CALL p()", "CREATE PROCEDURE p() DO 1; BEGIN",
                             "INSERT INTO orders VALUES ('x; y); BEGIN"}) {
        INFO(text);
        relay one;
        REQUIRE(one.query(text) == client_next::more);
        (void)one.reply(script().err(duplicate_key));
        CHECK(one.uses());
    }
}

TEST_CASE("behind the only statement there may be a comment") {
    struct {
        const char* takes;
        const char* gives;
    } const cases[] = {
        {"LOCK TABLES orders WRITE; -- app=x", "UNLOCK TABLES; /* app=x */"},
        {"FLUSH TABLES orders WITH READ LOCK; # x", "UNLOCK TABLES; # x"},
        {"XA START 'x;y'", "XA ROLLBACK 'x;y'"},
        {"XA START 'x'; /* y */", "XA COMMIT 'x' ONE PHASE; -- y"},
        {"HANDLER orders OPEN AS h; -- y", "HANDLER h CLOSE; -- y"},
    };
    for (const auto& c : cases) {
        INFO(c.takes);
        relay one;
        one.done(c.takes);
        CHECK(one.fsm.holds_locks());
        one.done(c.gives);
        CHECK_FALSE(one.fsm.holds_locks());
        CHECK_FALSE(one.uses());
    }
    relay one;
    one.done("PREPARE s FROM 'DELETE FROM other'; -- x");
    one.done("INSERT INTO other VALUES ('a;b')");
    (void)one.query("EXECUTE s; -- x");
    CHECK_FALSE(one.used());
    one.done("USE elsewhere; -- x");
    CHECK(one.fsm.text().schema() == "elsewhere");
    // What ends something is not held.
    one.shard.close(0, start + 1s);
    CHECK(one.query("COMMIT /* of orders; and others */") == client_next::more);
}

TEST_CASE("behind MariaDB's SET STATEMENT a semicolon may separate nothing, too") {
    relay one("5.5.5-10.11.6-MariaDB");
    one.done("SET STATEMENT a=';' FOR LOCK TABLES orders READ; -- x");
    CHECK(one.fsm.holds_locks());
    one.done("SET STATEMENT a=';' FOR UNLOCK TABLES; -- x");
    CHECK_FALSE(one.fsm.holds_locks());
}

const std::string read_committed = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
const std::string next_read_committed = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED";
const std::string long_comment = "; /* " + std::string(3000, 'x') + " */; ";  // longer than is looked at

// Whether the transaction that follows, or that is open, counts as one that reads by its snapshot.
bool has_snapshot(relay& one) {
    if (!one.fsm.in_transaction()) one.done("BEGIN", in_trans);
    one.done("SELECT * FROM other", in_trans);
    return one.fsm.has_snapshot();
}

TEST_CASE("what may have set the isolation level unseen leaves it unknown") {
    struct {
        std::vector<std::string> before;
        status_flags status;  // behind the last of them; behind the others no transaction is open
        bool anew;
    } const cases[] = {
        {{next_read_committed}, server_status::autocommit, true},
        {{next_read_committed + "; /* a comment; nothing else */"}, server_status::autocommit, true},
        // The level for one transaction is used up in the same text.
        {{next_read_committed + long_comment + "START TRANSACTION; COMMIT"}, server_status::autocommit, false},
        {{next_read_committed, "START TRANSACTION; COMMIT"}, server_status::autocommit, false},
        {{read_committed, next_read_committed, "CALL p()"}, server_status::autocommit, false},
        // They leave a transaction open.
        {{read_committed}, server_status::autocommit, true},
        {{read_committed, "CALL p()"}, in_trans, false},
        {{next_read_committed, "CALL p()"}, in_trans, false},
        {{read_committed, "EXECUTE s"}, in_trans, false},
        {{read_committed, "DO 1" + long_comment + "SET tx_isolation = 'REPEATABLE-READ'; BEGIN"}, in_trans, false},
        {{read_committed, "BEGIN NOT ATOMIC CALL p() END"}, in_trans, false},
        {{read_committed, "WITH a AS (SELECT 1) SELECT * FROM a"}, in_trans, true},
    };
    for (const auto& c : cases) {
        INFO(c.before.back().substr(0, 60) << " behind " << c.before.front().substr(0, 60));
        relay one;
        for (const auto& text : c.before) {
            one.done(text, &text == &c.before.back() ? c.status : status_flags(server_status::autocommit));
        }
        CHECK(has_snapshot(one) == !c.anew);
    }
    // It ends the transaction that it was called in, and begins another.
    for (const bool calls : {false, true}) {
        relay one;
        one.done(next_read_committed);
        one.done("BEGIN", in_trans);
        one.done(calls ? "CALL p()" : "DO 1", in_trans);
        CHECK(has_snapshot(one) == calls);
    }
}

TEST_CASE("a prepared CALL runs others, watched or not, and so may a prepared text that is not known") {
    struct {
        const char* text;  // null: never seen prepared
        bool runs_others;
    } const cases[] = {{"CALL p()", true},
                       {nullptr, true},
                       {"BEGIN NOT ATOMIC CALL p(); END", true},
                       {"DELETE FROM other", false},
                       {"SET @a = ?", false},
                       {"SET STATEMENT max_statement_time = 1 FOR WITH a AS (SELECT 1) SELECT * FROM a", false},
                       {"SET STATEMENT max_statement_time = 1 FOR CALL p()", true}};
    for (const bool watched : {false, true}) {
        for (const auto& c : cases) {
            INFO((c.text == nullptr ? "unknown" : c.text) << (watched ? ", watched" : ""));
            relay one("5.5.5-10.11.6-MariaDB");
            if (!watched) one.shard.unwatch(0);
            one.done(read_committed);
            one.done("PREPARE s FROM 'DELETE FROM other'");
            if (c.text != nullptr) one.prepare(1, c.text);
            REQUIRE(one.execute(id_bytes(1)) == client_next::more);
            (void)one.reply(script().ok());
            if (!watched) one.shard.watch(0, {"shop", "orders"});
            // The statement of that name may be another one now.
            (void)one.query("EXECUTE s");
            CHECK(one.used() == c.runs_others);
            one.done(read_committed);
            if (!watched) one.shard.unwatch(0);
            (void)one.execute(id_bytes(1));
            (void)one.reply(script().ok());
            if (!watched) one.shard.watch(0, {"shop", "orders"});
            CHECK(has_snapshot(one) == c.runs_others);
        }
    }
    // What EXECUTE runs may be a CALL, too.
    relay other;
    other.done("PREPARE s FROM 'DELETE FROM other'");
    other.done("EXECUTE unknown");
    (void)other.query("EXECUTE s");
    CHECK(other.used());
    // To fetch rows runs nothing.
    relay one;
    one.done(read_committed);
    (void)one.send(command_packet(command::stmt_fetch, id_bytes(1) + std::string("\1\0\0\0", 4)));
    (void)one.reply(script().terminator());
    CHECK_FALSE(has_snapshot(one));
}

TEST_CASE("on MariaDB what runs others may load a file, for it may run EXECUTE") {
    const auto request = script().raw(
        "\xFB"
        "f");
    for (const bool mariadb : {false, true}) {
        for (const char* text : {"CALL p()", "BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'x' END", "DO 1; CALL p()",
                                 "SELECT 1 /* CALL p() */", "SELEC 1"}) {
            const bool may = mariadb && text[0] != 'S';
            INFO(text << (mariadb ? ", MariaDB" : ""));
            relay one(mariadb ? "5.5.5-10.11.6-MariaDB" : "9.7.0");
            (void)one.query(text);
            CHECK((one.query("DO 1") == client_next::stalled) == may);
            CHECK(one.reply(request).refused == !may);
            // Of a long one the rest is read as it passes; where what begins with BEGIN ends is not known.
            relay passing(mariadb ? "5.5.5-10.11.6-MariaDB" : "9.7.0");
            (void)passing.query("INSERT INTO other VALUES ('" + std::string(3000, 'x') + "'); " + text);
            CHECK(passing.reply(request).refused == !(may || text[0] == 'B'));
            if (text[0] == 'D') continue;
            relay prepared(mariadb ? "5.5.5-10.11.6-MariaDB" : "9.7.0");
            prepared.prepare(1, text);
            (void)prepared.execute(id_bytes(1));
            CHECK(prepared.reply(request).refused == !may);
        }
    }
}

TEST_CASE("a prepared SET of the isolation level is followed as another") {
    relay one;
    one.prepare(1, read_committed);
    one.prepare(2, "SET tx_isolation = ?");
    (void)one.execute(id_bytes(1));
    (void)one.reply(script().ok());
    CHECK_FALSE(has_snapshot(one));
    one.done("COMMIT");
    (void)one.execute(id_bytes(2));
    (void)one.reply(script().ok());
    CHECK(has_snapshot(one));
}

TEST_CASE("who may hold locks waits with what would take a snapshot of its own, once the gate is sealed") {
    for (const char* text :
         {"CALL p()", "START TRANSACTION; SELECT * FROM other; SELECT * FROM orders", "EXECUTE unknown"}) {
        INFO(text);
        relay one;
        one.done("EXECUTE s");
        one.shard.close(0, start + 1s);
        // Before the seal it goes on, and is waited for.
        REQUIRE(one.query(text) == client_next::more);
        CHECK(one.used());
        REQUIRE_FALSE(one.uses());
        REQUIRE(one.shard.seal(0));
        CHECK(one.query(text) == client_next::held);
        one.shard.open(0, gate_end::swapped);
        std::vector<gate_seat*> released;
        one.shard.release(1, start, released);
        REQUIRE(released.size() == 1);
        one.fsm.on_released();
        CHECK(one.send({}) == client_next::more);
        CHECK(one.used());
        // What does neither is not kept from it.
        one.shard.close(0, start + 1s);
        REQUIRE(one.shard.seal(0));
        CHECK(one.query("UPDATE orders SET a = 1") == client_next::more);
    }
    relay one;
    one.done("HANDLER other OPEN");
    one.shard.close(0, start + 1s);
    REQUIRE(one.shard.seal(0));
    CHECK(one.query("CALL p()") == client_next::held);
}

}  // namespace
}  // namespace sluice::session
