#pragma once

// The I/O of one session: two sockets, at most one borrowed buffer per direction, and the pure session in between that
// says what goes where. Lives on one I/O thread, in plain completion handlers.
//
// One read and one vectored write per wake-up. Nothing more is read from a side until what it sent before has been
// written to the other, so a slow reader stops the writer; a side that is silent owns no buffer.
// An exception in a session ends that session only.

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "proxy/net/buffer_pool.hpp"
#include "proxy/net/channel.hpp"
#include "proxy/net/io_thread.hpp"
#include "proxy/net/socket_address.hpp"
#include "proxy/net/upstream.hpp"
#include "proxy/session/session_core.hpp"

namespace sluice::proxy {

class session_driver : public std::enable_shared_from_this<session_driver> {
public:
    session_driver(io_thread& home, stream_socket client, std::uint64_t ticket);
    session_driver(const session_driver&) = delete;
    session_driver& operator=(const session_driver&) = delete;
    ~session_driver();

    void start();
    /// The gate lets its statement go.
    void on_released();
    /// The proxy is being stopped: end as soon as nothing is under way.
    void on_draining();
    /// Ends it now. Harmless when it has ended.
    void close(const char* reason);

    [[nodiscard]] session_view view() const;
    [[nodiscard]] std::optional<session::time_point> waiting_since() const { return core_.relay().waiting_since(); }

private:
    using error_code = boost::system::error_code;

    enum class side : std::uint8_t { client, server };
    [[nodiscard]] static side other(side which) noexcept { return which == side::client ? side::server : side::client; }

    /// One end: what has been read from it, and what of Sluice's own making is to be written to it.
    struct peer {
        explicit peer(stream_socket taken) : stream(std::move(taken)) {}

        channel stream;
        bool is_open = false;
        bool at_end = false;      // it will send no more
        bool read_waits = false;  // an async_wait is out
        bool write_waits = false;
        bool blocked = false;   // it takes no more at the moment
        bool fresh = false;     // its unread bytes are to be looked at (again)
        bool securing = false;  // its TLS handshake runs: nothing else is read or written
        handshake_step handshake = handshake_step::wants_read;
        std::unique_ptr<buffer_pool::block> buffer;
        std::size_t begin = 0;  // of the unread bytes in buffer
        std::size_t end = 0;
        std::size_t approved = 0;  // so many of them are to be written to the other side
        std::size_t drop = 0;      // and so many behind them to be forgotten
        session::core_next next = session::core_next::more;
        protocol::byte_buffer own;
        std::size_t own_sent = 0;

        [[nodiscard]] bool has_unread() const noexcept { return begin != end; }
        [[nodiscard]] bool has_own() const noexcept { return own_sent != own.size() || stream.has_unsent(); }
    };
    [[nodiscard]] peer& at(side which) noexcept { return which == side::client ? client_ : server_; }

    static constexpr std::chrono::milliseconds hangup_check_interval{20};
    enum class limit : std::uint8_t { none, greeting, login, hangup_check, linger };

    // session_driver.cpp: the turn
    template <class Body>
    void guarded(Body&& body) noexcept {
        try {
            body();
        } catch (const std::exception& failure) {
            on_exception(failure);
        }
    }
    void on_exception(const std::exception& failure) noexcept;
    void turn();
    [[nodiscard]] bool look(side from);
    void take_own_bytes();
    void flush(side to);
    void settle();
    void arm();
    void wait_readable(side from);
    void wait_writable(side to);
    void on_readable(side from);
    void on_writable(side to);
    void read(side from);
    [[nodiscard]] bool wants_read(side from) noexcept;
    void ask_for_answer();
    void on_answer(const show_answer& answer);

    // session_entry.cpp: who the client is, and the way to the server
    void enter();
    void name_client();
    [[nodiscard]] bool look_at_header();
    void connect_server();
    void introduce_client();

    // session_tls.cpp: handshakes
    [[nodiscard]] bool look_at_tls();
    [[nodiscard]] bool begin_handshake(side with);
    void on_handshake_done(side with);
    void on_handshake_failed(side with);

    // session_compression.cpp
    void begin_compression();
    void begin_compression(side with, protocol::compression_algorithm algorithm, int zstd_level);
    void number_frames(side from, const session::turn_marks& marks);

    // session_life.cpp: beginning and end
    void on_connected(upstream_result outcome);
    void on_login_progress();
    void count_statements() noexcept;
    void note_unreachable() noexcept;
    void fail_login(std::uint16_t number, const char* sql_state, std::string message);
    void begin_ending();
    void shut_down(side which);
    void close_side(side which);
    void leave_login_count();
    void on_client_end();
    [[nodiscard]] bool client_has_gone() noexcept;
    void set_limit(limit kind, std::chrono::milliseconds after);
    void on_limit();
    [[nodiscard]] bool quiet() const noexcept;

    io_thread& home_;
    std::uint64_t ticket_;
    protocol::stream_address origin_;   // the client's own, as far as that is known
    protocol::stream_address reached_;  // the address that it connected to
    bool on_unix_socket_;               // the connection, whatever a PROXY header says of its client's
    std::string client_address_;        // origin_, for people
    peer client_;
    peer server_;
    session::session_core core_;
    std::unique_ptr<session::frame_sequence> sequence_;  // only if a side is compressed
    boost::asio::steady_timer timer_;
    limit limit_ = limit::none;
    std::shared_ptr<upstream_attempt> upstream_;
    std::chrono::steady_clock::time_point accepted_at_;
    std::uint64_t statements_counted_ = 0;
    bool header_due_ = false;  // the client's first bytes are a PROXY header
    bool in_login_count_ = true;
    bool unreachable_ = false;  // the server, for this session
    bool in_turn_ = false;
    bool ending_ = false;          // flush what is there, then hang up
    bool server_is_told_ = false;  // of a login given up, see session_core::abandon_login()
    bool client_shut_ = false;
    bool server_shut_ = false;
    bool hangup_unseen_ = false;  // a held client has sent more: its end cannot be waited for
    bool ended_ = false;
};

}  // namespace sluice::proxy
