#include "proxy/main/ghost/via_run.hpp"

#include "proxy/main/client/json_fields.hpp"
#include "proxy/main/client/plan_text.hpp"
#include "proxy/main/ghost/via_request.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

namespace sluice::ghost {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr std::chrono::minutes plan_patience{5};
constexpr milliseconds abort_pause{200};
constexpr std::string_view postpone_option = "postpone_cutover";

bool exists(const std::string& file) {
    std::error_code error;
    return !file.empty() && std::filesystem::exists(file, error);
}

/// One that cannot be looked at may be there.
bool may_exist(const std::string& file) {
    std::error_code error;
    return !file.empty() && std::filesystem::status(file, error).type() != std::filesystem::file_type::not_found;
}

}  // namespace

via_run::via_run(const ghost_settings& settings, std::unique_ptr<admin_client> client, milliseconds abort_patience)
    : ghost_run(settings),
      abort_patience_(abort_patience),
      client_(std::move(client)),
      options_(settings.spec.options),
      postponed_for_hooks_(settings.spec.options.postpone_cutover) {}

std::string via_run::named() const { return "migration " + id_ + " at " + settings().via; }

reply<std::string> via_run::plan() {
    json::object body = via_request(settings());
    body["dry_run"] = true;
    auto answer = client_->post("/v1/migrations", json::serialize(body), plan_patience);
    if (!answer) return std::move(answer).error();
    return plan_text(*answer);
}

result<void, command_refusal> via_run::begin() {
    auto created = client_->post("/v1/migrations", json::serialize(via_request(settings())));
    if (!created) {
        const request_failure& why = created.error();
        return command_refusal(
            why.status != 0 ? why.message : why.message + "; `sluice list` shows whether it has begun all the same");
    }
    id_ = text_of(*created, "id");
    if (!migration_path(id_)) return command_refusal(settings().via + " does not answer like Sluice");
    postponed_ = {.now = postponed_for_hooks_ || !options_.postpone_flag_file.empty()};
    (void)tell_whether_paused().has_error();
    return {};
}

result<run_view, command_refusal> via_run::show() {
    const auto path = migration_path(id_);
    if (!path) return command_refusal("the run has not begun");
    auto answer = client_->get(*path);
    if (!answer) return command_refusal(answer.error().message);
    if (const json::object* shown = object_of(*answer, "options")) {
        const migration::migration_options before = options_;
        read_options(*shown, options_);
        options_.postpone_flag_file = before.postpone_flag_file;
        options_.throttle_flag_file = before.throttle_flag_file;
        options_.throttle_additional_flag_file = before.throttle_additional_flag_file;
    }
    return view_of(*answer);
}

result<run_view, command_refusal> via_run::look() {
    SLUICE_TRY(run_view view, show());
    if (view.completed() || view.failed()) return view;
    // What fails is told again at the next look.
    (void)tell_whether_postponed().has_error();
    (void)tell_whether_paused().has_error();
    if (paused_.now && !paused_by_command_ && view.throttled_by.empty()) view.throttled_by = "flag-file";
    return view;
}

result<void, command_refusal> via_run::command(const std::string& name, seconds patience) {
    const auto path = migration_path(id_, name);
    if (!path) return command_refusal("the run has not begun");
    auto answer = patience == seconds(0) ? client_->post(*path, {}) : client_->post(*path, {}, patience);
    if (!answer) return command_refusal(answer.error().message);
    return {};
}

result<void, command_refusal> via_run::send(const migration::option_changes& changes) {
    const auto path = migration_path(id_, "settings");
    if (!path) return command_refusal("the run has not begun");
    json::object options;
    for (const migration::option_field* field : changes.fields) options[field->name] = json_of(*field, changes.values);
    if (auto answer = client_->post(*path, json::serialize(options)); !answer) {
        return command_refusal(answer.error().message);
    }
    return {};
}

// Only changes are told: what an operator says to that Sluice itself in between stays as he said it.
result<void, command_refusal> via_run::tell_whether_postponed() {
    const bool wanted = postponed_for_hooks_ || (!file_overruled_ && may_exist(options_.postpone_flag_file));
    if (postponed_.known && postponed_.now == wanted) return {};
    postponed_ = {.now = wanted, .known = false};
    if (wanted) {
        SLUICE_TRY_VOID(command("postpone"));
    } else {
        // Not by `cut-over`, which would overrule what that Sluice itself waits for.
        SLUICE_TRY_VOID(send(change_of(postpone_option, &migration::migration_options::postpone_cutover, false)));
    }
    postponed_.known = true;
    return {};
}

result<void, command_refusal> via_run::tell_whether_paused() {
    const bool wanted = paused_by_command_ || throttled_by_file();
    if (paused_.known && paused_.now == wanted) return {};
    paused_ = {.now = wanted, .known = false};
    SLUICE_TRY_VOID(command(wanted ? "pause" : "resume"));
    paused_.known = true;
    return {};
}

bool via_run::throttled_by_file() const {
    return exists(options_.throttle_flag_file) || exists(options_.throttle_additional_flag_file);
}

result<void, command_refusal> via_run::cut_over() {
    SLUICE_TRY_VOID(command("cut-over"));
    file_overruled_ = true;
    postponed_ = {};
    return {};
}

result<void, command_refusal> via_run::pause(bool on) {
    paused_by_command_ = on;
    paused_.known = false;
    return tell_whether_paused();
}

result<void, command_refusal> via_run::postpone_by(const std::string& flag_file) {
    const std::string file = std::filesystem::absolute(flag_file).string();
    SLUICE_TRY_VOID(touch_file(file));
    options_.postpone_flag_file = file;
    file_overruled_ = false;
    postponed_.known = false;
    return tell_whether_postponed();
}

result<void, command_refusal> via_run::change(const migration::option_changes& changes) {
    migration::option_changes rest = changes;
    const auto postpones = [](const migration::option_field* field) { return field->name == postpone_option; };
    if (std::erase_if(rest.fields, postpones) != 0) {
        // The hooks' hold; the flag file has its own.
        postponed_for_hooks_ = changes.values.postpone_cutover;
        SLUICE_TRY_VOID(tell_whether_postponed());
    }
    if (rest.fields.empty()) return {};
    SLUICE_TRY_VOID(send(rest));
    rest.apply_to(options_);
    return {};
}

result<void, command_refusal> via_run::leave() {
    const auto held = lock();
    const auto until = steady_clock::now() + abort_patience_;
    while (true) {
        const auto left = std::chrono::ceil<seconds>(until - steady_clock::now());
        auto aborted = command("abort", std::max(left, seconds(1)));
        if (aborted) return {};
        // An abort may have been heard though its answer was lost; and the end may have been quicker.
        const auto seen = show();
        if (seen && seen->failed()) return {};
        if (seen && seen->completed()) return command_refusal(named() + " was done before it could be aborted");
        if (steady_clock::now() >= until) {
            return command_refusal(named() + " goes on: it could not be told to abort (" + aborted.error().text + ")");
        }
        std::this_thread::sleep_for(abort_pause);
    }
}

}  // namespace sluice::ghost
