// How many statements a text holds, and what follows for the session from one that may run others.

#include "tests/unit/session/lone_relay.hpp"

#include <string>

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

}  // namespace
}  // namespace sluice::session
