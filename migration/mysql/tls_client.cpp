#include "migration/mysql/tls_client.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>

#include <array>
#include <utility>

namespace sluice::migration {
namespace {

failure tls_failure(std::string message) { return refuse("tls_failed", "TLS with the server: " + std::move(message)); }

/// The first reason that OpenSSL gives; the rest is forgotten.
std::string library_reason() {
    const auto code = ERR_get_error();
    ERR_clear_error();
    if (code == 0) return "the connection was closed";
    const char* text = ERR_reason_error_string(code);
    return text == nullptr ? "error " + std::to_string(code) : text;
}

bool verifies(tls_mode mode) { return mode == tls_mode::verify_ca || mode == tls_mode::verify_identity; }

bool is_ip_address(const std::string& host) {
    std::array<unsigned char, sizeof(in6_addr)> room{};
    return inet_pton(AF_INET, host.c_str(), room.data()) == 1 || inet_pton(AF_INET6, host.c_str(), room.data()) == 1;
}

outcome<void> load_files(SSL_CTX* context, const tls_settings& settings) {
    if (!settings.ca_file.empty()) {
        if (SSL_CTX_load_verify_file(context, settings.ca_file.c_str()) != 1) {
            return tls_failure("the authorities' file " + settings.ca_file + " cannot be used: " + library_reason());
        }
    } else if (verifies(settings.mode) && SSL_CTX_set_default_verify_paths(context) != 1) {
        return tls_failure("the system's authorities cannot be used: " + library_reason());
    }
    if (settings.cert_file.empty()) return {};
    if (SSL_CTX_use_certificate_chain_file(context, settings.cert_file.c_str()) != 1) {
        return tls_failure("the certificate " + settings.cert_file + " cannot be used: " + library_reason());
    }
    if (SSL_CTX_use_PrivateKey_file(context, settings.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
        return tls_failure("the key " + settings.key_file + " cannot be used: " + library_reason());
    }
    return {};
}

}  // namespace

void tls_client::context_release::operator()(ssl_ctx_st* context) const noexcept { SSL_CTX_free(context); }
void tls_client::session_release::operator()(ssl_st* session) const noexcept { SSL_free(session); }

tls_client::tls_client(context_handle context, session_handle session) noexcept
    : context_(std::move(context)), session_(std::move(session)) {}

outcome<std::unique_ptr<tls_client>> tls_client::create(const tls_settings& settings, const std::string& host) {
    ERR_clear_error();
    context_handle context(SSL_CTX_new(TLS_client_method()));
    if (!context) return tls_failure(library_reason());
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_verify(context.get(), verifies(settings.mode) ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    SLUICE_TRY_VOID(load_files(context.get(), settings));
    session_handle session(SSL_new(context.get()));
    if (!session) return tls_failure(library_reason());
    const bool is_address = is_ip_address(host);
    if (settings.mode == tls_mode::verify_identity) {
        const int set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()), host.c_str())
                                   : SSL_set1_host(session.get(), host.c_str());
        if (set != 1) return tls_failure("'" + host + "' cannot be looked for in a certificate");
    }
    if (!is_address) SSL_set_tlsext_host_name(session.get(), host.c_str());
    BIO* incoming = BIO_new(BIO_s_mem());
    BIO* outgoing = BIO_new(BIO_s_mem());
    SLUICE_ASSERT(incoming != nullptr && outgoing != nullptr);
    // Empty means: more may come.
    BIO_set_mem_eof_return(incoming, -1);
    BIO_set_mem_eof_return(outgoing, -1);
    SSL_set_bio(session.get(), incoming, outgoing);
    SSL_set_connect_state(session.get());
    return std::unique_ptr<tls_client>(new tls_client(std::move(context), std::move(session)));
}

outcome<bool> tls_client::handshake() {
    ERR_clear_error();
    const int done = SSL_do_handshake(session_.get());
    if (done == 1) return true;
    if (SSL_get_error(session_.get(), done) == SSL_ERROR_WANT_READ) return false;
    if (const auto verdict = SSL_get_verify_result(session_.get()); verdict != X509_V_OK) {
        ERR_clear_error();
        return tls_failure(std::string("its certificate is not accepted: ") + X509_verify_cert_error_string(verdict));
    }
    return tls_failure("the handshake failed: " + library_reason());
}

outcome<void> tls_client::write(protocol::byte_view bytes) {
    if (bytes.empty()) return {};
    ERR_clear_error();
    std::size_t written = 0;
    // Into memory, so everything is written or the connection is broken.
    if (SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &written) == 1) return {};
    auto failed = refuse("stream_lost", "the TLS connection to the server broke: " + library_reason());
    failed.then = disposition::retry;
    return failed;
}

outcome<std::size_t> tls_client::read(std::span<std::byte> room) {
    ERR_clear_error();
    std::size_t count = 0;
    const int got = SSL_read_ex(session_.get(), room.data(), room.size(), &count);
    if (got == 1) return count;
    if (SSL_get_error(session_.get(), got) == SSL_ERROR_WANT_READ) return std::size_t{0};
    auto failed = refuse("stream_lost", "the TLS connection to the server broke: " + library_reason());
    failed.then = disposition::retry;
    return failed;
}

void tls_client::add_incoming(std::span<const std::byte> bytes) {
    const int added = BIO_write(SSL_get_rbio(session_.get()), bytes.data(), static_cast<int>(bytes.size()));
    SLUICE_ASSERT(added == static_cast<int>(bytes.size()));
}

protocol::byte_buffer tls_client::take_outgoing() {
    BIO* outgoing = SSL_get_wbio(session_.get());
    protocol::byte_buffer taken(BIO_ctrl_pending(outgoing));
    if (taken.empty()) return taken;
    const int count = BIO_read(outgoing, taken.data(), static_cast<int>(taken.size()));
    SLUICE_ASSERT(count == static_cast<int>(taken.size()));
    return taken;
}

std::string tls_client::server_fingerprint() const {
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(session_.get()),
                                                                  &X509_free);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (!certificate || X509_digest(certificate.get(), EVP_sha1(), digest.data(), &size) != 1) return {};
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
        text += digits[digest[i] >> 4U];
        text += digits[digest[i] & 0xFU];
    }
    return text;
}

}  // namespace sluice::migration
