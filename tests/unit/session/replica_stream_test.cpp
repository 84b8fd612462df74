#include "proxy/session/replica_stream.hpp"
#include "tests/unit/session/packets.hpp"

#include <string>
#include <vector>

namespace sluice::session {
namespace {

const std::string rotate = std::string("\0\xEF\0\0\0\0\0\4", 8);  // the first: marked, of the time 0
const std::string event = std::string("\0\xEF\0", 3) + "event";
const std::string to_acknowledge = std::string("\0\xEF\1", 3) + "the last of a transaction";

// Where ids begin anew, counted from the first packet's payload, for bytes that come in pieces.
std::vector<std::size_t> steps_of(const std::vector<std::string>& packets, std::size_t piece) {
    byte_buffer bytes;
    for (const auto& packet : packets) bytes = std::move(bytes) + framed(packet, 0);
    replica_stream stream(protocol::decode_frame_header(byte_view(bytes).first<4>()));
    std::vector<std::size_t> steps;
    for (std::size_t at = 4; at < bytes.size();) {
        const auto there = std::min(piece, bytes.size() - at);
        at += stream.pass(byte_view(bytes).subspan(at, there));
        if (stream.begins_anew()) steps.push_back(at - 4);
    }
    return steps;
}

TEST_CASE("a source's ids begin anew behind what it wants acknowledged, wherever the stream is cut") {
    const auto first = rotate.size() + 4 + event.size() + 4 + to_acknowledge.size();
    const auto second = first + 4 + event.size() + 4 + 4 + to_acknowledge.size();
    for (std::size_t piece = 1; piece < 100; ++piece) {
        CHECK(steps_of({rotate, event, to_acknowledge, event, "", to_acknowledge}, piece) ==
              std::vector{first, second});
    }
    CHECK(steps_of({rotate, to_acknowledge, std::string("\0\xEF", 2), std::string("\xFF\xEF\1", 3), event}, 1000) ==
          std::vector{rotate.size() + 4 + to_acknowledge.size()});
}

TEST_CASE("an event of several frames that is to be acknowledged ends with the last of them") {
    const auto large = to_acknowledge + std::string(2 * protocol::frame_payload_size_max, 'x');
    CHECK(steps_of({rotate, large, event}, 1'000'000) == std::vector{rotate.size() + 12 + large.size()});
    // The last one is empty; a continuation is no packet, whatever it begins with.
    const auto full = to_acknowledge + std::string(protocol::frame_payload_size_max - to_acknowledge.size(), 'x');
    CHECK(steps_of({rotate, full, event}, 1'000'000) == std::vector{rotate.size() + 8 + full.size()});
    const auto misleading = event + std::string(protocol::frame_payload_size_max - event.size(), 'x') + to_acknowledge;
    CHECK(steps_of({rotate, misleading, event}, 1'000'000).empty());
}

TEST_CASE("in a stream that is not semi-synchronous nothing is taken for a mark") {
    const std::string plain_rotate("\0\0\0\0\0\4", 6);
    CHECK(steps_of({plain_rotate, to_acknowledge, event}, 1000).empty());
    CHECK(steps_of({plain_rotate, to_acknowledge, event}, 1).empty());
}

}  // namespace
}  // namespace sluice::session
