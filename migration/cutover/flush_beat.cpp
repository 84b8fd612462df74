#include "migration/cutover/flush_beat.hpp"

namespace sluice::migration {
namespace {

using std::chrono::milliseconds;

// What remains of the second is enough for an attempt, its connections included.
constexpr milliseconds fresh_max{400};

}  // namespace

void flush_beat::seen(std::uint64_t pages_written, time_point now) {
    if (!pages_written_) {
        first_look_ = now;
    } else if (*pages_written_ != pages_written) {
        last_change_ = now;
    }
    pages_written_ = pages_written;
    last_look_ = now;
}

// The count grows at the end of a beat, before the files are flushed: the look that sees it is too early.
bool flush_beat::just_written(time_point now) const {
    return last_change_ && *last_change_ < last_look_ && now - *last_change_ <= fresh_max;
}

milliseconds flush_beat::watched(time_point now) const {
    if (!pages_written_) return milliseconds(0);
    return std::chrono::duration_cast<milliseconds>(now - first_look_);
}

}  // namespace sluice::migration
