#pragma once

// The keys about compression of [proxy] and [server].

#include "proxy/main/toml_section.hpp"
#include "proxy/session/compression_choice.hpp"

namespace sluice {

/// proxy.compression: what is offered to clients.
void read_client_compression(toml_section& section, session::compression_rules& rules);

/// server.compression and server.zstd_level: what the server is asked for.
void read_server_compression(toml_section& section, session::compression_rules& rules);

}  // namespace sluice
