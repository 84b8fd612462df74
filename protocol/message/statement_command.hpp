#pragma once

// Bodies of the prepared-statement commands. Every payload includes its command byte. Manual: "COM_STMT_PREPARE" ff.
// Errors of all parsers: truncated, malformed (another command byte).

#include "protocol/message/capabilities.hpp"
#include "protocol/wire/bytes.hpp"
#include "protocol/wire/error.hpp"

#include <optional>

namespace sluice::protocol {

/// Cursor flags of COM_STMT_EXECUTE.
namespace cursor_flag {
inline constexpr std::uint8_t read_only = 0x01;
inline constexpr std::uint8_t for_update = 0x02;
inline constexpr std::uint8_t scrollable = 0x04;
/// The parameter count is sent, so that query attributes may follow the statement's own parameters.
inline constexpr std::uint8_t parameter_count_available = 0x08;
}  // namespace cursor_flag

/// The statement text of COM_STMT_PREPARE: view into the payload.
[[nodiscard]] wire_result<std::string_view> parse_stmt_prepare(byte_view payload);
void serialise_stmt_prepare(byte_buffer& out, std::string_view sql);

struct stmt_execute_head {
    std::uint32_t statement_id = 0;  ///< 0xFFFFFFFF: MariaDB's "the statement prepared last"
    std::uint8_t flags = 0;          ///< cursor_flag
    std::uint32_t iterations = 1;
};
[[nodiscard]] wire_result<stmt_execute_head> parse_stmt_execute(byte_view payload);
/// Sends every parameter as a string (NULL where there is no value); `capabilities` are those of the session.
void serialise_stmt_execute(byte_buffer& out, std::uint32_t statement_id, std::uint8_t flags,
                            std::span<const std::optional<std::string_view>> parameters, capability_flags capabilities);

/// Statement id and flags of MariaDB's COM_STMT_BULK_EXECUTE.
struct stmt_bulk_execute_head {
    std::uint32_t statement_id = 0;
    std::uint16_t flags = 0;
};
[[nodiscard]] wire_result<stmt_bulk_execute_head> parse_stmt_bulk_execute(byte_view payload);

/// The statement id of COM_STMT_CLOSE and COM_STMT_RESET.
[[nodiscard]] wire_result<std::uint32_t> parse_stmt_close(byte_view payload);
[[nodiscard]] wire_result<std::uint32_t> parse_stmt_reset(byte_view payload);
void serialise_stmt_close(byte_buffer& out, std::uint32_t statement_id);
void serialise_stmt_reset(byte_buffer& out, std::uint32_t statement_id);

struct stmt_send_long_data {
    std::uint32_t statement_id = 0;
    std::uint16_t parameter = 0;
    byte_view data;  ///< view into the payload
};
[[nodiscard]] wire_result<stmt_send_long_data> parse_stmt_send_long_data(byte_view payload);
void serialise(byte_buffer& out, const stmt_send_long_data& data);

struct stmt_fetch {
    std::uint32_t statement_id = 0;
    std::uint32_t rows = 0;
};
[[nodiscard]] wire_result<stmt_fetch> parse_stmt_fetch(byte_view payload);
void serialise(byte_buffer& out, const stmt_fetch& fetch);

}  // namespace sluice::protocol
