#pragma once

// Reads the reply to a command to its end, and says of every packet what it is. Written from the manual ("Command
// Phase"), apart from the product's own way of following replies.

#include "tests/support/wire_login.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace sluice::test::oracle {

enum class role : std::uint8_t {
    greeting,
    authentication,  ///< of a login: neither OK nor ERR
    ok,              ///< in OK's form, a result's terminator under DEPRECATE_EOF among them
    eof,
    err,
    progress,   ///< MariaDB's report, in the form of an ERR
    file_wish,  ///< of LOAD DATA LOCAL
    count,      ///< of columns
    column,
    text_row,
    binary_row,
    prepared,  ///< the head of a COM_STMT_PREPARE's reply
    text,      ///< of COM_STATISTICS
    other,
};
[[nodiscard]] const char* to_string(role what);

struct seen_packet {
    wire::packet packet;
    role what = role::other;
};

enum class reply_kind : std::uint8_t {
    none,
    one,  ///< an OK, an EOF or an ERR
    result,
    binary_result,
    prepare,
    fetch,
    field_list,
    text,
    authentication,
    endless,  ///< packets until so many have come
};

/// One file for LOAD DATA LOCAL: its packets.
using local_file = std::vector<std::string>;

class reply_reader {
public:
    reply_reader(wire::packet_stream& stream, std::uint64_t capabilities)
        : stream_(stream), capabilities_(capabilities) {}

    /// Appends the packets as they come, so that those before an end of the connection are there. Throws wire::error.
    void read(reply_kind kind, std::vector<seen_packet>& into, std::size_t packets = 0);
    /// What is sent when the server asks for a file; none left: an empty one.
    std::deque<local_file> files;

private:
    [[nodiscard]] bool has(std::uint64_t flags) const { return (capabilities_ & flags) == flags; }
    const seen_packet& next(std::vector<seen_packet>& into);
    void read_results(bool binary, std::vector<seen_packet>& into);
    [[nodiscard]] bool read_result_set(bool binary, std::vector<seen_packet>& into);
    [[nodiscard]] bool read_definitions(std::uint64_t count, std::vector<seen_packet>& into);
    [[nodiscard]] bool read_rows(role row, std::vector<seen_packet>& into);
    void read_prepare(std::vector<seen_packet>& into);
    void send_file();
    [[nodiscard]] std::uint16_t status_of(const seen_packet& packet) const;

    wire::packet_stream& stream_;
    std::uint64_t capabilities_;
    std::uint16_t of_parameters_ = 0;  // status of the EOF behind the definitions of output parameters
};

}  // namespace sluice::test::oracle
