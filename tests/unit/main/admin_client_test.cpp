#include "proxy/main/client/admin_client.hpp"
#include "admin/http_server.hpp"
#include "proxy/main/exit_codes.hpp"
#include "tests/support/catch.hpp"

#include <boost/json/value.hpp>

#include <mutex>

namespace {

using namespace sluice;

/// A server with prepared answers that remembers the last request.
struct bench {
    explicit bench(std::chrono::milliseconds idle_limit = std::chrono::seconds(60)) {
        admin::http_server_options options;
        options.idle_limit = idle_limit;
        auto listening = admin::http_server::listen(options);
        REQUIRE(listening);
        server = std::move(listening).value();
        server->serve([this](const admin::http_request& request) {
            const std::lock_guard guard(mutex);
            last = request;
            return next;
        });
    }
    std::unique_ptr<admin_client> client(const std::string& token_file = {}) const {
        auto made =
            admin_client::make({.url = "http://127.0.0.1:" + std::to_string(server->port()), .token_file = token_file});
        REQUIRE(made);
        return std::move(made).value();
    }

    std::mutex mutex;
    admin::http_response next{.status = 200, .content_type = "application/json", .headers = {}, .body = R"({"a":1})"};
    admin::http_request last;
    std::unique_ptr<admin::http_server> server;
};

}  // namespace

TEST_CASE("requests go out whole and answers come back", "[admin_client]") {
    bench b;
    const auto client = b.client();
    const auto got = client->get("/v1/migrations");
    REQUIRE(got);
    CHECK(got->at("a") == 1);
    CHECK(b.last.method == "GET");
    CHECK(b.last.target == "/v1/migrations");
    CHECK(b.last.content_type.empty());
    CHECK(b.last.host == "127.0.0.1:" + std::to_string(b.server->port()));
    const auto posted = client->post("/v1/migrations", R"({"b":2})");
    REQUIRE(posted);
    CHECK(b.last.method == "POST");
    CHECK(b.last.body == R"({"b":2})");
    CHECK(b.last.content_type == "application/json");
}

TEST_CASE("a refusal is told in the server's words", "[admin_client]") {
    bench b;
    b.next = {.status = 409,
              .content_type = "application/problem+json",
              .headers = {},
              .body = R"({"status":409,"code":"already_running","detail":"shop.orders has one"})"};
    const auto refused = b.client()->post("/v1/migrations", "{}");
    REQUIRE(refused.has_error());
    CHECK(refused.error().status == 409);
    CHECK(refused.error().exit_code == exit_code::failure);
    CHECK(refused.error().message == "shop.orders has one");

    b.next.status = 401;
    const auto stranger = b.client()->get("/x");
    REQUIRE(stranger.has_error());
    CHECK(stranger.error().message.find("SLUICE_TOKEN_FILE") != std::string::npos);

    b.next = {.status = 502, .content_type = "text/html", .headers = {}, .body = "<html>"};
    const auto other = b.client()->get("/x");
    REQUIRE(other.has_error());
    CHECK(other.error().message.find("502") != std::string::npos);

    b.next.status = 200;
    const auto not_sluice = b.client()->get("/x");
    REQUIRE(not_sluice.has_error());
    CHECK(not_sluice.error().message.find("does not answer like Sluice") != std::string::npos);
}

TEST_CASE("a connection that the server closed meanwhile is opened again", "[admin_client]") {
    bench b(std::chrono::milliseconds(1));
    const auto client = b.client();
    // Whether the server was quicker each time or not: nobody may notice.
    for (int i = 0; i < 50; ++i) REQUIRE(client->get("/x"));
}

TEST_CASE("nobody there is exit code 3", "[admin_client]") {
    std::string url;
    {
        bench b;
        url = "http://127.0.0.1:" + std::to_string(b.server->port());
    }
    auto client = admin_client::make({.url = url, .token_file = {}});
    REQUIRE(client);
    const auto answer = (*client)->get("/x");
    REQUIRE(answer.has_error());
    CHECK(answer.error().exit_code == exit_code::unreachable);
    CHECK(answer.error().message.find(url) != std::string::npos);
    CHECK(answer.error().message.find("Connection refused") != std::string::npos);
}

TEST_CASE("a wrong URL and a missing token file are wrong usage", "[admin_client]") {
    for (const char* url : {"", "127.0.0.1:1", "https://127.0.0.1:1", "http://127.0.0.1", "http://127.0.0.1:1/v1"}) {
        CAPTURE(url);
        const auto made = admin_client::make({.url = url, .token_file = {}});
        REQUIRE(made.has_error());
        CHECK(made.error().exit_code == exit_code::usage);
    }
    const auto made = admin_client::make({.url = "http://127.0.0.1:1/", .token_file = "/nowhere/token"});
    REQUIRE(made.has_error());
    CHECK(made.error().exit_code == exit_code::usage);
    CHECK(made.error().message.find("/nowhere/token") != std::string::npos);
}

TEST_CASE("an id is letters and digits, so that it cannot lead elsewhere", "[admin_client]") {
    CHECK(migration_path("0123abcd") == "/v1/migrations/0123abcd");
    CHECK(migration_path("0123abcd", "cut-over") == "/v1/migrations/0123abcd/cut-over");
    for (const char* id : {"", "..", "a/b", "a?b", "a b", "a\r\nb", "a%2fb"}) {
        CAPTURE(id);
        CHECK_FALSE(migration_path(id));
    }
}
