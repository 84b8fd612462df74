// The server that a migration was at work on has failed, and another one has taken over by GTID: with everything, or
// without the last of it; before Sluice starts again, or while it runs.

#include "tests/integration/process_resume_scene.hpp"
#include "tests/support/catch.hpp"

#include <list>

namespace {

using namespace sluice::test;
using namespace sluice::test::resuming;
using sluice::test::ghost::holds;

/// The address behind which a primary is. Ends what goes through it when another one takes its place.
class moving_address {
public:
    explicit moving_address(std::uint16_t server_port) : server_port_(server_port) {
        listener_ = listen_on_loopback(port_);
        REQUIRE(listener_ >= 0);
        thread_ = std::thread([this] { serve(); });
    }
    moving_address(const moving_address&) = delete;
    moving_address& operator=(const moving_address&) = delete;
    ~moving_address() {
        ends_ = true;
        thread_.join();
        end_all();
        ::close(listener_);
    }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    void move_to(std::uint16_t server_port) { server_port_ = server_port; }

private:
    struct pair {
        int client;
        int server;
    };

    void serve() {
        std::uint16_t leads_to = server_port_;
        while (!ends_) {
            if (const std::uint16_t now = server_port_; now != leads_to) {
                leads_to = now;
                end_all();
            }
            std::vector<::pollfd> waiting{{listener_, POLLIN, 0}};
            for (const pair& each : pairs_) {
                waiting.push_back({each.client, POLLIN, 0});
                waiting.push_back({each.server, POLLIN, 0});
            }
            if (::poll(waiting.data(), waiting.size(), 20) <= 0) continue;
            std::size_t at = 1;
            for (auto each = pairs_.begin(); each != pairs_.end(); at += 2) {
                const bool lives = (waiting[at].revents == 0 || pass(each->client, each->server)) &&
                                   (waiting[at + 1].revents == 0 || pass(each->server, each->client));
                if (!lives) end(*each);
                each = lives ? std::next(each) : pairs_.erase(each);
            }
            if (waiting[0].revents != 0) take(leads_to);
        }
    }
    void take(std::uint16_t leads_to) {
        const pair made{::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC),
                        ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        const ::sockaddr_in to = loopback(leads_to);
        if (::connect(made.server, reinterpret_cast<const ::sockaddr*>(&to), sizeof to) == 0) {
            pairs_.push_back(made);
        } else {
            end(made);
        }
    }
    static bool pass(int from, int to) {
        char buffer[65'536];
        const ::ssize_t got = ::recv(from, buffer, sizeof buffer, 0);
        return got > 0 && ::send(to, buffer, static_cast<std::size_t>(got), MSG_NOSIGNAL) == got;
    }
    static void end(const pair& which) {
        ::close(which.client);
        ::close(which.server);
    }
    void end_all() {
        for (const pair& each : pairs_) end(each);
        pairs_.clear();
    }

    std::atomic<std::uint16_t> server_port_;
    std::uint16_t port_ = 0;
    int listener_ = -1;
    std::list<pair> pairs_;  // the thread's own
    std::atomic<bool> ends_{false};
    std::thread thread_;
};

void promote(sql_connection& replica) {
    replica.exec("STOP REPLICA");
    replica.exec("RESET REPLICA ALL");
}

void write_a_while(const mysql_server& server) {
    row_writer writes(server, "test");
    let_write(writes);
}

void finish(served& sluice, const std::string& id, sql_connection& sql) {
    hurry(sluice, id);
    sluice.wait_for(id, "ready");
    cut_over(sluice, id);
    check_same(sql, "t", "_t_del");
    CHECK(sql.scalar("SELECT SUM(x) / 3 = COUNT(*) FROM t") == "1");
    CHECK(tables(sql) == "_t_del,t");
}

}  // namespace

TEST_CASE("a killed Sluice goes on at the replica that has taken over, once it has", "[process][resume]") {
    primary_and_replica pair;
    sql_connection sql = connect(pair.primary, "test");
    make_table(sql);
    std::string id;
    {
        row_writer writes(pair.primary, "test");
        id = begin_and_kill(pair.primary, sql, slow_migration("t", {"--postpone-cutover"}));
        let_write(writes);
    }
    pair.wait_for_replica();
    sql_connection replica = connect(pair.replica, "test");
    SECTION("by its log") {
        served second(pair.replica);
        second.process().wait_for_message(
            "waiting: the server, to go on from the checkpoint: the server still "
            "replicates from 127.0.0.1:" +
            std::to_string(pair.primary.port()));
        promote(replica);
        second.process().wait_for_message("goes on from its checkpoint");
        write_a_while(pair.replica);
        finish(second, id, replica);
        CHECK(second.show(id).at("rows_copied").to_number<int>() > 0);
    }
    SECTION("not where its log begins later") {
        promote(replica);
        replica.exec("FLUSH BINARY LOGS");
        replica.exec("INSERT INTO t (n) VALUES (1)");
        const std::string newest = replica.scalar(
            "SELECT SUBSTRING_INDEX(FILE_NAME, '/', -1) FROM performance_schema.file_instances "
            "WHERE EVENT_NAME = 'wait/io/file/sql/binlog' ORDER BY FILE_NAME DESC LIMIT 1");
        replica.exec("PURGE BINARY LOGS TO '" + newest + "'");
        served second(pair.replica);
        second.process().wait_for_message("cannot go on from its checkpoint (binlog_purged)");
        finish(second, id, replica);
    }
}

TEST_CASE("another server takes over while a migration runs: what it lacks is copied again", "[process][resume]") {
    const bool lossless = GENERATE(true, false);
    CAPTURE(lossless);
    primary_and_replica pair;
    sql_connection sql = connect(pair.primary, "test");
    make_table(sql);
    moving_address address(pair.primary.port());
    served sluice(address.port());
    const std::string id = sluice.begin(slow_migration("t", {"--postpone-cutover"}));
    wait_for_checkpoint(sql);
    pair.wait_for_replica();
    sql_connection replica = connect(pair.replica, "test");
    if (!lossless) {
        // Chunks that are copied from here on are not there.
        replica.exec("STOP REPLICA");
        const auto rows = [&] { return sluice.show(id).at("rows_copied").to_number<std::uint64_t>(); };
        const auto before = rows();
        wait_until("chunks that are lost", [&] { return rows() > before + 200; });
    }
    const unsigned long copied_there = std::stoul(replica.scalar("SELECT COUNT(*) FROM _t_gho"));
    promote(replica);
    address.move_to(pair.replica.port());
    sluice.process().wait_for_message("it is taken up there as after a restart");
    sluice.process().wait_for_message("goes on from its checkpoint");
    CHECK(sluice.show(id).at("rows_copied").to_number<std::uint64_t>() <= copied_there + 1000);
    write_a_while(pair.replica);
    finish(sluice, id, replica);
}

TEST_CASE("gh-ost: --resume goes on at the replica that has taken over, if nothing of the copy is missing there",
          "[process][ghost][resume]") {
    primary_and_replica pair;
    sql_connection sql = connect(pair.primary, "test");
    make_table(sql);
    const ghost::scratch_folder folder;
    const auto words = [&](const mysql_server& server, const std::vector<std::string>& more) {
        return ghost::words_for(
            server, folder, "test", "t",
            ghost::joined({"--allow-on-master", "--alter=ADD COLUMN x INT NOT NULL DEFAULT 3", "--chunk-size=10",
                           "--verify=false", "--checkpoint", "--checkpoint-seconds=1", "--initially-drop-socket-file",
                           "--verbose", "--execute"},
                          more));
    };
    {
        sluice_process run(words(pair.primary, {"--nice-ratio=5"}));
        wait_until("a checkpoint", [&] {
            REQUIRE(run.running());
            return sql.scalar("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME = '_t_ghk'") == "1" &&
                   sql.scalar("SELECT COUNT(*) FROM _t_ghk") != "0";
        });
        run.signal(SIGKILL);
        run.wait();
    }
    pair.wait_for_replica();
    sql_connection replica = connect(pair.replica, "test");
    promote(replica);
    // As if a transaction had been lost that was there when the checkpoint was made.
    const std::string lost = "00000000-0000-4000-8000-000000000001:7,";
    const auto edit = [&](const std::string& from, const std::string& to) {
        replica.exec("UPDATE _t_ghk SET sluice_checkpoint = REPLACE(sluice_checkpoint, '" + from + "', '" + to + "')");
    };
    edit("\"executed\":\"", "\"executed\":\"" + lost);
    const finished refused = run_sluice(words(pair.replica, {"--resume"}));
    INFO(refused.err);
    CHECK(refused.exit_code == 1);
    CHECK(holds(refused.err, "the server lacks transactions that were there when the checkpoint was made"));
    CHECK(holds(refused.err, "are left as they are; the original is unchanged"));

    edit(lost, "");
    const finished done = run_sluice(words(pair.replica, {"--resume"}));
    INFO(done.err);
    CHECK(done.exit_code == 0);
    CHECK(holds(done.err, "goes on from its checkpoint"));
    check_same(replica, "t", "_t_del");
}
