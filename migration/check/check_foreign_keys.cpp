#include "migration/check/named_cells.hpp"
#include "migration/check/preconditions.hpp"
#include "migration/sql/identifier.hpp"

#include <algorithm>

namespace sluice::migration {
namespace {

/// InnoDB's own list holds every constraint of the server, also those of schemas that the account cannot see (it needs
/// PROCESS); information_schema.KEY_COLUMN_USAGE would leave those out. Its names are "schema/table".
std::string foreign_keys_query(const table_name& table, int lower_case_table_names) {
    const auto name = quote_string(table.schema + "/" + table.table);
    // Collations would find more than the server's own comparison of names does.
    const auto is_table = [&](const std::string& column) {
        return lower_case_table_names == 0 ? "CAST(" + column + " AS BINARY) = CAST(" + name + " AS BINARY)"
                                           : "LOWER(" + column + ") = LOWER(" + name + ")";
    };
    return "SELECT ID, FOR_NAME, REF_NAME, " + is_table("FOR_NAME") +
           " AS is_child FROM information_schema.INNODB_FOREIGN"
           " WHERE " +
           is_table("FOR_NAME") + " OR " + is_table("REF_NAME") + " ORDER BY ID";
}

/// "schema/table" as a quoted name; left as it is where it cannot be told apart.
std::string quoted(const std::string& name) {
    const auto slash = name.find('/');
    if (slash == 0 || slash == std::string::npos || slash + 1 == name.size()) return name;
    const table_name table{name.substr(0, slash), name.substr(slash + 1)};
    if (check_identifier(table.schema).has_error() || check_identifier(table.table).has_error()) return name;
    return quote_table(table);
}

}  // namespace

outcome<void> check_foreign_keys(const check_subject& subject) {
    SLUICE_TRY(const auto found,
               subject.session.run(foreign_keys_query(subject.spec.table, subject.facts.lower_case_table_names)));
    if (found.rows.empty()) return {};
    std::vector<std::string> constraints;
    for (std::size_t i = 0; i < found.rows.size(); ++i) {
        const named_cells row(found, i);
        const auto id = row.text("ID");
        constraints.push_back(id.substr(id.find('/') + 1) + " (" + quoted(row.text("FOR_NAME")) + " to " +
                              quoted(row.text("REF_NAME")) + ")");
    }
    return refuse("foreign_keys", "table " + quote_table(subject.spec.table) +
                                      " takes part in foreign keys, which a ghost table cannot carry over: " +
                                      listed(constraints) + ". Drop them for the time of the migration");
}

}  // namespace sluice::migration
