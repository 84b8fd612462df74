#pragma once

// Joins the control interfaces to the engine for as long as there is one: they are there a little earlier and a little
// later than it, and then answer "unavailable".

#include "admin/migration_directory.hpp"

#include <shared_mutex>

namespace sluice {

/// Thread-safe.
class switchboard final : public admin::migration_directory {
public:
    /// The service must stay until disconnect().
    void connect(migration::migration_service& service);
    /// Waits for the calls under way.
    void disconnect();

    migration::outcome<migration::snapshot_ptr> create(migration::migration_spec spec) override;
    migration::outcome<migration::alter_forecast> dry_run(const migration::migration_spec& spec) override;
    migration::outcome<std::vector<migration::snapshot_ptr>> list() const override;
    migration::outcome<migration::snapshot_ptr> find(std::string_view id) const override;
    migration::outcome<migration::snapshot_ptr> command(std::string_view id,
                                                        migration::operator_command command) override;
    migration::outcome<migration::snapshot_ptr> change(std::string_view id,
                                                       const migration::option_changes& changes) override;

private:
    mutable std::shared_mutex mutex_;
    migration::migration_service* service_ = nullptr;
};

}  // namespace sluice
