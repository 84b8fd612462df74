#include "protocol/auth/digest.hpp"

#include <openssl/evp.h>

#include <memory>

namespace sluice::protocol {

namespace {

wire_result<std::string> digest(const EVP_MD* algorithm, std::initializer_list<std::string_view> parts) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> state(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    bool fine = state && EVP_DigestInit_ex(state.get(), algorithm, nullptr) == 1;
    for (const auto part : parts) fine = fine && EVP_DigestUpdate(state.get(), part.data(), part.size()) == 1;
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    fine = fine && EVP_DigestFinal_ex(state.get(), bytes, &size) == 1;
    if (!fine) return wire_error{wire_errc::crypto_failure, "OpenSSL could not compute a digest"};
    return std::string(reinterpret_cast<const char*>(bytes), size);
}

}  // namespace

wire_result<std::string> sha1(std::initializer_list<std::string_view> parts) { return digest(EVP_sha1(), parts); }

wire_result<std::string> sha256(std::initializer_list<std::string_view> parts) { return digest(EVP_sha256(), parts); }

void xor_into(std::string& text, std::string_view mask) {
    SLUICE_ASSERT(!mask.empty());
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(text[i] ^ mask[i % mask.size()]);
}

}  // namespace sluice::protocol
