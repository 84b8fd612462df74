#pragma once

// How the texts of a session are to be read: what of its settings the lexer must know, and the default schema. Followed
// best effort from the login, from statements and from what the server tells; where it is not certain, it says so.
// One thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/message/capabilities.hpp"
#include "protocol/sql/statement_footprint.hpp"
#include "proxy/session/connect_fsm.hpp"
#include "proxy/session/quote_reading.hpp"
#include "proxy/session/response_tracker.hpp"

namespace sluice::session {

class session_text {
public:
    void adopt_login(const login_facts& facts);
    /// A reply has ended well: what its command and the trackers in it change.
    void adopt_reply(const ended_reply& ended);
    void adopt_status(protocol::status_flags status) noexcept;
    /// COM_RESET_CONNECTION.
    void reset();

    [[nodiscard]] const sql::lexer_options& options() const noexcept { return rules_.options; }
    [[nodiscard]] const text_rules& rules() const noexcept { return rules_; }
    /// Empty: none, or not known.
    [[nodiscard]] const std::string& schema() const noexcept { return schema_; }

private:
    void adopt_statement(const sql::statement_summary& statement, bool certain);
    void adopt_assignment(const sql::assignment& assignment, bool certain);
    void adopt_sql_mode(std::string_view value);
    /// MariaDB tells with every status. Elsewhere the server's own sql_mode counts, or init_connect's.
    void lose_quotes() noexcept { rules_.quotes_certain = rules_.options.mariadb; }

    text_rules rules_;
    sql::multibyte_charset login_charset_ = sql::multibyte_charset::none;
    std::string schema_;
};

/// 90700 of "9.7.0", 101106 of "5.5.5-10.11.6-MariaDB"; 0 when it is not understood.
[[nodiscard]] std::uint32_t parse_server_version(std::string_view version) noexcept;

}  // namespace sluice::session
