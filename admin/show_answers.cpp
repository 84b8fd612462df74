#include "admin/show_answers.hpp"

#include "admin/cutover_view.hpp"
#include "admin/text_form.hpp"
#include "migration/cutover/moment.hpp"
#include "migration/model/option_fields.hpp"

#include <cstdio>

namespace sluice::admin {
namespace {

using migration::migration_snapshot;
using migration::option_field;
using migration::option_fields;
using cell = std::optional<std::string>;

char folded(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string percent(double part) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", part * 100.0);
    return text;
}

cell optional_time(const std::optional<std::chrono::system_clock::time_point>& time) {
    if (!time) return std::nullopt;
    return to_utc_text(*time);
}

cell eta_text(const migration_snapshot& snapshot) {
    if (!snapshot.eta) return std::nullopt;
    return std::to_string(snapshot.eta->count());
}

cell optional_text(const std::string& text) {
    if (text.empty()) return std::nullopt;
    return text;
}

cell way_text(const migration_snapshot& snapshot) {
    if (!snapshot.way) return std::nullopt;
    return std::string(migration::to_string(*snapshot.way));
}

std::string yes_no(bool value) { return value ? "yes" : "no"; }

std::string known_states() {
    std::string names;
    for (auto state = migration::migration_state::queued; state <= migration::migration_state::failed;
         state = static_cast<migration::migration_state>(static_cast<int>(state) + 1)) {
        names += (names.empty() ? "" : ", ") + std::string(migration::to_string(state));
    }
    return names;
}

std::vector<cell> list_row(const migration_snapshot& s) {
    const auto& trouble = s.error ? s.error : s.way_back.ended_by;
    const cell note = trouble ? cell(trouble->code + ": " + trouble->message) : optional_text(s.waiting_for);
    return {s.id,
            s.spec.table.schema,
            s.spec.table.table,
            std::string(migration::to_string(s.state)),
            way_text(s),
            percent(s.progress),
            std::to_string(s.rows_copied),
            std::to_string(s.rows_estimate),
            std::to_string(s.rows_per_s),
            std::to_string(s.backlog_keys),
            eta_text(s),
            to_utc_text(s.created),
            note};
}

show_refusal to_refusal(const migration::failure& why) { return {.message = "Sluice: " + why.message}; }

result<text_table, show_refusal> migrations_table(const sql::show_request& request,
                                                  const migration_directory& migrations) {
    std::optional<migration::migration_state> state;
    if (request.state) {
        std::string lower;
        for (const char c : *request.state) lower += folded(c);
        state = migration::parse_migration_state(lower);
        if (!state) {
            return show_refusal{.message =
                                    "Unknown migration state '" + *request.state + "' (known: " + known_states() + ")"};
        }
    }
    text_table table{.columns = {"id", "schema", "table", "state", "way", "progress_percent", "rows_copied",
                                 "rows_estimate", "rows_per_s", "backlog_keys", "eta_s", "created", "note"},
                     .rows = {}};
    const auto known = migrations.list();
    if (known.has_error()) return to_refusal(known.error());
    for (const auto& snapshot : *known) {
        const auto& name = snapshot->spec.table;
        if (state && snapshot->state != *state) continue;
        if (request.like && !like_matches(name.schema + "." + name.table, *request.like)) continue;
        table.rows.push_back(list_row(*snapshot));
    }
    return table;
}

void add_last_attempt(text_table& table, const migration_snapshot& s) {
    if (s.cutover_attempts.empty()) return;
    const migration::cutover_attempt& last = s.cutover_attempts.back();
    const auto add = [&](std::string name, cell value) { table.rows.push_back({std::move(name), std::move(value)}); };
    add("cutover_attempts_made", std::to_string(last.number));
    add("last_attempt_began", to_utc_text(last.began));
    add("last_attempt_succeeded", yes_no(last.succeeded));
    add("last_attempt_given_up_because", optional_text(last.given_up_because));
    add("last_attempt_steps", optional_text(steps_text(last)));
    add("last_attempt_statements_held", std::to_string(last.hold.statements_held));
    add("last_attempt_hold_p50_us", std::to_string(last.hold.hold_p50.count()));
    add("last_attempt_hold_p99_us", std::to_string(last.hold.hold_p99.count()));
    add("last_attempt_hold_max_us", std::to_string(last.hold.hold_max.count()));
    add("last_attempt_overflowed", std::to_string(last.hold.overflowed));
    for (const auto& blocker : last.blockers) add("last_attempt_blocker", migration::describe(blocker));
}

void add_verification(text_table& table, const migration_snapshot& s) {
    const auto add = [&](std::string name, cell value) { table.rows.push_back({std::move(name), std::move(value)}); };
    const migration::verification_report& report = s.verification;
    add("verification", s.spec.options.verify ? "on" : "off: nothing is compared");
    if (!s.spec.options.verify) return;
    add("verification_passes", std::to_string(report.passes));
    add("verification_last_pass_ended", optional_time(report.last_pass_ended));
    add("verification_rows_counted", std::to_string(report.last_pass.rows_counted));
    add("verification_rows_compared", std::to_string(report.last_pass.rows_compared));
    add("verification_rows_in_motion", std::to_string(report.last_pass.rows_in_motion));
    add("verification_rows_repaired", std::to_string(report.rows_repaired));
    add("verification_pass_in_hand_rows_compared", std::to_string(report.pass_in_hand.rows_compared));
    for (const auto& column : report.columns_not_compared) add("verification_column_not_compared", column);
}

void add_way_back(text_table& table, const migration_snapshot& s) {
    const migration::way_back_report& report = s.way_back;
    if (report.resume_from.empty()) return;
    const auto add = [&](std::string name, cell value) { table.rows.push_back({std::move(name), std::move(value)}); };
    add("way_back_open", yes_no(report.open));
    add("way_back_unique_key", optional_text(report.unique_key));
    add("way_back_since", optional_time(report.since));
    add("way_back_changes_seen", std::to_string(report.changes_seen));
    add("way_back_keys_applied", std::to_string(report.keys_applied));
    add("way_back_backlog_keys", std::to_string(report.backlog_keys));
    add("way_back_verification_passes", std::to_string(report.verification.passes));
    add("way_back_rows_compared", std::to_string(report.verification.last_pass.rows_compared));
    add("way_back_rows_repaired", std::to_string(report.verification.rows_repaired));
    if (!report.ended_by) return;
    add("way_back_ended_by_code", report.ended_by->code);
    add("way_back_ended_by_message", report.ended_by->message);
}

cell optional_count(const std::optional<std::chrono::microseconds>& time) {
    if (!time) return std::nullopt;
    return std::to_string(time->count());
}

cell optional_count(const std::optional<std::chrono::milliseconds>& time) {
    if (!time) return std::nullopt;
    return std::to_string(time->count());
}

void add_throttles(text_table& table, const migration_snapshot& s) {
    const auto add = [&](std::string name, cell value) { table.rows.push_back({std::move(name), std::move(value)}); };
    add("throttled_by", optional_text(s.throttled_by));
    add("lag_ms", optional_count(s.lag));
    add("heartbeat_lag_ms", optional_count(s.heartbeat_lag));
    add("client_latency_p99_us", optional_count(s.client_latency));
    add("client_latency_baseline_us", optional_count(s.client_latency_baseline));
}

text_table migration_table(const migration_snapshot& s) {
    text_table table{.columns = {"name", "value"}, .rows = {}};
    const auto add = [&](std::string name, cell value) { table.rows.push_back({std::move(name), std::move(value)}); };
    add("id", s.id);
    add("schema", s.spec.table.schema);
    add("table", s.spec.table.table);
    add("alter", s.spec.alter);
    add("state", std::string(migration::to_string(s.state)));
    add("way", way_text(s));
    for (const auto& other : s.passed_over) {
        add("way_passed_over", std::string(migration::to_string(other.way)) + ": " + other.reason);
    }
    add("paused", yes_no(s.paused));
    add("postponed", yes_no(s.postponed));
    add("waiting_for", optional_text(s.waiting_for));
    add_throttles(table, s);
    add("unique_key", optional_text(s.unique_key));
    add("progress_percent", percent(s.progress));
    add("rows_copied", std::to_string(s.rows_copied));
    add("rows_estimate", std::to_string(s.rows_estimate));
    add("rows_per_s", std::to_string(s.rows_per_s));
    add("chunk_rows", std::to_string(s.chunk_rows));
    add("chunk_retries", std::to_string(s.chunk_retries));
    add("last_chunk_error", optional_text(s.last_chunk_error));
    add("deltas_seen", std::to_string(s.deltas_seen));
    add("deltas_applied", std::to_string(s.deltas_applied));
    add("deltas_dropped", std::to_string(s.deltas_dropped));
    add("backlog_keys", std::to_string(s.backlog_keys));
    add_verification(table, s);
    add_way_back(table, s);
    add("eta_s", eta_text(s));
    add("copy_took_ms", std::to_string(s.copy_took.count()));
    add("stream_position", optional_text(s.stream_position));
    add("stream_file", optional_text(s.stream_file));
    add("created", to_utc_text(s.created));
    add("changed", to_utc_text(s.changed));
    add("ended", optional_time(s.ended));
    add_last_attempt(table, s);
    for (const auto& kill : s.blocker_kills) add("blocker_kill", kill_text(kill));
    if (s.error) {
        add("error_code", s.error->code);
        add("error_message", s.error->message);
        add("error_server_errno", std::to_string(s.error->server_errno));
        add("error_attempted", optional_text(s.error->attempted));
    }
    for (const auto& leftover : s.leftovers) add("leftover", leftover);
    for (const option_field& field : option_fields()) {
        add("option_" + std::string(field.name), migration::shown_value(field, s.spec.options));
    }
    return table;
}

text_table status_table(const migration_directory& migrations, const proxy_status& status) {
    std::size_t running = 0;
    if (const auto known = migrations.list()) {
        for (const auto& snapshot : *known) running += migration::is_final(snapshot->state) ? 0 : 1;
    }
    text_table table{.columns = {"name", "value"}, .rows = {}};
    const auto add = [&](std::string name, std::string value) {
        table.rows.push_back({std::move(name), std::move(value)});
    };
    add("listen", status.listen);
    add("server", status.server);
    add("accepting", yes_no(status.accepting));
    add("sessions", std::to_string(status.sessions));
    add("sessions_in_login", std::to_string(status.sessions_in_login));
    add("sessions_max", std::to_string(status.sessions_max));
    add("sessions_total", std::to_string(status.sessions_total));
    add("sessions_refused_total", std::to_string(status.sessions_refused_total));
    add("server_unreachable_total", std::to_string(status.server_unreachable_total));
    add("logins_failed_total", std::to_string(status.logins_failed_total));
    add("statements_total", std::to_string(status.statements_total));
    add("statements_held", std::to_string(status.statements_held));
    add("statements_held_total", std::to_string(status.statements_held_total));
    add("statements_answered_total", std::to_string(status.statements_answered_total));
    add("holds_overflowed_total", std::to_string(status.holds_overflowed_total));
    add("holds_interrupted_total", std::to_string(status.holds_interrupted_total));
    add("snapshots_refused_total", std::to_string(status.snapshots_refused_total));
    add("migrations_running", std::to_string(running));
    return table;
}

text_table sessions_table(const std::vector<session_view>& sessions) {
    text_table table{
        .columns = {"connection_id", "user", "client", "schema", "state", "in_transaction", "statements", "age_ms"},
        .rows = {}};
    for (const session_view& s : sessions) {
        table.rows.push_back({std::to_string(s.connection_id), optional_text(s.user), s.client, optional_text(s.schema),
                              s.state, yes_no(s.in_transaction), std::to_string(s.statements),
                              std::to_string(s.age.count())});
    }
    return table;
}

}  // namespace

bool like_matches(std::string_view text, std::string_view pattern) noexcept {
    // One place to go back to, the last %, is enough: an earlier % could only match what this one can as well.
    std::size_t t = 0;
    std::size_t p = 0;
    std::size_t after_percent = std::string_view::npos;
    std::size_t retry_from = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '%') {
            after_percent = ++p;
            retry_from = t;
            continue;
        }
        if (p < pattern.size()) {
            const bool escaped = pattern[p] == '\\' && p + 1 < pattern.size();
            const char wanted = escaped ? pattern[p + 1] : pattern[p];
            const bool any_one = !escaped && wanted == '_';
            if (any_one || folded(wanted) == folded(text[t])) {
                ++t;
                while (any_one && t < text.size() && (static_cast<unsigned char>(text[t]) & 0xC0) == 0x80) ++t;
                p += escaped ? 2 : 1;
                continue;
            }
        }
        if (after_percent == std::string_view::npos) return false;
        p = after_percent;
        t = ++retry_from;
    }
    while (p < pattern.size() && pattern[p] == '%') ++p;
    return p == pattern.size();
}

result<text_table, show_refusal> answer_show(const sql::show_request& request, const migration_directory& migrations,
                                             const proxy_view& proxy) {
    switch (request.subject) {
        case sql::show_subject::migrations: return migrations_table(request, migrations);
        case sql::show_subject::migration: {
            const auto snapshot = migrations.find(request.id);
            if (snapshot.has_error()) return to_refusal(snapshot.error());
            return migration_table(**snapshot);
        }
        case sql::show_subject::cutovers: {
            const auto snapshot = migrations.find(request.id);
            if (snapshot.has_error()) return to_refusal(snapshot.error());
            return cutovers_table(**snapshot);
        }
        case sql::show_subject::proxy_status: return status_table(migrations, proxy.status());
        case sql::show_subject::proxy_sessions: return sessions_table(proxy.sessions());
        case sql::show_subject::command: break;  // command_answers.hpp
    }
    return show_refusal{.message = "Unknown SHOW statement of Sluice"};
}

}  // namespace sluice::admin
