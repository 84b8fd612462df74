// Logins through the proxy: every plugin, cold and warm caches, refusals, and what is no login at all.

#include "tests/integration/proxy_fixture.hpp"

namespace sluice::test {
namespace {

using protocol::client_login;
namespace capability = protocol::capability;

client_login login_as(const std::string& user, const std::string& password) {
    client_login login;
    login.user = user;
    login.password = password;
    return login;
}

TEST_CASE("an application logs in through the proxy on every server") {
    for (const auto kind : every_server) {
        INFO(throwaway::to_string(kind));
        const proxy_under_test proxied(kind);
        auto app = proxied.connection();
        CHECK(app.scalar("SELECT CURRENT_USER()") == "app@%");
        CHECK(app.scalar("SELECT DATABASE()") == "test");
        CHECK(app.scalar("SELECT CONNECTION_ID()") == std::to_string(app.connection_id()));
    }
}

}  // namespace
}  // namespace sluice::test
