#pragma once

// A certificate authority for tests: everything that it issues is a pair of PEM files in a folder of its own.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

struct evp_pkey_st;
struct x509_st;

namespace sluice::test {

struct issued_certificate {
    std::filesystem::path certificate;
    std::filesystem::path key;
};

class tls_authority {
public:
    explicit tls_authority(const std::string& name);
    tls_authority(const tls_authority&) = delete;
    tls_authority& operator=(const tls_authority&) = delete;
    ~tls_authority();  ///< removes the folder

    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
    /// Its own certificate.
    [[nodiscard]] std::filesystem::path ca_file() const { return folder_ / "ca.pem"; }
    /// `alternatives` as OpenSSL writes them: "DNS:db.example,IP:127.0.0.1"; empty: none. Negative days: it has
    /// expired.
    issued_certificate issue(const std::string& name, const std::string& alternatives = "", int days = 10);

private:
    std::filesystem::path folder_;
    std::shared_ptr<evp_pkey_st> key_;
    std::vector<std::shared_ptr<evp_pkey_st>> issued_keys_;  // kept, so that nobody else has the same
    std::shared_ptr<x509_st> certificate_;
};

}  // namespace sluice::test
