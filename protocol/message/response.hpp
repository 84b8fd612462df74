#pragma once

// What a packet of a reply is, decided from its frame header and its first byte alone, so that a relay need not wait
// for the whole packet. `first_byte` is the first payload byte of the packet's first frame, `frame_payload_size` that
// frame's payload size. Source: manual, "COM_QUERY Response", "Text Resultset", checked on 9.7.

#include "protocol/message/capabilities.hpp"
#include "protocol/wire/bytes.hpp"
#include "protocol/wire/error.hpp"

namespace sluice::protocol {

/// First packet of a reply to COM_QUERY, COM_STMT_EXECUTE and their like, and of every further result while
/// more_results_exist is set.
enum class response_head : std::uint8_t {
    ok,            ///< 0x00
    err,           ///< 0xFF
    local_infile,  ///< 0xFB: the server wants a file; the client sends packets up to an empty one
    eof,           ///< 0xFE: not a head that servers send for a query; it ends SET_OPTION and its like
    result_set,    ///< a column count: definitions follow
};
/// Errors: truncated for an empty payload.
[[nodiscard]] wire_result<response_head> classify_response_head(std::uint32_t frame_payload_size,
                                                                std::uint8_t first_byte);

/// A packet where column definitions or rows are due.
enum class row_phase : std::uint8_t {
    row,            ///< a definition, or a row
    eof,            ///< EOF packet (deprecate_eof not negotiated)
    ok_terminator,  ///< OK packet with first byte 0xFE (deprecate_eof negotiated)
    err,            ///< ERR: ends the whole reply (but see is_progress_report)
    continuation,   ///< not a packet: more of the one before
};
/// Exact rules: with deprecate_eof the terminator begins with 0xFE and is shorter than 0xFFFFFF bytes (trackers make it
/// long); without, it begins with 0xFE and has fewer than 9 bytes. A row of 16 MiB may begin with 0xFE.
/// Errors: truncated for an empty payload that is not a continuation.
[[nodiscard]] wire_result<row_phase> classify_row_phase(std::uint32_t frame_payload_size, std::uint8_t first_byte,
                                                        bool is_continuation, capability_flags capabilities);

/// The packet that announces a result set. With optional_resultset_metadata or mariadb_cache_metadata a byte after the
/// count tells whether definitions follow (MySQL's manual has it before the count; 9.7 sends it after).
struct result_set_head {
    std::uint64_t column_count = 0;  ///< at least 1
    /// False: no definitions (the client asked for that). Without deprecate_eof the EOF after them is sent all the
    /// same.
    bool metadata_follows = true;
};
/// Errors: truncated, malformed.
[[nodiscard]] wire_result<result_set_head> parse_result_set_head(byte_view payload, capability_flags capabilities);

/// The file name of a LOCAL INFILE request: view into the payload. Errors: truncated, malformed.
[[nodiscard]] wire_result<std::string_view> parse_local_infile(byte_view payload);

}  // namespace sluice::protocol
