#include "migration/mysql/binlog_stream.hpp"

#include "migration/mysql/dump_request.hpp"
#include "migration/mysql/server_connection.hpp"
#include "protocol/message/err.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace sluice::migration {
namespace {

using clock = server_connection::clock;

failure lost(std::string message) {
    auto failed = refuse("stream_lost", std::move(message));
    failed.attempted = "read the binary log";
    failed.then = disposition::retry;
    return failed;
}

class binlog_stream final : public change_feed {
public:
    binlog_stream(std::unique_ptr<server_connection> connection, const binlog_stream_options& options)
        : connection_(std::move(connection)), options_(options), attached_(clock::now()) {}

    outcome<std::optional<std::span<const std::byte>>> next(std::chrono::milliseconds wait) override {
        if (failed_) return *failed_;
        auto got = next_event(clock::now() + wait);
        if (got.has_error()) failed_ = got.error();
        return got;
    }

    [[nodiscard]] binlog::checksum_algorithm checksum() const noexcept override {
        return binlog::checksum_algorithm::crc32;  // announced below, and followed by the server
    }

    void stop() noexcept override { connection_->wake(); }

private:
    outcome<std::optional<std::span<const std::byte>>> next_event(clock::time_point until) {
        const auto silent_at =
            has_begun_ ? connection_->last_heard() + options_.silence_limit : attached_ + options_.first_event_limit;
        SLUICE_TRY(const auto packet, connection_->next_packet(std::min(until, silent_at)));
        if (!packet) {
            if (clock::now() >= silent_at && connection_->last_heard() + options_.silence_limit <= clock::now()) {
                return lost("the server has been silent for too long, although it should send heartbeats");
            }
            return std::optional<std::span<const std::byte>>();
        }
        if (packet->empty()) return refuse("protocol_violation", "the server sent an empty packet in the binary log");
        switch (std::to_integer<unsigned>(packet->front())) {
            case 0x00: has_begun_ = true; return std::optional(packet->subspan(1));
            case 0xFE: return lost("the server ended the stream");
            case 0xFF: {
                const auto error = protocol::parse_err(*packet);
                if (error.has_error()) return refuse("protocol_violation", error.error().what);
                return dump_failure(*error);
            }
            default: return refuse("protocol_violation", "a packet of the binary log begins with an unknown byte");
        }
    }

    std::unique_ptr<server_connection> connection_;
    binlog_stream_options options_;
    clock::time_point attached_;
    bool has_begun_ = false;
    std::optional<failure> failed_;
};

}  // namespace

binlog_stream_source::binlog_stream_source(server_address address, binlog_stream_options options)
    : address_(std::move(address)), options_(options) {}

outcome<std::unique_ptr<change_feed>> binlog_stream_source::attach(const feed_start& start) {
    const auto server_id = options_.server_id != 0 ? options_.server_id : random_server_id();
    SLUICE_TRY(const auto command, dump_command(start, server_id));
    const auto deadline = clock::now() + options_.connect_limit;
    SLUICE_TRY(auto connection, server_connection::open(address_, deadline));
    // A reader that pauses (its delta set is full) must not be thrown out after the usual minute. English error texts
    // are told apart by dump_failure().
    SLUICE_TRY_VOID(connection->run("SET SESSION net_write_timeout = 3600, lc_messages = 'en_US'", deadline));
    SLUICE_TRY_VOID(connection->run(announcement_statement(random_uuid(), options_.heartbeat_interval), deadline));
    connection->set_packet_size_max(options_.event_bytes_max + 1);
    SLUICE_TRY_VOID(connection->send_command(command, deadline));
    return std::unique_ptr<change_feed>(std::make_unique<binlog_stream>(std::move(connection), options_));
}

}  // namespace sluice::migration
