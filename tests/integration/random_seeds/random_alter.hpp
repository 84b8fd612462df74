#pragma once

// An ALTER that fits a table, as dice draw it.

#include "tests/integration/random_seeds/random_table.hpp"

#include <set>
#include <string>
#include <vector>

namespace sluice::test {

struct changed_column {
    std::size_t column = 0;
    /// The change alone, for a table whose only column is v: "MODIFY v INT NOT NULL".
    std::string of_v;
};

struct random_alter {
    std::string text;  ///< behind ALTER TABLE t
    std::vector<changed_column> changed;
    /// Columns under a new unique key, or one whose values are compared more coarsely from now on.
    std::set<std::size_t> distinct;
};

/// One to four clauses. The server may refuse them: try on an empty table, and draw again.
[[nodiscard]] random_alter draw_alter(const random_table& table, dice& dice);

}  // namespace sluice::test
