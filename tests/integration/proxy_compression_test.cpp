// Compression on each side of the proxy, byte by byte: above all the sequence ids, which real servers and clients
// check.

#include "protocol/wire/compressed_frame.hpp"
#include "tests/integration/proxy_fixture.hpp"

namespace sluice::test {
namespace {

namespace capability = protocol::capability;
using protocol::byte_buffer;
using protocol::byte_view;
using protocol::compression_algorithm;

constexpr auto multi = capability::multi_statements | capability::local_files;
constexpr auto algorithms = {compression_algorithm::none, compression_algorithm::zlib, compression_algorithm::zstd};

proxy::proxy_options towards_server(compression_algorithm algorithm) {
    proxy::proxy_options options;
    options.compression.to_server = algorithm;
    return options;
}

bool offers(server_kind kind, compression_algorithm algorithm) {
    return algorithm != compression_algorithm::zstd || kind == server_kind::mysql_9_7;
}

struct seen_packet {
    int sequence = 0;
    std::string payload;
    bool operator==(const seen_packet&) const = default;
};

// A client that speaks zlib, of which the test makes every frame and sees every frame's id.
class zlib_client {
public:
    explicit zlib_client(const proxy_under_test& proxied) : raw_(proxied.client(capability::compress | multi)) {
        REQUIRE(protocol::has(raw_.capabilities(), capability::compress));
    }

    void send_frame(std::uint8_t id, byte_view plain) {
        byte_buffer out;
        encoder_.set_next_sequence(id);
        encoder_.append(out, plain);
        pending_.insert(pending_.end(), out.begin(), out.end());
    }
    // What send_frame() has gathered, in one write.
    void flush() {
        raw_.send_bytes(pending_);
        pending_.clear();
    }
    void query(std::string_view text) {
        send_frame(0, packet_of(text));
        flush();
    }
    static byte_buffer packet_of(std::string_view text) {
        byte_buffer packet;
        protocol::append_framed(packet, protocol::as_bytes("\x03" + std::string(text)), 0);
        return packet;
    }
    static byte_buffer file_packet(std::string_view content, std::uint8_t sequence) {
        byte_buffer packet;
        protocol::append_framed(packet, protocol::as_bytes(content), sequence);
        return packet;
    }

    // The next packet; `frame` becomes the id of the frame that has its last byte.
    seen_packet packet() {
        while (!assembler_.complete()) {
            if (unread_.empty()) receive_frame();
            const auto used = assembler_.feed(unread_);
            REQUIRE(used.has_value());
            unread_.erase(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(*used));
        }
        seen_packet seen{assembler_.last_sequence(), protocol::to_string(assembler_.payload())};
        assembler_.clear();
        return seen;
    }
    // Ids of the packets up to the end of one resultset or OK.
    std::vector<int> reply() {
        std::vector<int> ids;
        auto head = packet();
        ids.push_back(head.sequence);
        const auto first = static_cast<unsigned char>(head.payload.at(0));
        if (first == 0 || first == 0xFF || first == 0xFB) return ids;
        // Without DEPRECATE_EOF the column definitions end like the rows do.
        int ends_due = protocol::has(raw_.capabilities(), capability::deprecate_eof) ? 1 : 2;
        while (ends_due != 0) {
            const auto next = packet();
            ids.push_back(next.sequence);
            const auto byte = static_cast<unsigned char>(next.payload.at(0));
            if (byte == 0xFF) break;
            if (byte == 0xFE && next.payload.size() < 0xFFFFFF) --ends_due;
        }
        return ids;
    }
    // Ids of the frames since the last call.
    std::vector<int> frames() { return std::exchange(frames_, {}); }
    [[nodiscard]] int last_frame() const { return last_frame_; }
    raw_client& raw() { return raw_; }

private:
    void receive_frame() {
        const auto header_bytes = raw_.receive_bytes(protocol::compressed_header_size);
        const auto header =
            protocol::decode_compressed_header(byte_view(header_bytes).first<protocol::compressed_header_size>());
        frames_.push_back(header.sequence);
        last_frame_ = header.sequence;
        auto whole = header_bytes;
        const auto body = raw_.receive_bytes(header.size);
        whole.insert(whole.end(), body.begin(), body.end());
        unread_.resize(header.is_stored() ? header.size : header.plain_size);
        const auto step = decoder_.decode(whole, unread_);
        REQUIRE(step.has_value());
        REQUIRE(step->produced == unread_.size());
    }

    raw_client raw_;
    protocol::compressed_frame_encoder encoder_{compression_algorithm::zlib, 0};
    protocol::compressed_frame_decoder decoder_{compression_algorithm::zlib};
    protocol::packet_assembler assembler_{1U << 28U};
    byte_buffer unread_;
    byte_buffer pending_;
    std::vector<int> frames_;
    int last_frame_ = 0;
};

std::vector<int> count_from(int first, std::size_t count) {
    std::vector<int> ids;
    for (std::size_t i = 0; i < count; ++i) ids.push_back((first + static_cast<int>(i)) & 0xFF);
    return ids;
}

bool is_count_from(int first, const std::vector<int>& ids) {
    return !ids.empty() && ids == count_from(first, ids.size());
}

TEST_CASE("a compressed client's frames and packets are numbered as a server numbers them") {
    for (const auto algorithm : algorithms) {
        CAPTURE(protocol::compression_name(algorithm));
        const proxy_under_test proxied(server_kind::mysql_9_7, towards_server(algorithm));
        zlib_client client(proxied);

        client.query("SELECT 1");
        CHECK(is_count_from(1, client.reply()));
        CHECK(is_count_from(1, client.frames()));

        // A command in five frames.
        const auto longer = zlib_client::packet_of("SELECT LENGTH('" + std::string(5000, 'x') + "')");
        const auto part = longer.size() / 5 + 1;
        for (std::uint8_t id = 0; id < 5; ++id) {
            client.send_frame(id, byte_view(longer).subspan(id * part, std::min(part, longer.size() - id * part)));
        }
        // Two more behind it in the same write.
        client.send_frame(0, zlib_client::packet_of("SELECT 2"));
        client.send_frame(0, zlib_client::packet_of("SELECT 3"));
        client.flush();
        CHECK(is_count_from(1, client.reply()));
        CHECK(is_count_from(5, client.frames()));
        for (int i = 0; i < 2; ++i) {
            CHECK(is_count_from(1, client.reply()));
            CHECK(is_count_from(1, client.frames()));
        }

        // Two commands in one frame, which a server would not read.
        auto both = zlib_client::packet_of("SELECT 4");
        const auto second = zlib_client::packet_of("SELECT 5");
        both.insert(both.end(), second.begin(), second.end());
        client.send_frame(0, both);
        client.flush();
        CHECK(is_count_from(1, client.reply()));
        CHECK(is_count_from(1, client.reply()));
        CHECK(is_count_from(1, client.frames()));

        // Several results count on, in their packets and in their frames.
        client.query("SELECT 1; SELECT REPEAT('x', 300000); DO 1; SELECT 2");
        std::vector<int> ids;
        for (int i = 0; i < 4; ++i) {
            for (const int id : client.reply()) ids.push_back(id);
        }
        CHECK(is_count_from(1, ids));
        CHECK(is_count_from(1, client.frames()));
        client.query("SELECT 1");
        CHECK(is_count_from(1, client.reply()));
        CHECK(is_count_from(1, client.frames()));
    }
}

TEST_CASE("a compressed client's files go on where the request for them left off") {
    for (const auto kind : every_server) {
        for (const auto algorithm : algorithms) {
            if (!offers(kind, algorithm)) continue;
            CAPTURE(to_string(kind), protocol::compression_name(algorithm));
            make_table(kind, "loaded", 0);
            const proxy_under_test proxied(kind, towards_server(algorithm));
            zlib_client client(proxied);
            for (int round = 0; round < 2; ++round) {
                client.query(
                    "SELECT 1; LOAD DATA LOCAL INFILE 'a' INTO TABLE loaded FIELDS TERMINATED BY ',';"
                    "LOAD DATA LOCAL INFILE 'b' INTO TABLE loaded FIELDS TERMINATED BY ','; DELETE FROM loaded");
                (void)client.reply();
                for (int file = 0; file < 2; ++file) {
                    const auto request = client.packet();
                    CHECK(request.payload.at(0) == '\xFB');
                    // As a client does: frames count on, and the packets take their first id from the frames.
                    auto id = static_cast<std::uint8_t>(client.last_frame() + 1);
                    const auto sequence = id;
                    const auto row = std::to_string(file) + ",row\n";
                    client.send_frame(id++, zlib_client::file_packet(row, sequence));
                    client.send_frame(id++, zlib_client::file_packet("", static_cast<std::uint8_t>(sequence + 1)));
                    client.flush();
                    (void)client.frames();
                    const auto ok = client.packet();
                    INFO(ok.payload);
                    CHECK(ok.payload.at(0) == '\0');
                    CHECK(ok.payload.at(1) == '\1');
                    CHECK(is_count_from(id, client.frames()));
                }
                const auto deleted = client.packet();
                CHECK(deleted.payload.substr(0, 2) == std::string("\0\2", 2));
                (void)client.frames();
            }
        }
    }
}

// Everything that a plain client gets for these: its packets with their ids.
std::vector<seen_packet> conversation(server_kind kind, compression_algorithm to_server) {
    const proxy_under_test proxied(kind, towards_server(to_server));
    auto client = proxied.client(multi);
    std::vector<seen_packet> all;
    const auto take = [&] {
        const auto got = client.receive_packet();
        all.push_back({got.sequence, got.text()});
        return all.back().payload;
    };
    const auto take_until_row_42 = [&] {
        while (
            !take().starts_with("\x02"
                                "42")) {
        }
        (void)take();
    };
    const auto say = [&](std::string_view text) { client.send_command(protocol::command::query, text); };
    say("SELECT 1; SELECT REPEAT('x', 200000); SET @a = 1; SELECT nope");
    while (take().at(0) != '\xFF') {
    }
    // Ahead of their replies.
    for (const char* text : {"SELECT 1", "SELECT nope", "SELECT 42"}) say(text);
    take_until_row_42();
    // More than 16 MiB, refused by its syntax, and taken.
    say("SELEC '" + std::string(16'777'300, 'x') + "'");
    CHECK(take().at(0) == '\xFF');
    CHECK(all.back().sequence == 2);
    say("SELECT LENGTH('" + std::string(20'000'000, 'x') + "'), 42, '42'; SELECT 42");
    take_until_row_42();
    // Refused, and in as many compressed frames as make its packets' ids begin at 0 again.
    say("SELEC '" + std::string(256 * 65536 - 20, 'x') + "'");
    CHECK(take().at(0) == '\xFF');
    say("SELECT 1; LOAD DATA LOCAL INFILE 'a' INTO TABLE plain_load FIELDS TERMINATED BY ','; SELECT 42");
    while (take().at(0) != '\xFB') {
    }
    const auto next = static_cast<std::uint8_t>(all.back().sequence + 1);
    client.send_packet("1,row\n", next);
    client.send_packet("", static_cast<std::uint8_t>(next + 1));
    CHECK(take().at(0) == '\0');
    CHECK(all.back().sequence == next + 2);
    take_until_row_42();
    say("DELETE FROM plain_load");
    CHECK(take().at(0) == '\0');
    return all;
}

TEST_CASE("a plain client cannot tell that the server's side is compressed") {
    for (const auto kind : every_server) {
        make_table(kind, "plain_load", 0);
        const auto plain = conversation(kind, compression_algorithm::none);
        for (const auto algorithm : {compression_algorithm::zlib, compression_algorithm::zstd}) {
            CAPTURE(to_string(kind), protocol::compression_name(algorithm));
            CHECK(conversation(kind, algorithm) == plain);
        }
    }
}

TEST_CASE("COM_CHANGE_USER stays compressed, its exchange included") {
    auto root = connect(shared_server(server_kind::mysql_9_7));
    root.exec("CREATE USER IF NOT EXISTS nobody@'%' IDENTIFIED BY ''");
    for (const auto algorithm : algorithms) {
        CAPTURE(protocol::compression_name(algorithm));
        const proxy_under_test proxied(server_kind::mysql_9_7, towards_server(algorithm));
        zlib_client client(proxied);
        for (int round = 0; round < 2; ++round) {
            byte_buffer change;
            const std::string body("\x11nobody\0\0\0\x2d\0caching_sha2_password\0\0", 36);
            protocol::append_framed(change, protocol::as_bytes(body), 0);
            client.send_frame(0, change);
            client.flush();
            int last_frame = 0;
            for (;;) {
                const auto got = client.packet();
                const auto frames = client.frames();
                if (!frames.empty()) {
                    CHECK(is_count_from(last_frame + 1, frames));
                    last_frame = frames.back();
                }
                INFO(got.payload);
                REQUIRE(got.payload.at(0) != '\xFF');
                if (got.payload.at(0) == '\0') break;
                if (got.payload.at(0) != '\xFE') continue;
                // Another scramble; the password is empty all the same.
                byte_buffer answer;
                protocol::append_framed(answer, {}, static_cast<std::uint8_t>(got.sequence + 1));
                client.send_frame(static_cast<std::uint8_t>(++last_frame), answer);
                client.flush();
            }
            client.query("SELECT CURRENT_USER()");
            CHECK(is_count_from(1, client.reply()));
            CHECK(is_count_from(1, client.frames()));
        }
    }
}

TEST_CASE("bytes that are no compressed frame end the session, and only that") {
    const proxy_under_test proxied;
    zlib_client broken(proxied);
    zlib_client other(proxied);
    broken.raw().send_bytes(std::string_view("\x10\0\0\0\xFF\0\0this is no zlib stream", 29));
    CHECK(broken.raw().closed_by_peer());
    other.query("SELECT 1");
    CHECK(is_count_from(1, other.reply()));
    CHECK(eventually([&] { return proxied.proxy->statistics().sessions == 1; }));
}

TEST_CASE("nobody is compressed who did not ask, and no more is offered than is configured") {
    proxy::proxy_options options;
    options.compression.offers_zlib = false;
    const proxy_under_test proxied(server_kind::mysql_9_7, options);
    auto client = proxied.client(capability::compress);
    CHECK_FALSE(protocol::has(client.greeting().capabilities, capability::compress));
    CHECK(protocol::has(client.greeting().capabilities, capability::zstd_compression));
    CHECK(client.query("SELECT 1").is_ok);
}

}  // namespace
}  // namespace sluice::test
