#include "proxy/net/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <deque>
#include <mutex>

namespace sluice::proxy {

namespace {

constexpr std::size_t sessions_max = 64;

using context_outcome = result<std::shared_ptr<const tls_context>, tls_error>;

// OpenSSL would ask for it at the terminal.
int no_passphrase(char* /*text*/, int /*size*/, int /*writes*/, void* /*data*/) { return 0; }

bool is_address(const std::string& host) {
    const std::unique_ptr<ASN1_OCTET_STRING, decltype(&ASN1_OCTET_STRING_free)> bytes(a2i_IPADDRESS(host.c_str()),
                                                                                      &ASN1_OCTET_STRING_free);
    ERR_clear_error();
    return bytes != nullptr;
}

bool expect_host(SSL_CTX* context, const std::string& host) {
    auto* expected = SSL_CTX_get0_param(context);
    if (is_address(host)) return X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1;
    X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(expected, host.data(), host.size()) == 1;
}

}  // namespace

void ssl_deleter::operator()(ssl_st* connection) const noexcept { SSL_free(connection); }

// The newest is taken first. A ticket of TLS 1.3 is used once, so that connections cannot be told to belong together; a
// session of TLS 1.2 as often as it is good.
struct tls_context::session_shelf {
    using session_pointer = std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>;

    void put(SSL_SESSION* owned) {
        const std::lock_guard lock(mutex);
        all.emplace_back(owned, &SSL_SESSION_free);
        if (all.size() > sessions_max) all.pop_front();
    }
    session_pointer take() {
        const std::lock_guard lock(mutex);
        while (!all.empty() && SSL_SESSION_is_resumable(all.back().get()) != 1) all.pop_back();
        if (all.empty()) return {nullptr, &SSL_SESSION_free};
        if (SSL_SESSION_get_protocol_version(all.back().get()) < TLS1_3_VERSION) {
            SSL_SESSION_up_ref(all.back().get());
            return {all.back().get(), &SSL_SESSION_free};
        }
        auto taken = std::move(all.back());
        all.pop_back();
        return taken;
    }

    std::mutex mutex;
    std::deque<session_pointer> all;
};

tls_context::tls_context(bool accepts)
    : context_(SSL_CTX_new(accepts ? TLS_server_method() : TLS_client_method())), accepts_(accepts) {
    if (context_ == nullptr) return;
    SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
    SSL_CTX_set_options(context_, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context_, 1);
    SSL_CTX_set_default_passwd_cb(context_, &no_passphrase);
    SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
}

tls_context::~tls_context() { SSL_CTX_free(context_); }

result<void, tls_error> tls_context::use_files(const std::filesystem::path& certificate,
                                               const std::filesystem::path& key) {
    if (SSL_CTX_use_certificate_chain_file(context_, certificate.c_str()) != 1) {
        return tls_error{certificate, "cannot be used as a certificate in PEM: " + take_openssl_reason()};
    }
    if (SSL_CTX_use_PrivateKey_file(context_, key.c_str(), SSL_FILETYPE_PEM) != 1) {
        // A key of the wrong pair is noticed here already.
        return tls_error{key,
                         "cannot be used as the private key of " + certificate.string() + ": " + take_openssl_reason()};
    }
    if (SSL_CTX_check_private_key(context_) != 1) {
        return tls_error{key, "is not the private key of " + certificate.string() + ": " + take_openssl_reason()};
    }
    certificate_ = facts_of(SSL_CTX_get0_certificate(context_));
    return {};
}

result<void, tls_error> tls_context::trust(const std::filesystem::path& ca) {
    if (SSL_CTX_load_verify_file(context_, ca.c_str()) == 1) return {};
    return tls_error{ca, "cannot be used as CA certificates in PEM: " + take_openssl_reason()};
}

context_outcome tls_context::for_clients(const client_tls_settings& settings, const self_signed_certificate* own) {
    std::shared_ptr<tls_context> made(new tls_context(true));
    if (made->context_ == nullptr) return tls_error{"", "OpenSSL cannot be used: " + take_openssl_reason()};
    if (!settings.certificate_file.empty()) {
        SLUICE_TRY_VOID(made->use_files(settings.certificate_file, settings.key_file));
    } else {
        SLUICE_ASSERT(own != nullptr);
        if (SSL_CTX_use_certificate(made->context_, own->certificate()) != 1 ||
            SSL_CTX_use_PrivateKey(made->context_, own->key()) != 1) {
            return tls_error{"", "the self-signed certificate cannot be used: " + take_openssl_reason()};
        }
        made->certificate_ = facts_of(own->certificate());
        made->certificate_.is_self_made = true;
    }
    if (settings.client_certificate != client_certificate_mode::none) {
        SLUICE_TRY_VOID(made->trust(settings.client_ca_file));
        // Clients with several certificates choose by these names.
        SSL_CTX_set_client_CA_list(made->context_, SSL_load_client_CA_file(settings.client_ca_file.c_str()));
        const bool required = settings.client_certificate == client_certificate_mode::required;
        SSL_CTX_set_verify(made->context_, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
    }
    // Without one, OpenSSL refuses to resume sessions of clients that have shown a certificate.
    constexpr std::string_view purpose = "sluice";
    SSL_CTX_set_session_id_context(made->context_, reinterpret_cast<const unsigned char*>(purpose.data()),
                                   static_cast<unsigned>(purpose.size()));
    ERR_clear_error();
    return std::shared_ptr<const tls_context>(std::move(made));
}

context_outcome tls_context::for_server(const server_tls_settings& settings, const std::string& host) {
    std::shared_ptr<tls_context> made(new tls_context(false));
    if (made->context_ == nullptr) return tls_error{"", "OpenSSL cannot be used: " + take_openssl_reason()};
    if (!settings.certificate_file.empty()) {
        SLUICE_TRY_VOID(made->use_files(settings.certificate_file, settings.key_file));
    }
    const bool identity = settings.mode == server_tls_mode::verify_identity;
    if (identity || settings.mode == server_tls_mode::verify_ca) {
        SSL_CTX_set_verify(made->context_, SSL_VERIFY_PEER, nullptr);
        if (!settings.ca_file.empty()) {
            SLUICE_TRY_VOID(made->trust(settings.ca_file));
        } else if (SSL_CTX_set_default_verify_paths(made->context_) != 1) {
            return tls_error{"", "the system's CA certificates cannot be read: " + take_openssl_reason()};
        }
        if (identity && !expect_host(made->context_, host)) {
            return tls_error{"", "no certificate can be for a host called \"" + host + "\""};
        }
    }
    if (!is_address(host)) made->server_name_ = host;
    made->sessions_ = std::make_unique<session_shelf>();
    SSL_CTX_set_app_data(made->context_, made.get());
    SSL_CTX_set_session_cache_mode(made->context_, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(made->context_, &tls_context::on_new_session);
    ERR_clear_error();
    return std::shared_ptr<const tls_context>(std::move(made));
}

int tls_context::on_new_session(ssl_st* connection, ssl_session_st* session) {
    const auto* self = static_cast<const tls_context*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(connection)));
    self->sessions_->put(session);
    return 1;  // it is ours now
}

ssl_pointer tls_context::connection() const {
    ssl_pointer made(SSL_new(context_));
    if (made == nullptr) {
        ERR_clear_error();
        return made;
    }
    if (accepts_) {
        SSL_set_accept_state(made.get());
        return made;
    }
    SSL_set_connect_state(made.get());
    if (!server_name_.empty()) SSL_set_tlsext_host_name(made.get(), server_name_.c_str());
    if (const auto session = sessions_->take()) SSL_set_session(made.get(), session.get());
    ERR_clear_error();
    return made;
}

}  // namespace sluice::proxy
