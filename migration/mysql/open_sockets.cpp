#include "migration/mysql/open_sockets.hpp"

#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice::migration {

void open_sockets::break_all() {
    const std::lock_guard lock(mutex_);
    broken_ = true;
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
}

bool open_sockets::broken() const {
    const std::lock_guard lock(mutex_);
    return broken_;
}

void open_sockets::add(int socket) {
    const std::lock_guard lock(mutex_);
    sockets_.insert(socket);
    if (broken_) ::shutdown(socket, SHUT_RDWR);
}

void open_sockets::remove(int socket) {
    const std::lock_guard lock(mutex_);
    sockets_.erase(socket);
}

breakable_socket::breakable_socket(std::shared_ptr<open_sockets> among, int socket)
    : among_(std::move(among)), socket_(::fcntl(socket, F_DUPFD_CLOEXEC, 0)) {
    if (socket_ >= 0) among_->add(socket_);
}

breakable_socket::~breakable_socket() {
    if (socket_ < 0) return;
    among_->remove(socket_);
    ::close(socket_);
}

}  // namespace sluice::migration
