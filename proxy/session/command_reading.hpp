#pragma once

// What the session must know of a client's command before it is sent on: how its reply will look, which watched tables
// it may touch, what it will change in the session, and whether Sluice answers it itself.

#include <optional>
#include <string_view>

#include "protocol/message/capabilities.hpp"
#include "protocol/sql/show_request.hpp"
#include "proxy/session/expected_reply.hpp"
#include "proxy/session/gate_shard.hpp"
#include "proxy/session/named_statements.hpp"
#include "proxy/session/prepared_statements.hpp"
#include "proxy/session/session_text.hpp"

namespace sluice::session {

struct reading_context {
    protocol::capability_flags capabilities = 0;
    bool multi_statements = false;    ///< a COM_QUERY may hold several
    bool answers_shows = false;       ///< look for SHOW MIGRATIONS and its kin
    bool has_touched = false;         ///< the open transaction has touched a table: no need to ask again
    bool settings_in_flight = false;  ///< how the text is to be read may have changed before it is: it may touch all
    slot_mask outdated = 0;           ///< tables that the open transaction must not read by its snapshot
    const session_text& text;
    const gate_shard& shard;
    prepared_statements& prepared;
    const named_statements& named;
};

struct command_reading {
    expected_reply reply;  ///< with table use filled in while tables are watched
    std::optional<sql::show_request> show;
    std::string_view text;  ///< of the statement, where the command has one: view into the payload
    /// The text may hold statements behind the part that was looked at: see statement_scan.
    bool may_hold_more = false;
};

/// payload: the command's first bytes; `whole` tells whether they are all of it. Views and references must stay good
/// during the call, and the payload as long as the reading's text is used.
[[nodiscard]] command_reading read_command(protocol::byte_view payload, bool whole, const reading_context& context);

}  // namespace sluice::session
