#include "proxy/net/tls_stream.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>

namespace sluice::proxy {

namespace {

// So much is encrypted before it is sent: several records go in one call, and no more memory than this is bound.
constexpr std::size_t encrypt_at_once_max = 64 * 1024;
// The two pieces of a write travel in one record where they are small.
constexpr std::size_t join_max = 4 * 1024;
// Besides, OpenSSL answers some messages by itself. A peer that makes it do so and reads nothing is cut off here.
constexpr std::size_t unsent_max = 512 * 1024;

int int_size(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, 1U << 30U)); }

}  // namespace

// OpenSSL's way to the socket: reads straight from it, writes into our buffer. (Its own would raise SIGPIPE.)
struct tls_stream::socket_bio {
    static int read(BIO* bio, char* into, int size) {
        auto* self = static_cast<tls_stream*>(BIO_get_data(bio));
        BIO_clear_retry_flags(bio);
        ssize_t count = 0;
        do {
            count = ::recv(self->descriptor_, into, static_cast<std::size_t>(size), 0);
        } while (count < 0 && errno == EINTR);
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_read(bio);
        if (count == 0 || (count < 0 && !BIO_should_retry(bio))) self->peer_closed_ = true;
        return static_cast<int>(count);
    }

    static int write(BIO* bio, const char* from, int size) {
        auto* self = static_cast<tls_stream*>(BIO_get_data(bio));
        BIO_clear_retry_flags(bio);
        const auto* bytes = reinterpret_cast<const std::byte*>(from);
        if (self->unsent_.size() + static_cast<std::size_t>(size) > unsent_max) return -1;
        try {
            self->unsent_.insert(self->unsent_.end(), bytes, bytes + size);
        } catch (const std::bad_alloc&) {
            return -1;  // no exception through OpenSSL's frames
        }
        return size;
    }

    static long control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
        if (command == BIO_CTRL_EOF) return static_cast<tls_stream*>(BIO_get_data(bio))->peer_closed_ ? 1 : 0;
        return command == BIO_CTRL_FLUSH ? 1 : 0;
    }

    static const BIO_METHOD* method() {
        static const BIO_METHOD* const made = [] {
            auto* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sluice socket");
            SLUICE_ASSERT(fresh != nullptr);
            BIO_meth_set_read(fresh, &read);
            BIO_meth_set_write(fresh, &write);
            BIO_meth_set_ctrl(fresh, &control);
            return fresh;
        }();
        return made;
    }
};

tls_stream::tls_stream(std::shared_ptr<const tls_context> context, int descriptor)
    : context_(std::move(context)), descriptor_(descriptor), ssl_(context_->connection()) {
    auto* bio = BIO_new(socket_bio::method());
    if (ssl_ == nullptr || bio == nullptr) {
        BIO_free(bio);
        ssl_.reset();
        broken_ = true;
        failure_ = "no memory for a TLS connection";
        return;
    }
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
}

tls_stream::~tls_stream() {
    // A connection that was cut is no reason not to resume its session; OpenSSL thinks so.
    if (established_ && !broken_) SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

handshake_step tls_stream::handshake() {
    if (broken_) return handshake_step::failed;
    ERR_clear_error();
    const int outcome = SSL_do_handshake(ssl_.get());
    const int error = outcome == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), outcome);
    if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ) fail_with(error);
    ERR_clear_error();
    // An alert that says why it failed is sent as well.
    const auto sent = send_unsent();
    if (!failure_.empty()) return handshake_step::failed;
    if (sent == io_status::closed) {
        broken_ = true;
        failure_ = "the connection was closed during the TLS handshake";
        return handshake_step::failed;
    }
    if (sent == io_status::later) return handshake_step::wants_write;
    if (error == SSL_ERROR_WANT_READ) return handshake_step::wants_read;
    established_ = true;
    left_unread_ = SSL_has_pending(ssl_.get()) == 1;
    return handshake_step::done;
}

void tls_stream::fail_with(int ssl_error) {
    broken_ = true;
    if (ssl_error == SSL_ERROR_ZERO_RETURN || (peer_closed_ && ERR_peek_error() == 0)) {
        failure_ = "the connection was closed during the TLS handshake";
        ERR_clear_error();
        return;
    }
    failure_ = take_openssl_reason();
    const auto verified = SSL_get_verify_result(ssl_.get());
    if (verified != X509_V_OK) failure_ += std::string(" (") + X509_verify_cert_error_string(verified) + ")";
}

io_result tls_stream::read_some(std::span<std::byte> into) noexcept {
    left_unread_ = false;
    if (!established_) return throw_away();
    if (broken_) return {0, io_status::closed};
    std::size_t filled = 0;
    while (filled < into.size()) {
        ERR_clear_error();
        const int count = SSL_read(ssl_.get(), into.data() + filled, int_size(into.size() - filled));
        if (count > 0) {
            filled += static_cast<std::size_t>(count);
            continue;
        }
        const int error = SSL_get_error(ssl_.get(), count);
        ERR_clear_error();
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
            return {filled, filled != 0 ? io_status::ok : io_status::later};
        }
        // What came before the end is still good. After an error nothing may be written either.
        peer_closed_ = true;
        if (error != SSL_ERROR_ZERO_RETURN) broken_ = true;
        return {filled, filled != 0 ? io_status::ok : io_status::closed};
    }
    left_unread_ = true;
    return {filled, io_status::ok};
}

// The handshake has failed, and the owner waits for the other end to hang up: what it still says is nothing to anybody.
io_result tls_stream::throw_away() noexcept {
    std::array<std::byte, 1024> scrap;
    ssize_t count = 0;
    while ((count = ::recv(descriptor_, scrap.data(), scrap.size(), MSG_DONTWAIT)) > 0) {
    }
    const bool is_later = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    return {0, is_later ? io_status::later : io_status::closed};
}

bool tls_stream::has_pending() const noexcept {
    return established_ && (peer_closed_ || (left_unread_ && SSL_has_pending(ssl_.get()) == 1));
}

io_result tls_stream::write_some(protocol::byte_view first, protocol::byte_view second) noexcept {
    if (broken_) return {0, io_status::closed};
    const auto before = send_unsent();
    if (before != io_status::ok) return {0, before};
    std::array<std::byte, join_max> joined;
    if (!first.empty() && !second.empty() && first.size() + second.size() <= joined.size()) {
        std::memcpy(joined.data(), first.data(), first.size());
        std::memcpy(joined.data() + first.size(), second.data(), second.size());
        first = protocol::byte_view(joined).first(first.size() + second.size());
        second = {};
    }
    std::size_t accepted = 0;
    for (auto piece : {first, second}) {
        piece = piece.first(std::min(piece.size(), encrypt_at_once_max - accepted));
        while (!piece.empty()) {
            ERR_clear_error();
            const int count = SSL_write(ssl_.get(), piece.data(), int_size(piece.size()));
            if (count <= 0) {
                ERR_clear_error();
                broken_ = true;
                return {0, io_status::closed};
            }
            piece = piece.subspan(static_cast<std::size_t>(count));
            accepted += static_cast<std::size_t>(count);
        }
    }
    if (send_unsent() == io_status::closed) return {0, io_status::closed};
    return {accepted, io_status::ok};
}

io_status tls_stream::send_unsent() noexcept {
    while (has_unsent()) {
        const auto count = ::send(descriptor_, unsent_.data() + unsent_begin_, unsent_.size() - unsent_begin_,
                                  MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return io_status::later;
        if (count < 0) {
            broken_ = true;
            return io_status::closed;
        }
        unsent_begin_ += static_cast<std::size_t>(count);
    }
    unsent_ = {};
    unsent_begin_ = 0;
    return io_status::ok;
}

void tls_stream::close_notify() noexcept {
    if (broken_ || !established_ || (SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) != 0) return;
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
    (void)send_unsent();
}

bool tls_stream::resumed() const noexcept { return established_ && SSL_session_reused(ssl_.get()) == 1; }
std::string tls_stream::version() const { return ssl_ ? SSL_get_version(ssl_.get()) : ""; }
std::string tls_stream::cipher() const {
    const char* name = ssl_ ? SSL_get_cipher_name(ssl_.get()) : nullptr;
    return name != nullptr ? name : "";
}

}  // namespace sluice::proxy
