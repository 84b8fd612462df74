#pragma once

// The options of a migration on the command line: hold_budget_ms is --hold-budget-ms.

#include "migration/model/option_fields.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace CLI {
class App;
}

namespace sluice {

/// What was typed, by the options' public names.
struct option_arguments {
    std::map<std::string, std::int64_t> numbers;
    std::map<std::string, bool> flags;
    std::map<std::string, std::string> texts;

    /// As the HTTP API takes it.
    [[nodiscard]] boost::json::object to_json() const;
};

/// Lets the command take the option; `arguments` must live as long as it. group: its heading in the help.
void add_option_argument(CLI::App& command, option_arguments& arguments, const migration::option_field& field,
                         const char* group);

}  // namespace sluice
