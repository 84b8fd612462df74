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

    /// For a text: without certainty about ANSI_QUOTES, a text with double quotes may name anything.
    [[nodiscard]] bool is_certain(std::string_view text) const noexcept {
        return !ansi_quotes_uncertain_ || text.find('"') == std::string_view::npos;
    }
    [[nodiscard]] const sql::lexer_options& options() const noexcept { return options_; }
    /// Empty: none, or not known.
    [[nodiscard]] const std::string& schema() const noexcept { return schema_; }

private:
    void adopt_statement(const sql::statement_summary& statement, bool certain);
    void adopt_assignment(const sql::assignment& assignment, bool certain);
    void adopt_sql_mode(std::string_view value);

    sql::lexer_options options_;
    sql::multibyte_charset login_charset_ = sql::multibyte_charset::none;
    bool ansi_quotes_uncertain_ = false;
    std::string schema_;
};

/// 90700 of "9.7.0", 101106 of "5.5.5-10.11.6-MariaDB"; 0 when it is not understood.
[[nodiscard]] std::uint32_t parse_server_version(std::string_view version) noexcept;

}  // namespace sluice::session
