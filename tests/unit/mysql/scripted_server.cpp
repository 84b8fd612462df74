#include "tests/unit/mysql/scripted_server.hpp"

#include "protocol/message/handshake.hpp"
#include "protocol/message/ok.hpp"
#include "protocol/wire/frame.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace sluice::test {

using namespace protocol;

namespace {

constexpr capability_flags capabilities = capability::protocol_41 | capability::secure_connection |
                                          capability::plugin_auth | capability::transactions |
                                          capability::deprecate_eof;

}  // namespace

void scripted_connection::send_raw(byte_view bytes) {
    while (!bytes.empty()) {
        const auto sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
}

void scripted_connection::send_packet(byte_view payload) {
    byte_buffer framed;
    sequence_ = append_framed(framed, payload, sequence_);
    send_raw(framed);
}

void scripted_connection::send_err(std::uint16_t code, const std::string& message) {
    byte_buffer payload;
    serialise(payload, err_packet{code, "HY000", message}, capabilities);
    send_packet(payload);
}

void scripted_connection::send_ok() {
    byte_buffer payload;
    serialise(payload, ok_packet{}, capabilities);
    send_packet(payload);
}

void scripted_connection::log_in() {
    server_greeting greeting;
    greeting.server_version = "9.7.0-scripted";
    greeting.connection_id = 5;
    greeting.capabilities = capabilities;
    greeting.auth_data = std::string("abcdefghijklmnopqrst") + '\0';
    greeting.auth_plugin = "mysql_native_password";
    byte_buffer payload;
    serialise(payload, greeting);
    send_packet(payload);
    (void)read_packet();
    send_ok();
}

byte_buffer scripted_connection::read_packet() {
    packet_assembler packet(1 << 20);
    std::byte one{};
    while (!packet.complete()) {
        if (recv(socket_, &one, 1, 0) <= 0) return {};
        if (packet.feed({&one, 1}).has_error()) throw std::runtime_error("the client broke the framing");
    }
    sequence_ = static_cast<std::uint8_t>(packet.last_sequence() + 1);
    return {packet.payload().begin(), packet.payload().end()};
}

void scripted_connection::serve_until_dump() {
    log_in();
    for (int i = 0; i < 2; ++i) {
        statements.push_back(to_string(byte_view(read_packet())));
        send_ok();
    }
    dump_command = read_packet();
}

void scripted_connection::wait_for_close() {
    std::byte sink[64];
    while (recv(socket_, sink, sizeof sink, 0) > 0) {
    }
}

scripted_server::scripted_server(std::function<void(scripted_connection&)> script) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&here), size) != 0 || listen(listener_, 1) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size) != 0) {
        throw std::runtime_error("no socket to listen on");
    }
    port_ = ntohs(here.sin_port);
    thread_ = std::thread([this, script = std::move(script)] {
        const int accepted = accept(listener_, nullptr, nullptr);
        if (accepted < 0) return;
        const int on = 1;
        setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        scripted_connection connection(accepted);
        script(connection);
        close(accepted);
    });
}

void scripted_server::join() {
    if (thread_.joinable()) thread_.join();
}

scripted_server::~scripted_server() {
    shutdown(listener_, SHUT_RDWR);  // ends an accept() that nobody came for
    join();
    close(listener_);
}

}  // namespace sluice::test
