#include "migration/sql/check_constraints.hpp"

#include "migration/sql/identifier.hpp"
#include "protocol/sql/lexer.hpp"

#include <algorithm>

namespace sluice::migration {

namespace {

constexpr std::string_view suffix = "_sluice";

[[nodiscard]] std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return text;
}

/// "_chk_7" of the name that the server gave; empty for a chosen one.
[[nodiscard]] std::string generated_end(const std::string& name, const std::string& table) {
    const std::string begin = table + "_chk_";
    if (name.size() <= begin.size() || !sql::equal_ignoring_case(name.substr(0, begin.size()), begin)) return {};
    if (name.find_first_not_of("0123456789", begin.size()) != std::string::npos) return {};
    return name.substr(table.size());
}

[[nodiscard]] std::string shortened(std::string name, std::size_t characters_max) {
    while (character_count(name) > characters_max) {
        do {
            name.pop_back();
        } while (!name.empty() && (static_cast<unsigned char>(name.back()) & 0xC0U) == 0x80U);
    }
    return name;
}

/// `rule` becomes `rule_sluice`, and `rule` again by the next migration, if that is free by then.
[[nodiscard]] std::string chosen_name(const std::string& name, const std::vector<std::string>& taken) {
    const auto is_free = [&](const std::string& one) { return std::ranges::find(taken, lower(one)) == taken.end(); };
    const auto place = name.rfind(suffix);
    const bool has_suffix = place != std::string::npos && place > 0 &&
                            name.find_first_not_of("0123456789", place + suffix.size()) == std::string::npos;
    std::string base = has_suffix ? name.substr(0, place) : name;
    if (has_suffix && is_free(base)) return base;
    for (unsigned n = 1;; ++n) {
        const std::string end = std::string(suffix) + (n == 1 ? std::string() : std::to_string(n));
        std::string next = shortened(base, identifier_characters_max - end.size()) + end;
        if (is_free(next)) return next;
    }
}

}  // namespace

std::vector<check_constraint> check_constraints_of(const std::string& create_statement) {
    constexpr std::string_view begin = "\n  CONSTRAINT `";
    constexpr std::string_view word = " CHECK (";
    std::vector<check_constraint> checks;
    for (auto at = create_statement.find(begin); at != std::string::npos; at = create_statement.find(begin, at + 1)) {
        check_constraint check;
        auto i = at + begin.size();
        for (; i < create_statement.size(); ++i) {
            if (create_statement[i] == '`' && create_statement.compare(i, 2, "``") != 0) break;
            if (create_statement[i] == '`') ++i;
            check.name += create_statement[i];
        }
        if (create_statement.compare(i + 1, word.size(), word) != 0) continue;
        check.rule = create_statement.substr(i + 2, create_statement.find('\n', i) - i - 2);
        if (check.rule.ends_with(',')) check.rule.pop_back();
        checks.push_back(std::move(check));
    }
    return checks;
}

sql::constraint_names ghost_check_names(const std::vector<check_constraint>& checks, const table_name& original,
                                        const table_name& ghost, const std::vector<std::string>& taken) {
    sql::constraint_names names;
    std::vector<std::string> used = taken;
    for (const auto& check : checks) used.push_back(lower(check.name));
    for (const auto& check : checks) {
        const auto end = generated_end(check.name, original.table);
        std::string name = ghost.table + end;
        if (end.empty() || character_count(name) > identifier_characters_max) name = chosen_name(check.name, used);
        used.push_back(lower(name));
        names.emplace(lower(check.name), std::move(name));
    }
    return names;
}

std::string drop_checks_statement(const table_name& table, const std::vector<check_constraint>& checks) {
    std::string sql = "ALTER TABLE " + quote_table(table);
    for (std::size_t i = 0; i < checks.size(); ++i) {
        sql += (i == 0 ? " DROP CHECK " : ", DROP CHECK ") + quote_identifier(checks[i].name);
    }
    return sql;
}

std::string add_checks_statement(const table_name& table, const std::vector<check_constraint>& checks,
                                 const sql::constraint_names& names) {
    std::string sql = "ALTER TABLE " + quote_table(table);
    for (std::size_t i = 0; i < checks.size(); ++i) {
        const auto found = names.find(lower(checks[i].name));
        const auto& name = found == names.end() ? checks[i].name : found->second;
        sql += (i == 0 ? " ADD CONSTRAINT " : ", ADD CONSTRAINT ") + quote_identifier(name) + ' ' + checks[i].rule;
    }
    return sql;
}

}  // namespace sluice::migration
