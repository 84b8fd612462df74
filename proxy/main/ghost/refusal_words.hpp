#pragma once

// The engine's refusals in the words that gh-ost's users, and their scripts, know; behind them the engine's own, which
// name the objects and say what would be right.

#include "migration/model/failure.hpp"
#include "migration/model/table_description.hpp"

#include <string>

namespace sluice::ghost {

/// code, message: of the failure. named_after: migration_options::tables_named_after.
[[nodiscard]] std::string refusal_words(const std::string& code, const std::string& message,
                                        const migration::table_name& table, const std::string& named_after = {});

/// The server's errors in the form of gh-ost's driver.
[[nodiscard]] std::string words_of(const migration::failure& why);

}  // namespace sluice::ghost
