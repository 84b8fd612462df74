// gh-ost's interactive commands and status line, without a run behind them.

#include "proxy/main/ghost/command_server.hpp"
#include "proxy/main/ghost/interactive.hpp"
#include "proxy/main/ghost/refusal_words.hpp"
#include "proxy/main/ghost/run_view.hpp"
#include "tests/support/catch.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <filesystem>

using namespace sluice;
using namespace sluice::ghost;
using namespace std::chrono_literals;

namespace {

/// Remembers what it was told.
class told_run final : public commanded_run {
public:
    const std::string& table() const override { return name; }
    std::string status_line() override { return "LINE"; }
    std::string status_hint() override { return "# HINT\n"; }
    std::string coordinates() override { return "binlog.000001:4"; }
    std::string applier() override { return "a:1, Version: 9"; }
    std::string inspector() override { return "b:2, Version: 8"; }
    migration::migration_options options() override { return now; }
    result<void, command_refusal> change(const migration::option_changes& changes) override {
        if (!refusal.empty()) return command_refusal(refusal);
        changes.apply_to(now);
        return {};
    }
    result<void, command_refusal> throttle(bool on) override {
        throttled = on;
        return {};
    }
    bool is_postponing() override { return postponing; }
    result<void, command_refusal> unpostpone() override {
        postponing = false;
        return {};
    }
    result<void, command_refusal> postpone_by(const std::string& file) override {
        now.postpone_flag_file = file;
        return {};
    }
    void panic(const std::string&) override { panicked = true; }
    result<void, command_refusal> run_hook(const std::string& command) override {
        hooked += command + " ";
        return {};
    }

    std::string name = "t";
    migration::migration_options now;
    std::string refusal;
    bool throttled = false;
    bool postponing = false;
    bool panicked = false;
    std::string hooked;
};

}  // namespace

TEST_CASE("commands that show and set", "[ghost]") {
    told_run run;
    const auto ask = [&run](std::string_view line) { return answer_command(line, run, {}); };
    CHECK(ask("sup") == "LINE\n");
    CHECK(ask(" status ") == "# HINT\nLINE\n");
    CHECK(ask("info") == "# HINT\nLINE\n");
    CHECK(ask("applier") == "Host: a:1, Version: 9\n");
    CHECK(ask("inspector") == "Host: b:2, Version: 8\n");
    CHECK(ask("coordinates=?") == "binlog.000001:4\n");
    CHECK(ask("chunk-size=5") == "# HINT\nLINE\n");
    CHECK(run.now.chunk_rows_fixed == 10);
    CHECK(ask("max-lag-millis = \"2000\"") == "# HINT\nLINE\n");
    CHECK(ask("max-lag-millis=?") == "2000\n");
    CHECK(ask("nice-ratio=0.7") == "# HINT\nLINE\n");
    CHECK(ask("nice-ratio=?") == "0.7\n");
    // The value of a query may have an = of its own.
    CHECK(ask("throttle-query=select a=b") ==
          "# Note: you may only throttle for as long as your binary logs are not purged\n# HINT\nLINE\n");
    CHECK(run.now.throttle_query == "select a=b");
    CHECK(ask("throttle-control-replicas='r1,r2:3307'") == "r1:3306,r2:3307\n# HINT\nLINE\n");
    CHECK(ask("throttle-http=nonsense").starts_with("throttle-http must be "));
    run.refusal = "too late";
    CHECK(ask("chunk-size=100") == "too late\n");
    CHECK(run.hooked.starts_with("sup status info "));
}

TEST_CASE("commands that do", "[ghost]") {
    told_run run;
    const command_rules named{.name_for_cutover = true, .name_for_panic = true};
    CHECK(answer_command("suspend", run, {}).starts_with("# Note: "));
    CHECK(run.throttled);
    CHECK(answer_command("continue=t", run, {}) == "# HINT\nLINE\n");
    CHECK_FALSE(run.throttled);
    CHECK(answer_command("throttle=u", run, {}) ==
          "user commanded 'throttle' on u, but migrated table is t; ignoring request\n");
    CHECK_FALSE(run.throttled);
    CHECK(answer_command("cut-over", run, {}).starts_with("You may only invoke this when gh-ost is actively"));
    run.postponing = true;
    CHECK(answer_command("cut-over", run, named).starts_with("user commanded 'unpostpone' without"));
    CHECK(run.postponing);
    CHECK(answer_command("cut-over=t", run, named) == "Unpostponed\n# HINT\nLINE\n");
    CHECK_FALSE(run.postponing);
    CHECK(answer_command("panic", run, named).starts_with("user commanded 'panic' without"));
    CHECK_FALSE(run.panicked);
    CHECK(answer_command("panic=t", run, named).starts_with("user commanded 'panic'. The migration will be aborted"));
    CHECK(run.panicked);
    CHECK(answer_command("", run, {}) == "unknown command: \n");
}

TEST_CASE("the status line has gh-ost's form", "[ghost]") {
    const run_clock::time begin{1h};
    run_clock clock(begin);
    run_view view;
    view.state = "copying";
    view.rows_copied = 7300;
    view.rows_estimate = 752865;
    view.rows_per_s = 7300;
    view.applied = 12;
    view.backlog = 3;
    view.backlog_max = 1000;
    view.stream = "binlog.007068:855439063";
    view.lag_s = 0.051;
    clock.look(view, begin + 29s);
    CHECK(status_line(view, clock, begin + 31s) ==
          "Copy: 7300/752865 1.0%; Applied: 12; Backlog: 3/1000; Time: 31s(total), 2s(copy); streamer: "
          "binlog.007068:855439063; Lag: 0.05s, HeartbeatLag: 0.00s, State: migrating; ETA: 1m42s");
    view.throttled_by = "max-load Threads_running=26 >= 25";
    CHECK(state_text(view) == "throttled, max-load Threads_running=26 >= 25");
    view.state = "ready";
    view.postponed = true;
    clock.look(view, begin + 40s);
    // What was copied is the number of rows now, and the time of the copy stands still.
    CHECK(status_line(view, clock, begin + 2h + 6min + 30s)
              .starts_with("Copy: 7300/7300 100.0%; Applied: 12; Backlog: 3/1000; Time: 2h6m30s(total), 11s(copy)"));
    CHECK(status_line(view, clock, begin + 41s).ends_with("State: postponing cut-over; ETA: due"));
}

TEST_CASE("durations, and the seconds in which a line is due", "[ghost]") {
    CHECK(duration_text(900ms) == "0s");
    CHECK(duration_text(61s + 999ms) == "1m1s");
    CHECK(duration_text(3600s) == "1h0m0s");
    CHECK(is_status_second(59, std::nullopt));
    CHECK_FALSE(is_status_second(61, std::nullopt));
    CHECK(is_status_second(65, std::nullopt));
    CHECK_FALSE(is_status_second(185, 1000));
    CHECK(is_status_second(210, 1000));
    CHECK(is_status_second(100'001, 60));
}

TEST_CASE("refusals: gh-ost's sentence, then ours", "[ghost]") {
    const migration::table_name t{"s", "t"};
    CHECK(refusal_words("triggers", "because", t) ==
          "Found triggers on `s`.`t`. Triggers are not supported at this time. Bailing out (because)");
    CHECK(refusal_words("leftover_tables", "still exist: `s`.`_t_del`.", t)
              .starts_with("Table `s`.`_t_del` already exists. Panicking. Use --initially-drop-old-table to force"));
    CHECK(refusal_words("no_shared_unique_key", "because", t) ==
          "No shared unique key can be found after ALTER! Bailing out (because)");
    CHECK(refusal_words("foreign_keys", "set rebuild_referencing_keys", t) ==
          "Found child-side foreign keys on `s`.`t`. Child-side foreign keys are not supported. Bailing out (set "
          "rebuild_referencing_keys)");
    CHECK(refusal_words("referencing_foreign_keys", "because", t) ==
          "Found parent-side foreign keys on `s`.`t`. Parent-side foreign keys are not supported. Bailing out "
          "(because)");
    CHECK(refusal_words("key_becomes_timestamp",
                        "no unique key identifies the rows of `s`.`t`; key `k``1`: column `at` changes", t)
              .starts_with("No support at this time for converting a column from DATETIME to TIMESTAMP that is also "
                           "part of the chosen unique key. Column: at, key: k`1 (no unique key"));
    CHECK(refusal_words("anything", "because", t) == "because");
}

TEST_CASE("the command server answers one line per connection and takes its socket away", "[ghost]") {
    namespace asio = boost::asio;
    const auto file = (std::filesystem::temp_directory_path() / "sluice_ghost_server_test.sock").string();
    std::filesystem::remove(file);
    const auto echo = [](std::string_view line) { return "<" + std::string(line) + ">"; };
    {
        auto server = command_server::start({.socket_file = file}, echo);
        REQUIRE(server);
        asio::io_context io;
        for (const char* sent : {"one\r\n", "two\n", "three"}) {
            asio::local::stream_protocol::socket socket(io);
            socket.connect(asio::local::stream_protocol::endpoint(file));
            asio::write(socket, asio::buffer(std::string(sent)));
            socket.shutdown(asio::socket_base::shutdown_send);
            std::string answer;
            boost::system::error_code error;
            asio::read(socket, asio::dynamic_buffer(answer), error);
            CHECK(error == asio::error::eof);
            const std::string word(sent);
            CHECK(answer == "<" + word.substr(0, word.find_first_of("\r\n")) + ">");
        }
        const auto second = command_server::start({.socket_file = file}, echo);
        REQUIRE(second.has_error());
        CHECK(second.error().find("--initially-drop-socket-file") != std::string::npos);
        CHECK(std::filesystem::exists(file));
    }
    CHECK_FALSE(std::filesystem::exists(file));
}
