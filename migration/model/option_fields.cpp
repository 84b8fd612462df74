#include "migration/model/option_fields.hpp"

#include "migration/model/cutover_window.hpp"
#include "migration/sql/identifier.hpp"
#include "migration/throttle/throttle_settings.hpp"

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
    return {.name = name, .help = help, .min = min, .max = max, .get = &get_member<Member>, .set = &set_member<Member>};
}

template <auto Member>
constexpr option_field flag(std::string_view name, std::string_view help) {
    return {
        .name = name, .help = help, .kind = option_kind::flag, .get = &get_member<Member>, .set = &set_member<Member>};
}

template <auto Member>
const std::string& get_text_member(const migration_options& options) {
    return options.*Member;
}

template <auto Member>
void set_text_member(migration_options& options, std::string_view value) {
    options.*Member = std::string(value);
}

template <auto Member>
constexpr option_field text(std::string_view name, std::string_view help, std::int64_t characters_max, text_rule rule) {
    return {.name = name,
            .help = help,
            .kind = option_kind::text,
            .min = 0,
            .max = characters_max,
            .get_text = &get_text_member<Member>,
            .set_text = &set_text_member<Member>,
            .rule = rule};
}

/// +HH:MM or -HH:MM. MySQL takes -13:59 … +14:00, MariaDB and MySQL before 8.0.19 -12:59 … +13:00: what lies between is
/// left to the server.
bool is_offset(std::string_view text) {
    if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return false;
    for (const std::size_t i : {1U, 2U, 4U, 5U}) {
        if (text[i] < '0' || text[i] > '9') return false;
    }
    const int minutes = ((text[1] - '0') * 10 + text[2] - '0') * 60 + (text[4] - '0') * 10 + text[5] - '0';
    return text[4] < '6' && minutes <= (text[0] == '+' ? 14 * 60 : 13 * 60 + 59);
}

/// The characters of names in the time zone database; whether the server knows the zone, only the server can say.
bool is_time_zone(std::string_view text) {
    if (text.front() == '+' || text.front() == '-') return is_offset(text);
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '/' ||
               c == '+' || c == '-';
    });
}

bool is_absolute_path(std::string_view text) {
    return text.front() == '/' && std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20; });
}

bool is_cutover_window(std::string_view text) { return cutover_window::parse(text).has_value(); }

std::string cutover_window_trouble(std::string_view text) {
    const auto window = cutover_window::parse(text);
    return window ? std::string() : window.error();
}

bool is_hold_scope(std::string_view text) { return text == "table" || text == "all" || text == "none"; }

bool is_group_name(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

bool are_load_thresholds(std::string_view text) { return parse_load_thresholds(text).has_value(); }

std::string load_trouble(std::string_view text) {
    const auto parsed = parse_load_thresholds(text);
    return parsed ? std::string() : parsed.error();
}

constexpr text_rule load_rule{&are_load_thresholds, "such as Threads_running=25,Threads_connected=500", &load_trouble};

bool are_replicas(std::string_view text) { return parse_replicas(text).has_value(); }

bool is_any_text(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

bool is_http_url(std::string_view text) {
    constexpr std::string_view scheme = "http://";
    return is_any_text(text) && text.starts_with(scheme) && text.size() > scheme.size() && text[scheme.size()] != '/';
}

bool is_identifier_end(std::string_view text) { return check_identifier(text).has_value(); }

/// One that may be changed while the migration runs.
constexpr option_field changeable(option_field field) {
    field.while_running = true;
    return field;
}

using o = migration_options;

constexpr std::array fields{
    number<&o::chunk_time_target>("chunk_time_target_ms", "time that one chunk of the copy should take", 10, 5'000),
    number<&o::chunk_rows_initial>("chunk_rows_initial", "rows of the first chunks", 10, 100'000),
    changeable(number<&o::chunk_rows_fixed>("chunk_rows_fixed", "rows of every chunk; 0: steered by time", 0, 100'000)),
    number<&o::copy_workers>("copy_workers", "connections that copy", 1, 32),
    number<&o::apply_workers>("apply_workers", "connections that apply changes to the ghost table", 1, 32),
    changeable(number<&o::apply_batch_keys>("apply_batch_keys", "keys in one transaction of the applier", 10, 5'000)),
    number<&o::delta_keys_max>("delta_keys_max", "changed keys kept in memory; when full the stream waits", 1'000,
                               100'000'000),
    number<&o::delta_bytes_max>("delta_bytes_max", "bytes of changed keys kept in memory; when full the stream waits",
                                1 << 20, std::int64_t{64} << 30),
    flag<&o::defer_secondary_indexes>("defer_secondary_indexes", "build non-unique secondary indexes after the copy"),
    changeable(flag<&o::postpone_cutover>("postpone_cutover", "wait for the command cut-over")),
    changeable(flag<&o::drop_old_table>("drop_old_table", "drop the old table after the cut-over")),
    flag<&o::keep_old_table_in_sync>("keep_old_table_in_sync",
                                     "keep the old table current after the cut-over, so that revert is possible"),
    changeable(number<&o::keep_in_sync_max_s>(
        "keep_in_sync_max_s", "longest time that the old table is kept current; 0: until finish or revert", 0,
        31'536'000)),
    flag<&o::drop_leftovers>("drop_leftovers", "first drop ghost and changelog of an earlier run"),
    changeable(
        number<&o::hold_budget>("hold_budget_ms", "longest time that statements are held at the cut-over", 10, 10'000)),
    changeable(number<&o::hold_interval>("hold_interval_ms", "shortest time between two attempts to cut over", 100,
                                         3'600'000)),
    changeable(number<&o::hold_interval_max>(
        "hold_interval_max_ms", "longest time between two attempts, which doubles while they fail", 100, 86'400'000)),
    text<&o::hold_scope>("hold_scope", "what a closed gate holds at the cut-over; empty: table", 5,
                         {&is_hold_scope, "one of table, all, none"}),
    changeable(number<&o::cutover_attempts_max>("cutover_attempts_max",
                                                "attempts to cut over before the migration fails", 1, 1'000'000)),
    changeable(text<&o::cutover_window>(
        "cutover_window", "days and hours in which a cut-over may begin", 500,
        {&is_cutover_window, "days and hours, such as Mon-Fri 02:00-05:00, Sat,Sun 00:00-24:00 UTC",
         &cutover_window_trouble})),
    changeable(text<&o::postpone_flag_file>("postpone_flag_file", "while this file exists the cut-over waits", 4'096,
                                            {&is_absolute_path, "the absolute path of a file on Sluice's machine"})),
    changeable(number<&o::max_blocker_age>("max_blocker_age_ms",
                                           "an older transaction on the table is waited for before statements are held",
                                           10, 86'400'000)),
    changeable(number<&o::page_flush_wait>(
        "page_flush_wait_ms", "longest wait for the moment behind the server's writing of pages; 0: none", 0, 60'000)),
    changeable(number<&o::kill_blockers_after>(
        "kill_blockers_after_ms", "sessions that stand in the cut-over's way for so long are killed; 0: never", 0,
        86'400'000)),
    text<&o::cutover_group>("cutover_group", "migrations of one group change places in one statement; empty: alone", 64,
                            {&is_group_name, "of letters, digits, _ and -"}),
    number<&o::cutover_group_size>("cutover_group_size", "how many migrations the group has; 0: no group", 0, 64),
    flag<&o::verify>("verify", "compare every row of the new table with the original before the cut-over"),
    flag<&o::attempt_instant>("attempt_instant", "first let the server try ALGORITHM=INSTANT"),
    flag<&o::instant_at_once>("instant_at_once",
                              "with attempt_instant: do not wait with that while postponed or paused"),
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
    text<&o::trigger_suffix>("trigger_suffix", "what is put behind the name of each trigger that is made again",
                             identifier_characters_max, {&is_identifier_end, "fit to end the name of a trigger"}),
    flag<&o::remove_trigger_suffix>("remove_trigger_suffix", "take trigger_suffix away from names that end with it"),
    text<&o::time_zone>("time_zone", "in which TIMESTAMP becomes DATETIME and back; empty: the server's own", 64,
                        {&is_time_zone, "an offset such as +02:00 or the name of a zone such as Europe/Paris"}),
    text<&o::old_table_name>("old_table_name", "what the original is called after the swap; empty: _t_del",
                             identifier_characters_max, {&is_identifier_end, "fit to be the name of a table"}),
    text<&o::tables_named_after>("tables_named_after",
                                 "the tables that are made are named after this; empty: after the table",
                                 identifier_characters_max, {&is_identifier_end, "fit to be the name of a table"}),
    flag<&o::skip_renamed_columns>("skip_renamed_columns",
                                   "a renamed column is a new one: the values of the old one are left behind"),
    changeable(number<&o::checkpoint_interval_s>(
        "checkpoint_interval_s", "time between two checkpoints, from which a killed migration goes on; 0: none", 0,
        86'400)),
    changeable(text<&o::max_load>("max_load", "status=threshold[,…]: from there on the migration holds back", 1'000,
                                  load_rule)),
    changeable(text<&o::critical_load>("critical_load", "status=threshold[,…]: from there on the migration ends", 1'000,
                                       load_rule)),
    changeable(number<&o::critical_load_interval>("critical_load_interval_ms",
                                                  "end only if critical_load is met again after this time; 0: at once",
                                                  0, 3'600'000)),
    changeable(number<&o::critical_load_rest>(
        "critical_load_rest_ms", "at critical_load rest for so long instead of ending; 0: end", 0, 86'400'000)),
    changeable(text<&o::control_replicas>("control_replicas", "host[:port][,…] of replicas whose lag holds it back",
                                          4'000, {&are_replicas, "hosts with or without a port, between commas"})),
    changeable(number<&o::max_lag>("max_lag_ms", "lag of such a replica from which on it holds back", 100, 3'600'000)),
    changeable(text<&o::throttle_query>("throttle_query", "asked every second; a number above 0 holds it back", 10'000,
                                        {&is_any_text, "without control characters"})),
    changeable(text<&o::throttle_http>("throttle_http", "URL asked by HEAD; any answer but 200 holds it back", 2'000,
                                       {&is_http_url, "that begins with http:// and a host"})),
    changeable(
        number<&o::throttle_http_interval>("throttle_http_interval_ms", "time between two such questions", 10, 60'000)),
    changeable(
        number<&o::throttle_http_timeout>("throttle_http_timeout_ms", "longest wait for such an answer", 10, 60'000)),
    changeable(flag<&o::throttle_http_ignore_errors>("throttle_http_ignore_errors",
                                                     "an URL that does not answer does not hold it back")),
    changeable(text<&o::throttle_flag_file>("throttle_flag_file", "while this file exists it holds back", 4'096,
                                            {&is_any_text, "without control characters"})),
    changeable(text<&o::throttle_additional_flag_file>("throttle_additional_flag_file",
                                                       "likewise; for a file of several migrations", 4'096,
                                                       {&is_any_text, "without control characters"})),
    changeable(number<&o::nice_percent>("nice_percent", "rest after a chunk, in percent of its time", 0, 10'000)),
    changeable(number<&o::max_client_latency_rise_percent>(
        "max_client_latency_rise_percent",
        "rise of the p99 of clients' statements, in percent of that without the copy, that holds it back; 0: off", 0,
        100'000)),
    changeable(number<&o::min_client_latency>("min_client_latency_ms", "a lower p99 never holds it back", 0, 60'000)),
    changeable(number<&o::client_latency_window>("client_latency_window_ms", "time over which this p99 is taken", 1'000,
                                                 30'000)),
    changeable(number<&o::heartbeat_interval>("heartbeat_interval_ms",
                                              "time between two heartbeats; 0: only for control_replicas", 0, 10'000)),
};

}  // namespace

std::span<const option_field> option_fields() noexcept { return fields; }

const option_field* find_option_field(std::string_view name) noexcept {
    const auto* found =
        std::find_if(fields.begin(), fields.end(), [&](const option_field& f) { return f.name == name; });
    return found == fields.end() ? nullptr : found;
}

std::string expected_value(const option_field& field) {
    switch (field.kind) {
        case option_kind::flag: return "true or false";
        case option_kind::text:
            return "a text of up to " + std::to_string(field.max) + " characters, " + std::string(field.rule.expected);
        case option_kind::number: break;
    }
    return "a whole number from " + std::to_string(field.min) + " to " + std::to_string(field.max);
}

std::string expected_value(const option_field& field, std::string_view refused) {
    std::string expected = expected_value(field);
    if (field.kind != option_kind::text || field.rule.trouble == nullptr) return expected;
    if (character_count(refused) > static_cast<std::size_t>(field.max)) return expected;
    return expected + ": " + field.rule.trouble(refused);
}

bool text_fits(const option_field& field, std::string_view value) {
    if (value.empty()) return true;
    return character_count(value) <= static_cast<std::size_t>(field.max) && field.rule.holds(value);
}

std::string shown_value(const option_field& field, const migration_options& options) {
    if (field.kind == option_kind::text) return field.get_text(options);
    const std::int64_t value = field.get(options);
    if (field.kind == option_kind::number) return std::to_string(value);
    return value != 0 ? "yes" : "no";
}

bool same_value(const option_field& field, const migration_options& a, const migration_options& b) {
    return field.kind == option_kind::text ? field.get_text(a) == field.get_text(b) : field.get(a) == field.get(b);
}

void option_changes::apply_to(migration_options& options) const {
    for (const option_field* field : fields) {
        if (field->kind == option_kind::text) {
            field->set_text(options, field->get_text(values));
        } else {
            field->set(options, field->get(values));
        }
    }
}

std::string changeable_options() {
    std::string names;
    for (const option_field& field : fields) {
        if (field.while_running) names += (names.empty() ? "" : ", ") + std::string(field.name);
    }
    return names;
}

const option_field* find_bad_value(const migration_options& options) {
    const auto* found = std::find_if(fields.begin(), fields.end(), [&options](const option_field& field) {
        if (field.kind == option_kind::text) return !text_fits(field, field.get_text(options));
        const std::int64_t value = field.get(options);
        return value < field.min || value > field.max;
    });
    return found == fields.end() ? nullptr : found;
}

}  // namespace sluice::migration
