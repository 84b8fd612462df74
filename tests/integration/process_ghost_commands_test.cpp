// Every interactive command of gh-ost, on the Unix socket and on the TCP port; signals; what a terminal shows.

#include "tests/integration/process_ghost_scene.hpp"
#include "tests/support/loopback.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pty.h>
#include <sys/wait.h>

#include <csignal>
#include <functional>

namespace {

using namespace sluice::test;
using namespace sluice::test::ghost;

/// A port that was free a moment ago.
std::uint16_t free_port() {
    std::uint16_t port = 0;
    const int fd = listen_on_loopback(port);
    REQUIRE(fd >= 0);
    ::close(fd);
    return port;
}

std::string tell_tcp(std::uint16_t port, const std::string& line) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const ::sockaddr_in address = loopback(port);
    REQUIRE(::connect(fd, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) == 0);
    const std::string message = line + "\n";
    REQUIRE(::write(fd, message.data(), message.size()) == static_cast<::ssize_t>(message.size()));
    std::string answer;
    char buffer[4096];
    for (::ssize_t got = 0; (got = ::read(fd, buffer, sizeof buffer)) > 0;) {
        answer.append(buffer, static_cast<std::size_t>(got));
    }
    ::close(fd);
    return answer;
}

struct said {
    std::string line;
    std::string begins;  ///< of the answer
    std::string holds;   ///< somewhere in it
};

const std::string throttle_note = "# Note: you may only throttle for as long as your binary logs are not purged\n";
const std::string migrating = "# Migrating `my_db`.`t`; Ghost table is `my_db`.`_t_gho`\n";

/// All of gh-ost's words but those that end the run, with what they answer while the cut-over is postponed.
std::vector<said> every_command(const scene& s, const std::string& flag) {
    const std::string server = "Host: 127.0.0.1:" + std::to_string(s.server.port()) + ", Version: 9.7";
    return {
        {"help", "available commands:\n", "\nthrottle-http=<URL>"},
        {"sup", "Copy: 1024/1024 100.0%; Applied: 0; Backlog: 0/", ", State: postponing cut-over; ETA: due\n"},
        {"status", migrating, "streamer: binlog.0000"},
        {"info", migrating, "# postpone-cut-over-flag-file: " + flag + " [set]\n"},
        {"coordinates", "binlog.0000", ""},
        {"coordinates=?", "binlog.0000", ""},
        {"coordinates=x", "coordinates are read-only\n", ""},
        {"applier", server, ""},
        {"inspector", server, ""},
        {"chunk-size=?", "1000\n", ""},
        {"chunk-size=250", migrating, "# chunk-size: 250;"},
        {"chunk-size=?", "250\n", ""},
        {"chunk-size=x", "strconv.Atoi: parsing \"x\": invalid syntax\n", ""},
        {"chunk-size=1000", migrating, "# chunk-size: 1000;"},
        {"dml-batch-size=20", migrating, "; dml-batch-size: 20;"},
        {"dml-batch-size=?", "20\n", ""},
        {"dml-batch-size=", "strconv.Atoi: parsing \"\": invalid syntax\n", ""},
        {"max-lag-millis=2000", migrating, "; max-lag-millis: 2000ms;"},
        {"max-lag-millis=?", "2000\n", ""},
        {"max-lag-millis=1s", "strconv.Atoi: parsing \"1s\": invalid syntax\n", ""},
        {"replication-lag-query=SELECT 1", "replication-lag-query is deprecated", ""},
        {"nice-ratio=0.5", migrating, "; nice-ratio: 0.500000\n"},
        {"nice-ratio=?", "0.5\n", ""},
        {"nice-ratio=much", "strconv.ParseFloat: parsing \"much\": invalid syntax\n", ""},
        {"nice-ratio=0", migrating, "; nice-ratio: 0.000000\n"},
        {"max-load=Threads_running=500,Threads_connected=10000", migrating, "max-load: Threads_connected=10000,Thr"},
        {"max-load=?", "Threads_connected=10000,Threads_running=500\n", ""},
        {"max-load=x", "Error parsing load condition: x\n", ""},
        {"critical-load=Threads_running=1000", migrating, "critical-load: Threads_running=1000;"},
        {"critical-load=?", "Threads_running=1000\n", ""},
        {"critical-load=a=b", "Error parsing numeric value in load condition: a=b\n", ""},
        {"throttle-query=SELECT 0", throttle_note + migrating, "# throttle-query: SELECT 0\n"},
        {"throttle-query=?", "SELECT 0\n", ""},
        {"throttle-query=", throttle_note + migrating, ""},
        {"throttle-http=ftp://x", "throttle-http must be ", ""},
        {"throttle-http=?", "\n", ""},
        {"throttle-control-replicas=?", "\n", ""},
        {"throttle-control-replicas=r 1", "", "r 1"},
        {"throttle-control-replicas=", "\n" + migrating, ""},
        {"throttle", throttle_note + migrating, "State: "},
        {"no-throttle", migrating, "State: "},
        {"pause", throttle_note + migrating, ""},
        {"unthrottle", migrating, ""},
        {"suspend", throttle_note + migrating, ""},
        {"resume", migrating, ""},
        {"throttle=t", throttle_note + migrating, ""},
        {"continue=t", migrating, ""},
        {"throttle=u", "user commanded 'throttle' on u, but migrated table is t; ignoring request\n", ""},
        {"no-throttle=u", "user commanded 'no-throttle' on u, but migrated table is t; ignoring request\n", ""},
        {"postpone-cut-over-flag-file=?", flag + "\n", ""},
        {"postpone-cut-over-flag-file=", "user commanded 'postpone-cut-over-flag-file' without specifying file path\n",
         ""},
        {"postpone-cut-over-flag-file=" + flag, "Postponed\n" + migrating, ""},
        {"unpostpone", "user commanded 'unpostpone' without specifying table name, but --force-named-cut-over is set\n",
         ""},
        {"no-postpone=other", "user commanded 'unpostpone' on other, but migrated table is t; ignoring request\n", ""},
        {"cut-over=other", "user commanded 'unpostpone' on other, but migrated table is t; ignoring request\n", ""},
        {"panic", "user commanded 'panic' without specifying table name, but --force-named-panic is set\n", ""},
        {"panic=other", "user commanded 'panic' on other, but migrated table is t; ignoring request\n", ""},
        {"cpu-profile=30s", "cpu-profile: ", ""},
        {"nonsense", "unknown command: nonsense\n", ""},
        {"", "unknown command: \n", ""},
    };
}

}  // namespace

TEST_CASE("every interactive command is obeyed and answered, on both sockets", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec(std::string("CREATE TABLE t ") + plain_table);
    fill(*s.sql, "t", 1000);
    const std::string flag = s.folder.file("postpone");
    const std::string socket = s.folder.file("sock");
    const std::uint16_t port = free_port();
    const std::vector<std::string> words{"--alter=ADD COLUMN c INT",
                                         "--postpone-cut-over-flag-file=" + flag,
                                         "--serve-tcp-port=" + std::to_string(port),
                                         "--force-named-panic",
                                         "--force-named-cut-over",
                                         "--initially-drop-ghost-table",
                                         "--ok-to-drop-table",
                                         "--execute"};
    {
        sluice_process process(s.words("t", words));
        wait_for_answer(socket, "sup", "State: postponing cut-over");
        const std::vector<std::function<std::string(const std::string&)>> ways{
            [&](const std::string& line) { return tell(socket, line); },
            [&](const std::string& line) { return tell_tcp(port, line); }};
        for (const auto& ask : ways) {
            for (const said& each : every_command(s, flag)) {
                // What is throttled for a moment is not postponed.
                if (each.line == "sup") wait_for_answer(socket, "sup", "State: postponing cut-over");
                const std::string answer = ask(each.line);
                INFO(each.line << "\n" << answer);
                CHECK(answer.starts_with(each.begins));
                CHECK(holds(answer, each.holds));
                CHECK(answer.ends_with('\n'));
            }
        }
        const std::string status = tell_tcp(port, "status");
        CHECK(holds(status, "# Serving on unix socket: " + socket + "\n"));
        CHECK(holds(status, "# Serving on TCP port: " + std::to_string(port) + "\n"));
        CHECK(tell_tcp(port, "panic=t").starts_with("user commanded 'panic'. The migration will be aborted"));
        const auto end = process.wait();
        CHECK(end.exit_code == 1);
        CHECK(holds(end.err, "FATAL user commanded 'panic'."));
        CHECK(exists(*s.sql, "my_db", "\\_t\\_gh_") == "2");
    }
    sluice_process process(s.words("t", words));
    wait_for_answer(socket, "sup", "State: postponing cut-over");
    CHECK(tell_tcp(port, "unpostpone=t").starts_with("Unpostponed\n" + migrating));
    const auto end = process.wait();
    INFO(end.out << end.err);
    CHECK(end.exit_code == 0);
    CHECK(s.one("SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_NAME = 't' AND COLUMN_NAME = 'c'") == "1");
    CHECK_FALSE(std::filesystem::exists(socket));
}

TEST_CASE("SIGHUP reads --conf again and shows settings and status", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec(std::string("CREATE TABLE t ") + plain_table);
    fill(*s.sql, "t", 1000);
    const std::string conf = s.folder.file("gh-ost.cnf");
    const auto write = [&](const std::string& osc) {
        std::ofstream(conf) << "[client]\nuser = ghoster\npassword = ${SLUICE_TEST_PASSWORD}\n[osc]\n" << osc;
    };
    write("chunk_size = 300\nmax_lag_millis = 5000\n");
    const std::string flag = s.folder.file("throttle");
    const std::string socket = s.folder.file("sock");
    touch(flag);
    std::vector<std::string> words =
        s.words("t", {"--alter=ADD COLUMN c INT", "--conf=" + conf, "--throttle-flag-file=" + flag,
                      "--max-lag-millis=700", "--verbose", "--execute"});
    std::erase_if(words, [](const std::string& w) { return w.starts_with("--user") || w.starts_with("--password"); });
    sluice_process process(words, {"SLUICE_TEST_PASSWORD=W-secret"});
    wait_for_answer(socket, "sup", "State: throttled, flag-file");
    CHECK(tell(socket, "chunk-size=?") == "300\n");
    CHECK(tell(socket, "max-lag-millis=?") == "700\n");  // the flag wins
    write("chunk_size = 77\nmax_load = Threads_connected=5000\nmax_lag_millis = 900\n");
    process.signal(SIGHUP);
    wait_for_answer(socket, "chunk-size=?", "77\n");
    CHECK(tell(socket, "max-load=?") == "Threads_connected=5000\n");
    CHECK(tell(socket, "max-lag-millis=?") == "700\n");  // and goes on to win
    write("chunk_size = 7\n");
    process.signal(SIGHUP);
    process.wait_for_message("# Note: --conf: chunk_size = 7: it is 10 to 100000 here, and so 10");
    wait_for_answer(socket, "chunk-size=?", "10\n");
    tell(socket, "chunk-size=77");
    write("chunk_size = many\n");
    process.signal(SIGHUP);
    process.wait_for_message("it must be a whole number, not many");
    CHECK(tell(socket, "chunk-size=?") == "77\n");
    std::filesystem::remove(flag);
    const auto end = process.wait();
    INFO(end.out << end.err);
    CHECK(end.exit_code == 0);
    CHECK(holds(end.err, " INFO Received SIGHUP. Reloading configuration\n"));
    CHECK(holds(end.out, "# chunk-size: 77; max-lag-millis: 700ms;"));
    CHECK(holds(end.out, "State: throttled, flag-file; ETA: N/A\n"));
}

TEST_CASE("a flag file that a command names holds the cut-over", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec(std::string("CREATE TABLE t ") + plain_table);
    fill(*s.sql, "t", 1000);
    connect(s.server).exec("SET GLOBAL log_error_verbosity = 3");
    const std::string throttle = s.folder.file("throttle");
    const std::string flag = s.folder.file("another");
    const std::string socket = s.folder.file("sock");
    touch(throttle);
    sluice_process process(s.words(
        "t",
        {"--alter=ADD COLUMN c INT", "--throttle-flag-file=" + throttle, "--parallel-copy", "--parallel-copy-workers=3",
         "--chunk-size=50", "--replica-server-id=4711", "--mysql-timeout=5", "--cut-over=two-step", "--execute"}));
    wait_for_answer(socket, "sup", "State: throttled, flag-file");
    // The stream is the server's replica of this number.
    CHECK(s.one("SELECT COUNT(*) <> 0 FROM performance_schema.error_log WHERE DATA LIKE '%(4711)%'") == "1");
    CHECK(tell(socket, "postpone-cut-over-flag-file=" + flag).starts_with("Postponed\n"));
    CHECK(std::filesystem::exists(flag));
    std::filesystem::remove(throttle);
    wait_for_answer(socket, "sup", "State: postponing cut-over");
    CHECK(tell(socket, "postpone-cut-over-flag-file=?") == flag + "\n");
    std::filesystem::remove(flag);
    const auto end = process.wait();
    INFO(end.out << end.err);
    CHECK(end.exit_code == 0);
    CHECK(holds(end.out, "Copy: 1024/1024 100.0%"));
    CHECK(s.one("SELECT SUM(c IS NULL) FROM t") == "1024");
}

TEST_CASE("on a terminal a bar stands below the status lines", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec(std::string("CREATE TABLE t ") + plain_table);
    fill(*s.sql, "t", 2000);
    std::vector<std::string> words = s.words("t", {"--alter=ADD COLUMN c INT", "--chunk-size=100", "--execute"});
    words.insert(words.begin(), SLUICE_BINARY);
    std::vector<char*> pointers;
    for (std::string& each : words) pointers.push_back(each.data());
    pointers.push_back(nullptr);
    ::winsize size{24, 70, 0, 0};
    int terminal = -1;
    const ::pid_t child = ::forkpty(&terminal, nullptr, nullptr, &size);
    REQUIRE(child >= 0);
    if (child == 0) {
        ::execv(SLUICE_BINARY, pointers.data());
        ::_exit(127);
    }
    std::string shown;
    char buffer[4096];
    // A terminal whose last user has gone ends with an error.
    for (::ssize_t got = 0; (got = ::read(terminal, buffer, sizeof buffer)) > 0;) {
        shown.append(buffer, static_cast<std::size_t>(got));
    }
    ::close(terminal);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    INFO(shown);
    CHECK(WEXITSTATUS(status) == 0);
    CHECK(holds(shown, migrating.substr(0, migrating.size() - 1) + "\r\n"));
    CHECK(holds(shown, "State: migrating; ETA: due\r\n"));
    // Each bar goes back to the margin, fits into the line, and erases what stood behind it.
    const std::string erase = "\x1b[K";
    std::size_t bars = 0;
    for (std::size_t at = 0; (at = shown.find("\r", at)) != std::string::npos; ++at) {
        const std::size_t end = shown.find_first_of("\r\n\x1b", at + 1);
        const std::string between = shown.substr(at + 1, end - at - 1);
        if (!holds(between, " rows")) continue;
        ++bars;
        CHECK(between.size() < 70);
        CHECK(holds(between, "["));
        CHECK(shown.compare(end, erase.size(), erase) == 0);
    }
    CHECK(bars != 0);
    CHECK(shown.ends_with("# Done\r\n"));
}
