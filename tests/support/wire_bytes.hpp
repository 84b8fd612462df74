#pragma once

// Bytes as the test's own side of the wire reads and writes them. Nothing here, nor in the other wire_* files, uses the
// product's protocol code: a mistake that both shared would not be seen.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sluice::test::wire {

/// The peer did not do what was waited for, or said what cannot be read.
class error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The peer has closed (or reset) the connection.
class closed : public error {
public:
    using error::error;
};

/// Little-endian, `size` bytes (1 .. 8).
void put_int(std::string& to, std::uint64_t value, unsigned size);
void put_lenenc(std::string& to, std::uint64_t value);
void put_lenenc_text(std::string& to, std::string_view text);
void put_zero_ended(std::string& to, std::string_view text);

/// Reads from the front; throws error beyond the end.
class input {
public:
    explicit input(std::string_view bytes) : rest_(bytes) {}
    [[nodiscard]] std::uint64_t integer(unsigned size);
    [[nodiscard]] std::uint64_t lenenc();
    [[nodiscard]] std::string_view take(std::size_t size);
    [[nodiscard]] std::string_view lenenc_text() { return take(lenenc()); }
    [[nodiscard]] std::string_view zero_ended();  ///< without the zero; up to the end when there is none
    [[nodiscard]] std::string_view rest() const { return rest_; }
    [[nodiscard]] bool at_end() const { return rest_.empty(); }

private:
    std::string_view rest_;
};

/// "0a1b" to bytes; spaces are skipped. Throws error.
[[nodiscard]] std::string from_hex(std::string_view text);
/// Lines of 16 bytes in hexadecimal and as text, from `begin` (rounded down) on, at most `lines`; a mark at `marked`.
[[nodiscard]] std::string hex_dump(std::string_view bytes, std::size_t marked, std::size_t lines_before = 1,
                                   std::size_t lines_behind = 3);

}  // namespace sluice::test::wire
