#include "protocol/message/response.hpp"

#include "protocol/wire/frame.hpp"
#include "protocol/wire/reader.hpp"

namespace sluice::protocol {

namespace {

constexpr std::uint8_t ok_byte = 0x00;
constexpr std::uint8_t local_infile_byte = 0xFB;
constexpr std::uint8_t terminator_byte = 0xFE;
constexpr std::uint8_t err_byte = 0xFF;
constexpr std::uint32_t eof_size_limit = 9;

bool announces_metadata(capability_flags capabilities) {
    return has(capabilities, capability::optional_resultset_metadata) ||
           has(capabilities, capability::mariadb_cache_metadata);
}

}  // namespace

wire_result<response_head> classify_response_head(std::uint32_t frame_payload_size, std::uint8_t first_byte) {
    if (frame_payload_size == 0) return wire_error{wire_errc::truncated, "empty packet where a reply begins"};
    switch (first_byte) {
        case ok_byte: return response_head::ok;
        case local_infile_byte: return response_head::local_infile;
        case terminator_byte: return response_head::eof;
        case err_byte: return response_head::err;
        default: return response_head::result_set;
    }
}

wire_result<row_phase> classify_row_phase(std::uint32_t frame_payload_size, std::uint8_t first_byte,
                                          bool is_continuation, capability_flags capabilities) {
    if (is_continuation) return row_phase::continuation;
    if (frame_payload_size == 0) return wire_error{wire_errc::truncated, "empty packet where a row is due"};
    if (first_byte == err_byte) return row_phase::err;
    if (first_byte != terminator_byte) return row_phase::row;
    if (has(capabilities, capability::deprecate_eof)) {
        return frame_payload_size < frame_payload_size_max ? row_phase::ok_terminator : row_phase::row;
    }
    return frame_payload_size < eof_size_limit ? row_phase::eof : row_phase::row;
}

wire_result<result_set_head> parse_result_set_head(byte_view payload, capability_flags capabilities) {
    reader in(payload);
    result_set_head head;
    SLUICE_TRY(head.column_count, in.lenenc_int());
    if (announces_metadata(capabilities)) {
        SLUICE_TRY(const auto follows, in.u8());
        head.metadata_follows = follows != 0;
    }
    if (head.column_count == 0) return wire_error{wire_errc::malformed, "result set without columns"};
    return head;
}

wire_result<std::string_view> parse_local_infile(byte_view payload) {
    reader in(payload);
    SLUICE_TRY(const auto first, in.u8());
    if (first != local_infile_byte) return wire_error{wire_errc::malformed, "not a LOCAL INFILE request"};
    return in.rest_text();
}

}  // namespace sluice::protocol
