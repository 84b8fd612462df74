#pragma once

// The changelog table `_t_ghc`: the engine's own rows in the server's binary log. A marker written here and seen again
// in the stream proves that everything committed before it has been read.

#include "migration/apply/server_position.hpp"
#include "migration/model/failure.hpp"
#include "migration/model/table_description.hpp"

#include <cstddef>
#include <cstdint>

namespace sluice::migration {

class changelog {
public:
    /// Markers have ids above it; rows of hints, those of gh-ost's changelog, below.
    static constexpr std::uint64_t first_marker = 1'000'000;
    static constexpr std::size_t value_column = 3;  ///< behind id, last_update, hint

    explicit changelog(table_name table);

    outcome<void> create(const statement_runner& run) const;
    /// Writes the next marker and returns its number. Markers are the ids of fresh rows, above every hint's row.
    outcome<std::uint64_t> write_marker(const statement_runner& run);

    /// For a table that an earlier process has written to: the next marker is above all of its markers.
    outcome<void> continue_after_last(const statement_runner& run);
    [[nodiscard]] std::uint64_t last_marker() const noexcept { return last_marker_; }

    [[nodiscard]] const table_name& table() const noexcept { return table_; }

private:
    table_name table_;
    std::uint64_t last_marker_ = 0;
};

}  // namespace sluice::migration
