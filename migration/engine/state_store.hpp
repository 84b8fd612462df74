#pragma once

// The durable row of each migration: table `migrations` in the state schema on the primary, so that it replicates with
// the data and any MySQL client can read it. Stateless; every call says which session to use.

#include "migration/engine/migration_snapshot.hpp"
#include "migration/ports/sql_executor.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sluice::migration {

class state_store {
public:
    /// schema: where the table lives; created when missing. Empty: nothing is stored, and nothing is found.
    explicit state_store(std::string schema);

    [[nodiscard]] bool keeps() const noexcept { return !schema_.empty(); }
    /// Makes schema and table where they are missing; a table of an earlier version gets the columns that it lacks.
    outcome<void> prepare(sql_session& session) const;
    /// Inserts the row or brings it up to date.
    outcome<void> save(sql_session& session, const migration_snapshot& snapshot) const;
    /// The newest `rows_max` migrations, newest first. Counters and cut-over attempts come back as they were last
    /// saved; options that a later version no longer knows are ignored.
    outcome<std::vector<migration_snapshot>> load(sql_session& session, unsigned rows_max) const;

    /// Of the migration with this id; nothing when it is not stored.
    outcome<std::optional<migration_state>> state_of(sql_session& session, const std::string& id) const;

private:
    outcome<void> extend(sql_session& session) const;

    std::string schema_;
    std::string table_;  ///< quoted, with schema
};

}  // namespace sluice::migration
