#pragma once

// What double quotes are, strings or names, is a matter of sql_mode, which MySQL does not tell: neither by its status
// nor, unless it is asked to, by a tracker. Where it is not known a text is read both ways, and what either finds
// counts. Pure; any thread.

#include <algorithm>
#include <string_view>
#include <utility>

#include "protocol/sql/classifier.hpp"

namespace sluice::session {

struct text_rules {
    sql::lexer_options options;
    bool quotes_certain = true;  ///< false: of options.ansi_quotes it is not known whether it is so
};

/// Calls read(options) for each way in which the text may have to be read.
template <class Read>
void read_each_way(std::string_view text, const text_rules& rules, Read&& read) {
    read(rules.options);
    if (rules.quotes_certain || text.find('"') == std::string_view::npos) return;
    auto other = rules.options;
    other.ansi_quotes = !other.ansi_quotes;
    read(other);
}

/// The names of all ways together; the statements as options say.
[[nodiscard]] inline sql::statement_footprint footprint_of(std::string_view text, const text_rules& rules) {
    sql::statement_footprint footprint;
    bool is_first = true;
    read_each_way(text, rules, [&](const sql::lexer_options& options) {
        auto read = sql::classify(text, {options});
        if (is_first) {
            footprint = std::move(read);
            is_first = false;
            return;
        }
        footprint.touches_anything = footprint.touches_anything || read.touches_anything;
        for (auto& name : read.names) {
            auto& names = footprint.names;
            if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
        }
    });
    return footprint;
}

}  // namespace sluice::session
