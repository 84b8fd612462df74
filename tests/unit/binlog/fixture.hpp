#pragma once

// Recorded binary logs (scripts/record_fixtures) and events made by hand.

#include "protocol/binlog/event_decoder.hpp"
#include "protocol/wire/writer.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace sluice::binlog::test {

/// One line of SHOW BINLOG EVENTS.
struct shown_event {
    std::uint64_t position = 0;
    std::string type;
    std::uint64_t end_position = 0;
    std::string info;
};

struct recorded_log {
    std::string name;  ///< "mysql97/images"
    byte_buffer bytes;
    std::vector<byte_view> events;  ///< whole events, in file order, pointing into `bytes`
    std::vector<shown_event> shown;
};

/// Every recorded log of every server, sorted by name.
[[nodiscard]] std::vector<recorded_log> all_recorded_logs();
/// "mysql97/images"
[[nodiscard]] recorded_log load_recorded_log(const std::string& name);

/// Tab-separated lines of a file among the fixtures.
[[nodiscard]] std::vector<std::vector<std::string>> load_table(const std::string& file);
[[nodiscard]] byte_buffer load_bytes(const std::string& file);

/// What the log's events decode to, one list per event of the file. Fails the test on any error.
[[nodiscard]] std::vector<decoded_event> decode_all(const recorded_log& log, event_decoder& decoder);

/// Calls `take` for every row of the log, in its order. Fails the test on any error.
void for_each_row(const recorded_log& log,
                  const std::function<void(const decoded_event&, const rows_event&, const row_cursor&)>& take);

/// Feeds the event and takes everything that comes of it, rows included. Returns the first error.
[[nodiscard]] decode_result<std::size_t> drain(event_decoder& decoder, byte_view event);

/// An event without checksum.
[[nodiscard]] byte_buffer make_event(event_type type, byte_view body, std::uint16_t flags = 0,
                                     std::uint32_t end_position = 0);
/// The first `body_size` bytes of the event's body as an event that is right in size and checksum.
[[nodiscard]] byte_buffer shortened(byte_view event, std::size_t body_size, checksum_algorithm checksum);

[[nodiscard]] byte_buffer bytes_of(std::initializer_list<int> values);

}  // namespace sluice::binlog::test
