#include "migration/check/checks.hpp"
#include "migration/sql/create_statement.hpp"
#include "migration/sql/identifier.hpp"

namespace sluice::migration {
namespace {

failure changed(const table_name& table, const std::string& how) {
    return refuse("original_changed", quote_table(table) + " was changed by somebody else meanwhile: " + how +
                                          "; start the migration again");
}

}  // namespace

outcome<void> check_original_unchanged(sql_session& session, const table_description& original) {
    constexpr unsigned no_such_table = 1146;
    const auto shown = session.run("SHOW CREATE TABLE " + quote_table(original.name));
    if (!shown && shown.error().server_errno == no_such_table) return changed(original.name, "it is gone");
    if (!shown) return shown.error();
    if (shown->rows.empty() || shown->rows[0].size() < 2 ||
        without_counter(shown->rows[0][1].value_or("")) != without_counter(original.create_statement)) {
        return changed(original.name, "its definition is not the same");
    }
    return {};
}

}  // namespace sluice::migration
