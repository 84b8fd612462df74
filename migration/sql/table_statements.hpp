#pragma once

// Statements about whole tables: ghost, changelog, locks, renames. Values in, text out. Pure functions; safe from any
// thread.

#include <span>
#include <string>
#include <string_view>

#include "migration/model/table_description.hpp"

namespace sluice::migration {

[[nodiscard]] std::string create_ghost_statement(const table_name& original, const table_name& ghost);

/// body: alter_statement::body, checked by parse_alter().
[[nodiscard]] std::string alter_ghost_statement(const table_name& ghost, std::string_view body);

/// The changelog: id bigint unsigned primary key, last_update timestamp, hint varchar(64) unique, value varchar(4096).
[[nodiscard]] std::string create_changelog_statement(const table_name& changelog);

/// A row of the changelog; ids of markers are far above these.
struct changelog_hint {
    unsigned id;
    std::string_view name;
};
inline constexpr changelog_hint heartbeat_hint{1, "heartbeat"};
inline constexpr changelog_hint state_hint{2, "state"};
inline constexpr changelog_hint throttle_hint{3, "throttle"};
// Not gh-ost's.
inline constexpr changelog_hint run_hint{4, "run"};
inline constexpr changelog_hint replication_hint{5, "replication"};

/// Sets the value of a hint, inserting the row if it is new. value: up to 4096 characters of UTF-8.
[[nodiscard]] std::string write_changelog_statement(const table_name& changelog, const changelog_hint& hint,
                                                    std::string_view value);
[[nodiscard]] std::string read_changelog_statement(const table_name& changelog, const changelog_hint& hint);

[[nodiscard]] std::string drop_table_statement(const table_name& table);  ///< with IF EXISTS
[[nodiscard]] std::string analyze_table_statement(const table_name& table);

/// LOCK TABLES a WRITE, b WRITE, ...; at least one.
[[nodiscard]] std::string lock_tables_statement(std::span<const table_name> tables);

struct table_rename {
    table_name from;
    table_name to;
};

/// RENAME TABLE a TO b, c TO d: all or nothing; at least one.
[[nodiscard]] std::string rename_statement(std::span<const table_rename> renames);

/// What changes places at a cut-over: original to old_table and ghost to original.
struct table_swap {
    table_name original;
    table_name ghost;
    table_name old_table;
};

/// One RENAME TABLE for all of them; at least one. All originals go before the first ghost comes: see settle_swap().
[[nodiscard]] std::string swap_statement(std::span<const table_swap> swaps);
/// By what of that statement it is known to be the swap of this one: the original's going.
[[nodiscard]] std::string swap_clause(const table_swap& swap);

}  // namespace sluice::migration
