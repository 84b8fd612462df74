#pragma once

// Keys as the engine passes them around: from row images of the binary log, and from rows that the server selected.

#include "migration/ledger/copy_frontier.hpp"
#include "migration/ledger/delta_set.hpp"
#include "migration/model/failure.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/ports/sql_executor.hpp"
#include "protocol/binlog/rows.hpp"
#include "protocol/binlog/value/key_value.hpp"

#include <string>
#include <vector>

namespace sluice::migration {

/// Immutable; thread-safe. The plan must outlive it.
class key_codec {
public:
    explicit key_codec(const migration_plan& plan) : plan_(plan) {}

    /// The key in a row image. "key_missing" when the image does not hold it: the stream cannot be followed then.
    /// "null_in_key" when it is NULL.
    /// otherwise: where to look for key columns that the image leaves out (the image before an update, when the one
    /// after holds only what was assigned); may be null.
    [[nodiscard]] outcome<row_key> key_of(const binlog::table_map& table, const binlog::row_image& image,
                                          const binlog::row_image* otherwise = nullptr) const;

    /// The image holds at least one key column.
    [[nodiscard]] bool holds_key_column(const binlog::row_image& image) const;

    /// A row that was selected with key_select_list().
    [[nodiscard]] outcome<key_bound> bound_of(const std::vector<cell>& row) const;

private:
    [[nodiscard]] std::string order_of(const std::vector<binlog::key_value>& values) const;

    const migration_plan& plan_;
};

/// A row has a NULL in a key that may be NULL: it cannot be found by it. "null_in_key".
[[nodiscard]] failure null_in_key(const migration_plan& plan);

/// Appends a value so that memcmp of two such strings orders as the server orders the values (integers, temporal types
/// in their fixed-width text, binary strings). Composite keys: the parts one after another.
void append_ordered(std::string& order, const binlog::key_value& value);

}  // namespace sluice::migration
