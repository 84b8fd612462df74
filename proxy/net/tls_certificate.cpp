#include "proxy/net/tls_certificate.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <array>
#include <ctime>

namespace sluice::proxy {

namespace {

constexpr unsigned key_bits = 2048;  // RSA: clients of the 5.x age know nothing else
constexpr long valid_days = 3650;
constexpr long seconds_per_day = 86'400;
constexpr const char* own_name = "Sluice_Auto_Generated_Server_Certificate";

std::string name_text(const X509_NAME* name) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> sink(BIO_new(BIO_s_mem()), &BIO_free);
    if (!sink || X509_NAME_print_ex(sink.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
    char* text = nullptr;
    const auto size = BIO_get_mem_data(sink.get(), &text);
    return std::string(text, static_cast<std::size_t>(size));
}

std::string time_text(const ASN1_TIME* time) {
    std::tm fields{};
    if (ASN1_TIME_to_tm(time, &fields) != 1) return {};
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &fields)};
}

bool add_extension(X509* certificate, int kind, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
        X509V3_EXT_conf_nid(nullptr, &context, kind, value), &X509_EXTENSION_free);
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool fill(X509* certificate, EVP_PKEY* key) {
    auto* name = X509_get_subject_name(certificate);
    const auto* bytes = reinterpret_cast<const unsigned char*>(own_name);
    const std::unique_ptr<BIGNUM, decltype(&BN_free)> serial(BN_new(), &BN_free);
    // Another one at each start: two certificates of one issuer must not share a number.
    return serial && BN_rand(serial.get(), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
           BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) != nullptr &&
           X509_set_version(certificate, X509_VERSION_3) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -seconds_per_day) != nullptr &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), valid_days * seconds_per_day) != nullptr &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, bytes, -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
           X509_sign(certificate, key, EVP_sha256()) != 0;
}

}  // namespace

certificate_facts facts_of(const X509* certificate) {
    certificate_facts facts;
    facts.subject = name_text(X509_get_subject_name(certificate));
    facts.issuer = name_text(X509_get_issuer_name(certificate));
    facts.not_after = time_text(X509_get0_notAfter(certificate));
    facts.is_expired = X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0;
    return facts;
}

result<self_signed_certificate, tls_error> self_signed_certificate::make() {
    std::shared_ptr<EVP_PKEY> key(EVP_RSA_gen(key_bits), &EVP_PKEY_free);
    std::shared_ptr<X509> certificate(X509_new(), &X509_free);
    if (!key || !certificate || !fill(certificate.get(), key.get())) {
        return tls_error{"", "cannot make a self-signed certificate: " + take_openssl_reason()};
    }
    return self_signed_certificate(std::move(key), std::move(certificate));
}

std::string take_openssl_reason() {
    const auto code = ERR_peek_last_error();
    ERR_clear_error();
    if (code == 0) return "no reason given";
    if (const char* reason = ERR_reason_error_string(code)) return reason;
    std::array<char, 256> text{};
    ERR_error_string_n(code, text.data(), text.size());
    return text.data();
}

}  // namespace sluice::proxy
