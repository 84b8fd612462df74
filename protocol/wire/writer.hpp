#pragma once

// Appends protocol values to a byte_buffer that the caller owns and keeps alive. Integers are little-endian.
// Formats as in reader.hpp.

#include "protocol/wire/bytes.hpp"

#include <optional>

namespace sluice::protocol {

class writer {
public:
    explicit writer(byte_buffer& out) noexcept : out_(&out) {}

    void u8(std::uint8_t value) { out_->push_back(static_cast<std::byte>(value)); }
    void u16(std::uint16_t value) { fixed(value, 2); }
    void u24(std::uint32_t value) { fixed(value, 3); }
    void u32(std::uint32_t value) { fixed(value, 4); }
    void u48(std::uint64_t value) { fixed(value, 6); }
    void u64(std::uint64_t value) { fixed(value, 8); }
    void lenenc_int(std::uint64_t value);

    void bytes(byte_view value) { out_->insert(out_->end(), value.begin(), value.end()); }
    void text(std::string_view value) { bytes(as_bytes(value)); }
    void zeros(std::size_t count) { out_->insert(out_->end(), count, std::byte{0}); }
    void lenenc_text(std::string_view value);
    void lenenc_bytes(byte_view value) { lenenc_text(as_text(value)); }
    /// A value of a text row: SQL NULL is the single byte 0xFB.
    void lenenc_text_or_null(std::optional<std::string_view> value);
    /// The text and a NUL byte. The caller guarantees that the text holds no NUL itself.
    void nul_text(std::string_view value);

    [[nodiscard]] std::size_t size() const noexcept { return out_->size(); }

private:
    void fixed(std::uint64_t value, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i) out_->push_back(static_cast<std::byte>((value >> (8 * i)) & 0xFF));
    }

    byte_buffer* out_;
};

/// Bytes that lenenc_int() would append: 1, 3, 4 or 9.
[[nodiscard]] constexpr std::size_t lenenc_int_size(std::uint64_t value) noexcept {
    if (value < 0xFB) return 1;
    if (value <= 0xFFFF) return 3;
    if (value <= 0xFFFFFF) return 4;
    return 9;
}

}  // namespace sluice::protocol
