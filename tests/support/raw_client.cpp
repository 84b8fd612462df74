#include "tests/support/raw_client.hpp"

#include "protocol/message/column.hpp"
#include "protocol/message/eof.hpp"
#include "protocol/message/ok.hpp"
#include "protocol/message/response.hpp"
#include "protocol/message/row.hpp"
#include "tests/support/loopback.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice::test {
namespace {

using std::chrono::steady_clock;

// Tests read large packets on purpose; a peer gone wild shall still not take all memory.
constexpr std::size_t packet_size_max = 256U << 20;

[[noreturn]] void fail(const std::string& what) { throw raw_error(what); }
[[noreturn]] void fail_system(const std::string& what) { fail(what + ": " + std::strerror(errno)); }

template <class T>
T must(protocol::wire_result<T> outcome) {
    if (!outcome.has_value()) fail(std::string(wire_errc_name(outcome.error().code)) + ": " + outcome.error().what);
    return std::move(outcome).value();
}

std::uint32_t first_frame_size(const raw_client::packet& packet) {
    return static_cast<std::uint32_t>(std::min<std::size_t>(packet.payload.size(), protocol::frame_payload_size_max));
}

}  // namespace

raw_client::raw_client(std::uint16_t port, duration limit) : limit_(limit) {
    socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0) fail_system("socket");
    const auto address = loopback(port);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const int error = errno;
        close();
        errno = error;
        fail_system("connecting to port " + std::to_string(port));
    }
    send_at_once(socket_);
}

raw_client raw_client::adopt(int connected, duration limit) { return raw_client(limit, connected); }

raw_client::raw_client(raw_client&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      limit_(other.limit_),
      buffer_(std::move(other.buffer_)),
      greeting_(std::move(other.greeting_)),
      capabilities_(other.capabilities_) {}

raw_client& raw_client::operator=(raw_client&& other) noexcept {
    std::swap(socket_, other.socket_);
    std::swap(limit_, other.limit_);
    std::swap(buffer_, other.buffer_);
    std::swap(greeting_, other.greeting_);
    std::swap(capabilities_, other.capabilities_);
    return *this;
}

raw_client::~raw_client() { close(); }

void raw_client::close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

void raw_client::close_sending() { shutdown(socket_, SHUT_WR); }

void raw_client::reset() {
    const linger at_once{1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
}

void raw_client::set_receive_buffer(int bytes) { setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes); }

std::uint16_t raw_client::local_port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0) fail_system("getsockname");
    return ntohs(address.sin_port);
}

void raw_client::send_bytes(protocol::byte_view bytes) {
    const auto end = steady_clock::now() + limit_;
    while (!bytes.empty()) {
        const auto left = std::chrono::duration_cast<duration>(end - steady_clock::now());
        pollfd writable{socket_, POLLOUT, 0};
        const int ready = left.count() <= 0 ? 0 : poll(&writable, 1, static_cast<int>(left.count()));
        if (ready == 0) fail("sending: the peer takes nothing for " + std::to_string(limit_.count()) + " ms");
        const auto sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) fail_system("sending");
        if (sent > 0) bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
}

void raw_client::wait_readable(const char* what) {
    pollfd readable{socket_, POLLIN, 0};
    const int ready = poll(&readable, 1, static_cast<int>(limit_.count()));
    if (ready < 0) fail_system(what);
    if (ready == 0) fail(std::string(what) + ": the peer is silent for " + std::to_string(limit_.count()) + " ms");
}

bool raw_client::refill(const char* what) {
    wait_readable(what);
    std::byte chunk[64 * 1024];
    const auto received = recv(socket_, chunk, sizeof chunk, 0);
    if (received < 0 && errno != ECONNRESET) fail_system(what);
    if (received <= 0) return false;
    buffer_.insert(buffer_.end(), chunk, chunk + received);
    return true;
}

protocol::byte_buffer raw_client::receive_bytes(std::size_t size) {
    while (buffer_.size() < size) {
        if (!refill("receiving")) fail("receiving: the peer has closed the connection");
    }
    const auto end = buffer_.begin() + static_cast<std::ptrdiff_t>(size);
    protocol::byte_buffer result(buffer_.begin(), end);
    buffer_.erase(buffer_.begin(), end);
    return result;
}

bool raw_client::closed_by_peer() {
    const auto end = steady_clock::now() + limit_;
    try {
        while (refill("waiting for the end")) {
            buffer_.clear();
            if (steady_clock::now() > end) return false;
        }
        return true;
    } catch (const raw_error&) {
        return false;
    }
}

bool raw_client::silent_for(duration time) {
    if (!buffer_.empty()) return false;
    pollfd readable{socket_, POLLIN, 0};
    return poll(&readable, 1, static_cast<int>(time.count())) == 0;
}

void raw_client::send_packet(protocol::byte_view payload, std::uint8_t sequence) {
    protocol::byte_buffer framed;
    protocol::append_framed(framed, payload, sequence);
    send_bytes(framed);
}

raw_client::packet raw_client::receive_packet() {
    protocol::packet_assembler assembler(packet_size_max);
    for (;;) {
        std::size_t used = 0;
        while (used < buffer_.size() && !assembler.complete()) {
            used += must(assembler.feed(protocol::byte_view(buffer_).subspan(used)));
        }
        buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(used));
        if (assembler.complete()) break;
        if (!refill("receiving a packet")) fail("receiving a packet: the peer has closed the connection");
    }
    packet result;
    result.payload.assign(assembler.payload().begin(), assembler.payload().end());
    result.sequence = assembler.last_sequence();
    return result;
}

std::optional<protocol::login_failure> raw_client::try_login(const protocol::client_login& login) {
    protocol::client_handshake handshake(login);
    while (handshake.state() == protocol::login_state::waiting) {
        const packet received = receive_packet();
        if (const auto reply = handshake.on_packet(received.payload, received.sequence)) {
            send_packet(reply->payload, reply->sequence);
        }
    }
    greeting_ = handshake.greeting();
    capabilities_ = handshake.capabilities();
    if (handshake.state() == protocol::login_state::failed) return handshake.failure();
    return std::nullopt;
}

void raw_client::login(const protocol::client_login& login) {
    if (const auto failure = try_login(login)) {
        fail("login refused: " + std::to_string(failure->error.code) + " " + failure->error.message);
    }
}

void raw_client::login(std::string user, std::string password, std::string schema) {
    protocol::client_login wanted;
    wanted.user = std::move(user);
    wanted.password = std::move(password);
    wanted.database = std::move(schema);
    login(wanted);
}

void raw_client::send_command(protocol::command kind, protocol::byte_view body) {
    protocol::byte_buffer payload{static_cast<std::byte>(kind)};
    payload.insert(payload.end(), body.begin(), body.end());
    send_packet(payload, 0);
}

void raw_client::send_command(protocol::command kind, std::string_view body) {
    send_command(kind, protocol::as_bytes(body));
}

raw_result raw_client::receive_result() {
    raw_result result;
    const auto take_ok = [&](const packet& from) {
        const auto ok = must(protocol::parse_ok(from.payload, capabilities_));
        result.is_ok = true;
        result.affected_rows = ok.affected_rows;
        result.last_insert_id = ok.last_insert_id;
        result.status = ok.status;
        result.warnings = ok.warnings;
        result.info = std::string(ok.info);
    };
    const auto take_eof = [&](const packet& from) {
        const auto eof = must(protocol::parse_eof(from.payload));
        result.is_ok = true;
        result.status = eof.status;
        result.warnings = eof.warnings;
    };
    const packet head = receive_packet();
    switch (must(protocol::classify_response_head(first_frame_size(head), head.first_byte()))) {
        case protocol::response_head::ok: take_ok(head); return result;
        case protocol::response_head::eof: take_eof(head); return result;
        case protocol::response_head::err: result.error = must(protocol::parse_err(head.payload)); return result;
        case protocol::response_head::local_infile: fail("a LOCAL INFILE request: " + head.text());
        case protocol::response_head::result_set: break;
    }
    const auto announced = must(protocol::parse_result_set_head(head.payload, capabilities_));
    if (announced.metadata_follows) {
        for (std::uint64_t i = 0; i < announced.column_count; ++i) {
            const packet definition = receive_packet();
            if (definition.first_byte() == 0xFF) {
                result.error = must(protocol::parse_err(definition.payload));
                return result;
            }
            result.columns.push_back(must(protocol::parse_column_definition(definition.payload, capabilities_)).name);
        }
        if (!protocol::has(capabilities_, protocol::capability::deprecate_eof)) take_eof(receive_packet());
    }
    for (;;) {
        const packet next = receive_packet();
        switch (must(protocol::classify_row_phase(first_frame_size(next), next.first_byte(), false, capabilities_))) {
            case protocol::row_phase::ok_terminator: take_ok(next); return result;
            case protocol::row_phase::eof: take_eof(next); return result;
            case protocol::row_phase::err:
                result.is_ok = false;
                result.error = must(protocol::parse_err(next.payload));
                return result;
            case protocol::row_phase::continuation:
            case protocol::row_phase::row: break;
        }
        auto& row = result.rows.emplace_back();
        for (const auto& value : must(protocol::parse_text_row(next.payload, announced.column_count))) {
            row.push_back(value ? std::optional(std::string(*value)) : std::nullopt);
        }
    }
}

std::vector<raw_result> raw_client::receive_results() {
    std::vector<raw_result> results;
    do {
        results.push_back(receive_result());
    } while (results.back().is_ok && (results.back().status & protocol::server_status::more_results_exist) != 0);
    return results;
}

raw_result raw_client::query(std::string_view statement) {
    // With query attributes the text is preceded by their count (none) and the number of their sets (one).
    const bool attributes = protocol::has(capabilities_, protocol::capability::query_attributes);
    send_command(protocol::command::query,
                 (attributes ? std::string("\x00\x01", 2) : std::string()) + std::string(statement));
    return std::move(receive_results().front());
}

}  // namespace sluice::test
