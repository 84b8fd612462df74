#include "migration/check/granted_privileges.hpp"

#include "protocol/sql/lexer.hpp"

#include <algorithm>
#include <vector>

namespace sluice::migration {
namespace {

using sql::token;
using sql::token_kind;

constexpr std::string_view all_privileges = "ALL PRIVILEGES";

std::string upper(std::string_view text) {
    std::string made(text);
    std::ranges::transform(made, made.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
    return made;
}

/// "GRANT a, b c (x, y), d ON p.q TO ..." or "REVOKE ... FROM ...". A grant of roles has no ON.
struct grant_statement {
    bool revokes = false;
    std::vector<std::string> privileges;
    std::string schema;  ///< "*" unquoted: all
    bool all_schemas = false;
    bool all_tables = false;
    bool valid = false;
};

grant_statement parse_grant(std::string_view text) {
    grant_statement parsed;
    const sql::lexer_options options;
    sql::lexer lex(text, options);
    const token head = lex.next();
    parsed.revokes = head.is("REVOKE");
    if (!parsed.revokes && !head.is("GRANT")) return parsed;
    std::string privilege;
    const auto end_privilege = [&] {
        if (!privilege.empty()) parsed.privileges.push_back(std::move(privilege));
        privilege.clear();
    };
    bool of_columns = false;
    token now = lex.next();
    for (; now.kind != token_kind::end && !now.is("ON"); now = lex.next()) {
        if (now.is_symbol('(')) {
            // A privilege on some columns is none on the table.
            privilege.clear();
            of_columns = true;
        } else if (now.is_symbol(')')) {
            of_columns = false;
        } else if (of_columns) {
            continue;
        } else if (now.is_symbol(',')) {
            end_privilege();
        } else if (now.kind == token_kind::word) {
            privilege += (privilege.empty() ? "" : " ") + upper(now.text);
        } else {
            return parsed;  // an account: this line grants roles
        }
    }
    end_privilege();
    const token schema = lex.next();
    const token dot = lex.next();
    const token table = lex.next();
    if (!dot.is_symbol('.')) return parsed;
    parsed.all_schemas = schema.is_symbol('*');
    parsed.all_tables = table.is_symbol('*');
    if (!parsed.all_schemas) parsed.schema = sql::identifier_text(schema, options);
    parsed.valid = true;
    return parsed;
}

bool contains(const std::set<std::string, std::less<>>& privileges, std::string_view one) {
    return privileges.contains(one) || privileges.contains(all_privileges);
}

}  // namespace

bool grant_covers_schema(std::string_view pattern, std::string_view schema) {
    while (!pattern.empty()) {
        if (pattern.front() == '%') {
            for (std::size_t i = 0; i <= schema.size(); ++i) {
                if (grant_covers_schema(pattern.substr(1), schema.substr(i))) return true;
            }
            return false;
        }
        if (schema.empty()) return false;
        const bool escaped = pattern.front() == '\\' && pattern.size() > 1;
        if (escaped) pattern.remove_prefix(1);
        const bool any_character = !escaped && pattern.front() == '_';
        if (!any_character && pattern.front() != schema.front()) return false;
        pattern.remove_prefix(1);
        schema.remove_prefix(1);
        // One character of UTF-8 may have more bytes.
        while (any_character && !schema.empty() && (static_cast<unsigned char>(schema.front()) & 0xC0) == 0x80) {
            schema.remove_prefix(1);
        }
    }
    return schema.empty();
}

granted_privileges::granted_privileges(const query_result& grants, std::string_view schema) {
    for (const auto& row : grants.rows) {
        if (!row.empty() && row[0]) add_statement(*row[0], schema);
    }
}

void granted_privileges::add_statement(std::string_view statement, std::string_view schema) {
    const auto parsed = parse_grant(statement);
    if (!parsed.valid || !parsed.all_tables) return;
    if (!parsed.all_schemas && !grant_covers_schema(parsed.schema, schema)) return;
    auto& target = parsed.revokes ? revoked_on_schema_ : parsed.all_schemas ? global_ : on_schema_;
    target.insert(parsed.privileges.begin(), parsed.privileges.end());
}

bool granted_privileges::has_global(std::string_view privilege) const { return contains(global_, privilege); }

bool granted_privileges::has_on_schema(std::string_view privilege) const {
    if (contains(on_schema_, privilege)) return true;
    return contains(global_, privilege) && !contains(revoked_on_schema_, privilege);
}

}  // namespace sluice::migration
