#include "proxy/main/ghost/ghost_run.hpp"

#include "migration/sql/artefact_names.hpp"
#include "migration/sql/identifier.hpp"
#include "migration/throttle/throttle_settings.hpp"
#include "proxy/main/ghost/end_signals.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <utility>

namespace sluice::ghost {
namespace {

using migration::quote_table;

using clock = std::chrono::steady_clock;

bool exists(const std::string& file) {
    std::error_code error;
    return std::filesystem::exists(file, error);
}

/// "Mon Jan 02 15:04:05 -0700 2006": Go's RubyDate.
std::string ruby_date(std::chrono::system_clock::time_point when) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
    std::tm broken{};
    ::localtime_r(&seconds, &broken);
    char text[64];
    std::strftime(text, sizeof text, "%a %b %d %H:%M:%S %z %Y", &broken);
    return text;
}

std::string file_line(const char* name, const std::string& file) {
    if (file.empty()) return {};
    return "# " + std::string(name) + ": " + file + (exists(file) ? " [set]\n" : " \n");
}

}  // namespace

ghost_run::ghost_run(const ghost_settings& settings)
    : settings_(settings), started_(std::chrono::system_clock::now()), clock_(clock::now()) {}

bool ghost_run::refresh() {
    auto seen = look();
    if (!seen) return false;
    view_ = std::move(seen).value();
    // The count is of a moment that has passed; rows that came since are copied as well.
    if (counted_rows_) view_.rows_estimate = std::max(*counted_rows_, view_.copied() ? 0 : view_.rows_copied);
    if (held_for_hooks_ || copy_held_) view_.paused = throttled_;
    if (held_for_hooks_) view_.postponed = false;
    clock_.look(view_, clock::now());
    return true;
}

environment_variables ghost_run::hook_variables() const {
    return hook_environment(settings_, view_, clock_, clock::now());
}

eta ghost_run::time_left() const { return eta_of(view_, clock_.copy(clock::now())); }

std::int64_t ghost_run::second() const {
    return std::chrono::floor<std::chrono::seconds>(clock_.total(clock::now())).count();
}

std::optional<std::string> ghost_run::panicked() const {
    if (panic_) return panic_;
    const std::string& file = settings_.panic_flag_file;
    if (file.empty() || !exists(file)) return std::nullopt;
    return "Found panic-file " + file + ". Aborting without cleanup";
}

std::string ghost_run::status_line() { return ghost::status_line(view_, clock_, clock::now()); }

std::string ghost_run::status_hint() {
    const migration::table_name& table = settings_.spec.table;
    const auto names = migration::artefact_names_of(table.table, settings_.spec.options.tables_named_after);
    const migration::migration_options now = options();
    std::string text =
        "# Migrating " + quote_table(table) + "; Ghost table is " + quote_table({table.schema, names.ghost}) + "\n";
    const migration::server_address& master = settings_.master ? *settings_.master : settings_.server;
    const auto host_of = [](const migration::server_address& address) {
        return address.host + ":" + std::to_string(address.port);
    };
    text += "# Migrating " + host_of(master) + "; inspecting " + host_of(settings_.server) + "; executing on ";
    for (const auto& [name, value] : hook_variables()) text += name == "GH_OST_EXECUTING_HOST" ? value : "";
    text += "\n# Migration started at " + ruby_date(started_) + "\n";
    char ratio[32];
    std::snprintf(ratio, sizeof ratio, "%f", static_cast<double>(now.nice_percent) / 100.0);
    text += "# chunk-size: " + std::to_string(now.chunk_rows_fixed) +
            "; max-lag-millis: " + std::to_string(now.max_lag.count()) +
            "ms; dml-batch-size: " + std::to_string(now.apply_batch_keys) + "; max-load: " + now.max_load +
            "; critical-load: " + now.critical_load + "; nice-ratio: " + ratio + "\n";
    text += file_line("throttle-flag-file", now.throttle_flag_file);
    text += file_line("throttle-additional-flag-file", now.throttle_additional_flag_file);
    if (!now.throttle_query.empty()) text += "# throttle-query: " + now.throttle_query + "\n";
    if (const auto replicas = migration::parse_replicas(now.control_replicas); replicas && !replicas->empty()) {
        text += "# throttle-control-replicas count: " + std::to_string(replicas->size()) + "\n";
    }
    text += file_line("postpone-cut-over-flag-file", now.postpone_flag_file);
    if (!settings_.panic_flag_file.empty()) text += "# panic-flag-file: " + settings_.panic_flag_file + "\n";
    text += "# Serving on unix socket: " + settings_.socket_file + "\n";
    if (settings_.tcp_port != 0) text += "# Serving on TCP port: " + std::to_string(settings_.tcp_port) + "\n";
    return text;
}

bool ghost_run::is_to_end() {
    const auto held = lock();
    return ending_ || panicked();
}

hook_interrupt ghost_run::interrupt() {
    return [this, was_ending = ending_.load()] { return ending_signal_waits() || (!was_ending && is_to_end()); };
}

hook_interrupt ghost_run::interrupt_by_new_orders() {
    // A signal that is still to be taken by the follower cannot be told from a second one.
    return [this, known = is_to_end(), untaken = ending_signal_waits()]() mutable {
        untaken = untaken && ending_signal_waits();
        return (!untaken && ending_signal_waits()) || (!known && is_to_end());
    };
}

result<void, command_refusal> ghost_run::set_pauses(bool copy_held, bool throttled) {
    SLUICE_TRY_VOID(pause(copy_held || throttled));
    copy_held_ = copy_held;
    throttled_ = throttled;
    return {};
}

result<void, command_refusal> ghost_run::hold_copy(bool held) { return set_pauses(held, throttled_); }

result<void, command_refusal> ghost_run::throttle(bool on) {
    SLUICE_TRY_VOID(set_pauses(copy_held_, on));
    view_.paused = on;
    if (!on && view_.throttled_by == "commanded by user") view_.throttled_by.clear();
    return {};
}

bool ghost_run::is_postponing() {
    refresh();
    return view_.state == "ready" && view_.postponed;
}

result<void, command_refusal> ghost_run::postpone_by(const std::string& flag_file) {
    const std::string file = std::filesystem::absolute(flag_file).string();
    SLUICE_TRY_VOID(touch_file(file));
    return change(change_of("postpone_flag_file", &migration::migration_options::postpone_flag_file, file));
}

result<void, command_refusal> ghost_run::run_hook(const std::string& command) {
    auto variables = hook_variables();
    variables.emplace_back("GH_OST_COMMAND", "'" + command + "'");
    // The follower must not stand still for as long as a hook likes to take.
    struct let_go {
        explicit let_go(std::mutex& held) : mutex(held) { mutex.unlock(); }
        ~let_go() { mutex.lock(); }
        let_go(const let_go&) = delete;
        let_go& operator=(const let_go&) = delete;
        std::mutex& mutex;
    };
    const auto run_it = [&] {
        const let_go free(mutex_);
        return run_hooks(settings_.hooks.path, on_interactive_command, variables, interrupt());
    };
    auto ran = run_it();
    if (!ran) return command_refusal(ran.error());
    return {};
}

result<void, command_refusal> touch_file(const std::string& file) {
    if (exists(file)) return {};
    const std::ofstream made(file);
    if (made.good()) return {};
    return command_refusal("--postpone-cut-over-flag-file indicated by gh-ost is unable to create said file: " + file);
}

}  // namespace sluice::ghost
