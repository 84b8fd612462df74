#include "protocol/sql/alter_statement.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

namespace {

using namespace sluice::sql;
using kind = alter_clause_kind;

alter_statement parsed(std::string_view text) {
    auto statement = parse_alter(text);
    CAPTURE(text);
    if (statement.has_error()) FAIL(statement.error().message);
    return std::move(statement).value();
}

}  // namespace

TEST_CASE("alter: one clause of each kind") {
    struct sample {
        std::string text;
        kind what;
        std::string name;
        std::string new_name;
        std::string value;
    };
    const std::vector<sample> samples{
        {"ADD COLUMN c INT", kind::add_column, "c", "", ""},
        {"ADD c INT NOT NULL DEFAULT 0 AFTER b", kind::add_column, "c", "", ""},
        {"ADD COLUMN `drop` INT FIRST", kind::add_column, "drop", "", ""},
        {"ADD COLUMN IF NOT EXISTS c INT", kind::add_column, "c", "", ""},
        {"ADD status ENUM('a','b')", kind::add_column, "status", "", ""},
        {"DROP COLUMN c", kind::drop_column, "c", "", ""},
        {"DROP c", kind::drop_column, "c", "", ""},
        {"DROP COLUMN IF EXISTS `a``b`", kind::drop_column, "a`b", "", ""},
        {"MODIFY c BIGINT", kind::modify_column, "c", "", ""},
        {"MODIFY COLUMN c BIGINT AFTER d", kind::modify_column, "c", "", ""},
        {"CHANGE a b INT", kind::change_column, "a", "b", ""},
        {"CHANGE COLUMN `a` `b` INT COMMENT 'DROP COLUMN x'", kind::change_column, "a", "b", ""},
        {"CHANGE `change` `change` INT", kind::change_column, "change", "change", ""},
        {"RENAME COLUMN a TO b", kind::rename_column, "a", "b", ""},
        {"ALTER c SET DEFAULT 5", kind::alter_column, "c", "", ""},
        {"ALTER COLUMN c DROP DEFAULT", kind::alter_column, "c", "", ""},
        {"ALTER COLUMN c SET INVISIBLE", kind::alter_column, "c", "", ""},
        {"ALTER INDEX i INVISIBLE", kind::alter_index, "i", "", ""},
        {"ALTER CHECK k NOT ENFORCED", kind::alter_check, "k", "", ""},
        {"ADD INDEX i (a)", kind::add_index, "i", "", ""},
        {"ADD KEY (a)", kind::add_index, "", "", ""},
        {"ADD INDEX USING BTREE (a)", kind::add_index, "", "", ""},
        {"ADD INDEX i USING HASH (a) COMMENT 'x'", kind::add_index, "i", "", ""},
        {"ADD UNIQUE (a)", kind::add_index, "", "", ""},
        {"ADD CONSTRAINT c UNIQUE KEY u (a)", kind::add_index, "c", "", ""},
        {"ADD CONSTRAINT UNIQUE u (a)", kind::add_index, "u", "", ""},
        {"ADD PRIMARY KEY (a, b)", kind::add_index, "PRIMARY", "", ""},
        {"ADD CONSTRAINT p PRIMARY KEY USING BTREE (a)", kind::add_index, "PRIMARY", "", ""},
        {"ADD FULLTEXT KEY f (a) WITH PARSER ngram", kind::add_index, "f", "", ""},
        {"ADD SPATIAL (a)", kind::add_index, "", "", ""},
        {"DROP INDEX i", kind::drop_index, "i", "", ""},
        {"DROP KEY IF EXISTS i", kind::drop_index, "i", "", ""},
        {"DROP PRIMARY KEY", kind::drop_index, "PRIMARY", "", ""},
        {"RENAME INDEX a TO b", kind::rename_index, "a", "b", ""},
        {"RENAME KEY a TO b", kind::rename_index, "a", "b", ""},
        {"ADD FOREIGN KEY (a) REFERENCES p (id) ON DELETE CASCADE", kind::add_foreign_key, "", "p", ""},
        {"ADD CONSTRAINT f FOREIGN KEY x (a) REFERENCES s.p (id)", kind::add_foreign_key, "f", "p", ""},
        {"DROP FOREIGN KEY f", kind::drop_foreign_key, "f", "", ""},
        {"ADD CHECK (a > 0)", kind::add_check, "", "", ""},
        {"ADD CONSTRAINT k CHECK (a > 0) NOT ENFORCED", kind::add_check, "k", "", ""},
        {"ADD CONSTRAINT IF NOT EXISTS k CHECK (a > 0)", kind::add_check, "k", "", ""},
        {"DROP CHECK k", kind::drop_check, "k", "", ""},
        {"DROP CONSTRAINT k", kind::drop_constraint, "k", "", ""},
        {"CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", kind::convert_charset, "", "", "utf8mb4"},
        {"CONVERT TO CHARSET 'latin1'", kind::convert_charset, "", "", "latin1"},
        {"DEFAULT CHARACTER SET = utf8mb4", kind::default_charset, "CHARACTER SET", "", "utf8mb4"},
        {"CHARSET latin1", kind::default_charset, "CHARSET", "", "latin1"},
        {"DEFAULT COLLATE utf8mb4_bin", kind::default_charset, "COLLATE", "", ""},
        {"ENGINE=InnoDB", kind::engine, "ENGINE", "", "InnoDB"},
        {"engine innodb", kind::engine, "ENGINE", "", "innodb"},
        {"AUTO_INCREMENT=100", kind::auto_increment, "AUTO_INCREMENT", "", "100"},
        {"ROW_FORMAT=DYNAMIC", kind::row_format, "ROW_FORMAT", "", "DYNAMIC"},
        {"COMMENT='RENAME TO x'", kind::table_option, "COMMENT", "", "RENAME TO x"},
        {"DATA DIRECTORY = '/x'", kind::table_option, "DATA DIRECTORY", "", "/x"},
        {"UNION=(a,b)", kind::table_option, "UNION", "", "a,b"},
        {"ALGORITHM=INPLACE", kind::algorithm, "ALGORITHM", "", "INPLACE"},
        {"LOCK=NONE", kind::lock, "LOCK", "", "NONE"},
        {"ORDER BY a, b DESC", kind::order_by, "", "", ""},
        {"FORCE", kind::force, "", "", ""},
        {"DISABLE KEYS", kind::keys_state, "", "", ""},
        {"WITHOUT VALIDATION", kind::validation, "", "", ""},
        {"PARTITION BY HASH(a) PARTITIONS 4", kind::partition, "", "", "PARTITION BY"},
        {"REMOVE PARTITIONING", kind::partition, "", "", "REMOVE PARTITIONING"},
        {"ADD PARTITION (PARTITION p1 VALUES LESS THAN (10))", kind::partition, "", "", "ADD PARTITION"},
        {"DROP PARTITION p0, p1", kind::partition, "", "", "DROP PARTITION"},
        {"REORGANIZE PARTITION p0,p1 INTO (PARTITION p2 VALUES LESS THAN (3))", kind::partition, "", "",
         "REORGANIZE PARTITION"},
        {"EXCHANGE PARTITION p WITH TABLE t", kind::partition, "", "", "EXCHANGE PARTITION"},
    };
    for (const auto& one : samples) {
        CAPTURE(one.text);
        const auto statement = parsed(one.text);
        REQUIRE(statement.clauses.size() == 1);
        const auto& clause = statement.clauses[0];
        CHECK(to_string(clause.kind) == to_string(one.what));
        CHECK(clause.name == one.name);
        CHECK(clause.new_name == one.new_name);
        CHECK(clause.value == one.value);
        CHECK(clause.text == one.text);
        CHECK(statement.body == one.text);
        CHECK_FALSE(statement.table);
    }
}

TEST_CASE("alter: kinds and columns of indexes") {
    const auto statement = parsed(
        "ADD INDEX i (a, `b c`(10) DESC, (lower(d))), ADD UNIQUE u (e), ADD FULLTEXT (f), ADD SPATIAL INDEX g (g), "
        "ADD PRIMARY KEY (id), DROP PRIMARY KEY, ADD FOREIGN KEY (x, y) REFERENCES p (a, b)");
    const auto& all = statement.clauses;
    REQUIRE(all.size() == 7);
    CHECK(all[0].index == index_kind::plain);
    CHECK(all[0].key_columns == std::vector<std::string>{"a", "b c", ""});
    CHECK(all[1].index == index_kind::unique);
    CHECK(all[2].index == index_kind::fulltext);
    CHECK(all[2].key_columns == std::vector<std::string>{"f"});
    CHECK(all[3].index == index_kind::spatial);
    CHECK(all[3].name == "g");
    CHECK(all[4].index == index_kind::primary);
    CHECK(all[5].index == index_kind::primary);
    CHECK(all[6].key_columns == std::vector<std::string>{"x", "y"});
}

TEST_CASE("alter: what a column definition says outright") {
    const auto column = [](std::string_view definition) {
        const auto statement = parsed("ADD COLUMN c " + std::string(definition));
        REQUIRE(statement.clauses.size() == 1);
        REQUIRE(statement.clauses[0].columns.size() == 1);
        return statement.clauses[0].columns[0];
    };
    CHECK(column("INT NOT NULL").not_null);
    CHECK_FALSE(column("INT NULL").not_null);
    CHECK_FALSE(column("INT COMMENT 'NOT NULL'").not_null);
    CHECK_FALSE(column("INT CHECK (c IS NOT NULL)").not_null);
    CHECK_FALSE(column("INT /* NOT NULL */").not_null);
    CHECK(column("INT DEFAULT 5").has_default);
    CHECK_FALSE(column("VARCHAR(20) COMMENT 'DEFAULT'").has_default);
    CHECK(column("INT AUTO_INCREMENT PRIMARY KEY").auto_increment);
    CHECK(column("INT AUTO_INCREMENT PRIMARY KEY").key == index_kind::primary);
    CHECK(column("INT KEY").key == index_kind::primary);
    CHECK(column("INT UNIQUE").key == index_kind::unique);
    CHECK(column("INT UNIQUE KEY").key == index_kind::unique);
    CHECK(column("INT").key == index_kind::plain);
    CHECK(column("INT AFTER `unique`").key == index_kind::plain);
    CHECK(column("INT AS (a + 1)").generated);
    CHECK(column("INT GENERATED ALWAYS AS (a + 1) STORED").generated);
    CHECK_FALSE(column("ENUM('AS', 'UNIQUE')").generated);
    CHECK(column("SERIAL").auto_increment);
    CHECK(column("BIGINT SERIAL DEFAULT VALUE").key == index_kind::unique);
}

TEST_CASE("alter: several clauses") {
    const auto statement = parsed(
        "ADD COLUMN a INT DEFAULT '1,2', /* DROP COLUMN z, */ DROP b, -- RENAME TO x\n"
        "CHANGE c d ENUM('x,y', 'it''s'), ADD (e INT, f DECIMAL(10,2), INDEX g (e, f)) # end");
    const auto& all = statement.clauses;
    REQUIRE(all.size() == 6);
    CHECK(all[0].name == "a");
    CHECK(all[1].kind == kind::drop_column);
    CHECK(all[2].new_name == "d");
    CHECK(all[3].name == "e");
    CHECK(all[4].name == "f");
    CHECK(all[5].kind == kind::add_index);
    CHECK(all[5].key_columns == std::vector<std::string>{"e", "f"});
    CHECK_FALSE(statement.has(kind::rename_table));

    const auto options = parsed("ENGINE=InnoDB ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE 8, COMMENT 'x, y'");
    REQUIRE(options.clauses.size() == 4);
    CHECK(options.clauses[0].text == "ENGINE=InnoDB");
    CHECK(options.clauses[2].value == "8");
    CHECK(options.clauses[3].value == "x, y");

    const auto partitioned = parsed("ADD c INT, ADD KEY (c) PARTITION BY LIST(c) (PARTITION a VALUES IN (1,2))");
    REQUIRE(partitioned.clauses.size() == 3);
    CHECK(partitioned.clauses[1].text == "ADD KEY (c)");
    CHECK(partitioned.clauses[2].kind == kind::partition);

    const auto ordered = parsed("ORDER BY a, `b` DESC, ADD c INT");
    REQUIRE(ordered.clauses.size() == 2);
    CHECK(ordered.clauses[0].text == "ORDER BY a, `b` DESC");
    // As it was written, not put together anew.
    CHECK(parsed("ORDER BY a ,/* then */b").clauses[0].text == "ORDER BY a ,/* then */b");

    CHECK(parsed("/*!50100 ADD COLUMN c INT */").clauses.at(0).name == "c");
    CHECK(parsed("ADD COLUMN c INT;").body == "ADD COLUMN c INT");
    CHECK(parsed("  ADD COLUMN c INT ; -- done").body == "ADD COLUMN c INT");
}

TEST_CASE("alter: the ALTER TABLE prefix") {
    struct sample {
        std::string text;
        std::string schema;
        std::string table;
        std::string body;
    };
    const std::vector<sample> samples{
        {"ALTER TABLE t ADD c INT", "", "t", "ADD c INT"},
        {"alter table `s`.`t` add c int;", "s", "t", "add c int"},
        {"ALTER TABLE s . t\n ADD c INT", "s", "t", "ADD c INT"},
        {"ALTER /* x */ TABLE t /*!50100 ADD c INT */", "", "t", "/*!50100 ADD c INT */"},
        {"ALTER ONLINE TABLE IF EXISTS t ADD c INT", "", "t", "ADD c INT"},
        {"ALTER TABLE `a``b` ADD c INT", "", "a`b", "ADD c INT"},
    };
    for (const auto& one : samples) {
        CAPTURE(one.text);
        const auto statement = parsed(one.text);
        REQUIRE(statement.table);
        CHECK(statement.table->schema == one.schema);
        CHECK(statement.table->name == one.table);
        CHECK(statement.body == one.body);
        REQUIRE(statement.clauses.size() == 1);
        CHECK(statement.clauses[0].name == "c");
    }
}

TEST_CASE("alter: names after the change") {
    const auto statement =
        parsed("CHANGE A b INT, RENAME COLUMN x TO y, RENAME COLUMN y TO x, DROP d, ADD d INT, MODIFY m INT");
    CHECK(statement.new_name_of("a") == "b");
    CHECK(statement.new_name_of("x") == "y");
    CHECK(statement.new_name_of("y") == "x");
    CHECK(statement.new_name_of("D") == std::nullopt);
    CHECK(statement.new_name_of("m") == "m");
    CHECK(statement.new_name_of("other") == "other");
    // An index of the same name is no column.
    CHECK(parsed("DROP INDEX a, RENAME INDEX b TO c").new_name_of("a") == "a");
    CHECK(parsed("DROP INDEX a, RENAME INDEX b TO c").new_name_of("b") == "b");
}

TEST_CASE("alter: unique keys") {
    CHECK(parsed("ADD UNIQUE (a)").adds_unique_key());
    CHECK(parsed("ADD PRIMARY KEY (a)").adds_unique_key());
    CHECK(parsed("ADD c INT UNIQUE").adds_unique_key());
    CHECK(parsed("MODIFY c INT UNIQUE").adds_unique_key());
    CHECK(parsed("ADD (a INT, b INT PRIMARY KEY)").adds_unique_key());
    CHECK_FALSE(parsed("ADD INDEX (a), DROP PRIMARY KEY, ADD c INT COMMENT 'UNIQUE'").adds_unique_key());
}

TEST_CASE("alter: refusals name the piece") {
    struct sample {
        std::string text;
        std::string message;
        std::string piece;
    };
    const std::vector<sample> samples{
        {"", "no clauses", ""},
        {"  /* x */ ; ", "no clauses", "/* x */"},
        {"ALTER TABLE t", "no clauses", "ALTER TABLE t"},
        {"ALTER TABLE t;", "no clauses", "ALTER TABLE t"},
        {"ALTER TABLE ADD", "no clauses", "ALTER"},
        {"ALTER TABLE", "name of the table", "ALTER TABLE"},
        {"ALTER IGNORE TABLE t ADD c INT", "IGNORE", "IGNORE"},
        {"ADD c INT, RENAME TO x", "refused", "RENAME TO x"},
        {"RENAME x", "refused", "RENAME x"},
        {"RENAME AS s.x", "refused", "RENAME AS s.x"},
        {"DISCARD TABLESPACE", "refused", "DISCARD TABLESPACE"},
        {"ADD c INT; DROP d", "one statement", "DROP d"},
        {"ADD c INT DEFAULT 'x", "unclosed string", "'x"},
        {"ADD `c INT", "unclosed quoted identifier", "`c INT"},
        {"ADD c INT /* x", "unclosed comment", "INT"},
        {"ADD c INT /*!90901 UNIQUE */", "comment", ""},
        {"ADD c DECIMAL(10,2", "never closed", "(10,2"},
        {"ADD c DECIMAL 10)", "closes nothing", ")"},
        {"ADD c INT,, DROP d", "comma", ""},
        {"ADD c INT,", "comma", ""},
        {"FROB c", "FROB", "FROB c"},
        {"ADD c INT, 5", "\"5\"", "5"},
        {"ADD", "name of the new column", "ADD"},
        {"ADD COLUMN c", "type of column c", "ADD COLUMN c"},
        {"ADD (a INT, )", "empty", "ADD (a INT, )"},
        {"ADD 'c' INT", "name of the new column", "ADD 'c' INT"},
        {"DROP", "name of the column", "DROP"},
        {"DROP INDEX", "name of the index", "DROP INDEX"},
        {"DROP PRIMARY", "KEY is missing", "DROP PRIMARY"},
        {"CHANGE a", "changed column", "CHANGE a"},
        {"CHANGE a b", "type of column b", "CHANGE a b"},
        {"MODIFY a", "type of column a", "MODIFY a"},
        {"RENAME COLUMN a b", "TO is missing", "RENAME COLUMN a b"},
        {"ALTER COLUMN a", "SET or DROP", "ALTER COLUMN a"},
        {"ADD INDEX i", "column list", "ADD INDEX i"},
        {"ADD FOREIGN KEY (a)", "REFERENCES", "ADD FOREIGN KEY (a)"},
        {"CONVERT TO utf8mb4", "CHARACTER SET", "CONVERT TO utf8mb4"},
        {"ENGINE=", "value of ENGINE", "ENGINE="},
        {"/*!50100 ALTER TABLE t ADD c INT */", "executable comment", ""},
    };
    for (const auto& one : samples) {
        CAPTURE(one.text);
        const auto statement = parse_alter(one.text);
        REQUIRE(statement.has_error());
        CAPTURE(statement.error().message);
        CHECK(statement.error().message.find(one.message) != std::string::npos);
        CHECK(statement.error().piece.find(one.piece) != std::string::npos);
        CHECK(statement.error().offset <= one.text.size());
        CHECK(one.text.substr(statement.error().offset).starts_with(statement.error().piece));
    }
}
