// What a session's statements are, however they come: prepared and closed by the thousand, run by EXECUTE or behind SET
// STATEMENT, or longer than is looked at.

#include "protocol/sql/classifier.hpp"
#include "proxy/session/statement_scan.hpp"
#include "tests/unit/session/lone_relay.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace sluice::session {
namespace {

using namespace std::string_view_literals;

const std::string last("\xff\xff\xff\xff", 4);
const auto file_request = [] {
    return script().raw(
        "\xfb"
        "f");
};

TEST_CASE("a closed prepared statement makes room for the next") {
    relay one;
    const std::string text = "SELECT * FROM other WHERE a = '" + std::string(900, 'x') + "'";
    const auto count = static_cast<std::uint32_t>(2 * prepared_statements::bytes_max / text.size());
    for (std::uint32_t id = 1; id <= count; ++id) {
        one.prepare(id, text);
        REQUIRE(one.execute(id_bytes(id)) == client_next::more);
        REQUIRE(one.close(id_bytes(id)) == client_next::more);  // behind its own EXECUTE
        CHECK_FALSE(one.used());
    }
    for (std::uint32_t id = 1; id <= prepared_statements::count_max + 10; ++id) {
        one.prepare(id, "DO 1");
        (void)one.close(id_bytes(id));
    }
    one.shard.close(0, start + 1s);
    one.prepare(7, "DELETE FROM other");
    CHECK(one.execute(id_bytes(7)) == client_next::more);
    CHECK_FALSE(one.used());
    (void)one.close(id_bytes(7));
    CHECK(one.execute(id_bytes(7)) == client_next::held);
}

TEST_CASE("the statement prepared last has a number of its own, for MariaDB") {
    relay one("5.5.5-10.11.6-MariaDB");
    one.prepare(1, "DO 1");
    one.prepare(2, "DO 2");
    (void)one.execute(last);
    CHECK_FALSE(one.used());
    (void)one.close(last);
    (void)one.execute(id_bytes(2));
    CHECK(one.used());
    (void)one.execute(id_bytes(1));
    CHECK_FALSE(one.used());
    (void)one.execute(last);
    CHECK(one.used());
    // Closed before its PREPARE is answered: it is never known; the one before it stays.
    (void)one.send(command_packet(command::stmt_prepare, "DO 3"));
    CHECK(one.close(last) == client_next::more);
    (void)one.reply(script().prepare_ok(3, 0, 0));
    (void)one.execute(id_bytes(3));
    CHECK(one.used());
    (void)one.execute(id_bytes(1));
    CHECK_FALSE(one.used());
    // A PREPARE that fails leaves none.
    one.prepare(4, "DO 4");
    (void)one.send(command_packet(command::stmt_prepare, "nonsense"));
    (void)one.reply(script().err());
    (void)one.execute(last);
    CHECK(one.used());
}

TEST_CASE("of a long prepared text what it names is kept") {
    relay one;
    one.prepare(1, "INSERT INTO other VALUES ('" + std::string(20'000, 'x') + "')");
    (void)one.execute(id_bytes(1));
    CHECK_FALSE(one.used());
    one.prepare(2, "INSERT INTO orders VALUES ('" + std::string(20'000, 'x') + "')");
    (void)one.execute(id_bytes(2));
    CHECK(one.used());
    one.prepare(3, "CREATE TABLE other (a INT) COMMENT '" + std::string(20'000, 'x') + "'");
    (void)one.execute(id_bytes(3));
    CHECK(one.used());
}

TEST_CASE("a prepared text that is not known may ask for a file, on MariaDB") {
    for (const bool mariadb : {false, true}) {
        relay one(mariadb ? "5.5.5-10.11.6-MariaDB" : "9.7.0");
        one.prepare(1, "LOAD DATA LOCAL INFILE 'f' INTO TABLE t /* " + std::string(20'000, 'x') + " */");
        CHECK(one.execute(id_bytes(1)) == client_next::more);
        CHECK((one.query("DO 1") == client_next::stalled) == mariadb);
        CHECK(one.reply(file_request()).refused == !mariadb);
    }
}

TEST_CASE("behind MariaDB's SET STATEMENT any statement may stand") {
    struct {
        const char* text;
        bool file;
        bool locks;
    } const cases[] = {
        {"SET STATEMENT max_statement_time=100 FOR LOAD DATA LOCAL INFILE 'f' INTO TABLE t", true, false},
        {"SET STATEMENT a=1, b=substr('x' FROM 1 FOR 1) FOR SET STATEMENT c=1 FOR LOCK TABLES orders READ", false,
         true},
        {"SET STATEMENT a=1 FOR HANDLER orders OPEN", false, true},
        {"SET STATEMENT a=1 FOR FLUSH TABLES WITH READ LOCK", false, true},
        {"DO 1; SET STATEMENT a=1 FOR HANDLER orders OPEN", false, true},
        {"DO 1; SET STATEMENT a=1 FOR LOAD DATA LOCAL INFILE 'f' INTO TABLE t", true, false},
        {"SET STATEMENT a=1 FOR SELECT 'LOAD DATA LOCAL INFILE'", false, false},
    };
    for (const auto& c : cases) {
        INFO(c.text);
        relay one("5.5.5-10.11.6-MariaDB");
        one.done(c.text);
        CHECK(one.fsm.holds_locks() == c.locks);
        (void)one.query(c.text);
        CHECK(one.reply(file_request()).refused == !c.file);

        relay prepared("5.5.5-10.11.6-MariaDB");
        prepared.prepare(1, c.text);
        (void)prepared.execute(id_bytes(1));
        CHECK(prepared.reply(file_request()).refused == !(c.file && std::string_view(c.text).starts_with("SET")));
    }
    relay one("5.5.5-10.11.6-MariaDB");
    (void)one.query("SET STATEMENT a=1 FOR DELETE FROM other");
    CHECK_FALSE(one.used());
    one.done("SET STATEMENT a=1 FOR USE elsewhere");
    CHECK(one.fsm.text().schema() == "elsewhere");
}

TEST_CASE("EXECUTE is what it runs") {
    const char* const locking[] = {"LOCK TABLES orders WRITE", "HANDLER orders OPEN", "FLUSH TABLES WITH READ LOCK",
                                   "XA START ''x''"};
    for (const char* text : locking) {
        INFO(text);
        relay named;
        named.done(std::string("PREPARE s FROM '") + text + "'");
        CHECK_FALSE(named.fsm.holds_locks());
        named.done("EXECUTE s");
        CHECK(named.fsm.holds_locks());
        relay immediate("5.5.5-10.11.6-MariaDB");
        immediate.done(std::string("EXECUTE IMMEDIATE '") + text + "'");
        CHECK(immediate.fsm.holds_locks());
        relay failed;
        failed.done(std::string("PREPARE s FROM '") + text + "'");
        (void)failed.query("EXECUTE s");
        (void)failed.reply(script().err(1227));
        CHECK_FALSE(failed.fsm.holds_locks());
    }
    // It is held, or not, as the statement would be.
    relay one;
    one.done("PREPARE c FROM 'COMMIT'");
    one.done("PREPARE d FROM 'DELETE FROM orders'");
    one.done("PREPARE o FROM 'DELETE FROM other'");
    one.done("PREPARE u FROM 'USE elsewhere'");
    one.shard.close(0, start + 1s);
    one.done("EXECUTE c");
    one.done("EXECUTE o");
    one.done("EXECUTE u");
    CHECK(one.fsm.text().schema() == "elsewhere");
    CHECK(one.query("EXECUTE d") == client_next::held);
}

TEST_CASE("behind a PREPARE that is under way it is not known what EXECUTE runs") {
    relay one;
    one.done("PREPARE s FROM 'DELETE FROM other'");
    (void)one.query("PREPARE s FROM 'DELETE FROM orders'");
    (void)one.reply(script().ok());
    (void)one.query("PREPARE s FROM 'DELETE FROM other'");
    (void)one.query("EXECUTE s");
    (void)one.reply(script().ok());
    CHECK(one.used());
    (void)one.query("PREPARE s FROM 'DELETE FROM orders'");
    (void)one.query("EXECUTE s");
    (void)one.reply(script().err(1064));
    CHECK(one.used());
}

TEST_CASE("who has run what is not known is not held, for it may own locks, and uses no table for that") {
    relay one;
    one.shard.close(0, start + 1s);
    one.shard.open(0);
    one.done("PREPARE s FROM @text");
    one.done("EXECUTE s");
    CHECK_FALSE(one.uses());
    CHECK_FALSE(one.fsm.holds_locks());
    one.shard.close(0, start + 1s);
    one.done("DELETE FROM orders");
    one.done("UNLOCK TABLES");
    CHECK(one.query("DELETE FROM orders") == client_next::held);
}

TEST_CASE("texts prepared by SQL take bounded memory") {
    named_statements named;
    const std::string text = "PREPARE s FROM 'SELECT " + std::string(10'000, '1') + "'";
    for (int i = 0; i < 100; ++i) named.add("n" + std::to_string(i), text, {}, "");
    CHECK(named.find("n24") != nullptr);
    CHECK(named.find("n30") == nullptr);
    named.remove("n3");
    named.add("again", text, {}, "");
    CHECK(named.find("again") != nullptr);
    CHECK(named.find("again")->text == "SELECT " + std::string(10'000, '1'));
    named.clear();
    for (int i = 50; i < 70; ++i) named.add("n" + std::to_string(i), text, {}, "");
    CHECK(named.find("n69") != nullptr);
}

TEST_CASE("nothing overtakes a statement that may load a file") {
    relay one;
    (void)one.query("SELECT 1");
    (void)one.query("LOAD DATA LOCAL INFILE 'f' INTO TABLE t");
    CHECK(one.query("SELECT 2") == client_next::stalled);
    (void)one.reply(script().ok());
    CHECK(one.send({}) == client_next::stalled);
    (void)one.reply(script().ok());
    CHECK(one.send({}) == client_next::more);
    CHECK(one.fsm.statements() == 3);
}

const std::string filler = "INSERT INTO other VALUES ('" + std::string(3000, 'x') + "')";

TEST_CASE("behind a long text's first statement the others are seen") {
    struct {
        const char* rest;
        bool file;
        bool locks;
        const char* schema;
    } const cases[] = {
        {"; LOAD DATA LOCAL INFILE 'f' INTO TABLE t", true, false, "shop"},
        {"; LOCK TABLES orders READ", false, true, "shop"},
        {"; HANDLER orders OPEN", false, true, "shop"},
        {"; FLUSH TABLES WITH READ LOCK; DO 1", false, true, "shop"},
        {"; USE elsewhere", false, false, "elsewhere"},
        {"; DELETE FROM other; /* ' */ -- \"\n USE elsewhere; DO 1", false, false, "elsewhere"},
        {"; DO 'USE x;; LOCK TABLES orders READ'", false, false, "shop"},
        {"", false, false, "shop"},
    };
    for (const auto& c : cases) {
        for (const std::size_t piece : {1UL, 700UL, 100'000UL}) {
            INFO(c.rest << " in pieces of " << piece);
            const auto sent = query_packet(filler + c.rest);
            relay one;
            const auto pass = [&] {
                for (std::size_t at = 0; at < sent.size(); at += piece) {
                    (void)one.send(byte_view(sent).subspan(at, std::min(piece, sent.size() - at)));
                }
                REQUIRE(one.unread.empty());
            };
            pass();
            CHECK(one.used() == (c.rest[0] != '\0'));
            CHECK(one.fsm.holds_locks() == c.locks);
            CHECK(one.fsm.text().schema() == c.schema);
            pass();
            CHECK((one.query("DO 1") == client_next::stalled) == c.file);
            CHECK(one.reply(file_request()).refused == !c.file);
        }
    }
    // Where a text is one statement, what stands behind a semicolon is an error.
    relay single("9.7.0", modern & ~capability::multi_statements);
    (void)single.query(filler + "; LOCK TABLES orders READ");
    CHECK_FALSE(single.used());
    CHECK_FALSE(single.fsm.holds_locks());
}

TEST_CASE("behind query attributes longer than what is looked at any statement may stand") {
    // One attribute: a string, its type, an empty name.
    const auto attributes = [](std::size_t size) {
        return std::string("\1\1\0\1\xFE\0\0\xFC", 8) + static_cast<char>(size & 0xFF) + static_cast<char>(size >> 8) +
               std::string(size, 'x');
    };
    for (const std::size_t size : {100UL, 3000UL}) {
        const bool is_unread = size > 1024;
        INFO(size);
        relay one("9.7.0", modern | capability::query_attributes);
        const auto query = [&](std::string_view text) { return one.query(attributes(size) + std::string(text)); };
        CHECK(query("SELECT 1") == client_next::more);
        CHECK((one.query(attributes(1) + "DO 1") == client_next::stalled) == is_unread);
        CHECK(one.uses() == is_unread);
        (void)one.reply(script().ok());
        (void)one.send({});
        (void)one.reply(script().ok());
        REQUIRE(one.fsm.idle());
        CHECK(one.fsm.text().schema() == (is_unread ? "" : "shop"));
        // A file may be asked for; and what fails may have begun a transaction.
        (void)query("SELECT 1");
        CHECK(one.reply(file_request()).refused == !is_unread);
        // Who may hold locks does not wait at the gate.
        relay locking("9.7.0", modern | capability::query_attributes);
        locking.done(attributes(size) + "LOCK TABLES other READ");
        locking.done("\0\1UNLOCK TABLES"sv);
        locking.done(attributes(size) + "DO 1");
        locking.shard.close(0, start + 1s);
        CHECK((locking.query(attributes(1) + "DELETE FROM orders") == client_next::more) == is_unread);
        relay failing("9.7.0", modern | capability::query_attributes);
        (void)failing.query(attributes(size) + "SELECT nope");
        (void)failing.reply(script().err());
        CHECK(failing.fsm.in_transaction() == is_unread);
    }
    relay no_files("9.7.0", (modern | capability::query_attributes) & ~capability::local_files);
    (void)no_files.query(attributes(3000) + "SELECT 1");
    CHECK(no_files.reply(file_request()).refused);
}

TEST_CASE("a long text that is one statement leaves the session as it is known") {
    relay one;
    one.done("PREPARE o FROM 'DELETE FROM other'");
    one.done(filler);
    (void)one.query("EXECUTE o");
    CHECK_FALSE(one.used());
    // Of so many bytes that an empty frame ends it.
    std::string exact = filler + "; USE elsewhere";
    exact.insert(filler.size() - 10, std::string(0xFFFFFF - 1 - exact.size(), 'x'));
    one.done(exact);
    CHECK(one.fsm.text().schema() == "elsewhere");
}

TEST_CASE("a long text is held only where it may take an old snapshot, or read by one") {
    relay one;
    one.shard.close(0, start + 1s);
    one.done(filler);
    REQUIRE(one.shard.seal(0));
    CHECK(one.query(filler) == client_next::held);
    one.shard.abandon(one.fsm);
    one.unread.clear();
    // The gate's time is up, and nobody has told yet how the swap ended.
    REQUIRE(one.shard.announce(0));
    one.shard.expire(start + 1s);
    REQUIRE(one.shard.holding() == 0);
    CHECK(one.query(filler) == client_next::held);

    relay old;
    old.done("BEGIN", in_trans);
    old.done("SELECT * FROM other", in_trans);
    old.shard.close(0, start + 1s);
    REQUIRE(old.shard.seal(0));
    old.shard.open(0, gate_end::swapped);
    CHECK(old.query(filler + "; SELECT * FROM orders") == client_next::refused);
}

TEST_CASE("a long text is split as the lexer splits it") {
    sql::lexer_options mariadb;
    mariadb.mariadb = true;
    mariadb.server_version = 101106;
    sql::lexer_options mysql;
    mysql.server_version = 90700;
    auto gbk = mysql;
    gbk.charset = sql::multibyte_charset::gbk;
    auto ansi = mysql;
    ansi.ansi_quotes = true;
    auto no_escapes = mysql;
    no_escapes.no_backslash_escapes = true;
    const char* const texts[] = {
        "DO 1; DO 2",
        "DO 1;",
        "DO 1; -- x\n",
        "DO 1; --x\n",
        "DO 1 ---x;\n; DO 3",
        "DO 'a;b'",
        "DO 'a''; b'",
        "DO 'a\\'; b'",
        "DO \"a\\\"; b\"",
        "DO `a\\`; DO `b`",
        "DO /* ; */ 1",
        "DO /*! 1; */ DO 2",
        "DO /*!99999 it's; */ 1; DO 2",
        "DO /*!50000 1; DO 2*/; DO 3",
        "DO /*M! 1; DO 2 */",
        "DO /*M!100000 1; */ DO 4",
        "DO /*/ ; */ 1; DO 2",
        "DO /*!99999 /* ; */ ; */ 1; DO 2",
        "DO 4 */ 2; DO 1",
        "DO 4*/**/2; DO 1",
        "# it's\nDO 1; DO 2",
        "DO '\xd5\\'; DO 2",
        "DO '\xd5\\''; DO 2",
        "DO a\xd5`; DO 2",
        "DO 8/4; DO 1",
        "--\nDO 1; DO 2",
        "DO 1 --\t; \n; DO 2",
        "/*!50000SELECT 1*/; DO 2",
        "/*!500001 DO 1*/; DO 2",
        "DO 1;;; ; DO 2;; DO 3",
        ";",
        "",
        "DO 'unclosed; DO 2",
        "DO /*+ ; */ 1; DO 2",
        "/* only */; /*! */; DO 1",
        "DO /**/ 1; DO 2",
        "DO /*!*/ 1; DO 2",
        "DO 1 -",
        "DO 1 /*",
    };
    for (const auto& options : {mysql, mariadb, gbk, ansi, no_escapes}) {
        for (const std::string text : texts) {
            INFO(text);
            statement_scan scan({options, true});
            for (const char c : text) scan.feed({&c, 1});
            scan.finish();
            CHECK(scan.several() == (sql::classify(text, {options}).statements.size() > 1));
            statement_scan at_once({options, true});
            at_once.feed(text);
            at_once.finish();
            CHECK(at_once.several() == scan.several());
        }
    }
}

TEST_CASE("of a long text with very many statements the worst is believed") {
    statement_scan scan(text_rules{});
    for (std::size_t i = 0; i < 50'000; ++i) scan.feed("UPDATE t SET a = 1;");
    expected_reply plain;
    scan.finish();
    std::move(scan).tell(plain);
    CHECK_FALSE(plain.may_lock);
    CHECK_FALSE(plain.local_infile_asked);
    CHECK(plain.memory->statements.size() == 2);

    statement_scan more(text_rules{});
    for (std::size_t i = 0; i < 50'000; ++i) more.feed("COMMIT;");
    more.finish();
    expected_reply worst;
    std::move(more).tell(worst);
    CHECK(worst.may_lock);
    CHECK(worst.memory->statements.size() <= statement_scan::statements_max + 2);
}

}  // namespace
}  // namespace sluice::session
