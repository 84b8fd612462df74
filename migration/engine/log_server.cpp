#include "migration/engine/log_server.hpp"

#include "migration/apply/server_position.hpp"
#include "migration/check/check_replica.hpp"
#include "migration/check/server_variables.hpp"
#include "migration/sql/identifier.hpp"

#include <utility>

namespace sluice::migration {
namespace {

failure about_the_replica(failure why) {
    why.message = "the replica whose binary log is to be read cannot be used: " + why.message;
    return why;
}

}  // namespace

// A session that is lost is opened anew for the next question.
outcome<query_result> log_server::run(std::string_view sql) {
    if (!session_) {
        SLUICE_TRY(session_, executor_.connect());
    }
    auto ran = session_->run(sql);
    if (!ran && ran.error().then == disposition::outcome_unknown) {
        session_.reset();
        failure lost = std::move(ran).error();
        lost.then = disposition::retry;  // nothing here changes anything
        return lost;
    }
    return ran;
}

outcome<void> log_server::begin(const migration_spec& spec, const server_facts& master) {
    SLUICE_TRY_VOID(run("DO 0"));
    auto facts = check_log_server(*session_, spec, master);
    if (!facts) return about_the_replica(std::move(facts).error());
    family_ = facts->family;
    return {};
}

outcome<stream_position> log_server::position(const migration_plan& plan) {
    migration_plan here;
    here.family = family_;
    here.follow_by_gtid = plan.follow_by_gtid;
    return read_server_position([this](std::string_view sql) { return run(sql); }, here);
}

outcome<std::string> log_server::uuid() {
    SLUICE_TRY_VOID(run("DO 0"));
    SLUICE_TRY(const auto variables, read_global_variables(*session_, {"server_uuid"}));
    return value_of(variables, "server_uuid");
}

outcome<bool> log_server::has_marker(const migration_plan& plan, std::uint64_t marker) {
    constexpr unsigned no_such_table = 1146;
    constexpr unsigned no_such_schema = 1049;
    auto found =
        run("SELECT 1 FROM " + quote_table(plan.changelog) + " WHERE id >= " + std::to_string(marker) + " LIMIT 1");
    if (found) return !found->rows.empty();
    const unsigned number = found.error().server_errno;
    if (number == no_such_table || number == no_such_schema) return false;
    return std::move(found).error();
}

outcome<void> log_server::look(const migration_spec& spec, const migration_plan& plan, steady_time now) {
    // Not more often where it does not answer: everything else waits for that.
    if (now - looked_ < stream_guard::interval) return {};
    looked_ = now;
    const auto place = position(plan);
    if (!place) return place.error().then == disposition::abort ? outcome<void>(place.error()) : outcome<void>();
    SLUICE_TRY_VOID(guard_.told(*place, now));
    auto passes = check_passes_on(*session_, spec);
    if (passes || passes.error().then == disposition::retry || passes.error().server_errno != 0) return {};
    if (passes.error().then == disposition::outcome_unknown) {
        session_.reset();
        return {};
    }
    return about_the_replica(std::move(passes).error());
}

std::string log_server::standstill() {
    if (!run("DO 0")) return {};
    const auto channels = read_replica_status(*session_);
    if (!channels) {
        session_.reset();
        return {};
    }
    for (const replica_status& each : *channels) {
        if (!each.runs()) {
            return "its replication does not run (receiver: " + each.receiver + ", applier: " + each.applier + ")" +
                   (each.error.empty() ? "" : ": " + each.error);
        }
    }
    return {};
}

}  // namespace sluice::migration
