#include "protocol/auth/secret_text.hpp"

#include <openssl/crypto.h>

namespace sluice::protocol {

void wipe(std::string& secret) noexcept {
    OPENSSL_cleanse(secret.data(), secret.size());
    secret.clear();
}

void wipe(std::span<std::byte> secret) noexcept { OPENSSL_cleanse(secret.data(), secret.size()); }

}  // namespace sluice::protocol
