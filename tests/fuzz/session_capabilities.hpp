#pragma once

// The capabilities of a session by two bytes of input: a bit for each flag that changes how a packet looks.

#include "protocol/message/capabilities.hpp"
#include "tests/fuzz/fuzz_input.hpp"

namespace sluice::fuzz {

[[nodiscard]] inline protocol::capability_flags session_capabilities(fuzz_input& in) noexcept {
    namespace capability = protocol::capability;
    constexpr protocol::capability_flags choices[] = {
        capability::deprecate_eof,
        capability::session_track,
        capability::query_attributes,
        capability::optional_resultset_metadata,
        capability::mariadb_extended_metadata,
        capability::mariadb_cache_metadata,
        capability::plugin_auth,
        capability::secure_connection,
        capability::connect_attrs,
        capability::plugin_auth_lenenc_data,
        capability::local_files,
        capability::multi_statements,
        capability::connect_with_db,
        capability::protocol_41,
        capability::mariadb_stmt_bulk_operations,
        capability::zstd_compression,
    };
    const unsigned chosen = in.u16();
    protocol::capability_flags flags = capability::transactions | capability::multi_results;
    for (unsigned i = 0; i < std::size(choices); ++i) {
        if ((chosen >> i & 1U) != 0) flags |= choices[i];
    }
    return flags;
}

}  // namespace sluice::fuzz
