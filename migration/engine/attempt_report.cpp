#include "migration/engine/attempt_report.hpp"

#include "migration/sql/identifier.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <chrono>

namespace sluice::migration {
namespace {

namespace json = boost::json;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr std::size_t attempts_stored = 20;
constexpr std::size_t blockers_stored = 10;

std::string text_of(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t number_of(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

std::uint64_t count_of(const json::object& object, std::string_view name) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, number_of(object, name)));
}

bool flag_of(const json::object& object, std::string_view name, bool otherwise = false) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_bool() ? value->get_bool() : otherwise;
}

/// Calls use(object) for each object in the array of this name.
template <class Use>
void for_each_object(const json::array& array, Use use) {
    for (const json::value& entry : array) {
        if (entry.is_object()) use(entry.get_object());
    }
}

template <class Use>
void for_each_object(const json::object& object, std::string_view name, Use use) {
    const json::value* value = object.if_contains(name);
    if (value != nullptr && value->is_array()) for_each_object(value->get_array(), use);
}

std::int64_t to_us(system_clock::time_point time) {
    return std::chrono::duration_cast<microseconds>(time.time_since_epoch()).count();
}

system_clock::time_point to_time(std::int64_t us) {
    return system_clock::time_point(std::chrono::duration_cast<system_clock::duration>(microseconds(us)));
}

json::object to_json(const gate_blocker& blocker) {
    return {{"connection_id", blocker.connection_id},
            {"client", well_formed_utf8(blocker.client)},
            {"statement", well_formed_utf8(blocker.statement)},
            {"age_ms", blocker.age.count()},
            {"in_transaction", blocker.in_transaction},
            {"direct", blocker.direct},
            {"age_is_known", blocker.age_is_known}};
}

gate_blocker blocker_from_json(const json::object& object) {
    return {.connection_id = count_of(object, "connection_id"),
            .client = text_of(object, "client"),
            .statement = text_of(object, "statement"),
            .age = milliseconds(number_of(object, "age_ms")),
            .in_transaction = flag_of(object, "in_transaction"),
            .direct = flag_of(object, "direct"),
            .age_is_known = flag_of(object, "age_is_known", true)};
}

json::object to_json(const hold_report& hold) {
    return {
        {"statements_held", hold.statements_held}, {"p50_us", hold.hold_p50.count()}, {"p99_us", hold.hold_p99.count()},
        {"max_us", hold.hold_max.count()},         {"expired", hold.expired},         {"overflowed", hold.overflowed},
        {"old_snapshots", hold.old_snapshots}};
}

hold_report hold_from_json(const json::object& object) {
    hold_report hold;
    hold.statements_held = count_of(object, "statements_held");
    hold.hold_p50 = microseconds(number_of(object, "p50_us"));
    hold.hold_p99 = microseconds(number_of(object, "p99_us"));
    hold.hold_max = microseconds(number_of(object, "max_us"));
    hold.expired = flag_of(object, "expired");
    hold.overflowed = count_of(object, "overflowed");
    hold.old_snapshots = count_of(object, "old_snapshots");
    return hold;
}

json::object to_json(const cutover_attempt& attempt) {
    json::array steps;
    for (const cutover_step& step : attempt.steps) {
        steps.push_back(json::object{{"name", step.name}, {"us", step.took.count()}});
    }
    json::array blockers;
    for (std::size_t i = 0; i < std::min(blockers_stored, attempt.blockers.size()); ++i) {
        blockers.push_back(to_json(attempt.blockers[i]));
    }
    return {{"number", attempt.number},       {"began_us", to_us(attempt.began)},
            {"succeeded", attempt.succeeded}, {"backwards", attempt.backwards},
            {"group", attempt.group},         {"given_up_because", well_formed_utf8(attempt.given_up_because)},
            {"hold", to_json(attempt.hold)},  {"steps", std::move(steps)},
            {"blockers", std::move(blockers)}};
}

cutover_attempt attempt_from_json(const json::object& object) {
    cutover_attempt attempt;
    attempt.number = static_cast<std::uint32_t>(number_of(object, "number"));
    attempt.began = to_time(number_of(object, "began_us"));
    attempt.succeeded = flag_of(object, "succeeded");
    attempt.backwards = flag_of(object, "backwards");
    attempt.group = text_of(object, "group");
    attempt.given_up_because = text_of(object, "given_up_because");
    if (const json::value* hold = object.if_contains("hold"); hold != nullptr && hold->is_object()) {
        attempt.hold = hold_from_json(hold->get_object());
    }
    for_each_object(object, "steps", [&](const json::object& step) {
        attempt.steps.push_back({text_of(step, "name"), microseconds(number_of(step, "us"))});
    });
    for_each_object(object, "blockers",
                    [&](const json::object& blocker) { attempt.blockers.push_back(blocker_from_json(blocker)); });
    return attempt;
}

}  // namespace

json::array attempts_to_json(const std::vector<cutover_attempt>& attempts) {
    json::array array;
    const std::size_t left_out = attempts.size() - std::min(attempts.size(), attempts_stored);
    for (std::size_t i = left_out; i < attempts.size(); ++i) array.push_back(to_json(attempts[i]));
    return array;
}

std::vector<cutover_attempt> attempts_from_json(const json::array& array) {
    std::vector<cutover_attempt> attempts;
    for_each_object(array, [&](const json::object& object) { attempts.push_back(attempt_from_json(object)); });
    return attempts;
}

json::array kills_to_json(const std::vector<blocker_kill>& kills) {
    json::array array;
    for (const blocker_kill& kill : kills) {
        array.push_back(json::object{{"at_us", to_us(kill.at)},
                                     {"before_attempt", kill.before_attempt},
                                     {"blocker", to_json(kill.blocker)},
                                     {"error", well_formed_utf8(kill.error)}});
    }
    return array;
}

std::vector<blocker_kill> kills_from_json(const json::array& array) {
    std::vector<blocker_kill> kills;
    for_each_object(array, [&](const json::object& object) {
        blocker_kill kill;
        kill.at = to_time(number_of(object, "at_us"));
        kill.before_attempt = static_cast<std::uint32_t>(number_of(object, "before_attempt"));
        kill.error = text_of(object, "error");
        if (const json::value* blocker = object.if_contains("blocker"); blocker != nullptr && blocker->is_object()) {
            kill.blocker = blocker_from_json(blocker->get_object());
        }
        kills.push_back(std::move(kill));
    });
    return kills;
}

}  // namespace sluice::migration
