#pragma once

// The changelog table `_t_ghc`: the engine's own rows in the server's binary log. A marker written here and seen again
// in the stream proves that everything committed before it has been read.

#include "migration/apply/server_position.hpp"
#include "migration/model/failure.hpp"
#include "migration/model/table_description.hpp"

#include <cstdint>

namespace sluice::migration {

class changelog {
public:
    explicit changelog(table_name table);

    outcome<void> create(const statement_runner& run) const;
    /// Writes the next marker and returns its number. Markers are the ids of fresh rows, above every hint's row.
    outcome<std::uint64_t> write_marker(const statement_runner& run);

    [[nodiscard]] const table_name& table() const noexcept { return table_; }

private:
    table_name table_;
    std::uint64_t last_marker_ = 0;
};

}  // namespace sluice::migration
