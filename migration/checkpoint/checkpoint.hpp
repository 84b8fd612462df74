#pragma once

// From where a later process can go on with a copy that was not finished, and how it knows that it may. A plain value.
//
// Why that loses nothing: every change up to `place` is in the ghost, or is of a row that the copy was still to read;
// every row up to `copied.through` that was there has been read. Both were committed before the checkpoint was written.
// What came between the checkpoint and the end of the process stands behind `place` in the binary log and is applied
// once more, by key, from the original as it is then: applying a key twice does no harm. Rows that were copied behind
// `through` are met again and left as they are; no change to them is dropped, see copy_frontier.

#include "migration/engine/deferred_indexes.hpp"
#include "migration/ledger/copy_frontier.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::migration {

struct checkpoint {
    std::string run;       ///< migration_plan::run; stands in the changelog as well, which goes with the ghost
    std::string place;     ///< place_to_text()
    bool by_gtid = false;  ///< what kind of place
    std::string server;    ///< whose log it is, where places are files and offsets
    /// Of a row in the changelog, written behind `place`: a log without it is not the one that was followed.
    std::uint64_t marker = 0;
    bool expects_unknown_prepared = false;  ///< see change_capture
    /// By GTID: all that the server had executed when the rest of this was true. What another server lacks of it may be
    /// chunks, which `place` does not tell of.
    std::string executed;

    copy_progress copied;
    std::uint64_t rows_copied = 0;
    std::uint64_t deltas_applied = 0;

    // What the plan was made from, and what must be the same for it to hold.
    std::string alter;
    std::string options;     ///< those that decide what becomes of the rows, see options_of_plan()
    std::string original;    ///< its definition, without the counter
    std::string ghost;       ///< likewise; without what may be made later, see shape_of_ghost()
    std::string unique_key;  ///< describe() of the key
    std::string moment;      ///< migration_plan::moment
    std::string old_table;   ///< what the original is to be called after the swap
    std::vector<deferred_index> deferred;

    bool swapped = false;  ///< of a finished migration: `place` is where its way back begins, and lies before the swap
    std::string swap_clause;                                  ///< of the statement that swapped the tables
    std::map<std::string, std::string> former_trigger_names;  ///< see way_back_report
};

/// JSON, for a column of text. Of bounds only the literals are kept, not their order.
[[nodiscard]] std::string to_text(const checkpoint& value);
/// nullopt where it is none, or one of another version.
[[nodiscard]] std::optional<checkpoint> checkpoint_from_text(std::string_view text);

struct migration_options;

/// "defer_secondary_indexes=yes, …": of the options that a plan depends on.
[[nodiscard]] std::string options_of_plan(const migration_options& options);
/// From SHOW CREATE TABLE of the ghost: its shape_of() but for indexes that may be built after the copy.
[[nodiscard]] std::string shape_of_ghost(const std::string& create_statement);

}  // namespace sluice::migration
