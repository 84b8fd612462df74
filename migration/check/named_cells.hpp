#pragma once

// One row of a result, its cells by column name: servers differ in which columns they have and in their letter case.

#include "migration/ports/sql_executor.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::migration {

/// A view: the result must outlive it.
class named_cells {
public:
    named_cells(const query_result& result, std::size_t row) noexcept : result_(result), row_(row) {}

    /// nullptr when there is no such column; names compare without ASCII case.
    [[nodiscard]] const cell* find(std::string_view column) const;
    /// Empty for NULL and for a column that is not there.
    [[nodiscard]] std::string text(std::string_view column) const;
    /// Nothing for NULL, a column that is not there, or a text that is no number.
    [[nodiscard]] std::optional<std::uint64_t> number(std::string_view column) const;

private:
    const query_result& result_;
    std::size_t row_;
};

}  // namespace sluice::migration
