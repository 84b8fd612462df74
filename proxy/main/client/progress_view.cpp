#include "proxy/main/client/progress_view.hpp"

#include "proxy/main/client/json_fields.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace sluice {
namespace {

namespace json = boost::json;

constexpr std::size_t width_min = 20;
constexpr std::size_t bar_cells_max = 30;

const json::array* array_of(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_array() ? &value->get_array() : nullptr;
}

std::string table_of(const json::object& migration) {
    return text_of(migration, "schema") + "." + text_of(migration, "table");
}

std::string error_of(const json::object& migration) {
    const json::object* error = object_of(migration, "error");
    return error == nullptr ? std::string() : text_of(*error, "code") + ": " + text_of(*error, "message");
}

std::string percent(double part, const char* format) {
    char text[32];
    std::snprintf(text, sizeof text, format, std::floor(part * 1000.0) / 10.0);
    return text;
}

std::string state_text(const migration_progress& p) {
    if (p.paused) return p.state + " (paused)";
    if (p.postponed && p.state == "ready") return "ready (postponed)";
    return p.state;
}

/// Cuts at a character's border, so that a terminal never gets half a character.
std::string cut(std::string text, std::size_t width) {
    if (text.size() <= width) return text;
    while (width > 0 && (static_cast<unsigned char>(text[width]) & 0xC0) == 0x80) --width;
    text.resize(width);
    return text;
}

/// Text from elsewhere must not move the cursor.
std::string without_controls(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
    return text;
}

std::string hold_text(const json::object& attempt) {
    const json::object* hold = object_of(attempt, "hold");
    if (hold == nullptr) return {};
    char times[96];
    std::snprintf(times, sizeof times, "longest hold %.1f ms, p99 %.1f ms",
                  static_cast<double>(number_of(*hold, "hold_max_us")) / 1000.0,
                  static_cast<double>(number_of(*hold, "hold_p99_us")) / 1000.0);
    const auto overflowed = number_of(*hold, "overflowed");
    return std::to_string(number_of(*hold, "statements_held")) + " statements held, " + times +
           (overflowed == 0 ? "" : ", " + std::to_string(overflowed) + " more passed the full gate") +
           (flag_of(*hold, "expired") ? ", the gate's deadline opened it" : "");
}

std::string blocker_text(const json::object& blocker) {
    if (std::string text = text_of(blocker, "text"); !text.empty()) return without_controls(std::move(text));
    return "connection " + std::to_string(number_of(blocker, "connection_id")) + " of " +
           without_controls(text_of(blocker, "client")) + " for " + std::to_string(number_of(blocker, "age_ms")) +
           " ms: " + without_controls(text_of(blocker, "statement"));
}

std::string kill_text(const json::object& kill) {
    const json::object* blocker = object_of(kill, "blocker");
    const std::string error = text_of(kill, "error");
    return (error.empty() ? "killed at " : "not killed at ") + text_of(kill, "at") + ": " +
           (blocker == nullptr ? std::string() : blocker_text(*blocker)) +
           (error.empty() ? "" : " (" + without_controls(error) + ")");
}

std::string attempt_text(const json::object& attempt) {
    const std::string began = text_of(attempt, "began");
    std::string text =
        (flag_of(attempt, "backwards") ? "revert attempt " : "cut-over attempt ") +
        std::to_string(number_of(attempt, "number")) + (began.empty() ? "" : " (" + began + ")") + ": " +
        (flag_of(attempt, "succeeded") ? "succeeded" : "given up, " + text_of(attempt, "given_up_because")) + "; " +
        hold_text(attempt);
    if (const json::array* steps = array_of(attempt, "steps")) {
        for (const json::value& step : *steps) {
            if (!step.is_object()) continue;
            text += "\n    " + text_of(step.get_object(), "name") + " " +
                    std::to_string(number_of(step.get_object(), "took_us")) + " us";
        }
    }
    if (const json::array* blockers = array_of(attempt, "blockers")) {
        for (const json::value& blocker : *blockers) {
            if (!blocker.is_object()) continue;
            text += "\n    in the way: " + blocker_text(blocker.get_object());
        }
    }
    return text;
}

std::string decimal_text(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", value);
    return text;
}

std::string value_text(const json::value& value) {
    if (value.is_null()) return "-";
    if (value.is_string()) return value.get_string().empty() ? "-" : std::string(value.get_string());
    if (value.is_double()) return decimal_text(value.get_double());
    return json::serialize(value);
}

using table_row = std::vector<std::string>;

std::string aligned(const std::vector<table_row>& rows) {
    std::vector<std::size_t> widths;
    for (const table_row& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (const table_row& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
        }
        text += line + "\n";
    }
    return text;
}

}  // namespace

std::string duration_text(std::uint64_t seconds) {
    if (seconds < 60) return std::to_string(seconds) + " s";
    if (seconds < 3600) return std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
    return std::to_string(seconds / 3600) + " h " + std::to_string(seconds % 3600 / 60) + " min";
}

result<migration_progress, not_a_migration> read_progress(const json::object& migration) {
    migration_progress p;
    p.id = text_of(migration, "id");
    p.state = text_of(migration, "state");
    if (p.id.empty() || p.state.empty()) return not_a_migration{};
    p.table = table_of(migration);
    p.way = text_of(migration, "way");
    p.waiting_for = text_of(migration, "waiting_for");
    p.paused = flag_of(migration, "paused");
    p.postponed = flag_of(migration, "postponed");
    p.rows_copied = number_of(migration, "rows_copied");
    p.rows_estimate = number_of(migration, "rows_estimate");
    p.rows_per_s = number_of(migration, "rows_per_s");
    p.backlog_keys = number_of(migration, "backlog_keys");
    if (const json::object* verification = object_of(migration, "verification")) {
        p.rows_compared = number_of(*verification, "pass_in_hand_rows_compared");
    }
    if (const json::value* progress = migration.if_contains("progress"); progress != nullptr && progress->is_number()) {
        p.progress = std::clamp(progress->to_number<double>(), 0.0, 1.0);
    }
    if (const json::value* eta = migration.if_contains("eta_s"); eta != nullptr && eta->is_number()) {
        p.eta_s = number_of(migration, "eta_s");
    }
    p.error = error_of(migration);
    return p;
}

std::string bar_line(const migration_progress& p, std::size_t width) {
    width = std::max(width, width_min);
    std::string head = state_text(p);
    head.resize(std::max<std::size_t>(head.size(), 12), ' ');
    std::string tail = percent(p.progress, " %5.1f %%") + "  " + std::to_string(p.rows_copied) + "/" +
                       std::to_string(p.rows_estimate) + " rows";
    // Before and after the copy its rate is nothing, or an old one.
    if (p.state == "copying") tail += "  " + std::to_string(p.rows_per_s) + " rows/s";
    if (p.state == "verifying") tail += "  " + std::to_string(p.rows_compared) + " compared";
    if (p.eta_s) tail += "  ETA " + duration_text(*p.eta_s);
    tail += "  backlog " + std::to_string(p.backlog_keys);
    if (!p.waiting_for.empty()) tail += "  waiting: " + without_controls(p.waiting_for);
    const std::size_t around = head.size() + tail.size() + 2;
    const std::size_t cells = std::clamp<std::size_t>(width > around ? width - around : 0, 10, bar_cells_max);
    const auto done = static_cast<std::size_t>(p.progress * static_cast<double>(cells));
    return cut(head + "[" + std::string(done, '#') + std::string(cells - done, '-') + "]" + tail, width);
}

std::string plain_line(const migration_progress& p) {
    std::string line = state_text(p) + percent(p.progress, " %.1f%%") + " rows=" + std::to_string(p.rows_copied) + "/" +
                       std::to_string(p.rows_estimate);
    if (p.state == "copying") line += " rate=" + std::to_string(p.rows_per_s) + "/s";
    if (p.state == "verifying") line += " compared=" + std::to_string(p.rows_compared);
    line += p.eta_s ? " eta=" + std::to_string(*p.eta_s) + "s" : "";
    line += " backlog=" + std::to_string(p.backlog_keys);
    if (!p.waiting_for.empty()) line += " waiting: " + without_controls(p.waiting_for);
    return line;
}

namespace {

std::string compared_text(const json::object& migration) {
    const json::object* verification = object_of(migration, "verification");
    if (verification == nullptr) return {};
    if (!flag_of(*verification, "enabled")) return ", nothing compared (verify is off)";
    const std::uint64_t repaired = number_of(*verification, "rows_repaired");
    return ", " + std::to_string(number_of(*verification, "rows_compared")) + " of " +
           std::to_string(number_of(*verification, "rows_counted")) + " rows compared" +
           (repaired == 0 ? "" : ", " + std::to_string(repaired) + " repaired");
}

}  // namespace

std::string ending_text(const json::object& migration) {
    const std::string state = text_of(migration, "state");
    std::string text = state + ": " + table_of(migration);
    const std::string way = text_of(migration, "way");
    if (state == "completed" && !way.empty() && way != "copy") {
        text += ", altered by the server itself (" + way + ")";
    } else if (state == "completed" || state == "in_sync") {
        text += ", " + std::to_string(number_of(migration, "rows_copied")) + " rows copied, " +
                std::to_string(number_of(migration, "deltas_applied")) + " changes applied" + compared_text(migration);
    } else if (const std::string error = error_of(migration); !error.empty()) {
        text += ": " + error;
    }
    if (state == "in_sync")
        text += "\nthe old table is kept in sync: `sluice revert` goes back, `sluice finish` lets it go";
    if (const json::object* way_back = object_of(migration, "way_back")) {
        if (const json::object* lost = object_of(*way_back, "ended_by")) {
            text += "\nrevert is not possible: " + text_of(*lost, "code") + ": " +
                    without_controls(text_of(*lost, "message"));
        }
    }
    if (const json::array* others = array_of(migration, "ways_passed_over")) {
        for (const json::value& other : *others) {
            if (!other.is_object()) continue;
            const json::object& o = other.get_object();
            text += "\nnot " + text_of(o, "way") + ": " + without_controls(text_of(o, "reason"));
        }
    }
    if (const json::array* attempts = array_of(migration, "cutover_attempts");
        attempts != nullptr && !attempts->empty() && attempts->back().is_object()) {
        const json::object& last = attempts->back().get_object();
        if (flag_of(last, "succeeded")) {
            text += "\ncut-over attempt " + std::to_string(number_of(last, "number")) + ": " + hold_text(last);
        }
    }
    if (const json::array* leftovers = array_of(migration, "leftovers"); leftovers != nullptr && !leftovers->empty()) {
        text += "\nleft over:";
        for (const json::value& table : *leftovers) text += " " + value_text(table);
    }
    return text;
}

std::string list_text(const json::array& migrations) {
    if (migrations.empty()) return "no migrations\n";
    std::vector<table_row> rows{{"ID", "TABLE", "STATE", "WAY", "COPIED", "ROWS", "RATE", "ETA", "BACKLOG"}};
    for (const json::value& value : migrations) {
        if (!value.is_object()) continue;
        const auto p = read_progress(value.get_object());
        if (!p) continue;
        rows.push_back({p->id, p->table, state_text(*p), p->way.empty() ? "-" : p->way, percent(p->progress, "%.1f %%"),
                        std::to_string(p->rows_copied) + "/" + std::to_string(p->rows_estimate),
                        p->state == "copying" ? std::to_string(p->rows_per_s) + "/s" : "-",
                        p->eta_s ? duration_text(*p->eta_s) : "-", std::to_string(p->backlog_keys)});
    }
    return aligned(rows);
}

std::string detail_text(const json::object& migration) {
    std::vector<table_row> rows;
    const auto add_all = [&rows](const json::object& object, const std::string& prefix) {
        for (const auto& [key, value] : object) rows.push_back({prefix + std::string(key), value_text(value)});
    };
    for (const auto& [key, value] : migration) {
        if (key == "cutover_attempts" || key == "blocker_kills") continue;
        if (value.is_object()) {
            add_all(value.get_object(), std::string(key) + ".");
        } else if (key == "ways_passed_over" && value.is_array()) {
            for (const json::value& entry : value.get_array()) {
                if (!entry.is_object()) continue;
                const json::object& other = entry.get_object();
                rows.push_back(
                    {std::string(key), text_of(other, "way") + ": " + without_controls(text_of(other, "reason"))});
            }
        } else if (value.is_array()) {
            for (const json::value& entry : value.get_array()) rows.push_back({std::string(key), value_text(entry)});
        } else {
            rows.push_back({std::string(key), value_text(value)});
        }
    }
    std::string text = aligned(rows);
    if (const json::array* attempts = array_of(migration, "cutover_attempts")) {
        for (const json::value& attempt : *attempts) {
            if (attempt.is_object()) text += attempt_text(attempt.get_object()) + "\n";
        }
    }
    if (const json::array* kills = array_of(migration, "blocker_kills")) {
        for (const json::value& kill : *kills) {
            if (kill.is_object()) text += kill_text(kill.get_object()) + "\n";
        }
    }
    return text;
}

}  // namespace sluice
