// Flags of `sluice gh-ost` that decide what an ALTER may do to a table: each refuses without the flag, or does
// something else, and does what it says with it.

#include "tests/integration/process_ghost_scene.hpp"

namespace {

using namespace sluice::test;
using namespace sluice::test::ghost;

std::string refusal(const scene& s, const std::string& table, const std::string& alter) {
    const finished end = run_sluice(s.words(table, {"--alter=" + alter, "--execute"}));
    CHECK(end.exit_code == 1);
    return end.err;
}

void check_runs(const scene& s, const std::string& table, std::vector<std::string> more) {
    more.insert(more.end(), {"--ok-to-drop-table", "--execute"});
    const finished end = run_sluice(s.words(table, more));
    INFO(end.out << end.err);
    REQUIRE(end.exit_code == 0);
}

}  // namespace

TEST_CASE("--attempt-instant-ddl lets the server do what it can do at once", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec("CREATE TABLE t " + std::string(plain_table));
    fill(*s.sql, "t", 16);
    const auto table_id = [&] {
        return connect(s.server).scalar("SELECT TABLE_ID FROM information_schema.INNODB_TABLES WHERE NAME = 'my_db/t'");
    };
    const std::string before = table_id();
    const std::string told = s.folder.file("told");
    make_hook(s.folder, "gh-ost-on-success", "echo $GH_OST_INSTANT_DDL > " + told);
    const std::string hooks = "--hooks-path=" + s.folder.path.string();
    check_runs(s, "t", {"--alter=ADD COLUMN c INT NOT NULL DEFAULT 7", "--attempt-instant-ddl", hooks});
    CHECK(table_id() == before);
    CHECK(text_of(told) == "true\n");
    CHECK(s.one("SELECT COUNT(*) FROM t WHERE c = 7") == "16");
    // The file is made before anything is altered, and holds the cut-over of a copy only.
    const std::string flag_file = s.folder.file("postpone");
    check_runs(
        s, "t",
        {"--alter=ADD COLUMN at_once INT", "--attempt-instant-ddl", "--postpone-cut-over-flag-file=" + flag_file});
    CHECK(table_id() == before);
    CHECK(std::filesystem::exists(flag_file));
    // Left out, or where the server cannot, the table is copied.
    check_runs(s, "t", {"--alter=ADD COLUMN d INT NOT NULL DEFAULT 8"});
    const std::string copied = table_id();
    CHECK(copied != before);
    check_runs(s, "t", {"--alter=MODIFY v VARBINARY(30)", "--attempt-instant-ddl", hooks});
    CHECK(table_id() != copied);
    CHECK(text_of(told) == "false\n");
}

TEST_CASE("what gh-ost refuses as well is refused in its words", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    for (const char* table :
         {"no_key (v INT)", "parent (id INT PRIMARY KEY)",
          "child (id INT PRIMARY KEY, CONSTRAINT to_parent FOREIGN KEY (id) REFERENCES parent (id))",
          "`of ``days` (day DATETIME NOT NULL, n INT NOT NULL, PRIMARY KEY (day, n))"}) {
        s.sql->exec("CREATE TABLE " + std::string(table));
    }
    const auto begins = [&s](const std::string& table, const std::string& alter, const std::string& sentence) {
        const std::string said = refusal(s, table, alter);
        INFO(said);
        CHECK(holds(said, " FATAL " + sentence + " ("));
    };
    begins("no_key", "ADD c INT", "No shared unique key can be found after ALTER! Bailing out");
    begins("parent", "ADD c INT",
           "Found parent-side foreign keys on `my_db`.`parent`. Parent-side foreign keys are not supported. Bailing "
           "out");
    begins("child", "ADD c INT",
           "Found child-side foreign keys on `my_db`.`child`. Child-side foreign keys are not supported. Bailing out");
    begins("of `days", "MODIFY day TIMESTAMP NOT NULL",
           "No support at this time for converting a column from DATETIME to TIMESTAMP that is also part of the chosen "
           "unique key. Column: day, key: PRIMARY");
}

TEST_CASE("--discard-foreign-keys leaves a table's own foreign keys behind", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec("CREATE TABLE parent (id INT PRIMARY KEY)");
    s.sql->exec("INSERT INTO parent VALUES (1)");
    s.sql->exec("CREATE TABLE t (id INT PRIMARY KEY, p INT, CONSTRAINT of_t FOREIGN KEY (p) REFERENCES parent (id))");
    s.sql->exec("INSERT INTO t VALUES (5, 1)");
    const std::string keys =
        "SELECT COUNT(*) FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = 'my_db' AND "
        "TABLE_NAME = 't'";
    CHECK(holds(refusal(s, "t", "ADD c INT"), "foreign key"));
    CHECK(s.one(keys) == "1");
    check_runs(s, "t", {"--alter=ADD c INT", "--discard-foreign-keys"});
    CHECK(s.one(keys) == "0");
    CHECK(s.one("SELECT CONCAT(id, p) FROM t") == "51");
}

TEST_CASE("--allow-nullable-unique-key lets such a key identify the rows", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec("CREATE TABLE t (k INT NULL, v INT, UNIQUE KEY by_k (k))");
    s.sql->exec("INSERT INTO t VALUES (1, 10), (2, 20)");
    CHECK(holds(refusal(s, "t", "ADD c INT"), "NULL"));
    check_runs(s, "t", {"--alter=ADD c INT", "--allow-nullable-unique-key"});
    CHECK(s.one("SELECT GROUP_CONCAT(CONCAT(k, '-', v) ORDER BY k) FROM t") == "1-10,2-20");
}

TEST_CASE("--approve-renamed-columns carries the values over under the new name", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec("CREATE TABLE t " + std::string(plain_table));
    fill(*s.sql, "t", 4);
    CHECK(holds(refusal(s, "t", "CHANGE v w VARCHAR(30)"), "--approve-renamed-columns"));
    check_runs(s, "t", {"--alter=CHANGE v w VARCHAR(30)", "--approve-renamed-columns"});
    CHECK(s.one("SELECT COUNT(*) FROM t WHERE w = 'first'") == "4");
}

TEST_CASE("zero dates are carried over, with --allow-zero-in-date and without", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec("SET SESSION sql_mode = ''");
    s.sql->exec("CREATE TABLE t (id INT PRIMARY KEY, d DATE NOT NULL)");
    s.sql->exec("INSERT INTO t VALUES (1, '0000-00-00'), (2, '2020-00-07')");
    const std::string dates = "SELECT GROUP_CONCAT(CAST(d AS CHAR) ORDER BY id) FROM t";
    check_runs(s, "t", {"--alter=ADD c INT", "--allow-zero-in-date"});
    CHECK(s.one(dates) == "0000-00-00,2020-00-07");
    check_runs(s, "t", {"--alter=ADD e INT"});
    CHECK(s.one(dates) == "0000-00-00,2020-00-07");
}

TEST_CASE("--remove-trigger-suffix-if-exists takes the suffix away again", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec("CREATE TABLE t " + std::string(plain_table));
    s.sql->exec("CREATE DEFINER = " + std::string(sluice_user) +
                " TRIGGER loud BEFORE INSERT ON t FOR EACH ROW SET NEW.v = UPPER(NEW.v)");
    const std::string names =
        "SELECT GROUP_CONCAT(TRIGGER_NAME) FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_TABLE = 't'";
    const std::vector<std::string> suffix{"--include-triggers", "--trigger-suffix=_v2",
                                          "--remove-trigger-suffix-if-exists"};
    for (const char* expected : {"loud_v2", "loud"}) {
        std::vector<std::string> words{"--alter=ENGINE=InnoDB"};
        words.insert(words.end(), suffix.begin(), suffix.end());
        check_runs(s, "t", words);
        CHECK(s.one(names) == expected);
    }
    s.sql->exec("INSERT INTO t (v) VALUES ('low')");
    CHECK(s.one("SELECT v FROM t") == "LOW");
}

TEST_CASE("a flag without meaning here is told of", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec("CREATE TABLE t " + std::string(plain_table));
    for (const char* flag : {"allow-zero-in-date", "skip-foreign-key-checks", "skip-strict-mode", "tungsten", "azure",
                             "gcp", "aliyun-rds", "skip-port-validation"}) {
        CAPTURE(flag);
        const finished end = run_sluice(s.words("t", {"--alter=ADD c INT", std::string("--") + flag}));
        INFO(end.out << end.err);
        CHECK(end.exit_code == 0);
        CHECK(holds(end.err, std::string("# Note: --") + flag));
    }
}
