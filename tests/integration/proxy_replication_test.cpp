// Replicas and mysqlbinlog follow a primary through the proxy.

#include "protocol/message/replication_command.hpp"
#include "tests/integration/proxy_fixture.hpp"

namespace sluice::test {
namespace {

using protocol::command;

constexpr const char* semi_sync_source = "INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'";
constexpr const char* semi_sync_replica = "INSTALL PLUGIN rpl_semi_sync_replica SONAME 'semisync_replica.so'";

mysql_server server_with(server_kind kind, std::uint32_t id, std::vector<std::string> more = {}) {
    server_options options;
    options.kind = kind;
    options.server_id = id;
    options.extra_arguments = std::move(more);
    return mysql_server::start(options);
}

proxy::proxy_options in_front_of(const mysql_server& server) {
    proxy::proxy_options options;
    options.server_port = server.port();
    return options;
}

bool reaches(sql_connection& replica, const std::string& statement, const std::string& expected) {
    return eventually(
        [&] {
            try {
                return replica.scalar(statement) == expected;
            } catch (const sql_error&) {
                return false;  // the table is not there yet
            }
        },
        30s);
}

void make_rows(sql_connection& primary) {
    primary.exec("CREATE TABLE test.followed (id INT PRIMARY KEY, v LONGTEXT)");
    primary.exec("INSERT INTO test.followed VALUES (1, 'one'), (2, REPEAT('x', 100000))");
}

TEST_CASE("a replica of 9.7 follows through the proxy, by GTID, with semi-synchronous acknowledgements") {
    const auto kind = server_kind::mysql_9_7;
    auto primary = server_with(kind, 11);
    auto replica = server_with(kind, 12);
    const proxy_under_test proxied(kind, in_front_of(primary));
    auto source = connect(primary);
    auto copy = connect(replica);
    source.exec("RESET BINARY LOGS AND GTIDS");
    source.exec("CREATE USER follower IDENTIFIED BY 'secret'");
    source.exec("GRANT REPLICATION SLAVE ON *.* TO follower");
    source.exec(semi_sync_source);
    source.exec("SET GLOBAL rpl_semi_sync_source_timeout = 60000");
    copy.exec(semi_sync_replica);
    copy.exec("SET GLOBAL rpl_semi_sync_replica_enabled = ON");
    copy.exec("RESET BINARY LOGS AND GTIDS");
    copy.exec("CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=" + std::to_string(proxied.port()) +
              ", SOURCE_USER='follower', SOURCE_PASSWORD='secret', SOURCE_AUTO_POSITION=1, SOURCE_SSL=0, "
              "GET_SOURCE_PUBLIC_KEY=1, "
              "SOURCE_CONNECT_RETRY=1");
    make_rows(source);
    copy.exec("START REPLICA");
    const bool followed = reaches(copy, "SELECT COUNT(*) FROM test.followed", "2");
    INFO(
        copy.scalar("SELECT CONCAT((SELECT MAX(last_error_message) FROM "
                    "performance_schema.replication_connection_status), ' / ', (SELECT MAX(last_error_message) FROM "
                    "performance_schema.replication_applier_status_by_worker))"));
    REQUIRE(followed);
    const auto semi_sync = [&](const char* name) {
        return source.scalar(std::string("SELECT variable_value FROM performance_schema.global_status WHERE "
                                         "variable_name = 'Rpl_semi_sync_source_") +
                             name + "'");
    };
    source.exec("SET GLOBAL rpl_semi_sync_source_enabled = ON");
    REQUIRE(eventually([&] { return semi_sync("clients") == "1"; }));
    // A commit waits up to a minute for an acknowledgement; it is there at once, or the test takes minutes and fails.
    for (int id = 10; id < 30; ++id)
        source.exec("INSERT INTO test.followed VALUES (" + std::to_string(id) + ", 'acked')");
    CHECK(semi_sync("yes_tx") == "20");
    CHECK(semi_sync("no_tx") == "0");
    CHECK(reaches(copy, "SELECT COUNT(*) FROM test.followed", "22"));

    // A closed gate neither holds the stream nor counts it.
    const auto gate = proxied.proxy->gates().watch({"test", "followed"});
    REQUIRE(gate);
    gate->close(std::chrono::steady_clock::now() + 60s);
    CHECK(gate->blockers().empty());
    CHECK(gate->wait_drained(std::chrono::steady_clock::now() + 5s));
    source.exec("INSERT INTO test.followed VALUES (40, 'while the gate is closed')");
    CHECK(reaches(copy, "SELECT COUNT(*) FROM test.followed", "23"));
    CHECK(semi_sync("yes_tx") == "21");
    CHECK(gate->open().statements_held == 0);

    // A replica that was away goes on where it was.
    copy.exec("STOP REPLICA");
    source.exec("SET GLOBAL rpl_semi_sync_source_enabled = OFF");
    source.exec("INSERT INTO test.followed VALUES (41, 'while it was away')");
    copy.exec("START REPLICA");
    CHECK(reaches(copy, "SELECT COUNT(*) FROM test.followed", "24"));
    replica.restart();
    auto again = connect(replica);
    source.exec("INSERT INTO test.followed VALUES (42, 'after its restart')");
    CHECK(reaches(again, "SELECT COUNT(*) FROM test.followed", "25"));
    CHECK(source.query("CHECKSUM TABLE test.followed") == again.query("CHECKSUM TABLE test.followed"));
}

TEST_CASE("COM_CLONE between two servers of 9.7 is refused in words") {
    const auto kind = server_kind::mysql_9_7;
    auto donor = server_with(kind, 21, {"--plugin-load-add=mysql_clone.so"});
    auto recipient = server_with(kind, 22, {"--plugin-load-add=mysql_clone.so"});
    const proxy_under_test proxied(kind, in_front_of(donor));
    connect(donor).exec("GRANT BACKUP_ADMIN ON *.* TO app");
    auto root = connect(recipient);
    root.exec("SET GLOBAL clone_valid_donor_list = '127.0.0.1:" + std::to_string(proxied.port()) + "'");
    // The donor's account is known to it only behind a login: the recipient has no TLS and asks for no key.
    { (void)sql_connection(donor.port(), app_user, app_password); }
    std::string said;
    try {
        root.exec("CLONE INSTANCE FROM app@127.0.0.1:" + std::to_string(proxied.port()) + " IDENTIFIED BY '" +
                  app_password + "'");
    } catch (const sql_error& failure) {
        said = failure.what();
    }
    INFO(said);
    CHECK(said.find("COM_CLONE") != std::string::npos);
    CHECK(root.scalar("SELECT 1") == "1");
}

TEST_CASE("a replica of MariaDB follows through the proxy") {
    const auto kind = server_kind::mariadb_10_11;
    auto primary = server_with(kind, 31);
    auto replica = server_with(kind, 32);
    const proxy_under_test proxied(kind, in_front_of(primary));
    auto source = connect(primary);
    auto copy = connect(replica);
    source.exec("GRANT REPLICATION SLAVE ON *.* TO follower IDENTIFIED BY 'secret'");
    source.exec("SET GLOBAL rpl_semi_sync_master_timeout = 60000");
    copy.exec("SET GLOBAL rpl_semi_sync_slave_enabled = ON");
    const auto position = source.scalar("SELECT @@gtid_binlog_pos");
    copy.exec("SET GLOBAL gtid_slave_pos = '" + position + "'");
    make_rows(source);
    copy.exec("CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=" + std::to_string(proxied.port()) +
              ", MASTER_USER='follower', MASTER_PASSWORD='secret', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1");
    copy.exec("START SLAVE");
    CHECK(reaches(copy, "SELECT COUNT(*) FROM test.followed", "2"));
    const auto semi_sync = [&](const char* name) {
        return source.query(std::string("SHOW STATUS LIKE 'Rpl_semi_sync_master_") + name + "'")
            .at(0)
            .at(1)
            .value_or("");
    };
    source.exec("SET GLOBAL rpl_semi_sync_master_enabled = ON");
    REQUIRE(eventually([&] { return semi_sync("clients") == "1"; }));
    for (int id = 10; id < 15; ++id)
        source.exec("INSERT INTO test.followed VALUES (" + std::to_string(id) + ", 'acked')");
    CHECK(semi_sync("yes_tx") == "5");
    CHECK(reaches(copy, "SELECT COUNT(*) FROM test.followed", "7"));
    copy.exec("STOP SLAVE");
    source.exec("SET GLOBAL rpl_semi_sync_master_enabled = OFF");
    source.exec("INSERT INTO test.followed VALUES (41, 'while it was away')");
    copy.exec("START SLAVE");
    CHECK(reaches(copy, "SELECT COUNT(*) FROM test.followed", "8"));
}

TEST_CASE("a replica of 5.6 follows through the proxy, by file and position") {
    const auto kind = server_kind::mysql_5_6;
    server_options options;
    options.kind = kind;
    options.gtid = false;
    options.server_id = 41;
    auto primary = mysql_server::start(options);
    options.server_id = 42;
    auto replica = mysql_server::start(options);
    const proxy_under_test proxied(kind, in_front_of(primary));
    auto source = connect(primary);
    auto copy = connect(replica);
    source.exec("GRANT REPLICATION SLAVE ON *.* TO follower@'%' IDENTIFIED BY 'secret'");
    const auto status = source.query("SHOW MASTER STATUS").at(0);
    make_rows(source);
    copy.exec("CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=" + std::to_string(proxied.port()) +
              ", MASTER_USER='follower', MASTER_PASSWORD='secret', MASTER_LOG_FILE='" + status.at(0).value() +
              "', MASTER_LOG_POS=" + status.at(1).value() + ", MASTER_CONNECT_RETRY=1");
    copy.exec("START SLAVE");
    CHECK(reaches(copy, "SELECT COUNT(*) FROM test.followed", "2"));
}

TEST_CASE("a dump in pieces of the protocol is the server's own, to its end") {
    for (const auto kind : every_server) {
        INFO(throwaway::to_string(kind));
        auto primary = server_with(kind, 51);
        const proxy_under_test proxied(kind, in_front_of(primary));
        auto source = connect(primary);
        make_rows(source);
        const auto events = [&](std::uint16_t port) {
            raw_client client(port);
            client.login("sluice", sluice_password);
            CHECK(client.query("SET @master_binlog_checksum = 'NONE', @source_binlog_checksum = 'NONE'").is_ok);
            protocol::binlog_dump dump;
            dump.file = "binlog.000001";
            dump.flags = protocol::binlog_dump_non_block;
            dump.server_id = 99;
            protocol::byte_buffer payload;
            protocol::serialise(payload, dump);
            client.send_packet(payload);
            std::vector<std::string> heard;
            do {
                heard.push_back(client.receive_packet().text());
            } while (!heard.back().empty() && heard.back()[0] == '\0');
            return heard;
        };
        const auto direct = events(primary.port());
        CHECK(direct.size() > 4);
        CHECK(events(proxied.port()) == direct);
    }
}

}  // namespace
}  // namespace sluice::test
