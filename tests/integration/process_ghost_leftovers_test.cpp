// --initially-drop-ghost-table and --initially-drop-old-table: what an earlier run has left goes for a run that comes
// to something, and for no other.

#include "tests/integration/process_ghost_scene.hpp"
#include "tests/integration/process_served.hpp"

namespace {

using namespace sluice::test;
using namespace sluice::test::ghost;

finished refused(const scene& s, const std::vector<std::string>& more) {
    auto end = run_sluice(s.words("t", joined(more, {"--initially-drop-old-table", "--execute"})));
    INFO(end.out << end.err);
    CHECK(end.exit_code == 1);
    return end;
}

}  // namespace

TEST_CASE("gh-ost: an old table that a served Sluice keeps for the way back is not dropped", "[process][ghost]") {
    const auto server = mysql_server::start();
    sluice::test::fill(server, "t", 100);
    make_account(server, "my_db");
    sql_connection sql = connect(server, "test");
    sql.exec("GRANT ALL ON test.* TO ghoster@'%'");
    served sluice(server);
    const std::string id =
        sluice.begin({"--schema", "test", "--table", "t", "--alter", "ADD COLUMN c INT", "--keep-old-table-in-sync"});
    sluice.wait_for(id, "in_sync");
    const scratch_folder folder;
    const auto end = run_sluice(words_for(server, folder, "test", "t",
                                          {"--allow-on-master", "--alter=ADD COLUMN d INT",
                                           "--initially-drop-old-table", "--initially-drop-ghost-table", "--execute"}));
    INFO(end.out << end.err);
    CHECK(end.exit_code == 1);
    CHECK(holds(end.err, "is being worked on by another process"));
    CHECK(exists(sql, "test", "\\_t\\_del") == "1");
    sql.exec("INSERT INTO t (id, v) VALUES (1000, 'late')");
    REQUIRE(sluice.run({"revert", id}).exit_code == 0);
    sluice.wait_for(id, "reverted");
    CHECK(sql.scalar("SELECT v FROM t WHERE id = 1000") == "late");
    CHECK(sql.scalar("SELECT COUNT(*) FROM t") == "101");
}

TEST_CASE("gh-ost: a run that is refused leaves the old table of an earlier one", "[process][ghost]") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6);
    CAPTURE(to_string(kind));
    scene s(kind);
    s.sql->exec(std::string("CREATE TABLE t ") + plain_table);
    s.sql->exec("CREATE TABLE _t_del (id INT PRIMARY KEY)");
    s.sql->exec("INSERT INTO _t_del VALUES (7)");
    s.sql->exec("CREATE TRIGGER tr AFTER INSERT ON t FOR EACH ROW SET @x = 1");
    CHECK(holds(refused(s, {"--alter=ADD COLUMN c INT"}).err, "Found triggers on `my_db`.`t`"));
    s.sql->exec("DROP TRIGGER tr");
    // What only the server finds out.
    CHECK(holds(refused(s, {"--alter=DROP COLUMN nope"}).err, "the server does not take this ALTER"));
    CHECK(s.one("SELECT id FROM _t_del") == "7");

    const auto foreseen = run_sluice(s.words("t", {"--alter=ADD COLUMN c INT", "--initially-drop-old-table"}));
    INFO(foreseen.out << foreseen.err);
    CHECK(foreseen.exit_code == 0);
    CHECK(holds(foreseen.out, "`my_db`.`_t_del` holds the rows"));
    CHECK(s.one("SELECT id FROM _t_del") == "7");

    s.sql->exec("INSERT INTO t (v) VALUES ('new')");
    const auto done = run_sluice(s.words("t", {"--alter=ADD COLUMN c INT", "--initially-drop-old-table", "--execute"}));
    INFO(done.out << done.err);
    CHECK(done.exit_code == 0);
    CHECK(s.one("SELECT v FROM _t_del") == "new");
}

TEST_CASE("gh-ost: a run that is refused leaves the checkpoints of an earlier one", "[process][ghost][resume]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec(std::string("CREATE TABLE t ") + plain_table);
    fill(*s.sql, "t", 100);
    const auto there = run_sluice(s.words("t", {"--alter=ADD COLUMN c INT", "--checkpoint", "--execute"}));
    INFO(there.err);
    REQUIRE(there.exit_code == 0);
    s.sql->exec("CREATE TABLE _t_gho (id INT PRIMARY KEY)");
    const auto again = run_sluice(
        s.words("t", {"--alter=ADD COLUMN d INT", "--checkpoint", "--initially-drop-ghost-table", "--execute"}));
    INFO(again.err);
    CHECK(again.exit_code == 1);
    CHECK(holds(again.err, "Table `my_db`.`_t_del` already exists. Panicking. Use --initially-drop-old-table"));
    CHECK(exists(*s.sql, "my_db", "\\_t\\_gho") == "1");
    s.sql->exec("DROP TABLE _t_gho");
    const auto back = run_sluice(s.words("t", {"--revert", "--old-table=_t_del", "--execute"}));
    INFO(back.err);
    CHECK(back.exit_code == 0);
    CHECK(s.one("SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_NAME = 't' AND COLUMN_NAME = 'c'") == "0");
}

TEST_CASE("gh-ost: a leftover ghost is in the way of no ALTER that the server does by itself", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec(std::string("CREATE TABLE t ") + plain_table);
    for (const char* table : {"_t_gho", "_t_ghc", "_t_del"})
        s.sql->exec(std::string("CREATE TABLE ") + table + " (id INT PRIMARY KEY)");
    const auto end =
        run_sluice(s.words("t", {"--alter=ADD COLUMN c INT", "--attempt-instant-ddl", "--initially-drop-ghost-table",
                                 "--initially-drop-old-table", "--verbose", "--execute"}));
    INFO(end.out << end.err);
    CHECK(end.exit_code == 0);
    CHECK(holds(end.err, "INFO Dropping table `my_db`.`_t_del`\n"));
    CHECK(exists(*s.sql, "my_db", "\\_t\\_%") == "0");
}
