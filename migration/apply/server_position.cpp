#include "migration/apply/server_position.hpp"

#include "migration/changelog/changelog.hpp"

#include <charconv>
#include <utility>

namespace sluice::migration {
namespace {

failure unreadable(std::string what) {
    return refuse("position_unreadable", "the server's binary-log position could not be read: " + std::move(what));
}

}  // namespace

outcome<stream_position> read_server_position(const statement_runner& run, const migration_plan& plan) {
    stream_position position;
    if (plan.follow_by_gtid) {
        SLUICE_TRY(const query_result set, run("SELECT @@GLOBAL.gtid_executed"));
        if (set.rows.empty() || !set.rows[0][0]) return unreadable("gtid_executed is empty");
        auto parsed = binlog::gtid_set::parse(*set.rows[0][0]);
        if (!parsed) return unreadable("gtid_executed is '" + *set.rows[0][0] + "'");
        position.executed = std::move(parsed).value();
        return position;
    }
    SLUICE_TRY(const query_result status, run(plan.family->binlog_status_statement()));
    if (status.rows.empty() || status.rows[0].size() < 2 || !status.rows[0][0] || !status.rows[0][1]) {
        return unreadable("binary logging is off");
    }
    const std::string& offset = *status.rows[0][1];
    position.at.file_name = *status.rows[0][0];
    std::from_chars(offset.data(), offset.data() + offset.size(), position.at.position);
    return position;
}

outcome<stream_position> read_server_position(reconnecting_session& session, const migration_plan& plan) {
    return read_server_position([&session](std::string_view sql) { return session.run(sql); }, plan);
}

outcome<stream_position> read_place_to_reach(const statement_runner& run, const migration_plan& plan) {
    if (!plan.markers) return read_server_position(run, plan);
    stream_position place;
    SLUICE_TRY(place.marker, write_marker(run, plan.changelog, *plan.markers));
    return place;
}

outcome<stream_position> read_place_to_reach(reconnecting_session& session, const migration_plan& plan) {
    return read_place_to_reach([&session](std::string_view sql) { return session.run(sql); }, plan);
}

}  // namespace sluice::migration
