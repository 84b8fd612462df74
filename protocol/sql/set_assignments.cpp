#include <algorithm>

#include "protocol/sql/classifier.hpp"
#include "protocol/sql/statement_head.hpp"

namespace sluice::sql {

namespace {

constexpr std::size_t value_bytes_max = 256;

[[nodiscard]] std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return text;
}

[[nodiscard]] bool is_end(const token& at) noexcept { return at.kind == token_kind::end || at.is_symbol(';'); }

using scope_kind = assignment::scope_kind;

/// The scope that a keyword or the first part of @@scope.name gives; null if it is the variable's own name.
[[nodiscard]] const scope_kind* scope_of(std::string_view word) noexcept {
    static constexpr auto session = scope_kind::session;
    static constexpr auto global = scope_kind::global;
    if (equal_ignoring_case(word, "SESSION") || equal_ignoring_case(word, "LOCAL")) return &session;
    if (equal_ignoring_case(word, "GLOBAL") || equal_ignoring_case(word, "PERSIST") ||
        equal_ignoring_case(word, "PERSIST_ONLY")) {
        return &global;
    }
    return nullptr;
}

class set_reader {
public:
    set_reader(const lexer& at_set, const lexer_options& options) : lexer_(at_set), options_(options) {
        advance();  // SET
        advance();
    }

    void read_all(std::vector<assignment>& assignments) {
        while (!is_end(now_) && assignments.size() < assignments_max) {
            assignment one;
            read_target(one);
            read_value(one);
            if (!one.name.empty()) assignments.push_back(std::move(one));
            if (now_.is_symbol(',')) advance();
        }
    }

private:
    void advance() {
        do {
            now_ = lexer_.next();
        } while (now_.kind == token_kind::hint);
    }

    void read_target(assignment& one) {
        one.scope = sticky_;
        if (now_.kind == token_kind::user_variable) {
            one.scope = scope_kind::user;
            auto name = now_.text.substr(1);
            if (name.size() >= 2 && name.back() == name.front() && !name.empty() &&
                (name.front() == '`' || name.front() == '\'' || name.front() == '"')) {
                name = name.substr(1, name.size() - 2);
            }
            one.name = lower(std::string(name));
            advance();
        } else if (now_.kind == token_kind::system_variable) {
            read_system_variable(one);
        } else if (now_.is_identifier()) {
            read_word(one);
        } else if (!is_end(now_)) {
            advance();
        }
    }

    void read_system_variable(assignment& one) {
        one.scope = scope_kind::session;
        const auto first = now_.text.substr(2);
        advance();
        const auto* scope = scope_of(first);
        if (!first.empty() && (scope == nullptr || !now_.is_symbol('.'))) {
            one.name = lower(std::string(first));
        } else {
            if (scope != nullptr) one.scope = *scope;
            if (now_.is_symbol('.')) advance();
            take_name(one);
        }
        read_rest_of_name(one);
    }

    void read_word(assignment& one) {
        if (now_.kind == token_kind::word) {
            if (const auto* scope = scope_of(now_.text)) {
                sticky_ = one.scope = *scope;
                advance();
            }
        }
        const bool character_set = now_.is("CHARACTER") || now_.is("CHARSET");
        const bool takes_words = now_.is("NAMES") || now_.is("PASSWORD") || now_.is("ROLE");
        if (character_set) {
            if (now_.is("CHARACTER")) advance();
            one.name = "character set";
            advance();
            return;
        }
        take_name(one);
        if (!takes_words) read_rest_of_name(one);
    }

    void take_name(assignment& one) {
        if (!now_.is_identifier()) return;
        one.name = lower(identifier_text(now_, options_));
        advance();
    }

    /// instance.variable, component.variable
    void read_rest_of_name(assignment& one) {
        while (now_.is_symbol('.')) {
            advance();
            if (!now_.is_identifier()) return;
            one.name += '.' + lower(identifier_text(now_, options_));
            advance();
        }
    }

    void read_value(assignment& one) {
        if (now_.is_symbol('=') || (now_.kind == token_kind::symbol && now_.text == ":=")) advance();
        std::size_t depth = 0;
        const char* begin = now_.text.data();
        const char* end = begin;
        while (!is_end(now_) && !(depth == 0 && now_.is_symbol(','))) {
            if (now_.is_symbol('(')) ++depth;
            if (now_.is_symbol(')') && depth > 0) --depth;
            end = now_.text.data() + now_.text.size();
            advance();
        }
        one.value.assign(begin, std::min(static_cast<std::size_t>(end - begin), value_bytes_max));
    }

    lexer lexer_;
    const lexer_options& options_;
    token now_{};
    scope_kind sticky_ = scope_kind::session;  // a GLOBAL or SESSION holds for the assignments behind it
};

}  // namespace

void read_assignments(lexer at_set, const lexer_options& options, std::vector<assignment>& assignments) {
    set_reader(at_set, options).read_all(assignments);
}

}  // namespace sluice::sql
