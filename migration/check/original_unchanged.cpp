#include "migration/check/checks.hpp"
#include "migration/sql/identifier.hpp"

namespace sluice::migration {
namespace {

// SHOW CREATE TABLE without the AUTO_INCREMENT counter among the table options, which stand on the last line that
// begins with ")".
std::string without_counter(std::string create_statement) {
    const auto options = create_statement.rfind("\n)");
    constexpr std::string_view word = " AUTO_INCREMENT=";
    const auto place = options == std::string::npos ? std::string::npos : create_statement.find(word, options);
    if (place == std::string::npos) return create_statement;
    const auto end = create_statement.find_first_not_of("0123456789", place + word.size());
    create_statement.erase(place, end == std::string::npos ? end : end - place);
    return create_statement;
}

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
    const std::string schema = quote_string(original.name.schema);
    const std::string table = quote_string(original.name.table);
    SLUICE_TRY(const query_result triggers,
               session.run("SELECT trigger_name FROM information_schema.triggers WHERE event_object_schema = " +
                           schema + " AND event_object_table = " + table));
    if (!triggers.rows.empty()) return changed(original.name, "it has a trigger now");
    SLUICE_TRY(const query_result children,
               session.run("SELECT constraint_name FROM information_schema.referential_constraints"
                           " WHERE unique_constraint_schema = " +
                           schema + " AND referenced_table_name = " + table));
    if (!children.rows.empty()) return changed(original.name, "a foreign key refers to it now");
    return {};
}

}  // namespace sluice::migration
