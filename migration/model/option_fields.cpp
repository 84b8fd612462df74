#include "migration/model/option_fields.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <type_traits>

namespace sluice::migration {
namespace {

// Each member knows how to become a whole number and back; the unit is the one that the name ends with.
template <auto Member>
std::int64_t get_member(const migration_options& options) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(options.*Member)>, std::chrono::milliseconds>) {
        return (options.*Member).count();
    } else {
        return static_cast<std::int64_t>(options.*Member);
    }
}

template <auto Member>
void set_member(migration_options& options, std::int64_t value) {
    using type = std::remove_cvref_t<decltype(options.*Member)>;
    if constexpr (std::is_same_v<type, bool>) {
        options.*Member = value != 0;
    } else {
        options.*Member = static_cast<type>(value);
    }
}

template <auto Member>
constexpr option_field number(std::string_view name, std::string_view help, std::int64_t min, std::int64_t max) {
    return {name, help, false, min, max, &get_member<Member>, &set_member<Member>};
}

template <auto Member>
constexpr option_field flag(std::string_view name, std::string_view help) {
    return {name, help, true, 0, 1, &get_member<Member>, &set_member<Member>};
}

using o = migration_options;

constexpr std::array fields{
    number<&o::chunk_time_target>("chunk_time_target_ms", "time that one chunk of the copy should take", 10, 5'000),
    number<&o::chunk_rows_initial>("chunk_rows_initial", "rows of the first chunks", 10, 100'000),
    number<&o::chunk_rows_fixed>("chunk_rows_fixed", "rows of every chunk; 0: steered by time", 0, 100'000),
    number<&o::copy_workers>("copy_workers", "connections that copy", 1, 32),
    number<&o::apply_workers>("apply_workers", "connections that apply changes to the ghost table", 1, 32),
    number<&o::apply_batch_keys>("apply_batch_keys", "keys in one transaction of the applier", 10, 5'000),
    number<&o::delta_keys_max>("delta_keys_max", "changed keys kept in memory; when full the stream waits", 1'000,
                               100'000'000),
    number<&o::delta_bytes_max>("delta_bytes_max", "bytes of changed keys kept in memory; when full the stream waits",
                                1 << 20, std::int64_t{64} << 30),
    flag<&o::defer_secondary_indexes>("defer_secondary_indexes", "build non-unique secondary indexes after the copy"),
    flag<&o::postpone_cutover>("postpone_cutover", "wait for the command cut-over"),
    flag<&o::drop_old_table>("drop_old_table", "drop the old table after the cut-over"),
    flag<&o::drop_leftovers>("drop_leftovers", "first drop ghost and changelog of an earlier run"),
    number<&o::hold_budget>("hold_budget_ms", "longest time that statements are held at the cut-over", 10, 10'000),
    number<&o::hold_interval>("hold_interval_ms", "shortest time between two attempts to cut over", 100, 3'600'000),
    number<&o::cutover_attempts_max>("cutover_attempts_max", "attempts to cut over before the migration fails", 1,
                                     1'000'000),
    flag<&o::verify>("verify", "compare every row of the new table with the original before the cut-over"),
    flag<&o::attempt_instant>("attempt_instant", "first let the server try ALGORITHM=INSTANT"),
    flag<&o::attempt_inplace>("attempt_inplace", "then let it try ALGORITHM=INPLACE where that changes metadata only"),
    number<&o::ddl_lock_wait>("ddl_lock_wait_ms", "longest wait of an INSTANT or INPLACE statement for its lock", 10,
                              60'000),
    flag<&o::allow_nullable_unique_key>("allow_nullable_unique_key",
                                        "let a unique key on nullable columns identify the rows"),
    flag<&o::keep_foreign_keys>("keep_foreign_keys", "carry the table's own foreign keys over"),
    flag<&o::discard_foreign_keys>("discard_foreign_keys", "leave the table's own foreign keys behind"),
    flag<&o::rebuild_referencing_keys>("rebuild_referencing_keys",
                                       "point other tables' foreign keys to this table at the new one"),
    flag<&o::include_triggers>("include_triggers", "make the table's triggers again for the new table"),
    flag<&o::remove_trigger_suffix>("remove_trigger_suffix", "take trigger_suffix away from names that end with it"),
};

}  // namespace

std::span<const option_field> option_fields() noexcept { return fields; }

const option_field* find_option_field(std::string_view name) noexcept {
    const auto* found =
        std::find_if(fields.begin(), fields.end(), [&](const option_field& f) { return f.name == name; });
    return found == fields.end() ? nullptr : found;
}

std::string expected_value(const option_field& field) {
    if (field.is_flag) return "true or false";
    return "a whole number from " + std::to_string(field.min) + " to " + std::to_string(field.max);
}

}  // namespace sluice::migration
