#include "protocol/sql/classifier.hpp"

#include <algorithm>
#include <array>

#include "protocol/sql/statement_head.hpp"

namespace sluice::sql {

namespace {

/// Words that every supported server reserves, so that no table has them as an unquoted name. Only saves work and false
/// alarms; a word that some version does not reserve must not stand here.
constexpr std::array<std::string_view, 71> reserved_words{
    "ADD",     "ALL",    "ALTER",      "AND",    "AS",    "ASC",     "BETWEEN", "BY",         "CASE",
    "COLLATE", "COLUMN", "CONSTRAINT", "CREATE", "CROSS", "DEFAULT", "DELETE",  "DESC",       "DISTINCT",
    "DROP",    "ELSE",   "EXISTS",     "FALSE",  "FOR",   "FORCE",   "FOREIGN", "FROM",       "GROUP",
    "HAVING",  "IF",     "IGNORE",     "IN",     "INDEX", "INNER",   "INSERT",  "INTERVAL",   "INTO",
    "IS",      "JOIN",   "KEY",        "LEFT",   "LIKE",  "LIMIT",   "LOCK",    "NATURAL",    "NOT",
    "NULL",    "ON",     "OR",         "ORDER",  "OUTER", "PRIMARY", "READ",    "REFERENCES", "REPLACE",
    "RIGHT",   "SELECT", "SET",        "TABLE",  "THEN",  "TO",      "TRUE",    "UNION",      "UNIQUE",
    "UPDATE",  "USE",    "USING",      "VALUES", "WHEN",  "WHERE",   "WITH",    "WRITE",
};
static_assert(std::is_sorted(reserved_words.begin(), reserved_words.end()));
constexpr std::size_t reserved_word_bytes_max = 10;

[[nodiscard]] constexpr char to_upper(char c) noexcept {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

[[nodiscard]] bool is_reserved(std::string_view word) noexcept {
    if (word.size() > reserved_word_bytes_max) return false;
    std::array<char, reserved_word_bytes_max> upper{};
    std::transform(word.begin(), word.end(), upper.begin(), to_upper);
    return std::binary_search(reserved_words.begin(), reserved_words.end(),
                              std::string_view(upper.data(), word.size()));
}

/// Reads dotted names out of a statement's tokens and adds those that may be tables.
class name_collector {
public:
    name_collector(statement_footprint& footprint, const lexer_options& options, const std::string& schema)
        : footprint_(footprint), options_(options), schema_(schema) {}

    void feed(const token& next) {
        if (next.is_symbol('.')) {
            after_dot_ = true;
            return;
        }
        if (next.is_identifier() && after_dot_ && parts_ > 0) {
            if (parts_ < chain_.size()) chain_[parts_] = next;
            ++parts_;
            after_dot_ = false;
            return;
        }
        flush();
        after_dot_ = false;
        if (next.is_identifier()) {
            chain_[0] = next;
            parts_ = 1;
        } else if (next.kind == token_kind::system_variable) {
            parts_ = 1;  // whatever follows its dots is its name
            ignore_ = true;
        }
    }

    /// Ends the chain of names in hand.
    void flush() {
        if (parts_ > 0 && !ignore_) add();
        parts_ = 0;
        ignore_ = false;
    }

private:
    void add() {
        if (footprint_.names.size() >= names_max) {
            footprint_.touches_anything = true;
            return;
        }
        if (parts_ == 1) {
            const auto& name = chain_[0];
            if (name.kind == token_kind::word && is_reserved(name.text)) return;
            if (name.kind == token_kind::word && name.text == last_word_) return;
            last_word_ = name.kind == token_kind::word ? name.text : std::string_view();
            add(schema_, identifier_text(name, options_));
        } else {
            // a.b is schema and table or table and column; the table of the latter stands alone elsewhere.
            add(identifier_text(chain_[0], options_), identifier_text(chain_[1], options_));
        }
    }

    void add(std::string schema, std::string name) {
        const bool known = std::any_of(footprint_.names.begin(), footprint_.names.end(), [&](const table_name& other) {
            return other.name == name && other.schema == schema;
        });
        if (!known) footprint_.names.push_back({std::move(schema), std::move(name)});
    }

    statement_footprint& footprint_;
    const lexer_options& options_;
    const std::string& schema_;  ///< set by a USE earlier in the text
    std::array<token, 2> chain_{};
    std::string_view last_word_;  ///< rows of one INSERT repeat their function calls
    std::size_t parts_ = 0;
    bool after_dot_ = false;
    bool ignore_ = false;
};

/// at_set stands before SET STATEMENT: moves behind the FOR, or says that there is none.
[[nodiscard]] bool go_behind_for(lexer& at_set) noexcept {
    std::size_t depth = 0;
    lexer ahead = at_set;
    for (auto now = ahead.next(); now.kind != token_kind::end && !now.is_symbol(';'); now = ahead.next()) {
        if (now.is_symbol('(')) ++depth;
        if (now.is_symbol(')') && depth > 0) --depth;
        if (depth != 0 || !now.is("FOR")) continue;
        at_set = ahead;
        return true;
    }
    return false;
}

class classification {
public:
    classification(std::string_view text, const lexer_options& options, bool inside_prepare)
        : lexer_(text, options), options_(options), inside_prepare_(inside_prepare) {}

    [[nodiscard]] statement_footprint run() {
        while (read_statement()) {
        }
        footprint_.trouble = lexer_.trouble();
        if (footprint_.trouble != lexer_trouble::none) footprint_.touches_anything = true;
        return std::move(footprint_);
    }

private:
    /// Reads one statement and its semicolon; false at the end of the text.
    bool read_statement() {
        statement_head head(lexer_);
        auto reading = read_head(head);
        while (options_.mariadb && head.is(0, "SET") && head.is(1, "STATEMENT") && go_behind_for(lexer_)) {
            footprint_.touches_anything = true;
            head = statement_head(lexer_);
            reading = read_head(head);
        }
        statement_summary summary;
        summary.kind = reading.kind;
        summary.effect = reading.effect;
        if (reading.touches_anything) footprint_.touches_anything = true;
        if (inside_prepare_ && reading.kind == statement_kind::prepare) footprint_.touches_anything = true;
        if (reading.kind == statement_kind::set) read_set(summary);
        if (reading.kind == statement_kind::use) summary.schema = identifier_text(head.at(1), options_);
        const bool is_with = head.is(0, "WITH");
        const auto ended_by = read_body(reading, is_with, summary);
        if (is_with && summary.kind == statement_kind::other) summary.kind = statement_kind::select;
        if (summary.kind == statement_kind::use) schema_ = summary.schema;
        if (summary.kind != statement_kind::empty) {
            if (footprint_.statements.size() >= statements_max) {
                footprint_.touches_anything = true;
                footprint_.statements.back() = {.kind = statement_kind::other,
                                                .effect = transaction_effect::may_change,
                                                .schema = {},
                                                .assignments = {}};
                return false;
            }
            footprint_.statements.push_back(std::move(summary));
        }
        return ended_by.kind != token_kind::end;
    }

    token read_body(const head_reading& reading, bool is_with, statement_summary& summary) {
        name_collector names(footprint_, options_, schema_);
        bool collecting = reading.names == name_rule::all;
        std::size_t depth = 0;
        token previous;
        for (auto now = lexer_.next();; now = lexer_.next()) {
            if (now.kind == token_kind::end || (now.is_symbol(';') && !reading.rest_is_body)) {
                names.flush();
                return now;
            }
            if (now.kind == token_kind::hint) continue;
            if (now.is_symbol('(')) ++depth;
            if (now.is_symbol(')') && depth > 0) --depth;
            if (is_with && depth == 0 && summary.kind == statement_kind::other) summary.kind = kind_after_with(now);
            note_flags(previous, now, summary);
            if (collecting) {
                names.feed(now);
            } else if (begins_names(reading.names, now)) {
                collecting = true;
            } else if (reading.names == name_rule::prepared && now.kind == token_kind::string) {
                read_prepared(now);
            }
            previous = now;
        }
    }

    [[nodiscard]] static bool begins_names(name_rule rule, const token& now) noexcept {
        switch (rule) {
            case name_rule::after_from: return now.is("FROM") || now.is("TABLE");
            case name_rule::after_show: return now.is("FROM") || now.is("IN") || now.is("TABLE") || now.is("VIEW");
            case name_rule::none:
            case name_rule::all:
            case name_rule::prepared: return false;
        }
        return true;
    }

    [[nodiscard]] static statement_kind kind_after_with(const token& now) noexcept {
        if (now.is("SELECT") || now.is("TABLE") || now.is("VALUES")) return statement_kind::select;
        if (now.is("UPDATE")) return statement_kind::update;
        if (now.is("DELETE")) return statement_kind::delete_;
        if (now.is("INSERT")) return statement_kind::insert;
        if (now.is("REPLACE")) return statement_kind::replace;
        return statement_kind::other;
    }

    static void note_flags(const token& previous, const token& now, statement_summary& summary) noexcept {
        switch (summary.kind) {
            case statement_kind::load_data:
                // LOCAL stands before INFILE and nowhere else.
                if (now.is("INFILE") && previous.is("LOCAL")) summary.local = true;
                break;
            case statement_kind::start_transaction:
                if (previous.is("CONSISTENT") && now.is("SNAPSHOT")) summary.consistent_snapshot = true;
                if (previous.is("READ") && now.is("ONLY")) summary.read_only = true;
                break;
            case statement_kind::commit:
            case statement_kind::rollback:
                if (previous.is("AND") && now.is("CHAIN")) {
                    summary.chain = true;
                    summary.effect = transaction_effect::opens;
                }
                if (!previous.is("NO") && now.is("RELEASE")) summary.release = true;
                break;
            default: break;
        }
    }

    void read_set(statement_summary& summary) {
        read_assignments(lexer_, options_, summary.assignments);
        for (const auto& one : summary.assignments) {
            if (one.scope == assignment::scope_kind::session && one.name == "autocommit") {
                summary.effect = transaction_effect::may_change;
            }
        }
        if (summary.assignments.size() >= assignments_max) summary.effect = transaction_effect::may_change;
    }

    void read_prepared(const token& literal) {
        const auto text = string_text(literal, options_);
        const auto prepared = classification(text, options_, true).run();
        footprint_.touches_anything = footprint_.touches_anything || prepared.touches_anything;
        for (const auto& name : prepared.names) {
            if (footprint_.names.size() >= names_max) {
                footprint_.touches_anything = true;
                return;
            }
            footprint_.names.push_back({name.schema.empty() ? schema_ : name.schema, name.name});
        }
    }

    lexer lexer_;
    lexer_options options_;
    bool inside_prepare_;
    std::string schema_;
    statement_footprint footprint_;
};

/// The longest piece of a name that stands in a text as it is: quotes are doubled there, other bytes depend on the
/// character set.
[[nodiscard]] std::string_view plain_piece(std::string_view name) noexcept {
    std::string_view longest;
    while (!name.empty()) {
        const auto end = std::min(name.find_first_of("`\"'\\"), name.size());
        if (end > longest.size()) longest = name.substr(0, end);
        name.remove_prefix(std::min(end + 1, name.size()));
    }
    return longest;
}

[[nodiscard]] bool has_non_ascii(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

[[nodiscard]] bool contains_ignoring_case(std::string_view text, std::string_view piece) noexcept {
    if (piece.size() > text.size()) return false;
    // Horspool's search: most bytes of a long text are never looked at.
    std::array<std::uint8_t, 256> shift{};
    const auto longest_shift = std::min<std::size_t>(piece.size(), 255);
    shift.fill(static_cast<std::uint8_t>(longest_shift));
    for (std::size_t i = 0; i + 1 < piece.size(); ++i) {
        const auto distance = static_cast<std::uint8_t>(std::min(piece.size() - 1 - i, longest_shift));
        const auto upper = to_upper(piece[i]);
        shift[static_cast<unsigned char>(upper)] = distance;
        if (upper >= 'A' && upper <= 'Z') shift[static_cast<unsigned char>(upper - 'A' + 'a')] = distance;
    }
    for (std::size_t at = 0; at + piece.size() <= text.size();) {
        const char last = text[at + piece.size() - 1];
        if (to_upper(last) == to_upper(piece.back()) && equal_ignoring_case(text.substr(at, piece.size()), piece)) {
            return true;
        }
        at += shift[static_cast<unsigned char>(last)];
    }
    return false;
}

}  // namespace

statement_footprint classify(std::string_view text, const classify_options& options) {
    return classification(text, options.lexer, false).run();
}

statement_kind cheap_kind(std::string_view text, const lexer_options& options) noexcept {
    statement_head head{lexer(text, options)};
    return read_head(head).kind;
}

std::string_view statement_run_by(std::string_view text, const lexer_options& options) noexcept {
    if (!options.mariadb) return text;
    for (;;) {
        lexer from(text, options);
        statement_head head{from};
        if (!head.is(0, "SET") || !head.is(1, "STATEMENT") || !go_behind_for(from)) return text;
        text.remove_prefix(from.position());
    }
}

bool begins_stored_program(std::string_view text, const lexer_options& options) noexcept {
    statement_head head{lexer(text, options)};
    return read_head(head).rest_is_body;
}

bool mentions(std::string_view text, std::string_view table_name) noexcept {
    if (has_non_ascii(table_name)) return has_non_ascii(text);
    const auto piece = plain_piece(table_name);
    return piece.empty() || contains_ignoring_case(text, piece);
}

bool dismissed(std::string_view text, std::string_view table_name, const lexer_options& options) noexcept {
    if (mentions(text, table_name)) return false;
    statement_head head{lexer(text, options)};
    const auto reading = read_head(head);
    // A literal can spell a name with escapes.
    if (reading.touches_anything || reading.names == name_rule::prepared) return false;
    const auto semicolon = text.find(';');
    return semicolon == std::string_view::npos ||
           text.find_first_not_of(" \t\r\n;", semicolon) == std::string_view::npos;
}

}  // namespace sluice::sql
