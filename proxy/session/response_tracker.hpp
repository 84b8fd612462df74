#pragma once

// Follows the server's replies to their ends by frame headers and first bytes, without storing rows: the relay sends
// the bytes on as they are and learns here when a reply is over and what the server's status is. Knows replies of every
// command but COM_CHANGE_USER (an authentication, see connect_fsm.hpp); of the endless ones, whether they begin or
// fail. Sources: MySQL internals manual, "Command Phase" and "Text Resultset"; WL#7766 (DEPRECATE_EOF); checked
// on 9.7, 5.6 and MariaDB 10.11. One thread; no allocation while replies are rows or short packets that arrive whole.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/message/capabilities.hpp"
#include "protocol/wire/bytes.hpp"
#include "protocol/wire/frame.hpp"
#include "proxy/session/expected_reply.hpp"

namespace sluice::session {

enum class reply_event : std::uint8_t {
    more,               ///< all bytes looked at
    reply_ended,        ///< see ended(); the bytes behind `consumed` belong to what comes next
    unsolicited_error,  ///< the server speaks unasked, and is about to hang up (4031, shutdown)
    file_refused,  ///< the server asks for a file that the client did not offer: nothing from `consumed` on may pass
    stream_begun,  ///< the reply to a command whose reply never ends, and it is no ERR
    broken,        ///< bytes that no reply may hold: the stream cannot be followed any more
};

struct reply_step {
    std::size_t consumed = 0;
    reply_event event = reply_event::more;
    /// Of file_refused: the packet's sequence id, if none of its bytes has been consumed yet, so that something else
    /// may go in its place.
    std::optional<std::uint8_t> refused_sequence;
};

/// What the session state trackers of a reply's OK packets said last; nothing: not told.
struct tracked_changes {
    std::optional<std::string> schema;
    std::optional<std::string> character_set_client;
    std::optional<std::string> sql_mode;
    bool incomplete = false;  ///< an OK too long to be kept told more
};

struct ended_reply {
    expected_reply expected;
    bool failed = false;             ///< ended by an ERR
    std::uint16_t error_code = 0;    ///< of that
    bool told_status = false;        ///< some OK or EOF of it told the server's status
    std::uint32_t results = 0;       ///< that ended well before it (statements done of a multi-statement text)
    std::uint32_t statement_id = 0;  ///< of a successful COM_STMT_PREPARE
    tracked_changes changes;
};

class response_tracker {
public:
    /// Of the session, as sent to the server in the handshake response.
    void set_capabilities(protocol::capability_flags capabilities) noexcept { capabilities_ = capabilities; }
    void set_status(protocol::status_flags status) noexcept { status_ = status; }
    /// False: packets' sequence ids mean nothing (a compressed server's), and cannot tell what nobody asked for.
    void set_numbered(bool numbered) noexcept { numbered_ = numbered; }

    /// A command with a reply is being sent. The queue must not be full: asserted.
    void expect(expected_reply&& reply) { queue_.push(std::move(reply)); }
    [[nodiscard]] reply_queue& queue() noexcept { return queue_; }
    /// No reply is due, and no byte of one has been seen.
    [[nodiscard]] bool idle() const noexcept { return queue_.empty() && between_packets(); }

    /// The client's next packets are a file's contents, up to an empty one, after which file_sent() is called.
    [[nodiscard]] bool file_wanted() const noexcept { return state_ == state::file; }
    void file_sent() noexcept { state_ = state::head; }

    /// Looks at bytes from the server. Call it again with the rest after an event.
    [[nodiscard]] reply_step on_bytes(protocol::byte_view bytes);
    /// The reply of the last reply_ended; taken once.
    [[nodiscard]] ended_reply take_ended() noexcept { return std::exchange(ended_, {}); }

    /// Behind stream_begun: of the packet of which no more than the header has been consumed.
    [[nodiscard]] protocol::frame_header header() const noexcept { return header_; }

    /// Server status of the last OK or EOF.
    [[nodiscard]] protocol::status_flags status() const noexcept { return status_; }

    /// Longest part of an OK or ERR packet that is looked at.
    static constexpr std::size_t capture_max = 4096;

private:
    enum class state : std::uint8_t {
        head,         // the first packet of a result, or the only one of the reply
        columns,      // counted definitions
        columns_end,  // their EOF
        rows,         // rows, or definitions of FIELD_LIST, up to the terminator
        file,         // the client sends a file
        parameters,   // of PREPARE
        parameters_end,
        prepared_columns,
        prepared_columns_end,
    };
    enum class part : std::uint8_t { header, first_byte, capture, rest };
    enum class verdict : std::uint8_t { go_on, reply_over, unsolicited, file_refused, stream_begun, broken };

    [[nodiscard]] bool between_packets() const noexcept {
        return part_ == part::header && header_filled_ == 0 && !header_.continues();
    }
    [[nodiscard]] std::size_t skip_rows(protocol::byte_view bytes) noexcept;
    [[nodiscard]] verdict on_header();
    [[nodiscard]] verdict on_first_byte(std::uint8_t first);
    [[nodiscard]] verdict on_unasked(std::uint8_t first) noexcept;
    [[nodiscard]] verdict on_first_byte_of_head(std::uint8_t first);
    [[nodiscard]] bool is_terminator(std::uint8_t first) const noexcept;
    [[nodiscard]] verdict on_packet(protocol::byte_view payload);
    [[nodiscard]] verdict on_head(protocol::byte_view payload);
    [[nodiscard]] verdict on_result_head(protocol::byte_view payload);
    [[nodiscard]] verdict on_prepare_head(protocol::byte_view payload);
    [[nodiscard]] verdict on_definition() noexcept;
    [[nodiscard]] verdict after_definitions() noexcept;
    [[nodiscard]] verdict after_parameters() noexcept;
    [[nodiscard]] verdict on_columns_end(protocol::byte_view payload);
    [[nodiscard]] verdict on_ok(protocol::byte_view payload);
    [[nodiscard]] verdict on_terminator(protocol::byte_view payload);
    [[nodiscard]] verdict on_err(protocol::byte_view payload);
    [[nodiscard]] verdict result_over() noexcept;
    [[nodiscard]] bool is_progress(protocol::byte_view payload) const noexcept;
    void adopt(protocol::status_flags status) noexcept {
        status_ = status;
        ended_.told_status = true;
    }
    void adopt_trackers(std::string_view session_state);
    [[nodiscard]] bool deprecates_eof() const noexcept {
        return protocol::has(capabilities_, protocol::capability::deprecate_eof);
    }
    [[nodiscard]] std::size_t capture_wanted() const noexcept {
        return header_.payload_size < capture_max ? header_.payload_size : capture_max;
    }
    void collect(protocol::byte_view bytes, std::size_t& at);
    [[nodiscard]] reply_step finish(verdict what, std::size_t consumed);

    protocol::capability_flags capabilities_ = 0;
    protocol::status_flags status_ = protocol::server_status::autocommit;
    reply_queue queue_;
    ended_reply ended_;

    state state_ = state::head;
    part part_ = part::header;
    verdict pending_ = verdict::go_on;  // what is to be said at the end of the current packet
    bool first_result_ = true;
    bool numbered_ = true;
    std::array<std::byte, protocol::frame_header_size> header_bytes_{};
    std::size_t header_filled_ = 0;
    protocol::frame_header header_;
    std::uint32_t payload_left_ = 0;
    std::uint64_t definitions_left_ = 0;
    std::uint16_t prepared_columns_ = 0;
    bool more_announced_ = false;     // behind the OUT parameters that are being sent
    bool definitions_follow_ = true;  // of a prepared statement
    protocol::byte_buffer captured_;
};

}  // namespace sluice::session
