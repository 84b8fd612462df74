// Every refusal of the preconditions, reproduced on real servers: a table or a server that stands in the way is named,
// and one that does not passes.

#include "tests/integration/checks_on_server.hpp"
#include "tests/support/catch.hpp"

using namespace sluice::migration;
using namespace sluice::test;
using Catch::Matchers::Contains;

TEST_CASE("a plain table on a plain server passes, and the server's facts are told") {
    auto& server = shared_server();
    auto root = emptied(server);
    root.exec("CREATE TABLE t (id INT PRIMARY KEY)");
    const auto facts = checked(server);
    INFO((facts.has_error() ? facts.error().code + ": " + facts.error().message : std::string()));
    REQUIRE(facts.has_value());
    CHECK(facts->version == root.scalar("SELECT VERSION()"));
    CHECK(facts->version_number >= 90700);
    CHECK(facts->version_number < 100000);
    CHECK(facts->family->product() == "MySQL");
    CHECK(facts->gtid_mode_on);
    CHECK(facts->lower_case_table_names == 0);
    CHECK(facts->family->rename_under_lock());
}

TEST_CASE("partitioned tables, checks, views on the table and generated columns pass") {
    auto& server = shared_server();
    auto root = emptied(server);
    root.exec(
        "CREATE TABLE t (id INT PRIMARY KEY, v INT CHECK (v > 0), g INT AS (v + 1) STORED) "
        "PARTITION BY HASH (id) PARTITIONS 4");
    root.exec("CREATE VIEW w AS SELECT * FROM t");
    CHECK(checked(server).has_value());
    CHECK(checked(server, {"test", "t"}, "PARTITION BY HASH (id) PARTITIONS 8").has_value());
    CHECK(checked(server, {"test", "t"}, "REMOVE PARTITIONING").has_value());
    CHECK(checked(server, {"test", "t"}, "COALESCE PARTITION 2").has_value());
}

TEST_CASE("names that need quoting and 64 characters pass") {
    auto& server = shared_server();
    auto root = emptied(server);
    root.exec("CREATE DATABASE IF NOT EXISTS `wéird - schema`");
    for (const std::string name : {"a`b 'c' \"d\" \\e", "order", "größe$",
                                   "ддддддддддддддддддддддддддддддддддддддддддддддддддддддддддддддддд"}) {
        const std::string short_name = name.size() > 100 ? name.substr(0, 128) : name;  // 64 letters of two bytes
        CAPTURE(short_name);
        std::string quoted;
        for (const char c : short_name) quoted += c == '`' ? "``" : std::string(1, c);
        root.exec("CREATE TABLE `wéird - schema`.`" + quoted + "` (id INT PRIMARY KEY)");
        const auto facts = checked(server, {"wéird - schema", short_name});
        INFO((facts.has_error() ? facts.error().message : std::string()));
        CHECK(facts.has_value());
    }
    root.exec("DROP DATABASE `wéird - schema`");
    CHECK(refusal(server, {"test", std::string(65, 'x')}).code == "bad_identifier");
    CHECK(refusal(server, {"test", ""}).code == "bad_identifier");
}

TEST_CASE("what is no InnoDB base table is refused") {
    auto& server = shared_server();
    auto root = emptied(server);
    const auto missing = refusal(server);
    CHECK(missing.code == "no_such_table");
    CHECK_THAT(missing.message, Contains("`test`.`t`"));

    root.exec("CREATE TABLE m (id INT PRIMARY KEY) ENGINE=MyISAM");
    const auto engine = refusal(server, {"test", "m"});
    CHECK(engine.code == "wrong_engine");
    CHECK_THAT(engine.message, Contains("MyISAM"));

    root.exec("CREATE VIEW w AS SELECT 1 AS id");
    CHECK(refusal(server, {"test", "w"}).code == "not_a_table");
    CHECK(refusal(server, {"mysql", "user"}).code == "system_schema");
    CHECK(refusal(server, {"Performance_Schema", "threads"}).code == "system_schema");
}

TEST_CASE("a table of another letter case or with other accents is another table") {
    auto& server = shared_server();
    auto root = emptied(server);
    root.exec("CREATE TABLE T (id INT PRIMARY KEY)");
    root.exec("CREATE TABLE é (id INT PRIMARY KEY)");
    CHECK(refusal(server, {"test", "t"}).code == "no_such_table");
    CHECK(refusal(server, {"test", "e"}).code == "no_such_table");
    root.exec("CREATE TABLE t (other INT PRIMARY KEY, more INT)");
    const auto session = session_on(server, address_of(server));
    const auto described = describe_table(*session, {"test", "t"});
    REQUIRE(described.has_value());
    REQUIRE(described->columns.size() == 2);
    CHECK(described->columns[0].name == "other");
}

TEST_CASE("a table without a usable key is refused before anything is made") {
    auto& server = shared_server();
    auto root = emptied(server);
    struct expectation {
        const char* columns;
        const char* code;
        const char* word;
    };
    const std::vector<expectation> expected{
        {"id INT", "no_shared_unique_key", "neither"},
        {"id INT, KEY (id)", "no_shared_unique_key", "neither"},
        {"id INT, UNIQUE KEY u (id)", "nullable_unique_key", "`id`"},
        {"d DOUBLE PRIMARY KEY", "unsupported_key_type", "double"},
        {"s VARCHAR(30) NOT NULL, UNIQUE KEY u (s(10))", "no_shared_unique_key", "prefix"},
        {"id INT NOT NULL, UNIQUE KEY u ((id + 1))", "no_shared_unique_key", "expression"},
        {"d DOUBLE PRIMARY KEY, id INT NOT NULL, UNIQUE KEY u (id) INVISIBLE", "unsupported_key_type",
         "`u`: is invisible"},
    };
    for (const auto& one : expected) {
        CAPTURE(one.columns);
        root.exec(std::string("CREATE TABLE t (") + one.columns + ")");
        const auto refused = refusal(server);
        CHECK(refused.code == one.code);
        CHECK_THAT(refused.message, Contains(one.word));
        root.exec("DROP TABLE t");
    }
}

TEST_CASE("foreign keys are refused from every side, also where the account cannot see the other schema's table") {
    auto& server = shared_server();
    auto root = emptied(server);
    root.exec("CREATE TABLE parent (id INT PRIMARY KEY)");
    SECTION("child") {
        root.exec(
            "CREATE TABLE t (id INT PRIMARY KEY, p INT, CONSTRAINT to_parent FOREIGN KEY (p) REFERENCES parent (id))");
        const auto refused = refusal(server);
        CHECK(refused.code == "foreign_keys");
        CHECK_THAT(refused.message, Contains("`to_parent` (`test`.`t` to `test`.`parent`)"));
    }
    SECTION("parent, from another schema") {
        root.exec("CREATE TABLE t (id INT PRIMARY KEY)");
        root.exec(
            "CREATE TABLE other.`chi ld` (id INT PRIMARY KEY, t INT, CONSTRAINT `fk ö` FOREIGN KEY (t) REFERENCES "
            "test.t (id))");
        const auto refused = refusal(server);
        CHECK(refused.code == "referencing_foreign_keys");
        CHECK_THAT(refused.message, Contains("`fk ö` (`other`.`chi ld` to `test`.`t`)"));
    }
    SECTION("itself") {
        root.exec("CREATE TABLE t (id INT PRIMARY KEY, up INT, CONSTRAINT tree FOREIGN KEY (up) REFERENCES t (id))");
        const auto refused = refusal(server);
        CHECK(refused.code == "foreign_keys");
        CHECK_THAT(refused.message, Contains("`tree` (`test`.`t` to `test`.`t`)"));
    }
    SECTION("a child that waits for its parent") {
        root.exec(
            "CREATE TABLE other.child (id INT PRIMARY KEY, t INT, CONSTRAINT early FOREIGN KEY (t) REFERENCES test.t "
            "(id))");
        root.exec("CREATE TABLE t (id INT PRIMARY KEY)");
        CHECK(refusal(server).code == "referencing_foreign_keys");
    }
    SECTION("foreign keys of other tables do not matter") {
        root.exec("CREATE TABLE t (id INT PRIMARY KEY)");
        root.exec("CREATE TABLE T (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id))");
        root.exec("CREATE TABLE other.t (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES test.parent (id))");
        CHECK(checked(server).has_value());
    }
}

TEST_CASE("triggers are refused by name") {
    auto& server = shared_server();
    auto root = emptied(server);
    root.exec("CREATE TABLE t (id INT PRIMARY KEY)");
    root.exec("CREATE TABLE u (id INT PRIMARY KEY)");
    root.exec("CREATE TRIGGER of_u BEFORE INSERT ON u FOR EACH ROW SET @x = 1");
    CHECK(checked(server).has_value());
    root.exec("CREATE TRIGGER stamp BEFORE INSERT ON t FOR EACH ROW SET @x = 1");
    root.exec("CREATE TRIGGER audit AFTER DELETE ON t FOR EACH ROW SET @x = 1");
    const auto refused = refusal(server);
    CHECK(refused.code == "triggers");
    CHECK_THAT(refused.message, Contains("stamp, audit"));
}

TEST_CASE("tables of an earlier migration are named") {
    auto& server = shared_server();
    auto root = emptied(server);
    root.exec("CREATE TABLE t (id INT PRIMARY KEY)");
    root.exec("CREATE TABLE _T_GHO (id INT PRIMARY KEY)");  // another table on this server
    root.exec("CREATE TABLE other._t_gho (id INT PRIMARY KEY)");
    CHECK(checked(server).has_value());
    root.exec("CREATE TABLE _t_gho (id INT PRIMARY KEY)");
    root.exec("CREATE TABLE _t_ghc (id INT PRIMARY KEY)");
    const auto refused = refusal(server);
    CHECK(refused.code == "leftover_tables");
    CHECK_THAT(refused.message, Contains("`test`.`_t_ghc`, `test`.`_t_gho`") && Contains("drop_leftovers"));
    root.exec("DROP TABLE _t_gho, _t_ghc");
    root.exec("CREATE VIEW _t_del AS SELECT 1 AS id");
    const auto old_table = refusal(server);
    CHECK(old_table.code == "leftover_tables");
    CHECK_THAT(old_table.message, Contains("`test`.`_t_del`") && !Contains("drop_leftovers"));
}

TEST_CASE("clauses that a copy cannot carry out are refused") {
    auto& server = shared_server();
    auto root = emptied(server);
    root.exec("CREATE TABLE t (id INT PRIMARY KEY, v INT, CONSTRAINT positive CHECK (v > 0))");
    for (const char* alter :
         {"ADD COLUMN c INT, ALGORITHM=INSTANT", "ENGINE=MyISAM", "ADD FOREIGN KEY (v) REFERENCES other.x (id)",
          "TRUNCATE PARTITION p0", "DROP PARTITION p0", "ANALYZE PARTITION ALL"}) {
        CAPTURE(alter);
        const auto refused = refusal(server, {"test", "t"}, alter);
        CHECK(refused.code == "unsupported_alter");
    }
    CHECK(checked(server, {"test", "t"}, "ENGINE=innodb").has_value());
    CHECK(checked(server, {"test", "t"}, "ADD INDEX (v), LOCK=NONE").has_value());
    CHECK(checked(server, {"test", "t"}, "DROP CHECK positive").has_value());
    CHECK(checked(server, {"test", "t"}, "ADD INDEX (v), MODIFY v BIGINT, ALGORITHM=DEFAULT").has_value());
}

TEST_CASE("a server that is read-only is refused") {
    auto& server = shared_server();
    auto root = emptied(server);
    root.exec("CREATE TABLE t (id INT PRIMARY KEY)");
    root.exec("SET GLOBAL read_only = ON");
    const auto read_only = refusal(server);
    CHECK(read_only.code == "read_only");
    CHECK_THAT(read_only.message, Contains("read_only = ON"));
    root.exec("SET GLOBAL super_read_only = ON");
    CHECK(refusal(server).code == "read_only");
    root.exec("SET GLOBAL super_read_only = OFF");
    root.exec("SET GLOBAL read_only = OFF");
    CHECK(checked(server).has_value());
}

TEST_CASE("row images of every kind pass; another binlog format does not") {
    auto& server = shared_server();
    auto root = emptied(server);
    root.exec("CREATE TABLE t (id INT PRIMARY KEY)");
    for (const char* image : {"MINIMAL", "NOBLOB", "FULL"}) {
        root.exec(std::string("SET GLOBAL binlog_row_image = ") + image);
        CHECK(checked(server).has_value());
    }
    for (const char* format : {"STATEMENT", "MIXED"}) {
        root.exec(std::string("SET GLOBAL binlog_format = ") + format);
        const auto refused = refusal(server);
        CHECK(refused.code == "binlog_format");
        CHECK_THAT(refused.message, Contains(format));
    }
    root.exec("SET GLOBAL binlog_format = ROW");
}

TEST_CASE("servers without a usable binary log are refused") {
    struct expectation {
        std::vector<std::string> arguments;
        bool binlog;
        const char* code;
    };
    const auto expected = GENERATE(expectation{{}, false, "binlog_off"},
                                   expectation{{"--binlog-ignore-db=test"}, true, "binlog_filtered"},
                                   expectation{{"--binlog-do-db=other"}, true, "binlog_filtered"},
                                   expectation{{"--binlog-do-db=other", "--binlog-do-db=test"}, true, ""});
    CAPTURE(expected.code, expected.arguments);
    server_options options;
    options.binlog = expected.binlog;
    options.extra_arguments = expected.arguments;
    auto server = mysql_server::start(options);
    auto root = emptied(server);
    root.exec("CREATE TABLE t (id INT PRIMARY KEY)");
    const auto answer = checked(server);
    INFO((answer.has_error() ? answer.error().message : std::string()));
    CHECK((answer.has_error() ? answer.error().code : std::string()) == expected.code);
}

TEST_CASE("without GTIDs the checks pass and the facts say so") {
    auto server = start_server(server_kind::mysql_9_7, {"--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"});
    auto root = emptied(server);
    root.exec("CREATE TABLE t (id INT PRIMARY KEY)");
    const auto facts = checked(server);
    REQUIRE(facts.has_value());
    CHECK_FALSE(facts->gtid_mode_on);
}

TEST_CASE("the other families pass the checks, and are known for what they are") {
    const auto kind = GENERATE(server_kind::mysql_5_6, server_kind::mariadb_10_11);
    auto server = start_server(kind);
    auto root = emptied(server);
    root.exec("CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB");
    const auto facts = checked(server);
    INFO((facts.has_error() ? facts.error().code + ": " + facts.error().message : std::string()));
    REQUIRE(facts.has_value());
    CHECK(facts->family->product() == (kind == server_kind::mysql_5_6 ? "MySQL" : "MariaDB"));
    CHECK_FALSE(facts->family->rename_under_lock());
    CHECK_FALSE(facts->family->confirms_by_gtid(facts->gtid_mode_on));
}

TEST_CASE("the checks change nothing on the server") {
    auto& server = shared_server();
    auto root = emptied(server);
    root.exec("CREATE TABLE t (id INT PRIMARY KEY)");
    const auto before = root.scalar("SELECT @@GLOBAL.gtid_executed");
    CHECK(checked(server).has_value());
    CHECK(root.scalar("SELECT @@GLOBAL.gtid_executed") == before);
}
