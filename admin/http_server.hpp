#pragma once

// A small HTTP/1.1 server on one thread of its own: keep-alive, limits on size, time and number of connections. It
// knows no routes; every whole request goes to one function.

#include "admin/http_message.hpp"
#include "admin/refusal.hpp"
#include "protocol/result.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::admin {

struct http_server_options {
    std::string address = "127.0.0.1";  ///< an IP address, or "localhost"
    std::uint16_t port = 0;             ///< 0: any free one
    bool allow_non_loopback = false;    ///< without it an address that other machines can reach is refused
    std::size_t connections_max = 64;   ///< further ones get 503
    std::size_t header_bytes_max = 16'384;
    std::size_t body_bytes_max = 131'072;
    std::chrono::milliseconds request_limit{10'000};  ///< from a request's first byte to the last byte of its answer
    std::chrono::milliseconds idle_limit{60'000};     ///< between two requests of a connection
};

class http_server {
public:
    using handler = std::function<http_response(const http_request&)>;

    /// Binds and listens, answering nobody yet. The error, for the operator, names the address: not loopback, in use,
    /// not of this machine.
    [[nodiscard]] static result<std::unique_ptr<http_server>, refusal> listen(http_server_options options);

    /// Starts the thread; `answer` runs on it (what it throws becomes a 500). Call once.
    void serve(handler answer);

    /// Closes every connection and joins the thread.
    ~http_server();
    http_server(const http_server&) = delete;
    http_server& operator=(const http_server&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept;

private:
    struct core;
    explicit http_server(std::unique_ptr<core> self);
    std::unique_ptr<core> self_;
};

/// "localhost", 127.0.0.0/8 or ::1.
[[nodiscard]] bool is_loopback_host(std::string_view host);

}  // namespace sluice::admin
