#include "proxy/session/statement_scan.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/sql/classifier.hpp"
#include "proxy/session/kind_reading.hpp"
#include "proxy/session/lock_reading.hpp"

namespace sluice::session {

using sql::statement_kind;

namespace {

constexpr std::size_t version_digits_max = 8;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_blank(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_high(char c) noexcept { return static_cast<unsigned char>(c) >= 0x80; }

// What changes nothing but rows, and no transaction by itself: thousands of them need not be remembered.
bool is_plain(statement_kind kind) noexcept {
    using enum statement_kind;
    switch (kind) {
        case select:
        case insert:
        case update:
        case delete_:
        case replace:
        case show:
        case explain: return true;
        default: return false;
    }
}

}  // namespace

void note_unseen_settings(command_memory& memory) {
    sql::statement_summary use;
    use.kind = statement_kind::use;
    sql::statement_summary set;
    set.kind = statement_kind::set;
    set.assignments.push_back({sql::assignment::scope_kind::session, "sql_mode", "?"});
    memory.statements.push_back(std::move(use));
    memory.statements.push_back(std::move(set));
}

void statement_scan::feed(std::string_view bytes) {
    std::size_t at = 0;
    while (at < bytes.size() && !is_body_) {
        at += pass_plain(bytes.substr(at));
        if (at == bytes.size()) return;
        const char c = bytes[at];
        switch (place_) {
            case place::code:
            case place::dash:
            case place::dashes:
            case place::slash:
            case place::star:
            case place::quoted:
                on_code(c);
                ++at;
                break;
            case place::comment_mark:
            case place::mariadb_mark:
            case place::comment_version:
                if (on_mark(c)) ++at;
                break;
            default:
                on_comment(c);
                ++at;
                break;
        }
    }
}

// Most of a long text is inside of quotes. Returns how much of that may be stepped over.
std::size_t statement_scan::pass_plain(std::string_view bytes) noexcept {
    if (place_ != place::quoted || escaped_ || lead_ != 0) return 0;
    if (head_.size() < head_size_max) return 0;
    const bool multibyte = options_.charset != sql::multibyte_charset::none;
    std::size_t at = 0;
    while (at < bytes.size() && bytes[at] != quote_ && bytes[at] != '\\' && !(multibyte && is_high(bytes[at]))) ++at;
    if (at != 0) head_is_cut_ = true;
    return at;
}

// The later byte of a character may look like a quote or a backslash. Those of four bytes have digits in that place.
bool statement_scan::completes_character(char c) noexcept {
    if (lead_ == 0) return false;
    const std::array<char, 2> both{std::exchange(lead_, '\0'), c};
    return sql::character_length(options_.charset, {both.data(), both.size()}, 0) == 2;
}

void statement_scan::on_quoted(char c) {
    take(c);
    const bool string_like = quote_ == '\'' || (quote_ == '"' && !options_.ansi_quotes);
    // Nothing else of what is in double quotes makes a difference to where they end.
    if (c == '\\' && quote_ == '"' && !quotes_certain_ && !options_.no_backslash_escapes) uncertain_ = true;
    if (escaped_) {
        escaped_ = false;
    } else if (c == '\\' && string_like && !options_.no_backslash_escapes) {
        escaped_ = true;
    } else if (c == quote_) {
        place_ = place::code;  // a doubled one opens again at once
    }
}

// What may be the first of two that mean something together is taken when the second is seen not to be that.
void statement_scan::on_code(char c) {
    if (completes_character(c)) return take(c);
    if (options_.charset != sql::multibyte_charset::none && is_high(c) && !escaped_) lead_ = c;
    if (place_ == place::quoted) return on_quoted(c);
    switch (std::exchange(place_, place::code)) {
        case place::dash:
            if (c == '-') {
                place_ = place::dashes;
                return;
            }
            take('-');
            break;
        case place::dashes:
            if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f') {
                if (c != '\n') place_ = place::line_comment;
                return take(' ');
            }
            take('-');
            if (c == '-') {  // it may be the second and the third that begin a comment
                place_ = place::dashes;
                return;
            }
            take('-');
            break;
        case place::slash:
            if (c == '*') {
                place_ = place::comment_mark;
                return take(' ');
            }
            take('/');
            break;
        case place::star:
            if (c == '/' && in_executable_comment_) {
                in_executable_comment_ = false;
                return take(' ');
            }
            take('*');
            break;
        default: break;
    }
    on_plain_code(c);
}

void statement_scan::on_plain_code(char c) {
    switch (c) {
        case '-': place_ = place::dash; return;
        case '/': place_ = place::slash; return;
        case '*': place_ = place::star; return;
        case '#': place_ = place::line_comment; return take(' ');
        case ';': return end_statement();
        case '"':
        case '\'':
        case '`':
            quote_ = c;
            place_ = place::quoted;
            break;
        default: break;
    }
    take(c);
}

// False: what the byte means is said by the place that has been found out.
bool statement_scan::on_mark(char c) {
    if (place_ == place::comment_mark && c == 'M') {
        place_ = place::mariadb_mark;
        return true;
    }
    // Plain comment to MySQL; with the server unknown it might be MariaDB.
    const bool may_be_code = place_ == place::comment_mark || options_.mariadb || options_.server_version == 0;
    if (place_ != place::comment_version) {
        if (c != '!' || !may_be_code) {
            enter_comment(false);
            return false;
        }
        mark_ = place_ == place::comment_mark ? "/*!" : "/*M!";
        place_ = place::comment_version;
        version_digits_ = 0;
        return true;
    }
    if (is_digit(c) && version_digits_ < version_digits_max) {
        mark_ += c;
        ++version_digits_;
        return true;
    }
    if (comment_is_code(c)) {
        place_ = place::code;
        in_executable_comment_ = true;
    } else {
        enter_comment(true);
    }
    return false;
}

// Left to the lexer, which sees anything behind the mark only if the server does.
bool statement_scan::comment_is_code(char behind) {
    mark_ += is_blank(behind) ? " x" : "x";
    sql::lexer lexer(mark_, options_);
    const bool is_code = lexer.next().kind != sql::token_kind::end;
    if (lexer.trouble() == sql::lexer_trouble::uncertain_comment) uncertain_ = true;
    return is_code;
}

void statement_scan::enter_comment(bool may_nest) noexcept {
    place_ = place::comment;
    may_nest_ = may_nest;
    nested_ = false;
}

void statement_scan::on_comment(char c) noexcept {
    if (place_ == place::line_comment) {
        if (c == '\n') place_ = place::code;
        return;
    }
    const auto before = std::exchange(place_, place::comment);
    if (before == place::comment_star && c == '/') {
        if (!std::exchange(nested_, false)) place_ = place::code;
    } else if (before == place::comment_slash && c == '*') {
        nested_ = true;
    } else if (c == '*') {
        place_ = place::comment_star;
    } else if (c == '/' && may_nest_ && !nested_) {
        place_ = place::comment_slash;
    }
}

void statement_scan::take(char c) {
    if (!is_blank(c)) has_content_ = true;
    if (head_.size() < head_size_max) {
        head_ += c;
    } else {
        head_is_cut_ = true;
    }
}

void statement_scan::finish() {
    if (is_body_) return;
    end_statement();
}

void statement_scan::end_statement() {
    const auto head = std::exchange(head_, {});
    const bool is_cut = std::exchange(head_is_cut_, false);
    if (!std::exchange(has_content_, false)) return;
    ++count_;
    if (sql::begins_stored_program(head, options_)) {
        // Where it ends, and what comes behind it, only the server's grammar tells.
        is_body_ = true;
        uncertain_ = true;
        return;
    }
    auto statements = sql::classify(head, {options_}).statements;
    if (statements.empty()) {
        uncertain_ = true;
        return;
    }
    auto& statement = statements.front();
    flush_ = std::max(flush_, flush_lock_of(sql::statement_run_by(head, options_), statement.kind, options_));
    if (statement.kind == statement_kind::execute) may_lock_ = true;
    const bool runs_unseen = is_cut && options_.mariadb && runs_others(statement.kind);
    if (runs_unseen || statement.local || may_run_local_load(statement.kind, head, options_.mariadb)) {
        may_load_local_file_ = true;
    }
    if (statement.kind == statement_kind::set && is_cut) uncertain_ = true;
    if (is_plain(statement.kind) && statements_.size() > 1) return;
    if (statements_.size() == statements_max) {
        uncertain_ = true;
        return;
    }
    statements_.push_back(std::move(statement));
}

void statement_scan::tell(expected_reply& reply) && {
    reply.kind = statement_kind::other;
    reply.runs_several = true;
    reply.reads_by_snapshot = true;
    reply.takes_snapshot = false;
    reply.touches_a_table = true;
    reply.flush = std::max(reply.flush, flush_);
    reply.may_lock = may_lock_ || uncertain_;
    reply.local_infile_asked = may_load_local_file_ || uncertain_;
    if (!reply.memory) reply.memory = std::make_unique<command_memory>();
    reply.memory->statements = std::move(statements_);
    // Of the first statement; what the others set, and whether that is used up, is not known.
    reply.memory->isolation = {isolation_change::scope_kind::session, isolation::unknown};
    if (uncertain_) note_unseen_settings(*reply.memory);
}

}  // namespace sluice::session
