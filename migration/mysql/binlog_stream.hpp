#pragma once

// The binary log of a server as a change_feed: COM_BINLOG_DUMP_GTID or COM_BINLOG_DUMP spoken over protocol/ on a
// socket of our own, because client libraries differ in what they offer for it. Sources: MySQL 9.7 Source Code
// Documentation, "Replication Protocol"; MariaDB Knowledge Base, "Replication Protocol".

#include "migration/mysql/server_address.hpp"
#include "migration/ports/change_feed.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace sluice::migration {

struct binlog_stream_options {
    /// Sluice's own server id in the topology: must differ from every server's and replica's. 0: chosen at random from
    /// 2^31 … 2^32-2 for each stream.
    std::uint32_t server_id = 0;
    std::chrono::milliseconds connect_limit{10'000};      ///< TCP, greeting, login and set-up, each; 100 ms … 5 min
    std::chrono::milliseconds heartbeat_interval{1'000};  ///< the server speaks at least so often; 10 ms … 1 min
    std::chrono::milliseconds silence_limit{10'000};      ///< without a byte for so long, the stream counts as lost
    /// The same for the first event: with GTIDs the server may have to look through many files to find it.
    std::chrono::milliseconds first_event_limit{60'000};
    /// Longest event accepted. The server's own bound is 1 GiB plus headers; memory grows as bytes come in.
    std::size_t event_bytes_max = (std::size_t{1} << 30) + (std::size_t{16} << 20);
};

/// Streams give every event that the server sends, artificial rotate, format description and heartbeat events included.
/// They always announce CRC32 to the server, so whoever decodes begins with checksum_algorithm::crc32, whatever the
/// server's binlog_checksum is: the artificial rotate event at the head then carries one, and later format descriptions
/// say how it goes on.
///
/// Failures of attach(): "access_denied" (abort), "cannot_connect" (retry), "unsupported_login" (abort),
/// "protocol_violation" (abort), "binlog_position_too_large" (abort: COM_BINLOG_DUMP has 32 bits for it). The server's
/// refusals of the dump itself come from the first next().
/// Failures of next(): "stream_lost" (retry: the connection broke, or was silent beyond silence_limit),
/// "binlog_purged" (abort: what the start asks for is no longer there), "binlog_refused" (abort: any other error 1236,
/// in the server's words), "stream_displaced" (retry: another stream came with our server id), "event_too_large"
/// (abort), "stopped" (abort: stop() was called). After a failure every later next() fails the same way.
class binlog_stream_source final : public change_feed_source {
public:
    explicit binlog_stream_source(server_address address, binlog_stream_options options = {});
    outcome<std::unique_ptr<change_feed>> attach(const feed_start& start) override;

private:
    server_address address_;
    binlog_stream_options options_;
};

}  // namespace sluice::migration
