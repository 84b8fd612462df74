#pragma once

// What a query event says beside the statement: of the session that ran it, and of what it had to do with. Read for the
// few statements for which it matters.
// Source: libs/mysql/binlog/event/statement_events.h of MySQL 9.7 (Query_event_status_vars) and the server's own
// logs; MariaDB has the same numbers up to 11, and never writes 12.

#include "protocol/binlog/query.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace sluice::binlog {

struct query_variables {
    bool ansi_quotes = false;            ///< of its sql_mode
    bool no_backslash_escapes = false;   ///< of its sql_mode
    std::uint16_t client_collation = 0;  ///< its character set, as an id of a collation; 0: not told
    /// The schemas of all tables that the statement reads or changes, be it through views, triggers or routines (seen
    /// on MySQL 5.6 and 9.7). Nothing: the server does not tell, as MariaDB never does, or MySQL for cascades of
    /// foreign keys and for more than 16.
    std::optional<std::vector<std::string_view>> schemas;

    /// Views point into the event's bytes. What cannot be read is not told.
    [[nodiscard]] static query_variables of(const query_event& event);
};

}  // namespace sluice::binlog
