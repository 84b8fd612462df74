// gh-ost's hooks, each with its variables, and its figures for StatsD.

#include "tests/integration/process_throttle_scene.hpp"

#include <map>
#include <set>
#include <sstream>

namespace {

using namespace sluice::test;
using namespace sluice::test::ghost;

/// "GH_OST_NAME=value" lines.
std::map<std::string, std::string> variables_in(const std::string& file) {
    std::map<std::string, std::string> all;
    std::istringstream lines(text_of(file));
    for (std::string line; std::getline(lines, line);) {
        const auto equals = line.find('=');
        if (line.starts_with("GH_OST_") && equals != std::string::npos) {
            all[line.substr(7, equals - 7)] = line.substr(equals + 1);
        }
    }
    return all;
}

/// What comes as datagrams to a port, or a Unix socket, of its own.
class datagrams {
public:
    datagrams() {
        ::sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        REQUIRE(::bind(socket_, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) == 0);
        ::socklen_t size = sizeof address;
        REQUIRE(::getsockname(socket_, reinterpret_cast<::sockaddr*>(&address), &size) == 0);
        address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    }
    /// To a Unix socket.
    explicit datagrams(const std::string& path) : address_("unix://" + path) {
        ::sockaddr_un address{};
        address.sun_family = AF_UNIX;
        REQUIRE(path.size() < sizeof address.sun_path);
        std::memcpy(address.sun_path, path.c_str(), path.size());
        socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        REQUIRE(::bind(socket_, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) == 0);
    }
    datagrams(const datagrams&) = delete;
    datagrams& operator=(const datagrams&) = delete;
    ~datagrams() { ::close(socket_); }

    [[nodiscard]] const std::string& address() const { return address_; }
    /// All lines that have come so far.
    std::set<std::string> lines() {
        char buffer[9000];
        for (::ssize_t got = 0; (got = ::recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT)) > 0;) {
            CHECK(got <= 1'432);
            std::istringstream in(std::string(buffer, static_cast<std::size_t>(got)));
            for (std::string line; std::getline(in, line);) lines_.insert(line);
        }
        return lines_;
    }
    [[nodiscard]] bool has(const std::string& begins) {
        for (const std::string& line : lines()) {
            if (line.starts_with(begins)) return true;
        }
        return false;
    }

private:
    int socket_ = -1;
    std::string address_;
    std::set<std::string> lines_;
};

}  // namespace

TEST_CASE("hooks are called in order, with their variables, and may refuse", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec(std::string("CREATE TABLE t ") + plain_table);
    fill(*s.sql, "t", 100);
    const std::string log = s.folder.file("log");
    for (const char* name : {"startup", "validated", "rowcount-complete", "before-row-copy", "row-copy-complete",
                             "before-cut-over", "begin-postponed", "success", "failure", "interactive-command"}) {
        make_hook(
            s.folder, std::string("gh-ost-on-") + name + "--log",
            "echo \"" + std::string(name) +
                " $GH_OST_DATABASE_NAME $GH_OST_TABLE_NAME $GH_OST_GHOST_TABLE_NAME $GH_OST_OLD_TABLE_NAME "
                "$GH_OST_HOOKS_HINT $GH_OST_DRY_RUN $GH_OST_COPIED_ROWS $GH_OST_COMMAND$GH_OST_INSTANT_DDL\" >> " +
                log);
    }
    make_hook(s.folder, "gh-ost-on-status--log", "echo \"status $GH_OST_STATUS\" >> " + log);
    const std::string flag = s.folder.file("postpone");
    sluice_process process(
        s.words("t", {"--alter=ADD COLUMN c INT", "--hooks-path=" + s.folder.path.string(), "--hooks-hint=hello",
                      "--hooks-status-interval=1", "--exact-rowcount", "--concurrent-rowcount=false",
                      "--postpone-cut-over-flag-file=" + flag, "--execute"}));
    wait_for_answer(s.folder.file("sock"), "sup", "State: postponing cut-over");
    const auto read_log = [&] { return text_of(log); };
    wait_until("the hooks of the postponed cut-over and of the status",
               [&] { return holds(read_log(), "begin-postponed ") && holds(read_log(), "\nstatus 'Copy: "); });
    std::filesystem::remove(flag);
    const auto end = process.wait();
    const std::string text = read_log();
    INFO(text << end.out << end.err);
    CHECK(end.exit_code == 0);
    std::size_t at = 0;
    for (const char* name : {"startup", "validated", "before-row-copy", "row-copy-complete", "before-cut-over",
                             "begin-postponed", "success"}) {
        CAPTURE(name);
        const auto found = text.find(std::string(name) + " my_db t _t_gho _t_del hello false ", at);
        REQUIRE(found != std::string::npos);
        at = found;
    }
    CHECK(holds(text, "rowcount-complete my_db"));
    CHECK(holds(text, "before-row-copy my_db t _t_gho _t_del hello false 0 "));
    CHECK(holds(text, "row-copy-complete my_db t _t_gho _t_del hello false 128 "));
    CHECK(holds(text, "interactive-command my_db t _t_gho _t_del hello false 128 'sup'"));
    CHECK(holds(text, "success my_db t _t_gho _t_del hello false 128 false"));
    CHECK_FALSE(holds(text, "failure "));

    make_hook(s.folder, "gh-ost-on-before-cut-over--refuse", "exit 3");
    s.sql->exec("DROP TABLE _t_del");
    const auto refused =
        run_sluice(s.words("t", {"--alter=ADD COLUMN d INT", "--hooks-path=" + s.folder.path.string(), "--execute"}));
    INFO(refused.out << refused.err);
    CHECK(refused.exit_code == 1);
    CHECK(holds(refused.err, "gh-ost-on-before-cut-over--refuse: exit status 3"));
    CHECK(holds(refused.err, "FATAL a hook refused the cut-over; left: `my_db`.`_t_gho`, `my_db`.`_t_ghc`\n"));
    CHECK(exists(*s.sql, "my_db", "\\_t\\_gh_") == "2");
    CHECK(holds(read_log(), "failure my_db"));
    CHECK(s.one("SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_NAME = 't' AND COLUMN_NAME = 'd'") == "0");

    // As in gh-ost, the name alone makes a file a hook.
    touch(s.folder.file("gh-ost-on-startup.bak"));
    const auto not_run = run_sluice(s.words("t", {"--alter=FORCE", "--hooks-path=" + s.folder.path.string()}));
    CHECK(not_run.exit_code == 1);
    CHECK(holds(not_run.err, "gh-ost-on-startup.bak: Permission denied"));
}

TEST_CASE("every hook has gh-ost's variables", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(1000) NOT NULL)");
    s.sql->exec("INSERT INTO t (v) VALUES (REPEAT('x', 1000))");
    for (int have = 1; have < 500; have *= 2) s.sql->exec("INSERT INTO t (v) SELECT v FROM t");
    const std::vector<std::string> names{"startup",           "validated",       "rowcount-complete",
                                         "before-row-copy",   "status",          "interactive-command",
                                         "row-copy-complete", "begin-postponed", "before-cut-over",
                                         "success",           "batch-copy-retry"};
    for (const std::string& name : names) {
        make_hook(s.folder, "gh-ost-on-" + name, "env > " + s.folder.file("env-" + name));
    }
    // Chunks of 512 rows and more do not fit into a transaction: each is tried again, with fewer rows.
    connect(s.server).exec("SET GLOBAL max_binlog_cache_size = 65536");
    const std::string flag = s.folder.file("postpone");
    sluice_process process(s.words(
        "t",
        {"--alter=ADD COLUMN c INT", "--hooks-path=" + s.folder.path.string(), "--hooks-hint=a hint",
         "--hooks-hint-owner=an owner", "--hooks-hint-token=a token", "--hooks-status-interval=1", "--exact-rowcount",
         "--concurrent-rowcount=false", "--chunk-size=1000", "--postpone-cut-over-flag-file=" + flag, "--execute"}));
    wait_for_answer(s.folder.file("sock"), "sup", "State: postponing cut-over");
    wait_until("the status hook", [&] { return std::filesystem::exists(s.folder.file("env-status")); });
    wait_until("the hook of the postponed cut-over",
               [&] { return std::filesystem::exists(s.folder.file("env-begin-postponed")); });
    std::filesystem::remove(flag);
    const auto end = process.wait();
    INFO(end.out << end.err);
    REQUIRE(end.exit_code == 0);
    for (const std::string& name : names) {
        CAPTURE(name);
        auto seen = variables_in(s.folder.file("env-" + name));
        CHECK(seen["DATABASE_NAME"] == "my_db");
        CHECK(seen["TABLE_NAME"] == "t");
        CHECK(seen["GHOST_TABLE_NAME"] == "_t_gho");
        CHECK(seen["OLD_TABLE_NAME"] == "_t_del");
        CHECK(seen["DDL"] == "ADD COLUMN c INT");
        CHECK(seen["MIGRATED_HOST"] == "127.0.0.1");
        CHECK(seen["INSPECTED_HOST"] == "127.0.0.1");
        CHECK(seen["HOOKS_HINT"] == "a hint");
        CHECK(seen["HOOKS_HINT_OWNER"] == "an owner");
        CHECK(seen["HOOKS_HINT_TOKEN"] == "a token");
        CHECK(seen["DRY_RUN"] == "false");
        CHECK(seen["REVERT"] == "false");
        for (const char* number : {"ELAPSED_SECONDS", "ELAPSED_COPY_SECONDS", "ESTIMATED_ROWS", "COPIED_ROWS",
                                   "INSPECTED_LAG", "HEARTBEAT_LAG", "PROGRESS", "ETA_SECONDS"}) {
            CAPTURE(number);
            CHECK_FALSE(seen[number].empty());
            CHECK(seen[number].find_first_not_of("-0123456789.") == std::string::npos);
        }
        CHECK_FALSE(seen["EXECUTING_HOST"].empty());
    }
    CHECK(variables_in(s.folder.file("env-success"))["COPIED_ROWS"] == "512");
    CHECK(variables_in(s.folder.file("env-success"))["PROGRESS"] == "100.000000");
    CHECK(variables_in(s.folder.file("env-success"))["INSTANT_DDL"] == "false");
    CHECK(variables_in(s.folder.file("env-interactive-command"))["COMMAND"] == "'sup'");
    CHECK(variables_in(s.folder.file("env-status"))["STATUS"].starts_with("'Copy: "));
    const std::string why = variables_in(s.folder.file("env-batch-copy-retry"))["LAST_BATCH_COPY_ERROR"];
    CHECK(holds(why, "max_binlog_cache_size"));
}

TEST_CASE("StatsD gets gh-ost's figures each second", "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec(std::string("CREATE TABLE t ") + plain_table);
    fill(*s.sql, "t", 1000);
    datagrams statsd;
    const std::string flag = s.folder.file("throttle");
    touch(flag);
    sluice_process process(
        s.words("t", {"--alter=ADD COLUMN c INT", "--throttle-flag-file=" + flag, "--statsd-addr=" + statsd.address(),
                      "--statsd-tags=env:test", "--statsd-tags", "team:db", "--exact-rowcount", "--execute"}));
    wait_until("a figure", [&] { return statsd.has("gh_ost.throttle.active:1|g|#env:test,team:db"); });
    CHECK(statsd.has("gh_ost.startup:1|c|#env:test,team:db"));
    CHECK(statsd.has("gh_ost.row_copy.rows_copied:0|g|#env:test,team:db"));
    std::filesystem::remove(flag);
    const auto end = process.wait();
    INFO(end.out << end.err);
    REQUIRE(end.exit_code == 0);
    std::string all;
    for (const std::string& line : statsd.lines()) all += line + "\n";
    INFO(all);
    for (const char* begins :
         {"gh_ost.row_copy.rows_copied:1024|g|#env:test,team:db", "gh_ost.row_copy.rows_estimate:1024|g|#",
          "gh_ost.dml.events_applied:0|g|#", "gh_ost.binlog.backlog_size:0|g|#",
          "gh_ost.binlog.backlog_capacity:1000000|g|#", "gh_ost.binlog.backlog_utilization:0|g|#",
          "gh_ost.lag.replication_seconds:0", "gh_ost.lag.heartbeat_seconds:0", "gh_ost.throttle.active:0|g|#",
          "gh_ost.throttle.events_total:1|c|#env:test,team:db,reason:flag-file",
          "gh_ost.throttle.duration_milliseconds:",
          "gh_ost.cut_over.attempts_total:1|c|#env:test,team:db,outcome:success"}) {
        CAPTURE(begins);
        CHECK(statsd.has(begins));
    }
    const auto wrong = run_sluice(s.words("t", {"--alter=FORCE", "--statsd-addr=nowhere", "--execute"}));
    CHECK(wrong.exit_code == 1);
    CHECK(holds(wrong.err, "FATAL --statsd-addr nowhere: it must be host:port or unix:///path"));
    CHECK(exists(*s.sql, "my_db", "\\_t\\_gh_") == "0");
}

TEST_CASE("StatsD gets its figures over a Unix socket, and does not hold a run up when it reads none or is gone",
          "[process][ghost]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec(std::string("CREATE TABLE t ") + plain_table);
    fill(*s.sql, "t", 1000);
    std::optional<datagrams> statsd(std::in_place, s.folder.file("statsd"));
    const std::string flag = s.folder.file("throttle");
    touch(flag);
    sluice_process process(
        s.words("t", {"--alter=ADD COLUMN c INT", "--throttle-flag-file=" + flag, "--statsd-addr=" + statsd->address(),
                      "--statsd-tags=env:test", "--exact-rowcount", "--execute"}));
    wait_until("a figure", [&] { return statsd->has("gh_ost.throttle.active:1|g|#env:test"); });
    CHECK(statsd->has("gh_ost.startup:1|c|#env:test"));
    SECTION("it listens to the end") {
        std::filesystem::remove(flag);
        const auto end = process.wait();
        INFO(end.out << end.err);
        CHECK(end.exit_code == 0);
        CHECK(statsd->has("gh_ost.row_copy.rows_copied:1024|g|#env:test"));
        CHECK(statsd->has("gh_ost.throttle.events_total:1|c|#env:test,reason:flag-file"));
        CHECK(statsd->has("gh_ost.cut_over.attempts_total:1|c|#env:test,outcome:success"));
    }
    SECTION("it goes") {
        statsd.reset();
        std::filesystem::remove(flag);
        const auto end = process.wait();
        INFO(end.out << end.err);
        CHECK(end.exit_code == 0);
    }
}
