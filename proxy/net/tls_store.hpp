#pragma once

// The TLS contexts in force, and their replacement from the same files. Connections take theirs when their handshake
// begins, so a reload touches none that is there. Thread-safe.

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "proxy/net/tls_context.hpp"

namespace sluice::proxy {

struct tls_contexts {
    std::shared_ptr<const tls_context> clients;  ///< null: the side is not to speak TLS
    std::shared_ptr<const tls_context> server;
};

class tls_store {
public:
    /// Reads the files and makes what the settings ask for, or says what is wrong with which file; then everything
    /// stays as it was. `server_host` is the configured one. Call it once, before any other function.
    [[nodiscard]] result<void, tls_error> open(tls_settings settings, std::string server_host);
    /// The same again, for files that have changed. The self-signed certificate stays the one that was made first.
    [[nodiscard]] result<tls_contexts, tls_error> reload();

    [[nodiscard]] tls_contexts contexts() const;

private:
    tls_settings settings_;
    std::string server_host_;
    std::optional<self_signed_certificate> own_;
    std::mutex loading_;  // before mutex_
    mutable std::mutex mutex_;
    tls_contexts contexts_;
};

}  // namespace sluice::proxy
