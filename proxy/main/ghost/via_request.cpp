#include "proxy/main/ghost/via_request.hpp"

#include <array>
#include <utility>

namespace sluice::ghost {
namespace {

namespace json = boost::json;
using migration::migration_options;
using migration::option_field;
using migration::option_kind;

// Not here: postpone_flag_file and the throttles' flag files, since the flags name files of this machine, which that
// Sluice cannot see (via_run.hpp).
constexpr std::array<std::string_view, 35> decided{
    "chunk_rows_fixed",
    "copy_workers",
    "defer_secondary_indexes",
    "postpone_cutover",
    "drop_old_table",
    "drop_leftovers",
    "hold_budget_ms",
    "hold_interval_ms",
    "hold_interval_max_ms",
    "cutover_attempts_max",
    "verify",
    "attempt_instant",
    "instant_at_once",
    "ddl_lock_wait_ms",
    "allow_nullable_unique_key",
    "discard_foreign_keys",
    "include_triggers",
    "trigger_suffix",
    "remove_trigger_suffix",
    "old_table_name",
    "tables_named_after",
    "skip_renamed_columns",
    "max_load",
    "critical_load",
    "critical_load_interval_ms",
    "critical_load_rest_ms",
    "control_replicas",
    "max_lag_ms",
    "throttle_query",
    "throttle_http",
    "throttle_http_interval_ms",
    "throttle_http_timeout_ms",
    "throttle_http_ignore_errors",
    "nice_percent",
    "heartbeat_interval_ms",
};

}  // namespace

std::span<const std::string_view> options_of_flags() noexcept { return decided; }

json::value json_of(const option_field& field, const migration_options& options) {
    switch (field.kind) {
        case option_kind::text: return json::value(field.get_text(options));
        case option_kind::flag: return json::value(field.get(options) != 0);
        case option_kind::number: break;
    }
    return json::value(field.get(options));
}

json::object via_request(const ghost_settings& settings) {
    const migration::migration_spec& spec = settings.spec;
    migration_options wanted = spec.options;
    wanted.postpone_cutover = wanted.postpone_cutover || !wanted.postpone_flag_file.empty();
    json::object options;
    const auto send = [&](std::string_view name) {
        const option_field* field = migration::find_option_field(name);
        SLUICE_ASSERT(field != nullptr);
        options[name] = json_of(*field, wanted);
    };
    for (const std::string_view name : decided) send(name);
    // Left out, --dml-batch-size means the engine's own measure, which is that Sluice's.
    if (settings.apply_batch_given) send("apply_batch_keys");
    // Both are refused together, and the line has said which.
    if (wanted.discard_foreign_keys) send("keep_foreign_keys");
    return {{"schema", spec.table.schema},
            {"table", spec.table.table},
            {"alter", spec.alter},
            {"options", std::move(options)}};
}

void read_options(const json::object& shown, migration_options& options) {
    for (const option_field& field : migration::option_fields()) {
        const json::value* value = shown.if_contains(field.name);
        if (value == nullptr) continue;
        if (field.kind == option_kind::text) {
            if (value->is_string() && migration::text_fits(field, value->get_string())) {
                field.set_text(options, value->get_string());
            }
        } else if (value->is_bool() && field.kind == option_kind::flag) {
            field.set(options, value->get_bool() ? 1 : 0);
        } else if (value->is_int64() && field.kind == option_kind::number) {
            const std::int64_t number = value->get_int64();
            if (number >= field.min && number <= field.max) field.set(options, number);
        }
    }
}

}  // namespace sluice::ghost
