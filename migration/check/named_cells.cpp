#include "migration/check/named_cells.hpp"

#include "protocol/sql/lexer.hpp"

#include <charconv>

namespace sluice::migration {

const cell* named_cells::find(std::string_view column) const {
    const auto& cells = result_.rows[row_];
    for (std::size_t i = 0; i < result_.columns.size() && i < cells.size(); ++i) {
        if (sql::equal_ignoring_case(result_.columns[i], column)) return &cells[i];
    }
    return nullptr;
}

std::string named_cells::text(std::string_view column) const {
    const cell* found = find(column);
    return found != nullptr && *found ? **found : std::string();
}

std::optional<std::uint64_t> named_cells::number(std::string_view column) const {
    const auto digits = text(column);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return value;
}

}  // namespace sluice::migration
