#pragma once

// The engine's throttle ports on what this program has: sessions on replicas by the engine's own account, and HEAD
// requests over plain HTTP.

#include "migration/mysql/server_address.hpp"
#include "migration/ports/throttle_ports.hpp"

namespace sluice {

/// like: user, password and TLS for the replicas are those of this server.
[[nodiscard]] migration::throttle_ports throttle_ports_for(const migration::server_address& like);

}  // namespace sluice
