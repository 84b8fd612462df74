#pragma once

// The statements by which an operator commands migrations on the proxied endpoint. None of them can be a statement of a
// server: nothing of theirs begins with these words.
//   CUT OVER MIGRATION 'id'   POSTPONE MIGRATION 'id'   PAUSE MIGRATION 'id'   RESUME MIGRATION 'id'
//   ABORT MIGRATION 'id'      REVERT MIGRATION 'id'     FINISH MIGRATION 'id'
//   ALTER MIGRATION 'id' SET option = value [, option = value …]
// A value is a number, a string, or one of TRUE, FALSE, ON, OFF. Pure function; safe from any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/sql/lexer.hpp"

namespace sluice::sql {

enum class migration_verb : std::uint8_t { cut_over, postpone, pause, resume, abort, revert, finish, alter };

/// An option's new value as it was written: whether it fits is for others to say.
struct migration_setting {
    enum class value_kind : std::uint8_t { number, text, flag };

    std::string option;
    value_kind kind = value_kind::number;
    std::string value;  ///< of a flag "true" or "false"
};

struct migration_command {
    migration_verb verb = migration_verb::cut_over;
    std::string id;
    std::vector<migration_setting> settings;  ///< of `alter`: at least one
};

/// The command, if text is exactly one such statement (comments and a trailing semicolon allowed).
[[nodiscard]] std::optional<migration_command> read_migration_command(std::string_view text,
                                                                      const lexer_options& options = {});

}  // namespace sluice::sql
