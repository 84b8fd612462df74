// `sluice gh-ost --via`: the job is handed to a running Sluice.

#include "tests/integration/process_ghost_scene.hpp"
#include "tests/integration/process_served.hpp"

#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>

namespace {

using namespace sluice::test;
using ghost::holds;
using ghost::tell;
using ghost::touch;
using ghost::wait_for_answer;

/// A served Sluice, and the words of runs on tables of its server.
struct via_scene {
    /// configured: lines of [migration].
    explicit via_scene(const std::string& configured = {})
        : server(mysql_server::start()), sluice(server, "[migration]\n" + configured) {}

    [[nodiscard]] std::string file(const std::string& name) const { return files.file(name); }
    [[nodiscard]] std::vector<std::string> words(const std::string& table, const std::vector<std::string>& more) const {
        return ghost::joined({"gh-ost", "--via=" + sluice.url(), "--token-file=" + sluice.token_file(),
                              "--database=test", "--table=" + table, "--serve-socket-file=" + file("sock"),
                              "--throttle-additional-flag-file=" + file("all")},
                             more);
    }
    /// What the newest migration is there.
    [[nodiscard]] boost::json::object newest() const {
        const auto end = sluice.run({"list", "--json"});
        INFO(end.err);
        REQUIRE(end.exit_code == 0);
        const auto all = boost::json::parse(end.out).at("migrations").as_array();
        REQUIRE_FALSE(all.empty());
        std::string id(all.back().at("id").as_string());
        for (const auto& one : all) {
            if (one.at("ended").is_null()) id = one.at("id").as_string();
        }
        return sluice.show(id);
    }
    void wait_for(const std::string& line, const std::string& part) const {
        (void)wait_for_answer(file("sock"), line, part);
    }
    void wait_until_paused(bool on) const {
        wait_until(on ? "the pause" : "its end", [&] { return newest().at("paused") == on; });
    }

    ghost::scratch_folder files;
    mysql_server server;
    served sluice;
};

std::string id_of(const boost::json::object& migration) { return std::string(migration.at("id").as_string()); }

/// Clients of the proxy: each adds rows of its own, and counts in a row that all have in common.
class proxy_clients {
public:
    proxy_clients(const served& sluice, int count) {
        for (int each = 0; each < count; ++each) threads_.emplace_back([this, &sluice] { work(sluice); });
    }
    ~proxy_clients() { stop(); }
    void stop() {
        stop_ = true;
        for (std::thread& each : threads_) each.join();
        threads_.clear();
    }
    [[nodiscard]] int rounds() const { return rounds_; }
    [[nodiscard]] int errors() const { return errors_; }

private:
    void work(const served& sluice) {
        try {
            sql_connection sql = sluice.client();
            while (!stop_) {
                sql.exec("INSERT INTO t (v) VALUES ('client')");
                sql.exec("UPDATE t SET n = n + 1 WHERE id = 1");
                ++rounds_;
            }
        } catch (const sql_error&) {
            ++errors_;
        }
    }

    std::atomic<bool> stop_{false};
    std::atomic<int> rounds_{0};
    std::atomic<int> errors_{0};
    std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("--via hands the job to a running Sluice and shows it in the same form", "[process][ghost]") {
    const via_scene s;
    fill(s.server, "t", 5000);
    for (const char* name : {"validated", "success"}) {
        ghost::make_hook(s.files, std::string("gh-ost-on-") + name,
                         std::string("echo ") + name + " $GH_OST_DRY_RUN >> " + s.file("dry"));
    }
    const auto plan = run_sluice(s.words("t", {"--alter=ADD COLUMN c INT", "--hooks-path=" + s.files.path.string()}));
    INFO(plan.out << plan.err);
    CHECK(plan.exit_code == 0);
    CHECK(ghost::text_of(s.file("dry")) == "validated true\nsuccess true\n");
    CHECK(holds(plan.out, "+ c int\n"));
    CHECK(s.sluice.run({"list"}).out == "no migrations\n");

    const auto done = run_sluice(s.words(
        "t", {"--alter=ADD COLUMN c INT", "--ok-to-drop-table", "--chunk-size=500", "--exact-rowcount", "--execute"}));
    INFO(done.out << done.err);
    REQUIRE(done.exit_code == 0);
    CHECK(holds(done.out, "# chunk-size: 500;"));
    CHECK(holds(done.out, "Copy: 5000/5000 100.0%; "));
    CHECK(holds(done.out, "streamer: binlog.0000"));
    CHECK(done.out.ends_with("# Done\n"));
    CHECK(holds(done.err, "# Note: --exact-rowcount: with --via that Sluice estimates"));
    sql_connection direct = connect(s.server, "test");
    CHECK(direct.query("SHOW TABLES").size() == 1);
    CHECK(holds(s.sluice.run({"list"}).out, "completed"));

    const auto refused = run_sluice(s.words("t", {"--alter=DROP COLUMN nope", "--execute"}));
    CHECK(refused.exit_code == 1);
    CHECK(holds(refused.err, "nope"));
}

TEST_CASE("--via: clients of the proxy are held at the cut-over, lose nothing, and get no error", "[process][ghost]") {
    // What is configured there is not what the line says, and does not count.
    const via_scene s("drop_old_table = true\nverify = false\npostpone_cutover = true\nmax_lag_ms = 60000\n");
    sql_connection direct = connect(s.server, "test");
    direct.exec("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(20) NOT NULL, n INT NOT NULL DEFAULT 0)");
    ghost::fill(direct, "t", 2000);
    const int before = std::stoi(direct.scalar("SELECT COUNT(*) FROM t"));
    proxy_clients clients(s.sluice, 8);
    wait_until("the clients", [&] { return clients.rounds() > 100 || clients.errors() > 0; });
    const auto done = run_sluice(s.words("t", {"--alter=ADD COLUMN c INT NOT NULL DEFAULT 7", "--execute"}));
    INFO(done.out << done.err);
    REQUIRE(done.exit_code == 0);
    const int at_the_end = clients.rounds();
    wait_until("the clients", [&] { return clients.rounds() > at_the_end + 100 || clients.errors() > 0; });
    clients.stop();
    CHECK(clients.errors() == 0);
    CHECK(direct.scalar("SELECT COUNT(*) FROM t WHERE c = 7") == std::to_string(before + clients.rounds()));
    CHECK(direct.scalar("SELECT n FROM t WHERE id = 1") == std::to_string(clients.rounds()));
    CHECK(ghost::exists(direct, "test", "\\_t\\_del") == "1");
    const auto job = s.newest();
    const boost::json::object& options = job.at("options").as_object();
    CHECK(options.at("drop_old_table") == false);
    CHECK(options.at("verify") == true);
    CHECK(options.at("max_lag_ms") == 1500);
    std::uint64_t held = 0;
    for (const auto& attempt : job.at("cutover_attempts").as_array()) {
        held += attempt.at("hold").at("statements_held").to_number<std::uint64_t>();
    }
    CHECK(held > 0);
}

TEST_CASE("--via: flag files are files of the machine where gh-ost runs", "[process][ghost]") {
    const via_scene s;
    fill(s.server, "t", 1000);
    sql_connection direct = connect(s.server, "test");
    const std::string postpone = s.file("postpone");
    const std::string alter = "--alter=ADD COLUMN c INT";
    const std::vector<std::string> more{alter, "--ok-to-drop-table", "--throttle-flag-file=" + s.file("throttle"),
                                        "--postpone-cut-over-flag-file=" + postpone, "--execute"};
    touch(s.file("throttle"));
    std::string id;
    {
        sluice_process run(s.words("t", more));
        s.wait_for("sup", "State: throttled, flag-file");
        const auto job = s.newest();
        id = id_of(job);
        CHECK(job.at("paused") == true);
        CHECK(job.at("postponed") == true);
        // What that Sluice could look for only on its own machine.
        CHECK(job.at("options").at("postpone_flag_file") == "");
        CHECK(job.at("options").at("throttle_flag_file") == "");
        CHECK(job.at("options").at("throttle_additional_flag_file") == "");
        CHECK(std::filesystem::exists(postpone));
        CHECK(holds(tell(s.file("sock"), "status"), "# postpone-cut-over-flag-file: " + postpone + " [set]\n"));
        touch(s.file("all"));
        std::filesystem::remove(s.file("throttle"));
        std::filesystem::remove(s.file("all"));
        s.wait_for("sup", "State: postponing cut-over");
        run.signal(SIGKILL);
        CHECK(run.wait().exit_code == 128 + SIGKILL);
    }
    // Nobody is left to watch the file.
    std::filesystem::remove(postpone);
    CHECK(s.sluice.show(id).at("postponed") == true);
    CHECK(s.sluice.show(id).at("state") == "ready");
    REQUIRE(s.sluice.run({"cut-over", id}).exit_code == 0);
    wait_until("the cut-over by hand", [&] { return !s.sluice.show(id).at("ended").is_null(); });
    CHECK(s.sluice.show(id).at("state") == "completed");

    sluice_process second(
        ghost::joined(s.words("t", more), {"--alter=ADD COLUMN d INT", "--initially-drop-socket-file"}));
    s.wait_for("sup", "State: postponing cut-over");
    CHECK(holds(tell(s.file("sock"), "postpone-cut-over-flag-file=" + s.file("other")), "Postponed\n"));
    std::filesystem::remove(postpone);
    s.wait_for("sup", "State: postponing cut-over");
    std::filesystem::remove(s.file("other"));
    auto end = second.wait();
    INFO(end.out << end.err);
    CHECK(end.exit_code == 0);

    sluice_process third(ghost::joined(s.words("t", more), {"--alter=ADD COLUMN e INT"}));
    s.wait_for("sup", "State: postponing cut-over");
    CHECK(holds(tell(s.file("sock"), "unpostpone"), "Unpostponed\n"));
    end = third.wait();
    INFO(end.out << end.err);
    CHECK(end.exit_code == 0);
    CHECK(direct.scalar("SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'test' AND TABLE_NAME = "
                        "'t' AND COLUMN_NAME IN ('c', 'd', 'e')") == "3");
}

TEST_CASE("--via: hooks are called, commands are obeyed, and a panic aborts the job", "[process][ghost]") {
    const via_scene s;
    fill(s.server, "t", 1000);
    sql_connection direct = connect(s.server, "test");
    const std::string log = s.file("log");
    for (const char* name : {"startup", "validated", "before-row-copy", "row-copy-complete", "before-cut-over",
                             "begin-postponed", "success", "failure"}) {
        ghost::make_hook(s.files, std::string("gh-ost-on-") + name, "echo " + std::string(name) + " >> " + log);
    }
    const std::string postpone = s.file("postpone");
    const std::vector<std::string> more{"--ok-to-drop-table", "--hooks-path=" + s.files.path.string(), "--execute",
                                        "--postpone-cut-over-flag-file=" + postpone};
    sluice_process good(s.words("t", ghost::joined({"--alter=ADD COLUMN c INT"}, more)));
    wait_until("the hooks", [&] { return holds(ghost::text_of(log), "begin-postponed\n"); });
    s.wait_for("sup", "State: postponing cut-over");
    s.wait_for("throttle", "# Note: ");
    s.wait_until_paused(true);
    s.wait_for("no-throttle", "Copy: 1000/1000");
    s.wait_until_paused(false);
    std::filesystem::remove(postpone);
    auto end = good.wait();
    INFO(end.out << end.err);
    CHECK(end.exit_code == 0);
    CHECK(ghost::text_of(log) ==
          "startup\nvalidated\nbefore-row-copy\nrow-copy-complete\nbefore-cut-over\nbegin-postponed\nsuccess\n");

    const auto fails = [&](const char* how, const std::string& said, auto end_it) {
        CAPTURE(how);
        sluice_process run(
            s.words("t", ghost::joined({"--alter=ADD COLUMN d INT", "--panic-flag-file=" + s.file("panic")}, more)));
        s.wait_for("sup", "State: postponing cut-over");
        const std::string id = id_of(s.newest());
        end_it(run);
        const auto ended = run.wait();
        INFO(ended.out << ended.err);
        CHECK(ended.exit_code == 1);
        CHECK(holds(ended.err, said));
        wait_until("the end", [&] { return !s.sluice.show(id).at("ended").is_null(); });
        CHECK(s.sluice.show(id).at("state") == "aborted");
        CHECK(ghost::exists(direct, "test", "\\_t\\_gh%") == "0");
    };
    fails("command", "FATAL user commanded 'panic'",
          [&](const auto&) { CHECK(holds(tell(s.file("sock"), "panic"), "user commanded 'panic'")); });
    fails("file", "FATAL Found panic-file", [&](const auto&) { touch(s.file("panic")); });
    std::filesystem::remove(s.file("panic"));
    fails("signal", "FATAL ended by signal 15; the migration is to be aborted",
          [&](const sluice_process& run) { run.signal(SIGTERM); });
    ghost::make_hook(s.files, "gh-ost-on-begin-postponed", "exit 3");
    const auto refused = run_sluice(s.words("t", ghost::joined({"--alter=ADD COLUMN d INT"}, more)));
    INFO(refused.out << refused.err);
    CHECK(refused.exit_code == 1);
    CHECK(holds(refused.err, "FATAL a hook refused the migration"));
    CHECK(direct.scalar(
              "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_NAME = 't' AND COLUMN_NAME = 'd'") == "0");
    CHECK(holds(ghost::text_of(log), "failure\n"));
}

TEST_CASE("--via --attempt-instant-ddl waits for no flag file and no hook, as gh-ost does not", "[process][ghost]") {
    const via_scene s;
    fill(s.server, "t", 100);
    ghost::make_hook(s.files, "gh-ost-on-before-cut-over", "echo called >> " + s.file("told"));
    touch(s.file("throttle"));
    const auto done = run_sluice(
        s.words("t", {"--alter=ADD COLUMN c INT", "--attempt-instant-ddl", "--hooks-path=" + s.files.path.string(),
                      "--postpone-cut-over-flag-file=" + s.file("postpone"),
                      "--throttle-flag-file=" + s.file("throttle"), "--execute"}));
    INFO(done.out << done.err);
    REQUIRE(done.exit_code == 0);
    CHECK(s.newest().at("way") == "instant");
    CHECK(std::filesystem::exists(s.file("postpone")));
    CHECK_FALSE(std::filesystem::exists(s.file("told")));
}
