#include "protocol/auth/client_auth.hpp"

#include "protocol/auth/caching_sha2.hpp"
#include "protocol/auth/native_password.hpp"
#include "protocol/auth/rsa.hpp"
#include "tests/unit/wire/wire_support.hpp"

using namespace sluice::protocol;
using namespace sluice::protocol::test;

namespace {

const std::string first_scramble = "abcdefghijklmnopqrst";
const std::string second_scramble = "ABCDEFGHIJKLMNOPQRST";

byte_buffer switch_to(std::string_view plugin, std::string_view scramble) {
    return bytes_of(auth_switch_request{std::string(plugin), std::string(scramble) + '\0', false});
}

byte_buffer more(std::string_view data) { return bytes_of(auth_more_data{std::string(data)}); }

}  // namespace

TEST_CASE("the greeting's plugin is answered") {
    client_auth native("secret", false);
    CHECK(native.begin(native_password_plugin, first_scramble).value() ==
          native_password_response("secret", first_scramble).value());
    CHECK(native.plugin() == native_password_plugin);

    client_auth sha2("secret", false);
    CHECK(sha2.begin(caching_sha2_plugin, first_scramble).value() ==
          caching_sha2_response("secret", first_scramble).value());
    CHECK(sha2.plugin() == caching_sha2_plugin);

    client_auth unknown("secret", false);
    CHECK(unknown.begin("dialog", first_scramble).value().size() == 32);
    CHECK(unknown.plugin() == caching_sha2_plugin);
}

TEST_CASE("a scramble of a wrong size is refused") {
    client_auth auth("secret", false);
    CHECK(auth.begin(native_password_plugin, "short").error().code == wire_errc::malformed);
    CHECK(auth.begin(caching_sha2_plugin, "").error().code == wire_errc::malformed);
}

TEST_CASE("fast path: the server is satisfied") {
    client_auth auth("secret", false);
    REQUIRE(auth.begin(caching_sha2_plugin, first_scramble).has_value());
    CHECK(auth.on_packet(more("\x03")).value() == std::nullopt);
}

TEST_CASE("full authentication over a secure transport is in clear") {
    client_auth auth("secret", true);
    REQUIRE(auth.begin(caching_sha2_plugin, first_scramble).has_value());
    CHECK(auth.on_packet(more("\x04")).value() == std::string("secret\0", 7));
}

TEST_CASE("full authentication over a plain connection is under RSA") {
    const auto server = rsa_key_pair::generate().value();
    client_auth auth("secret", false);
    REQUIRE(auth.begin(caching_sha2_plugin, first_scramble).has_value());
    CHECK(auth.on_packet(more("\x04")).value() == std::string("\x02"));
    const auto answer = auth.on_packet(more(server.public_pem())).value();
    REQUIRE(answer.has_value());
    const auto masked = server.decrypt(*answer).value();
    CHECK(masked != std::string("secret\0", 7));
    CHECK(unmask_password(masked, first_scramble).value() == "secret");
    // The key is taken once.
    CHECK(auth.on_packet(more(server.public_pem())).error().code == wire_errc::malformed);
}

TEST_CASE("sha256_password sends the password in clear over a secure transport, else under RSA, and none as none") {
    client_auth secure("secret", true);
    CHECK(secure.begin("sha256_password", first_scramble).value() == std::string("secret\0", 7));
    client_auth empty("", false);
    CHECK(empty.begin("sha256_password", first_scramble).value() == std::string(1, '\0'));

    const auto server = rsa_key_pair::generate().value();
    client_auth plain("secret", false);
    REQUIRE(plain.begin(caching_sha2_plugin, first_scramble).has_value());
    CHECK(plain.on_packet(switch_to("sha256_password", second_scramble)).value() == std::string(1, '\x01'));
    const auto ciphertext = plain.on_packet(more(server.public_pem())).value();
    REQUIRE(ciphertext);
    CHECK(unmask_password(server.decrypt(*ciphertext).value(), second_scramble).value() == "secret");
}

TEST_CASE("a switch brings its own scramble, and forgets a key request") {
    client_auth auth("secret", false);
    REQUIRE(auth.begin(caching_sha2_plugin, first_scramble).has_value());
    REQUIRE(auth.on_packet(more("\x04")).value().has_value());
    CHECK(auth.on_packet(switch_to(native_password_plugin, second_scramble)).value() ==
          native_password_response("secret", second_scramble).value());
    CHECK(auth.plugin() == native_password_plugin);
    CHECK(auth.on_packet(more("\x03")).error().code == wire_errc::malformed);
    CHECK(auth.on_packet(switch_to(caching_sha2_plugin, first_scramble)).value() ==
          caching_sha2_response("secret", first_scramble).value());
    CHECK(auth.on_packet(more("\x03")).value() == std::nullopt);
}

TEST_CASE("an empty password is answered by an empty packet, not by silence") {
    client_auth auth("", false);
    CHECK(auth.begin(caching_sha2_plugin, first_scramble).value().empty());
    CHECK(auth.on_packet(switch_to(native_password_plugin, second_scramble)).value() == std::string());
}

TEST_CASE("a password in clear travels over a secure transport only") {
    client_auth plain("secret", false);
    REQUIRE(plain.begin(native_password_plugin, first_scramble).has_value());
    CHECK(plain.on_packet(switch_to(clear_password_plugin, "")).error().code == wire_errc::insecure);
    client_auth from_greeting("secret", false);
    CHECK(from_greeting.begin(clear_password_plugin, first_scramble).error().code == wire_errc::insecure);

    client_auth secure("secret", true);
    REQUIRE(secure.begin(native_password_plugin, first_scramble).has_value());
    CHECK(secure.on_packet(switch_to(clear_password_plugin, "")).value() == std::string("secret\0", 7));
}

TEST_CASE("what is refused") {
    struct row {
        const char* what;
        byte_buffer packet;
        wire_errc code;
    };
    const std::vector<row> rows = {
        {"empty", {}, wire_errc::truncated},
        {"unknown plugin", switch_to("dialog", first_scramble), wire_errc::unsupported},
        {"old password", from_hex("fe"), wire_errc::unsupported},
        {"second factor", from_hex("026100"), wire_errc::unsupported},
        {"unknown first byte", from_hex("03"), wire_errc::malformed},
        {"switch without an end of name", from_hex("fe61"), wire_errc::truncated},
        {"scramble of a wrong size", switch_to(native_password_plugin, "short"), wire_errc::malformed},
        {"unknown step", more("\x05"), wire_errc::malformed},
        {"no step", more(""), wire_errc::malformed},
        {"key that nobody asked for", more("-----BEGIN PUBLIC KEY-----"), wire_errc::malformed},
    };
    for (const auto& [what, packet, code] : rows) {
        CAPTURE(what);
        client_auth auth("secret", false);
        REQUIRE(auth.begin(caching_sha2_plugin, first_scramble).has_value());
        CHECK(auth.on_packet(packet).error().code == code);
    }
    client_auth auth("secret", false);
    REQUIRE(auth.begin(caching_sha2_plugin, first_scramble).has_value());
    REQUIRE(auth.on_packet(more("\x04")).has_value());
    CHECK(auth.on_packet(more("no key")).error().code == wire_errc::malformed);
}

TEST_CASE("a server that switches for ever is left") {
    client_auth auth("secret", false);
    REQUIRE(auth.begin(caching_sha2_plugin, first_scramble).has_value());
    unsigned accepted = 0;
    while (accepted < 100 && auth.on_packet(switch_to(native_password_plugin, second_scramble)).has_value()) ++accepted;
    CHECK(accepted == 4);
}
