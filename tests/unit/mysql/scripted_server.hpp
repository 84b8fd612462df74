#pragma once

// A server of a few lines on a socket of the loopback, for what no real server does on demand.

#include "protocol/message/err.hpp"
#include "protocol/wire/bytes.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace sluice::test {

/// One accepted connection, from the server's side. Calls do nothing once the client has gone.
class scripted_connection {
public:
    explicit scripted_connection(int socket) : socket_(socket) {}
    void send_raw(protocol::byte_view bytes);
    /// One packet with the next sequence id, in as many frames as it needs.
    void send_packet(protocol::byte_view payload);
    void send_err(std::uint16_t code, const std::string& message);
    void send_ok();
    /// Greeting, any answer, OK.
    void log_in();
    /// The payload of the next packet; empty when the client has gone.
    protocol::byte_buffer read_packet();
    /// What binlog_stream_source does before its stream begins: login, two SETs answered by OK, the dump command read.
    void serve_until_dump();
    void wait_for_close();

    std::vector<std::string> statements;  ///< of serve_until_dump()
    protocol::byte_buffer dump_command;

private:
    int socket_;
    std::uint8_t sequence_ = 0;
};

/// Accepts one connection and runs the script on it in a thread of its own. The connection closes when the script ends.
class scripted_server {
public:
    explicit scripted_server(std::function<void(scripted_connection&)> script);
    scripted_server(const scripted_server&) = delete;
    ~scripted_server();
    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// Waits until the script has ended.
    void join();

private:
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

}  // namespace sluice::test
