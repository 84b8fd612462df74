#include "migration/engine/stream_guard.hpp"

#include <string>

namespace sluice::migration {
namespace {

std::string text_of(const stream_position& position) {
    return position.executed ? "'" + position.executed->to_string() + "'" : position.at.to_string();
}

}  // namespace

outcome<void> stream_guard::told(const stream_position& server, steady_time now) {
    asked_ = now;
    if (last_told_ && !server.reached(*last_told_)) {
        return refuse("binlog_reset", "the server's binary log was reset: it was at " + text_of(*last_told_) +
                                          " and is at " + text_of(server) +
                                          ", so changes may be missing; start the migration again");
    }
    last_told_ = server;
    return {};
}

outcome<void> stream_guard::marker(bool came_back, const stream_position& read, steady_time now) {
    const bool moved = !silent_since_ || read.at != silent_at_.at;
    if (came_back) {
        silent_since_.reset();
    } else if (moved) {
        silent_since_ = now;
        silent_at_ = read;
    } else if (now - *silent_since_ > silence_max) {
        return refuse("stream_silent",
                      "rows written to the changelog have not come back in the binary log for a minute, and the stream "
                      "stands still at " +
                          text_of(read));
    }
    return {};
}

}  // namespace sluice::migration
