#pragma once

// Reads a command line by the rules of Go's package flag, which gh-ost uses: one or two dashes, "-name=value" or
// "-name value", a boolean is true by its name alone and takes a value only behind "=", the last one given counts, and
// "--" or the first word without a dash ends the flags. Numbers as in Go: 0x, 0o and 0b, and underscores between
// digits. Pure; safe from any thread. Source: Go's documentation of the packages flag and strconv.

#include "protocol/result.hpp"
#include "proxy/main/ghost/flag_table.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::ghost {

struct flag_error {
    std::string message;  ///< in Go's words; empty when help was asked for by -h
};

class flag_values {
public:
    /// arguments: without the program's name.
    [[nodiscard]] static result<flag_values, flag_error> parse(std::span<const std::string> arguments);

    /// The value, or the flag's preset. The flag must be of the kind.
    [[nodiscard]] bool on(std::string_view name) const;
    [[nodiscard]] std::string text(std::string_view name) const;
    [[nodiscard]] std::int64_t number(std::string_view name) const;
    [[nodiscard]] double decimal(std::string_view name) const;
    [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;
    [[nodiscard]] bool given(std::string_view name) const;

    /// What stood behind the last flag; gh-ost pays no attention to it.
    [[nodiscard]] const std::vector<std::string>& rest() const noexcept { return rest_; }

private:
    [[nodiscard]] result<void, flag_error> set(const flag& which, std::string value);

    std::map<std::string, std::vector<std::string>, std::less<>> given_;
    std::vector<std::string> rest_;
};

/// What --help prints: every flag with its kind, its preset and what it does.
[[nodiscard]] std::string usage_text();

}  // namespace sluice::ghost
