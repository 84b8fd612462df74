#include "protocol/message/ok.hpp"

#include "protocol/wire/reader.hpp"
#include "protocol/wire/writer.hpp"

namespace sluice::protocol {

namespace {

constexpr std::uint8_t ok_byte = 0x00;
constexpr std::uint8_t terminator_byte = 0xFE;

wire_result<ok_packet> read_ok_head(reader& in) {
    SLUICE_TRY(const auto first, in.u8());
    if (first != ok_byte && first != terminator_byte) return wire_error{wire_errc::malformed, "not an OK packet"};
    ok_packet ok;
    ok.is_terminator = first == terminator_byte;
    SLUICE_TRY(ok.affected_rows, in.lenenc_int());
    SLUICE_TRY(ok.last_insert_id, in.lenenc_int());
    SLUICE_TRY(ok.status, in.u16());
    return ok;
}

// Without session_track the manual and the servers disagree on whether info has a length: where the first byte fits as
// a length of exactly the rest, it is one.
std::string_view read_plain_info(reader& in) {
    auto probe = in;
    const auto info = probe.lenenc_text();
    if (info && probe.empty()) return *info;
    return in.rest_text();
}

}  // namespace

wire_result<ok_packet> parse_ok(byte_view payload, capability_flags capabilities) {
    reader in(payload);
    SLUICE_TRY(auto ok, read_ok_head(in));
    SLUICE_TRY(ok.warnings, in.u16());
    if (in.empty()) return ok;
    if (!has(capabilities, capability::session_track)) {
        ok.info = read_plain_info(in);
        return ok;
    }
    SLUICE_TRY(ok.info, in.lenenc_text());
    if ((ok.status & server_status::session_state_changed) != 0 && !in.empty()) {
        SLUICE_TRY(ok.session_state, in.lenenc_text());
    }
    return ok;
}

void serialise(byte_buffer& buffer, const ok_packet& ok, capability_flags capabilities) {
    const bool has_state =
        has(capabilities, capability::session_track) && (ok.status & server_status::session_state_changed) != 0;
    writer out(buffer);
    out.u8(ok.is_terminator ? terminator_byte : ok_byte);
    out.lenenc_int(ok.affected_rows);
    out.lenenc_int(ok.last_insert_id);
    out.u16(ok.status);
    out.u16(ok.warnings);
    if (has_state || !ok.info.empty()) out.lenenc_text(ok.info);
    if (has_state) out.lenenc_text(ok.session_state);
}

wire_result<status_flags> peek_ok_status(byte_view payload_head) {
    reader in(payload_head);
    SLUICE_TRY(const auto ok, read_ok_head(in));
    return ok.status;
}

}  // namespace sluice::protocol
