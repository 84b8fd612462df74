#pragma once

// The names of the tables that a migration of table t makes: `_t_gho` ghost, `_t_ghc` changelog, `_t_del` the old
// table. They are gh-ost's names, so that its users and their scripts know them. A name that would pass 64 characters
// (characters, not bytes) keeps the beginning of t and gets eight hex digits of a hash of the whole of t, so that it
// stays the same over restarts and does not meet that of another table. Pure function; safe from any thread.

#include <string>
#include <string_view>

namespace sluice::migration {

struct artefact_names {
    std::string ghost;
    std::string changelog;
    std::string old_table;
    bool shortened = false;
};

/// table: a valid name in UTF-8, without its schema.
[[nodiscard]] artefact_names artefact_names_of(std::string_view table);

}  // namespace sluice::migration
