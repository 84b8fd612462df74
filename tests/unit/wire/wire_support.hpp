#pragma once

// What the tests of this room share: hex, exact-size copies, and the two checks every parser has to pass.

#include "protocol/wire/bytes.hpp"
#include "protocol/wire/error.hpp"
#include "tests/support/catch.hpp"

#include <memory>
#include <ostream>

namespace sluice::protocol {

inline std::ostream& operator<<(std::ostream& out, wire_errc code) { return out << wire_errc_name(code); }

namespace test {

/// The digits without the spaces that set the fields of a packet apart.
inline std::string packed(std::string_view spaced_hex) {
    std::string hex(spaced_hex);
    std::erase(hex, ' ');
    return hex;
}

inline byte_buffer from_hex(std::string_view spaced_hex) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    const auto hex = packed(spaced_hex);
    byte_buffer bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        bytes.push_back(static_cast<std::byte>(digit(hex[i]) << 4 | digit(hex[i + 1])));
    }
    return bytes;
}

inline std::string to_hex(byte_view bytes) {
    constexpr char digits[] = "0123456789abcdef";
    std::string hex;
    for (const auto value : bytes) {
        hex.push_back(digits[std::to_integer<unsigned>(value) >> 4]);
        hex.push_back(digits[std::to_integer<unsigned>(value) & 0xF]);
    }
    return hex;
}

inline std::string to_hex(std::string_view text) { return to_hex(as_bytes(text)); }
inline std::string hex_to_text(std::string_view hex) { return to_string(from_hex(hex)); }

/// Serialises into a buffer of its own.
template <class... Arguments>
byte_buffer bytes_of(const Arguments&... arguments) {
    byte_buffer buffer;
    serialise(buffer, arguments...);
    return buffer;
}

/// Calls `check` with every shorter prefix, each in an allocation of exactly its size, so that AddressSanitizer sees a
/// read past the end.
template <class Check>
void for_each_truncation(byte_view whole, Check check) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto exact = std::make_unique<std::byte[]>(size);
        std::copy_n(whole.begin(), size, exact.get());
        INFO("truncated to " << size << " of " << whole.size() << " bytes");
        check(byte_view(exact.get(), size));
    }
}

/// Every truncation must fail as truncated (or as malformed, where the caller says that a shorter value means nothing).
template <class Parse>
void check_truncations_fail(byte_view whole, Parse parse) {
    for_each_truncation(whole, [&](byte_view part) {
        const auto outcome = parse(part);
        REQUIRE(outcome.has_error());
        CHECK(outcome.error().code == wire_errc::truncated);
    });
}

/// For messages whose last fields may be missing: every truncation either fails, or is a value that writes itself back
/// as exactly these bytes. Returns how many truncations failed.
template <class Parse, class Write>
std::size_t check_truncations_fail_or_round_trip(byte_view whole, Parse parse, Write write) {
    std::size_t failed = 0;
    for_each_truncation(whole, [&](byte_view part) {
        const auto outcome = parse(part);
        if (outcome.has_error()) {
            ++failed;
            return;
        }
        byte_buffer again;
        write(again, outcome.value());
        CHECK(to_hex(again) == to_hex(part));
    });
    return failed;
}

}  // namespace test
}  // namespace sluice::protocol
