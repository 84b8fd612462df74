#include "tests/support/wire_bytes.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>

namespace sluice::test::wire {

void put_int(std::string& to, std::uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; ++i) to.push_back(static_cast<char>((value >> (8U * i)) & 0xFFU));
}

void put_lenenc(std::string& to, std::uint64_t value) {
    if (value < 0xFB) return put_int(to, value, 1);
    if (value <= 0xFFFF) {
        put_int(to, 0xFC, 1);
        return put_int(to, value, 2);
    }
    if (value <= 0xFFFFFF) {
        put_int(to, 0xFD, 1);
        return put_int(to, value, 3);
    }
    put_int(to, 0xFE, 1);
    put_int(to, value, 8);
}

void put_lenenc_text(std::string& to, std::string_view text) {
    put_lenenc(to, text.size());
    to += text;
}

void put_zero_ended(std::string& to, std::string_view text) {
    to += text;
    to.push_back('\0');
}

std::string_view input::take(std::size_t size) {
    if (size > rest_.size()) throw error("a packet ends too early");
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
}

std::uint64_t input::integer(unsigned size) {
    const auto bytes = take(size);
    std::uint64_t value = 0;
    for (unsigned i = 0; i < size; ++i) {
        value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8U * i);
    }
    return value;
}

std::uint64_t input::lenenc() {
    const auto first = integer(1);
    if (first < 0xFB) return first;
    if (first == 0xFC) return integer(2);
    if (first == 0xFD) return integer(3);
    if (first == 0xFE) return integer(8);
    throw error("no length: its first byte is " + std::to_string(first));
}

std::string_view input::zero_ended() {
    const auto end = rest_.find('\0');
    if (end == std::string_view::npos) return take(rest_.size());
    const auto text = take(end);
    (void)take(1);
    return text;
}

std::string from_hex(std::string_view text) {
    std::string digits;
    for (const char c : text) {
        if (c == ' ') continue;
        if (std::isxdigit(static_cast<unsigned char>(c)) == 0) throw error("not hexadecimal: " + std::string(text));
        digits.push_back(c);
    }
    if (digits.size() % 2 != 0) throw error("half a byte: " + std::string(text));
    std::string bytes;
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        bytes.push_back(static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16)));
    }
    return bytes;
}

std::string hex_dump(std::string_view bytes, std::size_t marked, std::size_t lines_before, std::size_t lines_behind) {
    constexpr std::size_t width = 16;
    const auto line_of_mark = marked / width;
    const auto first = line_of_mark - std::min(line_of_mark, lines_before);
    std::string out;
    for (auto line = first; line <= line_of_mark + lines_behind && line * width < bytes.size(); ++line) {
        char text[24];
        std::snprintf(text, sizeof text, "%08zx ", line * width);
        out += text;
        std::string shown;
        for (auto at = line * width; at < std::min(bytes.size(), (line + 1) * width); ++at) {
            const auto byte = static_cast<unsigned char>(bytes[at]);
            std::snprintf(text, sizeof text, "%c%02x", at == marked ? '>' : ' ', byte);
            out += text;
            shown.push_back(std::isprint(byte) != 0 ? static_cast<char>(byte) : '.');
        }
        out.append(11 + 3 * width - (out.size() - out.rfind('\n') - 1) % (11 + 3 * width), ' ');
        out += shown + '\n';
    }
    if (marked >= bytes.size()) out += "(ends at " + std::to_string(bytes.size()) + ")\n";
    return out;
}

}  // namespace sluice::test::wire
