#include "protocol/sql/classifier.hpp"

#include <string>
#include <vector>

#include "tests/support/catch.hpp"

namespace {

using namespace sluice::sql;
using kind = statement_kind;
using effect = transaction_effect;

const table_name orders{"shop", "orders"};

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
        {"SET DEFAULT ROLE NONE TO u", kind::set, effect::implicit_commit},
        {"SET ROLE NONE", kind::set, effect::none},
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
