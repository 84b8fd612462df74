#include "protocol/sql/classifier.hpp"

#include <string>
#include <vector>

#include "tests/support/catch.hpp"

namespace {

using namespace sluice::sql;
using kind = statement_kind;
using effect = transaction_effect;

const table_name orders{"shop", "orders"};

classify_options with(lexer_options lexer) { return {.lexer = lexer}; }

bool touches(std::string_view text, const classify_options& options = {}) {
    return classify(text, options).may_touch(orders, "shop", 0);
}

}  // namespace

TEST_CASE("classifier: kind and effect on the transaction") {
    struct sample {
        std::string text;
        kind what;
        effect does;
    };
    const std::vector<sample> samples{
        {"", kind::empty, effect::none},
        {"/* nothing */ -- at all", kind::empty, effect::none},
        {"SELECT 1", kind::select, effect::none},
        {"  \n select 1", kind::select, effect::none},
        {"/* c */ SELECT 1", kind::select, effect::none},
        {"-- c\nSELECT 1", kind::select, effect::none},
        {"# c\nSELECT 1", kind::select, effect::none},
        {"/*!40001 SELECT */ 1", kind::select, effect::none},
        {"(SELECT 1) UNION (SELECT 2)", kind::select, effect::none},
        {"((SELECT 1))", kind::select, effect::none},
        {"TABLE t", kind::select, effect::none},
        {"VALUES ROW(1)", kind::select, effect::none},
        {"WITH a AS (SELECT 1) SELECT * FROM a", kind::select, effect::none},
        {"WITH a AS (DELETE) UPDATE t SET x = 1", kind::update, effect::none},
        {"WITH RECURSIVE a (n) AS (SELECT 1) DELETE FROM t", kind::delete_, effect::none},
        {"INSERT INTO t VALUES (1)", kind::insert, effect::none},
        {"INSERT IGNORE t SET a = 1", kind::insert, effect::none},
        {"UPDATE LOW_PRIORITY t SET a = 1", kind::update, effect::none},
        {"DELETE FROM t", kind::delete_, effect::none},
        {"REPLACE t VALUES (1)", kind::replace, effect::none},
        {"LOAD DATA INFILE 'x' INTO TABLE t", kind::load_data, effect::none},
        {"LOAD XML LOCAL INFILE 'x' INTO TABLE t", kind::load_data, effect::none},
        {"LOAD INDEX INTO CACHE t", kind::ddl, effect::implicit_commit},
        {"CREATE TABLE t (a INT)", kind::ddl, effect::implicit_commit},
        {"CREATE TEMPORARY TABLE t (a INT)", kind::ddl, effect::none},
        {"DROP TEMPORARY TABLE t", kind::ddl, effect::none},
        {"DROP TABLE IF EXISTS t", kind::ddl, effect::implicit_commit},
        {"ALTER TABLE t ADD c INT", kind::ddl, effect::implicit_commit},
        {"ALTER ONLINE TABLE t ADD c INT", kind::ddl, effect::implicit_commit},
        {"TRUNCATE t", kind::ddl, effect::implicit_commit},
        {"RENAME TABLE a TO b", kind::ddl, effect::implicit_commit},
        {"CREATE UNIQUE INDEX i ON t (a)", kind::ddl, effect::implicit_commit},
        {"GRANT ALL ON *.* TO u", kind::ddl, effect::implicit_commit},
        {"REVOKE ALL ON *.* FROM u", kind::ddl, effect::implicit_commit},
        {"ANALYZE TABLE t", kind::ddl, effect::implicit_commit},
        {"ANALYZE LOCAL TABLE t", kind::ddl, effect::implicit_commit},
        {"ANALYZE SELECT * FROM t", kind::explain, effect::none},
        {"OPTIMIZE TABLE t", kind::ddl, effect::implicit_commit},
        {"CHECKSUM TABLE t", kind::ddl, effect::none},
        {"BEGIN", kind::start_transaction, effect::opens},
        {"BEGIN WORK", kind::start_transaction, effect::opens},
        {"begin;", kind::start_transaction, effect::opens},
        {"BEGIN NOT ATOMIC SELECT 1; END", kind::other, effect::may_change},
        {"START TRANSACTION", kind::start_transaction, effect::opens},
        {"START/**/TRANSACTION READ ONLY", kind::start_transaction, effect::opens},
        {"START REPLICA", kind::administration, effect::implicit_commit},
        {"START SLAVE", kind::administration, effect::implicit_commit},
        {"COMMIT", kind::commit, effect::ends},
        {"COMMIT WORK", kind::commit, effect::ends},
        {"COMMIT AND CHAIN", kind::commit, effect::opens},
        {"COMMIT AND NO CHAIN", kind::commit, effect::ends},
        {"ROLLBACK", kind::rollback, effect::ends},
        {"ROLLBACK AND CHAIN", kind::rollback, effect::opens},
        {"ROLLBACK TO a", kind::rollback_to_savepoint, effect::none},
        {"ROLLBACK WORK TO SAVEPOINT a", kind::rollback_to_savepoint, effect::none},
        {"SAVEPOINT a", kind::savepoint, effect::none},
        {"RELEASE SAVEPOINT a", kind::release_savepoint, effect::none},
        {"SET @x = 1", kind::set, effect::none},
        {"SET autocommit = 0", kind::set, effect::may_change},
        {"SET @@session.autocommit = 1", kind::set, effect::may_change},
        {"SET SESSION `autocommit` = ON", kind::set, effect::may_change},
        {"SET sql_mode = '', autocommit = 1", kind::set, effect::may_change},
        {"SET GLOBAL autocommit = 1", kind::set, effect::none},
        {"SET @autocommit = 1", kind::set, effect::none},
        {"SET x = 'autocommit = 1'", kind::set, effect::none},
        {"SET PASSWORD = 'x'", kind::set, effect::implicit_commit},
        {"SET TRANSACTION READ ONLY", kind::set_transaction, effect::none},
        {"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", kind::set_transaction, effect::none},
        {"LOCK TABLES t WRITE", kind::lock_tables, effect::implicit_commit},
        {"LOCK TABLE t READ", kind::lock_tables, effect::implicit_commit},
        {"LOCK INSTANCE FOR BACKUP", kind::administration, effect::none},
        {"UNLOCK TABLES", kind::unlock_tables, effect::may_change},
        {"UNLOCK INSTANCE", kind::administration, effect::none},
        {"FLUSH PRIVILEGES", kind::flush, effect::implicit_commit},
        {"FLUSH TABLES WITH READ LOCK", kind::flush, effect::implicit_commit},
        {"HANDLER t OPEN", kind::handler_open, effect::none},
        {"HANDLER s.t OPEN AS h", kind::handler_open, effect::none},
        {"HANDLER t READ FIRST", kind::handler_read, effect::none},
        {"HANDLER t CLOSE", kind::handler_close, effect::none},
        {"XA START 'x'", kind::xa_start, effect::opens},
        {"XA BEGIN 'x'", kind::xa_start, effect::opens},
        {"XA END 'x'", kind::xa_end, effect::none},
        {"XA PREPARE 'x'", kind::xa_prepare, effect::ends},
        {"XA COMMIT 'x' ONE PHASE", kind::xa_commit, effect::ends},
        {"XA ROLLBACK 'x'", kind::xa_rollback, effect::ends},
        {"XA RECOVER", kind::xa_recover, effect::none},
        {"CALL p(1)", kind::call, effect::may_change},
        {"PREPARE s FROM 'SELECT 1'", kind::prepare, effect::none},
        {"PREPARE s FROM @v", kind::prepare, effect::none},
        {"EXECUTE s USING @a", kind::execute, effect::may_change},
        {"EXECUTE IMMEDIATE 'SELECT 1'", kind::execute, effect::may_change},
        {"DEALLOCATE PREPARE s", kind::deallocate, effect::none},
        {"DROP PREPARE s", kind::deallocate, effect::none},
        {"USE db", kind::use, effect::none},
        {"SHOW STATUS", kind::show, effect::none},
        {"KILL 5", kind::kill, effect::none},
        {"KILL QUERY 5", kind::kill, effect::none},
        {"EXPLAIN SELECT 1", kind::explain, effect::none},
        {"DESC t", kind::explain, effect::none},
        {"DESCRIBE t", kind::explain, effect::none},
        {"DO SLEEP(1)", kind::do_, effect::none},
        {"RESET BINARY LOGS AND GTIDS", kind::administration, effect::implicit_commit},
        {"RESET PERSIST", kind::administration, effect::none},
        {"PURGE BINARY LOGS TO 'x'", kind::administration, effect::none},
        {"SHUTDOWN", kind::administration, effect::none},
        {"NONSENSE", kind::other, effect::may_change},
        {"'string'", kind::other, effect::may_change},
        {"`select` 1", kind::other, effect::may_change},
        {"selects 1", kind::other, effect::may_change},
        {"123", kind::other, effect::may_change},
    };
    for (const auto& one : samples) {
        CAPTURE(one.text);
        const auto footprint = classify(one.text);
        CHECK(to_string(footprint.first_kind()) == to_string(one.what));
        CHECK(footprint.effect() == one.does);
        // What WITH leads to is deliberately not looked for.
        const auto cheap = one.text.starts_with("WITH") ? kind::other : one.what;
        CHECK(to_string(cheap_kind(one.text)) == to_string(cheap));
    }
}

TEST_CASE("classifier: flags of a statement") {
    const auto only = [](std::string_view text) {
        const auto footprint = classify(text);
        REQUIRE(footprint.statements.size() == 1);
        return footprint.statements.front();
    };
    CHECK(only("LOAD DATA LOCAL INFILE 'x' INTO TABLE t").local);
    CHECK(only("load data concurrent local infile 'x' into table t").local);
    CHECK_FALSE(only("LOAD DATA INFILE 'LOCAL INFILE' INTO TABLE local").local);
    CHECK(only("START TRANSACTION WITH CONSISTENT SNAPSHOT").consistent_snapshot);
    CHECK(only("START TRANSACTION READ ONLY, WITH CONSISTENT SNAPSHOT").consistent_snapshot);
    CHECK(only("START TRANSACTION READ ONLY, WITH CONSISTENT SNAPSHOT").read_only);
    CHECK_FALSE(only("START TRANSACTION READ WRITE").read_only);
    CHECK_FALSE(only("START TRANSACTION").consistent_snapshot);
    CHECK(only("COMMIT AND CHAIN").chain);
    CHECK_FALSE(only("COMMIT AND NO CHAIN").chain);
    CHECK(only("COMMIT RELEASE").release);
    CHECK(only("ROLLBACK AND NO CHAIN RELEASE").release);
    CHECK_FALSE(only("ROLLBACK NO RELEASE").release);
    CHECK(only("USE `my db`").schema == "my db");
}

TEST_CASE("classifier: assignments of SET") {
    const auto of = [](std::string_view text) { return classify(text).statements.at(0).assignments; };
    using scope = assignment::scope_kind;
    struct sample {
        std::string text;
        scope where;
        std::string name;
        std::string value;
    };
    const std::vector<sample> samples{
        {"SET a = 1", scope::session, "a", "1"},
        {"SET a := 1", scope::session, "a", "1"},
        {"SET A=b.c", scope::session, "a", "b.c"},
        {"SET SESSION a = 1", scope::session, "a", "1"},
        {"SET LOCAL a = 1", scope::session, "a", "1"},
        {"SET GLOBAL a = 1", scope::global, "a", "1"},
        {"SET PERSIST a = 1", scope::global, "a", "1"},
        {"SET PERSIST_ONLY a = 1", scope::global, "a", "1"},
        {"SET @@a = 1", scope::session, "a", "1"},
        {"SET @@session.a = 1", scope::session, "a", "1"},
        {"SET @@LOCAL . a = 1", scope::session, "a", "1"},
        {"SET @@global.`A` = 1", scope::global, "a", "1"},
        {"SET @@persist.a = 1", scope::global, "a", "1"},
        {"SET k.key_buffer_size = 1", scope::session, "k.key_buffer_size", "1"},
        {"SET @A = 1", scope::user, "a", "1"},
        {"SET @`my var` = 1", scope::user, "my var", "1"},
        {"SET sql_mode = 'ANSI_QUOTES,X'", scope::session, "sql_mode", "'ANSI_QUOTES,X'"},
        {"SET sql_mode = CONCAT(@@sql_mode, ',X')", scope::session, "sql_mode", "CONCAT(@@sql_mode, ',X')"},
        {"SET NAMES gbk", scope::session, "names", "gbk"},
        {"SET NAMES 'gbk' COLLATE 'gbk_bin'", scope::session, "names", "'gbk' COLLATE 'gbk_bin'"},
        {"SET CHARACTER SET sjis", scope::session, "character set", "sjis"},
        {"SET CHARSET sjis", scope::session, "character set", "sjis"},
        {"SET ROLE ALL", scope::session, "role", "ALL"},
        {"SET PASSWORD FOR u = 'x'", scope::session, "password", "FOR u = 'x'"},
        {"SET /*!80000 SESSION */ a = 1;", scope::session, "a", "1"},
        {"SET a =", scope::session, "a", ""},
    };
    for (const auto& one : samples) {
        CAPTURE(one.text);
        const auto found = of(one.text);
        REQUIRE(found.size() == 1);
        CHECK(found[0].scope == one.where);
        CHECK(found[0].name == one.name);
        CHECK(found[0].value == one.value);
    }
    const auto several = of("SET a = (SELECT 1, 2), GLOBAL b = 2, c = 3, @@d = 4, NAMES latin1, @e = 5");
    REQUIRE(several.size() == 6);
    CHECK(several[0].value == "(SELECT 1, 2)");
    CHECK(several[1].scope == scope::global);
    CHECK(several[2].scope == scope::global);  // a scope holds for those behind it
    CHECK(several[3].scope == scope::session);
    CHECK(several[4].name == "names");
    CHECK(several[5].scope == scope::user);

    std::string many = "SET a = 0";
    for (int i = 0; i < 1000; ++i) many += ", a = 1";
    CHECK(of(many).size() == assignments_max);
    CHECK(classify(many).effect() == effect::may_change);
    CHECK(of("SET a = '" + std::string(1000, 'x') + "'")[0].value.size() == 256);
}

TEST_CASE("classifier: every statement of the text") {
    const auto footprint = classify("SELECT 1; ; UPDATE orders SET a = ';'; COMMIT;");
    REQUIRE(footprint.statements.size() == 3);
    CHECK(footprint.statements[0].kind == kind::select);
    CHECK(footprint.statements[1].kind == kind::update);
    CHECK(footprint.statements[2].kind == kind::commit);
    CHECK(footprint.has(kind::commit));
    CHECK_FALSE(footprint.has(kind::delete_));
    CHECK(footprint.effect() == effect::ends);
    CHECK(touches("SELECT 1; DELETE FROM orders"));
    CHECK(touches("SELECT 1;;;CALL p()"));
    CHECK(classify("BEGIN; COMMIT; BEGIN; SELECT 1").effect() == effect::opens);
    CHECK(classify("COMMIT; DROP TABLE t").effect() == effect::implicit_commit);
    CHECK(classify("BEGIN; CALL p()").effect() == effect::may_change);
    CHECK_FALSE(touches("SELECT 1 /* ; DELETE FROM orders */"));
    // A stored program is one statement, whatever semicolons it holds.
    CHECK(
        classify("CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW BEGIN SET @a = 1; COMMIT; END").statements.size() ==
        1);
    CHECK(classify("DROP TRIGGER t; SELECT 1").statements.size() == 2);

    std::string many;
    for (int i = 0; i < 5000; ++i) many += "SELECT 1;";
    const auto bounded = classify(many);
    CHECK(bounded.statements.size() == statements_max);
    CHECK(bounded.touches_anything);
    CHECK(bounded.effect() == effect::may_change);
}

TEST_CASE("classifier: may touch the table") {
    const std::vector<std::string> samples{
        "SELECT * FROM orders",
        "select*from`orders`",
        "SELECT * FROM shop.orders",
        "SELECT * FROM shop . orders",
        "SELECT * FROM `shop`.`orders`",
        "SELECT * FROM `shop`./**/`orders` o",
        "SELECT * FROM a, orders",
        "SELECT * FROM a JOIN b JOIN orders USING (id)",
        "SELECT * FROM a WHERE x IN (SELECT y FROM orders)",
        "SELECT (SELECT MAX(x) FROM orders)",
        "SELECT * FROM (SELECT * FROM orders) x",
        "SELECT * FROM {OJ orders LEFT OUTER JOIN a ON 1}",
        "SELECT * FROM orders PARTITION (p0)",
        "SELECT * FROM orders FOR UPDATE",
        "SELECT 1 FROM a UNION SELECT 2 FROM orders",
        "(SELECT 1 FROM orders)",
        "SELECT 1 /*!80000 FROM orders */",
        "SELECT 1 /*! FROM orders */",
        "SELECT /*+ NO_INDEX(x) */ 1 FROM orders",
        "SELECT 1 -- x\n FROM orders",
        "SELECT 'it''s' FROM orders",
        R"(SELECT 'it\'s' FROM orders)",
        "TABLE orders",
        "WITH x AS (SELECT * FROM orders) SELECT * FROM x",
        "INSERT INTO orders VALUES (1)",
        "INSERT orders VALUES (1)",
        "INSERT INTO orders(a) VALUES (1)",
        "INSERT INTO shop.orders (a) VALUES (1) ON DUPLICATE KEY UPDATE a = 1",
        "INSERT INTO a SELECT * FROM orders",
        "INSERT INTO a TABLE orders",
        "REPLACE INTO orders VALUES (1)",
        "UPDATE orders SET a = 1",
        "UPDATE a, orders SET a.x = 1",
        "UPDATE a SET x = (SELECT 1 FROM orders)",
        "DELETE FROM orders",
        "DELETE o FROM a JOIN orders o",
        "DELETE orders.* FROM orders",
        "LOAD DATA INFILE 'x' INTO TABLE orders",
        "LOAD DATA LOCAL INFILE 'x' INTO TABLE shop.orders FIELDS TERMINATED BY ','",
        "ALTER TABLE orders ADD c INT",
        "DROP TABLE a, orders",
        "TRUNCATE TABLE orders",
        "TRUNCATE orders",
        "RENAME TABLE a TO orders",
        "CREATE TABLE x LIKE orders",
        "CREATE TABLE x AS SELECT * FROM orders",
        "CREATE VIEW v AS SELECT * FROM orders",
        "CREATE INDEX i ON orders (a)",
        "CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW SET @a = 1",
        "ANALYZE TABLE orders",
        "CHECK TABLE orders",
        "LOCK TABLES orders READ",
        "LOCK TABLES a READ, orders WRITE",
        "FLUSH TABLES orders",
        "FLUSH TABLES orders WITH READ LOCK",
        "HANDLER orders OPEN",
        "HANDLER shop.orders OPEN AS h",
        "EXPLAIN SELECT * FROM orders",
        "DESC orders",
        "SHOW COLUMNS FROM orders",
        "SHOW FULL COLUMNS IN orders",
        "SHOW CREATE TABLE orders",
        "SHOW INDEX FROM orders FROM shop",
        "SET @x = (SELECT MAX(id) FROM orders)",
        "DO (SELECT 1 FROM orders)",
        "PREPARE s FROM 'SELECT * FROM orders'",
        R"(PREPARE s FROM 'SELECT * FROM \orders')",
        "USE shop; SELECT * FROM orders",
        // may be anything
        "CALL p()",
        "PREPARE s FROM @v",
        "PREPARE s FROM 'a' 'b'",
        "PREPARE s FROM CONCAT('SELECT * FROM ord', 'ers')",
        "PREPARE s FROM 'CALL p()'",
        "EXECUTE s",
        "EXECUTE IMMEDIATE 'SELECT 1'",
        "BEGIN NOT ATOMIC SELECT 1; END",
        "SET STATEMENT max_statement_time = 1 FOR SELECT 1",
        "FLUSH TABLES",
        "FLUSH TABLES WITH READ LOCK",
        "FLUSH LOCAL TABLES",
        "DROP DATABASE shop",
        "DROP SCHEMA shop",
        "BINLOG 'abc'",
        "NONSENSE",
    };
    for (const auto& text : samples) {
        CAPTURE(text);
        CHECK(touches(text));
        // What is dismissed without a thorough look must never touch.
        CHECK_FALSE(dismissed(text, orders.name));
    }
}

TEST_CASE("classifier: a broken text may touch anything") {
    for (const std::string text : {"SELECT 1 /* unclosed", "SELECT 'unclosed", "SELECT `unclosed", "SELECT 1 /*! x",
                                   "COMMIT /*", "SELECT 1 /*!88888 FROM x */"}) {
        CAPTURE(text);
        CHECK(touches(text));
    }
}

TEST_CASE("classifier: does not touch the table") {
    const std::vector<std::string> samples{
        "SELECT 1",
        "SELECT * FROM customers",
        "SELECT * FROM other.orders",
        "SELECT * FROM orders_archive",
        "SELECT * FROM `orders `",
        "SELECT * FROM Orders",
        "SELECT 'orders' FROM a",
        "SELECT \"FROM orders\" FROM a",
        "SELECT 1 /* FROM orders */",
        "SELECT 1 -- FROM orders",
        "SELECT 1 # FROM orders",
        "SELECT @orders FROM a",
        "SELECT @@orders FROM a",
        "SELECT * FROM a WHERE x = @@session.orders",
        "SELECT orders FROM a",
        "SELECT COUNT(orders) AS orders FROM a",
        R"(SELECT 'it\' FROM orders')",
        "INSERT INTO a VALUES ('orders')",
        "COMMIT",
        "ROLLBACK",
        "BEGIN",
        "START TRANSACTION",
        "SAVEPOINT orders",
        "ROLLBACK TO orders",
        "SET x = 1",
        "SET orders = 1",
        "SET @orders = 1",
        "SET autocommit = 0",
        "SET NAMES utf8mb4",
        "SHOW STATUS",
        "SHOW VARIABLES LIKE 'orders'",
        "SHOW PROCESSLIST",
        "SHOW WARNINGS",
        "KILL 5",
        "USE orders",
        "UNLOCK TABLES",
        "HANDLER orders CLOSE",
        "XA START 'orders'",
        "XA COMMIT 'orders'",
        "DEALLOCATE PREPARE orders",
        "PREPARE orders FROM 'SELECT 1'",
        "FLUSH PRIVILEGES",
        "DO SLEEP(1)",
        "LOCK INSTANCE FOR BACKUP",
        "USE other; SELECT * FROM orders",
    };
    for (const auto& text : samples) {
        CAPTURE(text);
        CHECK_FALSE(touches(text));
    }
}

TEST_CASE("classifier: statements that touch nothing at all") {
    for (const std::string text :
         {"SELECT 1", "COMMIT", "SET x=1", "SET @x = 1, autocommit = 1", "BEGIN", "SHOW STATUS", "SHOW STATUS LIKE 'x'",
          "SELECT NOW(), @@version", "", "KILL 1", "SELECT 1; COMMIT", "PREPARE s FROM 'SELECT 1'"}) {
        CAPTURE(text);
        CHECK(classify(text).touches_nothing());
    }
    CHECK_FALSE(classify("SELECT * FROM t").touches_nothing());
    CHECK_FALSE(classify("CALL p()").touches_nothing());
}

TEST_CASE("classifier: quoting modes and character sets decide what is a name") {
    CHECK_FALSE(touches("SELECT * FROM \"orders\""));
    CHECK(touches("SELECT * FROM \"orders\"", with({.ansi_quotes = true})));
    CHECK(touches(R"(SELECT '\' FROM orders -- ')", with({.no_backslash_escapes = true})));
    CHECK_FALSE(touches(R"(SELECT '\' FROM orders -- ')"));
    // 0xBF5C is one character in gbk: the quote behind it closes the string.
    const std::string trail = "SELECT '\xBF\x5C' FROM orders -- '";
    CHECK(touches(trail, with({.charset = multibyte_charset::gbk})));
    CHECK_FALSE(touches(trail));
    const std::string sjis_trail = "SELECT '\x95\x5C' FROM orders -- '";
    CHECK(touches(sjis_trail, with({.charset = multibyte_charset::sjis})));
    // A comment that may or may not be code.
    CHECK(touches("SELECT 1 /*!99999 FROM x */"));
    CHECK_FALSE(touches("SELECT 1 /*!99999 FROM orders */", with({.server_version = 90700})));
    CHECK(touches("SELECT 1 /*!80000 FROM orders */", with({.server_version = 90700})));
    CHECK_FALSE(touches("SELECT 1 /*!80000 FROM orders */", with({.server_version = 50624})));
    CHECK(touches("SELECT 1 /*M! FROM orders */", with({.mariadb = true, .server_version = 101100})));
    CHECK_FALSE(touches("SELECT 1 /*M! FROM orders */", with({.server_version = 90700})));
}

TEST_CASE("classifier: schemas and letter case") {
    const auto unqualified = classify("SELECT * FROM orders");
    CHECK(unqualified.may_touch(orders, "shop", 0));
    CHECK_FALSE(unqualified.may_touch(orders, "other", 0));
    CHECK(unqualified.may_touch(orders, "", 0));  // unknown default schema
    CHECK_FALSE(unqualified.may_touch(orders, "SHOP", 0));
    CHECK(unqualified.may_touch(orders, "SHOP", 1));
    const auto upper = classify("SELECT * FROM SHOP.ORDERS");
    CHECK_FALSE(upper.may_touch(orders, "", 0));
    CHECK(upper.may_touch(orders, "", 1));
    CHECK(upper.may_touch(orders, "", 2));
    const auto after_use = classify("USE shop; SELECT * FROM orders");
    CHECK(after_use.may_touch(orders, "other", 0));
    CHECK_FALSE(classify("SELECT shop.orders.id FROM a").may_touch(orders, "x", 0));
    CHECK(classify("UPDATE a SET x = 1 WHERE shop.orders.id = 1").may_touch(orders, "x", 0));
}

TEST_CASE("classifier: names that are awkward") {
    struct sample {
        std::string text;
        std::string name;
    };
    const std::vector<sample> samples{
        {"SELECT * FROM `a``b`", "a`b"},
        {"SELECT * FROM `select`", "select"},
        {"SELECT * FROM s.select", "select"},
        {"SELECT * FROM a$b", "a$b"},
        {"SELECT * FROM 1a", "1a"},
        {"SELECT * FROM s.1e5", "1e5"},
        {"SELECT * FROM `a b`", "a b"},
        {"SELECT * FROM `a\"b'c`", "a\"b'c"},
        {"SELECT * FROM status", "status"},
        {"SELECT * FROM d\xC3\xA9j\xC3\xA0", "d\xC3\xA9j\xC3\xA0"},
        {"SELECT * FROM d\xE9j\xE0", "d\xC3\xA9j\xC3\xA0"},  // the client speaks latin1
        {"SELECT * FROM `DÉJÀ`", "déjà"},
    };
    for (const auto& one : samples) {
        CAPTURE(one.text, one.name);
        CHECK(classify(one.text).may_touch({"s", one.name}, "s", 0));
        CHECK(mentions(one.text, one.name));
        CHECK_FALSE(dismissed(one.text, one.name));
        CHECK_FALSE(classify(one.text).may_touch({"s", "another"}, "s", 0));
    }
}

TEST_CASE("classifier: the quick look") {
    CHECK(mentions("SELECT * FROM ORDERS", "orders"));
    CHECK(mentions("'orders'", "orders"));
    CHECK(mentions("orders", "orders"));
    CHECK(mentions("xordersx", "orders"));
    CHECK_FALSE(mentions("order", "orders"));
    CHECK_FALSE(mentions("", "orders"));
    CHECK(mentions("aaaab", "aab"));
    CHECK(mentions("ABCABCABD", "abcabd"));
    CHECK(mentions("x", "`"));
    CHECK(mentions("select 'é'", "déjà"));
    CHECK_FALSE(mentions("select 'e'", "déjà"));
    std::string text(100'000, 'o');
    CHECK_FALSE(mentions(text, "orders"));
    text.append("rders");
    CHECK(mentions(text, "orders"));
    CHECK(mentions(std::string(300, 'n'), std::string(299, 'N')));

    for (const std::string other : {"SELECT * FROM customers", "SELECT 1;", "UPDATE a SET b = 1 ; \n", "COMMIT",
                                    "INSERT INTO a VALUES (1)", "SELECT 1 /* unclosed", "DROP TABLE a", "SET a = 1"}) {
        CAPTURE(other);
        CHECK(dismissed(other, "orders"));
    }
    for (const std::string asked :
         {"SELECT 1; CALL p()", "CALL p()", "EXECUTE s", "PREPARE s FROM @v", "PREPARE s FROM 'x'", "NONSENSE",
          "DROP DATABASE x", "FLUSH TABLES", "SELECT 'orders'", "SELECT 1 /*!; CALL p() */"}) {
        CAPTURE(asked);
        CHECK_FALSE(dismissed(asked, "orders"));
    }
}

TEST_CASE("classifier: the footprint of a hostile text stays small") {
    std::string names = "SELECT * FROM a";
    for (int i = 0; i < 100'000; ++i) names += ",t" + std::to_string(i);
    const auto footprint = classify(names);
    CHECK(footprint.names.size() == names_max);
    CHECK(footprint.touches_anything);

    std::string same = "INSERT INTO t VALUES (1, f(2))";
    for (int i = 0; i < 10'000; ++i) same += ",(1, f(NULL))";
    CHECK(classify(same).names.size() == 2);
    CHECK_FALSE(classify(same).touches_anything);

    CHECK(classify(std::string(1'000'000, '(')).first_kind() == kind::select);
    std::string nested;
    for (int i = 0; i < 100'000; ++i) nested += "/*! ";
    CHECK(classify(nested).touches_anything);
    std::string prepared = "SELECT 1";
    for (int i = 0; i < 3; ++i) {
        std::string quoted;
        for (const char c : prepared) quoted += c == '\'' ? std::string("''") : std::string(1, c);
        prepared = "PREPARE s FROM '" + quoted + '\'';
    }
    CHECK(classify(prepared).touches_anything);
}
