#pragma once

// Lexer options by two bytes of input.

#include "protocol/sql/lexer.hpp"
#include "tests/fuzz/fuzz_input.hpp"

namespace sluice::fuzz {

[[nodiscard]] inline sql::lexer_options lexer_options(fuzz_input& in) noexcept {
    constexpr std::uint32_t versions[] = {0, 50624, 80036, 90700, 101106, 110400};
    const unsigned bits = in.u8();
    sql::lexer_options options;
    options.ansi_quotes = (bits & 1U) != 0;
    options.no_backslash_escapes = (bits & 2U) != 0;
    options.mariadb = (bits & 4U) != 0;
    options.charset = static_cast<sql::multibyte_charset>((bits >> 3U) % 6);
    options.server_version = versions[in.u8() % std::size(versions)];
    return options;
}

}  // namespace sluice::fuzz
