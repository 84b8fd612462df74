#include "admin/http_server.hpp"
#include "tests/support/catch.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace sluice;
using admin::http_request;
using admin::http_response;

/// A blocking client that sends what it is told, byte for byte. A silent server ends the test after 10 s.
class raw_http {
public:
    explicit raw_http(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        const ::timeval limit{10, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        ::sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::connect(socket_, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) == 0);
    }
    ~raw_http() { ::close(socket_); }
    raw_http(const raw_http&) = delete;
    raw_http& operator=(const raw_http&) = delete;

    void send(const std::string& text) const {
        REQUIRE(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<::ssize_t>(text.size()));
    }
    /// Up to and with `end`, or what came before the connection was closed.
    std::string read_until(const std::string& end) {
        while (text_.find(end) == std::string::npos) {
            char buffer[4096];
            const ::ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
            REQUIRE(got >= 0);
            if (got == 0) return std::exchange(text_, {});
            text_.append(buffer, static_cast<std::size_t>(got));
        }
        const auto length = text_.find(end) + end.size();
        const std::string head = text_.substr(0, length);
        text_.erase(0, length);
        return head;
    }
    /// All of it, until the server closes.
    std::string read_all() { return read_until(std::string("\0never\0", 7)); }

private:
    int socket_;
    std::string text_;
};

std::unique_ptr<admin::http_server> echo(admin::http_server_options options = {}) {
    auto server = admin::http_server::listen(std::move(options));
    REQUIRE(server);
    (*server)->serve([](const http_request& r) {
        if (r.target == "/throw") throw std::runtime_error("on purpose");
        return http_response{.status = 200,
                             .content_type = "text/plain",
                             .headers = {{"X-Seen", r.method + " " + r.target}},
                             .body = "<" + r.authorization + "|" + r.content_type + "|" + r.host + "|" + r.body + ">"};
    });
    return std::move(server).value();
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("requests reach the handler whole, one after the other on one connection", "[http_server]") {
    const auto server = echo();
    raw_http client(server->port());
    client.send(
        "POST /a?b=c HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer x\r\nContent-Type: t\r\nContent-Length: "
        "4\r\n\r\nbo");
    client.send("dy");
    const std::string first = client.read_until(">");
    CHECK(holds(first, "HTTP/1.1 200 "));
    CHECK(holds(first, "X-Seen: POST /a?b=c\r\n"));
    CHECK(holds(first, "Content-Type: text/plain\r\n"));
    CHECK(holds(first, "<Bearer x|t|here|body>"));
    // Two at once.
    client.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(holds(client.read_until(">"), "GET /1"));
    CHECK(holds(client.read_until(">"), "GET /2"));
    client.send("GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    const std::string last = client.read_all();
    CHECK(holds(last, "GET /3"));
    CHECK(holds(last, "Connection: close"));
}

TEST_CASE("HEAD has the length and not the body", "[http_server]") {
    const auto server = echo();
    raw_http client(server->port());
    client.send("HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    const std::string answer = client.read_all();
    CHECK(holds(answer, "Content-Length: 6\r\n"));
    CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE("a client that waits to be asked for the body is asked", "[http_server]") {
    const auto server = echo();
    raw_http client(server->port());
    client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ok");
    CHECK(holds(client.read_until(">"), "|ok>"));
}

TEST_CASE("what is too large or not HTTP is refused with the reason, and the connection ends", "[http_server]") {
    admin::http_server_options options;
    options.body_bytes_max = 1000;
    options.header_bytes_max = 2000;
    const auto server = echo(options);
    struct row {
        std::string sent;
        const char* status;
        const char* code;
    };
    const row rows[] = {
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n", "413", "body_too_large"},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n", "413", "body_too_large"},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + std::string(2000, 'x') +
             "\r\n0\r\n\r\n",
         "413", "body_too_large"},
        {"GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(3000, 'x') + "\r\n\r\n", "431", "header_too_large"},
        {"nonsense\r\n\r\n", "400", "invalid_http"},
        {std::string("\x4a\0\0\0\x0a", 5) + "8.0.30\r\n\r\n", "400", "invalid_http"},
    };
    for (const row& r : rows) {
        CAPTURE(r.sent.substr(0, 60));
        raw_http client(server->port());
        client.send(r.sent);
        const std::string answer = client.read_until("}");
        CHECK(answer.starts_with("HTTP/1.1 " + std::string(r.status)));
        CHECK(holds(answer, "application/problem+json"));
        CHECK(holds(answer, r.code));
    }
}

TEST_CASE("an answer that takes its time does not keep others waiting", "[http_server]") {
    std::promise<void> may_end;
    const auto wait = std::make_shared<std::shared_future<void>>(may_end.get_future().share());
    auto server = admin::http_server::listen({});
    REQUIRE(server);
    (*server)->serve([wait](const http_request& r) {
        http_response made;
        made.body = r.target;
        if (r.target == "/slow") {
            made.work = [wait] {
                wait->wait();
                return http_response{.status = 200, .content_type = "text/plain", .headers = {}, .body = "at last"};
            };
        }
        return made;
    });
    raw_http slow((*server)->port());
    slow.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
    raw_http quick((*server)->port());
    quick.send("GET /quick HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(quick.read_until("/quick").find("200 OK") != std::string::npos);
    may_end.set_value();
    CHECK(slow.read_until("at last").find("200 OK") != std::string::npos);
    // The connection goes on.
    slow.send("GET /again HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(slow.read_until("/again").find("200 OK") != std::string::npos);
}

TEST_CASE("a handler that throws costs an answer, not the server", "[http_server]") {
    const auto server = echo();
    raw_http client(server->port());
    client.send("GET /throw HTTP/1.1\r\nHost: h\r\n\r\n");
    const std::string answer = client.read_until("}");
    CHECK(answer.starts_with("HTTP/1.1 500"));
    CHECK_FALSE(holds(answer, "on purpose"));
    client.send("GET /fine HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(holds(client.read_until(">"), "GET /fine"));
}

TEST_CASE("silence and slowness are cut off", "[http_server]") {
    admin::http_server_options options;
    options.request_limit = std::chrono::milliseconds(50);
    options.idle_limit = std::chrono::milliseconds(50);
    const auto server = echo(options);
    raw_http silent(server->port());
    raw_http slow(server->port());
    slow.send("GET / HT");
    CHECK(silent.read_all().empty());
    CHECK(slow.read_all().empty());
}

TEST_CASE("beyond the limit of connections clients are told, and places become free again", "[http_server]") {
    admin::http_server_options options;
    options.connections_max = 2;
    const auto server = echo(options);
    {
        raw_http first(server->port());
        first.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
        CHECK(holds(first.read_until(">"), "GET /1"));
        raw_http second(server->port());
        second.send("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
        CHECK(holds(second.read_until(">"), "GET /2"));
        raw_http third(server->port());
        const std::string answer = third.read_until("}");
        CHECK(answer.starts_with("HTTP/1.1 503"));
        CHECK(holds(answer, "too_many_connections"));
    }
    // The server learns of the closed connections in its own time; each refusal before that is a whole answer.
    bool served = false;
    for (int attempt = 0; attempt < 100'000 && !served; ++attempt) {
        raw_http again(server->port());
        again.send("GET /4 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        served = holds(again.read_until("\r\n"), " 200 ");
    }
    CHECK(served);
}

TEST_CASE("an address that cannot be had is named with the reason", "[http_server]") {
    const auto server = echo();
    admin::http_server_options options;
    options.port = server->port();
    const auto twice = admin::http_server::listen(options);
    REQUIRE(twice.has_error());
    CHECK(holds(twice.error().message, "127.0.0.1:" + std::to_string(server->port())));
    CHECK(holds(twice.error().message, "another process has this port"));

    options = {};
    options.address = "0.0.0.0";
    const auto open = admin::http_server::listen(options);
    REQUIRE(open.has_error());
    CHECK(holds(open.error().message, "allow_non_loopback"));
    options.allow_non_loopback = true;
    CHECK(admin::http_server::listen(options).has_value());

    options.address = "db.example";
    const auto name = admin::http_server::listen(options);
    REQUIRE(name.has_error());
    CHECK(holds(name.error().message, "not an IP address"));
}

TEST_CASE("loopback is recognised by name and by address", "[http_server]") {
    for (const char* host : {"localhost", "127.0.0.1", "127.9.9.9", "::1"}) CHECK(admin::is_loopback_host(host));
    for (const char* host : {"", "0.0.0.0", "10.0.0.1", "::", "example.com", "localhost.example.com"}) {
        CHECK_FALSE(admin::is_loopback_host(host));
    }
}
