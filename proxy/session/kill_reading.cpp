#include "proxy/session/kill_reading.hpp"

#include <charconv>

#include "protocol/sql/classifier.hpp"

namespace sluice::session {

using sql::token_kind;

std::optional<std::uint64_t> killed_query(std::string_view text, const sql::lexer_options& options) {
    if (!sql::mentions(text, "kill")) return std::nullopt;
    sql::lexer lexer(text, options);
    auto token = lexer.next();
    if (!token.is("KILL")) return std::nullopt;
    token = lexer.next();
    if (token.is("HARD") || token.is("SOFT")) token = lexer.next();
    if (!token.is("QUERY")) return std::nullopt;
    token = lexer.next();  // MariaDB's KILL QUERY ID n is about another number
    std::uint64_t connection_id = 0;
    const auto* const end = token.text.data() + token.text.size();
    const auto parsed = std::from_chars(token.text.data(), end, connection_id);
    if (token.kind != token_kind::number || parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
    token = lexer.next();
    const bool ends = token.kind == token_kind::end || token.is_symbol(';');
    return ends ? std::optional(connection_id) : std::nullopt;
}

}  // namespace sluice::session
