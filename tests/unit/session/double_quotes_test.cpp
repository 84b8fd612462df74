// What stands in double quotes is a string or a name, by a sql_mode that MySQL does not tell.

#include "tests/unit/session/lone_relay.hpp"

#include <string>

namespace sluice::session {
namespace {

constexpr std::uint32_t id = 1;

// Whether a statement counts as using the table: as text, prepared, and prepared by SQL.
bool uses(relay& one, const std::string& text) {
    REQUIRE(one.query(text) == client_next::more);
    const bool uses = one.used();
    one.prepare(id, text);
    (void)one.execute(id_bytes(id));
    CHECK(one.used() == uses);
    one.done("PREPARE s FROM '" + text + "'");
    (void)one.query("EXECUTE s");
    CHECK(one.used() == uses);
    return uses;
}

TEST_CASE("a table in double quotes is touched unless they are known to make a string") {
    const char* const texts[] = {"SELECT * FROM \"orders\"", "SELECT 1 FROM \"shop\".\"orders\" WHERE a = 1",
                                 "DELETE FROM `other` WHERE a IN (SELECT 1 FROM \"orders\")"};
    for (const char* text : texts) {
        INFO(text);
        relay one;
        CHECK(uses(one, text));
        one.done("SET sql_mode = ''");
        CHECK_FALSE(uses(one, text));
        one.done("SET sql_mode = 'ANSI_QUOTES'");
        CHECK(uses(one, text));
        one.done("SET sql_mode = @mode");
        CHECK(uses(one, text));
        (void)one.send(command_packet(command::reset_connection));
        (void)one.reply(script().ok());
        CHECK(uses(one, text));
        relay mariadb("5.5.5-10.11.6-MariaDB");
        CHECK_FALSE(uses(mariadb, text));
        mariadb.done("DO 1", server_status::autocommit | server_status::ansi_quotes);
        (void)mariadb.query(text);
        CHECK(mariadb.used());
    }
}

TEST_CASE("what double quotes are is of no matter where neither way names the table") {
    relay one;
    for (const char* text : {"INSERT INTO other VALUES (\"a\", \"it is\")", "SELECT \"orders\"",
                             "SELECT * FROM other WHERE a = \"of orders\""}) {
        INFO(text);
        CHECK_FALSE(uses(one, text));
    }
    (void)one.query("INSERT INTO other VALUES ('{\"orders\": 1}')");
    CHECK_FALSE(one.used());
    // One statement, whatever stands in it: what fails has begun no transaction.
    (void)one.query("INSERT INTO other VALUES (\"a; b\")");
    (void)one.reply(script().err(1062));
    CHECK_FALSE(one.fsm.in_transaction());
    // Of a long one likewise.
    one.done("PREPARE o FROM 'DELETE FROM other'");
    one.done("INSERT INTO other VALUES (\"" + std::string(3000, 'x') + "; \")");
    (void)one.query("EXECUTE o");
    CHECK_FALSE(one.used());
    one.prepare(id, "INSERT INTO other VALUES (\"" + std::string(20'000, 'x') + "\")");
    (void)one.execute(id_bytes(id));
    CHECK_FALSE(one.used());
}

TEST_CASE("where a table is in double quotes, its transaction has a snapshot") {
    relay one;
    one.done("BEGIN", in_trans);
    one.done("SELECT 1 FROM \"other\"", in_trans);
    CHECK(one.fsm.has_snapshot());
    one.shard.close(0, start + 1s);
    REQUIRE(one.shard.seal(0));
    one.shard.open(0, gate_end::swapped);
    CHECK(one.query("SELECT * FROM \"orders\"") == client_next::refused);
}

TEST_CASE("a backslash in double quotes may end a statement, or not") {
    const std::string ends = "INSERT INTO other VALUES (\"a\\\"; LOCK TABLES orders READ; -- \")";
    for (const bool is_long : {false, true}) {
        const auto text = ends + (is_long ? std::string(3000, ' ') : "");
        INFO((is_long ? "long" : "short"));
        relay one;
        one.done("USE elsewhere");
        (void)one.query(text);
        CHECK(one.used());
        CHECK(one.fsm.text().schema().empty());
        // It may have locked: others may wait for it.
        one.shard.close(0, start + 1s);
        CHECK(one.query("DELETE FROM orders") == client_next::more);

        relay strings;
        strings.done("SET sql_mode = ''");
        (void)strings.query(text);
        CHECK_FALSE(strings.used());
        strings.shard.close(0, start + 1s);
        CHECK(strings.query("DELETE FROM orders") == client_next::held);
    }
}

TEST_CASE("what stands behind a SET of sql_mode in one text is read both ways, and a USE may name any schema") {
    relay one;
    one.done("SET sql_mode = ''");
    (void)one.query("SET sql_mode = 'ANSI_QUOTES'; SELECT * FROM \"orders\"");
    CHECK(one.used());
    CHECK(one.fsm.text().options().ansi_quotes);
    one.done("USE \"elsewhere\"");
    CHECK(one.fsm.text().schema() == "elsewhere");
    relay another;
    another.done("USE \"elsewhere\"");
    CHECK(another.fsm.text().schema().empty());
}

}  // namespace
}  // namespace sluice::session
