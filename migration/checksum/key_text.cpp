#include "migration/checksum/key_text.hpp"

#include "migration/sql/key_literal.hpp"

#include <utility>

namespace sluice::migration {

outcome<key_literals> key_of_cells(const std::vector<key_column>& key, const std::vector<bool>& is_unsigned,
                                   const std::vector<cell>& row) {
    SLUICE_ASSERT(row.size() >= key.size() && is_unsigned.size() == key.size());
    key_literals literals;
    for (std::size_t i = 0; i < key.size(); ++i) {
        SLUICE_TRY(const binlog::key_value value, value_of_cell(key[i], is_unsigned[i], row[i]));
        literals.push_back(literal_of_value(key[i], value));
    }
    return literals;
}

}  // namespace sluice::migration
