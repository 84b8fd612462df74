#include "migration/cutover/blocker_killing.hpp"

#include <string>

namespace sluice::migration {
namespace {

constexpr unsigned no_such_thread = 1094;

failure not_killed(const std::string& why) { return refuse("not_killed", why); }

/// Nothing where the session has gone.
outcome<bool> is_a_client(std::uint64_t connection_id, sql_session& session) {
    SLUICE_TRY(const query_result found, session.run("SELECT USER, COMMAND, USER = SUBSTRING_INDEX(USER(), '@', 1)"
                                                     " FROM information_schema.PROCESSLIST WHERE ID = " +
                                                     std::to_string(connection_id)));
    if (found.rows.empty()) return false;
    const auto& row = found.rows.front();
    const std::string user = row[0].value_or("");
    const std::string command = row[1].value_or("");
    if (user.empty() || user == "system user" || user == "event_scheduler" || command.starts_with("Binlog Dump") ||
        command.starts_with("Slave") || command.starts_with("Replica") || command == "Daemon") {
        return not_killed("it belongs to replication or to the server itself");
    }
    if (row[2] != "0") return not_killed("it is a session of the engine's own account");
    return true;
}

outcome<void> refuse_prepared(const server_family& family, std::uint64_t connection_id, sql_session& session) {
    if (const std::string query = family.xa_state_query(connection_id); !query.empty()) {
        const auto told = session.run(query);
        if (told && !told->rows.empty()) {
            const std::string state = told->rows.front().front().value_or("");
            if (state != "PREPARED") return {};
            return not_killed("it has a prepared XA transaction (XA COMMIT or XA ROLLBACK it)");
        }
    }
    const auto prepared = session.run("XA RECOVER");
    if (!prepared) {
        return not_killed("whether it has a prepared XA transaction cannot be found out: " + prepared.error().message);
    }
    if (prepared->rows.empty()) return {};
    return not_killed("there are prepared XA transactions, and the server does not tell whether one of them is its");
}

}  // namespace

outcome<void> kill_blocker(const server_family& family, const gate_blocker& blocker, sql_session& session) {
    SLUICE_TRY(const bool is_there, is_a_client(blocker.connection_id, session));
    if (!is_there) return {};
    SLUICE_TRY_VOID(refuse_prepared(family, blocker.connection_id, session));
    const auto killed = session.run("KILL " + std::to_string(blocker.connection_id));
    if (!killed && killed.error().server_errno != no_such_thread) return killed.error();
    return {};
}

}  // namespace sluice::migration
