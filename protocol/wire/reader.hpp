#pragma once

// A bounds-checked cursor over the bytes of one packet. Integers are little-endian. The reader owns nothing: what it
// returns as a view points into the bytes that it was given. A call that fails leaves the cursor where it was.
// Formats: MySQL internals manual, "Protocol Basics / Data Types" (Protocol::FixedLengthInteger and its siblings).

#include "protocol/wire/bytes.hpp"
#include "protocol/wire/error.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

namespace sluice::protocol {

/// First byte of a length-encoded integer that means NULL in a row, and LOCAL INFILE in a reply.
inline constexpr std::uint8_t lenenc_null_byte = 0xFB;

class reader {
public:
    explicit reader(byte_view bytes) noexcept : bytes_(bytes) {}
    explicit reader(std::string_view text) noexcept : bytes_(as_bytes(text)) {}

    [[nodiscard]] std::size_t position() const noexcept { return position_; }
    [[nodiscard]] std::size_t remaining() const noexcept { return bytes_.size() - position_; }
    [[nodiscard]] bool empty() const noexcept { return position_ == bytes_.size(); }
    /// What is left, without moving.
    [[nodiscard]] byte_view peek_rest() const noexcept { return bytes_.subspan(position_); }
    /// The next byte without moving, or nothing at the end.
    [[nodiscard]] std::optional<std::uint8_t> peek_u8() const noexcept {
        if (empty()) return std::nullopt;
        return std::to_integer<std::uint8_t>(bytes_[position_]);
    }

    [[nodiscard]] wire_result<std::uint8_t> u8() { return fixed<std::uint8_t, 1>(); }
    [[nodiscard]] wire_result<std::uint16_t> u16() { return fixed<std::uint16_t, 2>(); }
    [[nodiscard]] wire_result<std::uint32_t> u24() { return fixed<std::uint32_t, 3>(); }
    [[nodiscard]] wire_result<std::uint32_t> u32() { return fixed<std::uint32_t, 4>(); }
    [[nodiscard]] wire_result<std::uint64_t> u48() { return fixed<std::uint64_t, 6>(); }
    [[nodiscard]] wire_result<std::uint64_t> u64() { return fixed<std::uint64_t, 8>(); }

    /// Length-encoded integer; the NULL marker 0xFB and the undefined 0xFF are malformed here.
    [[nodiscard]] wire_result<std::uint64_t> lenenc_int();
    /// Length-encoded integer where 0xFB is allowed and gives nothing.
    [[nodiscard]] wire_result<std::optional<std::uint64_t>> lenenc_int_or_null();

    /// Exactly `count` bytes.
    [[nodiscard]] wire_result<byte_view> bytes(std::size_t count) {
        if (count > remaining()) return truncated("fixed-length bytes run past the end");
        const auto view = bytes_.subspan(position_, count);
        position_ += count;
        return view;
    }
    [[nodiscard]] wire_result<std::string_view> text(std::size_t count);

    /// Length-encoded string. The length is checked against what is left before anything is done with it.
    [[nodiscard]] wire_result<byte_view> lenenc_bytes();
    [[nodiscard]] wire_result<std::string_view> lenenc_text();
    /// Length-encoded string of a text row: 0xFB gives nothing (SQL NULL).
    [[nodiscard]] wire_result<std::optional<std::string_view>> lenenc_text_or_null();

    /// String up to a NUL byte, which is consumed and not part of the value. No NUL before the end: truncated.
    [[nodiscard]] wire_result<std::string_view> nul_text();

    /// Everything that is left; never fails.
    [[nodiscard]] byte_view rest() noexcept {
        const auto view = peek_rest();
        position_ = bytes_.size();
        return view;
    }
    [[nodiscard]] std::string_view rest_text() noexcept { return as_text(rest()); }

    [[nodiscard]] wire_result<void> skip(std::size_t count) {
        if (count > remaining()) return truncated("skip runs past the end");
        position_ += count;
        return {};
    }

private:
    static wire_error truncated(const char* what) noexcept { return {wire_errc::truncated, what}; }

    template <class T, std::size_t size>
    wire_result<T> fixed() {
        if (remaining() < size) return truncated("fixed-length integer runs past the end");
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < size; ++i) {
            value |= std::to_integer<std::uint64_t>(bytes_[position_ + i]) << (8 * i);
        }
        position_ += size;
        return static_cast<T>(value);
    }

    byte_view bytes_;
    std::size_t position_ = 0;
};

}  // namespace sluice::protocol
