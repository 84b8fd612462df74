#pragma once

// RSA as caching_sha2_password and sha256_password use it: OAEP padding with SHA-1, the public key as PEM
// (SubjectPublicKeyInfo). Objects may be moved between threads and used by several at once for reading.

#include "protocol/wire/error.hpp"

#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace sluice::protocol {

class rsa_public_key {
public:
    /// Errors: malformed (not a public key in PEM, or not RSA), too_large (over 64 KiB of PEM, or over 16384 bits).
    [[nodiscard]] static wire_result<rsa_public_key> from_pem(std::string_view pem);

    /// Errors: too_large (plaintext longer than the key allows: 214 bytes with 2048 bits), crypto_failure.
    [[nodiscard]] wire_result<std::string> encrypt(std::string_view plaintext) const;

private:
    explicit rsa_public_key(std::shared_ptr<evp_pkey_st> key) noexcept : key_(std::move(key)) {}
    std::shared_ptr<evp_pkey_st> key_;
};

class rsa_key_pair {
public:
    /// Takes tens of milliseconds to a second of CPU: do it once, at start. Errors: crypto_failure.
    [[nodiscard]] static wire_result<rsa_key_pair> generate(unsigned bits = 2048);
    /// A private key in PEM, without a passphrase. Errors: malformed (not that, or not RSA, or under 2048 bits),
    /// too_large (as rsa_public_key::from_pem).
    [[nodiscard]] static wire_result<rsa_key_pair> from_pem(std::string_view pem);

    [[nodiscard]] const std::string& public_pem() const noexcept { return public_pem_; }
    /// Errors: crypto_failure (wrong size, wrong key, damaged).
    [[nodiscard]] wire_result<std::string> decrypt(std::string_view ciphertext) const;

private:
    rsa_key_pair(std::shared_ptr<evp_pkey_st> key, std::string public_pem) noexcept
        : key_(std::move(key)), public_pem_(std::move(public_pem)) {}
    [[nodiscard]] static wire_result<rsa_key_pair> with_public_half(std::shared_ptr<evp_pkey_st> key);
    std::shared_ptr<evp_pkey_st> key_;
    std::string public_pem_;
};

}  // namespace sluice::protocol
