// Asking a URL by HEAD, with servers that answer, that do not, and that are not there.

#include "proxy/main/serve/throttle_adapters.hpp"
#include "migration/throttle/throttle_settings.hpp"
#include "tests/support/catch.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <string>
#include <thread>

using namespace sluice;
using namespace std::chrono_literals;

namespace {

namespace asio = boost::asio;

/// A port that takes connections; what is in the queue only is connected, and gets no answer.
struct listener {
    asio::io_context io;
    asio::ip::tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
    [[nodiscard]] std::string url() const {
        return "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/check";
    }
};

migration::outcome<unsigned> ask(const std::string& url, std::chrono::milliseconds timeout) {
    return throttle_ports_for({}).http->head(url, timeout);
}

}  // namespace

TEST_CASE("a URL is asked by HEAD, and its status is the answer", "[throttle]") {
    for (const unsigned status : {200U, 429U}) {
        listener server;
        std::string asked;
        std::thread serving([&] {
            auto socket = server.acceptor.accept();
            asio::read_until(socket, asio::dynamic_buffer(asked), "\r\n\r\n");
            asio::write(socket,
                        asio::buffer("HTTP/1.1 " + std::to_string(status) + " So\r\nContent-Length: 9\r\n\r\n"));
        });
        const auto answer = ask(server.url(), 1min);
        serving.join();
        REQUIRE(answer);
        CHECK(*answer == status);
        CHECK(asked.starts_with("HEAD /check HTTP/1.1\r\n"));
    }
}

TEST_CASE("one that never answers is given up after the time that is set, and no sooner", "[throttle]") {
    const listener server;
    for (const std::chrono::milliseconds timeout : {20ms, 2000ms}) {
        const auto begun = std::chrono::steady_clock::now();
        const auto answer = ask(server.url(), timeout);
        const auto took = std::chrono::steady_clock::now() - begun;
        REQUIRE(answer.has_error());
        CHECK(answer.error().code == "http_failed");
        CHECK(answer.error().message.find("timeout") != std::string::npos);
        CHECK(took >= timeout);
        CHECK(took < 30s);
    }
}

TEST_CASE("one that is not there, and what is no plain URL, fail at once", "[throttle]") {
    std::string url;
    {
        const listener gone;
        url = gone.url();
    }
    const auto begun = std::chrono::steady_clock::now();
    const auto refused = ask(url, 10min);
    REQUIRE(refused.has_error());
    CHECK(refused.error().message.find("refused") != std::string::npos);
    const auto wrong = ask("https://127.0.0.1/", 10min);
    REQUIRE(wrong.has_error());
    CHECK(wrong.error().message == "not an http:// URL: https://127.0.0.1/");
    CHECK(std::chrono::steady_clock::now() - begun < 5min);
}

TEST_CASE("each option of the URL becomes a setting of the throttle", "[throttle]") {
    migration::migration_options options;
    options.throttle_http = "http://h/";
    options.throttle_http_interval = 11ms;
    options.throttle_http_timeout = 22ms;
    options.throttle_http_ignore_errors = true;
    const migration::throttle_settings settings = throttle_settings_of(options);
    CHECK(settings.http_url == "http://h/");
    CHECK(settings.http_interval == 11ms);
    CHECK(settings.http_timeout == 22ms);
    CHECK(settings.ignore_http_errors);
    options.throttle_http_ignore_errors = false;
    CHECK_FALSE(throttle_settings_of(options).ignore_http_errors);
}
