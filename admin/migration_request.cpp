#include "admin/migration_request.hpp"

#include "admin/closest_name.hpp"
#include "migration/model/option_fields.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

namespace sluice::admin {
namespace {

namespace json = boost::json;
using migration::expected_value;
using migration::find_option_field;
using migration::option_field;
using migration::option_fields;

// MySQL manual, "Identifier Length Limits": 64 characters, here counted in bytes of at most 4 each.
constexpr std::size_t identifier_bytes_max = 64 * 4;

problem bad_field(std::string field, std::string code, std::string detail) {
    return {.status = 400, .code = std::move(code), .detail = std::move(detail), .field = std::move(field)};
}

std::string_view kind_name(const json::value& value) {
    switch (value.kind()) {
        case json::kind::null: return "null";
        case json::kind::bool_: return "a boolean";
        case json::kind::int64:
        case json::kind::uint64: return "a number";
        case json::kind::double_: return "a number with a fraction";
        case json::kind::string: return "a string";
        case json::kind::array: return "an array";
        case json::kind::object: return "an object";
    }
    return "a value";
}

problem mistyped(const std::string& field, const json::value& value, const std::string& expected) {
    return bad_field(field, "mistyped_field",
                     "`" + field + "` must be " + expected + ", not " + std::string(kind_name(value)));
}

result<json::object, problem> parse_object(std::string_view body) {
    json::parse_options options;
    options.max_depth = json_depth_max;
    boost::system::error_code error;
    json::value parsed = json::parse(json::string_view(body.data(), body.size()), error, {}, options);
    if (error) {
        return problem{
            .status = 400, .code = "invalid_json", .detail = "the body is not JSON: " + error.message(), .field = {}};
    }
    if (!parsed.is_object()) {
        return problem{.status = 400,
                       .code = "invalid_json",
                       .detail = "the body must be a JSON object, not " + std::string(kind_name(parsed)),
                       .field = {}};
    }
    return std::move(parsed.as_object());
}

result<std::string, problem> text_field(const json::object& object, std::string_view name, std::size_t bytes_max) {
    const std::string field(name);
    const json::value* value = object.if_contains(name);
    if (value == nullptr) return bad_field(field, "missing_field", "`" + field + "` is missing; it must be a string");
    if (!value->is_string()) return mistyped(field, *value, "a string");
    const json::string& text = value->get_string();
    if (text.empty()) return bad_field(field, "invalid_field", "`" + field + "` must not be empty");
    if (text.size() > bytes_max) {
        return bad_field(field, "invalid_field",
                         "`" + field + "` must not be longer than " + std::to_string(bytes_max) + " bytes");
    }
    if (text.find('\0') != json::string::npos) {
        return bad_field(field, "invalid_field", "`" + field + "` must not contain the character U+0000");
    }
    return std::string(text.data(), text.size());
}

result<void, problem> apply_option(migration::migration_options& options, const option_field& option,
                                   const json::value& value, const std::string& field) {
    const std::string expected = expected_value(option);
    if (option.kind == migration::option_kind::flag) {
        if (!value.is_bool()) return mistyped(field, value, expected);
        option.set(options, value.get_bool() ? 1 : 0);
        return {};
    }
    if (option.kind == migration::option_kind::text) {
        if (!value.is_string()) return mistyped(field, value, expected);
        const std::string_view text = value.get_string();
        if (!migration::text_fits(option, text)) {
            return bad_field(field, "invalid_field", "`" + field + "` must be " + expected_value(option, text));
        }
        option.set_text(options, text);
        return {};
    }
    if (!value.is_int64() && !value.is_uint64()) return mistyped(field, value, expected);
    // Boost.JSON keeps a number as uint64 only when it does not fit into int64: above every maximum here.
    const std::int64_t number = value.is_int64() ? value.get_int64() : std::numeric_limits<std::int64_t>::max();
    if (number < option.min || number > option.max) {
        return bad_field(field, "out_of_range", "`" + field + "` must be " + expected);
    }
    option.set(options, number);
    return {};
}

/// prefix: of the fields' names in problems. Gives the fields that were set.
result<std::vector<const option_field*>, problem> apply_options(migration::migration_options& options,
                                                                const json::object& values, const std::string& prefix) {
    std::vector<const option_field*> set;
    for (const auto& [key, option_value] : values) {
        const std::string field = prefix + std::string(key);
        const option_field* option = find_option_field(key);
        if (option == nullptr) {
            std::vector<std::string_view> names;
            for (const option_field& known : option_fields()) names.push_back(known.name);
            return bad_field(field, "unknown_field", "unknown field `" + field + "`" + name_hint(key, names));
        }
        SLUICE_TRY_VOID(apply_option(options, *option, option_value, field));
        set.push_back(option);
    }
    return set;
}

}  // namespace

result<migration_request, problem> parse_migration_request(std::string_view body,
                                                           const migration::migration_options& defaults) {
    SLUICE_TRY(const json::object object, parse_object(body));
    constexpr std::array<std::string_view, 5> known{"schema", "table", "alter", "options", "dry_run"};
    for (const auto& member : object) {
        const std::string_view key = member.key();
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            return bad_field(std::string(key), "unknown_field",
                             "unknown field `" + std::string(key) + "`" + name_hint(key, known));
        }
    }
    migration_request made;
    migration::migration_spec& spec = made.spec;
    SLUICE_TRY(spec.table.schema, text_field(object, "schema", identifier_bytes_max));
    SLUICE_TRY(spec.table.table, text_field(object, "table", identifier_bytes_max));
    SLUICE_TRY(spec.alter, text_field(object, "alter", alter_bytes_max));
    spec.options = defaults;
    if (const json::value* options = object.if_contains("options")) {
        if (!options->is_object()) return mistyped("options", *options, "an object");
        const auto set = apply_options(spec.options, options->get_object(), "options.");
        if (set.has_error()) return set.error();
    }
    if (const json::value* dry_run = object.if_contains("dry_run")) {
        if (!dry_run->is_bool()) return mistyped("dry_run", *dry_run, "true or false");
        made.dry_run = dry_run->get_bool();
    }
    return made;
}

result<migration::option_changes, problem> parse_settings_request(std::string_view body) {
    SLUICE_TRY(const json::object object, parse_object(body));
    migration::option_changes changes;
    auto set = apply_options(changes.values, object, {});
    if (set.has_error()) return set.error();
    if (set->empty()) {
        return problem{.status = 400,
                       .code = "missing_field",
                       .detail = "there is nothing to change; these can be: " + migration::changeable_options(),
                       .field = {}};
    }
    changes.fields = std::move(*set);
    return changes;
}

result<void, problem> check_command_body(std::string_view body) {
    if (body.empty()) return {};
    SLUICE_TRY(const json::object object, parse_object(body));
    if (object.empty()) return {};
    const std::string field(object.begin()->key());
    return bad_field(field, "unknown_field", "unknown field `" + field + "` (this command takes no fields)");
}

}  // namespace sluice::admin
