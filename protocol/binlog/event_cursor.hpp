#pragma once

// protocol::reader with a memory for failure, for the decoders of this folder: a read past the end gives zeros and is
// remembered, so that a fixed part is read field by field and judged once. Loops and sizes must ask ok() before they
// believe a count.

#include "protocol/binlog/error.hpp"
#include "protocol/wire/reader.hpp"

#include <string>
#include <string_view>

namespace sluice::binlog {

class event_cursor {
public:
    explicit event_cursor(byte_view bytes) noexcept : reader_(bytes) {}

    [[nodiscard]] std::uint8_t u8() { return take(reader_.u8()); }
    [[nodiscard]] std::uint16_t u16() { return take(reader_.u16()); }
    [[nodiscard]] std::uint32_t u32() { return take(reader_.u32()); }
    [[nodiscard]] std::uint64_t u48() { return take(reader_.u48()); }
    [[nodiscard]] std::uint64_t u64() { return take(reader_.u64()); }
    [[nodiscard]] std::uint64_t lenenc_int() { return take(reader_.lenenc_int()); }
    [[nodiscard]] byte_view bytes(std::uint64_t count) { return take(reader_.bytes(count)); }
    [[nodiscard]] std::string_view text(std::uint64_t count) { return protocol::as_text(bytes(count)); }
    [[nodiscard]] byte_view lenenc_bytes() { return take(reader_.lenenc_bytes()); }
    [[nodiscard]] byte_view rest() noexcept { return reader_.rest(); }
    void skip(std::uint64_t count) { static_cast<void>(bytes(count)); }

    [[nodiscard]] bool ok() const noexcept { return ok_; }
    [[nodiscard]] bool empty() const noexcept { return reader_.empty(); }
    [[nodiscard]] std::size_t remaining() const noexcept { return reader_.remaining(); }

    /// For what the caller found wrong itself.
    void fail() noexcept { ok_ = false; }
    /// `what` names what was being read.
    [[nodiscard]] decode_error error(const char* what) const {
        return {code_, std::string(what) + (code_ == decode_errc::truncated ? ": ends too early" : ": malformed")};
    }

private:
    template <class T>
    T take(protocol::wire_result<T> outcome) {
        if (outcome.has_value()) return *outcome;
        if (ok_) {
            code_ = outcome.error().code == protocol::wire_errc::truncated ? decode_errc::truncated
                                                                           : decode_errc::malformed;
        }
        ok_ = false;
        return T{};
    }

    protocol::reader reader_;
    bool ok_ = true;
    decode_errc code_ = decode_errc::malformed;
};

}  // namespace sluice::binlog
