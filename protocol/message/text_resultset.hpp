#pragma once

// Whole replies that Sluice gives itself, as framed bytes ready for the socket: a text result set, an OK, an ERR.

#include "protocol/message/capabilities.hpp"
#include "protocol/message/err.hpp"
#include "protocol/message/ok.hpp"
#include "protocol/wire/bytes.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sluice::protocol {

enum class text_column_type : std::uint8_t {
    varchar,  ///< utf8mb4
    bigint,   ///< signed; rows carry its decimal text
};

struct text_column {
    std::string name;
    text_column_type type = text_column_type::varchar;
};

struct text_resultset {
    std::vector<text_column> columns;  ///< at least one: asserted
    /// Each as wide as columns: asserted. Nothing is NULL.
    std::vector<std::vector<std::optional<std::string>>> rows;
};

/// `sequence` is the id of the first frame to write (the command's last id plus one). `status` is the session's last
/// known status: the flags that last beyond one statement (in_trans, autocommit, ...) are told to the client again.
/// Returns the id after the last frame.
std::uint8_t append_text_resultset(byte_buffer& out, const text_resultset& set, capability_flags capabilities,
                                   status_flags status, std::uint8_t sequence);

std::uint8_t append_err_reply(byte_buffer& out, const err_packet& err, capability_flags capabilities,
                              std::uint8_t sequence);
std::uint8_t append_ok_reply(byte_buffer& out, const ok_packet& ok, capability_flags capabilities,
                             std::uint8_t sequence);

}  // namespace sluice::protocol
