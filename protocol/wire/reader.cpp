#include "protocol/wire/reader.hpp"

namespace sluice::protocol {

wire_result<std::optional<std::uint64_t>> reader::lenenc_int_or_null() {
    const auto first = peek_u8();
    if (!first) return truncated("length-encoded integer is missing");
    if (*first < lenenc_null_byte) {
        ++position_;
        return std::optional<std::uint64_t>(*first);
    }
    if (*first == lenenc_null_byte) {
        ++position_;
        return std::nullopt;
    }
    if (*first == 0xFF) return wire_error{wire_errc::malformed, "length-encoded integer begins with 0xFF"};

    const std::size_t size = *first == 0xFC ? 2 : *first == 0xFD ? 3 : 8;
    if (remaining() < 1 + size) return truncated("length-encoded integer runs past the end");
    ++position_;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
        value |= std::to_integer<std::uint64_t>(bytes_[position_ + i]) << (8 * i);
    }
    position_ += size;
    return std::optional<std::uint64_t>(value);
}

wire_result<std::uint64_t> reader::lenenc_int() {
    const auto start = position_;
    SLUICE_TRY(const auto value, lenenc_int_or_null());
    if (!value) {
        position_ = start;
        return wire_error{wire_errc::malformed, "NULL where a length-encoded integer is due"};
    }
    return *value;
}

wire_result<std::string_view> reader::text(std::size_t count) {
    SLUICE_TRY(const auto view, bytes(count));
    return as_text(view);
}

wire_result<byte_view> reader::lenenc_bytes() {
    const auto start = position_;
    SLUICE_TRY(const auto size, lenenc_int());
    if (size > remaining()) {
        position_ = start;
        return truncated("length-encoded string runs past the end");
    }
    return bytes(static_cast<std::size_t>(size));
}

wire_result<std::string_view> reader::lenenc_text() {
    SLUICE_TRY(const auto view, lenenc_bytes());
    return as_text(view);
}

wire_result<std::optional<std::string_view>> reader::lenenc_text_or_null() {
    if (peek_u8() == lenenc_null_byte) {
        ++position_;
        return std::nullopt;
    }
    SLUICE_TRY(const auto view, lenenc_text());
    return std::optional<std::string_view>(view);
}

wire_result<std::string_view> reader::nul_text() {
    const auto left = as_text(peek_rest());
    const auto end = left.find('\0');
    if (end == std::string_view::npos) return truncated("NUL-terminated string has no end");
    position_ += end + 1;
    return left.substr(0, end);
}

}  // namespace sluice::protocol
