#include "protocol/sql/alter_rewriting.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace sluice::sql {

namespace {

struct piece {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string replacement;
};

[[nodiscard]] std::vector<token> tokens_of(std::string_view body, const lexer_options& options) {
    std::vector<token> tokens;
    lexer lex(body, options);
    for (auto next = lex.next(); next.kind != token_kind::end; next = lex.next()) {
        if (next.kind != token_kind::hint) tokens.push_back(next);
    }
    return tokens;
}

[[nodiscard]] std::size_t begin_of(std::string_view body, const token& one) {
    return static_cast<std::size_t>(one.text.data() - body.data());
}

[[nodiscard]] std::size_t end_of(std::string_view body, const token& one) {
    return begin_of(body, one) + one.text.size();
}

[[nodiscard]] std::string with_pieces(std::string_view body, const std::vector<piece>& pieces) {
    std::string text;
    std::size_t at = 0;
    for (const auto& one : pieces) {
        text.append(body.substr(at, one.begin - at)).append(one.replacement);
        at = one.end;
    }
    return text.append(body.substr(at));
}

[[nodiscard]] std::string quoted(std::string_view name) {
    std::string text = "`";
    for (const char c : name) text.append(c == '`' ? 2 : 1, c);
    return text + '`';
}

[[nodiscard]] std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

[[nodiscard]] std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return text;
}

}  // namespace

std::string without_algorithm_and_lock(std::string_view body, const lexer_options& options) {
    const auto tokens = tokens_of(body, options);
    const auto at = [&](std::size_t i) -> const token& {
        static constexpr token none{};
        return i < tokens.size() ? tokens[i] : none;
    };
    std::vector<piece> pieces;
    std::size_t depth = 0;
    bool clause_begins = true;
    bool first_is_gone = false;  // the comma behind it goes with it
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const auto& now = at(i);
        if (now.is_symbol('(')) ++depth;
        if (now.is_symbol(')') && depth > 0) --depth;
        if (depth == 0 && clause_begins && (now.is("ALGORITHM") || now.is("LOCK"))) {
            const std::size_t last = at(i + 1).is_symbol('=') ? i + 2 : i + 1;
            const bool is_first = i == 0 || first_is_gone;
            const bool has_comma_behind = at(last + 1).is_symbol(',');
            const auto& begin = is_first ? now : at(i - 1);  // else with the comma before it
            const auto& end = is_first && has_comma_behind ? at(last + 1) : at(std::min(last, tokens.size() - 1));
            pieces.push_back({begin_of(body, begin), end_of(body, end), {}});
            first_is_gone = is_first;
            i = is_first && has_comma_behind ? last + 1 : last;
            clause_begins = is_first && has_comma_behind;
            continue;
        }
        first_is_gone = false;
        clause_begins = depth == 0 && now.is_symbol(',');
    }
    return pieces.empty() ? std::string(body) : trimmed(with_pieces(body, pieces));
}

std::string with_constraint_names(std::string_view body, const constraint_names& names, const lexer_options& options) {
    const auto tokens = tokens_of(body, options);
    std::vector<piece> pieces;
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
        const auto& name = tokens[i + 1];
        const bool of_constraint = tokens[i].is("CONSTRAINT");
        if ((!of_constraint && !tokens[i].is("CHECK")) || !name.is_identifier()) continue;
        const bool of_old = i > 0 && (tokens[i - 1].is("DROP") || tokens[i - 1].is("ALTER"));
        const bool of_new = of_constraint && i + 2 < tokens.size() && tokens[i + 2].is("CHECK");
        if (!of_old && !of_new) continue;
        const auto found = names.find(lower(identifier_text(name, options)));
        if (found == names.end()) continue;
        pieces.push_back({begin_of(body, name), end_of(body, name), quoted(found->second)});
    }
    return with_pieces(body, pieces);
}

}  // namespace sluice::sql
