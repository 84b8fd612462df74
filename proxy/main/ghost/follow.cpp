#include "proxy/main/ghost/follow.hpp"

#include "migration/engine/preparation.hpp"
#include "migration/sql/identifier.hpp"
#include "proxy/main/client/progress_view.hpp"
#include "proxy/main/exit_codes.hpp"
#include "proxy/main/ghost/end_signals.hpp"
#include "proxy/main/ghost/refusal_words.hpp"

#include <spdlog/spdlog.h>

#include <sys/ioctl.h>
#include <unistd.h>
#include <csignal>
#include <ctime>

#include <iostream>
#include <utility>

namespace sluice::ghost {
namespace {

using migration::quote_table;

constexpr long look_interval_ns = 50'000'000;
constexpr std::int64_t hint_interval_s = 600;

/// Waits for a moment, or for a signal; its number, or 0.
int wait_a_moment() {
    ::sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
    const ::timespec wait{0, look_interval_ns};
    const int number = ::sigtimedwait(&set, nullptr, &wait);
    return number < 0 ? 0 : number;
}

/// Standard output: lines, and on a terminal a bar below them.
class screen {
public:
    screen() : terminal_(::isatty(STDOUT_FILENO) == 1) {}
    ~screen() { erase(); }

    void line(const std::string& text) {
        erase();
        std::cout << text << std::endl;
    }
    void bar(const run_view& view, const eta& left) {
        if (!terminal_) return;
        migration_progress p;
        p.state = view.state;
        p.way = view.way;
        p.waiting_for = view.waiting_for;
        p.paused = view.paused;
        p.postponed = view.postponed;
        p.rows_copied = view.rows_copied;
        p.rows_estimate = view.rows_estimate;
        p.rows_per_s = view.rows_per_s;
        p.backlog_keys = view.backlog;
        p.progress =
            view.copied() ? 1.0
            : view.rows_estimate == 0
                ? 0.0
                : std::min(0.99, static_cast<double>(view.rows_copied) / static_cast<double>(view.rows_estimate));
        if (left.seconds) p.eta_s = static_cast<std::uint64_t>(*left.seconds);
        ::winsize size{};
        const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
        // Back to the margin, the bar, and the rest of the old one erased (ECMA-48, EL).
        std::cout << "\r" << bar_line(p, known ? size.ws_col - std::size_t{1} : 79) << "\x1b[K" << std::flush;
        drawn_ = true;
    }

private:
    void erase() {
        if (drawn_) std::cout << "\r\x1b[K" << std::flush;
        drawn_ = false;
    }

    const bool terminal_;
    bool drawn_ = false;
};

class follower {
public:
    follower(ghost_run& run, const follow_extras& extras)
        : run_(run), extras_(extras), metrics_(run.settings().statsd_tags) {}

    int to_the_end();

private:
    enum class next { go_on, done, failed };

    next step();
    next hooks_of_this_moment(const run_view& view);
    next fail(const std::string& why);
    next leave(const std::string& why);
    next leave_by(int signal);
    next refused(const std::string& why);
    std::string left_tables();
    void let_copy_go();
    bool call_hooks(const char* name, environment_variables more = {});
    void show_status();
    void show_hint();
    void reload();
    void send_metrics(const run_view& view);
    next conclude();

    ghost_run& run_;
    const follow_extras& extras_;
    screen screen_;
    run_metrics metrics_;
    std::int64_t metrics_second_ = -1;
    std::chrono::steady_clock::time_point seen_at_ = std::chrono::steady_clock::now();
    std::uint64_t retries_told_ = 0;
    std::int64_t shown_second_ = -1;
    std::int64_t status_hook_second_ = 0;
    bool validated_ = false;
    bool counted_told_ = false;
    bool held_for_count_ = false;
    bool copied_ = false;
    bool postponed_told_ = false;
    bool held_for_hooks_ = false;
    bool status_begun_ = false;
};

bool follower::call_hooks(const char* name, environment_variables more) {
    const std::string& path = run_.settings().hooks.path;
    if (path.empty()) return true;
    environment_variables variables;
    {
        const auto held = run_.lock();
        variables = run_.hook_variables();
    }
    variables.insert(variables.end(), more.begin(), more.end());
    auto ran = run_hooks(path, name, variables, run_.interrupt());
    if (!ran) spdlog::error("{}", ran.error());
    return ran.has_value();
}

follower::next follower::fail(const std::string& why) {
    (void)call_hooks(on_failure);
    say_fatal(why);
    return next::failed;
}

follower::next follower::leave(const std::string& why) {
    run_.note_ending();
    const auto left = run_.leave();
    return fail(left ? why : why + "; " + left.error().text);
}

follower::next follower::leave_by(int signal) {
    return leave("ended by signal " + std::to_string(signal) +
                 (run_.settings().via.empty() ? "; the tables of the migration are left as they are"
                                              : "; the migration is to be aborted"));
}

// By a hook. One that was killed has refused nothing: what it was killed for ends the run.
follower::next follower::refused(const std::string& why) {
    std::optional<std::string> panic;
    {
        const auto held = run_.lock();
        panic = run_.panicked();
    }
    if (panic) return leave(*panic);
    const auto signal = take_ending_signal();
    return signal ? leave_by(*signal) : leave(why + left_tables());
}

/// Of a run that is ended on its way. What is aborted elsewhere leaves none.
std::string follower::left_tables() {
    const ghost_settings& settings = run_.settings();
    const auto held = run_.lock();
    if (!settings.via.empty() || run_.view().completed()) return {};
    const migration::migration_plan names = migration::plan_names(settings.spec);
    // On the way back no table is made but the changelog.
    if (settings.spec.kind == migration::run_kind::take_back) return "; left: " + quote_table(names.changelog);
    std::string text = "; left: " + quote_table(names.ghost) + ", " + quote_table(names.changelog);
    if (settings.spec.checkpoint_table) text += ", " + quote_table(names.checkpoints);
    return text;
}

void follower::let_copy_go() {
    const auto held = run_.lock();
    (void)run_.hold_copy(false).has_error();
}

void follower::show_hint() {
    std::string hint = run_.status_hint();
    if (hint.ends_with('\n')) hint.pop_back();
    screen_.line(hint);
}

void follower::reload() {
    spdlog::info("Received SIGHUP. Reloading configuration");
    if (extras_.reload) extras_.reload();
    const auto held = run_.lock();
    show_hint();
    screen_.line(run_.status_line());
}

void follower::send_metrics(const run_view& view) {
    const bool ended = view.completed() || view.failed();
    if (!extras_.statsd || (std::exchange(metrics_second_, run_.second()) == run_.second() && !ended)) return;
    extras_.statsd->send(metrics_.lines(view, std::chrono::steady_clock::now()));
}

void follower::show_status() {
    const std::int64_t second = run_.second();
    const auto held = run_.lock();
    const eta left = run_.time_left();
    screen_.bar(run_.view(), left);
    if (second == shown_second_ || !run_.view().copying_begun()) return;
    shown_second_ = second;
    if (!std::exchange(status_begun_, true) || second % hint_interval_s == 0) {
        show_hint();
    }
    if (is_status_second(second, left.seconds)) screen_.line(run_.status_line());
}

// Hooks come before what they are about: the copy, and then the cut-over, wait for them.
follower::next follower::hooks_of_this_moment(const run_view& view) {
    const bool has_hooks = !run_.settings().hooks.path.empty();
    if (!validated_ && view.copying_begun()) {
        validated_ = true;
        const bool may = call_hooks(on_validated) && call_hooks(on_before_row_copy);
        if (!may) return refused("a hook refused the migration");
        if (extras_.begin_count) extras_.begin_count();
        held_for_count_ = extras_.count_first;
        if (has_hooks && !held_for_count_) let_copy_go();
    }
    const bool count_ended = extras_.count_ended && extras_.count_ended();
    if (count_ended && !counted_told_ && extras_.counted()) {
        counted_told_ = true;
        if (!call_hooks(on_rowcount_complete)) return refused("a hook refused the migration");
    }
    if (count_ended && std::exchange(held_for_count_, false)) let_copy_go();
    if (view.chunk_retries != retries_told_) {
        retries_told_ = view.chunk_retries;
        if (!call_hooks(on_batch_copy_retry, {{"GH_OST_LAST_BATCH_COPY_ERROR", view.last_chunk_error}})) {
            return refused("a hook refused the migration");
        }
    }
    if (!copied_ && view.copied()) {
        copied_ = true;
        spdlog::info("Row copy complete");
        if (extras_.end_count) extras_.end_count();
        if (!call_hooks(on_row_copy_complete)) return refused("a hook refused the migration");
    }
    if (has_hooks && view.state == "ready" && !held_for_hooks_) {
        held_for_hooks_ = true;
        if (!call_hooks(on_before_cut_over)) return refused("a hook refused the cut-over");
        const auto held = run_.lock();
        run_.set_held_for_hooks(false);
        (void)run_.change(change_of("postpone_cutover", &migration::migration_options::postpone_cutover, false))
            .has_error();
        return next::go_on;
    }
    if (!postponed_told_ && view.state == "ready" && view.postponed) {
        postponed_told_ = true;
        if (!call_hooks(on_begin_postponed)) return refused("a hook refused the migration");
    }
    const std::int64_t interval = run_.settings().hooks.status_interval.count();
    const std::int64_t second = run_.second();
    if (interval > 0 && second - status_hook_second_ >= interval) {
        status_hook_second_ = second;
        std::string line;
        {
            const auto held = run_.lock();
            line = run_.status_line();
        }
        (void)call_hooks(on_status, {{"GH_OST_STATUS", "'" + line + "'"}});
    }
    return next::go_on;
}

follower::next follower::conclude() {
    run_view view;
    {
        const auto held = run_.lock();
        view = run_.view();
        screen_.line(run_.status_line());
    }
    if (view.failed()) {
        std::string why = view.error.empty() ? "the migration was " + view.state
                                             : refusal_words(view.error_code, view.error, run_.settings().spec.table,
                                                             run_.settings().spec.options.tables_named_after);
        for (const std::string& table : view.leftovers)
            why += (table == view.leftovers.front() ? "; left: " : ", ") + table;
        return fail(why);
    }
    const migration::table_name& table = run_.settings().spec.table;
    const bool instantly = view.way == "instant";
    if (!call_hooks(on_success, {{"GH_OST_INSTANT_DDL", instantly ? "true" : "false"}})) {
        say_fatal("a hook of the success failed");
        return next::failed;
    }
    spdlog::info("Done migrating `{}`.`{}`", table.schema, table.table);
    return next::done;
}

follower::next follower::step() {
    bool seen = false;
    std::optional<std::string> panic;
    run_view view;
    {
        const auto held = run_.lock();
        seen = run_.refresh();
        view = run_.view();
        panic = run_.panicked();
    }
    if (panic) return leave(*panic);
    const auto now = std::chrono::steady_clock::now();
    if (!seen) {
        if (now - seen_at_ < contact_patience) return next::go_on;
        return fail("the run is out of reach");
    }
    seen_at_ = now;
    send_metrics(view);
    const bool ended = view.completed() || view.failed();
    if (!view.failed()) {
        const next after = hooks_of_this_moment(view);
        if (after != next::go_on) return after;
    }
    show_status();
    return ended ? conclude() : next::go_on;
}

int follower::to_the_end() {
    if (extras_.statsd) extras_.statsd->send(metrics_.startup());
    while (true) {
        const next after = step();
        if (after == next::done) return exit_code::ok;
        if (after == next::failed) return exit_code::failure;
        const int signal = wait_a_moment();
        if (signal == SIGHUP) reload();
        if (signal == SIGINT || signal == SIGTERM) {
            (void)leave_by(signal);
            return exit_code::failure;
        }
    }
}

}  // namespace

int follow(ghost_run& run, const follow_extras& extras) { return follower(run, extras).to_the_end(); }

void say_fatal(const std::string& message) { spdlog::critical("{}", message); }

}  // namespace sluice::ghost
