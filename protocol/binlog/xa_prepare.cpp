#include "protocol/binlog/xa_prepare.hpp"

#include "protocol/binlog/event_cursor.hpp"

namespace sluice::binlog {

namespace {

std::string as_hex_literal(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text = "X'";
    for (const char c : bytes) {
        text += digits[static_cast<std::uint8_t>(c) >> 4];
        text += digits[static_cast<std::uint8_t>(c) & 0x0F];
    }
    return text + "'";
}

}  // namespace

std::string xa_prepare_event::to_string() const {
    return as_hex_literal(global_id) + "," + as_hex_literal(branch_id) + "," + std::to_string(format_id);
}

decode_result<xa_prepare_event> xa_prepare_event::decode(byte_view body) {
    constexpr std::uint32_t id_size_max = 64;
    event_cursor cursor(body);
    xa_prepare_event event;
    event.one_phase = cursor.u8() != 0;
    event.format_id = cursor.u32();
    const auto global_id_size = cursor.u32();
    const auto branch_id_size = cursor.u32();
    if (global_id_size > id_size_max || branch_id_size > id_size_max) {
        return decode_error{decode_errc::malformed, "XA prepare event: identifier is too long"};
    }
    event.global_id = cursor.text(global_id_size);
    event.branch_id = cursor.text(branch_id_size);
    if (!cursor.ok()) return cursor.error("XA prepare event");
    return event;
}

}  // namespace sluice::binlog
