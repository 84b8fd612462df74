#include "protocol/wire/writer.hpp"

#include "protocol/wire/reader.hpp"

namespace sluice::protocol {

void writer::lenenc_int(std::uint64_t value) {
    switch (lenenc_int_size(value)) {
        case 1: u8(static_cast<std::uint8_t>(value)); break;
        case 3:
            u8(0xFC);
            fixed(value, 2);
            break;
        case 4:
            u8(0xFD);
            fixed(value, 3);
            break;
        default:
            u8(0xFE);
            fixed(value, 8);
            break;
    }
}

void writer::lenenc_text(std::string_view value) {
    lenenc_int(value.size());
    text(value);
}

void writer::lenenc_text_or_null(std::optional<std::string_view> value) {
    if (value) {
        lenenc_text(*value);
    } else {
        u8(lenenc_null_byte);
    }
}

void writer::nul_text(std::string_view value) {
    text(value);
    u8(0);
}

}  // namespace sluice::protocol
