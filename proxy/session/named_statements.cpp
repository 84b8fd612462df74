#include "proxy/session/named_statements.hpp"

#include <algorithm>
#include <utility>

namespace sluice::session {

std::optional<std::string> immediate_text(std::string_view text, const sql::lexer_options& options) {
    sql::lexer lexer(text, options);
    if (!lexer.next().is("EXECUTE") || !lexer.next().is("IMMEDIATE")) return std::nullopt;
    const auto literal = lexer.next();
    const auto behind = lexer.next();
    const bool is_all = behind.kind == sql::token_kind::end || behind.is_symbol(';') || behind.is("USING");
    if (literal.kind != sql::token_kind::string || !is_all) return std::nullopt;
    return sql::string_text(literal, options);
}

std::string named_statements::name_in(std::string_view text, const sql::lexer_options& options) {
    sql::lexer lexer(text, options);
    auto token = lexer.next();
    if (token.is("DEALLOCATE") || token.is("DROP")) token = lexer.next();
    if (!token.is("PREPARE") && !token.is("EXECUTE")) return {};
    const bool executes = token.is("EXECUTE");
    token = lexer.next();
    if (!token.is_identifier() || (executes && token.is("IMMEDIATE"))) return {};
    auto name = sql::identifier_text(token, options);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return name;
}

void named_statements::add(std::string name, std::string text, const sql::lexer_options& options, std::string schema) {
    remove(name);
    if (name.empty() || text.size() > text_size_max || statements_.size() >= count_max) return;
    statements_.emplace(std::move(name), statement{std::move(text), options, std::move(schema)});
}

const named_statements::statement* named_statements::find(const std::string& name) const {
    const auto found = statements_.find(name);
    return found == statements_.end() ? nullptr : &found->second;
}

}  // namespace sluice::session
