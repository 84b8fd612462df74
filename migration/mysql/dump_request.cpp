#include "migration/mysql/dump_request.hpp"

#include "migration/mysql/server_failure.hpp"
#include "protocol/message/replication_command.hpp"

#include <array>
#include <limits>
#include <random>

namespace sluice::migration {
namespace {

constexpr unsigned error_reading_binlog = 1236;
constexpr unsigned query_interrupted = 1317;

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

outcome<protocol::byte_buffer> dump_command(const feed_start& start, std::uint32_t server_id) {
    protocol::byte_buffer payload;
    if (start.executed) {
        protocol::binlog_dump_gtid dump;
        dump.server_id = server_id;
        dump.gtid_set = start.executed->encode();
        protocol::serialise(payload, dump);
        return payload;
    }
    if (start.from.position > std::numeric_limits<std::uint32_t>::max()) {
        return refuse(
            "binlog_position_too_large",
            "a stream cannot begin at " + start.from.to_string() +
                ": the protocol without GTIDs reaches 4 GiB into a file. Run FLUSH BINARY LOGS on the server and "
                "start again, or switch gtid_mode on");
    }
    protocol::binlog_dump dump;
    dump.server_id = server_id;
    dump.file = start.from.file_name;
    dump.position = start.from.position == 0 ? 4 : static_cast<std::uint32_t>(start.from.position);
    protocol::serialise(payload, dump);
    return payload;
}

std::string announcement_statement(std::string_view uuid, std::chrono::milliseconds heartbeat_interval) {
    const auto period_ns =
        std::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(heartbeat_interval).count());
    std::string sql = "SET @source_binlog_checksum = 'CRC32', @master_binlog_checksum = 'CRC32'";
    sql.append(", @source_heartbeat_period = ").append(period_ns);
    sql.append(", @master_heartbeat_period = ").append(period_ns);
    sql.append(", @replica_uuid = '").append(uuid).append("', @slave_uuid = '").append(uuid).append("'");
    // MariaDB: we understand its GTID events; without this it replaces them by others.
    return sql.append(", @mariadb_slave_capability = 4");
}

failure dump_failure(const protocol::err_packet& error) {
    auto failed = statement_failure({error.code, error.sqlstate, error.message}, "read the binary log");
    const std::string_view text = error.message;
    if (contains(text, "same server_uuid") || contains(text, "same server_id")) {
        failed.code = "stream_displaced";  // MariaDB says it by a number of its own
        failed.then = disposition::retry;
    } else if (error.code == error_reading_binlog) {
        // One number for many reasons; they differ in their English text only, which is why the session asks for
        // English.
        failed.code = "binlog_refused";
        if (contains(text, "purged") || contains(text, "Could not find first log file")) {
            failed.code = "binlog_purged";
        } else if (contains(text, "max_allowed_packet")) {
            failed.code = "event_too_large";
        }
    } else if (ends_connection(error.code) || error.code == query_interrupted) {
        failed.code = "stream_lost";
        failed.then = disposition::retry;
    }
    return failed;
}

std::uint32_t random_server_id() {
    std::random_device source;
    return std::uniform_int_distribution<std::uint32_t>(1U << 31,
                                                        std::numeric_limits<std::uint32_t>::max() - 1)(source);
}

std::string random_uuid() {
    std::random_device source;
    std::uniform_int_distribution<unsigned> digit(0, 15);
    std::string uuid = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
    for (char& c : uuid) {
        if (c != 'x' && c != 'y') continue;
        const unsigned value = c == 'x' ? digit(source) : (digit(source) & 0x3U) | 0x8U;
        c = "0123456789abcdef"[value];
    }
    return uuid;
}

}  // namespace sluice::migration
