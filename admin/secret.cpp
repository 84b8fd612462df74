#include "admin/secret.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sluice::admin {
namespace {

constexpr std::size_t secret_bytes_max = 4096;
constexpr std::size_t token_length_min = 16;

struct open_file {
    explicit open_file(int descriptor) : fd(descriptor) {}
    ~open_file() {
        if (fd >= 0) ::close(fd);
    }
    open_file(const open_file&) = delete;
    open_file& operator=(const open_file&) = delete;
    int fd;
};

std::array<unsigned char, 32> digest_of(std::string_view text) noexcept {
    std::array<unsigned char, 32> digest{};
    unsigned length = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr);
    return digest;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return (x >= 'A' && x <= 'Z' ? x + 32 : x) == (y >= 'A' && y <= 'Z' ? y + 32 : y);
    });
}

}  // namespace

result<std::string, refusal> read_secret_file(const std::filesystem::path& file) {
    const std::string name = "secret file " + file.string();
    // The checks look at the open file, not at the name, so that nothing can be put in its place between the two.
    const open_file opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (opened.fd < 0) return refusal{name + ": " + std::strerror(errno)};
    struct stat about {};
    if (::fstat(opened.fd, &about) != 0) return refusal{name + ": " + std::strerror(errno)};
    if (!S_ISREG(about.st_mode)) return refusal{name + ": not a regular file"};
    if ((about.st_mode & 0007) != 0) {
        return refusal{name + ": every user of this machine may use it; take that away (chmod 600)"};
    }
    if ((about.st_mode & 0020) != 0) return refusal{name + ": its group may write it; take that away (chmod 600)"};

    std::string text(secret_bytes_max + 1, '\0');
    std::size_t length = 0;
    while (length < text.size()) {
        const ::ssize_t got = ::read(opened.fd, text.data() + length, text.size() - length);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return refusal{name + ": " + std::strerror(errno)};
        if (got == 0) break;
        length += static_cast<std::size_t>(got);
    }
    if (length > secret_bytes_max)
        return refusal{name + ": longer than " + std::to_string(secret_bytes_max) + " bytes"};
    text.resize(length);
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    if (text.empty()) return refusal{name + ": empty"};
    if (text.find_first_of(std::string_view("\n\r\0", 3)) != std::string::npos) {
        return refusal{name + ": must hold the secret alone, on one line"};
    }
    return text;
}

bearer_token::bearer_token(std::string_view token) : digest_(digest_of(token)) {}

result<bearer_token, refusal> bearer_token::from_file(const std::filesystem::path& file) {
    SLUICE_TRY(const std::string token, read_secret_file(file));
    if (token.size() < token_length_min) {
        return refusal{"secret file " + file.string() + ": a token needs at least " + std::to_string(token_length_min) +
                       " characters; this one has " + std::to_string(token.size())};
    }
    if (std::any_of(token.begin(), token.end(), [](char c) { return c <= ' ' || c > '~'; })) {
        return refusal{"secret file " + file.string() + ": a token must be visible ASCII without spaces"};
    }
    return bearer_token(token);
}

bool bearer_token::accepts(std::string_view authorization) const noexcept {
    constexpr std::string_view scheme = "Bearer ";
    if (authorization.size() <= scheme.size()) return false;
    if (!equal_ignoring_case(authorization.substr(0, scheme.size()), scheme)) return false;
    authorization.remove_prefix(scheme.size());
    while (authorization.starts_with(' ')) authorization.remove_prefix(1);
    while (authorization.ends_with(' ')) authorization.remove_suffix(1);
    // Digests have one length, so that the comparison does not tell the token's.
    const auto digest = digest_of(authorization);
    return CRYPTO_memcmp(digest.data(), digest_.data(), digest.size()) == 0;
}

}  // namespace sluice::admin
