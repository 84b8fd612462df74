#pragma once

// The options of a migration under their public names: the same in the JSON of the HTTP API, in the section [migration]
// of the configuration, and on the command line (there with dashes). One table, so that they cannot drift apart.

#include "migration/model/migration_spec.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::migration {

enum class option_kind { number, flag, text };

/// What a text must be besides its length. An empty text always goes: it is "not given".
struct text_rule {
    bool (*holds)(std::string_view text) = nullptr;
    std::string_view expected;  ///< for people, after "a text of up to N characters, "
    /// What is wrong with a text for which holds() is false; nullptr: nothing more than `expected` can be said.
    std::string (*trouble)(std::string_view text) = nullptr;
};

struct option_field {
    std::string_view name;  ///< snake_case, unit last
    std::string_view help;  ///< one line, without range and default
    option_kind kind = option_kind::number;
    std::int64_t min = 0;  ///< of a number; a flag has 0 and 1
    std::int64_t max = 1;  ///< of a number; of a text: its characters (not bytes)
    /// Numbers and flags; nullptr for texts. set: a value within min … max.
    std::int64_t (*get)(const migration_options& options) = nullptr;
    void (*set)(migration_options& options, std::int64_t value) = nullptr;
    /// Texts; nullptr for the others. set_text: a value that text_fits() takes.
    const std::string& (*get_text)(const migration_options& options) = nullptr;
    void (*set_text)(migration_options& options, std::string_view value) = nullptr;
    text_rule rule{};
    bool while_running = false;  ///< may be changed while the migration runs: only its coordinator reads it
};

[[nodiscard]] std::span<const option_field> option_fields() noexcept;

/// nullptr when there is none of this name.
[[nodiscard]] const option_field* find_option_field(std::string_view name) noexcept;

/// "a whole number from 10 to 5000", "true or false", "a text of up to 64 characters, …".
[[nodiscard]] std::string expected_value(const option_field& field);
/// The same, and behind it what is wrong with this text, where the field's rule can say it.
[[nodiscard]] std::string expected_value(const option_field& field, std::string_view refused);

/// For a field of kind text: UTF-8, not too long, and as its rule says.
[[nodiscard]] bool text_fits(const option_field& field, std::string_view value);

/// The value in words: "500", "yes", "no", or the text as it is.
[[nodiscard]] std::string shown_value(const option_field& field, const migration_options& options);

/// Whether both have the same value.
[[nodiscard]] bool same_value(const option_field& field, const migration_options& a, const migration_options& b);

/// Some options and their new values.
struct option_changes {
    migration_options values;
    std::vector<const option_field*> fields;  ///< those of `values` that count

    void apply_to(migration_options& options) const;
};

/// Names of the options that may be changed while a migration runs, for people: "hold_budget_ms, …".
[[nodiscard]] std::string changeable_options();

/// The first field whose value in these options must not be; nothing when all are good.
[[nodiscard]] const option_field* find_bad_value(const migration_options& options);

}  // namespace sluice::migration
