#pragma once

// A client of which the test controls every byte: what is sent, in which pieces, with which sequence ids; and which
// sees every packet as it came. Blocking, with a limit on every wait.

#include "protocol/message/client_handshake.hpp"
#include "protocol/message/command.hpp"
#include "protocol/wire/bytes.hpp"
#include "protocol/wire/frame.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::test {

/// The peer did not do what was waited for: silence, a closed connection, a packet that cannot be read.
class raw_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// One reply to a command, in the order of the packets. Values are text, whatever the protocol's form.
struct raw_result {
    bool is_ok = false;          ///< an OK, or a result set that came to its end
    protocol::err_packet error;  ///< set when not is_ok
    std::vector<std::string> columns;
    std::vector<std::vector<std::optional<std::string>>> rows;
    std::uint64_t affected_rows = 0;
    std::uint64_t last_insert_id = 0;
    protocol::status_flags status = 0;
    std::uint16_t warnings = 0;
    std::string info;
};

class raw_client {
public:
    using duration = std::chrono::milliseconds;

    /// Connects (TCP only; nothing is read). `limit` bounds every later wait too. Throws raw_error.
    explicit raw_client(std::uint16_t port, duration limit = std::chrono::seconds(10));
    /// Takes over a socket that is connected, of whatever kind.
    [[nodiscard]] static raw_client adopt(int connected, duration limit = std::chrono::seconds(10));
    raw_client(raw_client&&) noexcept;
    raw_client& operator=(raw_client&&) noexcept;
    ~raw_client();

    // Bytes.
    void send_bytes(protocol::byte_view bytes);
    void send_bytes(std::string_view bytes) { send_bytes(protocol::as_bytes(bytes)); }
    /// Exactly `size` bytes. Throws raw_error when the peer is silent too long or closes.
    [[nodiscard]] protocol::byte_buffer receive_bytes(std::size_t size);
    /// True when the peer closes (or resets) within the limit; what it sends before that is thrown away.
    [[nodiscard]] bool closed_by_peer();
    /// True when the peer has nothing to say for this long. A byte that comes is not lost.
    [[nodiscard]] bool silent_for(duration time);
    void close_sending();  ///< TCP half-close
    void close();          ///< orderly
    void reset();          ///< RST instead of FIN
    /// Size of the kernel's receive buffer: small, to be a slow reader. Takes effect on what has not yet arrived.
    void set_receive_buffer(int bytes);
    [[nodiscard]] int descriptor() const { return socket_; }
    [[nodiscard]] std::uint16_t local_port() const;

    // Packets.
    struct packet {
        protocol::byte_buffer payload;
        std::uint8_t sequence = 0;  ///< of its last frame
        [[nodiscard]] std::uint8_t first_byte() const {
            return payload.empty() ? 0 : std::to_integer<std::uint8_t>(payload[0]);
        }
        [[nodiscard]] std::string text() const { return protocol::to_string(payload); }
    };
    void send_packet(protocol::byte_view payload, std::uint8_t sequence = 0);
    void send_packet(std::string_view payload, std::uint8_t sequence = 0) {
        send_packet(protocol::as_bytes(payload), sequence);
    }
    /// Sequence ids are not checked: look at packet::sequence.
    [[nodiscard]] packet receive_packet();

    // The connection phase. What login() does step by step is protocol/message/client_handshake.hpp.
    /// Logs in; nothing when it worked, else the reason. Plugins: native password, caching_sha2 (fast, full under RSA).
    [[nodiscard]] std::optional<protocol::login_failure> try_login(const protocol::client_login& login);
    /// The same; throws raw_error with the reason.
    void login(const protocol::client_login& login);
    void login(std::string user, std::string password, std::string schema = "");
    [[nodiscard]] const protocol::server_greeting& greeting() const { return greeting_; }
    [[nodiscard]] protocol::capability_flags capabilities() const { return capabilities_; }

    // Commands.
    /// Sends only; replies are read by the functions below, so commands can be pipelined.
    void send_command(protocol::command kind, std::string_view body = "");
    void send_command(protocol::command kind, protocol::byte_view body);
    /// Reads one result of COM_QUERY, or a reply that is one OK or ERR packet. A LOCAL INFILE request throws raw_error.
    [[nodiscard]] raw_result receive_result();
    /// Reads results until none says that more follow.
    [[nodiscard]] std::vector<raw_result> receive_results();
    /// COM_QUERY and its only (or first) result; all results are read.
    [[nodiscard]] raw_result query(std::string_view statement);

private:
    raw_client(duration limit, int connected) : socket_(connected), limit_(limit) {}
    void wait_readable(const char* what);
    [[nodiscard]] bool refill(const char* what);  ///< false: the peer has closed

    int socket_ = -1;
    duration limit_;
    protocol::byte_buffer buffer_;  ///< received, not yet looked at
    protocol::server_greeting greeting_;
    protocol::capability_flags capabilities_ = 0;
};

}  // namespace sluice::test
