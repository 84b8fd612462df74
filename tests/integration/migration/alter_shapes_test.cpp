// Shapes of ALTER TABLE: after each, definition and rows are those that the server's own ALTER gives.

#include "tests/integration/migration/alter_oracle.hpp"
#include "tests/support/catch.hpp"

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;

namespace {

const mysql_server& shared_server() {
    static const mysql_server server = mysql_server::start();
    return server;
}

const std::string plain = "(id INT PRIMARY KEY, a INT, b VARCHAR(20), KEY by_a (a))";
const std::string plain_rows = "VALUES (1, 10, 'x'), (2, NULL, 'y'), (3, 30, NULL)";

const std::vector<alter_case> shapes{
    {"not_null_columns", plain, plain_rows,
     "ADD n INT NOT NULL, ADD s VARCHAR(9) NOT NULL, ADD e ENUM('p','q') NOT NULL, ADD t SET('p') NOT NULL, ADD d "
     "DECIMAL(5,2) NOT NULL, ADD y YEAR NOT NULL, ADD bi BINARY(3) NOT NULL, ADD bt BIT(3) NOT NULL, ADD ti TIME(2) "
     "NOT "
     "NULL, ADD ts TIMESTAMP NOT NULL, ADD j JSON NOT NULL, ADD tx TEXT NOT NULL, ADD f DOUBLE NOT NULL"},
    {"drop_and_add", "(id INT PRIMARY KEY, a INT, b VARCHAR(20))", plain_rows,
     "DROP a, ADD a VARCHAR(3) NOT NULL DEFAULT 'new' FIRST"},
    {"renames", plain, plain_rows, "RENAME COLUMN a TO b, RENAME COLUMN b TO a, MODIFY id BIGINT AFTER b"},
    {"letter_case", plain, plain_rows, "CHANGE A `A` BIGINT, CHANGE id ID INT NOT NULL"},
    {"words_in_text", plain, plain_rows,
     "MODIFY b VARCHAR(40) COMMENT 'rename column a to z, drop a', ADD `rename` INT DEFAULT 4, COMMENT = 'change a b'"},
    {"defaults", plain, plain_rows,
     "ALTER a SET DEFAULT 7, ALTER b SET DEFAULT (UPPER('q')), ADD c CHAR(3) DEFAULT (LEFT('abcdef', 3))"},
    {"stored_generated", plain, plain_rows, "ADD g INT AS (a * 2) STORED, ADD KEY by_g (g)"},
    {"virtual_generated", plain, plain_rows,
     "ADD g INT AS (id * 2) VIRTUAL NOT NULL FIRST, ADD h INT AS (a) VIRTUAL, ADD KEY by_h (h)"},
    {"generated_to_plain", "(id INT PRIMARY KEY, a INT, g INT AS (a + 1) STORED, h INT AS (a + 2) STORED)",
     "(id, a) VALUES (1, 1), (2, NULL)", "MODIFY g INT, DROP h, ADD h INT"},
    {"plain_to_generated", "(id INT PRIMARY KEY, a INT, g INT)", "VALUES (1, 1, 99), (2, 2, 98)",
     "MODIFY g INT AS (a + 1) STORED"},
    {"generated_renamed", "(id INT PRIMARY KEY, a INT, g INT AS (a + 1) STORED)", "(id, a) VALUES (1, 1), (2, 5)",
     "CHANGE a z INT, DROP g, ADD g INT AS (z + 1) STORED"},
    {"invisible", "(id INT PRIMARY KEY, a INT INVISIBLE, b INT)", "(id, a, b) VALUES (1, 2, 3), (2, 3, 4)",
     "ALTER a SET VISIBLE, ALTER b SET INVISIBLE, ADD c INT DEFAULT 5 INVISIBLE"},
    {"null_to_not_null", "(id INT PRIMARY KEY, a INT, b VARCHAR(9))", "VALUES (1, 1, 'x'), (2, 2, '')",
     "MODIFY a INT NOT NULL, MODIFY b VARCHAR(9) NOT NULL DEFAULT 'd'"},
    {"convert_charset",
     "(id INT PRIMARY KEY, a VARCHAR(20), b TEXT, c TINYTEXT, d CHAR(3), e ENUM('a','b'), f BLOB) CHARSET latin1",
     "VALUES (1, 'é', 'ü', 'ö', 'é', 'a', x'ff'), (2, NULL, '', 'a', 'b', 'b', NULL)",
     "CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_as_cs"},
    {"key_charset", "(a VARCHAR(20) CHARACTER SET latin1 PRIMARY KEY, b INT)", "VALUES ('é', 1), ('a', 2), ('Z ', 3)",
     "CONVERT TO CHARACTER SET utf8mb4"},
    {"table_options", plain, plain_rows,
     "ROW_FORMAT=COMPRESSED, KEY_BLOCK_SIZE=4, COMMENT='new', STATS_PERSISTENT=1, STATS_SAMPLE_PAGES=30, "
     "STATS_AUTO_RECALC=0, ENGINE=InnoDB, FORCE"},
    {"indexes",
     "(id INT PRIMARY KEY, a INT, b VARCHAR(20), c TEXT, p POINT NOT NULL SRID 0, KEY one (a DESC, b) INVISIBLE "
     "COMMENT "
     "'it''s', KEY two (b(3)), KEY three ((a + 1)))",
     "VALUES (1, 1, 'x', 'some words', POINT(1,2)), (2, 2, 'y', 'others', POINT(3,4))",
     "ADD UNIQUE four (a, b), ADD FULLTEXT five (c), ADD SPATIAL six (p), ADD KEY seven ((CAST(b AS CHAR(5)))), RENAME "
     "INDEX two TO renamed, ALTER INDEX one VISIBLE, DROP INDEX three, ADD KEY eight (b DESC) INVISIBLE"},
    {"primary_change", "(id INT PRIMARY KEY, k INT NOT NULL, UNIQUE KEY u (k))", "VALUES (1, 5), (2, 4)",
     "DROP PRIMARY KEY, ADD PRIMARY KEY (k, id)"},
    {"primary_dropped", "(id INT PRIMARY KEY, k INT NOT NULL, UNIQUE KEY u (k))", "VALUES (1, 5), (2, 4)",
     "DROP PRIMARY KEY"},
    {"primary_narrowed", "(a INT, b INT, c INT, PRIMARY KEY (a, b))", "VALUES (1, 5, 1), (2, 4, 1)",
     "DROP PRIMARY KEY, ADD PRIMARY KEY (b)"},
    {"primary_new_column", "(k INT NOT NULL, UNIQUE KEY u (k))", "VALUES (1), (2), (3)",
     "ADD id INT NOT NULL AUTO_INCREMENT PRIMARY KEY FIRST"},
    {"partition_by", plain, plain_rows, "PARTITION BY HASH (id) PARTITIONS 3"},
    {"partition_removed", plain + " PARTITION BY HASH (id) PARTITIONS 3", plain_rows, "REMOVE PARTITIONING"},
    {"partition_added", "(id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10))",
     "VALUES (1), (2)", "ADD PARTITION (PARTITION p1 VALUES LESS THAN (20))"},
    {"checks", "(id INT PRIMARY KEY, a INT CHECK (a > 0), CHECK (id > 0), CHECK (id < 100) NOT ENFORCED)",
     "VALUES (1, 1), (2, 2)", "ADD CHECK (a < 50), DROP CHECK checks_chk_2, ALTER CHECK checks_chk_3 ENFORCED"},
    {"algorithm", plain, plain_rows, "ALGORITHM=INPLACE, ADD c INT, LOCK=NONE"},
    {"order_by", "(id INT, k INT NOT NULL, UNIQUE KEY (k))", "VALUES (2, 1), (1, 2)", "ORDER BY k DESC, id"},
    {"zero_default", "(id INT PRIMARY KEY, d DATE NOT NULL DEFAULT '0000-00-00', e DATETIME)",
     "VALUES (1, '0000-00-00', '2024-00-01'), (2, '2024-01-00', NULL)", "ADD KEY by_d (d)", "", true},
    {"numbers_to_text", "(id INT PRIMARY KEY, a FLOAT, b DOUBLE, c DECIMAL(9,4), d YEAR, e BIGINT UNSIGNED, f BIT(9))",
     "VALUES (1, 1.1, 1e20, 1.5, 0, 18446744073709551615, b'101'), (2, 16777217, -0.5, -2.25, 2024, 0, 0)",
     "MODIFY a VARCHAR(30), MODIFY b VARCHAR(30), MODIFY c VARCHAR(30), MODIFY d CHAR(4), MODIFY e VARBINARY(20), "
     "MODIFY "
     "f BIGINT"},
    {"rounding", "(id INT PRIMARY KEY, a DATETIME(6), b DECIMAL(9,4), c DOUBLE, d TIME(3), e TIMESTAMP(6) NULL)",
     "VALUES (1, '2024-05-06 23:59:59.999999', 1.00005, 2.5, '10:11:12.567', '2024-05-06 10:11:12.999')",
     "MODIFY a DATETIME, MODIFY b DECIMAL(9,2), MODIFY c INT, MODIFY d TIME, MODIFY e TIMESTAMP NULL"},
    {"json_and_enum", "(id INT PRIMARY KEY, a JSON, b ENUM('x','y','z'), c SET('p','q'), d VARCHAR(50))",
     "VALUES (1, '{\"k\": [1, 1.0]}', 'y', 'p,q', '{\"v\": 1}'), (2, 'null', 'z', '', '[]')",
     "MODIFY a LONGTEXT, MODIFY b ENUM('z','y','x','w'), MODIFY c SET('q','r','p'), MODIFY d JSON"},
};

}  // namespace

TEST_CASE("shapes of ALTER: definition and rows are those of the server's own ALTER") {
    const auto number = GENERATE(range(std::size_t{0}, shapes.size()));
    const auto& one = shapes[number];
    INFO(one.name << ": " << one.alter);
    const auto result = alter_both(shared_server(), one);
    INFO(error_text(*result.ended));
    CHECK(result.server_error.empty());
    CHECK(result.ended->state == migration_state::completed);
    CHECK(result.created == result.created_by_server);
    CHECK(result.content == result.content_by_server);
    CHECK_FALSE(result.ended->unique_key.empty());
}

TEST_CASE("a generated invisible primary key identifies rows, also where the server hides it") {
    const auto server = mysql_server::start({.extra_arguments = {"--sql-generate-invisible-primary-key=ON",
                                                                 "--show-gipk-in-create-table-and-information-schema="
                                                                 "OFF"}});
    const auto result =
        alter_both(server, {"hidden_key", "(a INT, b INT)", "VALUES (1, 2), (1, 2), (3, 4)", "ADD c INT NOT NULL"});
    INFO(error_text(*result.ended));
    CHECK(result.ended->state == migration_state::completed);
    CHECK(result.ended->unique_key == "PRIMARY (my_row_id)");
    CHECK(result.created == result.created_by_server);
    CHECK(result.content == result.content_by_server);
    sql_connection root = connect(server, "test");
    CHECK(root.query("SELECT my_row_id, a FROM hidden_key ORDER BY 1") == rows{{"1", "1"}, {"2", "1"}, {"3", "3"}});
}

TEST_CASE("a chosen name of a CHECK constraint stays with the old table, the new one's is beside it, and back again") {
    sql_connection root = connect(shared_server(), "test");
    root.exec("CREATE TABLE named_check (id INT PRIMARY KEY, a INT, CONSTRAINT positive CHECK (a > 0))");
    root.exec("INSERT INTO named_check VALUES (1, 1)");
    auto engine = engine_on(shared_server());
    const auto migrate = [&](const std::string& alter) {
        migration::migration_spec spec{{"test", "named_check"}, alter, {}};
        spec.options.drop_old_table = true;
        const auto created = engine->create(spec);
        REQUIRE(created);
        const auto ended = wait_for_end(*engine, (*created)->id);
        INFO(error_text(*ended));
        REQUIRE(ended->state == migration_state::completed);
    };
    const auto checks = [&] {
        return root.query(
            "SELECT constraint_name, check_clause FROM information_schema.check_constraints WHERE "
            "constraint_schema = 'test' AND constraint_name LIKE 'positive%'");
    };
    migrate("ADD c INT");
    CHECK(checks() == rows{{"positive_sluice", "(`a` > 0)"}});
    migrate("DROP CHECK positive_sluice, ADD CONSTRAINT positive_sluice CHECK (a > -5)");
    CHECK(checks() == rows{{"positive", "(`a` > -(5))"}});
    migrate("DROP CONSTRAINT positive");
    CHECK(checks().empty());
}

TEST_CASE("what an ALTER asks for and a migration cannot give is refused before anything is made") {
    struct refusal {
        const char* alter;
        const char* code;
    };
    const auto one = GENERATE(values<refusal>({
        {"RENAME TO other", "bad_alter"},
        {"ADD c INT, RENAME other", "bad_alter"},
        {"DROP PARTITION p0", "unsupported_alter"},
        {"TRUNCATE PARTITION p0", "unsupported_alter"},
        {"ADD c INT, ALGORITHM=INSTANT", "unsupported_alter"},
        {"ENGINE=MyISAM", "unsupported_alter"},
        {"DROP PRIMARY KEY", "no_shared_unique_key"},
        {"ADD g POINT NOT NULL", "no_default_value"},
        {"MODIFY d DATETIME", "unsupported_conversion"},
        {"ADD nonsense", "bad_alter"},
        {"DROP COLUMN missing", "alter_refused"},
    }));
    INFO(one.alter);
    sql_connection root = connect(shared_server(), "test");
    root.exec("DROP TABLE IF EXISTS asked");
    root.exec("CREATE TABLE asked (id INT PRIMARY KEY, d TIME)");
    root.exec("INSERT INTO asked VALUES (1, '10:00:00')");
    auto engine = engine_on(shared_server());
    const auto created = engine->create({{"test", "asked"}, one.alter, {}});
    if (created) {
        const auto ended = wait_for_end(*engine, (*created)->id);
        REQUIRE(ended->state == migration_state::failed);
        INFO(error_text(*ended));
        CHECK(ended->error->code == one.code);
    } else {
        CHECK(created.error().code == one.code);
    }
    CHECK(root.query("SHOW TABLES LIKE '%asked%'") == rows{{"asked"}});
    CHECK(root.scalar("SELECT COUNT(*) FROM asked") == "1");
}
