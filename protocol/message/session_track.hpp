#pragma once

// Session state changes inside an OK packet: a sequence of entries of a type, a length and data.
// Source: WL#4797, WL#6631, WL#6128; manual: "OK_Packet / Session State Information".

#include "protocol/wire/bytes.hpp"
#include "protocol/wire/error.hpp"
#include "protocol/wire/reader.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::protocol {

/// Other values may appear; they are kept as they are.
enum class session_track_type : std::uint8_t {
    system_variables = 0,
    schema = 1,
    state_change = 2,
    gtids = 3,
    transaction_characteristics = 4,
    transaction_state = 5,
};

struct session_track_entry {
    session_track_type type = session_track_type::schema;
    std::string_view data;  ///< the entry's body; decode it with one of the functions below
};

/// Walks the entries of ok_packet::session_state. The bytes must outlive the cursor and the views that it gives.
class session_track_cursor {
public:
    explicit session_track_cursor(std::string_view session_state) noexcept : reader_(session_state) {}
    /// The next entry, or nothing at the end. Errors: truncated, malformed.
    [[nodiscard]] wire_result<std::optional<session_track_entry>> next();

private:
    reader reader_;
};

/// Name and value pairs; MySQL sends one per entry, MariaDB may send several. Views into `data`.
using tracked_variables = std::vector<std::pair<std::string_view, std::string_view>>;
[[nodiscard]] wire_result<tracked_variables> parse_tracked_variables(std::string_view data);
/// Body of the types schema, transaction_characteristics and transaction_state. View into `data`.
[[nodiscard]] wire_result<std::string_view> parse_tracked_text(std::string_view data);
/// Body of type state_change: true for "1". It is bare text (seen on 9.7), other than the manual's drawing of it.
[[nodiscard]] constexpr bool parse_tracked_state_change(std::string_view data) noexcept { return data == "1"; }
/// The GTID text of type gtids. Errors: unsupported for an encoding other than 0.
[[nodiscard]] wire_result<std::string_view> parse_tracked_gtids(std::string_view data);

/// The eight places of a transaction_state entry, e.g. "T___Ws__". MySQL manual: session_track_transaction_info.
struct tracked_transaction_state {
    bool explicit_transaction = false;  ///< 'T': begun by a statement
    bool implicit_transaction = false;  ///< 'I': begun by autocommit=0 and a statement that uses a table
    bool unsafe_read = false;           ///< 'r': non-transactional table read
    bool transactional_read = false;    ///< 'R'
    bool unsafe_write = false;          ///< 'w'
    bool transactional_write = false;   ///< 'W'
    bool unsafe_statement = false;      ///< 's'
    bool result_set_sent = false;       ///< 'S'
    bool tables_locked = false;         ///< 'L': LOCK TABLES is in effect
};
/// Errors: malformed (not eight characters).
[[nodiscard]] wire_result<tracked_transaction_state> parse_tracked_transaction_state(std::string_view text);

void append_tracked_variable(byte_buffer& out, std::string_view name, std::string_view value);
/// For the types of parse_tracked_text.
void append_tracked_text(byte_buffer& out, session_track_type type, std::string_view text);
void append_tracked_state_change(byte_buffer& out);
void append_tracked_gtids(byte_buffer& out, std::string_view gtids);
/// An entry as it was.
void append_tracked_entry(byte_buffer& out, const session_track_entry& entry);

}  // namespace sluice::protocol
