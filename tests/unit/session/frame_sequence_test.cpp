#include "proxy/session/frame_sequence.hpp"
#include "tests/unit/session/packets.hpp"

#include <string>
#include <vector>

namespace sluice::session {
namespace {

using received = frame_sequence::received;

// Frames with these ids, and payloads that could be taken for headers.
byte_buffer frames(const std::vector<int>& ids) {
    byte_buffer bytes;
    for (const int id : ids) {
        const auto more = framed(std::string(static_cast<std::size_t>(id) % 7, '\x01'), static_cast<std::uint8_t>(id));
        bytes.insert(bytes.end(), more.begin(), more.end());
    }
    return bytes;
}

std::vector<int> ids_of(byte_view bytes) {
    std::vector<int> ids;
    while (!bytes.empty()) {
        const auto header = protocol::decode_frame_header(bytes.first<4>());
        ids.push_back(header.sequence);
        bytes = bytes.subspan(4 + header.payload_size);
    }
    return ids;
}

constexpr turn_marks whole_command{.command_begins = true, .command_ends = true, .has_reply = true};
constexpr turn_marks command_without_reply{.command_begins = true, .command_ends = true};
constexpr turn_marks begins_reply{.reply_begins = true};

// A session of which both sides are compressed, with the ids that its frames get.
struct session_of_two {
    frame_sequence::outgoing client(const turn_marks& marks, const std::vector<int>& ids) {
        auto bytes = frames(ids);
        const auto out = sequence.on_client(marks, bytes, from_client, from_server);
        packets_to_server = ids_of(bytes);
        return out;
    }
    frame_sequence::outgoing server(const turn_marks& marks, const std::vector<int>& ids) {
        auto bytes = frames(ids);
        const auto out = sequence.on_server(marks, bytes, from_server);
        packets_to_client = ids_of(bytes);
        return out;
    }
    void client_frame(int id) { from_client = {static_cast<std::uint8_t>(id), from_client.frames + 1}; }
    void server_frame(int id) { from_server = {static_cast<std::uint8_t>(id), from_server.frames + 1}; }

    frame_sequence sequence;
    received from_client, from_server;
    std::vector<int> packets_to_server, packets_to_client;
};

TEST_CASE("packets are renumbered wherever they are cut") {
    const auto original = frames({9, 9, 0, 255, 3, 100, 6, 0});
    for (std::size_t piece = 1; piece <= original.size(); ++piece) {
        auto bytes = original;
        frame_renumbering numbers;
        numbers.restart(253);
        for (std::size_t at = 0; at < bytes.size(); at += piece) {
            numbers.apply(std::span(bytes).subspan(at, std::min(piece, bytes.size() - at)));
        }
        CHECK(ids_of(bytes) == std::vector{253, 254, 255, 0, 1, 2, 3, 4});
        CHECK(numbers.next() == 5);
    }
}

TEST_CASE("a command begins with 0, and its reply goes on from the command") {
    session_of_two t;
    t.client_frame(0);
    auto out = t.client(whole_command, {0});
    CHECK(out.to_server == 0);
    CHECK_FALSE(out.to_client);
    CHECK(t.packets_to_server == std::vector{0});
    t.server_frame(1);
    out = t.server(begins_reply, {1, 2, 3});
    CHECK(out.to_client == 1);
    CHECK_FALSE(out.to_server);
    CHECK(t.packets_to_client == std::vector{1, 2, 3});
    // A second result, whose packets a compressed server numbers as its frames.
    t.server_frame(2);
    out = t.server({}, {2, 3});
    CHECK_FALSE(out.to_client);
    CHECK(t.packets_to_client == std::vector{4, 5});
    t.client_frame(0);
    CHECK(t.client(whole_command, {0}).to_server == 0);
    CHECK(t.server(begins_reply, {1}).to_client == 1);
    CHECK(t.packets_to_client == std::vector{1});
}

TEST_CASE("a reply begins behind all frames of a long command, in its packets and in its frames") {
    session_of_two t;
    t.client_frame(0);
    auto out = t.client({.command_begins = true, .has_reply = true}, {0});
    CHECK(out.to_server == 0);
    for (int id = 1; id < 300; ++id) {
        t.client_frame(id & 0xFF);
        out = t.client({}, {});
        CHECK_FALSE(out.to_server);
    }
    t.client_frame(300 & 0xFF);
    out = t.client({.command_ends = true}, {1, 2});
    CHECK(t.packets_to_server == std::vector{1, 2});
    // The server has had more frames than we, and says so in its packets.
    out = t.server(begins_reply, {0, 1});
    CHECK(out.to_client == 301 - 256);
    CHECK(t.packets_to_client == std::vector{3, 4});
}

TEST_CASE("replies to commands sent ahead begin behind their own command") {
    session_of_two t;
    t.client_frame(0);
    (void)t.client({.command_begins = true, .has_reply = true}, {0});
    t.client_frame(1);
    (void)t.client({.command_ends = true}, {});
    t.client_frame(0);
    (void)t.client(whole_command, {0});
    // A third in the frame of the second: a server goes on counting then.
    (void)t.client(whole_command, {0});
    CHECK(t.server(begins_reply, {1}).to_client == 2);
    CHECK(t.server(begins_reply, {1}).to_client == 1);
    CHECK_FALSE(t.server(begins_reply, {1}).to_client);
    CHECK(t.packets_to_client == std::vector{1});
}

TEST_CASE("a command without a reply leaves its frame to the next one") {
    session_of_two t;
    t.client_frame(0);
    CHECK(t.client(command_without_reply, {0}).to_server == 0);
    CHECK(t.client(whole_command, {0}).to_server == 0);
    CHECK(t.server(begins_reply, {1}).to_client == 1);
}

TEST_CASE("a reply that comes before the command's end does not disturb the next one") {
    session_of_two t;
    t.client_frame(0);
    (void)t.client({.command_begins = true, .has_reply = true}, {0});
    CHECK_FALSE(t.server(begins_reply, {1}).to_client);
    CHECK(t.packets_to_client == std::vector{1});
    t.client_frame(1);
    (void)t.client({.command_ends = true}, {1});
    t.client_frame(0);
    (void)t.client(whole_command, {0});
    CHECK(t.server(begins_reply, {7}).to_client == 1);
    CHECK(t.packets_to_client == std::vector{1});
}

TEST_CASE("a file goes on from the request for it, and the reply from the file") {
    session_of_two t;
    t.client_frame(0);
    (void)t.client(whole_command, {0});
    t.server_frame(1);
    (void)t.server(begins_reply, {1, 2, 3, 4});  // a result set, then the request
    t.client_frame(2);
    auto out = t.client({.file_begins = true}, {2, 3});
    CHECK(out.to_server == 2);
    CHECK(t.packets_to_server == std::vector{5, 6});
    t.client_frame(3);
    out = t.client({.file_ends = true}, {4});
    CHECK_FALSE(out.to_server);
    CHECK(out.to_client == 4);
    CHECK(t.packets_to_server == std::vector{7});
    t.server_frame(4);
    CHECK_FALSE(t.server({}, {4}).to_client);
    CHECK(t.packets_to_client == std::vector{8});
    // And a second file in the same reply.
    t.client_frame(5);
    out = t.client({.file_begins = true, .file_ends = true}, {9});
    CHECK(out.to_server == 5);
    CHECK(out.to_client == 6);
    CHECK(t.packets_to_server == std::vector{9});
}

TEST_CASE("a source's ids begin anew, those of frames as the source says") {
    session_of_two t;
    t.client_frame(0);
    (void)t.client(whole_command, {0});
    CHECK(t.server(begins_reply, {1, 2, 3}).to_client == 1);
    for (const auto frame : {std::uint8_t{0}, std::uint8_t{1}}) {
        CHECK(t.server({.source_begins_anew = frame}, {7, 8}).to_client == frame);
        CHECK(t.packets_to_client == std::vector{1, 2});
        CHECK_FALSE(t.server({}, {9}).to_client);
        CHECK(t.packets_to_client == std::vector{3});
    }
}

TEST_CASE("packets of a login are numbered by whoever makes them; their frames answer the other side's") {
    session_of_two t;
    t.client_frame(0);
    auto out = t.client({.command_begins = true, .command_ends = true, .own_reply = true}, {});
    CHECK(out.to_server == 0);
    CHECK(out.to_client == 1);
    t.server_frame(1);
    out = t.server({.login = true}, {});
    CHECK(out.to_server == 2);
    CHECK_FALSE(out.to_client);
    t.client_frame(2);
    out = t.client({.login = true}, {});
    CHECK(out.to_client == 3);
    CHECK_FALSE(out.to_server);
    // The rest of the same frame.
    CHECK_FALSE(t.client({.login = true}, {}).to_client);
}

TEST_CASE("an answer of Sluice's own begins behind its command") {
    session_of_two t;
    t.client_frame(0);
    t.client_frame(1);
    const auto out = t.client({.own_reply = true}, {});
    CHECK(out.to_client == 2);
    CHECK_FALSE(out.to_server);
    t.client_frame(0);
    const auto with_command = t.client({.own_reply = true, .own_command = true}, {});
    CHECK(with_command.to_client == 1);
    CHECK(with_command.to_server == 0);
}

TEST_CASE("what is not followed keeps its ids") {
    session_of_two t;
    const auto out = t.client({.command_begins = true, .unknown = true}, {5});
    CHECK(out.to_server == 0);
    CHECK(t.packets_to_server == std::vector{5});
    CHECK_FALSE(t.server({.reply_begins = true, .unknown = true}, {9}).to_client);
    CHECK(t.packets_to_client == std::vector{9});
}

TEST_CASE("as many replies may be due as commands may be in flight") {
    session_of_two t;
    for (std::size_t i = 0; i < reply_queue::size_max; ++i) {
        t.client_frame(0);
        (void)t.client(whole_command, {0});
    }
    for (std::size_t i = 0; i < 3 * reply_queue::size_max; ++i) {
        CHECK(t.server(begins_reply, {1, 2}).to_client == 1);
        t.client_frame(0);
        (void)t.client(whole_command, {0});
    }
}

}  // namespace
}  // namespace sluice::session
