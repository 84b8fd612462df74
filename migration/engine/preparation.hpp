#pragma once

// Makes the tables of a migration and fixes its plan: ghost, changelog, column mapping, deferred indexes.

#include "migration/check/checks.hpp"
#include "migration/checkpoint/checkpoint.hpp"
#include "migration/engine/deferred_indexes.hpp"
#include "migration/model/migration_plan.hpp"
#include "migration/ports/reconnecting_session.hpp"
#include "protocol/sql/alter_statement.hpp"

#include <map>
#include <string>
#include <vector>

namespace sluice::migration {

struct prepared_migration {
    migration_plan plan;
    std::vector<deferred_index> deferred;
};

/// Which of its tables a migration has made, and may drop: what somebody else has made under such a name is not its
/// own.
struct own_tables {
    bool ghost = false;
    bool changelog = false;
    bool checkpoints = false;  ///< `_t_ghk`
    [[nodiscard]] bool any() const noexcept { return ghost || changelog || checkpoints; }
};

/// The names alone, before anything is made.
[[nodiscard]] migration_plan plan_names(const migration_spec& spec);

/// Parses the ALTER; "bad_alter" naming the piece that cannot be understood or is not possible here.
outcome<sql::alter_statement> parse_alter_of(const migration_spec& spec);

/// The part that a dry run does as well: creates and alters the ghost by the name that the plan has for it, maps the
/// columns, and fills the plan. On failure what was made is still there. Fails as prepare_tables().
outcome<void> prepare_ghost(reconnecting_session& session, migration_plan& plan, const migration_spec& spec,
                            const sql::alter_statement& alter, const server_facts& facts, bool& ghost_is_own);

/// Creates and alters the ghost, creates the changelog, maps the columns. On failure what was made is still there;
/// `own` says what that is, or may be where a connection was lost. "alter_refused" carries the server's own words when
/// it does not take the ALTER; "leftover_tables" when a table of that name is there.
outcome<prepared_migration> prepare_tables(reconnecting_session& session, const migration_spec& spec,
                                           const sql::alter_statement& alter, const server_facts& facts,
                                           own_tables& own);

/// The same for tables that an earlier process has made: nothing is made, and what the ghost still lacks of its indexes
/// is deferred. Whether they are what the checkpoint says is the caller's to check.
outcome<prepared_migration> adopt_tables(reconnecting_session& session, const migration_spec& spec,
                                         const sql::alter_statement& alter, const server_facts& facts,
                                         const checkpoint& from);

/// What the plan knows of the server; its descriptions and its mapping must be there.
outcome<void> learn_server(reconnecting_session& session, migration_plan& plan, const server_facts& facts);

/// The way back's plan once the swap has taken place, from what the server says of the two tables now. Fails as
/// plan_way_back() and plan_relations_back(), and with "no_such_table" when one of them is gone.
outcome<migration_plan> prepare_way_back(reconnecting_session& session, const migration_spec& spec,
                                         const std::map<std::string, std::string>& former_trigger_names);

/// Waits until every XA transaction that is PREPARED now has ended: one that was prepared before the stream began may
/// hold changes that the stream will not repeat. Call once the stream is attached. waiting(names) is called while there
/// are some; its failure ends the wait, and is this one's. False when the engine's account may not ask
/// (XA_RECOVER_ADMIN): then the end of such a transaction must end the migration, see change_capture.
outcome<bool> wait_for_prepared_transactions(reconnecting_session& session,
                                             const std::function<outcome<void>(const std::string& names)>& waiting);

/// Drops these, with the ghost what a cut-over by two sessions has left, never the old table. Returns the quoted names
/// of what could not be dropped.
std::vector<std::string> drop_artefacts(sql_executor& executor, const migration_plan& names, const own_tables& own);

}  // namespace sluice::migration
