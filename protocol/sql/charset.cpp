#include "protocol/sql/charset.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/sql/lexer.hpp"

namespace sluice::sql {

namespace {

[[nodiscard]] constexpr bool within(unsigned char c, unsigned char low, unsigned char high) noexcept {
    return c >= low && c <= high;
}

// MariaDB numbers the NOPAD variant of a collation 1024 above the original.
constexpr std::uint16_t nopad_offset = 1024;

}  // namespace

multibyte_charset multibyte_charset_of_collation(std::uint16_t collation_id) noexcept {
    if (collation_id > nopad_offset) collation_id = static_cast<std::uint16_t>(collation_id - nopad_offset);
    switch (collation_id) {
        case 1:
        case 84: return multibyte_charset::big5;
        case 13:
        case 88: return multibyte_charset::sjis;
        case 28:
        case 87: return multibyte_charset::gbk;
        case 95:
        case 96: return multibyte_charset::cp932;
        case 248:
        case 249:
        case 250: return multibyte_charset::gb18030;
        default: return multibyte_charset::none;
    }
}

multibyte_charset multibyte_charset_of_name(std::string_view name) noexcept {
    static constexpr std::array<std::pair<std::string_view, multibyte_charset>, 5> names{{
        {"big5", multibyte_charset::big5},
        {"sjis", multibyte_charset::sjis},
        {"gbk", multibyte_charset::gbk},
        {"cp932", multibyte_charset::cp932},
        {"gb18030", multibyte_charset::gb18030},
    }};
    const auto charset = name.substr(0, name.find('_'));
    const auto* found = std::find_if(names.begin(), names.end(),
                                     [&](const auto& known) { return equal_ignoring_case(known.first, charset); });
    return found == names.end() ? multibyte_charset::none : found->second;
}

std::size_t character_length(multibyte_charset charset, std::string_view text, std::size_t position) noexcept {
    const auto lead = static_cast<unsigned char>(text[position]);
    if (charset == multibyte_charset::none || lead < 0x81 || position + 1 >= text.size()) return 1;
    const auto trail = static_cast<unsigned char>(text[position + 1]);
    bool two = false;
    switch (charset) {
        case multibyte_charset::none: break;
        case multibyte_charset::big5:
            two = within(lead, 0xa1, 0xf9) && (within(trail, 0x40, 0x7e) || within(trail, 0xa1, 0xfe));
            break;
        case multibyte_charset::sjis:
        case multibyte_charset::cp932:
            two = (within(lead, 0x81, 0x9f) || within(lead, 0xe0, 0xfc)) &&
                  (within(trail, 0x40, 0x7e) || within(trail, 0x80, 0xfc));
            break;
        case multibyte_charset::gbk:
            two = within(lead, 0x81, 0xfe) && (within(trail, 0x40, 0x7e) || within(trail, 0x80, 0xfe));
            break;
        case multibyte_charset::gb18030:
            two = within(lead, 0x81, 0xfe) && (within(trail, 0x40, 0x7e) || within(trail, 0x80, 0xfe));
            if (within(lead, 0x81, 0xfe) && within(trail, 0x30, 0x39) && position + 3 < text.size() &&
                within(static_cast<unsigned char>(text[position + 2]), 0x81, 0xfe) &&
                within(static_cast<unsigned char>(text[position + 3]), 0x30, 0x39)) {
                return 4;
            }
            break;
    }
    return two ? 2 : 1;
}

}  // namespace sluice::sql
