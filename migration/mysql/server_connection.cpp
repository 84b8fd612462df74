#include "migration/mysql/server_connection.hpp"

#include "migration/mysql/server_failure.hpp"
#include "protocol/message/command.hpp"

#include <utility>

namespace sluice::migration {
namespace {

constexpr std::size_t read_size_bytes = 256 * 1024;
/// Nothing that a server says before the dump begins comes near this.
constexpr std::size_t login_packet_size_max = 1024 * 1024;

protocol::client_tls wanted_tls(tls_mode mode) {
    switch (mode) {
        case tls_mode::disabled: return protocol::client_tls::never;
        case tls_mode::preferred: return protocol::client_tls::if_offered;
        default: return protocol::client_tls::always;
    }
}

failure violation(const std::string& what) {
    return refuse("protocol_violation", "the server does not speak the protocol as expected: " + what);
}

server_message message_of(const protocol::err_packet& error) { return {error.code, error.sqlstate, error.message}; }

failure as_connect_failure(failure failed, const server_address& address) {
    if (failed.code == "stream_lost") {
        failed.code = "cannot_connect";
        failed.message = "no login at " + address.text() + ": " + failed.message;
    }
    return failed;
}

}  // namespace

server_connection::server_connection(std::unique_ptr<stream_socket> socket)
    : socket_(std::move(socket)),
      received_(read_size_bytes),
      packet_(login_packet_size_max),
      last_heard_(clock::now()) {}

outcome<std::unique_ptr<server_connection>> server_connection::open(const server_address& address,
                                                                    clock::time_point deadline) {
    SLUICE_TRY(auto socket, stream_socket::connect(address, deadline));
    std::unique_ptr<server_connection> opened(new server_connection(std::move(socket)));
    auto logged_in = opened->log_in(address, deadline);
    if (logged_in.has_error()) return as_connect_failure(std::move(logged_in).error(), address);
    return opened;
}

outcome<void> server_connection::log_in(const server_address& address, clock::time_point deadline) {
    protocol::client_login login;
    login.user = address.user;
    login.password = address.password;
    login.attributes = {{"program_name", "sluice"}};
    login.is_secure_transport = !address.unix_socket.empty();
    if (!login.is_secure_transport) login.tls = wanted_tls(address.tls.mode);
    protocol::client_handshake handshake(std::move(login));
    while (true) {
        SLUICE_TRY(const auto payload, expect_packet(deadline));
        const auto answer = handshake.on_packet(payload, packet_.last_sequence());
        if (handshake.state() == protocol::login_state::failed) {
            const auto& failed = handshake.failure();
            if (!failed.from_server && failed.error.code == 2027) return violation(failed.error.message);
            return login_failure_of(message_of(failed.error), address.text(), address.user);
        }
        SLUICE_TRY_VOID(send_answer(answer, deadline));
        if (handshake.state() == protocol::login_state::securing) {
            // What came in plain behind the greeting must not be taken for the server's words under TLS.
            if (!unread_.empty()) return violation("it speaks before the TLS handshake");
            SLUICE_TRY_VOID(socket_->secure(address, deadline));
            const auto response = handshake.on_secured();
            if (!response) return login_failure_of(message_of(handshake.failure().error), address.text(), address.user);
            SLUICE_TRY_VOID(send_answer(response, deadline));
        }
        if (handshake.state() == protocol::login_state::done) break;
    }
    capabilities_ = handshake.capabilities();
    return {};
}

outcome<void> server_connection::send_answer(const std::optional<protocol::client_handshake::outgoing>& answer,
                                             clock::time_point deadline) {
    if (!answer) return {};
    protocol::byte_buffer framed;
    protocol::append_framed(framed, answer->payload, answer->sequence);
    return socket_->send(framed, deadline);
}

outcome<void> server_connection::send_command(protocol::byte_view payload, clock::time_point deadline) {
    protocol::byte_buffer framed;
    protocol::append_framed(framed, payload, 0);
    packet_.expect_sequence(std::uint8_t{1});
    return socket_->send(framed, deadline);
}

outcome<void> server_connection::run(std::string_view sql, clock::time_point deadline) {
    protocol::byte_buffer command;
    protocol::serialise_query(command, sql, capabilities_);
    SLUICE_TRY_VOID(send_command(command, deadline));
    SLUICE_TRY(const auto payload, expect_packet(deadline));
    if (payload.empty()) return violation("an empty packet answers a statement");
    switch (std::to_integer<unsigned>(payload.front())) {
        case 0x00: return {};
        case 0xFF: {
            const auto error = protocol::parse_err(payload);
            if (error.has_error()) return violation(error.error().what);
            return statement_failure(message_of(*error), sql);
        }
        default: return violation("a statement without a result set is answered by one");
    }
}

outcome<protocol::byte_view> server_connection::expect_packet(clock::time_point deadline) {
    SLUICE_TRY(const auto packet, next_packet(deadline));
    if (packet) return *packet;
    auto late = refuse("stream_lost", "the server did not answer in time");
    late.then = disposition::retry;
    return late;
}

outcome<std::optional<protocol::byte_view>> server_connection::next_packet(clock::time_point deadline) {
    if (packet_.complete()) packet_.clear();
    while (true) {
        if (!unread_.empty()) {
            const auto consumed = packet_.feed(unread_);
            if (consumed.has_error()) {
                const auto& error = consumed.error();
                if (error.code == protocol::wire_errc::too_large) {
                    return refuse("event_too_large",
                                  std::string("the server sends more than is accepted: ") + error.what);
                }
                return violation(error.what);
            }
            unread_ = unread_.subspan(*consumed);
        }
        if (packet_.complete()) return std::optional(packet_.payload());
        if (!unread_.empty()) continue;
        SLUICE_TRY(const auto count, socket_->receive(received_, deadline));
        if (count == 0) return std::optional<protocol::byte_view>();
        last_heard_ = clock::now();
        unread_ = protocol::byte_view(received_).first(count);
    }
}

}  // namespace sluice::migration
