#include "proxy/session/named_statements.hpp"

#include <algorithm>
#include <utility>

namespace sluice::session {

namespace {

// The text in PREPARE name FROM 'text'; nothing where it is no lone literal.
std::optional<std::string> prepared_text(std::string_view text, const sql::lexer_options& options) {
    sql::lexer lexer(text, options);
    if (!lexer.next().is("PREPARE") || !lexer.next().is_identifier() || !lexer.next().is("FROM")) return std::nullopt;
    const auto literal = lexer.next();
    const auto behind = lexer.next();
    const bool is_all = behind.kind == sql::token_kind::end || behind.is_symbol(';');
    if (literal.kind != sql::token_kind::string || !is_all) return std::nullopt;
    return sql::string_text(literal, options);
}

}  // namespace

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

void named_statements::add(std::string name, std::string_view text, const text_rules& rules, std::string schema) {
    remove(name);
    auto inner = prepared_text(text, rules.options);
    if (name.empty() || !inner || inner->size() > text_size_max || statements_.size() >= count_max) return;
    const auto bytes = name.size() + inner->size();
    if (bytes_ + bytes > bytes_max) return;
    bytes_ += bytes;
    statements_.emplace(std::move(name), statement{*std::move(inner), rules, std::move(schema)});
}

void named_statements::remove(const std::string& name) {
    const auto found = statements_.find(name);
    if (found == statements_.end()) return;
    bytes_ -= found->first.size() + found->second.text.size();
    statements_.erase(found);
}

void named_statements::clear() noexcept {
    statements_.clear();
    bytes_ = 0;
}

const named_statements::statement* named_statements::find(const std::string& name) const {
    const auto found = statements_.find(name);
    return found == statements_.end() ? nullptr : &found->second;
}

}  // namespace sluice::session
