#pragma once

// Every flag of gh-ost (its doc/command-line-flags.md and release 1.1.8, and what its main branch has added since), in
// one table: what kind of value it takes, what it is when left out, and what Sluice does with it. The texts are shown
// by --help and, for flags that change nothing here, or not with --via, when they are given; docs/gh-ost.md is held to
// this table by a test.

#include <cstdint>
#include <span>
#include <string_view>

namespace sluice::ghost {

enum class flag_kind : std::uint8_t {
    boolean,
    text,
    number,   ///< a whole number, 64 bits
    decimal,  ///< 64-bit floating point
    texts,    ///< may be given several times
};

enum class flag_meaning : std::uint8_t {
    honoured,  ///< does what it does in gh-ost
    noted,     ///< accepted; `text` says why it changes nothing
    refused,   ///< means something that Sluice does not do: given, it ends the run before anything is done
};

struct flag {
    std::string_view name;
    flag_kind kind = flag_kind::boolean;
    std::string_view preset;  ///< when left out, in the form of a value; empty: false, 0 or ""
    flag_meaning meaning = flag_meaning::honoured;
    std::string_view text;  ///< what it does here, one sentence without a capital at its head
    /// Why it changes nothing with --via, for the note when it is given there; empty: it does the same there.
    std::string_view idle_with_via = {};
};

/// Sorted by name.
[[nodiscard]] std::span<const flag> all_flags() noexcept;

/// nullptr when there is none of this name.
[[nodiscard]] const flag* find_flag(std::string_view name) noexcept;

}  // namespace sluice::ghost
