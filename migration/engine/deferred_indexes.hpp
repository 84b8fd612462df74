#pragma once

// Non-unique secondary indexes of the ghost are dropped before the copy and built after it: filling them row by row is
// most of the cost of a copy.

#include "migration/model/table_description.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sluice::migration {

struct deferred_index {
    std::string name;
    std::string definition;  ///< as in SHOW CREATE TABLE: "KEY `a` (`b`)"
};

/// What can be deferred: plain BTREE indexes, but for those that an AUTO_INCREMENT column needs, that named `needed`,
/// by which rows are found, and those in front of one that stays (the definition must have its indexes in their order).
/// Read from the server's own SHOW CREATE TABLE, so that every attribute of an index comes back as it was.
[[nodiscard]] std::vector<deferred_index> deferrable_indexes(const table_description& ghost, std::string_view needed);

[[nodiscard]] std::string drop_indexes_statement(const table_name& table, const std::vector<deferred_index>& indexes);
[[nodiscard]] std::string add_indexes_statement(const table_name& table, const std::vector<deferred_index>& indexes);

}  // namespace sluice::migration
