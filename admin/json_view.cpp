#include "admin/json_view.hpp"

#include "admin/text_form.hpp"
#include "migration/cutover/moment.hpp"
#include "migration/model/option_fields.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <cmath>

namespace sluice::admin {
namespace {

namespace json = boost::json;
using migration::option_field;
using migration::option_fields;

std::string_view disposition_name(migration::disposition then) {
    switch (then) {
        case migration::disposition::retry: return "retry";
        case migration::disposition::abort: return "abort";
        case migration::disposition::outcome_unknown: return "outcome_unknown";
    }
    return "abort";
}

json::value error_to_json(const std::optional<migration::failure>& error) {
    if (!error) return nullptr;
    return json::object{{"code", error->code},
                        {"message", clean_utf8(error->message)},
                        {"server_errno", error->server_errno},
                        {"sqlstate", error->sqlstate},
                        {"attempted", clean_utf8(error->attempted)},
                        {"then", disposition_name(error->then)}};
}

json::object hold_to_json(const migration::hold_report& hold) {
    return {{"statements_held", hold.statements_held},
            {"hold_p50_us", hold.hold_p50.count()},
            {"hold_p99_us", hold.hold_p99.count()},
            {"hold_max_us", hold.hold_max.count()},
            {"expired", hold.expired},
            {"overflowed", hold.overflowed},
            {"old_snapshots", hold.old_snapshots}};
}

json::object blocker_to_json(const migration::gate_blocker& blocker) {
    return {{"connection_id", blocker.connection_id},     {"client", clean_utf8(blocker.client)},
            {"statement", clean_utf8(blocker.statement)}, {"age_ms", blocker.age.count()},
            {"in_transaction", blocker.in_transaction},   {"direct", blocker.direct},
            {"age_is_known", blocker.age_is_known},       {"text", clean_utf8(migration::describe(blocker))}};
}

json::object attempt_to_json(const migration::cutover_attempt& attempt) {
    json::array steps;
    for (const auto& step : attempt.steps) {
        steps.push_back(json::object{{"name", step.name}, {"took_us", step.took.count()}});
    }
    json::array blockers;
    for (const auto& blocker : attempt.blockers) blockers.push_back(blocker_to_json(blocker));
    return {{"number", attempt.number},       {"began", to_utc_text(attempt.began)},
            {"succeeded", attempt.succeeded}, {"backwards", attempt.backwards},
            {"group", attempt.group},         {"given_up_because", clean_utf8(attempt.given_up_because)},
            {"steps", std::move(steps)},      {"hold", hold_to_json(attempt.hold)},
            {"blockers", std::move(blockers)}};
}

json::value text_or_null(const std::optional<std::chrono::system_clock::time_point>& time) {
    if (!time) return nullptr;
    return json::value(to_utc_text(*time));
}

}  // namespace

json::object to_json(const migration::migration_options& options) {
    json::object object;
    for (const option_field& field : option_fields()) {
        switch (field.kind) {
            case migration::option_kind::number: object[field.name] = field.get(options); break;
            case migration::option_kind::flag: object[field.name] = field.get(options) != 0; break;
            case migration::option_kind::text: object[field.name] = clean_utf8(field.get_text(options)); break;
        }
    }
    return object;
}

namespace {

json::object to_json(const migration::verification_report& report, bool enabled) {
    json::array not_compared;
    for (const auto& column : report.columns_not_compared) not_compared.emplace_back(clean_utf8(column));
    json::object object{{"enabled", enabled},
                        {"passes", report.passes},
                        {"rows_counted", report.last_pass.rows_counted},
                        {"rows_compared", report.last_pass.rows_compared},
                        {"rows_in_motion", report.last_pass.rows_in_motion},
                        {"rows_repaired", report.rows_repaired},
                        {"pass_in_hand_rows_compared", report.pass_in_hand.rows_compared},
                        {"last_pass_ended", text_or_null(report.last_pass_ended)}};
    object["columns_not_compared"] = std::move(not_compared);
    return object;
}

json::value to_json(const migration::way_back_report& report, bool verified) {
    if (report.resume_from.empty()) return nullptr;
    return json::object{{"open", report.open},
                        {"unique_key", clean_utf8(report.unique_key)},
                        {"since", text_or_null(report.since)},
                        {"changes_seen", report.changes_seen},
                        {"keys_applied", report.keys_applied},
                        {"backlog_keys", report.backlog_keys},
                        {"resume_from", clean_utf8(report.resume_from)},
                        {"verification", to_json(report.verification, verified)},
                        {"ended_by", error_to_json(report.ended_by)}};
}

}  // namespace

json::object to_json_summary(const migration::migration_snapshot& snapshot) {
    // A number that is none (0/0 early in the copy) would not be JSON.
    const double progress = std::isfinite(snapshot.progress) ? std::clamp(snapshot.progress, 0.0, 1.0) : 0.0;
    json::object object{
        {"id", snapshot.id},
        {"schema", clean_utf8(snapshot.spec.table.schema)},
        {"table", clean_utf8(snapshot.spec.table.table)},
        {"alter", clean_utf8(snapshot.spec.alter)},
        {"options", to_json(snapshot.spec.options)},
        {"state", migration::to_string(snapshot.state)},
        {"way", snapshot.way ? json::value(migration::to_string(*snapshot.way)) : json::value(nullptr)},
        {"paused", snapshot.paused},
        {"postponed", snapshot.postponed},
        {"waiting_for", clean_utf8(snapshot.waiting_for)},
        {"unique_key", clean_utf8(snapshot.unique_key)},
        {"rows_estimate", snapshot.rows_estimate},
        {"rows_copied", snapshot.rows_copied},
        {"rows_per_s", snapshot.rows_per_s},
        {"chunk_rows", snapshot.chunk_rows},
        {"chunk_retries", snapshot.chunk_retries},
        {"last_chunk_error", clean_utf8(snapshot.last_chunk_error)},
        {"deltas_seen", snapshot.deltas_seen},
        {"deltas_applied", snapshot.deltas_applied},
        {"deltas_dropped", snapshot.deltas_dropped},
        {"backlog_keys", snapshot.backlog_keys},
        {"progress", progress},
        {"copy_took_ms", snapshot.copy_took.count()},
        {"eta_s", snapshot.eta ? json::value(snapshot.eta->count()) : json::value(nullptr)},
        {"stream_position", clean_utf8(snapshot.stream_position)},
        {"stream_file", clean_utf8(snapshot.stream_file)},
        {"throttled_by", clean_utf8(snapshot.throttled_by)},
        {"lag_ms", snapshot.lag ? json::value(snapshot.lag->count()) : json::value(nullptr)},
        {"heartbeat_lag_ms",
         snapshot.heartbeat_lag ? json::value(snapshot.heartbeat_lag->count()) : json::value(nullptr)},
        {"client_latency_p99_us",
         snapshot.client_latency ? json::value(snapshot.client_latency->count()) : json::value(nullptr)},
        {"client_latency_baseline_us", snapshot.client_latency_baseline
                                           ? json::value(snapshot.client_latency_baseline->count())
                                           : json::value(nullptr)},
        {"created", to_utc_text(snapshot.created)},
        {"changed", to_utc_text(snapshot.changed)},
        {"ended", text_or_null(snapshot.ended)},
        {"cutover_attempts_made", snapshot.cutover_attempts.empty() ? 0 : snapshot.cutover_attempts.back().number},
        {"error", error_to_json(snapshot.error)},
    };
    object["verification"] = to_json(snapshot.verification, snapshot.spec.options.verify);
    object["way_back"] = to_json(snapshot.way_back, snapshot.spec.options.verify);
    json::array leftovers;
    for (const auto& table : snapshot.leftovers) leftovers.emplace_back(clean_utf8(table));
    object["leftovers"] = std::move(leftovers);
    object["resumed"] = snapshot.resumed;
    json::array passed_over;
    for (const auto& other : snapshot.passed_over) {
        passed_over.push_back(
            json::object{{"way", migration::to_string(other.way)}, {"reason", clean_utf8(other.reason)}});
    }
    object["ways_passed_over"] = std::move(passed_over);
    return object;
}

json::object to_json(const migration::migration_snapshot& snapshot) {
    json::object object = to_json_summary(snapshot);
    json::array attempts;
    for (const auto& attempt : snapshot.cutover_attempts) attempts.push_back(attempt_to_json(attempt));
    object["cutover_attempts"] = std::move(attempts);
    json::array kills;
    for (const auto& kill : snapshot.blocker_kills) {
        kills.push_back(
            json::object{{"at", to_utc_text(kill.at)},
                         {"before_attempt", kill.before_attempt},
                         {"blocker", blocker_to_json(kill.blocker)},
                         {"error", kill.error.empty() ? json::value(nullptr) : json::value(clean_utf8(kill.error))}});
    }
    object["blocker_kills"] = std::move(kills);
    object["direct_hold"] = hold_to_json(snapshot.direct_hold);
    return object;
}

}  // namespace sluice::admin
