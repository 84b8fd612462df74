#include "migration/engine/state_report.hpp"

#include "migration/engine/attempt_report.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace sluice::migration {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t number_of(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

bool flag_of(const json::object& object, std::string_view name, bool otherwise) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_bool() ? value->get_bool() : otherwise;
}

const json::array* array_of(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_array() ? &value->get_array() : nullptr;
}

json::object verification_to_json(const verification_report& report) {
    json::object object{{"passes", report.passes},
                        {"rows_counted", report.last_pass.rows_counted},
                        {"rows_compared", report.last_pass.rows_compared},
                        {"rows_in_motion", report.last_pass.rows_in_motion},
                        {"rows_repaired", report.rows_repaired}};
    if (report.last_pass_ended) {
        object["last_pass_ended_us"] =
            std::chrono::duration_cast<std::chrono::microseconds>(report.last_pass_ended->time_since_epoch()).count();
    }
    object["columns_not_compared"] =
        json::array(report.columns_not_compared.begin(), report.columns_not_compared.end());
    return object;
}

verification_report verification_from_json(const json::object& object) {
    const auto count = [&object](std::string_view name) {
        return static_cast<std::uint64_t>(std::max<std::int64_t>(0, number_of(object, name)));
    };
    verification_report report;
    report.passes = count("passes");
    report.last_pass.rows_counted = count("rows_counted");
    report.last_pass.rows_compared = count("rows_compared");
    report.last_pass.rows_in_motion = count("rows_in_motion");
    report.rows_repaired = count("rows_repaired");
    if (const std::int64_t ended = number_of(object, "last_pass_ended_us"); ended > 0) {
        report.last_pass_ended = std::chrono::system_clock::time_point(std::chrono::microseconds(ended));
    }
    const json::value* columns = object.if_contains("columns_not_compared");
    if (columns == nullptr || !columns->is_array()) return report;
    for (const json::value& column : columns->get_array()) {
        if (column.is_string()) report.columns_not_compared.emplace_back(column.get_string());
    }
    return report;
}

json::object way_back_to_json(const way_back_report& report) {
    json::object object{{"resume_from", report.resume_from},
                        {"resume_is_after_swap", report.resume_is_after_swap},
                        {"unique_key", report.unique_key},
                        {"changes_seen", report.changes_seen},
                        {"keys_applied", report.keys_applied}};
    json::object names;
    for (const auto& [name, former] : report.former_trigger_names) names[name] = former;
    object["former_trigger_names"] = std::move(names);
    if (report.since) {
        object["since_us"] =
            std::chrono::duration_cast<std::chrono::microseconds>(report.since->time_since_epoch()).count();
    }
    if (report.ended_by) {
        object["ended_by_code"] = report.ended_by->code;
        object["ended_by_message"] = report.ended_by->message;
    }
    return object;
}

way_back_report way_back_from_json(const json::object& object) {
    way_back_report report;
    report.resume_from = text_of(object, "resume_from");
    report.resume_is_after_swap = flag_of(object, "resume_is_after_swap", true);
    report.unique_key = text_of(object, "unique_key");
    report.changes_seen = static_cast<std::uint64_t>(std::max<std::int64_t>(0, number_of(object, "changes_seen")));
    report.keys_applied = static_cast<std::uint64_t>(std::max<std::int64_t>(0, number_of(object, "keys_applied")));
    if (const json::value* names = object.if_contains("former_trigger_names"); names != nullptr && names->is_object()) {
        for (const auto& [name, former] : names->get_object()) {
            if (former.is_string()) report.former_trigger_names[name] = std::string(former.get_string());
        }
    }
    if (const std::int64_t since = number_of(object, "since_us"); since > 0) {
        report.since = std::chrono::system_clock::time_point(std::chrono::microseconds(since));
    }
    if (const std::string code = text_of(object, "ended_by_code"); !code.empty()) {
        report.ended_by = refuse(code, text_of(object, "ended_by_message"));
    }
    return report;
}

json::array swap_group_to_json(const std::vector<swap_names>& group) {
    json::array list;
    for (const swap_names& one : group) {
        list.push_back(json::array{one.original.schema, one.original.table, one.ghost.table, one.old_table.table,
                                   one.swap_ghost.table, one.swap_old.table});
    }
    return list;
}

std::vector<swap_names> swap_group_from_json(const json::array& list) {
    std::vector<swap_names> group;
    for (const json::value& entry : list) {
        std::vector<std::string> names;
        if (!entry.is_array()) continue;
        for (const json::value& name : entry.get_array()) {
            if (name.is_string()) names.emplace_back(name.get_string());
        }
        if (names.size() != 6) continue;
        const auto table = [&names](std::size_t at) { return table_name{names[0], names[at]}; };
        group.push_back({table(1), table(2), table(3), table(4), table(5)});
    }
    return group;
}

}  // namespace

std::string report_to_json(const migration_snapshot& snapshot) {
    json::object object;
    json::array passed_over;
    for (const passed_over_way& way : snapshot.passed_over) {
        passed_over.push_back(json::object{{"way", to_string(way.way)}, {"reason", way.reason}});
    }
    object["passed_over"] = std::move(passed_over);
    object["copy_ms"] = snapshot.copy_took.count();
    object["verification"] = verification_to_json(snapshot.verification);
    object["paused"] = snapshot.paused;
    object["postponed"] = snapshot.postponed;
    if (snapshot.ordered) object["ordered"] = to_string(*snapshot.ordered);
    object["cutover_attempts"] = attempts_to_json(snapshot.cutover_attempts);
    object["blocker_kills"] = kills_to_json(snapshot.blocker_kills);
    if (!snapshot.way_back.resume_from.empty() || snapshot.way_back.ended_by)
        object["way_back"] = way_back_to_json(snapshot.way_back);
    if (!snapshot.swap_group.empty()) object["swap_group"] = swap_group_to_json(snapshot.swap_group);
    if (!snapshot.checkpoint.empty()) object["checkpoint"] = snapshot.checkpoint;
    object["resumed"] = snapshot.resumed;
    if (!snapshot.definition_before.empty()) {
        object["definition_before"] = snapshot.definition_before;
        object["definition_wanted"] = snapshot.definition_wanted;
    }
    return json::serialize(object);
}

void report_from_json(std::string_view text, migration_snapshot& snapshot) {
    boost::system::error_code error;
    const json::value parsed = json::parse(json::string_view(text.data(), text.size()), error);
    if (error || !parsed.is_object()) return;
    const json::object& object = parsed.get_object();
    if (const json::value* list = object.if_contains("passed_over"); list != nullptr && list->is_array()) {
        for (const json::value& entry : list->get_array()) {
            if (!entry.is_object()) continue;
            const auto way = parse_alter_way(text_of(entry.get_object(), "way"));
            if (way) snapshot.passed_over.push_back({*way, text_of(entry.get_object(), "reason")});
        }
    }
    if (const json::value* found = object.if_contains("verification"); found != nullptr && found->is_object()) {
        snapshot.verification = verification_from_json(found->get_object());
    }
    if (const json::value* found = object.if_contains("way_back"); found != nullptr && found->is_object()) {
        snapshot.way_back = way_back_from_json(found->get_object());
    }
    if (const json::array* group = array_of(object, "swap_group"); group != nullptr) {
        snapshot.swap_group = swap_group_from_json(*group);
    }
    // Rows of earlier versions know no more than the option.
    snapshot.paused = flag_of(object, "paused", false);
    snapshot.postponed = flag_of(object, "postponed", snapshot.spec.options.postpone_cutover);
    snapshot.ordered = parse_standing_order(text_of(object, "ordered"));
    if (const json::array* attempts = array_of(object, "cutover_attempts"); attempts != nullptr && !attempts->empty()) {
        snapshot.cutover_attempts = attempts_from_json(*attempts);
    }
    if (const json::array* kills = array_of(object, "blocker_kills"); kills != nullptr) {
        snapshot.blocker_kills = kills_from_json(*kills);
    }
    snapshot.copy_took = std::chrono::milliseconds(number_of(object, "copy_ms"));
    snapshot.checkpoint = text_of(object, "checkpoint");
    snapshot.resumed = static_cast<std::uint32_t>(std::max<std::int64_t>(0, number_of(object, "resumed")));
    snapshot.definition_before = text_of(object, "definition_before");
    snapshot.definition_wanted = text_of(object, "definition_wanted");
}

}  // namespace sluice::migration
