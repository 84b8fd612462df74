#include "proxy/main/ghost/ghost_main.hpp"

#include "admin/plan_view.hpp"
#include "proxy/main/client/plan_text.hpp"
#include "proxy/main/exit_codes.hpp"
#include "proxy/main/ghost/command_server.hpp"
#include "proxy/main/ghost/end_signals.hpp"
#include "proxy/main/ghost/follow.hpp"
#include "proxy/main/ghost/refusal_words.hpp"
#include "proxy/main/ghost/replica_modes.hpp"
#include "proxy/main/ghost/standalone_run.hpp"
#include "proxy/main/ghost/via_run.hpp"
#include "proxy/main/version.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <termios.h>
#include <unistd.h>
#include <csignal>

#include <array>
#include <iostream>
#include <memory>
#include <utility>

namespace sluice::ghost {
namespace {

/// gh-ost's words for the levels.
class level_word final : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
        constexpr std::array words{"DEBUG", "DEBUG", "INFO", "WARNING", "ERROR", "FATAL", ""};
        const std::string_view word = words.at(static_cast<std::size_t>(message.level));
        out.append(word.data(), word.data() + word.size());
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return spdlog::details::make_unique<level_word>();
    }
};

/// "2016-05-19 17:57:04 INFO starting …" on standard error.
void start_log(const std::string& level) {
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<level_word>('*').set_pattern("%Y-%m-%d %H:%M:%S %* %v");
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    auto logger = std::make_shared<spdlog::logger>("gh-ost", std::move(sink));
    logger->set_formatter(std::move(formatter));
    logger->flush_on(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
    spdlog::set_level(spdlog::level::from_str(level));
}

int usage_failure(const std::string& message) {
    std::cout << message << "\n" << usage_text();
    return exit_code::usage;
}

int fatal(const std::string& message) {
    say_fatal(message);
    return exit_code::failure;
}

std::string ask_password() {
    std::cout << "Password:" << std::endl;
    ::termios before{};
    const bool terminal = ::tcgetattr(STDIN_FILENO, &before) == 0;
    if (terminal) {
        ::termios silent = before;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(STDIN_FILENO, TCSANOW, &silent);
    }
    std::string typed;
    std::getline(std::cin, typed);
    if (terminal) ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return typed;
}

result<void, std::string> call_hook(const ghost_settings& settings, const char* name) {
    const run_clock clock(std::chrono::steady_clock::now());
    return run_hooks(settings.hooks.path, name,
                     hook_environment(settings, {}, clock, std::chrono::steady_clock::now()));
}

int fail_with_hook(const ghost_settings& settings, const std::string& why) {
    // The signal that may be the reason has been obeyed: the hook is not to be killed for it.
    (void)take_ending_signal();
    if (auto told = call_hook(settings, on_failure); !told) spdlog::error("{}", told.error());
    return fatal(why);
}

/// The end of a dry run; it has succeeded.
int show_forecast(const ghost_settings& settings, const std::string& text) {
    for (const char* name : {on_validated, on_success}) {
        if (auto told = call_hook(settings, name); !told) return fail_with_hook(settings, told.error());
    }
    std::cout << text << "# Without --execute nothing is done.\n# Done\n";
    return exit_code::ok;
}

int show_plan(const ghost_settings& settings, const migration::outcome<migration::alter_forecast>& forecast) {
    if (!forecast)
        return fail_with_hook(settings, refusal_words(forecast.error().code, forecast.error().message,
                                                      settings.spec.table, settings.spec.options.tables_named_after));
    return show_forecast(settings, plan_text(admin::to_json(*forecast)));
}

int show_basis(const ghost_settings& settings, const migration::outcome<std::string>& basis) {
    if (!basis) return fail_with_hook(settings, basis.error().message);
    return show_forecast(settings, *basis + "\n");
}

void show_notes(const std::vector<std::string>& notes) {
    for (const std::string& note : notes) std::cerr << "# Note: " << note << "\n";
}

/// What --conf has under [osc] counts from now on, where no flag says it; its user and password do from the next run
/// on.
void reload_conf(ghost_run& run) {
    if (run.settings().conf_file.empty()) return;
    auto conf = read_conf(run.settings().conf_file);
    if (!conf) return spdlog::error("{}", conf.error());
    std::vector<std::string> notes;
    auto changes = changes_of(*conf, run.settings().over_conf, notes);
    if (!changes) return spdlog::error("{}", changes.error());
    show_notes(notes);
    const auto held = run.lock();
    if (changes->fields.empty()) return;
    if (auto changed = run.change(*changes); !changed) spdlog::error("{}", changed.error().text);
}

int follow_with_commands(ghost_run& run, follow_extras extras) {
    const ghost_settings& settings = run.settings();
    if (!settings.statsd_address.empty()) {
        auto connected = statsd_sender::connect(settings.statsd_address);
        if (!connected) return fail_with_hook(settings, connected.error());
        extras.statsd = std::move(*connected);
    }
    extras.reload = [&run] { reload_conf(run); };
    const command_rules rules{settings.name_for_cutover, settings.name_for_panic};
    auto server = command_server::start({settings.socket_file, settings.drop_socket_file, settings.tcp_port},
                                        [&run, rules](std::string_view line) {
                                            const auto held = run.lock();
                                            (void)run.refresh();
                                            return answer_command(line, run, rules);
                                        });
    if (!server) return fail_with_hook(settings, server.error());
    const std::string& flag_file = settings.spec.options.postpone_flag_file;
    if (!flag_file.empty()) {
        if (auto made = touch_file(flag_file); !made) return fail_with_hook(settings, made.error().text);
    }
    const bool has_hooks = !settings.hooks.path.empty();
    {
        const auto held = run.lock();
        if (auto begun = run.begin(); !begun) return fail_with_hook(settings, begun.error().text);
        // The copy, and later the cut-over, wait for the hooks that come before them, and the copy for the count.
        if (has_hooks || extras.count_first) (void)run.hold_copy(true).has_error();
        run.set_held_for_hooks(has_hooks);
    }
    const int code = follow(run, extras);
    server->reset();
    if (code == exit_code::ok) std::cout << "# Done" << std::endl;
    return code;
}

int run_standalone(ghost_settings settings) {
    auto place = find_work_place(settings);
    if (!place) return fail_with_hook(settings, place.error());
    settings.master = place->master;
    if (place->inspected_is_replica) {
        // The replica that was named is the one whose lag matters first.
        std::string& replicas = settings.spec.options.control_replicas;
        replicas = settings.server.text() + (replicas.empty() ? "" : "," + replicas);
        if (!settings.on_replica()) spdlog::info("Master found to be {}", place->master.text());
    }
    if (settings.spec.alter.empty()) {
        if (auto taken = take_alter_of_checkpoint(settings, *place); !taken) {
            return fail_with_hook(settings, taken.error());
        }
    }
    standalone_run run(settings, *place);
    if (!settings.execute && settings.spec.kind != migration::run_kind::begin)
        return show_basis(settings, run.foresee());
    if (!settings.execute) return show_plan(settings, run.dry_run());
    follow_extras extras;
    if (settings.count.exact) {
        extras.begin_count = [&run, &settings] { run.begin_count(settings.count.beside_the_copy); };
        extras.end_count = [&run] { run.end_count(); };
        extras.count_ended = [&run] { return run.count_ended(); };
        extras.counted = [&run] { return run.counted(); };
        extras.count_first = !settings.count.beside_the_copy;
    }
    return follow_with_commands(run, std::move(extras));
}

int run_via(ghost_settings settings) {
    auto client = admin_client::make({.url = settings.via, .token_file = settings.token_file});
    if (!client) {
        say_fatal(client.error().message);
        return client.error().exit_code;
    }
    via_run run(settings, std::move(client).value());
    if (settings.execute) return follow_with_commands(run, {});
    auto plan = run.plan();
    if (!plan) return fail_with_hook(settings, plan.error().message);
    return show_forecast(settings, *plan);
}

int run_with(ghost_settings settings) {
    start_log(settings.log_level);
    show_notes(settings.notes);
    spdlog::info("starting gh-ost (Sluice {})", version());
    spdlog::info("Migrating `{}`.`{}`", settings.spec.table.schema, settings.spec.table.table);
    if (auto told = call_hook(settings, on_startup); !told) return fail_with_hook(settings, told.error());
    if (!settings.hooks.path.empty() && settings.execute) settings.spec.options.postpone_cutover = true;
    return settings.via.empty() ? run_standalone(std::move(settings)) : run_via(std::move(settings));
}

}  // namespace

int run_ghost(std::span<const std::string> arguments) {
    const auto flags = flag_values::parse(arguments);
    if (!flags) {
        if (!flags.error().message.empty()) return usage_failure(flags.error().message);
        std::cout << usage_text();
        return exit_code::ok;
    }
    if (flags->on("check-flag")) return exit_code::ok;
    if (flags->on("help")) {
        std::cout << usage_text();
        return exit_code::ok;
    }
    if (flags->on("version")) {
        std::cout << "Sluice " << version() << " (git commit: unknown)\n";
        return exit_code::ok;
    }
    // Blocked before any thread exists, so that no thread but this one ever gets them.
    ::sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, number);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    start_log("error");
    conf_values from_conf;
    if (const std::string file = flags->text("conf"); !file.empty()) {
        auto read = read_conf(file);
        if (!read) return fatal(read.error());
        from_conf = std::move(read).value();
    }
    std::optional<std::string> typed;
    if (flags->on("ask-pass")) typed = ask_password();
    auto settings = read_settings(*flags, from_conf, typed, std::chrono::system_clock::now());
    if (!settings) return fatal(settings.error());
    return run_with(std::move(settings).value());
}

}  // namespace sluice::ghost
