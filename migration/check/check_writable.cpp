#include "migration/check/preconditions.hpp"
#include "migration/check/server_variables.hpp"

namespace sluice::migration {

outcome<void> check_writable(const check_subject& subject) {
    constexpr std::string_view names[]{"read_only", "super_read_only", "innodb_read_only"};
    SLUICE_TRY(const auto variables, read_global_variables(subject.session, {names[0], names[1], names[2]}));
    for (const auto name : names) {
        if (!is_on(variables, name)) continue;
        // Replicas mostly have it; whether this account may write all the same, the server says by itself.
        if (subject.role.is_replica && name == "read_only") continue;
        return refuse("read_only", "the server runs with " + std::string(name) +
                                       " = ON; a migration runs on the primary, where the table is written to");
    }
    return {};
}

}  // namespace sluice::migration
