#pragma once

// What the statements are of a text that is too long to be looked at whole, read as it passes by: where one ends, and
// of each the first bytes. Only for texts that may hold several. What a statement names is not looked for.
//
// Splits as sql::lexer does (quotes, comments, versioned comments, character sets), from piece to piece. Bounded
// memory: the start of one statement and a summary of those that change the session. One thread.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/sql/lexer.hpp"
#include "protocol/sql/statement_footprint.hpp"
#include "proxy/session/expected_reply.hpp"
#include "proxy/session/quote_reading.hpp"

namespace sluice::session {

/// What stands in a text unread may have set the default schema, and what double quotes are.
void note_unseen_settings(command_memory& memory);

class statement_scan {
public:
    explicit statement_scan(const text_rules& rules) noexcept
        : options_(rules.options), quotes_certain_(rules.quotes_certain) {}

    /// The text's next bytes, from its first on.
    void feed(std::string_view bytes);
    /// The text has ended.
    void finish();

    /// The text holds several statements, or it is not known how many.
    [[nodiscard]] bool several() const noexcept { return count_ > 1 || uncertain_; }
    /// After finish(), of several: fills in what they may do to the session, whatever tables they touch.
    void tell(expected_reply& reply) &&;

    /// Of a statement so much is looked at; of its kind more than that is seldom needed.
    static constexpr std::size_t head_size_max = 512;
    static constexpr std::size_t statements_max = 1024;

private:
    enum class place : std::uint8_t {
        code,
        dash,    // "-"
        dashes,  // "--"
        slash,   // "/"
        star,    // "*" in code
        quoted,
        line_comment,
        comment_mark,     // "/*"
        mariadb_mark,     // "/*M"
        comment_version,  // "/*!" and digits
        comment,
        comment_slash,  // these two: inside of a comment
        comment_star,
    };

    void on_code(char c);
    void on_plain_code(char c);
    void on_quoted(char c);
    [[nodiscard]] bool on_mark(char c);
    void on_comment(char c) noexcept;
    void enter_comment(bool may_nest) noexcept;
    [[nodiscard]] bool comment_is_code(char behind);
    [[nodiscard]] bool completes_character(char c) noexcept;
    [[nodiscard]] std::size_t pass_plain(std::string_view bytes) noexcept;
    void take(char c);
    void end_statement();

    sql::lexer_options options_;
    bool quotes_certain_;
    place place_ = place::code;
    char quote_ = 0;
    char lead_ = 0;  // first byte of what may be a character of two
    bool escaped_ = false;
    bool in_executable_comment_ = false;
    bool may_nest_ = false;  // these two: of the comment
    bool nested_ = false;
    bool is_body_ = false;  // of a stored program: up to the text's end
    bool uncertain_ = false;
    std::string mark_;  // of a versioned comment, up to its number
    std::size_t version_digits_ = 0;
    std::string head_;
    bool has_content_ = false;
    bool head_is_cut_ = false;
    std::size_t count_ = 0;
    flush_lock flush_ = flush_lock::none;
    bool may_load_local_file_ = false;
    bool may_lock_ = false;
    std::vector<sql::statement_summary> statements_;
};

}  // namespace sluice::session
