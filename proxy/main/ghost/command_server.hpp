#pragma once

// Takes interactive commands on a Unix-domain socket and a TCP port: one line per connection, then the answer, then the
// end. A thread of its own.

#include "protocol/result.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::ghost {

struct command_server_options {
    std::string socket_file;        ///< made here and removed at the end
    bool drop_socket_file = false;  ///< remove one that is there
    std::uint16_t tcp_port = 0;     ///< on all addresses, as gh-ost has it; 0: none
};

class command_server {
public:
    /// answer: called in the server's thread. The error names the socket or the port, and what to do.
    [[nodiscard]] static result<std::unique_ptr<command_server>, std::string> start(
        const command_server_options& options, std::function<std::string(std::string_view line)> answer);
    /// Ends connections under way, removes the socket file, waits for the thread.
    ~command_server();
    command_server(const command_server&) = delete;
    command_server& operator=(const command_server&) = delete;

private:
    struct core;
    explicit command_server(std::unique_ptr<core> self);
    std::unique_ptr<core> self_;
};

}  // namespace sluice::ghost
