// When a migration cuts over, and what its operator sees of that: the program `sluice` as a whole.

#include "tests/integration/process_served.hpp"
#include "tests/support/catch.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

namespace {

using namespace sluice::test;
using std::chrono::milliseconds;
using std::chrono::system_clock;

const std::string app_is_operator = "operators = [\"app@127.0.0.1\"]\n";

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string text_in(const boost::json::object& migration, std::string_view name) {
    return std::string(migration.at(name).as_string());
}

/// 2026-03-01T12:00:00.123Z
system_clock::time_point time_in(const boost::json::object& object, std::string_view name) {
    const std::string text(object.at(name).as_string());
    std::tm parts{};
    REQUIRE(strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) != nullptr);
    return system_clock::from_time_t(timegm(&parts)) + milliseconds(std::stoi(text.substr(20, 3)));
}

/// Of the week in UTC: not now, nor soon.
std::string a_minute_of_another_day() {
    const std::time_t other = system_clock::to_time_t(system_clock::now() + std::chrono::hours(72));
    std::tm parts{};
    REQUIRE(gmtime_r(&other, &parts) != nullptr);
    char day[4];
    REQUIRE(std::strftime(day, sizeof(day), "%a", &parts) == 3);
    return std::string(day) + " 03:00-03:01 UTC";
}

/// Waits until what is waited for holds this.
boost::json::object wait_for_waiting(const served& sluice, const std::string& id, const std::string& part) {
    return sluice.wait_until(id, part, [&](const auto& now) { return holds(text_in(now, "waiting_for"), part); });
}

std::vector<std::string> migrate_t(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"--schema", "test", "--table", "t", "--alter", "ADD COLUMN note INT NULL"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

/// Writes to the table through the proxy, one statement after the other, until its end.
class steady_writer {
public:
    explicit steady_writer(const served& sluice) : client_(sluice.client()), thread_([this] { work(); }) {}
    steady_writer(const steady_writer&) = delete;
    steady_writer& operator=(const steady_writer&) = delete;
    ~steady_writer() {
        done_ = true;
        thread_.join();
    }
    [[nodiscard]] int errors() const { return errors_; }
    [[nodiscard]] int written() const { return written_; }

private:
    void work() {
        while (!done_) {
            if (client_.error_of("UPDATE t SET v = CONCAT('w', id) WHERE id = 7") != 0) ++errors_;
            ++written_;
        }
    }
    sql_connection client_;
    std::atomic<bool> done_{false};
    std::atomic<int> errors_{0};
    std::atomic<int> written_{0};
    std::thread thread_;
};

/// A table that a transaction has read, which is still open, and that somebody else writes to meanwhile.
struct blocked_table {
    /// direct: the transaction does not come through the proxy.
    explicit blocked_table(bool direct)
        : server(mysql_server::start()),
          sluice((fill(server, "t", 500), server)),
          blocker(reading_t(direct ? connect(server, "test") : sluice.client())),
          writer(sluice) {}

    static sql_connection reading_t(sql_connection client) {
        client.exec("BEGIN");
        client.query("SELECT COUNT(*) FROM t");
        return client;
    }

    mysql_server server;
    served sluice;
    sql_connection blocker;
    steady_writer writer;
};

std::map<std::string, std::string> last_row_of(sql_connection& client, const std::string& statement) {
    const auto rows = client.query(statement);
    REQUIRE_FALSE(rows.empty());
    std::map<std::string, std::string> named;
    const auto names = client.column_names();
    for (std::size_t i = 0; i < names.size(); ++i) named[names[i]] = rows.back()[i].value_or("NULL");
    return named;
}

}  // namespace

TEST_CASE("an old transaction on the table is waited for without an attempt, and named", "[process][cutover_timing]") {
    const bool direct = GENERATE(false, true);
    CAPTURE(direct);
    blocked_table scene(direct);
    auto& [server, sluice, blocker, writer] = scene;
    const std::string id = sluice.begin(migrate_t());

    const auto waiting = wait_for_waiting(sluice, id, "has had a transaction open for");
    const std::string reason = text_in(waiting, "waiting_for");
    INFO(reason);
    CHECK(holds(reason, "connection " + std::to_string(blocker.connection_id()) + " of " + (direct ? "root" : "app")));
    CHECK(holds(reason, "(directly, not through the proxy)") == direct);
    CHECK(holds(reason, "SELECT COUNT(*) FROM t"));
    CHECK(waiting.at("cutover_attempts").as_array().empty());

    const auto open_until = system_clock::now();
    blocker.exec("COMMIT");
    const auto ended = system_clock::now();
    const auto done = sluice.wait_for(id, "completed");
    const auto& attempts = done.at("cutover_attempts").as_array();
    REQUIRE_FALSE(attempts.empty());
    CHECK(time_in(attempts[0].as_object(), "began") >= std::chrono::floor<milliseconds>(open_until));
    // Much less on a machine that has nothing else to do; the next attempt would otherwise come with the interval.
    CHECK(time_in(attempts[0].as_object(), "began") - ended < std::chrono::seconds(20));
    CHECK(writer.errors() == 0);
    CHECK(writer.written() > 0);
}

TEST_CASE("attempts that a transaction makes fail keep their budget and interval, and end with it",
          "[process][cutover_timing]") {
    const bool direct = GENERATE(false, true);
    CAPTURE(direct);
    blocked_table scene(direct);
    auto& [server, sluice, blocker, writer] = scene;
    // It counts as young, so that it is tried all the same.
    const std::string id = sluice.begin(migrate_t({"--max-blocker-age-ms", "600000", "--hold-budget-ms", "300",
                                                   "--hold-interval-ms", "700", "--hold-interval-max-ms", "60000"}));
    wait_for_waiting(sluice, id, "the last one was given up");
    const auto blocked = sluice.wait_until(
        id, "four attempts", [](const auto& now) { return now.at("cutover_attempts").as_array().size() >= 4; });
    const auto blocked_attempts = blocked.at("cutover_attempts").as_array().size();
    blocker.exec("COMMIT");
    const auto done = sluice.wait_for(id, "completed");
    const auto& attempts = done.at("cutover_attempts").as_array();
    INFO(boost::json::serialize(attempts));
    REQUIRE(attempts.size() > blocked_attempts);
    for (std::size_t i = 0; i < attempts.size(); ++i) {
        const auto& attempt = attempts[i].as_object();
        if (i != 0) {
            CHECK(time_in(attempt, "began") - time_in(attempts[i - 1].as_object(), "began") >= milliseconds(700));
        }
        if (i >= blocked_attempts) continue;
        // Above the budget: a thread may have to wait for its turn on a busy machine. bench/cutover has the figure.
        CHECK(attempt.at("hold").at("hold_max_us").as_int64() <= 300'000 + 1'000'000);
        const auto& blockers = attempt.at("blockers").as_array();
        REQUIRE_FALSE(blockers.empty());
        CHECK(blockers[0].at("connection_id").to_number<std::uint64_t>() == blocker.connection_id());
    }
    // Each is a line of the log (docs/cutover.md, "The report").
    const std::string prefix = "migration " + id + ": cut-over attempt ";
    const std::string last = prefix + std::to_string(attempts.size()) + " succeeded; ";
    const std::string log = sluice.process().wait_for_message(last);
    const std::string before_second = log.substr(0, log.find(prefix + "2 "));
    const std::string given_up = before_second.substr(before_second.find(prefix + "1 given up: "));
    for (const std::string& part :
         {std::string(" statements held for "), std::string(" ms (p50 / p99 / longest); steps in us: "),
          std::string("close "), "in the way: connection " + std::to_string(blocker.connection_id()) + " of "}) {
        INFO(part);
        CHECK(holds(given_up, part));
    }
    const std::string success = log.substr(log.find(last));
    INFO(success);
    CHECK((holds(success, "steps in us: ") && holds(success, "rename ") && !holds(success, "in the way")));
    CHECK(writer.errors() == 0);
}

TEST_CASE("a blocker is killed when its time is up, but never one with a prepared XA transaction",
          "[process][cutover_timing]") {
    const bool xa = GENERATE(false, true);
    CAPTURE(xa);
    const auto server = mysql_server::start();
    fill(server, "t", 500);
    connect(server).exec("GRANT CONNECTION_ADMIN, XA_RECOVER_ADMIN ON *.* TO '" + std::string(sluice_user) + "'@'%'");
    served sluice(server);
    sql_connection blocker = sluice.client();
    const std::string id = sluice.begin(migrate_t({"--postpone-cutover", "--kill-blockers-after-ms", "1500"}));
    sluice.wait_for(id, "ready");
    blocker.exec(xa ? "XA START 'x'" : "BEGIN");
    blocker.exec("UPDATE t SET v = 'mine' WHERE id = 3");
    if (xa) {
        blocker.exec("XA END 'x'");
        blocker.exec("XA PREPARE 'x'");
    }
    CHECK(sluice.run({"cut-over", id}).exit_code == 0);
    const auto now = sluice.wait_until(id, "a blocker that is killed",
                                       [](const auto& seen) { return !seen.at("blocker_kills").as_array().empty(); });
    const auto& kill = now.at("blocker_kills").as_array().at(0).as_object();
    INFO(boost::json::serialize(kill));
    CHECK(kill.at("blocker").at("connection_id").to_number<std::uint64_t>() == blocker.connection_id());
    CHECK(kill.at("before_attempt").as_int64() >= 1);
    if (xa) {
        CHECK(holds(std::string(kill.at("error").as_string()), "prepared XA transaction"));
        blocker.exec("XA COMMIT 'x'");
        sluice.wait_for(id, "completed");
        CHECK(connect(server, "test").scalar("SELECT v FROM t WHERE id = 3") == "mine");
    } else {
        CHECK(kill.at("error").is_null());
        sluice.wait_for(id, "completed");
        CHECK(blocker.error_of("SELECT 1") != 0);
        CHECK(connect(server, "test").scalar("SELECT v FROM t WHERE id = 3") == "v3");
        CHECK(holds(sluice.run({"show", id}).out, "killed at "));
    }
}

TEST_CASE("a flag file holds the cut-over up until it is removed, or the operator says to go",
          "[process][cutover_timing]") {
    const bool by_command = GENERATE(false, true);
    CAPTURE(by_command);
    const auto server = mysql_server::start();
    fill(server, "t", 500);
    served sluice(server);
    const auto flag = sluice.folder().path() / "wait";
    std::ofstream(flag) << "x";
    const std::string id = sluice.begin(migrate_t({"--postpone-flag-file", flag.string()}));
    wait_for_waiting(sluice, id, "the removal of " + flag.string());
    if (by_command) {
        CHECK(sluice.run({"cut-over", id}).exit_code == 0);
    } else {
        std::filesystem::remove(flag);
    }
    sluice.wait_for(id, "completed");
    CHECK(std::filesystem::exists(flag) == by_command);
}

TEST_CASE("operators command migrations by SQL, and nobody else", "[process][cutover_timing]") {
    const auto server = mysql_server::start();
    fill(server, "t", 500);
    connect(server).exec("CREATE USER reader IDENTIFIED BY 'reader-secret'");
    served sluice(server, app_is_operator);
    const std::string window = a_minute_of_another_day();
    const std::string id = sluice.begin(migrate_t({"--postpone-cutover", "--cutover-window", window}));
    wait_for_waiting(sluice, id, "the operator's cut-over command");
    sql_connection dba = sluice.client();
    sql_connection reader = sluice.client();
    reader.change_user("reader", "reader-secret", "");
    const std::string name = "MIGRATION '" + id + "'";
    for (const char* command : {"CUT OVER ", "POSTPONE ", "PAUSE ", "RESUME ", "ABORT "}) {
        CAPTURE(command);
        CHECK(reader.error_of(command + name) == 1227);
    }
    CHECK(reader.error_of("ALTER " + name + " SET postpone_cutover = FALSE") == 1227);
    CHECK(reader.query("SHOW MIGRATIONS").size() == 1);
    CHECK(holds(text_in(sluice.show(id), "waiting_for"), "the operator's cut-over command"));

    CHECK(dba.exec("PAUSE " + name) == 1);
    CHECK(sluice.show(id).at("paused").as_bool());
    CHECK(dba.exec("resume migration '" + id.substr(0, 5) + "';") == 1);
    CHECK_FALSE(sluice.show(id).at("paused").as_bool());
    CHECK(dba.error_of("CUT OVER MIGRATION 'nothing'") == 1105);
    CHECK(dba.error_of("CUT OVER MIGRATION nothing") == 1064);  // the server's answer to what is no statement of ours
    CHECK(dba.error_of("ALTER " + name + " SET hold_budget_ms = 5") == 1105);
    CHECK(dba.error_of("ALTER " + name + " SET copy_workers = 5") == 1105);
    CHECK(dba.exec("ALTER " + name + " SET hold_budget_ms = 250, hold_interval_ms = 900") == 1);
    CHECK(sluice.show(id).at("options").at("hold_budget_ms").as_int64() == 250);

    CHECK(dba.exec("CUT OVER " + name) == 1);
    wait_for_waiting(sluice, id, "the cut-over window (" + window + "), which opens on " + window.substr(0, 9));
    CHECK(sluice.run({"settings", id, "--cutover-window", ""}).exit_code == 0);
    sluice.wait_for(id, "completed");

    auto report = last_row_of(dba, "SHOW MIGRATION CUTOVERS '" + id + "'");
    CHECK(report.at("attempt") == std::to_string(sluice.show(id).at("cutover_attempts").as_array().size()));
    CHECK(report.at("succeeded") == "yes");
    CHECK(report.at("direction") == "forth");
    CHECK(report.at("given_up_because") == "NULL");
    for (const char* step : {"close ", "drain ", "lock ", "position ", "apply ", "rename ", "open "}) {
        CAPTURE(report.at("steps"));
        CHECK(holds(report.at("steps"), step));
    }
}

TEST_CASE("postponement, changed options and the report outlive a restart", "[process][cutover_timing]") {
    const auto server = mysql_server::start();
    fill(server, "t", 500);
    served first(server, app_is_operator);
    const std::string done = first.begin(migrate_t());
    const auto before = first.wait_for(done, "completed");
    fill(server, "u", 500);
    const std::string id = first.begin({"--schema", "test", "--table", "u", "--alter", "ADD COLUMN note INT NULL",
                                        "--cutover-window", a_minute_of_another_day()});
    first.wait_for(id, "ready");
    // What was answered is stored, though the process dies at once.
    sql_connection dba = first.client();
    CHECK(dba.exec("POSTPONE MIGRATION '" + id + "'") == 1);
    CHECK(dba.exec("ALTER MIGRATION '" + id + "' SET hold_budget_ms = 321, cutover_window = ''") == 1);
    first.process().signal(SIGKILL);
    CHECK(first.process().wait().exit_code == 128 + SIGKILL);

    served second(server);
    const auto waiting = wait_for_waiting(second, id, "the operator's cut-over command");
    CHECK(waiting.at("options").at("hold_budget_ms").as_int64() == 321);
    CHECK(text_in(waiting.at("options").as_object(), "cutover_window").empty());
    CHECK(second.show(done).at("cutover_attempts") == before.at("cutover_attempts"));
    CHECK(second.run({"cut-over", id}).exit_code == 0);
    second.wait_for(id, "completed");
}
