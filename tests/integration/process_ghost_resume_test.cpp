// `sluice gh-ost --checkpoint`, and what may follow: --resume of a run that was ended, --revert of one that is done.

#include "tests/integration/process_ghost_scene.hpp"
#include "tests/integration/process_row_writer.hpp"

#include <csignal>

namespace {

using namespace sluice::test;
using namespace sluice::test::ghost;

constexpr const char* wide_table =
    "(id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(20) NOT NULL DEFAULT 'late', n INT NOT NULL DEFAULT 0)";

struct resume_scene : scene {
    explicit resume_scene(server_kind kind) : scene(kind) {
        sql->exec("CREATE TABLE t " + std::string(wide_table));
        fill(*sql, "t", 16'384);
    }
    /// verify off: what is wrong must be seen by the test, not be mended before.
    [[nodiscard]] std::vector<std::string> run_words(const std::vector<std::string>& more) const {
        return words("t", joined({"--alter=ADD COLUMN x INT NOT NULL DEFAULT 3, ADD KEY by_n (n)", "--chunk-size=10",
                                  "--verify=false", "--checkpoint", "--checkpoint-seconds=1",
                                  "--postpone-cut-over-flag-file=" + folder.file("postpone"),
                                  "--initially-drop-socket-file", "--verbose", "--execute"},
                                 more));
    }
    std::string checkpoint() {
        if (exists(*sql, "my_db", "\\_t\\_ghk") == "0") return {};
        return one("SELECT COALESCE(MAX(gh_ost_chk_iteration), '') FROM _t_ghk");
    }
    /// Of the copy: at least one checkpoint further than `last`.
    std::string wait_for_checkpoint(const std::string& last = {}) {
        std::string now;
        wait_until("a checkpoint other than '" + last + "'",
                   [&] { return (now = checkpoint()) != last && !now.empty(); });
        return now;
    }
    /// Every row of the table is in the other one, and no other.
    void check_same(const std::string& a, const std::string& b) {
        const std::string sums = "SELECT CONCAT(COUNT(*), '/', SUM(CRC32(CONCAT_WS(',', id, v, n)))) FROM ";
        CHECK(one(sums + a) == one(sums + b));
    }
    void finish(sluice_process& run) {
        wait_for_answer(folder.file("sock"), "status", "postponing cut-over");
        std::filesystem::remove(folder.file("postpone"));
        const finished end = run.wait();
        INFO(end.err);
        CHECK(end.exit_code == 0);
    }
};

}  // namespace

TEST_CASE("gh-ost: a run goes on after a panic and kills in the middle of the copy", "[process][ghost][resume]") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    CAPTURE(static_cast<int>(kind));
    resume_scene s(kind);
    touch(s.folder.file("postpone"));
    row_writer writes(s.server, "my_db");
    std::string last;
    {
        sluice_process run(s.run_words({"--nice-ratio=3"}));
        last = s.wait_for_checkpoint();
        // The copy is under way, not over.
        CHECK(holds(wait_for_answer(s.folder.file("sock"), "sup", "Copy: "), "State: migrating"));
        (void)tell(s.folder.file("sock"), "panic");
        const finished end = run.wait();
        INFO(end.err);
        CHECK(end.exit_code == 1);
    }
    CHECK(s.one("SELECT COUNT(*) < (SELECT COUNT(*) FROM t) FROM _t_gho") == "1");
    for (int kill = 0; kill < 2; ++kill) {
        wait_for_more("rounds of the writer", 20, [&] { return writes.rounds(); });  // what only the log tells of
        sluice_process run(s.run_words({"--nice-ratio=3", "--resume"}));
        run.wait_for_message("goes on from its checkpoint");
        last = s.wait_for_checkpoint(last);
        run.signal(SIGKILL);
        CHECK(run.wait().exit_code == 128 + SIGKILL);
    }
    // The row before the last one may still be there: the kill can have come between.
    const std::string copied_before =
        s.one("SELECT gh_ost_rows_copied FROM _t_ghk ORDER BY gh_ost_chk_id DESC LIMIT 1");
    CHECK(std::stoul(copied_before) > 0);
    sluice_process run(s.run_words({"--resume"}));
    run.wait_for_message("goes on from its checkpoint: " + copied_before + " rows are copied");
    wait_for_answer(s.folder.file("sock"), "status", "postponing cut-over");
    writes.stop();
    s.finish(run);
    s.check_same("_t_del", "t");
    CHECK(s.one("SELECT COUNT(*) FROM t WHERE x <> 3") == "0");
    CHECK(exists(*s.sql, "my_db", "\\_t\\_gh_") == "1");  // _t_ghk, for --revert
    CHECK(s.one("SELECT gh_ost_is_cutover FROM _t_ghk") == "1");
}

TEST_CASE("gh-ost: a finished run is taken back, with what was written since", "[process][ghost][resume]") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    CAPTURE(static_cast<int>(kind));
    resume_scene s(kind);
    const finished there = run_sluice(s.words(
        "t", {"--alter=ADD COLUMN x INT NOT NULL DEFAULT 3, DROP COLUMN v", "--checkpoint", "--execute", "--verbose"}));
    INFO(there.err);
    REQUIRE(there.exit_code == 0);
    CHECK(exists(*s.sql, "my_db", "\\_t\\_ghk") == "1");
    s.sql->exec("UPDATE t SET n = n + 7 WHERE id % 3 = 0");
    s.sql->exec("DELETE FROM t WHERE id % 5 = 0");
    s.sql->exec("INSERT INTO t (n, x) VALUES (77, 9)");
    const std::string written = s.one("SELECT CONCAT(COUNT(*), '/', SUM(id), '/', SUM(n)) FROM t");

    // gh-ost's line for it has no ALTER; the one of the migration may stand there, another may not.
    const std::vector<std::string> back{"--revert", "--old-table=_t_del"};
    const finished other = run_sluice(s.words("t", joined(back, {"--alter=ADD COLUMN y INT", "--execute"})));
    CHECK(other.exit_code == 1);
    CHECK(holds(other.err, "the ALTER is not what it was"));
    const finished same =
        run_sluice(s.words("t", joined(back, {"--alter=ADD COLUMN x INT NOT NULL DEFAULT 3, DROP COLUMN v"})));
    CHECK(same.exit_code == 0);
    const std::string hooks = "--hooks-path=" + s.folder.path.string();
    for (const char* name : {"validated", "success"}) {
        make_hook(s.folder, std::string("gh-ost-on-") + name,
                  std::string("echo ") + name + " $GH_OST_DRY_RUN >> " + s.folder.file("dry"));
    }
    const finished foreseen = run_sluice(s.words("t", joined(back, {hooks})));
    INFO(foreseen.err);
    CHECK(foreseen.exit_code == 0);
    CHECK(text_of(s.folder.file("dry")) == "validated true\nsuccess true\n");
    CHECK(holds(foreseen.out, "`my_db`.`_t_del` would get the changes"));
    make_hook(s.folder, "gh-ost-on-success", "echo \"$GH_OST_REVERT $GH_OST_DDL\" > " + s.folder.file("told"));
    const finished done = run_sluice(s.words("t", joined(back, {hooks, "--execute", "--verbose"})));
    INFO(done.err);
    CHECK(done.exit_code == 0);
    CHECK(text_of(s.folder.file("told")) == "true ADD COLUMN x INT NOT NULL DEFAULT 3, DROP COLUMN v\n");
    CHECK(s.one("SELECT CONCAT(COUNT(*), '/', SUM(id), '/', SUM(n)) FROM t") == written);
    CHECK(s.one("SELECT COUNT(*) FROM t WHERE v = 'first'") == s.one("SELECT COUNT(*) - 1 FROM t"));
    CHECK(exists(*s.sql, "my_db", "\\_t\\_del") == "0");
    CHECK(s.one("SELECT MAX(x) FROM _t_gho") == "9");
    CHECK(exists(*s.sql, "my_db", "\\_t\\_ghc") == "0");
}

TEST_CASE("gh-ost: what a run cannot go on from is refused, and left as it is", "[process][ghost][resume]") {
    resume_scene s(server_kind::mysql_9_7);
    const finished none = run_sluice(s.run_words({"--resume"}));
    CHECK(none.exit_code == 1);
    CHECK(holds(none.err, "there is no checkpoint of Sluice's in `my_db`.`_t_ghk`"));

    touch(s.folder.file("postpone"));
    {
        sluice_process run(s.run_words({"--nice-ratio=3"}));
        s.wait_for_checkpoint();
        run.signal(SIGKILL);
        run.wait();
    }
    const finished foreseen =
        run_sluice(s.words("t", {"--alter=ADD COLUMN x INT NOT NULL DEFAULT 3, ADD KEY by_n (n)", "--resume"}));
    INFO(foreseen.err);
    CHECK(foreseen.exit_code == 0);
    CHECK(holds(foreseen.out, "the copy would go on behind "));

    auto other = s.run_words({"--resume"});
    for (std::string& word : other) {
        if (word.starts_with("--alter=")) word = "--alter=ADD COLUMN y INT";
    }
    const finished another_alter = run_sluice(other);
    CHECK(another_alter.exit_code == 1);
    CHECK(holds(another_alter.err, "the ALTER is not what it was"));
    CHECK(holds(another_alter.err, "`my_db`.`_t_gho`, `my_db`.`_t_ghc` and `my_db`.`_t_ghk` are left as they are"));

    s.sql->exec("ALTER TABLE t COMMENT 'another'");
    const finished changed = run_sluice(s.run_words({"--resume"}));
    CHECK(changed.exit_code == 1);
    CHECK(holds(changed.err, "the definition of `my_db`.`t` is not what it was"));
    s.sql->exec("ALTER TABLE t COMMENT ''");

    sql_connection root = connect(s.server);
    root.exec("FLUSH BINARY LOGS");
    root.exec("INSERT INTO my_db.t (v) VALUES ('behind')");
    root.exec("FLUSH BINARY LOGS");
    const std::string newest = s.one(
        "SELECT SUBSTRING_INDEX(FILE_NAME, '/', -1) FROM performance_schema.file_instances "
        "WHERE EVENT_NAME = 'wait/io/file/sql/binlog' ORDER BY FILE_NAME DESC LIMIT 1");
    root.exec("PURGE BINARY LOGS TO '" + newest + "'");
    const finished purged = run_sluice(s.run_words({"--resume"}));
    INFO(purged.err);
    CHECK(purged.exit_code == 1);
    CHECK(holds(purged.err, "purged"));
    CHECK(exists(*s.sql, "my_db", "\\_t\\_gh_") == "3");
}

TEST_CASE("gh-ost: a log that begins anew is not taken for the one that was followed", "[process][ghost][resume]") {
    resume_scene s(server_kind::mysql_5_6);
    touch(s.folder.file("postpone"));
    {
        sluice_process run(s.run_words({"--nice-ratio=3"}));
        s.wait_for_checkpoint();
        run.signal(SIGKILL);
        run.wait();
    }
    sql_connection root = connect(s.server);
    const auto position = [&root] { return std::stoul(root.query("SHOW MASTER STATUS").at(0).at(1).value_or("0")); };
    const unsigned long was = position();
    root.exec("RESET MASTER");
    root.exec("CREATE TABLE my_db.noise (text LONGTEXT)");
    // As long as it was, and the place in it is none of an event's, or of another one.
    while (position() < was) root.exec("INSERT INTO my_db.noise VALUES (REPEAT('x', 100000))");
    const finished end = run_sluice(s.run_words({"--resume"}));
    INFO(end.err);
    CHECK(end.exit_code == 1);
    CHECK(holds(end.err, "are left as they are; the original is unchanged"));
}
