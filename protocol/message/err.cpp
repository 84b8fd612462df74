#include "protocol/message/err.hpp"

#include "protocol/wire/reader.hpp"
#include "protocol/wire/writer.hpp"

namespace sluice::protocol {

namespace {

constexpr std::uint8_t err_byte = 0xFF;
constexpr std::uint8_t sqlstate_mark = '#';
constexpr std::size_t sqlstate_size = 5;
constexpr std::uint16_t progress_code = 0xFFFF;

}  // namespace

wire_result<err_packet> parse_err(byte_view payload) {
    reader in(payload);
    SLUICE_TRY(const auto first, in.u8());
    if (first != err_byte) return wire_error{wire_errc::malformed, "not an ERR packet"};
    err_packet err;
    SLUICE_TRY(err.code, in.u16());
    if (in.peek_u8() == sqlstate_mark) {
        SLUICE_TRY_VOID(in.skip(1));
        SLUICE_TRY(err.sqlstate, in.text(sqlstate_size));
    }
    err.message = in.rest_text();
    return err;
}

void serialise(byte_buffer& buffer, const err_packet& err, capability_flags capabilities) {
    writer out(buffer);
    out.u8(err_byte);
    out.u16(err.code);
    if (has(capabilities, capability::protocol_41)) {
        const std::string_view sqlstate = err.sqlstate.empty() ? "HY000" : std::string_view(err.sqlstate);
        SLUICE_ASSERT(sqlstate.size() == sqlstate_size);
        out.u8(sqlstate_mark);
        out.text(sqlstate);
    }
    out.text(err.message);
}

bool is_progress_report(byte_view payload_head) noexcept {
    return payload_head.size() >= 3 && payload_head[0] == std::byte{err_byte} &&
           payload_head[1] == std::byte{progress_code & 0xFF} && payload_head[2] == std::byte{progress_code >> 8};
}

}  // namespace sluice::protocol
