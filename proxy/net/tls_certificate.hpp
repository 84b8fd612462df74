#pragma once

// Certificates as far as the proxy itself looks at them, and the one that it makes when it is given none.

#include <openssl/types.h>
#include <memory>
#include <string>

#include "protocol/result.hpp"

namespace sluice::proxy {

struct tls_error {
    std::string file;  ///< that is to blame; empty: none
    std::string message;

    /// "/etc/sluice/key.pem: does not belong to the certificate ..."
    [[nodiscard]] std::string text() const { return file.empty() ? message : file + ": " + message; }
};

struct certificate_facts {
    std::string subject;    ///< RFC 2253: "CN=db.example.org,O=Example"
    std::string issuer;     ///< likewise
    std::string not_after;  ///< ISO 8601 in UTC: "2027-01-31T12:00:00Z"
    bool is_self_made = false;
    bool is_expired = false;  ///< when it was loaded
};

[[nodiscard]] certificate_facts facts_of(const X509* certificate);

/// A key (RSA, 2048 bits) and a certificate for it that nobody else vouches for. Immutable; thread-safe.
class self_signed_certificate {
public:
    /// Takes tens of milliseconds to a second of CPU.
    [[nodiscard]] static result<self_signed_certificate, tls_error> make();

    [[nodiscard]] EVP_PKEY* key() const noexcept { return key_.get(); }
    [[nodiscard]] X509* certificate() const noexcept { return certificate_.get(); }

private:
    self_signed_certificate(std::shared_ptr<EVP_PKEY> key, std::shared_ptr<X509> certificate) noexcept
        : key_(std::move(key)), certificate_(std::move(certificate)) {}

    std::shared_ptr<EVP_PKEY> key_;
    std::shared_ptr<X509> certificate_;
};

/// The reason of the newest entry in OpenSSL's error queue of this thread, in words; empties the queue.
[[nodiscard]] std::string take_openssl_reason();

}  // namespace sluice::proxy
