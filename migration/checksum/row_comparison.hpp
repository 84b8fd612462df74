#pragma once

// The comparison's statements, run: a range or some keys of original and ghost, and which keys differ. No state but the
// scratch table of its session.

#include "migration/ports/sql_executor.hpp"
#include "migration/sql/comparison_columns.hpp"
#include "migration/sql/comparison_statements.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::migration {

/// Used by one thread. The session may lose its connection and get another; the scratch table is then made again.
class row_comparison {
public:
    row_comparison(const comparison_columns& what, sql_session& session, key_set_form form);

    /// Keys listed of one range and kind at most; see range_findings::more.
    static constexpr std::size_t keys_max = 2'000;

    /// Tries what the comparison needs on the server: "missing_privileges" without CREATE TEMPORARY TABLES, where the
    /// ALTER converts columns.
    outcome<void> prepare();

    struct range_findings {
        std::uint64_t rows = 0;              ///< of the original
        std::vector<std::string> differing;  ///< keys, as in row_key::literals
        bool more = false;                   ///< not all of them were listed
    };
    /// "verification_failed" when a join of the two tables does not return each row of the original once; where the
    /// ghost does not keep the key unique, a key that is there twice differs.
    outcome<range_findings> compare_range(const range_bounds& bounds);
    /// The keys, of those given, whose rows differ, are missing in the ghost, are there twice, or are only there.
    outcome<std::vector<std::string>> compare_keys(const std::vector<std::string>& keys);

    /// The key that ends a chunk of about `rows` rows after `lower`; nullopt if there are fewer. of_ghost: along the
    /// ghost's key.
    outcome<std::optional<key_literals>> chunk_end(const std::optional<key_literals>& lower, std::size_t rows,
                                                   bool of_ghost);
    /// Keys of rows of a range of the ghost's key that only the ghost has; for keys that are ordered differently.
    outcome<range_findings> surplus_of_ghost_range(const range_bounds& bounds);

    /// "key (7): column `a` differs", "key (9): missing in `s`.`_t_gho`": for people.
    outcome<std::vector<std::string>> describe(const std::vector<std::string>& keys);

private:
    outcome<void> ensure_scratch();
    outcome<void> fill_scratch(const row_selection& rows);
    outcome<void> list_keys(std::string_view statement, std::vector<std::string>& into, bool& more);
    outcome<void> list_converted(const row_selection& rows, std::vector<std::string>& into, bool& more);

    const comparison_columns& what_;
    sql_session& session_;
    key_set_form form_;
    bool has_scratch_ = false;
    std::uint64_t scratch_of_ = 0;  ///< the connection that has it
};

}  // namespace sluice::migration
