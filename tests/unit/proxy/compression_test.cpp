#include "proxy/net/compression.hpp"

#include "tests/support/catch.hpp"

#include <string>

namespace sluice::proxy {
namespace {

using protocol::byte_buffer;
using protocol::byte_view;
using protocol::compression_algorithm;

byte_buffer frame_of(std::string_view plain, std::uint8_t sequence = 0) {
    byte_buffer out;
    protocol::compressed_frame_encoder encoder(compression_algorithm::zlib, 0);
    encoder.set_next_sequence(sequence);
    encoder.append(out, protocol::as_bytes(plain));
    return out;
}

byte_buffer operator+(byte_buffer left, const byte_buffer& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

void receive(compression& layer, byte_view bytes) {
    const auto room = layer.room();
    REQUIRE(room.size() >= bytes.size());
    std::copy(bytes.begin(), bytes.end(), room.begin());
    layer.received(bytes.size());
}

std::string take(compression& layer, std::size_t room = 1000) {
    byte_buffer into(room);
    const auto size = layer.take(into);
    REQUIRE(size.has_value());
    return protocol::to_string(byte_view(into).first(*size));
}

const std::string row = "a row, and the next row, and the next; a row, and the next row, and the next; ";

TEST_CASE("the layer gives plain bytes as there is room") {
    compression layer(compression_algorithm::zlib, 3, {}, {});
    CHECK_FALSE(layer.has_pending());
    CHECK(take(layer).empty());
    receive(layer, frame_of(row));
    CHECK(layer.has_pending());
    CHECK(take(layer, 10) == row.substr(0, 10));
    CHECK(layer.has_pending());
    CHECK(take(layer) == row.substr(10));
    CHECK_FALSE(layer.has_pending());
    CHECK(take(layer).empty());
}

TEST_CASE("the layer keeps frames that begin anew apart") {
    compression layer(compression_algorithm::zlib, 3, {}, {});
    receive(layer, frame_of("one") + frame_of("two", 1) + frame_of("three", 0) + frame_of("four", 0));
    CHECK(take(layer) == "onetwo");
    CHECK(layer.last_sequence() == 1);
    CHECK(layer.frames_received() == 2);
    CHECK(layer.has_pending());
    CHECK(take(layer) == "three");
    CHECK(take(layer) == "four");
    CHECK(layer.frames_received() == 4);
    CHECK_FALSE(layer.has_pending());
}

TEST_CASE("half a frame is not pending") {
    compression layer(compression_algorithm::zlib, 3, {}, {});
    const auto frame = frame_of(row);
    for (std::size_t i = 0; i + 1 < frame.size(); ++i) {
        receive(layer, byte_view(frame).subspan(i, 1));
        (void)take(layer);
        CHECK_FALSE(layer.has_pending());
    }
}

TEST_CASE("bytes read ahead are the first to be decoded") {
    compression layer(compression_algorithm::zlib, 3, byte_view(frame_of("ahead")).first(9), {});
    CHECK(layer.has_pending());
    CHECK(take(layer) == "ah");
    receive(layer, byte_view(frame_of("ahead")).subspan(9));
    CHECK(take(layer) == "ead");
}

TEST_CASE("plain bytes that were not written yet go before the first frame") {
    compression layer(compression_algorithm::zlib, 3, {}, protocol::as_bytes("plain"));
    CHECK(protocol::as_text(layer.unsent()) == "plain");
    layer.sent(3);
    CHECK(protocol::as_text(layer.unsent()) == "in");
    layer.sent(2);
    CHECK(layer.unsent().empty());
    CHECK(layer.accept(protocol::as_bytes("next")) == 4);
    CHECK(byte_buffer(layer.unsent().begin(), layer.unsent().end()) == frame_of("next"));
}

TEST_CASE("at most one frame of a bounded size waits to be written") {
    for (const auto algorithm : {compression_algorithm::zlib, compression_algorithm::zstd}) {
        compression layer(algorithm, 3, {}, {});
        const byte_buffer much(1 << 20, std::byte{'x'});
        CHECK(layer.accept(much) == compression::frame_plain_size_max);
        CHECK(layer.unsent().size() < 1000);
        layer.set_next_sequence(9);
        layer.sent(layer.unsent().size());
        CHECK(layer.accept(protocol::as_bytes("tail")) == 4);
        CHECK(layer.unsent()[3] == std::byte{9});
        layer.sent(layer.unsent().size());
        CHECK(layer.accept({}) == 0);
        CHECK(layer.unsent().empty());
    }
}

TEST_CASE("garbage is an error") {
    compression layer(compression_algorithm::zlib, 3, {}, {});
    receive(layer, protocol::as_bytes("GET / HTTP/1.1\r\nHost: somewhere\r\n\r\n"));
    byte_buffer into(100);
    CHECK(layer.take(into).has_error());
}

}  // namespace
}  // namespace sluice::proxy
