#include "migration/sql/artefact_names.hpp"

#include <cstdint>

#include "migration/sql/identifier.hpp"

namespace sluice::migration {

namespace {

constexpr std::string_view ghost_suffix = "_gho";
constexpr std::string_view changelog_suffix = "_ghc";
constexpr std::string_view old_table_suffix = "_del";
constexpr std::string_view checkpoints_suffix = "_ghk";
constexpr std::string_view swap_old_suffix = "old";  // as long as the ghost's, and behind it
constexpr std::size_t affix_characters = 1 + ghost_suffix.size();
constexpr std::size_t hash_characters = 1 + 8;

/// Eight hex digits of the 64-bit FNV-1a hash, folded. It must never change: names of a running migration depend on it.
[[nodiscard]] std::string hash_of(std::string_view text) {
    std::uint64_t hash = 14695981039346656037ULL;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    const auto folded = static_cast<std::uint32_t>(hash ^ (hash >> 32U));
    std::string digits;
    for (int shift = 28; shift >= 0; shift -= 4) digits += "0123456789abcdef"[(folded >> shift) & 0x0FU];
    return digits;
}

/// The first characters of a valid UTF-8 text.
[[nodiscard]] std::string_view first_characters(std::string_view text, std::size_t count) noexcept {
    std::size_t end = 0;
    for (; end < text.size(); ++end) {
        const bool begins_character = (static_cast<unsigned char>(text[end]) & 0xC0U) != 0x80U;
        if (begins_character && count-- == 0) break;
    }
    return text.substr(0, end);
}

/// A stem that sorts behind `table` in bytes, and so does everything that begins with it; in either letter case.
[[nodiscard]] std::string stem_behind(std::string_view table) {
    if (character_count(table) + ghost_suffix.size() <= identifier_characters_max) return std::string(table) + '~';
    // '~' stands in the place of a character that sorts before it: as far to the right as the length allows.
    auto kept = first_characters(table, identifier_characters_max - ghost_suffix.size() - hash_characters);
    constexpr char tilde = '~';
    for (; !kept.empty(); kept = kept.substr(0, kept.size() - 1)) {
        const auto replaced = static_cast<unsigned char>(table[kept.size()]);
        if (replaced < static_cast<unsigned char>(tilde)) return std::string(kept) + tilde + hash_of(table) + tilde;
    }
    // U+FFFD: behind every character of an identifier but the last two.
    return "\xEF\xBF\xBD" + hash_of(table) + tilde;
}

}  // namespace

artefact_names artefact_names_of(std::string_view table, std::string_view named_after) {
    const std::string_view root = named_after.empty() ? table : named_after;
    artefact_names names;
    names.shortened = character_count(root) + affix_characters > identifier_characters_max;
    std::string stem = "_";
    if (names.shortened) {
        stem += first_characters(root, identifier_characters_max - affix_characters - hash_characters);
        stem += '_' + hash_of(root);
    } else {
        stem += root;
    }
    names.ghost = stem + std::string(ghost_suffix);
    names.changelog = stem + std::string(changelog_suffix);
    names.old_table = stem + std::string(old_table_suffix);
    names.checkpoints = stem + std::string(checkpoints_suffix);
    const std::string behind = stem_behind(table);
    names.swap_ghost = behind + std::string(ghost_suffix.substr(1));
    names.swap_old = behind + std::string(swap_old_suffix);
    return names;
}

}  // namespace sluice::migration
