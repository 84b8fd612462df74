#include "tests/integration/tls_authority.hpp"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace sluice::test {
namespace {

namespace fs = std::filesystem;
using key_pointer = std::shared_ptr<EVP_PKEY>;
using certificate_pointer = std::shared_ptr<X509>;

void must(bool done) {
    if (!done) throw std::runtime_error("OpenSSL cannot make a test's certificate");
}

// RSA keys take long to find: those that no authority uses any more are used again.
key_pointer make_key() {
    static std::vector<key_pointer> all;
    for (const auto& key : all) {
        if (key.use_count() == 1) return key;
    }
    all.emplace_back(EVP_RSA_gen(2048), &EVP_PKEY_free);
    must(all.back() != nullptr);
    return all.back();
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
        X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()), &X509_EXTENSION_free);
    must(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

// Signed by itself where there is no issuer.
certificate_pointer make_certificate(const std::string& name, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuers_key,
                                     const std::string& alternatives, int days) {
    static long serial = 1;
    constexpr long day = 86'400;
    certificate_pointer made(X509_new(), &X509_free);
    X509* const self = made.get();
    X509* const signer = issuer != nullptr ? issuer : self;
    must(self != nullptr && X509_set_version(self, X509_VERSION_3) == 1);
    must(ASN1_INTEGER_set(X509_get_serialNumber(self), ++serial) == 1);
    X509_gmtime_adj(X509_getm_notBefore(self), -30 * day);
    X509_gmtime_adj(X509_getm_notAfter(self), days * day);
    const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
    must(X509_NAME_add_entry_by_txt(X509_get_subject_name(self), "CN", MBSTRING_ASC, text, -1, -1, 0) == 1);
    must(X509_set_issuer_name(self, X509_get_subject_name(signer)) == 1 && X509_set_pubkey(self, key) == 1);
    extend(self, signer, NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!alternatives.empty()) extend(self, signer, NID_subject_alt_name, alternatives);
    must(X509_sign(self, issuer == nullptr ? key : issuers_key, EVP_sha256()) != 0);
    return made;
}

template <class Write>
void write_file(const fs::path& file, Write&& write) {
    const std::unique_ptr<FILE, int (*)(FILE*)> stream(std::fopen(file.c_str(), "w"), &std::fclose);
    must(stream != nullptr && write(stream.get()) == 1);
}

}  // namespace

tls_authority::tls_authority(const std::string& name) : key_(make_key()) {
    std::string pattern = (fs::temp_directory_path() / "sluice-tls-XXXXXX").string();
    must(mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    certificate_ = make_certificate(name, key_.get(), nullptr, nullptr, "", 10);
    write_file(ca_file(), [&](FILE* to) { return PEM_write_X509(to, certificate_.get()); });
}

tls_authority::~tls_authority() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

issued_certificate tls_authority::issue(const std::string& name, const std::string& alternatives, int days) {
    const auto key = issued_keys_.emplace_back(make_key());
    const auto made = make_certificate(name, key.get(), certificate_.get(), key_.get(), alternatives, days);
    issued_certificate files{folder_ / (name + ".pem"), folder_ / (name + ".key")};
    write_file(files.certificate, [&](FILE* to) { return PEM_write_X509(to, made.get()); });
    // The form of old, which MySQL 5.6 wants as well.
    const std::unique_ptr<BIO, decltype(&BIO_free)> to(BIO_new_file(files.key.c_str(), "w"), &BIO_free);
    must(to && PEM_write_bio_PrivateKey_traditional(to.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
    return files;
}

}  // namespace sluice::test
