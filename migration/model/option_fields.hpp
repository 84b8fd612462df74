#pragma once

// The options of a migration under their public names: the same in the JSON of the HTTP API, in the section [migration]
// of the configuration, and on the command line (there with dashes). One table, so that they cannot drift apart.

#include "migration/model/migration_spec.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sluice::migration {

struct option_field {
    std::string_view name;  ///< snake_case, unit last
    std::string_view help;  ///< one line, without range and default
    bool is_flag = false;   ///< a boolean; then min is 0 and max is 1
    std::int64_t min = 0;
    std::int64_t max = 1;
    std::int64_t (*get)(const migration_options& options) = nullptr;
    void (*set)(migration_options& options, std::int64_t value) = nullptr;  ///< value within min … max
};

[[nodiscard]] std::span<const option_field> option_fields() noexcept;

/// nullptr when there is none of this name.
[[nodiscard]] const option_field* find_option_field(std::string_view name) noexcept;

/// "a whole number from 10 to 5000", "true or false".
[[nodiscard]] std::string expected_value(const option_field& field);

}  // namespace sluice::migration
