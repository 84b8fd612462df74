#include "proxy/net/login_setup.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

#include "protocol/auth/secret_text.hpp"

namespace sluice::proxy {

namespace {

namespace fs = std::filesystem;
using protocol::rsa_key_pair;

constexpr std::size_t key_file_bytes_max = 64 * 1024;

result<rsa_key_pair, start_error> read_key(const fs::path& file) {
    std::string pem(key_file_bytes_max + 1, '\0');
    const protocol::wipe_at_end wiped(pem);
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return start_error{file.string() + ": cannot be read: " + std::strerror(errno)};
    stream.read(pem.data(), static_cast<std::streamsize>(pem.size()));
    pem.resize(static_cast<std::size_t>(stream.gcount()));
    auto key = rsa_key_pair::from_pem(pem);
    if (!key) return start_error{file.string() + ": " + key.error().what};
    return std::move(*key);
}

// Whoever reads it sees the old key or the new one, never a part.
result<void, start_error> write_public_key(const fs::path& file, const std::string& pem) {
    const auto fresh = file.string() + ".new";
    const auto refusal = [&] { return start_error{file.string() + ": cannot be written: " + std::strerror(errno)}; };
    const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (descriptor < 0) return refusal();
    const bool written = ::write(descriptor, pem.data(), pem.size()) == static_cast<ssize_t>(pem.size()) &&
                         ::fchmod(descriptor, 0644) == 0;
    if (::close(descriptor) != 0 || !written || std::rename(fresh.c_str(), file.c_str()) != 0) {
        auto error = refusal();
        ::unlink(fresh.c_str());
        return error;
    }
    return {};
}

session::tls_rule rule_of(client_tls_mode mode) noexcept {
    switch (mode) {
        case client_tls_mode::disabled: return session::tls_rule::disabled;
        case client_tls_mode::preferred: return session::tls_rule::preferred;
        case client_tls_mode::required: break;
    }
    return session::tls_rule::required;
}

session::tls_rule rule_of(server_tls_mode mode) noexcept {
    switch (mode) {
        case server_tls_mode::disabled: return session::tls_rule::disabled;
        case server_tls_mode::preferred: return session::tls_rule::preferred;
        case server_tls_mode::as_client: return session::tls_rule::as_client;
        case server_tls_mode::required:
        case server_tls_mode::verify_ca:
        case server_tls_mode::verify_identity: break;
    }
    return session::tls_rule::required;
}

void log_certificate(const char* whose, const certificate_facts& facts) {
    if (facts.subject.empty()) return;
    spdlog::info("proxy: certificate for {}: {}, good until {}", whose, facts.subject, facts.not_after);
    if (facts.is_self_made)
        spdlog::info("proxy: it is self-signed and made at this start; set tls_cert_file to use yours");
    if (facts.is_expired) spdlog::warn("proxy: the certificate for {} has expired", whose);
}

}  // namespace

result<session::login_rules, start_error> set_up_logins(const proxy_options& options, tls_store& tls) {
    session::login_rules rules;
    if (options.rsa_key_file.empty()) {
        auto key = rsa_key_pair::generate();
        if (!key) return start_error{"cannot generate an RSA key: " + std::string(key.error().what)};
        rules.rsa_key = std::make_shared<const rsa_key_pair>(std::move(*key));
    } else {
        SLUICE_TRY(auto key, read_key(options.rsa_key_file));
        rules.rsa_key = std::make_shared<const rsa_key_pair>(std::move(key));
    }
    if (!options.rsa_public_key_file.empty()) {
        SLUICE_TRY_VOID(write_public_key(options.rsa_public_key_file, rules.rsa_key->public_pem()));
    }
    rules.packet_bytes_max = options.login_packet_bytes_max;
    rules.compression = options.compression;
    rules.client_tls = rule_of(options.tls.client.mode);
    rules.server_tls = rule_of(options.tls.server.mode);
    rules.server_is_local = !options.server_socket.empty();
    // On a Unix socket the server is the one of this machine.
    const auto opened = tls.open(options.tls, rules.server_is_local ? "localhost" : options.server_host);
    if (!opened) return start_error{opened.error().text()};
    const auto report = report_of(tls.contexts());
    log_certificate("clients", report.for_clients);
    log_certificate("the server", report.for_server);
    return rules;
}

tls_report report_of(const tls_contexts& contexts) {
    tls_report report;
    if (contexts.clients) report.for_clients = contexts.clients->certificate();
    if (contexts.server) report.for_server = contexts.server->certificate();
    return report;
}

}  // namespace sluice::proxy
