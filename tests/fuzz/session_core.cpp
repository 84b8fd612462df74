// A whole session: login, commands, gates. The input is a script of what client, server and operator do; it is played
// twice, with the bytes of each step whole and in pieces, and both sides must have had the same.

#include "proxy/session/session_core.hpp"
#include "protocol/message/eof.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/session_capabilities.hpp"

#include <chrono>
#include <optional>

namespace sluice::fuzz {
namespace {

using namespace session;
namespace server_status = protocol::server_status;
using protocol::capability_flags;

std::shared_ptr<const protocol::rsa_key_pair> a_key() {
    static const auto key = std::make_shared<const protocol::rsa_key_pair>(*protocol::rsa_key_pair::generate(1024));
    return key;
}

byte_buffer framed(byte_view payload, std::uint8_t sequence) {
    byte_buffer out;
    protocol::append_framed(out, payload, sequence);
    return out;
}

byte_buffer query(std::string_view text) { return framed(protocol::as_bytes("\x03" + std::string(text)), 0); }

constexpr std::string_view statements[] = {
    "BEGIN",
    "SELECT * FROM t",
    "UPDATE shop.t SET a = 1",
    "COMMIT",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT",
    "LOCK TABLES t READ",
    "UNLOCK TABLES",
    "HANDLER t OPEN",
    "XA START 'x'",
    "LOAD DATA LOCAL INFILE 'f' INTO TABLE t",
    "SHOW MIGRATIONS",
    "SHOW PROXY STATUS",
    "USE shop",
    "SET NAMES gbk",
    "SET sql_mode = 'ANSI_QUOTES'",
    "SELECT 1; SELECT * FROM orders; SET @a = 1",
    "CALL p()",
    "PREPARE s FROM 'DELETE FROM t'",
    "FLUSH TABLES t WITH READ LOCK",
    "SELECT 1",
};

class session_owner {
public:
    session_owner(fuzz_input in, bool whole) : in_(in), whole_(whole) {
        core_.set_client("10.0.0.1:1");
        shard_.join(core_.relay());
    }

    void play() {
        capabilities_ = session_capabilities(in_) | protocol::capability::protocol_41;
        if (in_.flag()) log_in();
        for (int steps = 0; !in_.empty() && core_.phase() != core_phase::ended && steps < 200; ++steps) {
            play_step();
            check_gate();
        }
    }

    byte_buffer to_client, to_server;
    bool refused = false;
    std::optional<std::size_t> passed_to_client;  ///< before the error in a refused packet's place

    [[nodiscard]] core_phase phase() const { return core_.phase(); }

private:
    void log_in() {
        protocol::server_greeting greeting;
        greeting.server_version = "9.7.0";
        // Old servers and those that are set up oddly lack some of them.
        greeting.capabilities = protocol::capability::mysql_mask & ~session_capabilities(in_);
        const bool has_long_scramble = protocol::has(greeting.capabilities, protocol::capability::secure_connection);
        greeting.auth_data = std::string(has_long_scramble ? 20 : 7, 's') + std::string(1, '\0');
        greeting.auth_plugin = "caching_sha2_password";
        protocol::handshake_response response;
        response.capabilities = capabilities_ & ~protocol::capability::mariadb_mask;
        response.user = "app";
        response.database = "shop";
        const std::size_t size_max =
            protocol::has(capabilities_, protocol::capability::plugin_auth_lenenc_data) ? 400 : 255;
        response.auth_response = protocol::to_string(in_.bytes(std::min<std::size_t>(in_.u16(), size_max)));
        response.auth_plugin = greeting.auth_plugin;
        byte_buffer payload;
        serialise(payload, greeting);
        from_server(framed(payload, 0));
        payload.clear();
        serialise(payload, response);
        from_client(framed(payload, 1));
        from_server(ok_packet(2));
    }

    void play_step() {
        const auto kind = in_.u8() % 10;
        switch (kind) {
            case 0: return from_client(in_.bytes(in_.u8()));
            case 1: return from_server(in_.bytes(in_.u8()));
            case 2: return from_client(packet(in_.u8() % 4U));
            case 3: return from_server(packet(in_.u8() % 8U));
            case 4:
            case 5: return from_client(query(statements[in_.u8() % std::size(statements)]));
            case 6: return reply();
            case 7: return gate();
            case 8: return from_client(framed(in_.bytes(0), 0));  // the end of a file
            default: return owner_acts();
        }
    }

    byte_buffer packet(unsigned sequence) { return framed(in_.bytes(in_.u8()), static_cast<std::uint8_t>(sequence)); }

    byte_buffer ok_packet(std::uint8_t sequence, bool is_terminator = false) {
        constexpr protocol::status_flags states[] = {
            server_status::autocommit,
            server_status::autocommit | server_status::in_trans,
            0,
            server_status::autocommit | server_status::more_results_exist,
            server_status::autocommit | server_status::cursor_exists,
        };
        protocol::ok_packet ok;
        ok.is_terminator = is_terminator;
        ok.status = states[in_.u8() % std::size(states)];
        byte_buffer payload;
        serialise(payload, ok, core_.relay().capabilities());
        return framed(payload, sequence);
    }

    void reply() {
        switch (in_.u8() % 4) {
            case 0: return from_server(ok_packet(1));
            case 1: return from_server(framed(protocol::as_bytes("\xFF\x28\x04#42000no"), 1));
            case 2:
                return from_server(framed(protocol::as_bytes("\xFB"
                                                             "file"),
                                          1));
            default: break;
        }
        auto bytes = framed(protocol::as_bytes("\x01"), 1);
        const auto add = [&](const byte_buffer& more) { bytes.insert(bytes.end(), more.begin(), more.end()); };
        add(framed(protocol::as_bytes("\x03"
                                      "def"),
                   2));
        const bool deprecates_eof = protocol::has(core_.relay().capabilities(), protocol::capability::deprecate_eof);
        if (!deprecates_eof) add(framed(protocol::as_bytes(std::string_view("\xFE\0\0\2\0", 5)), 3));
        add(framed(protocol::as_bytes("\x01"
                                      "1"),
                   4));
        add(deprecates_eof ? ok_packet(5, true) : framed(protocol::as_bytes(std::string_view("\xFE\0\0\2\0", 5)), 5));
        from_server(bytes);
    }

    void gate() {
        const unsigned slot = in_.u8() % 3U;
        const bool watched = (shard_.watched() & slot_bit(slot)) != 0;
        switch (in_.u8() % 6) {
            case 0:
                if (!watched) shard_.watch(slot, {"shop", slot == 0 ? "t" : "orders"});
                break;
            case 1: shard_.unwatch(slot); break;
            case 2:
                if (watched) shard_.close(slot, now_ + std::chrono::milliseconds(in_.u8()));
                break;
            case 3: shard_.open(slot, in_.flag() ? gate_end::swapped : gate_end::given_up); break;
            case 4:
                now_ += std::chrono::milliseconds(in_.u8());
                shard_.expire(now_);
                break;
            default:
                if (in_.flag()) {
                    shard_.interrupt(core_.login().facts().connection_id);
                } else if (!shard_.seal(slot) || in_.flag()) {
                    shard_.unseal(slot);
                }
                break;
        }
        std::vector<gate_seat*> released;
        shard_.release(1, now_, released);
        if (released.empty()) return;
        FUZZ_CHECK(next_ == core_next::held && released.size() == 1 && released.front() == &core_.relay());
        core_.relay().on_released();
        look();
    }

    void owner_acts() {
        if (next_ == core_next::answer) {
            if (in_.flag()) {
                core_.answer(protocol::err_packet{1105, "HY000", "no"});
            } else {
                protocol::text_resultset rows;
                rows.columns = {{"id", protocol::text_column_type::varchar}};
                rows.rows = {{std::string("x")}, {std::nullopt}};
                core_.answer(rows);
            }
            take();
            look();
        } else if (core_.phase() == core_phase::login && in_.flag()) {
            if (in_.flag()) {
                static_cast<void>(core_.abandon_login());
            } else {
                core_.fail_login({1105, "HY000", "no"});
            }
            take();
        } else if (core_.phase() == core_phase::commands && core_.relay().idle() && in_.u8() == 1) {
            core_.say_goodbye({1053, "08S01", "shutdown"});
            take();
        }
    }

    std::vector<byte_view> pieces_of(byte_view bytes) {
        if (whole_) return {bytes};
        return cut_into_pieces(bytes, seed_++);
    }

    void from_client(const byte_buffer& bytes) {
        for (const auto piece : pieces_of(bytes)) {
            unread_.insert(unread_.end(), piece.begin(), piece.end());
            if (next_ == core_next::more || next_ == core_next::partial) look();
        }
    }

    void look() {
        while (core_.phase() != core_phase::ended) {
            unread_.shrink_to_fit();
            const auto step = core_.on_client(unread_, now_);
            FUZZ_CHECK(step.forward + step.drop <= unread_.size());
            const auto forwarded = unread_.begin() + static_cast<std::ptrdiff_t>(step.forward);
            to_server.insert(to_server.end(), unread_.begin(), forwarded);
            unread_.erase(unread_.begin(), forwarded + static_cast<std::ptrdiff_t>(step.drop));
            take();
            next_ = step.next;
            if (next_ == core_next::more) FUZZ_CHECK(unread_.empty());
            FUZZ_CHECK((next_ == core_next::held) == core_.relay().held());
            // What the login did not take is for the commands behind it.
            const bool goes_on =
                next_ == core_next::stalled && step.forward + step.drop != 0 && core_.phase() == core_phase::commands;
            if (!goes_on) return;
        }
    }

    void from_server(const byte_buffer& bytes) {
        for (const auto piece : pieces_of(bytes)) {
            byte_buffer rest(piece.begin(), piece.end());
            while (!rest.empty() && core_.phase() != core_phase::ended) {
                const auto step = core_.on_server(rest, now_);
                FUZZ_CHECK(step.forward + step.drop <= rest.size());
                FUZZ_CHECK(step.forward + step.drop > 0);
                const auto forwarded = rest.begin() + static_cast<std::ptrdiff_t>(step.forward);
                to_client.insert(to_client.end(), rest.begin(), forwarded);
                rest.erase(rest.begin(), forwarded + static_cast<std::ptrdiff_t>(step.drop));
                if (core_.refused_file()) passed_to_client = to_client.size();
                take();
                if (step.next == core_next::more) FUZZ_CHECK(rest.empty());
                if (step.next == core_next::ended && step.drop != 0 && core_.relay().capabilities() != 0)
                    refused = true;
            }
        }
        if (next_ == core_next::stalled || next_ == core_next::partial) look();
    }

    void take() {
        const auto move = [](byte_buffer& from, byte_buffer& to) {
            to.insert(to.end(), from.begin(), from.end());
            from.clear();
        };
        move(core_.to_client(), to_client);
        move(core_.to_server(), to_server);
    }

    void check_gate() {
        const auto& seat = core_.relay();
        FUZZ_CHECK((seat.in_use() & ~shard_.watched()) == 0);
        for (unsigned slot = 0; slot < 3; ++slot) {
            FUZZ_CHECK(shard_.in_use_count(slot) == ((seat.in_use() & slot_bit(slot)) != 0 ? 1U : 0U));
        }
        FUZZ_CHECK(shard_.held_now() == (seat.held() ? 1U : 0U));
        touch(seat.view().statement);
        static_cast<void>(shard_.take_drained());
    }

    fuzz_input in_;
    bool whole_;
    gate_shard shard_{{}};
    session_core core_{shard_, {a_key(), 65536}, {true, 1024}};
    capability_flags capabilities_ = 0;
    time_point now_{};
    byte_buffer unread_;
    core_next next_ = core_next::more;
    std::uint32_t seed_ = 7;
};

void run(fuzz_input in) {
    session_owner whole(in, true);
    whole.play();
    session_owner in_pieces(in, false);
    in_pieces.play();
    // An error takes the place of a packet of which nothing has passed yet: that depends on the pieces.
    for (auto* one : {&whole, &in_pieces}) {
        if (one->passed_to_client) one->to_client.resize(*one->passed_to_client);
    }
    FUZZ_CHECK(whole.phase() == in_pieces.phase());
    FUZZ_CHECK(whole.to_server == in_pieces.to_server);
    // Of a packet that must not pass, a header that came alone has passed.
    const auto slack = whole.refused ? protocol::frame_header_size : 0;
    FUZZ_CHECK(in_pieces.to_client.size() >= whole.to_client.size());
    FUZZ_CHECK(in_pieces.to_client.size() <= whole.to_client.size() + slack);
    FUZZ_CHECK(std::equal(whole.to_client.begin(), whole.to_client.end(), in_pieces.to_client.begin()));
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sluice::fuzz::run({data, size});
    return 0;
}
