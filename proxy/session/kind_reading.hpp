#pragma once

// What kind of statement a text is, where the session must know it. Pure; any thread.

#include <string_view>

#include "protocol/sql/classifier.hpp"

namespace sluice::session {

/// Of the text's first statement; of WITH that which it leads to. `other` is what nobody knows: MariaDB's compound
/// statements among it, which run others.
[[nodiscard]] inline sql::statement_kind kind_of(std::string_view text, const sql::lexer_options& options) {
    const auto kind = sql::cheap_kind(text, options);
    return kind == sql::statement_kind::other ? sql::classify(text, {options}).first_kind() : kind;
}

/// Whether a single statement of the kind runs others, whose texts are not known here.
[[nodiscard]] constexpr bool runs_others(sql::statement_kind kind) noexcept {
    using enum sql::statement_kind;
    return kind == call || kind == execute || kind == other;
}

/// Whether what such a statement runs may be LOAD DATA LOCAL: by EXECUTE, or on MariaDB, which prepares it, by an
/// EXECUTE inside of a procedure or a compound statement. text: of it, or one that it is part of.
[[nodiscard]] inline bool may_run_local_load(sql::statement_kind kind, std::string_view text, bool mariadb) {
    using enum sql::statement_kind;
    if (kind == execute || !mariadb) return kind == execute;
    return kind == call || (kind == other && (sql::mentions(text, "execute") || sql::mentions(text, "call")));
}

}  // namespace sluice::session
