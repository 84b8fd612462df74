#pragma once

// A chunk that is too large for one transaction of the server (max_binlog_cache_size, the lock table) is copied in
// parts. Used by one copy worker at a time.

#include "migration/apply/key_codec.hpp"
#include "migration/ports/sql_executor.hpp"
#include "migration/sql/copy_statements.hpp"

#include <cstddef>
#include <utility>
#include <vector>

namespace sluice::migration {

class chunk_parts {
public:
    /// rows: about how many rows the chunk has.
    chunk_parts(range_bounds whole, std::size_t rows) : waiting_{{std::move(whole), rows}} {}

    [[nodiscard]] bool all_copied() const noexcept { return waiting_.empty(); }
    /// The part that is to be copied now; there must be one.
    [[nodiscard]] const range_bounds& next() const { return waiting_.back().bounds; }
    void copied() { waiting_.pop_back(); }

    /// The next part was too large: puts two in its place, in key order. False when it is one row, or none.
    outcome<bool> halve(const migration_plan& plan, const key_codec& codec, sql_session& session);

private:
    struct part {
        range_bounds bounds;
        std::size_t rows = 0;
    };
    std::vector<part> waiting_;  ///< the last one is next
};

}  // namespace sluice::migration
