#include "migration/model/table_description.hpp"

#include "protocol/sql/lexer.hpp"

#include <algorithm>

namespace sluice::migration {

const column_description* table_description::find_column(std::string_view column) const {
    const auto found = std::ranges::find_if(
        columns, [&](const column_description& one) { return sql::equal_ignoring_case(one.name, column); });
    return found == columns.end() ? nullptr : &*found;
}

}  // namespace sluice::migration
