#pragma once

// The command line's way to a running Sluice: the HTTP API, one request at a time.

#include "protocol/result.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

inline constexpr std::string_view default_admin_url = "http://127.0.0.1:6034";

struct admin_address {
    std::string url = std::string(default_admin_url);  ///< http://host:port, nothing behind it
    std::string token_file;                            ///< empty: no token
};

/// Why a request brought no answer to go on with.
struct request_failure {
    int exit_code = 1;    ///< of exit_codes.hpp
    unsigned status = 0;  ///< HTTP status, 0 when there was none
    std::string message;  ///< for people, one line
};

template <class T>
using reply = result<T, request_failure>;

/// Blocking; belongs to one thread. Keeps its connection; a connection that the server has closed is opened again.
class admin_client {
public:
    /// Reads the token; connects only with the first request.
    [[nodiscard]] static reply<std::unique_ptr<admin_client>> make(const admin_address& address);
    ~admin_client();
    admin_client(const admin_client&) = delete;
    admin_client& operator=(const admin_client&) = delete;

    /// The body of a 2xx answer. Everything else is a failure with the `detail` that the server gave.
    reply<boost::json::object> get(const std::string& path);
    reply<boost::json::object> post(const std::string& path, const std::string& body);
    /// For what the server needs time to answer. Other requests wait for 15 s.
    reply<boost::json::object> post(const std::string& path, const std::string& body, std::chrono::seconds patience);

private:
    struct core;
    explicit admin_client(std::unique_ptr<core> self);
    std::unique_ptr<core> self_;
};

/// /v1/migrations/{id}[/{command}], or nothing when `id` cannot be one (letters and digits only).
[[nodiscard]] std::optional<std::string> migration_path(std::string_view id, std::string_view command = {});

}  // namespace sluice
