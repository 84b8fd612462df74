// The binary log that the engine follows is purged or reset under its feet.

#include "tests/integration/faults/fault_rig.hpp"

#include <atomic>
#include <utility>

using namespace sluice;
using namespace sluice::test;

namespace {

/// Real streams; a test hears of each before it is attached.
class hooked_feeds final : public migration::change_feed_source {
public:
    hooked_feeds(std::shared_ptr<migration::change_feed_source> real, std::function<void(int)> before_attach)
        : real_(std::move(real)), before_attach_(std::move(before_attach)) {}

    migration::outcome<std::unique_ptr<migration::change_feed>> attach(const migration::feed_start& start) override {
        before_attach_(++attached_);
        return real_->attach(start);
    }

private:
    std::shared_ptr<migration::change_feed_source> real_;
    std::function<void(int)> before_attach_;
    std::atomic<int> attached_{0};
};

std::unique_ptr<migration::migration_service> engine_with_feeds(const mysql_server& server,
                                                                std::function<void(int)> before_attach) {
    const auto address = engine_address(server);
    auto service = std::make_unique<migration::migration_service>(
        std::make_shared<migration::mysql_executor>(address),
        std::make_shared<hooked_feeds>(std::make_shared<migration::binlog_stream_source>(address),
                                       std::move(before_attach)),
        migration::open_traffic_gate(), migration::service_options{});
    REQUIRE(service->recover());
    return service;
}

void kill_streams(sql_connection& root) {
    for (const auto& row :
         root.query("SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'")) {
        root.error_of("KILL " + *row[0]);
    }
}

mysql_server start_flavour(int which) {
    server_options options;
    if (which == 1) options.gtid = false;
    if (which == 2) options.kind = server_kind::mysql_5_6;
    if (which == 3) options.kind = server_kind::mariadb_10_11;
    return mysql_server::start(options);
}

}  // namespace

TEST_CASE("a purge of the binary log that is still needed ends the migration") {
    const int which = GENERATE(0, 1, 2, 3);
    const mysql_server server = start_flavour(which);
    INFO(to_string(server.options().kind) << (which == 1 ? " without GTIDs" : ""));
    sql_connection root = connect(server, "test");
    make_table(root);
    // While the stream is away, the server writes and throws the log away.
    auto engine = engine_with_feeds(server, [&server](int number) {
        if (number != 2) return;
        sql_connection other = connect(server, "test");
        other.exec("UPDATE t SET v = 2 WHERE id = 1");
        other.exec(server.options().kind == server_kind::mysql_5_6 ? "FLUSH LOGS" : "FLUSH BINARY LOGS");
        // A server keeps a file for a moment longer: until the dead stream's thread has ended, and (MariaDB) until the
        // engine has committed all of it.
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (std::chrono::steady_clock::now() < until) {
            const auto logs = other.query("SHOW BINARY LOGS");
            if (logs.size() == 1) return;
            other.exec("PURGE BINARY LOGS TO '" + *logs.back()[0] + "'");
        }
        FAIL_CHECK("the server does not purge its log");
    });
    const std::string id = run_until_ready(*engine);
    kill_streams(root);
    require_failed(*engine, id, "binlog_purged");
    CHECK(root.scalar("SELECT COUNT(*) FROM t") == "1000");
    CHECK(artefacts(root).empty());
}

TEST_CASE("a reset of the binary log ends the migration") {
    const int which = GENERATE(0, 1, 2, 3);
    const mysql_server server = start_flavour(which);
    INFO(to_string(server.options().kind) << (which == 1 ? " without GTIDs" : ""));
    sql_connection root = connect(server, "test");
    make_table(root);
    auto engine = engine_on(server);
    const std::string id = run_until_ready(*engine);
    root.exec(which <= 1 ? "RESET BINARY LOGS AND GTIDS" : "RESET MASTER");
    root.exec("UPDATE t SET v = 2 WHERE id = 1");
    const auto ended = wait_for_end(*engine, id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration::migration_state::failed);
    // Whichever notices first: the stream (in the server's words), or the coordinator.
    CHECK((ended->error->code == "binlog_reset" || ended->error->code == "binlog_refused" ||
           ended->error->code == "binlog_purged"));
    CHECK(root.scalar("SELECT COUNT(*) FROM t") == "1000");
    CHECK(artefacts(root).empty());
}
