#include "admin/http_server.hpp"

#include "admin/problem.hpp"

#include <spdlog/spdlog.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <array>
#include <optional>
#include <thread>

namespace sluice::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";
// What is read and thrown away after a refusal, so that the client sees the answer and not a reset connection.
constexpr std::chrono::seconds linger_limit{1};
constexpr std::size_t linger_bytes_max = 4 * 1024 * 1024;

std::string text_of(boost::beast::string_view view) { return {view.data(), view.size()}; }

problem busy() {
    return {
        .status = 503, .code = "too_many_connections", .detail = "too many connections to the admin port", .field = {}};
}

problem unreadable(const error_code& error) {
    if (error == http::error::body_limit) {
        return {.status = 413,
                .code = "body_too_large",
                .detail = "the body is larger than this server takes",
                .field = {}};
    }
    if (error == http::error::header_limit) {
        return {.status = 431,
                .code = "header_too_large",
                .detail = "the header is larger than this server takes",
                .field = {}};
    }
    return {.status = 400, .code = "invalid_http", .detail = "not an HTTP request: " + error.message(), .field = {}};
}

bool is_http_error(const error_code& error) {
    return error.category() == make_error_code(http::error::body_limit).category() &&
           error != http::error::end_of_stream && error != http::error::partial_message;
}

/// One connection: wait for a request, read it, answer it, again. Lives in the handler of its one pending operation.
class connection : public std::enable_shared_from_this<connection> {
public:
    connection(tcp::socket&& socket, const http_server_options& options, const http_server::handler& answer,
               std::size_t& open_connections, asio::thread_pool& workers)
        : stream_(std::move(socket)),
          options_(options),
          answer_(answer),
          open_connections_(open_connections),
          workers_(workers) {
        ++open_connections_;
    }
    ~connection() { --open_connections_; }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    void serve() { await_request(); }

    void turn_away() {
        stream_.expires_after(linger_limit);
        write(to_response(busy()), false, false);
    }

private:
    void await_request() {
        if (buffer_.size() > 0) return read_header();
        stream_.expires_after(options_.idle_limit);
        stream_.async_read_some(buffer_.prepare(4096),
                                [self = shared_from_this()](error_code error, std::size_t bytes) {
                                    if (error) return;
                                    self->buffer_.commit(bytes);
                                    self->read_header();
                                });
    }

    void read_header() {
        parser_.emplace();
        parser_->header_limit(static_cast<std::uint32_t>(options_.header_bytes_max));
        parser_->body_limit(options_.body_bytes_max);
        stream_.expires_after(options_.request_limit);
        http::async_read_header(stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, std::size_t) {
            if (error) return self->refuse(error);
            if (beast::iequals(self->parser_->get()[http::field::expect], "100-continue")) {
                self->invite_body();
            } else {
                self->read_body();
            }
        });
    }

    void invite_body() {
        asio::async_write(stream_, asio::buffer(continue_line),
                          [self = shared_from_this()](error_code error, std::size_t) {
                              if (!error) self->read_body();
                          });
    }

    void read_body() {
        http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, std::size_t) {
            if (error) return self->refuse(error);
            self->answer();
        });
    }

    void refuse(const error_code& error) {
        if (is_http_error(error)) write(to_response(unreadable(error)), false, false);
    }

    void answer() {
        auto& message = parser_->get();
        http_request request{.method = text_of(message.method_string()),
                             .target = text_of(message.target()),
                             .authorization = text_of(message[http::field::authorization]),
                             .content_type = text_of(message[http::field::content_type]),
                             .host = text_of(message[http::field::host]),
                             .origin = text_of(message[http::field::origin]),
                             .body = std::move(message.body())};
        http_response response = guarded(request.method + " " + request.target, [&] { return answer_(request); });
        if (response.work) return answer_later(std::move(response.work), message.keep_alive());
        write(std::move(response), message.keep_alive(), request.method == "HEAD");
    }

    template <class Answer>
    static http_response guarded(const std::string& what, Answer answer) {
        try {
            return answer();
        } catch (const std::exception& e) {
            spdlog::error("admin: {}: {}", what, e.what());
            return to_response({.status = 500,
                                .code = "internal_error",
                                .detail = "an error inside Sluice; its log says more",
                                .field = {}});
        }
    }

    /// Only the io thread may let go of a connection, so the worker gives it back with the answer.
    void answer_later(std::function<http_response()> work, bool keep_alive) {
        stream_.expires_never();
        asio::post(workers_, [self = shared_from_this(), work = std::move(work), keep_alive]() mutable {
            http_response made = guarded("answering later", work);
            const auto executor = self->stream_.get_executor();
            asio::post(executor, [self = std::move(self), made = std::move(made), keep_alive]() mutable {
                self->stream_.expires_after(self->options_.request_limit);
                self->write(std::move(made), keep_alive, false);
            });
        });
    }

    void write(http_response response, bool keep_alive, bool head) {
        message_ = {};
        message_.version(11);
        message_.result(response.status);
        message_.set(http::field::server, "sluice");
        message_.set(http::field::cache_control, "no-store");
        message_.set(http::field::content_type, response.content_type);
        for (const auto& [name, value] : response.headers) message_.insert(name, value);
        message_.keep_alive(keep_alive);
        message_.content_length(response.body.size());
        if (!head) message_.body() = std::move(response.body);
        http::async_write(stream_, message_, [self = shared_from_this(), keep_alive](error_code error, std::size_t) {
            if (error) return;
            if (keep_alive) return self->await_request();
            error_code ignored;
            self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
            self->stream_.expires_after(linger_limit);
            self->linger(0);
        });
    }

    void linger(std::size_t discarded) {
        if (discarded > linger_bytes_max) return;
        stream_.async_read_some(asio::buffer(waste_),
                                [self = shared_from_this(), discarded](error_code error, std::size_t bytes) {
                                    if (!error) self->linger(discarded + bytes);
                                });
    }

    beast::tcp_stream stream_;
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    http::response<http::string_body> message_;
    std::array<char, 4096> waste_{};
    const http_server_options& options_;
    const http_server::handler& answer_;
    std::size_t& open_connections_;
    asio::thread_pool& workers_;
};

result<tcp::endpoint, refusal> endpoint_of(const http_server_options& options) {
    error_code error;
    const auto address = asio::ip::make_address(options.address == "localhost" ? "127.0.0.1" : options.address, error);
    if (error) return refusal{"admin: `" + options.address + "` is not an IP address to listen on"};
    if (!address.is_loopback() && !options.allow_non_loopback) {
        return refusal{"admin: " + options.address +
                       " can be reached from other machines; that needs allow_non_loopback = true"};
    }
    return tcp::endpoint(address, options.port);
}

}  // namespace

struct http_server::core {
    explicit core(http_server_options o) : options(std::move(o)) {}

    // Connections die with the handlers that io holds, so what they refer to stands before it.
    http_server_options options;
    handler answer;
    std::size_t open_connections = 0;
    asio::io_context io{1};
    tcp::acceptor acceptor{io};
    std::uint16_t bound_port = 0;
    asio::thread_pool workers{1};
    std::thread thread;

    [[nodiscard]] error_code listen(const tcp::endpoint& endpoint) {
        error_code error;
        acceptor.open(endpoint.protocol(), error);
        if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
        if (!error) acceptor.bind(endpoint, error);
        if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
        if (!error) bound_port = acceptor.local_endpoint(error).port();
        return error;
    }

    void accept() {
        acceptor.async_accept([this](error_code error, tcp::socket socket) {
            if (error == asio::error::operation_aborted) return;
            if (error) {
                spdlog::warn("admin: accept: {}", error.message());
                return accept_later();
            }
            take(std::move(socket));
            accept();
        });
    }

    // Out of file descriptors, as a rule: trying again at once would only burn the processor.
    void accept_later() {
        auto pause = std::make_shared<asio::steady_timer>(io, std::chrono::milliseconds(100));
        pause->async_wait([this, pause](error_code error) {
            if (!error) accept();
        });
    }

    void take(tcp::socket&& socket) {
        // Being told costs a connection too, so that has a limit as well.
        if (open_connections >= options.connections_max * 2) return;
        const bool turned_away = open_connections >= options.connections_max;
        auto fresh = std::make_shared<connection>(std::move(socket), options, answer, open_connections, workers);
        turned_away ? fresh->turn_away() : fresh->serve();
    }

    void run() {
        for (;;) {
            try {
                io.run();
                return;
            } catch (const std::exception& e) {
                spdlog::error("admin: {}", e.what());
            }
        }
    }
};

http_server::http_server(std::unique_ptr<core> self) : self_(std::move(self)) {}

http_server::~http_server() {
    self_->io.stop();
    if (self_->thread.joinable()) self_->thread.join();
    self_->workers.join();
}

result<std::unique_ptr<http_server>, refusal> http_server::listen(http_server_options options) {
    SLUICE_TRY(const tcp::endpoint endpoint, endpoint_of(options));
    auto self = std::make_unique<core>(std::move(options));
    if (const error_code error = self->listen(endpoint)) {
        return refusal{"admin: cannot listen on " + self->options.address + ":" + std::to_string(self->options.port) +
                       ": " + error.message() +
                       (error == asio::error::address_in_use ? " (another process has this port)" : "")};
    }
    return std::unique_ptr<http_server>(new http_server(std::move(self)));
}

void http_server::serve(handler answer) {
    SLUICE_ASSERT(!self_->thread.joinable());
    self_->answer = std::move(answer);
    self_->accept();
    self_->thread = std::thread([raw = self_.get()] { raw->run(); });
}

std::uint16_t http_server::port() const noexcept { return self_->bound_port; }

bool is_loopback_host(std::string_view host) {
    if (host == "localhost") return true;
    error_code error;
    const auto address = asio::ip::make_address(std::string(host), error);
    return !error && address.is_loopback();
}

}  // namespace sluice::admin
