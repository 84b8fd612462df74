// What is killed and goes on is more than one plain table: members of a group; a table with triggers and foreign keys,
// while it is copied, and while its indexes are built.

#include "tests/integration/process_resume_scene.hpp"
#include "tests/support/catch.hpp"

namespace {

using namespace sluice::test;
using namespace sluice::test::resuming;

/// t with a parent, children and triggers that keep the number and the sum of its rows in `tally`.
void make_relations(sql_connection& sql, bool with_children) {
    sql.exec("CREATE TABLE p (id INT PRIMARY KEY)");
    sql.exec("INSERT INTO p VALUES (1)");
    make_table(sql, "t", ", p_id INT NOT NULL DEFAULT 1, CONSTRAINT t_to_p FOREIGN KEY (p_id) REFERENCES p (id)");
    sql.exec("CREATE TABLE tally (rows_now BIGINT, sum_now BIGINT)");
    sql.exec("INSERT INTO tally SELECT COUNT(*), SUM(n) FROM t");
    sql.exec(
        "CREATE DEFINER = sluice@'%' TRIGGER t_ai AFTER INSERT ON t FOR EACH ROW "
        "UPDATE tally SET rows_now = rows_now + 1, sum_now = sum_now + NEW.n");
    sql.exec(
        "CREATE DEFINER = sluice@'%' TRIGGER t_au AFTER UPDATE ON t FOR EACH ROW UPDATE tally SET sum_now = sum_now + "
        "NEW.n - OLD.n");
    sql.exec(
        "CREATE DEFINER = sluice@'%' TRIGGER t_ad AFTER DELETE ON t FOR EACH ROW "
        "UPDATE tally SET rows_now = rows_now - 1, sum_now = sum_now - OLD.n");
    if (!with_children) return;
    // Of rows that the writer leaves alone.
    sql.exec(
        "CREATE TABLE c (id INT AUTO_INCREMENT PRIMARY KEY, t_id INT NOT NULL, "
        "CONSTRAINT c_to_t FOREIGN KEY (t_id) REFERENCES t (id))");
    sql.exec("INSERT INTO c (t_id) SELECT id FROM t WHERE id > 9000 ORDER BY id LIMIT 500");
}

std::string foreign_keys(sql_connection& sql) {
    return sql.scalar(
        "SELECT GROUP_CONCAT(TABLE_NAME, '>', REFERENCED_TABLE_NAME ORDER BY TABLE_NAME, CONSTRAINT_NAME) "
        "FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = 'test'");
}

std::string triggers(sql_connection& sql) {
    return sql.scalar(
        "SELECT GROUP_CONCAT(TRIGGER_NAME, ' ', EVENT_OBJECT_TABLE ORDER BY TRIGGER_NAME) "
        "FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'test'");
}

bool is_building_indexes(sql_connection& sql) {
    return sql.scalar(
               "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'ALTER TABLE%\\_t\\_gho%' "
               "AND STATE LIKE 'Waiting for table metadata lock%'") != "0";
}

}  // namespace

TEST_CASE("the members of a group that is killed go on, and change places together", "[process][resume]") {
    const auto server = mysql_server::start();
    sql_connection sql = connect(server, "test");
    make_table(sql, "t");
    make_table(sql, "u");
    row_writer writes_t(server, "test", "t");
    row_writer writes_u(server, "test", "u");
    const std::vector<std::string> group{"--cutover-group", "books", "--cutover-group-size", "2", "--postpone-cutover"};
    std::string t;
    std::string u;
    {
        served first(server);
        t = first.begin(slow_migration("t", group));
        u = first.begin(slow_migration("u", group));
        for (const char* table : {"t", "u"}) wait_for_checkpoint(sql, {}, table);
        CHECK(first.show(t).at("state").as_string() == "copying");
        CHECK(first.show(u).at("state").as_string() == "copying");
        kill(first);
    }
    let_write(writes_t);
    {
        // Killed once more where one is ready and the other one still copies.
        served second(server);
        second.process().wait_for_message("migration " + t + ": goes on from its checkpoint");
        second.process().wait_for_message("migration " + u + ": goes on from its checkpoint");
        hurry(second, t);
        second.wait_for(t, "ready");
        wait_for_checkpoint(sql, last_checkpoint(sql));
        kill(second);
    }
    let_write(writes_u);
    served third(server);
    third.process().wait_for_message("migration " + t + ": goes on from its checkpoint");
    third.process().wait_for_message("migration " + u + ": goes on from its checkpoint");
    hurry(third, u);
    third.wait_for(u, "ready");
    third.wait_for(t, "ready");
    writes_t.stop();
    writes_u.stop();
    CHECK(third.run({"cut-over", t}).exit_code == 0);
    CHECK(third.run({"cut-over", u}).exit_code == 0);
    CHECK(third.run({"watch", t}).exit_code == 0);
    CHECK(third.run({"watch", u}).exit_code == 0);
    check_same(sql, "t", "_t_del");
    check_same(sql, "u", "_u_del");
    CHECK(sql.scalar("SELECT SUM(x) / 3 = COUNT(*) FROM t") == "1");
    CHECK(sql.scalar("SELECT SUM(x) / 3 = COUNT(*) FROM u") == "1");
    CHECK(tables(sql) == "_t_del,_u_del,t,u");
}

TEST_CASE("a table with triggers and foreign keys is killed while it is copied and while its indexes are built",
          "[process][resume]") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mariadb_10_11);
    CAPTURE(static_cast<int>(kind));
    const bool with_children = kind == server_kind::mysql_9_7;
    server_options options;
    options.kind = kind;
    options.extra_arguments = {"--log-bin-trust-function-creators=ON"};
    const auto server = mysql_server::start(options);
    sql_connection sql = connect(server, "test");
    make_relations(sql, with_children);
    row_writer writes(server, "test");
    std::vector<std::string> words{"--keep-foreign-keys",       "--include-triggers", "--trigger-suffix", "_v2",
                                   "--defer-secondary-indexes", "--postpone-cutover"};
    if (with_children) words.emplace_back("--rebuild-referencing-keys");
    const std::string id = begin_and_kill(server, sql, slow_migration("t", words));
    let_write(writes);
    sql_connection reader = connect(server, "test");
    reader.exec("START TRANSACTION");
    (void)reader.query("SELECT * FROM _t_gho LIMIT 1");
    {
        served second(server);
        second.process().wait_for_message("goes on from its checkpoint");
        hurry(second, id);
        wait_until("indexes being built", [&] { return is_building_indexes(sql); });
        CHECK(second.show(id).at("state").as_string() == "indexing");
        kill(second);
    }
    // Nobody has told the server: the statement of the process that is gone goes on waiting.
    CHECK(is_building_indexes(sql));
    served third(server);
    third.process().wait_for_message("goes on from its checkpoint");
    wait_until("indexes being built anew", [&] { return is_building_indexes(sql); });
    reader.exec("COMMIT");
    third.wait_for(id, "ready");
    writes.stop();
    cut_over(third, id);

    check_same(sql, "t", "_t_del");
    CHECK(tables(sql) == std::string("_t_del,") + (with_children ? "c," : "") + "p,t,tally");
    CHECK(sql.scalar("SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'test' AND TABLE_NAME = "
                     "'t' AND INDEX_NAME = 'by_n'") == "1");
    CHECK(foreign_keys(sql) == (with_children ? "c>t,t>p" : "t>p"));
    CHECK(triggers(sql) == "t_ad _t_del,t_ad_v2 t,t_ai _t_del,t_ai_v2 t,t_au _t_del,t_au_v2 t");
    // They act, each once.
    sql.exec("INSERT INTO t (n) VALUES (77)");
    sql.exec("DELETE FROM t WHERE id = (SELECT id FROM (SELECT MAX(id) AS id FROM t WHERE n <> 77) AS chosen)");
    CHECK(sql.scalar("SELECT CONCAT(rows_now, '/', sum_now) FROM tally") ==
          sql.scalar("SELECT CONCAT(COUNT(*), '/', SUM(n)) FROM t"));
    CHECK(sql.error_of("INSERT INTO t (n, p_id) VALUES (1, 2)") == 1452);
    CHECK(sql.error_of("DELETE FROM p") == 1451);
    if (with_children) {
        CHECK(sql.error_of("INSERT INTO c (t_id) VALUES (-1)") == 1452);
        CHECK(sql.error_of("DELETE FROM t WHERE id = (SELECT MIN(t_id) FROM c)") == 1451);
    }
}
