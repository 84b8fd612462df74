#pragma once

// The beat at which a server of MySQL writes changed pages: its page cleaner (a thread of InnoDB) works once a second.
// RENAME TABLE closes the files of its tables; where one has a write under way, or one that is not flushed yet, it
// sleeps for 100 ms (20 ms before 8.0) and looks again, and every statement that is held sleeps with it. Just behind a
// beat the next one is most of a second away: that is when to begin.
//
// A pure value: what Innodb_buffer_pool_pages_flushed says is told, and when.

#include <chrono>
#include <cstdint>
#include <optional>

namespace sluice::migration {

/// Belongs to one thread.
class flush_beat {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// The pages that the server has written since its start.
    void seen(std::uint64_t pages_written, time_point now);
    /// The server wrote a moment ago, and no longer does.
    [[nodiscard]] bool just_written(time_point now) const;
    /// Since the first look; nothing before that.
    [[nodiscard]] std::chrono::milliseconds watched(time_point now) const;
    /// Begins anew with the next look.
    void forget() { *this = {}; }

private:
    std::optional<std::uint64_t> pages_written_;
    time_point first_look_{};
    time_point last_look_{};
    std::optional<time_point> last_change_;  // the look that saw it
};

}  // namespace sluice::migration
