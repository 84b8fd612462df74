// Two processes and one table: the second one is told so, also when the first has lost the connection that says it.

#include "migration/checkpoint/former_workers.hpp"
#include "tests/integration/process_ghost_scene.hpp"

namespace {

using namespace sluice::test;
using namespace sluice::test::ghost;

}  // namespace

TEST_CASE("gh-ost: --resume beside a run that has lost its control connection is refused, and the run goes on",
          "[process][ghost][resume]") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6);
    CAPTURE(static_cast<int>(kind));
    scene s(kind);
    s.sql->exec("CREATE TABLE t " + std::string(plain_table));
    fill(*s.sql, "t", 64);
    touch(s.folder.file("postpone"));
    const auto words = [&](const std::vector<std::string>& more) {
        return s.words("t",
                       joined({"--alter=ADD COLUMN x INT NOT NULL DEFAULT 3", "--checkpoint", "--checkpoint-seconds=1",
                               "--postpone-cut-over-flag-file=" + s.folder.file("postpone"), "--verbose", "--execute"},
                              more));
    };
    sluice_process run(words({}));
    wait_for_answer(s.folder.file("sock"), "status", "postponing cut-over");
    const std::string lock = sluice::migration::lock_of_table({"my_db", "t"});
    const auto holder = [&] { return s.one("SELECT COALESCE(IS_USED_LOCK('" + lock + "'), 0)"); };
    wait_until("a checkpoint", [&] {
        return exists(*s.sql, "my_db", "\\_t\\_ghk") == "1" && s.one("SELECT COUNT(*) FROM _t_ghk") == "1";
    });
    const std::string lost = holder();
    REQUIRE(lost != "0");
    s.sql->exec("KILL " + lost);
    wait_until("another connection to hold the claim", [&] { return holder() != lost && holder() != "0"; });

    const finished second = run_sluice(words({"--resume", "--serve-socket-file=" + s.folder.file("other")}));
    INFO(second.err);
    CHECK(second.exit_code == 1);
    CHECK(holds(second.err, "is being worked on by another process"));
    CHECK(exists(*s.sql, "my_db", "\\_t\\_gh_") == "3");
    std::filesystem::remove(s.folder.file("postpone"));
    const finished end = run.wait();
    INFO(end.err);
    CHECK(end.exit_code == 0);
    CHECK(s.one("SELECT SUM(x) FROM t") == "192");
}
