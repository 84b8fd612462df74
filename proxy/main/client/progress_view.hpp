#pragma once

// How a migration looks in a terminal and in a log. Pure functions of the JSON that the HTTP API gives.

#include "protocol/result.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice {

/// The part of a migration that progress needs.
struct migration_progress {
    std::string id;
    std::string table;  ///< schema.table
    std::string state;
    std::string way;  ///< "instant", "inplace", "copy"; empty before it is decided
    std::string waiting_for;
    bool paused = false;
    bool postponed = false;
    std::uint64_t rows_copied = 0;
    std::uint64_t rows_estimate = 0;
    std::uint64_t rows_per_s = 0;
    std::uint64_t backlog_keys = 0;
    std::uint64_t rows_compared = 0;  ///< by the comparison in hand
    double progress = 0.0;            ///< 0 … 1
    std::optional<std::uint64_t> eta_s;
    std::string error;  ///< "code: message", or empty

    /// The table has its new definition (and maybe an old table that follows it), or by the operator's will the old
    /// one.
    [[nodiscard]] bool completed() const { return state == "completed" || state == "in_sync" || state == "reverted"; }
    [[nodiscard]] bool failed() const { return state == "failed" || state == "aborted"; }
};

struct not_a_migration {};

[[nodiscard]] result<migration_progress, not_a_migration> read_progress(const boost::json::object& migration);

/// One line with a bar, at most `width` columns (at least 20), without a line end:
/// "copying  [#####-----]  51.3 %  153900/300000 rows  41000 rows/s  ETA 4 s  backlog 120".
[[nodiscard]] std::string bar_line(const migration_progress& p, std::size_t width);

/// The same for a log: "copying 51.3% rows=153900/300000 rate=41000/s eta=4s backlog=120".
[[nodiscard]] std::string plain_line(const migration_progress& p);

/// What is said at the end: "completed: test.t, 300000 rows copied", "failed: test.t: code: message", and below it the
/// ways that were not taken, the last cut-over and what is left over.
[[nodiscard]] std::string ending_text(const boost::json::object& migration);

/// A table with a heading; each column as wide as its widest cell.
[[nodiscard]] std::string list_text(const boost::json::array& migrations);

/// Every field on a line of its own, then the cut-over attempts.
[[nodiscard]] std::string detail_text(const boost::json::object& migration);

/// 95 → "1 min 35 s", 7300 → "2 h 1 min".
[[nodiscard]] std::string duration_text(std::uint64_t seconds);

}  // namespace sluice
