#include "proxy/main/serve/switchboard.hpp"

#include <mutex>

namespace sluice {
namespace {

migration::failure unavailable() {
    return migration::refuse("unavailable", "the migration engine is starting or stopping; try again in a moment");
}

}  // namespace

void switchboard::connect(migration::migration_service& service) {
    const std::unique_lock lock(mutex_);
    service_ = &service;
}

void switchboard::disconnect() {
    const std::unique_lock lock(mutex_);
    service_ = nullptr;
}

migration::outcome<migration::snapshot_ptr> switchboard::create(migration::migration_spec spec) {
    const std::shared_lock lock(mutex_);
    if (service_ == nullptr) return unavailable();
    return service_->create(std::move(spec));
}

migration::outcome<migration::alter_forecast> switchboard::dry_run(const migration::migration_spec& spec) {
    const std::shared_lock lock(mutex_);
    if (service_ == nullptr) return unavailable();
    return service_->dry_run(spec);
}

migration::outcome<std::vector<migration::snapshot_ptr>> switchboard::list() const {
    const std::shared_lock lock(mutex_);
    if (service_ == nullptr) return unavailable();
    return service_->list();
}

migration::outcome<migration::snapshot_ptr> switchboard::find(std::string_view id) const {
    const std::shared_lock lock(mutex_);
    if (service_ == nullptr) return unavailable();
    if (auto found = service_->find(id)) return found;
    return migration::refuse("no_such_migration",
                             "there is no migration `" + std::string(id) + "`, or several begin so");
}

migration::outcome<migration::snapshot_ptr> switchboard::command(std::string_view id,
                                                                 migration::operator_command command) {
    const std::shared_lock lock(mutex_);
    if (service_ == nullptr) return unavailable();
    return service_->command(id, command);
}

migration::outcome<migration::snapshot_ptr> switchboard::change(std::string_view id,
                                                                const migration::option_changes& changes) {
    const std::shared_lock lock(mutex_);
    if (service_ == nullptr) return unavailable();
    return service_->change(id, changes);
}

}  // namespace sluice
