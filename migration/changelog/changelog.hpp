#pragma once

// The changelog table `_t_ghc`: the engine's own rows in the server's binary log. A marker written here and seen again
// in the stream proves that everything committed before it has been read.

#include "migration/apply/server_position.hpp"
#include "migration/changelog/marker_numbers.hpp"
#include "migration/model/failure.hpp"
#include "migration/model/table_description.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace sluice::migration {

class changelog {
public:
    /// Markers have ids above it; rows of hints, those of gh-ost's changelog, below.
    static constexpr std::uint64_t first_marker = marker_numbers::first;
    static constexpr std::size_t value_column = 3;  ///< behind id, last_update, hint

    /// numbers: where others write markers as well (migration_plan::markers); null: nobody does.
    explicit changelog(table_name table, std::shared_ptr<marker_numbers> numbers = nullptr);

    outcome<void> create(const statement_runner& run) const;
    /// Writes the next marker and returns its number. Markers are the ids of fresh rows, above every hint's row.
    outcome<std::uint64_t> write_marker(const statement_runner& run);

    /// For a table that an earlier process has written to: the next marker is above all of its markers.
    outcome<void> continue_after_last(const statement_runner& run);
    /// Writes down whose changelog this is (migration_plan::run), and reads it; nullopt where nobody has.
    outcome<void> name_run(const statement_runner& run, const std::string& name) const;
    outcome<std::optional<std::string>> run_named(const statement_runner& run) const;
    /// How far the migration is, in the words of gh-ost's changelog: for readers of the binary log.
    outcome<void> write_state(const statement_runner& run, const std::string& state) const;
    /// Markers from now on are above this one.
    void continue_after(std::uint64_t marker) { numbers_->go_on_after(marker); }
    [[nodiscard]] std::uint64_t last_marker() const noexcept { return numbers_->last(); }

    /// For migration_plan::markers.
    [[nodiscard]] const std::shared_ptr<marker_numbers>& numbers() const noexcept { return numbers_; }

    [[nodiscard]] const table_name& table() const noexcept { return table_; }

private:
    table_name table_;
    std::shared_ptr<marker_numbers> numbers_;
};

/// Writes the next marker; its number. From any thread, on a session of its own.
outcome<std::uint64_t> write_marker(const statement_runner& run, const table_name& changelog, marker_numbers& numbers);

}  // namespace sluice::migration
