#include "proxy/main/serve/throttle_adapters.hpp"

#include "migration/mysql/mysql_executor.hpp"
#include "proxy/main/endpoint_text.hpp"
#include "proxy/main/version.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <optional>
#include <string_view>
#include <utility>

namespace sluice {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using migration::outcome;

// A replica that does not answer is to be noticed soon.
constexpr std::chrono::seconds replica_connect_limit{3};

class mysql_replicas final : public migration::replica_directory {
public:
    explicit mysql_replicas(migration::server_address like) : like_(std::move(like)) {}

    outcome<std::unique_ptr<migration::sql_session>> connect(const std::string& host, std::uint16_t port) override {
        migration::server_address address = like_;
        address.host = host;
        address.port = port;
        address.unix_socket.clear();
        const migration::mysql_executor_options options{.connect_limit = replica_connect_limit,
                                                        .read_limit = replica_connect_limit};
        return migration::mysql_executor(address, options).connect();
    }

private:
    const migration::server_address like_;
};

struct http_target {
    endpoint server;
    std::string path;
};

std::optional<http_target> parse_url(std::string_view url) {
    constexpr std::string_view scheme = "http://";
    constexpr std::uint16_t port_default = 80;
    if (!url.starts_with(scheme)) return std::nullopt;
    url.remove_prefix(scheme.size());
    const auto end = url.find_first_of("/?#");
    const std::string_view authority = url.substr(0, end);
    std::string path(end == std::string_view::npos ? "/" : url.substr(end, url.find('#') - end));
    if (path.empty() || path[0] != '/') path.insert(0, "/");
    if (authority.empty()) return std::nullopt;
    const bool bracketed = authority.starts_with('[');
    const bool has_port = authority.find(':', bracketed ? authority.find(']') : 0) != std::string_view::npos;
    const auto server =
        parse_endpoint(has_port ? std::string(authority) : std::string(authority) + ":" + std::to_string(port_default));
    if (!server) return std::nullopt;
    return http_target{*server, std::move(path)};
}

/// One request. Beast's time limits hold for asynchronous operations only, so each is started and waited for.
class head_request {
public:
    explicit head_request(std::chrono::milliseconds timeout)
        : until_(std::chrono::steady_clock::now() + timeout), stream_(io_) {}

    outcome<unsigned> send(const http_target& target) {
        asio::ip::tcp::resolver resolver(io_);
        asio::ip::tcp::resolver::results_type found;
        error_code error = await([&](auto handler) {
            resolver.async_resolve(target.server.host, std::to_string(target.server.port),
                                   [&found, handler](error_code failed, const auto& results) {
                                       found = results;
                                       handler(failed);
                                   });
        });
        if (!error) error = await([&](auto handler) { stream_.async_connect(found, handler); });
        if (error) return failed(target, error);
        http::request<http::empty_body> request{http::verb::head, target.path, 11};
        request.set(http::field::host, to_text(target.server));
        request.set(http::field::user_agent, "sluice/" + std::string(version()));
        request.set(http::field::connection, "close");
        error = await([&](auto handler) { http::async_write(stream_, request, handler); });
        if (error) return failed(target, error);
        beast::flat_buffer buffer;
        http::response_parser<http::empty_body> parser;
        parser.skip(true);  // an answer to HEAD has no body, whatever its length says
        error = await([&](auto handler) { http::async_read_header(stream_, buffer, parser, handler); });
        if (error) return failed(target, error);
        return parser.get().result_int();
    }

private:
    template <class Start>
    error_code await(Start start) {
        error_code outcome = asio::error::would_block;
        stream_.expires_at(until_);
        start([&outcome](error_code error, auto&&...) { outcome = error; });
        io_.restart();
        io_.run_until(until_);
        // The name server keeps nobody waiting either; what is still under way ends with this object.
        return outcome == asio::error::would_block ? error_code(beast::error::timeout) : outcome;
    }

    static migration::failure failed(const http_target& target, error_code error) {
        return migration::refuse("http_failed", to_text(target.server) + ": " + error.message());
    }

    const std::chrono::steady_clock::time_point until_;
    asio::io_context io_{1};
    beast::tcp_stream stream_;
};

class beast_probe final : public migration::http_probe {
public:
    outcome<unsigned> head(const std::string& url, std::chrono::milliseconds timeout) override {
        const auto target = parse_url(url);
        if (!target) return migration::refuse("http_failed", "not an http:// URL: " + url);
        return head_request(timeout).send(*target);
    }
};

}  // namespace

migration::throttle_ports throttle_ports_for(const migration::server_address& like) {
    return {std::make_shared<mysql_replicas>(like), std::make_shared<beast_probe>(), nullptr};
}

}  // namespace sluice
