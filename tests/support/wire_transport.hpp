#pragma once

// A client's connection with everything that may lie between the socket and the packets: TLS (OpenSSL), compression,
// and delivery in pieces. Blocking, with a limit on every wait. One thread.

#include "tests/support/wire_compression.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::test::wire {

/// How certainly the pieces that went into this process were read one by one.
struct piece_count {
    std::uint64_t sent = 0;
    std::uint64_t seen_read = 0;  ///< the reader had emptied its socket before the next piece went
};

/// Sends in pieces of `size` bytes (0: as they come) on a socket whose other end belongs to this process, each one only
/// when the one before has been read; when the reader does not read (it waits for something else), it goes on after a
/// moment all the same. Throws closed.
class piecewise_sender {
public:
    explicit piecewise_sender(int socket) : socket_(socket) {}
    void set_piece_size(std::size_t size) noexcept { size_ = size; }
    void send(std::string_view bytes);
    [[nodiscard]] const piece_count& count() const noexcept { return count_; }

private:
    void send_all(std::string_view bytes);
    void wait_until_read();

    int socket_;
    int reader_ = -1;  // the other end's descriptor, only ever asked how much it has unread
    std::size_t size_ = 0;
    std::uint64_t sent_ = 0;  // bytes
    piece_count count_;
};

class transport {
public:
    /// Connects to 127.0.0.1. Throws error.
    explicit transport(std::uint16_t port, std::chrono::milliseconds limit = std::chrono::seconds(5));
    transport(const transport&) = delete;
    transport& operator=(const transport&) = delete;
    ~transport();

    void set_piece_size(std::size_t size) noexcept { sender_.set_piece_size(size); }
    [[nodiscard]] const piece_count& pieces() const noexcept { return sender_.count(); }

    /// The handshake, now. Certificates are not checked: what is compared is what travels inside. Throws error.
    void start_tls();
    [[nodiscard]] bool has_tls() const noexcept { return tls_ != nullptr; }
    void start_compression(compression kind) { compressor_.emplace(kind); }
    [[nodiscard]] const std::optional<compressor>& compressed() const noexcept { return compressor_; }

    /// Before the first packet of a command (compression counts its frames from there).
    void begin_command() noexcept {
        if (compressor_) compressor_->begin_command();
    }
    void send(std::string_view bytes);
    /// Appends at least one byte. Throws closed at the end, error when the peer is silent too long.
    void receive(std::string& to);
    /// No more will be sent.
    void close_sending();
    /// Size of the kernel's receive buffer, of what has not yet arrived: small, to be a slow reader.
    void set_receive_buffer(int bytes);

private:
    struct tls_state;
    void tls_flush();
    [[nodiscard]] std::string socket_receive();

    int socket_ = -1;
    std::chrono::milliseconds limit_;
    piecewise_sender sender_;
    std::unique_ptr<tls_state> tls_;
    std::optional<compressor> compressor_;
    std::string compressed_in_;
};

}  // namespace sluice::test::wire
