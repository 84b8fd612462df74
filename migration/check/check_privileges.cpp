#include "migration/check/granted_privileges.hpp"
#include "migration/check/preconditions.hpp"
#include "migration/sql/identifier.hpp"

#include <array>

namespace sluice::migration {
namespace {

/// What the engine's statements were seen to need. TRIGGER and PROCESS (global, see server_family): without them the
/// server hides triggers and the foreign keys of other schemas.
constexpr std::array on_schema{"SELECT", "INSERT", "UPDATE",      "DELETE", "CREATE",
                               "DROP",   "ALTER",  "LOCK TABLES", "TRIGGER"};

template <class Names, class Has>
std::string missing_of(const Names& names, Has has) {
    std::string missing;
    for (const std::string_view name : names) {
        if (!has(name)) missing.append(missing.empty() ? "" : ", ").append(name);
    }
    return missing;
}

}  // namespace

outcome<void> check_privileges(const check_subject& subject) {
    const auto& schema = subject.spec.table.schema;
    SLUICE_TRY(const auto grants, subject.session.run("SHOW GRANTS"));
    const granted_privileges granted(grants, schema);
    const auto here = missing_of(on_schema, [&](std::string_view name) { return granted.has_on_schema(name); });
    const auto everywhere = missing_of(subject.facts.family->global_privileges(),
                                       [&](std::string_view name) { return granted.has_global(name); });
    if (here.empty() && everywhere.empty()) return {};
    SLUICE_TRY(const auto account, subject.session.run("SELECT CURRENT_USER()"));
    std::string user = "the account";
    if (!account.rows.empty() && !account.rows[0].empty() && account.rows[0][0]) user = *account.rows[0][0];
    std::string message = "account " + user + " lacks privileges that a migration needs:";
    if (!here.empty()) message += " " + here + " ON " + quote_identifier(schema) + ".*";
    if (!everywhere.empty()) message += (here.empty() ? " " : " and ") + everywhere + " ON *.*";
    return refuse("missing_privileges", message + ". GRANT them, or a role with them that is active by default");
}

}  // namespace sluice::migration
