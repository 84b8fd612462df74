#include "protocol/auth/rsa.hpp"

#include "protocol/auth/secret_text.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace sluice::protocol {

namespace {

constexpr std::size_t pem_size_max = 64 * 1024;
constexpr int key_bits_min = 2048;
constexpr int key_bits_max = 16384;

// OpenSSL would ask for one at the terminal.
int no_passphrase(char* /*text*/, int /*size*/, int /*writes*/, void* /*data*/) { return 0; }

using bio_pointer = std::unique_ptr<BIO, decltype(&BIO_free)>;
using operation_pointer = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

// A failure leaves entries in OpenSSL's per-thread error queue, where a later TLS call would find them.
wire_error failure(wire_errc code, const char* what) {
    ERR_clear_error();
    return {code, what};
}

std::shared_ptr<EVP_PKEY> own(EVP_PKEY* key) { return {key, &EVP_PKEY_free}; }

bool set_oaep_sha1(EVP_PKEY_CTX* operation) {
    return EVP_PKEY_CTX_set_rsa_padding(operation, RSA_PKCS1_OAEP_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(operation, EVP_sha1()) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(operation, EVP_sha1()) == 1;
}

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

wire_result<rsa_public_key> rsa_public_key::from_pem(std::string_view pem) {
    if (pem.size() > pem_size_max) return wire_error{wire_errc::too_large, "public key is longer than 64 KiB"};
    const bio_pointer source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
    auto key = own(source ? PEM_read_bio_PUBKEY(source.get(), nullptr, nullptr, nullptr) : nullptr);
    if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) {
        return failure(wire_errc::malformed, "not an RSA public key in PEM");
    }
    if (EVP_PKEY_get_bits(key.get()) > key_bits_max) {
        return wire_error{wire_errc::too_large, "RSA key has more than 16384 bits"};
    }
    return rsa_public_key(std::move(key));
}

wire_result<std::string> rsa_public_key::encrypt(std::string_view plaintext) const {
    constexpr std::size_t oaep_overhead = 42;  // two SHA-1 digests and two bytes
    const auto key_size = static_cast<std::size_t>(EVP_PKEY_get_size(key_.get()));
    if (plaintext.size() + oaep_overhead > key_size) {
        return wire_error{wire_errc::too_large, "password is too long for the server's RSA key"};
    }
    const operation_pointer operation(EVP_PKEY_CTX_new(key_.get(), nullptr), &EVP_PKEY_CTX_free);
    std::string ciphertext(key_size, '\0');
    auto size = ciphertext.size();
    if (!operation || EVP_PKEY_encrypt_init(operation.get()) != 1 || !set_oaep_sha1(operation.get()) ||
        EVP_PKEY_encrypt(operation.get(), bytes_of(ciphertext), &size, bytes_of(plaintext), plaintext.size()) != 1) {
        return failure(wire_errc::crypto_failure, "RSA encryption failed");
    }
    ciphertext.resize(size);
    return ciphertext;
}

wire_result<rsa_key_pair> rsa_key_pair::generate(unsigned bits) {
    auto key = own(EVP_RSA_gen(bits));
    if (!key) return failure(wire_errc::crypto_failure, "could not generate an RSA key pair");
    return with_public_half(std::move(key));
}

wire_result<rsa_key_pair> rsa_key_pair::from_pem(std::string_view pem) {
    if (pem.size() > pem_size_max) return wire_error{wire_errc::too_large, "private key is longer than 64 KiB"};
    const bio_pointer source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
    auto key = own(source ? PEM_read_bio_PrivateKey(source.get(), nullptr, &no_passphrase, nullptr) : nullptr);
    if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) {
        return failure(wire_errc::malformed, "not an RSA private key in PEM without a passphrase");
    }
    const auto bits = EVP_PKEY_get_bits(key.get());
    if (bits < key_bits_min) return wire_error{wire_errc::malformed, "RSA key has less than 2048 bits"};
    if (bits > key_bits_max) return wire_error{wire_errc::too_large, "RSA key has more than 16384 bits"};
    return with_public_half(std::move(key));
}

wire_result<rsa_key_pair> rsa_key_pair::with_public_half(std::shared_ptr<EVP_PKEY> key) {
    const bio_pointer sink(BIO_new(BIO_s_mem()), &BIO_free);
    if (!sink || PEM_write_bio_PUBKEY(sink.get(), key.get()) != 1) {
        return failure(wire_errc::crypto_failure, "could not write an RSA public key");
    }
    char* text = nullptr;
    const auto size = BIO_get_mem_data(sink.get(), &text);
    return rsa_key_pair(std::move(key), std::string(text, static_cast<std::size_t>(size)));
}

wire_result<std::string> rsa_key_pair::decrypt(std::string_view ciphertext) const {
    const operation_pointer operation(EVP_PKEY_CTX_new(key_.get(), nullptr), &EVP_PKEY_CTX_free);
    std::string plaintext(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())), '\0');
    auto size = plaintext.size();
    if (!operation || EVP_PKEY_decrypt_init(operation.get()) != 1 || !set_oaep_sha1(operation.get()) ||
        EVP_PKEY_decrypt(operation.get(), bytes_of(plaintext), &size, bytes_of(ciphertext), ciphertext.size()) != 1) {
        wipe(plaintext);
        return failure(wire_errc::crypto_failure, "RSA decryption failed");
    }
    plaintext.resize(size);
    return plaintext;
}

}  // namespace sluice::protocol
