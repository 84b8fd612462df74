#pragma once

// A request and its answer as values: the routes work on these, the HTTP server moves them over sockets.

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::admin {

struct http_request {
    std::string method;         ///< as sent: "GET", "POST", ...
    std::string target;         ///< path and, behind a question mark, the query
    std::string authorization;  ///< the header fields that a route looks at; empty when absent
    std::string content_type;
    std::string host;
    std::string origin;
    std::string body;
};

struct http_response {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers;  ///< besides content type and length
    std::string body;
    /// Not empty: all else is void, and the answer is what this gives. It may take seconds: the server calls it on
    /// another thread, one after another, and answers other requests meanwhile. What it refers to must outlive the
    /// server.
    std::function<http_response()> work{};
};

}  // namespace sluice::admin
