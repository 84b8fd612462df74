#pragma once

// The proxy as a whole: a listener, N I/O threads, one server connection per client connection, and the gates.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "protocol/result.hpp"
#include "proxy/net/gate_control.hpp"
#include "proxy/net/show_answer.hpp"
#include "proxy/net/tls_certificate.hpp"
#include "proxy/net/tls_settings.hpp"
#include "proxy/session/compression_choice.hpp"

namespace sluice::proxy {

/// Where clients connect.
struct listen_endpoint {
    std::string address = "127.0.0.1";  ///< "0.0.0.0": all of IPv4; "::": all of both versions, as servers take it
    std::uint16_t port = 0;             ///< 0: any free one, see proxy_server::port()
    std::string unix_path;              ///< not empty: a Unix socket, and no address and port; at most 107 bytes
};

class statement_timing;

/// The addresses of a name; none when there is no such name.
using host_lookup = std::function<std::vector<std::string>(const std::string& host)>;

struct proxy_options {
    std::vector<listen_endpoint> listen{listen_endpoint{}};  ///< at least one; all are opened, or none
    unsigned listen_unix_mode = 0777;                        ///< permissions of Unix sockets' files
    /// Connections from these begin with a PROXY header, and are believed (see trusted_networks.hpp).
    std::vector<std::string> proxy_protocol_networks;

    std::string server_host = "127.0.0.1";  ///< a name or an address; looked up for every connection, all are tried
    std::uint16_t server_port = 3306;
    std::string server_socket;                 ///< not empty: the server's Unix socket, and no host and port
    std::chrono::milliseconds server_wait{0};  ///< how long connecting to a server that is down is tried again
    bool server_proxy_protocol = false;        ///< begin connections to the server with a PROXY header (version 2)
    /// Tell the server the client's address by the connection attributes _client_ip and _client_port.
    bool server_client_attributes = true;
    /// In the place of the system's look-up, for tests. Called on I/O threads; must not wait.
    host_lookup lookup;

    session::compression_rules compression{.offers_zlib = true, .offers_zstd = true};
    tls_settings tls;
    std::filesystem::path rsa_key_file;         ///< private key in PEM, 2048 bits and more; empty: a new one each time
    std::filesystem::path rsa_public_key_file;  ///< where its public half is written for clients; empty: nowhere

    unsigned io_threads = 2;                         ///< 1 .. 256
    std::size_t connections_max = 4096;              ///< beyond: error 1040
    std::size_t unauthenticated_max = 512;           ///< connections that have not logged in yet; beyond: error 1040
    std::chrono::milliseconds connect_limit{5'000};  ///< for each of the server's addresses, then to greet; else 1429
    std::chrono::milliseconds login_limit{10'000};   ///< for a PROXY header, then for a login; beyond: error 1159
    std::size_t login_packet_bytes_max = 65'536;     ///< of any packet before the login's end; 4096 .. 1 MiB

    std::size_t held_statements_max = 10'000;              ///< per I/O thread; beyond, statements pass the closed gate
    std::size_t held_bytes_max = std::size_t{256} << 20U;  ///< per I/O thread, likewise
    std::size_t release_burst = 32;                        ///< held statements that go on at one wake-up of a thread

    /// SHOW MIGRATIONS and its kin, and the commands to migrations; the proxy answers SHOW PROXY STATUS and SESSIONS by
    /// itself. Empty: all of them go to the server like anything else.
    show_port answer_show;
    /// Who may give commands by SQL, see operator_list.hpp; everybody else is refused with error 1227.
    std::vector<std::string> operators;
};

struct start_error {
    std::string message;  ///< fit to be shown: "cannot listen on 127.0.0.1:3306: Address already in use"
};

/// Sums over all threads. Counters only grow, except where said.
struct proxy_statistics {
    std::uint64_t sessions = 0;             ///< now
    std::uint64_t sessions_in_login = 0;    ///< now
    std::uint64_t sessions_total = 0;       ///< accepted
    std::uint64_t connections_refused = 0;  ///< by a limit
    std::uint64_t server_unreachable = 0;   ///< connections that ended because the server could not be reached
    std::uint64_t logins_failed = 0;        ///< refused by the server, garbage, or out of time
    std::uint64_t statements = 0;           ///< commands sent on to the server
    std::uint64_t statements_held = 0;      ///< that waited at a closed gate
    std::uint64_t statements_held_now = 0;  ///< now
    std::uint64_t holds_overflowed = 0;     ///< let through a closed gate because of held_*_max
    std::uint64_t holds_interrupted = 0;    ///< killed while they waited, by KILL QUERY
    std::uint64_t release_turns = 0;        ///< of I/O threads in which held statements went on, a burst each
    std::uint64_t snapshots_refused = 0;    ///< answered with error 1412
    std::uint64_t statements_answered = 0;  ///< by Sluice itself
};

struct session_view {
    std::uint64_t connection_id = 0;  ///< the server's; 0 before its greeting
    std::string user;
    std::string client;  ///< address:port, from the PROXY header where there is one; "localhost": a Unix socket
    std::string schema;  ///< empty: none, or not known
    std::string state;   ///< "connecting", "login", "idle", "running", "held", "closing"
    bool in_transaction = false;
    std::uint64_t statements = 0;
    std::chrono::milliseconds age{0};  ///< since it was accepted
    std::string client_tls;            ///< "TLSv1.3"; empty: plain
    std::string server_tls;
};

/// The certificates that Sluice shows; all empty where it shows none.
struct tls_report {
    certificate_facts for_clients;
    certificate_facts for_server;
};

class proxy_server {
public:
    /// Listens, and starts the threads. Generates an RSA key (about 0.1 s) for logins by caching_sha2_password, unless
    /// it is given one.
    /// Does not ask whether the server is there: clients are told when it is not.
    [[nodiscard]] static result<std::unique_ptr<proxy_server>, start_error> start(proxy_options options);

    virtual ~proxy_server() = default;  ///< stop(0)

    /// The port of its first TCP endpoint; 0 when it has none.
    [[nodiscard]] virtual std::uint16_t port() const = 0;
    /// All that it listens on: "127.0.0.1:6033", "[::1]:6033", "unix:/run/sluice/mysql.sock". Stays good after stop().
    [[nodiscard]] virtual std::vector<std::string> endpoints() const = 0;

    /// Stops to listen, ends idle sessions, waits for the others to get out of their statements and transactions, for
    /// at most `grace`, then ends what is left, and the threads. Gates open first. Idempotent; not for I/O threads.
    virtual void stop(std::chrono::milliseconds grace) = 0;

    /// Thread-safe, and they stay good after stop(). sessions(), gates() and timing() are not for I/O threads of the
    /// proxy.
    [[nodiscard]] virtual gate_control& gates() = 0;
    [[nodiscard]] virtual proxy_statistics statistics() const = 0;
    [[nodiscard]] virtual std::vector<session_view> sessions() const = 0;
    [[nodiscard]] virtual statement_timing& timing() = 0;

    /// Reads the files of options.tls again: for new connections; those that are there go on as they are. When one of
    /// them is no good nothing changes. Thread-safe.
    [[nodiscard]] virtual result<tls_report, start_error> reload_tls() = 0;
};

}  // namespace sluice::proxy
