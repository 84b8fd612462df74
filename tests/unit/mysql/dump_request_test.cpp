// What is sent to ask for a binlog stream, and what the server's refusals mean.

#include "tests/support/catch.hpp"

#include "migration/mysql/dump_request.hpp"
#include "protocol/message/replication_command.hpp"

#include <set>

using namespace sluice::migration;
namespace protocol = sluice::protocol;
namespace binlog = sluice::binlog;

TEST_CASE("with a GTID set the stream is asked for by GTID, otherwise by file and position") {
    feed_start start;
    start.from = {"binlog.000007", 1234};
    const auto by_position = protocol::parse_binlog_dump(dump_command(start, 77).value()).value();
    CHECK(by_position.file == "binlog.000007");
    CHECK(by_position.position == 1234);
    CHECK(by_position.server_id == 77);
    CHECK(by_position.flags == 0);

    start.executed = binlog::gtid_set::parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5").value();
    const auto by_gtid = protocol::parse_binlog_dump_gtid(dump_command(start, 78).value()).value();
    CHECK(by_gtid.server_id == 78);
    CHECK(by_gtid.flags == protocol::binlog_through_gtid);
    CHECK(by_gtid.file.empty());
    CHECK(by_gtid.position == 4);
    CHECK(binlog::gtid_set::decode(by_gtid.gtid_set).value() == *start.executed);
}

TEST_CASE("positions that the command cannot carry are refused, and 0 means the beginning") {
    feed_start start;
    start.from = {"binlog.000001", 0};
    CHECK(protocol::parse_binlog_dump(dump_command(start, 1).value()).value().position == 4);
    start.from.position = 0xFFFFFFFF;
    CHECK(protocol::parse_binlog_dump(dump_command(start, 1).value()).value().position == 0xFFFFFFFF);
    start.from.position = 0x100000000;
    const auto refused = dump_command(start, 1);
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == "binlog_position_too_large");
    CHECK(refused.error().message.find("binlog.000001:4294967296") != std::string::npos);
}

TEST_CASE("the announcement says the same under the old and the new names") {
    CHECK(announcement_statement("u", std::chrono::milliseconds(1500)) ==
          "SET @source_binlog_checksum = 'CRC32', @master_binlog_checksum = 'CRC32', "
          "@source_heartbeat_period = 1500000000, @master_heartbeat_period = 1500000000, "
          "@replica_uuid = 'u', @slave_uuid = 'u', @mariadb_slave_capability = 4");
}

TEST_CASE("the end of a stream: what it means") {
    struct expectation {
        std::uint16_t number;
        const char* text;
        const char* code;
        disposition then;
    };
    const auto expected = GENERATE(values<expectation>({
        {1236, "Could not find first log file name in binary log index file", "binlog_purged", disposition::abort},
        {1236, "Cannot replicate because the source purged required binary logs. Replicate ...", "binlog_purged",
         disposition::abort},
        {1236, "log event entry exceeded max_allowed_packet; Increase max_allowed_packet on source", "event_too_large",
         disposition::abort},
        {1236, "Client requested source to start replication from position > file size", "binlog_refused",
         disposition::abort},
        {1236, "A replica with the same server_uuid/server_id as this replica has connected to the source",
         "stream_displaced", disposition::retry},
        {4052, "A slave with the same server_uuid/server_id is already connected", "stream_displaced",
         disposition::retry},
        {1053, "Server shutdown in progress", "stream_lost", disposition::retry},
        {1317, "Query execution was interrupted", "stream_lost", disposition::retry},
        {1927, "Connection was killed", "stream_lost", disposition::retry},
        {1227, "Access denied; you need REPLICATION SLAVE", "access_denied", disposition::abort},
        {1105, "Unknown error", "server_error", disposition::abort},
    }));
    CAPTURE(expected.number, expected.text);
    const auto failed = dump_failure({expected.number, "HY000", expected.text});
    CHECK(failed.code == expected.code);
    CHECK(failed.then == expected.then);
    CHECK(failed.server_errno == expected.number);
    CHECK(failed.message == expected.text);
    CHECK_FALSE(failed.attempted.empty());
}

TEST_CASE("server ids and UUIDs are fresh and of the right form") {
    std::set<std::string> seen;
    for (int i = 0; i < 200; ++i) {
        const auto id = random_server_id();
        CHECK(id >= 0x80000000U);
        CHECK(id <= 0xFFFFFFFEU);
        const auto uuid = random_uuid();
        REQUIRE(uuid.size() == 36);
        CHECK(uuid.find_first_not_of("0123456789abcdef-") == std::string::npos);
        CHECK((uuid[8] == '-' && uuid[13] == '-' && uuid[18] == '-' && uuid[23] == '-'));
        CHECK(uuid[14] == '4');
        CHECK(std::string("89ab").find(uuid[19]) != std::string::npos);
        CHECK(seen.insert(uuid).second);
    }
}
