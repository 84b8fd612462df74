#include "protocol/auth/caching_sha2.hpp"
#include "protocol/auth/digest.hpp"
#include "protocol/auth/native_password.hpp"

#include "tests/unit/wire/wire_support.hpp"

using namespace sluice::protocol;
using namespace sluice::protocol::test;

namespace {

const std::string counting = hex_to_text("0102030405060708090a0b0c0d0e0f1011121314");
const std::string mixed = "Zq8~!kV/3fT0)w\x01\x7fLm@e";

}  // namespace

TEST_CASE("digests: published vectors") {
    // FIPS 180-2, appendices A and B.
    CHECK(to_hex(sha1({"abc"}).value()) == "a9993e364706816aba3e25717850c26c9cd0d89d");
    CHECK(to_hex(sha256({"a", "", "bc"}).value()) ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(to_hex(sha1({}).value()) == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

TEST_CASE("scrambles: computed independently with Python's hashlib") {
    struct row {
        std::string password;
        std::string scramble;
        std::string_view native;
        std::string_view sha2;
    };
    const auto rows = {
        row{"secret", counting, "b32bb3a583e1340c0a1108d58b1be49781ad8c2f",
            "746ebe205d56a0707acb3e796e834e0dd7b1d61743b26bd5202c7a623230c7c9"},
        row{"secret", mixed, "5832af1ffff940a486609b787501d6e2df402f62",
            "9c098689ab370e10cd3c218c2614d2b4d26a075f6bc43f70ca0f1dafc3d0e753"},
        row{"p\xc3\xa4ssw\xc3\xb6rd", counting, "9891a8536587af22d12e126cf5f7a8ea86d63b0e",
            "8526563d365f5cb2cf44b162e5251a5cc348e1a1afeec271669611d0fdac23f7"},
        row{std::string(100, 'x'), mixed, "79a3380a1137917d91430059a4075f8b4333f779",
            "1761f992f288de50b49de835448a250505f129820a9cdee79686ccd2290b0b3c"},
    };
    for (const auto& [password, scramble, native, sha2] : rows) {
        CAPTURE(password);
        CHECK(to_hex(native_password_response(password, scramble).value()) == native);
        CHECK(to_hex(caching_sha2_response(password, scramble).value()) == sha2);
    }
}

TEST_CASE("an empty password answers with nothing") {
    CHECK(native_password_response("", counting).value().empty());
    CHECK(caching_sha2_response("", counting).value().empty());
}

TEST_CASE("masked passwords") {
    CHECK(to_hex(mask_password("secret", counting)) == "72676076607207");
    CHECK(to_hex(mask_password("", counting)) == "01");
    CHECK(unmask_password(hex_to_text("72676076607207"), counting).value() == "secret");
    CHECK(unmask_password(hex_to_text("01"), counting).value().empty());
    const std::string longer(50, 'p');
    CHECK(unmask_password(mask_password(longer, counting), counting).value() == longer);

    CHECK(unmask_password("", counting).error().code == wire_errc::malformed);
    CHECK(unmask_password(hex_to_text("726760766072"), counting).error().code == wire_errc::malformed);
    CHECK(unmask_password(hex_to_text("01020307"), counting).error().code == wire_errc::malformed);
    CHECK_THROWS_AS(mask_password("secret", ""), sluice::assertion_failure);
}
