#include "migration/check/preconditions.hpp"
#include "migration/sql/identifier.hpp"
#include "protocol/sql/lexer.hpp"

#include <algorithm>
#include <array>

namespace sluice::migration {

outcome<void> check_names(const check_subject& subject) {
    const auto& table = subject.spec.table;
    SLUICE_TRY_VOID(check_identifier(table.schema));
    SLUICE_TRY_VOID(check_identifier(table.table));
    constexpr std::array system_schemas{"mysql", "information_schema", "performance_schema", "sys"};
    if (std::ranges::any_of(system_schemas,
                            [&](std::string_view name) { return sql::equal_ignoring_case(table.schema, name); })) {
        return refuse("system_schema", quote_table(table) + " belongs to the server itself and cannot be migrated");
    }
    return {};
}

}  // namespace sluice::migration
