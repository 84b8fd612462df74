#include "protocol/binlog/value/decimal.hpp"

#include <algorithm>
#include <array>

namespace sluice::binlog {

namespace {

constexpr unsigned group_digits = 9;
constexpr unsigned group_size = 4;
constexpr std::array<unsigned, group_digits + 1> size_of_digits{0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
constexpr std::array<std::uint32_t, group_digits + 1> power_of_ten{1,      10,      100,      1000,      10000,
                                                                   100000, 1000000, 10000000, 100000000, 1000000000};

decode_error malformed_value() { return {decode_errc::malformed, "impossible value of a decimal column"}; }

/// Reads one group off the front and appends its digits. False when it holds more than its digits.
bool append_group(byte_view& bytes, unsigned digits, std::byte mask, bool is_first, std::string& out) {
    const auto size = size_of_digits[digits];
    std::uint32_t value = 0;
    for (unsigned i = 0; i < size; ++i) {
        auto byte = bytes[i] ^ mask;
        if (is_first && i == 0) byte ^= std::byte{0x80};
        value = value << 8 | std::to_integer<std::uint32_t>(byte);
    }
    bytes = bytes.subspan(size);
    if (value >= power_of_ten[digits]) return false;
    const auto text = std::to_string(value);
    out.append(digits - text.size(), '0');
    out += text;
    return true;
}

}  // namespace

decode_result<decimal_format> decimal_format::from_metadata(std::uint16_t metadata) {
    constexpr unsigned precision_max = 65;
    constexpr unsigned scale_max = 38;
    const decimal_format format{static_cast<unsigned>(metadata >> 8), metadata & 0xFFU};
    if (format.precision == 0 || format.precision > precision_max || format.scale > scale_max ||
        format.scale > format.precision) {
        return decode_error{decode_errc::malformed, "impossible metadata of a decimal column"};
    }
    return format;
}

std::size_t decimal_format::stored_size() const noexcept {
    const auto part_size = [](unsigned digits) {
        return digits / group_digits * group_size + size_of_digits[digits % group_digits];
    };
    return part_size(precision - scale) + part_size(scale);
}

decode_result<std::string> decimal_format::to_text(byte_view cell) const {
    if (cell.size() != stored_size() || cell.empty()) return malformed_value();
    const bool is_negative = (cell[0] & std::byte{0x80}) == std::byte{0};
    const auto mask = is_negative ? std::byte{0xFF} : std::byte{0};

    std::string digits;
    bool is_first = true;
    const auto append = [&](unsigned count) {
        if (count == 0) return true;
        const bool fits = append_group(cell, count, mask, is_first, digits);
        is_first = false;
        return fits;
    };
    const unsigned whole_digits = precision - scale;
    bool fits = append(whole_digits % group_digits);
    for (unsigned i = 0; i < whole_digits / group_digits; ++i) fits = fits && append(group_digits);
    for (unsigned i = 0; i < scale / group_digits; ++i) fits = fits && append(group_digits);
    fits = fits && append(scale % group_digits);
    if (!fits) return malformed_value();

    std::string whole = digits.substr(0, whole_digits);
    whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
    const bool is_zero = digits.find_first_not_of('0') == std::string::npos;
    std::string text = is_negative && !is_zero ? "-" : "";
    text += whole.empty() ? "0" : whole;
    if (scale > 0) text += "." + digits.substr(whole_digits);
    return text;
}

}  // namespace sluice::binlog
