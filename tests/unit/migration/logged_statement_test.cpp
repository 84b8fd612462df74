// Which statements of a log have changed rows of which no row event tells.

#include "migration/apply/logged_statement.hpp"
#include "tests/support/catch.hpp"

#include <string>

namespace sluice::migration {
namespace {

bool changes(std::string_view text, bool of_mariadb = false, bool in_transaction = true) {
    binlog::query_event event;
    event.statement = text;
    return logged_statement(event, of_mariadb).changes_rows(in_transaction);
}

}  // namespace

TEST_CASE("statements that change rows are told from definitions and from the words of transactions") {
    for (const char* text :
         {"UPDATE v SET a = 1", "/* x */ -- y\n INSERT INTO t VALUES (1)", "REPLACE t SELECT 1", "DELETE FROM t",
          "SELECT `a`.`f`()", "DO f()", "CALL p()", "LOAD DATA INFILE 'x' INTO TABLE t",
          "/*!50000 UPDATE v SET a = 1 */", "WITH c AS (SELECT 1) DELETE FROM t", "(SELECT f())", "WHATEVER this is"}) {
        CAPTURE(text);
        CHECK(changes(text));
    }
    for (const char* text : {"SAVEPOINT s",
                             "ROLLBACK TO s",
                             "RELEASE SAVEPOINT s",
                             "CREATE TABLE t (a INT)",
                             "ALTER TABLE t ADD b INT",
                             "CREATE VIEW v AS SELECT 1",
                             "TRUNCATE TABLE t",
                             "GRANT SELECT ON *.* TO a",
                             "ANALYZE TABLE t",
                             "FLUSH TABLES",
                             "SET PASSWORD FOR a = ''",
                             "# Dum",
                             "OPTIMIZE TABLE t",
                             "REPAIR TABLE t",
                             "INSTALL PLUGIN p SONAME 's'",
                             "UNINSTALL PLUGIN p",
                             "SET DEFAULT ROLE r TO a",
                             "XA START X'61',X'',1",
                             "XA END X'61',X'',1",
                             "XA PREPARE X'61',X'',1",
                             "XA COMMIT X'61',X'',1",
                             "XA ROLLBACK X'61',X'',1",
                             "BEGIN",
                             "COMMIT",
                             "START TRANSACTION",
                             "RENAME USER a TO b",
                             "REVOKE ALL ON *.* FROM a",
                             "DROP ROLE r",
                             "CREATE SEQUENCE q",
                             "CREATE TRIGGER r AFTER INSERT ON t FOR EACH ROW UPDATE u SET a = 1"}) {
        CAPTURE(text);
        CHECK_FALSE(changes(text));
    }
    // MySQL's own emptying of a MEMORY table.
    CHECK_FALSE(changes("DELETE FROM `a`.`mem`", false, false));
    CHECK(changes("UPDATE `a`.`mem` SET a = 1", false, false));
}

TEST_CASE("MariaDB's own forms of statements") {
    CHECK(changes("SET STATEMENT max_statement_time = 9 FOR UPDATE v SET a = 1", true));
    CHECK(changes("SET STATEMENT sort_buffer_size = LENGTH(SUBSTRING('a' FROM 1 FOR 1)) FOR INSERT INTO t VALUES (1)",
                  true));
    CHECK_FALSE(changes("SET STATEMENT max_statement_time = 9 FOR ALTER TABLE t ADD b INT", true));
    CHECK(changes("/*M! UPDATE v SET a = 1 */", true));
    CHECK(changes("CREATE OR REPLACE TEMPORARY TABLE a SELECT f() AS c", true));
    CHECK(changes("CREATE TABLE a AS VALUES (f())", true));
    CHECK_FALSE(changes("CREATE TABLE a (b INT) PARTITION BY RANGE (b) (PARTITION p VALUES LESS THAN (3))", true));
    CHECK_FALSE(changes("CREATE TABLE a SELECT f() AS c", false));  // the server has refused one that changes a table

    binlog::query_event event;
    event.statement = "SET STATEMENT max_statement_time = 9 FOR TRUNCATE TABLE t";
    CHECK(logged_statement(event, true).may_take_rows_away());
    event.statement = "SET STATEMENT max_statement_time = 9 FOR ALTER TABLE t ADD b INT";
    CHECK(logged_statement(event, true).redefines({"a", "t"}, {{"", "t"}}, 0));
}

}  // namespace sluice::migration
