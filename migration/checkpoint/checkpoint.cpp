#include "migration/checkpoint/checkpoint.hpp"

#include "migration/model/option_fields.hpp"
#include "migration/sql/create_statement.hpp"
#include "protocol/result.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::migration {
namespace {

namespace json = boost::json;

constexpr std::int64_t version = 1;

json::value literals_of(const key_bound& bound) { return json::array(bound.literals.begin(), bound.literals.end()); }

std::string text_of(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::uint64_t number_of(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_int64()
               ? static_cast<std::uint64_t>(std::max<std::int64_t>(0, value->get_int64()))
               : 0;
}

bool flag_of(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_bool() && value->get_bool();
}

std::optional<key_bound> bound_of(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    if (value == nullptr || !value->is_array()) return std::nullopt;
    key_bound bound;
    for (const json::value& literal : value->get_array()) {
        if (!literal.is_string()) return std::nullopt;
        bound.literals.emplace_back(literal.get_string());
    }
    return bound.literals.empty() ? std::nullopt : std::optional(std::move(bound));
}

}  // namespace

std::string to_text(const checkpoint& value) {
    json::object object{{"version", version},
                        {"run", value.run},
                        {"place", value.place},
                        {"by_gtid", value.by_gtid},
                        {"server", value.server},
                        {"marker", static_cast<std::int64_t>(value.marker)},
                        {"expects_unknown_prepared", value.expects_unknown_prepared},
                        {"executed", value.executed},
                        {"all", value.copied.all},
                        {"rows_copied", static_cast<std::int64_t>(value.rows_copied)},
                        {"deltas_applied", static_cast<std::int64_t>(value.deltas_applied)},
                        {"alter", value.alter},
                        {"options", value.options},
                        {"original", value.original},
                        {"ghost", value.ghost},
                        {"unique_key", value.unique_key},
                        {"moment", value.moment},
                        {"old_table", value.old_table},
                        {"swapped", value.swapped},
                        {"swap_clause", value.swap_clause}};
    if (value.copied.range) {
        object["min"] = literals_of(value.copied.range->min);
        object["max"] = literals_of(value.copied.range->max);
    }
    if (value.copied.through) object["through"] = literals_of(*value.copied.through);
    json::array deferred;
    for (const deferred_index& index : value.deferred) {
        deferred.push_back(json::object{{"name", index.name}, {"definition", index.definition}});
    }
    object["deferred"] = std::move(deferred);
    json::object names;
    for (const auto& [name, former] : value.former_trigger_names) names[name] = former;
    object["former_trigger_names"] = std::move(names);
    return json::serialize(object);
}

std::optional<checkpoint> checkpoint_from_text(std::string_view text) {
    boost::system::error_code error;
    const json::value parsed = json::parse(json::string_view(text.data(), text.size()), error);
    if (error || !parsed.is_object()) return std::nullopt;
    const json::object& object = parsed.get_object();
    if (number_of(object, "version") != version) return std::nullopt;
    checkpoint value;
    value.run = text_of(object, "run");
    value.place = text_of(object, "place");
    value.by_gtid = flag_of(object, "by_gtid");
    value.server = text_of(object, "server");
    value.marker = number_of(object, "marker");
    value.expects_unknown_prepared = flag_of(object, "expects_unknown_prepared");
    value.executed = text_of(object, "executed");
    value.copied.all = flag_of(object, "all");
    value.rows_copied = number_of(object, "rows_copied");
    value.deltas_applied = number_of(object, "deltas_applied");
    value.alter = text_of(object, "alter");
    value.options = text_of(object, "options");
    value.original = text_of(object, "original");
    value.ghost = text_of(object, "ghost");
    value.unique_key = text_of(object, "unique_key");
    value.moment = text_of(object, "moment");
    value.old_table = text_of(object, "old_table");
    value.swapped = flag_of(object, "swapped");
    value.swap_clause = text_of(object, "swap_clause");
    auto min = bound_of(object, "min");
    auto max = bound_of(object, "max");
    if (min && max) value.copied.range = copy_range{std::move(*min), std::move(*max)};
    value.copied.through = bound_of(object, "through");
    if (const json::value* list = object.if_contains("deferred"); list != nullptr && list->is_array()) {
        for (const json::value& entry : list->get_array()) {
            if (!entry.is_object()) return std::nullopt;
            value.deferred.push_back({text_of(entry.get_object(), "name"), text_of(entry.get_object(), "definition")});
        }
    }
    if (const json::value* names = object.if_contains("former_trigger_names"); names != nullptr && names->is_object()) {
        for (const auto& [name, former] : names->get_object()) {
            if (former.is_string()) value.former_trigger_names[name] = std::string(former.get_string());
        }
    }
    if (value.run.empty() || value.place.empty()) return std::nullopt;
    return value;
}

std::string options_of_plan(const migration_options& options) {
    constexpr std::array names{"allow_nullable_unique_key", "keep_foreign_keys",    "discard_foreign_keys",
                               "rebuild_referencing_keys",  "include_triggers",     "trigger_suffix",
                               "remove_trigger_suffix",     "skip_renamed_columns", "time_zone",
                               "defer_secondary_indexes"};
    std::string text;
    for (const char* name : names) {
        const option_field* field = find_option_field(name);
        SLUICE_ASSERT(field != nullptr);
        text.append(text.empty() ? "" : ", ").append(name).append("=").append(shown_value(*field, options));
    }
    return text;
}

std::string shape_of_ghost(const std::string& create_statement) {
    const std::string all = shape_of(create_statement);
    std::string shape;
    for (std::size_t begin = 0; begin < all.size();) {
        const std::size_t end = all.find('\n', begin);
        const std::string_view line = std::string_view(all).substr(begin, end - begin);
        if (!line.starts_with("  KEY ")) shape.append(line).append("\n");
        begin = end + 1;
    }
    return shape;
}

}  // namespace sluice::migration
