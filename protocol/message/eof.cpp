#include "protocol/message/eof.hpp"

#include "protocol/wire/reader.hpp"
#include "protocol/wire/writer.hpp"

namespace sluice::protocol {

namespace {

constexpr std::uint8_t eof_byte = 0xFE;
constexpr std::size_t eof_size_limit = 9;

}  // namespace

wire_result<eof_packet> parse_eof(byte_view payload) {
    reader in(payload);
    SLUICE_TRY(const auto first, in.u8());
    if (first != eof_byte || payload.size() >= eof_size_limit) {
        return wire_error{wire_errc::malformed, "not an EOF packet"};
    }
    eof_packet eof;
    SLUICE_TRY(eof.warnings, in.u16());
    SLUICE_TRY(eof.status, in.u16());
    return eof;
}

void serialise(byte_buffer& buffer, const eof_packet& eof) {
    writer out(buffer);
    out.u8(eof_byte);
    out.u16(eof.warnings);
    out.u16(eof.status);
}

}  // namespace sluice::protocol
