#pragma once

// The sockets of an executor's connections, so that a stop can break them from another thread while theirs waits for
// the server.

#include <memory>
#include <mutex>
#include <set>

namespace sluice::migration {

/// Thread-safe.
class open_sockets {
public:
    /// Both directions of all, now and of those that are added later. Their owners still close them.
    void break_all();
    [[nodiscard]] bool broken() const;

private:
    friend class breakable_socket;
    void add(int socket);
    void remove(int socket);

    mutable std::mutex mutex_;
    std::set<int> sockets_;
    bool broken_ = false;
};

/// A descriptor of its own for a connection's socket: the client library closes its one by itself when the connection
/// is lost, and the number may then be somebody else's.
class breakable_socket {
public:
    breakable_socket(std::shared_ptr<open_sockets> among, int socket);
    breakable_socket(const breakable_socket&) = delete;
    breakable_socket& operator=(const breakable_socket&) = delete;
    ~breakable_socket();

private:
    std::shared_ptr<open_sockets> among_;
    int socket_;  // -1: there was no descriptor to be had, and it cannot be broken
};

}  // namespace sluice::migration
