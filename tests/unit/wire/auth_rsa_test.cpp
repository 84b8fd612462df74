#include "protocol/auth/rsa.hpp"

#include "tests/unit/wire/wire_support.hpp"

using namespace sluice::protocol;
using namespace sluice::protocol::test;

namespace {

constexpr std::string_view rsa_1024 =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCsIrZqFDILiUnOmjqyd2wCgkr9\n"
    "L1CrSBx+z2i/0waZHnX7wNOkbtD0YuAgZCFqP6RuoQfJiI5s0FVMiCP2J+TQADv2\n"
    "hnGXGj79zFGNcH93ilEoeMAAdnMSdx5/SQE05j9evX39hmzMm0oakRbVTa83im/Q\n"
    "kVfUJZ3DYXEwlQHtiwIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

constexpr std::string_view elliptic =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEI2sexG0IJP58tU412OhEq7ekTxd3\n"
    "uO+q0c1BRfRywPoVcFFNh0crHO8NHkdvWn4OK6J5iAV8X5CGV2iuyGg5qw==\n"
    "-----END PUBLIC KEY-----\n";

}  // namespace

TEST_CASE("what the public key encrypts, its pair decrypts") {
    const auto pair = rsa_key_pair::generate().value();
    CHECK(pair.public_pem().starts_with("-----BEGIN PUBLIC KEY-----\n"));
    const auto key = rsa_public_key::from_pem(pair.public_pem()).value();
    for (const auto& text : {std::string(), std::string("secret\0", 7), std::string(214, 'x')}) {
        CAPTURE(text.size());
        const auto ciphertext = key.encrypt(text).value();
        CHECK(ciphertext.size() == 256);
        CHECK(pair.decrypt(ciphertext).value() == text);
    }
    CHECK(key.encrypt("same").value() != key.encrypt("same").value());
    CHECK(key.encrypt(std::string(215, 'x')).error().code == wire_errc::too_large);

    auto damaged = key.encrypt("secret").value();
    damaged[100] = static_cast<char>(damaged[100] ^ 1);
    CHECK(pair.decrypt(damaged).error().code == wire_errc::crypto_failure);
    CHECK(pair.decrypt("short").error().code == wire_errc::crypto_failure);
    CHECK(pair.decrypt(std::string(257, 'x')).error().code == wire_errc::crypto_failure);

    const auto other = rsa_key_pair::generate().value();
    CHECK(other.public_pem() != pair.public_pem());
    CHECK(other.decrypt(key.encrypt("secret").value()).error().code == wire_errc::crypto_failure);
}

TEST_CASE("keys of another size and other things that come as a key") {
    const auto key = rsa_public_key::from_pem(rsa_1024).value();
    CHECK(key.encrypt("secret").value().size() == 128);
    CHECK(key.encrypt(std::string(86, 'x')).has_value());
    CHECK(key.encrypt(std::string(87, 'x')).error().code == wire_errc::too_large);

    CHECK(rsa_public_key::from_pem("").error().code == wire_errc::malformed);
    CHECK(rsa_public_key::from_pem("no key").error().code == wire_errc::malformed);
    CHECK(rsa_public_key::from_pem(elliptic).error().code == wire_errc::malformed);
    CHECK(rsa_public_key::from_pem(std::string(70000, 'x')).error().code == wire_errc::too_large);
    for (std::size_t size = 0; size + 1 < rsa_1024.size(); size += 7) {
        CHECK(rsa_public_key::from_pem(rsa_1024.substr(0, size)).error().code == wire_errc::malformed);
    }
}
