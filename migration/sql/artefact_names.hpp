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
    std::string checkpoints;  ///< `_t_ghk`
    bool shortened = false;
    /// Names that ghost and old table bear only while a cut-over by two sessions is at it (`t~gho`, `t~old`). Servers
    /// take the metadata locks of a RENAME in the order of the names' bytes: behind `t` these two make it wait for `t`
    /// before anything else, which `_t_gho` would not (seen on MySQL 5.6 and 9.7 and on MariaDB 10.11). The old table's
    /// name is the last of the three.
    std::string swap_ghost;
    std::string swap_old;
};

/// table: a valid name in UTF-8, without its schema. named_after: takes its place but for the names of an attempt,
/// which must sort behind the table's; empty: it does not.
[[nodiscard]] artefact_names artefact_names_of(std::string_view table, std::string_view named_after = {});

}  // namespace sluice::migration
