#include "proxy/main/ghost/via_run.hpp"

#include "proxy/main/client/json_fields.hpp"
#include "proxy/main/client/plan_text.hpp"

#include <boost/json/serialize.hpp>

#include <utility>

namespace sluice::ghost {
namespace {

namespace json = boost::json;

constexpr std::chrono::minutes plan_patience{5};

json::value value_of(const migration::option_field& field, const migration::migration_options& options) {
    switch (field.kind) {
        case migration::option_kind::text: return json::value(field.get_text(options));
        case migration::option_kind::flag: return json::value(field.get(options) != 0);
        case migration::option_kind::number: break;
    }
    return json::value(field.get(options));
}

}  // namespace

json::object via_run::request() const {
    const migration::migration_spec& spec = settings().spec;
    // What gh-ost's flags leave at Sluice's own measure is as that Sluice is configured.
    const migration::migration_options defaults;
    json::object options;
    for (const migration::option_field& field : migration::option_fields()) {
        if (!migration::same_value(field, spec.options, defaults)) options[field.name] = value_of(field, spec.options);
    }
    return {{"schema", spec.table.schema},
            {"table", spec.table.table},
            {"alter", spec.alter},
            {"options", std::move(options)}};
}

reply<std::string> via_run::plan() {
    json::object body = request();
    body["dry_run"] = true;
    auto answer = client_->post("/v1/migrations", json::serialize(body), plan_patience);
    if (!answer) return std::move(answer).error();
    return plan_text(*answer);
}

result<void, command_refusal> via_run::begin() {
    options_ = settings().spec.options;
    auto created = client_->post("/v1/migrations", json::serialize(request()));
    if (!created) return command_refusal(created.error().message);
    id_ = text_of(*created, "id");
    if (!migration_path(id_)) return command_refusal(settings().via + " does not answer like Sluice");
    return {};
}

result<run_view, command_refusal> via_run::look() {
    const auto path = migration_path(id_);
    if (!path) return command_refusal("the run has not begun");
    auto answer = client_->get(*path);
    if (!answer) return command_refusal(answer.error().message);
    return view_of(*answer);
}

result<void, command_refusal> via_run::command(const std::string& name) {
    const auto path = migration_path(id_, name);
    if (!path) return command_refusal("the run has not begun");
    if (auto answer = client_->post(*path, {}); !answer) return command_refusal(answer.error().message);
    return {};
}

void via_run::leave() { (void)command("abort").has_error(); }

result<void, command_refusal> via_run::change(const migration::option_changes& changes) {
    const auto path = migration_path(id_, "settings");
    if (!path) return command_refusal("the run has not begun");
    json::object options;
    for (const migration::option_field* field : changes.fields) options[field->name] = value_of(*field, changes.values);
    if (auto answer = client_->post(*path, json::serialize(options)); !answer) {
        return command_refusal(answer.error().message);
    }
    changes.apply_to(options_);
    return {};
}

}  // namespace sluice::ghost
