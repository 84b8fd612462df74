// A run that is told to end does so at once, whatever its hooks and its count of the rows are at.

#include "tests/integration/process_ghost_scene.hpp"

#include <csignal>

#include <functional>
#include <future>

namespace {

using namespace sluice::test;
using namespace sluice::test::ghost;

struct order {
    std::string name;
    std::function<void(const scene&, const sluice_process&)> give;
    std::string said;
};

std::string panic_file(const scene& s) { return s.folder.file("panic"); }

/// What does not need the command server.
std::vector<order> orders(const scene& s) {
    return {{"panic file", [](const scene& at, const sluice_process&) { touch(panic_file(at)); },
             "FATAL Found panic-file " + panic_file(s) + ". Aborting without cleanup"},
            {"SIGTERM", [](const scene&, const sluice_process& run) { run.signal(SIGTERM); },
             "FATAL ended by signal 15; the tables of the migration are left as they are"}};
}

/// A hook that does not end before its time; the program that it waits for tells its own number.
void make_hanging_hook(const scene& s, const std::string& name) {
    make_hook(s.folder, name, "sh -c 'echo $$ > " + s.folder.file("pid") + "; exec sleep 600'\n:");
}

::pid_t wait_for_hanging_hook(const scene& s) {
    std::string number;
    wait_until("the hook", [&] { return holds(number = text_of(s.folder.file("pid")), "\n"); });
    return std::stoi(number);
}

void check_ended_by(const order& by, sluice_process& run) {
    const auto end = run.wait();
    INFO(end.out << end.err);
    CHECK(end.exit_code == 1);
    CHECK(holds(end.err, by.said));
    CHECK_FALSE(holds(end.err, "a hook refused the migration"));
}

/// It has no command line any more, be it gone or waiting for its parent.
void wait_for_end_of(::pid_t pid) {
    wait_until("the end of the hook's program",
               [pid] { return text_of("/proc/" + std::to_string(pid) + "/cmdline").empty(); });
}

/// A hook that waits for the file "go".
void make_waiting_hook(const scene& s, const std::string& name) {
    make_hook(s.folder, name,
              "touch " + s.folder.file("asked") + "\nwhile [ -d " + s.folder.path.string() + " ] && [ ! -e " +
                  s.folder.file("go") + " ]; do sleep 0.02; done");
}

}  // namespace

TEST_CASE("a hook that hangs is killed when the run is told to end", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec(std::string("CREATE TABLE t ") + plain_table);
    fill(*s.sql, "t", 100);
    const std::string name = GENERATE("validated", "row-copy-complete", "before-cut-over", "status");
    const order by = orders(s).at(GENERATE(0U, 1U));
    CAPTURE(name, by.name);
    make_hanging_hook(s, "gh-ost-on-" + name);
    make_hook(s.folder, "gh-ost-on-failure", "touch " + s.folder.file("failed"));
    const std::string flag = s.folder.file("postpone");
    sluice_process run(
        s.words("t", {"--alter=ADD COLUMN c INT", "--hooks-path=" + s.folder.path.string(), "--hooks-status-interval=1",
                      "--postpone-cut-over-flag-file=" + flag, "--panic-flag-file=" + panic_file(s), "--execute"}));
    const ::pid_t hook = wait_for_hanging_hook(s);
    by.give(s, run);
    check_ended_by(by, run);
    wait_for_end_of(hook);
    // The end has a hook as well, and that one is not killed for the order.
    CHECK(std::filesystem::exists(s.folder.file("failed")));
    CHECK(exists(*s.sql, "my_db", "\\_t\\_gh_") == "2");
}

TEST_CASE("a hook that hangs before anything has begun is killed by a signal", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec(std::string("CREATE TABLE t ") + plain_table);
    make_hanging_hook(s, "gh-ost-on-startup");
    make_hook(s.folder, "gh-ost-on-failure", "touch " + s.folder.file("failed"));
    sluice_process run(
        s.words("t", {"--alter=ADD COLUMN c INT", "--hooks-path=" + s.folder.path.string(), "--execute"}));
    const ::pid_t hook = wait_for_hanging_hook(s);
    run.signal(SIGTERM);
    const auto end = run.wait();
    INFO(end.out << end.err);
    CHECK(end.exit_code == 1);
    CHECK(holds(end.err, "gh-ost-on-startup: killed, since the run was told to end"));
    wait_for_end_of(hook);
    CHECK(std::filesystem::exists(s.folder.file("failed")));
}

TEST_CASE("the hook of an interactive command holds nothing up but further commands", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec(std::string("CREATE TABLE t ") + plain_table);
    fill(*s.sql, "t", 100);
    const order by = orders(s).at(GENERATE(0U, 1U));
    CAPTURE(by.name);
    make_hanging_hook(s, "gh-ost-on-interactive-command");
    const std::string flag = s.folder.file("throttle");
    const std::string log = s.folder.file("log");
    touch(flag);
    make_hook(s.folder, "gh-ost-on-row-copy-complete", "touch " + log);
    sluice_process run(s.words("t", {"--alter=ADD COLUMN c INT", "--hooks-path=" + s.folder.path.string(),
                                     "--throttle-flag-file=" + flag, "--panic-flag-file=" + panic_file(s),
                                     "--postpone-cut-over-flag-file=" + s.folder.file("postpone"), "--execute"}));
    wait_until("the socket", [&] { return std::filesystem::exists(s.folder.file("sock")); });
    auto answer = std::async(std::launch::async, [&] { return tell(s.folder.file("sock"), "sup"); });
    const ::pid_t hook = wait_for_hanging_hook(s);
    // The run goes on meanwhile, and with it the hooks of its own.
    std::filesystem::remove(flag);
    wait_until("the end of the copy", [&] { return std::filesystem::exists(log); });
    by.give(s, run);
    check_ended_by(by, run);
    wait_for_end_of(hook);
    answer.wait();
}

TEST_CASE("a count that comes before the copy keeps nobody from ending the run", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec(std::string("CREATE TABLE t ") + plain_table);
    fill(*s.sql, "t", 100);
    auto all = orders(s);
    all.push_back({"panic command",
                   [](const scene& at, const sluice_process&) {
                       CHECK(holds(tell(at.folder.file("sock"), "panic"), "user commanded 'panic'"));
                   },
                   "FATAL user commanded 'panic'."});
    const order by = all.at(GENERATE(0U, 1U, 2U));
    CAPTURE(by.name);
    // Held there, it has looked at the table, and not begun to count.
    make_waiting_hook(s, "gh-ost-on-before-row-copy");
    sluice_process run(
        s.words("t", {"--alter=ADD COLUMN c INT", "--hooks-path=" + s.folder.path.string(), "--exact-rowcount",
                      "--concurrent-rowcount=false", "--verbose", "--panic-flag-file=" + panic_file(s), "--execute"}));
    wait_until("the hook", [&] { return std::filesystem::exists(s.folder.file("asked")); });
    sql_connection user = connect(s.server, "my_db");
    user.exec("LOCK TABLES t WRITE");
    touch(s.folder.file("go"));
    wait_for_value(*s.sql,
                   "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT COUNT(*) FROM "
                   "`my_db`.`t`%' AND STATE LIKE 'Waiting%'");
    CHECK(holds(tell(s.folder.file("sock"), "sup"), "Copy: 0/"));
    by.give(s, run);
    check_ended_by(by, run);
    CHECK(exists(*s.sql, "my_db", "\\_t\\_gh_") == "2");
}

TEST_CASE("the copy waits for a count that comes before it, and for the operator's throttle behind that",
          "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec(std::string("CREATE TABLE t ") + plain_table);
    fill(*s.sql, "t", 100);
    const std::string socket = s.folder.file("sock");
    make_waiting_hook(s, "gh-ost-on-before-row-copy");
    sluice_process run(s.words("t", {"--alter=ADD COLUMN c INT", "--hooks-path=" + s.folder.path.string(),
                                     "--exact-rowcount", "--concurrent-rowcount=false", "--verbose", "--execute"}));
    wait_until("the hook", [&] { return std::filesystem::exists(s.folder.file("asked")); });
    sql_connection user = connect(s.server, "my_db");
    user.exec("LOCK TABLES t WRITE");
    touch(s.folder.file("go"));
    run.wait_for_message("issuing a SELECT COUNT(*) on the table");
    // Only the operator's own throttling is shown as such.
    CHECK(holds(tell(socket, "sup"), "State: migrating;"));
    CHECK(holds(tell(socket, "throttle"), "State: throttled, commanded by user"));
    CHECK(holds(tell(socket, "no-throttle"), "State: migrating;"));
    CHECK(holds(tell(socket, "throttle"), "State: throttled, commanded by user"));
    CHECK(holds(tell(socket, "sup"), "Copy: 0/"));
    user.exec("UNLOCK TABLES");
    run.wait_for_message("Exact number of rows via COUNT: 128");
    const std::string before = wait_for_answer(socket, "sup", "Copy: 0/128 ");
    CHECK(holds(before, "State: throttled, commanded by user"));
    // Chunks, if there were any, would come to be seen by now.
    const std::string last = s.one("SELECT value FROM _t_ghc WHERE hint = 'heartbeat'");
    wait_for_value(*s.sql, "SELECT value > '" + last + "' FROM _t_ghc WHERE hint = 'heartbeat'");
    CHECK(s.one("SELECT COUNT(*) FROM _t_gho") == "0");
    CHECK(holds(tell(socket, "no-throttle"), "# Migrating"));
    const auto end = run.wait();
    INFO(end.out << end.err);
    CHECK(end.exit_code == 0);
    CHECK(holds(end.out, "Copy: 128/128 100.0%"));
}
