#include "migration/check/server_variables.hpp"

#include "migration/sql/identifier.hpp"
#include "protocol/sql/lexer.hpp"

#include <algorithm>

namespace sluice::migration {

outcome<server_variables> read_global_variables(sql_session& session, std::initializer_list<std::string_view> names) {
    std::string sql = "SHOW GLOBAL VARIABLES WHERE Variable_name IN (";
    for (const auto name : names) sql.append(name == *names.begin() ? "" : ", ").append(quote_string(name));
    SLUICE_TRY(const auto answer, session.run(sql + ")"));
    server_variables variables;
    for (const auto& row : answer.rows) {
        if (row.size() < 2 || !row[0]) continue;
        std::string name = *row[0];
        std::ranges::transform(name, name.begin(),
                               [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
        variables[std::move(name)] = row[1].value_or("");
    }
    return variables;
}

std::string value_of(const server_variables& variables, std::string_view name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
}

bool is_on(const server_variables& variables, std::string_view name) {
    const auto value = value_of(variables, name);
    return std::ranges::any_of(std::initializer_list<std::string_view>{"ON", "1", "YES", "TRUE"},
                               [&](std::string_view on) { return sql::equal_ignoring_case(value, on); });
}

}  // namespace sluice::migration
