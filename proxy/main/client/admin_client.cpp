#include "proxy/main/client/admin_client.hpp"

#include "admin/secret.hpp"
#include "proxy/main/endpoint_text.hpp"
#include "proxy/main/exit_codes.hpp"
#include "proxy/main/version.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>

namespace sluice {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace json = boost::json;
using boost::system::error_code;

constexpr std::chrono::seconds answer_limit{15};
constexpr std::size_t answer_bytes_max = 64 * 1024 * 1024;

std::optional<endpoint> parse_url(std::string_view url) {
    constexpr std::string_view scheme = "http://";
    if (!url.starts_with(scheme)) return std::nullopt;
    url.remove_prefix(scheme.size());
    if (url.ends_with('/')) url.remove_suffix(1);
    if (url.find('/') != std::string_view::npos) return std::nullopt;
    return parse_endpoint(url);
}

request_failure refused(unsigned status, const std::string& body) {
    request_failure failure{.exit_code = exit_code::failure, .status = status, .message = {}};
    error_code error;
    const json::value parsed = json::parse(body, error);
    const json::value* detail = !error && parsed.is_object() ? parsed.get_object().if_contains("detail") : nullptr;
    if (detail != nullptr && detail->is_string()) {
        failure.message = std::string(detail->get_string());
    } else {
        failure.message = "the admin port answered with HTTP status " + std::to_string(status);
    }
    if (status == 401) failure.message += "; give the file with the token by --token-file or SLUICE_TOKEN_FILE";
    return failure;
}

}  // namespace

struct admin_client::core {
    explicit core(endpoint where) : server(std::move(where)) {}

    endpoint server;
    std::optional<std::string> token;
    asio::io_context io{1};
    std::optional<beast::tcp_stream> stream;
    std::chrono::seconds patience = answer_limit;

    /// Beast's time limits hold for asynchronous operations only, so each one is started and waited for.
    template <class Start>
    error_code await(Start start) {
        error_code outcome = asio::error::would_block;
        stream->expires_after(patience);
        start([&outcome](error_code error, auto&&...) { outcome = error; });
        io.restart();
        io.run();
        return outcome;
    }

    error_code connect() {
        stream.emplace(io);
        asio::ip::tcp::resolver resolver(io);
        error_code error;
        const auto found = resolver.resolve(server.host, std::to_string(server.port), error);
        if (error) return error;
        return await([&](auto handler) { stream->async_connect(found, std::move(handler)); });
    }

    error_code exchange(http::request<http::string_body>& request, std::string& body, unsigned& status) {
        const error_code sent = await([&](auto handler) { http::async_write(*stream, request, std::move(handler)); });
        if (sent) return sent;
        beast::flat_buffer buffer;
        http::response_parser<http::string_body> parser;
        parser.body_limit(answer_bytes_max);
        const error_code read =
            await([&](auto handler) { http::async_read(*stream, buffer, parser, std::move(handler)); });
        if (read) return read;
        status = parser.get().result_int();
        body = std::move(parser.get().body());
        if (!parser.get().keep_alive()) stream.reset();
        return {};
    }

    reply<json::object> request(http::verb verb, const std::string& path, const std::string& content) {
        http::request<http::string_body> message{verb, path, 11};
        message.set(http::field::host, to_text(server));
        message.set(http::field::user_agent, "sluice/" + std::string(version()));
        if (token) message.set(http::field::authorization, "Bearer " + *token);
        if (!content.empty()) message.set(http::field::content_type, "application/json");
        message.body() = content;
        message.prepare_payload();

        std::string body;
        unsigned status = 0;
        // A kept connection may have been closed while it was idle. Only a request without effect may go out twice; one
        // that has an effect goes over a connection of its own.
        if (verb != http::verb::get) stream.reset();
        const bool fresh = !stream;
        error_code error = fresh ? connect() : error_code{};
        if (!error) error = exchange(message, body, status);
        if (error && !fresh) {
            error = connect();
            if (!error) error = exchange(message, body, status);
        }
        if (error) {
            stream.reset();
            return request_failure{.exit_code = exit_code::unreachable,
                                   .status = 0,
                                   .message = "cannot reach the admin port of Sluice at http://" + to_text(server) +
                                              ": " + error.message()};
        }
        if (status < 200 || status > 299) return refused(status, body);
        json::value parsed = json::parse(body, error);
        if (error || !parsed.is_object()) {
            return request_failure{.exit_code = exit_code::failure,
                                   .status = status,
                                   .message = "http://" + to_text(server) + " does not answer like Sluice"};
        }
        return std::move(parsed.as_object());
    }
};

admin_client::admin_client(std::unique_ptr<core> self) : self_(std::move(self)) {}
admin_client::~admin_client() = default;

reply<std::unique_ptr<admin_client>> admin_client::make(const admin_address& address) {
    const auto server = parse_url(address.url);
    if (!server) {
        return request_failure{.exit_code = exit_code::usage,
                               .status = 0,
                               .message = "--url must be http://host:port, not \"" + address.url + "\""};
    }
    auto self = std::make_unique<core>(*server);
    if (!address.token_file.empty()) {
        auto token = admin::read_secret_file(address.token_file);
        if (token.has_error()) {
            return request_failure{.exit_code = exit_code::usage, .status = 0, .message = token.error().message};
        }
        self->token = std::move(token).value();
    }
    return std::unique_ptr<admin_client>(new admin_client(std::move(self)));
}

reply<json::object> admin_client::get(const std::string& path) { return self_->request(http::verb::get, path, {}); }

reply<json::object> admin_client::post(const std::string& path, const std::string& body) {
    return self_->request(http::verb::post, path, body);
}

reply<json::object> admin_client::post(const std::string& path, const std::string& body,
                                       std::chrono::seconds patience) {
    self_->patience = patience;
    auto answer = self_->request(http::verb::post, path, body);
    self_->patience = answer_limit;
    return answer;
}

std::optional<std::string> migration_path(std::string_view id, std::string_view command) {
    const bool plain = !id.empty() && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    });
    if (!plain) return std::nullopt;
    std::string path = "/v1/migrations/" + std::string(id);
    if (!command.empty()) path += "/" + std::string(command);
    return path;
}

}  // namespace sluice
