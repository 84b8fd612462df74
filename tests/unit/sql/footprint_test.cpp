#include <string>
#include <vector>

#include "protocol/sql/classifier.hpp"
#include "tests/support/catch.hpp"

namespace {

using namespace sluice::sql;

const table_name orders{"shop", "orders"};

classify_options with(lexer_options lexer) { return {.lexer = lexer}; }

bool touches(std::string_view text, const classify_options& options = {}) {
    return classify(text, options).may_touch(orders, "shop", 0);
}

}  // namespace

TEST_CASE("footprint: may touch the table") {
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

TEST_CASE("footprint: a broken text may touch anything") {
    for (const std::string text : {"SELECT 1 /* unclosed", "SELECT 'unclosed", "SELECT `unclosed", "SELECT 1 /*! x",
                                   "COMMIT /*", "SELECT 1 /*!88888 FROM x */"}) {
        CAPTURE(text);
        CHECK(touches(text));
    }
}

TEST_CASE("footprint: does not touch the table") {
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

TEST_CASE("footprint: statements that touch nothing at all") {
    for (const std::string text :
         {"SELECT 1", "COMMIT", "SET x=1", "SET @x = 1, autocommit = 1", "BEGIN", "SHOW STATUS", "SHOW STATUS LIKE 'x'",
          "SELECT NOW(), @@version", "", "KILL 1", "SELECT 1; COMMIT", "PREPARE s FROM 'SELECT 1'"}) {
        CAPTURE(text);
        CHECK(classify(text).touches_nothing());
    }
    CHECK_FALSE(classify("SELECT * FROM t").touches_nothing());
    CHECK_FALSE(classify("CALL p()").touches_nothing());
}

TEST_CASE("footprint: quoting modes and character sets decide what is a name") {
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

TEST_CASE("footprint: schemas and letter case") {
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

TEST_CASE("footprint: names that are awkward") {
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

TEST_CASE("footprint: the quick look") {
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
