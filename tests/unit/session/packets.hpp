#pragma once

// Packets as a server or a client would send them, for scripts.

#include "protocol/message/capabilities.hpp"
#include "protocol/message/command.hpp"
#include "protocol/message/eof.hpp"
#include "protocol/message/err.hpp"
#include "protocol/message/ok.hpp"
#include "protocol/message/prepared.hpp"
#include "protocol/message/session_track.hpp"
#include "protocol/wire/bytes.hpp"
#include "protocol/wire/frame.hpp"
#include "tests/support/catch.hpp"

#include <string>
#include <string_view>

namespace sluice::session {

using protocol::byte_buffer;
using protocol::byte_view;
using protocol::capability_flags;
using protocol::status_flags;
namespace capability = protocol::capability;
namespace server_status = protocol::server_status;

inline constexpr capability_flags modern =
    capability::protocol_41 | capability::plugin_auth | capability::secure_connection | capability::deprecate_eof |
    capability::session_track | capability::local_files | capability::multi_statements | capability::multi_results;
inline constexpr capability_flags classic = modern & ~(capability::deprecate_eof | capability::session_track);

inline byte_buffer framed(std::string_view payload, std::uint8_t sequence = 1) {
    byte_buffer out;
    protocol::append_framed(out, protocol::as_bytes(payload), sequence);
    return out;
}

/// Packets one after the other, with sequence ids that count up.
class script {
public:
    explicit script(capability_flags capabilities = modern, std::uint8_t sequence = 1)
        : capabilities_(capabilities), sequence_(sequence) {}

    script& raw(std::string_view payload) {
        sequence_ = protocol::append_framed(bytes_, protocol::as_bytes(payload), sequence_);
        return *this;
    }
    script& ok(status_flags status = server_status::autocommit, std::string_view session_state = "") {
        return write_ok(false, status, session_state);
    }
    script& eof(status_flags status = server_status::autocommit) {
        byte_buffer payload;
        protocol::serialise(payload, protocol::eof_packet{0, status});
        return raw(protocol::as_text(payload));
    }
    /// What ends rows under the capabilities.
    script& terminator(status_flags status = server_status::autocommit, std::string_view session_state = "") {
        if (!protocol::has(capabilities_, capability::deprecate_eof)) return eof(status);
        return write_ok(true, status, session_state);
    }
    script& err(std::uint16_t code = 1064) {
        byte_buffer payload;
        protocol::serialise(payload, protocol::err_packet{code, "42000", "no"}, capabilities_);
        return raw(protocol::as_text(payload));
    }
    script& columns(int count) {
        raw(std::string(1, static_cast<char>(count)));
        definitions(count);
        if (!protocol::has(capabilities_, capability::deprecate_eof)) eof();
        return *this;
    }
    script& definitions(int count) {
        for (int i = 0; i < count; ++i) raw(std::string("\x03") + "def and so on");
        return *this;
    }
    script& prepare_ok(std::uint32_t id, std::uint16_t columns, std::uint16_t parameters) {
        byte_buffer payload;
        protocol::serialise(payload, protocol::prepare_ok{id, columns, parameters, 0, std::nullopt});
        raw(protocol::as_text(payload));
        for (const auto count : {parameters, columns}) {
            if (count == 0) continue;
            definitions(count);
            if (!protocol::has(capabilities_, capability::deprecate_eof)) eof();
        }
        return *this;
    }
    [[nodiscard]] const byte_buffer& bytes() const { return bytes_; }
    operator byte_view() const { return bytes_; }

private:
    script& write_ok(bool is_terminator, status_flags status, std::string_view session_state) {
        protocol::ok_packet packet;
        packet.is_terminator = is_terminator;
        packet.status = status;
        if (!session_state.empty()) {
            packet.status |= server_status::session_state_changed;
            packet.session_state = session_state;
        }
        byte_buffer payload;
        protocol::serialise(payload, packet, capabilities_);
        return raw(protocol::as_text(payload));
    }

    capability_flags capabilities_;
    std::uint8_t sequence_;
    byte_buffer bytes_;
};

inline byte_buffer command_packet(protocol::command kind, std::string_view body = "") {
    return framed(static_cast<char>(kind) + std::string(body), 0);
}
inline byte_buffer query_packet(std::string_view text) { return command_packet(protocol::command::query, text); }

inline byte_buffer operator+(byte_buffer left, const byte_buffer& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

inline std::string schema_tracker(std::string_view schema) {
    byte_buffer state;
    protocol::append_tracked_text(state, protocol::session_track_type::schema, schema);
    return protocol::to_string(state);
}

}  // namespace sluice::session
