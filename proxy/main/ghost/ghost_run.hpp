#pragma once

// One run in gh-ost's words, whatever does the work: what it shows, and what interactive commands see of it. The
// subclass says how the work is reached.

#include "proxy/main/ghost/ghost_settings.hpp"
#include "proxy/main/ghost/hooks.hpp"
#include "proxy/main/ghost/interactive.hpp"
#include "proxy/main/ghost/run_view.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>

namespace sluice::ghost {

/// For so long one that does not answer may yet do so.
inline constexpr std::chrono::seconds contact_patience{15};

/// Members without a word about it belong to whoever holds lock().
class ghost_run : public commanded_run {
public:
    explicit ghost_run(const ghost_settings& settings);

    [[nodiscard]] std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }

    // What the work is asked. Blocking for a moment at most.
    /// Begins it. An error ends the run.
    virtual result<void, command_refusal> begin() = 0;
    /// How far it is. An error: it is out of reach for now.
    [[nodiscard]] virtual result<run_view, command_refusal> look() = 0;
    /// Lets it cut over, whatever it waits for.
    virtual result<void, command_refusal> cut_over() = 0;
    virtual result<void, command_refusal> pause(bool on) = 0;
    /// Ends the work and leaves its tables. Nothing else is asked afterward. Called without lock(). An error: it goes
    /// on, and where.
    virtual result<void, command_refusal> leave() = 0;

    /// Looks, and remembers. False when nothing could be seen.
    bool refresh();
    [[nodiscard]] const run_view& view() const { return view_; }
    [[nodiscard]] const ghost_settings& settings() const { return settings_; }
    [[nodiscard]] environment_variables hook_variables() const;
    [[nodiscard]] eta time_left() const;
    [[nodiscard]] std::int64_t second() const;  ///< of the run, from 0
    /// Why the run is to end at once: panic, by command or by file.
    [[nodiscard]] std::optional<std::string> panicked() const;
    /// For a hook that begins now; any thread, without lock(). The end of the run has hooks, too: once it has begun, a
    /// further signal alone kills them.
    [[nodiscard]] hook_interrupt interrupt();
    /// For one that may be begun because of an order to end, before that is obeyed: such an order does not count.
    [[nodiscard]] hook_interrupt interrupt_by_new_orders();
    /// It ends at once. Any thread.
    void note_ending() { ending_ = true; }
    /// A count of the rows has ended.
    void set_row_count(std::uint64_t rows) { counted_rows_ = rows; }
    /// Whether the cut-over and the copy are held back until hooks have been run; not shown as the operator's doing.
    void set_held_for_hooks(bool held) { held_for_hooks_ = held; }
    /// Holds the copy back. What the operator says of throttling is kept beside it, and is what is shown.
    result<void, command_refusal> hold_copy(bool held);

    // Of commanded_run.
    [[nodiscard]] const std::string& table() const override { return settings_.spec.table.table; }
    [[nodiscard]] std::string status_line() override;
    [[nodiscard]] std::string status_hint() override;
    [[nodiscard]] std::string coordinates() override { return view_.stream; }
    result<void, command_refusal> throttle(bool on) override;
    [[nodiscard]] bool is_postponing() override;
    result<void, command_refusal> unpostpone() override { return cut_over(); }
    result<void, command_refusal> postpone_by(const std::string& flag_file) override;
    void panic(const std::string& why) override { panic_ = why; }
    /// lock() is let go of while the hook runs.
    result<void, command_refusal> run_hook(const std::string& command) override;

private:
    result<void, command_refusal> set_pauses(bool copy_held, bool throttled);
    [[nodiscard]] bool is_to_end();

    const ghost_settings settings_;
    const std::chrono::system_clock::time_point started_;
    std::mutex mutex_;
    run_clock clock_;
    run_view view_;
    std::optional<std::uint64_t> counted_rows_;
    std::optional<std::string> panic_;
    bool held_for_hooks_ = false;
    bool copy_held_ = false;
    bool throttled_ = false;  ///< by the operator
    std::atomic<bool> ending_{false};
};

/// Changes one option by its name.
template <class Member, class Value>
[[nodiscard]] migration::option_changes change_of(std::string_view name, Member member, Value value) {
    migration::option_changes changes;
    changes.values.*member = std::move(value);
    const migration::option_field* field = migration::find_option_field(name);
    SLUICE_ASSERT(field != nullptr);
    changes.fields = {field};
    return changes;
}

/// Makes the file if it is not there. The error names it.
[[nodiscard]] result<void, command_refusal> touch_file(const std::string& file);

}  // namespace sluice::ghost
