#include "migration/model/table_description.hpp"

#include "protocol/sql/lexer.hpp"

#include <algorithm>

namespace sluice::migration {

const column_description* table_description::find_column(std::string_view column) const {
    const auto found = std::ranges::find_if(
        columns, [&](const column_description& one) { return sql::equal_ignoring_case(one.name, column); });
    return found == columns.end() ? nullptr : &*found;
}

const key_description* table_description::row_identity() const {
    const auto tells_apart = [this](const key_part& part) {
        const auto* column = find_column(part.column);
        return column != nullptr && !column->nullable && !part.prefix_length && (!column->generated || column->stored);
    };
    auto found = std::ranges::find(keys, "PRIMARY", &key_description::name);
    if (found == keys.end()) {
        found = std::ranges::find_if(keys, [&](const key_description& key) {
            return key.unique && key.index_type != "HASH" && std::ranges::all_of(key.parts, tells_apart);
        });
    }
    return found == keys.end() ? nullptr : &*found;
}

}  // namespace sluice::migration
