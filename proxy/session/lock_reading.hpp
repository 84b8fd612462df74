#pragma once

// What of a statement's text tells which locks outlive it without a transaction: the locks of FLUSH, and the alias
// under which a HANDLER is open. Pure; any thread.

#include <string>
#include <string_view>

#include "protocol/sql/lexer.hpp"
#include "protocol/sql/statement_footprint.hpp"
#include "proxy/session/expected_reply.hpp"

namespace sluice::session {

/// kind: of the text's only statement, or `other` when it has several: then any FLUSH in it counts.
[[nodiscard]] flush_lock flush_lock_of(std::string_view text, sql::statement_kind kind,
                                       const sql::lexer_options& options);

/// Of HANDLER [schema.]table OPEN [[AS] alias] and of HANDLER alias CLOSE, in lower case and without quotes; empty when
/// the text is neither.
[[nodiscard]] std::string handler_alias(std::string_view text, const sql::lexer_options& options);

}  // namespace sluice::session
