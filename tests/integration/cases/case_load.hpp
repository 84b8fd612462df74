#pragma once

// The writes of a case: templates in, statements out.

#include "tests/integration/cases/mirror_writers.hpp"

#include <string>
#include <vector>

namespace sluice::test {

/// One transaction from a block of a load file, its placeholders filled in; numbers: their bound. `serial` counts on
/// for {serial}. Throws std::runtime_error for a placeholder that cannot be understood.
[[nodiscard]] write_transaction expand_block(const std::string& block, unsigned numbers, std::mt19937& random,
                                             std::atomic<unsigned>& serial);

/// Blocks that update, delete, insert again and re-key the rows which a table has now, by values that it has now. Makes
/// the table `seed` in the connection's schema, which must be in both schemas of a mirrored run.
[[nodiscard]] std::vector<std::string> default_load(sql_connection& connection, const std::string& table);

}  // namespace sluice::test
