#include "protocol/sql/alter_clause_reader.hpp"

#include <algorithm>

namespace sluice::sql {

namespace {

using kind = alter_clause_kind;

/// Words before `(`: the expression parts of a functional index have no column.
[[nodiscard]] std::vector<std::string> key_columns_of(std::span<const token> parts, const lexer_options& options) {
    std::vector<std::string> columns;
    for (const auto part : split_at_commas(parts)) {
        const bool named = !part.empty() && part.front().is_identifier();
        columns.push_back(named ? identifier_text(part.front(), options) : std::string());
    }
    return columns;
}

[[nodiscard]] bool begins_key_or_constraint(const token& word) noexcept {
    return word.is("INDEX") || word.is("KEY") || word.is("FULLTEXT") || word.is("SPATIAL") || word.is("UNIQUE") ||
           word.is("PRIMARY") || word.is("FOREIGN") || word.is("CONSTRAINT") || word.is("CHECK");
}

}  // namespace

bool token_cursor::accept_any(std::initializer_list<std::string_view> keywords) noexcept {
    return std::any_of(keywords.begin(), keywords.end(), [this](auto keyword) { return accept(keyword); });
}

bool token_cursor::accept_condition() noexcept {
    if (!now().is("IF")) return false;
    if (ahead(1).is("EXISTS")) {
        position_ += 2;
        return true;
    }
    if (ahead(1).is("NOT") && ahead(2).is("EXISTS")) {
        position_ += 3;
        return true;
    }
    return false;
}

std::span<const token> token_cursor::take_parenthesised() noexcept {
    const auto begin = position_ + 1;
    std::size_t depth = 0;
    while (!done()) {
        if (now().is_symbol('(')) ++depth;
        if (now().is_symbol(')') && --depth == 0) {
            advance();
            return tokens_.subspan(begin, position_ - 1 - begin);
        }
        advance();
    }
    return tokens_.subspan(std::min(begin, tokens_.size()));
}

std::vector<std::span<const token>> split_at_commas(std::span<const token> tokens) {
    std::vector<std::span<const token>> pieces;
    std::size_t depth = 0;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (tokens[i].is_symbol('(')) ++depth;
        if (tokens[i].is_symbol(')') && depth > 0) --depth;
        if (depth == 0 && tokens[i].is_symbol(',')) {
            pieces.push_back(tokens.subspan(begin, i - begin));
            begin = i + 1;
        }
    }
    pieces.push_back(tokens.subspan(begin));
    return pieces;
}

std::string_view source_of(std::span<const token> tokens) noexcept {
    const auto* begin = tokens.front().text.data();
    const auto* end = tokens.back().text.data() + tokens.back().text.size();
    return {begin, static_cast<std::size_t>(end - begin)};
}

alter_clause& alter_clause_reader::append(alter_clause_kind what, std::span<const token> source) {
    alter_clause clause;
    clause.kind = what;
    clause.text = std::string(source_of(source));
    return clauses_.emplace_back(std::move(clause));
}

result<void, std::string> alter_clause_reader::read() {
    if (at_.accept("ADD")) return read_add();
    if (at_.accept("DROP")) return read_drop();
    if (at_.accept("ALTER")) return read_alter();
    if (at_.accept("RENAME")) return read_rename();
    if (at_.accept("CHANGE")) return read_change();
    if (at_.accept("MODIFY")) return read_modify();
    if (at_.accept("CONVERT")) return read_convert();
    const auto& first = at_.now();
    const auto& second = at_.ahead(1);
    if (first.is("ORDER") && second.is("BY")) return append(kind::order_by, tokens_), outcome{};
    if (first.is("FORCE") && second.kind == token_kind::end) return append(kind::force, tokens_), outcome{};
    if ((first.is("ENABLE") || first.is("DISABLE")) && second.is("KEYS")) {
        return append(kind::keys_state, tokens_), outcome{};
    }
    if ((first.is("WITH") || first.is("WITHOUT")) && second.is("VALIDATION")) {
        return append(kind::validation, tokens_), outcome{};
    }
    if ((first.is("DISCARD") || first.is("IMPORT")) && second.is("TABLESPACE")) {
        return append(kind::tablespace, tokens_), outcome{};
    }
    return read_table_options();
}

result<void, std::string> alter_clause_reader::read_name(token_cursor& at, std::string& name,
                                                         std::string_view of_what) const {
    if (!at.now().is_identifier()) return std::string("the name of the ") + std::string(of_what) + " is missing";
    name = identifier_text(at.now(), options_);
    at.advance();
    return {};
}

result<void, std::string> alter_clause_reader::name_only(alter_clause_kind what, std::string_view of_what) {
    auto& clause = append(what, tokens_);
    clause.conditional = at_.accept_condition();
    return read_name(at_, clause.name, of_what);
}

result<void, std::string> alter_clause_reader::rename_of(alter_clause_kind what, std::string_view of_what) {
    SLUICE_TRY_VOID(name_only(what, of_what));
    if (!at_.accept("TO")) return std::string("TO is missing");
    return read_name(at_, clauses_.back().new_name, "new " + std::string(of_what));
}

bool alter_clause_reader::at_key_or_constraint() const noexcept { return begins_key_or_constraint(at_.now()); }

result<void, std::string> alter_clause_reader::read_add() {
    if (at_key_or_constraint()) return read_key_or_constraint(at_, tokens_);
    return read_added_columns();
}

result<void, std::string> alter_clause_reader::read_key_or_constraint(token_cursor& at, std::span<const token> source) {
    std::string symbol;
    if (at.accept("CONSTRAINT") && at.now().is_identifier() && !begins_key_or_constraint(at.now())) {
        at.accept_condition();
        SLUICE_TRY_VOID(read_name(at, symbol, "constraint"));
    }
    auto& clause = append(kind::add_index, source);
    clause.name = symbol;
    if (at.accept("CHECK")) {
        clause.kind = kind::add_check;
        if (!at.now().is_symbol('(')) return std::string("CHECK wants an expression in parentheses");
        return {};
    }
    if (at.accept("FOREIGN")) {
        if (!at.accept("KEY")) return std::string("KEY is missing behind FOREIGN");
        clause.kind = kind::add_foreign_key;
    } else if (at.accept("PRIMARY")) {
        if (!at.accept("KEY")) return std::string("KEY is missing behind PRIMARY");
        clause.index = index_kind::primary;
    } else {
        if (at.accept("UNIQUE"))
            clause.index = index_kind::unique;
        else if (at.accept("FULLTEXT"))
            clause.index = index_kind::fulltext;
        else if (at.accept("SPATIAL"))
            clause.index = index_kind::spatial;
        const bool said = at.accept_any({"INDEX", "KEY"});
        if (!said && clause.index == index_kind::plain) return std::string("no index, key or constraint");
    }
    clause.conditional = at.accept_condition();
    if (at.now().is_identifier() && !at.now().is("USING")) {
        const auto name = identifier_text(at.now(), options_);
        // The symbol of a constraint is the name that the server uses; an index name beside it is ignored for keys.
        if (clause.name.empty()) clause.name = name;
        at.advance();
    }
    if (clause.index == index_kind::primary) clause.name = "PRIMARY";
    if (at.accept("USING")) at.advance();
    if (!at.now().is_symbol('(')) return std::string("the column list is missing");
    clause.key_columns = key_columns_of(at.take_parenthesised(), options_);
    if (clause.kind != kind::add_foreign_key) return {};
    if (!at.accept("REFERENCES")) return std::string("REFERENCES is missing");
    SLUICE_TRY_VOID(read_name(at, clause.new_name, "referenced table"));
    if (at.accept_symbol('.')) return read_name(at, clause.new_name, "referenced table");
    return {};
}

result<void, std::string> alter_clause_reader::read_added_columns() {
    at_.accept("COLUMN");
    if (!at_.now().is_symbol('(')) {
        auto& clause = append(kind::add_column, tokens_);
        clause.conditional = at_.accept_condition();
        SLUICE_TRY_VOID(read_name(at_, clause.name, "new column"));
        if (at_.done()) return "the type of column " + clause.name + " is missing";
        clause.columns.push_back(read_column_definition(clause.name, at_.rest()));
        return {};
    }
    for (const auto element : split_at_commas(at_.take_parenthesised())) {
        token_cursor at(element);
        if (at.done()) return std::string("an element in parentheses is empty");
        if (begins_key_or_constraint(at.now())) {
            SLUICE_TRY_VOID(read_key_or_constraint(at, element));
            continue;
        }
        auto& clause = append(kind::add_column, element);
        SLUICE_TRY_VOID(read_name(at, clause.name, "new column"));
        if (at.done()) return "the type of column " + clause.name + " is missing";
        clause.columns.push_back(read_column_definition(clause.name, at.rest()));
    }
    return {};
}

result<void, std::string> alter_clause_reader::read_drop() {
    if (at_.accept("PRIMARY")) {
        if (!at_.accept("KEY")) return std::string("KEY is missing behind PRIMARY");
        auto& clause = append(kind::drop_index, tokens_);
        clause.index = index_kind::primary;
        clause.name = "PRIMARY";
        return {};
    }
    if (at_.accept_any({"INDEX", "KEY"})) return name_only(kind::drop_index, "index");
    if (at_.accept("FOREIGN")) {
        if (!at_.accept("KEY")) return std::string("KEY is missing behind FOREIGN");
        return name_only(kind::drop_foreign_key, "foreign key");
    }
    // CHECK is reserved since MySQL 8.0.16 only; "DROP check" alone is a column on older servers.
    if (at_.now().is("CHECK") && at_.ahead(1).is_identifier()) {
        at_.advance();
        return name_only(kind::drop_check, "check");
    }
    if (at_.accept("CONSTRAINT")) return name_only(kind::drop_constraint, "constraint");
    at_.accept("COLUMN");
    return name_only(kind::drop_column, "column");
}

result<void, std::string> alter_clause_reader::read_alter() {
    if (at_.accept_any({"INDEX", "KEY"})) return name_only(kind::alter_index, "index");
    if (at_.now().is("CHECK") && at_.ahead(1).is_identifier() && !at_.ahead(1).is("SET")) {
        at_.advance();
        return name_only(kind::alter_check, "check");
    }
    if (at_.accept("CONSTRAINT")) return name_only(kind::alter_check, "constraint");
    at_.accept("COLUMN");
    SLUICE_TRY_VOID(name_only(kind::alter_column, "column"));
    if (!at_.now().is("SET") && !at_.now().is("DROP")) return std::string("SET or DROP is missing");
    return {};
}

result<void, std::string> alter_clause_reader::read_rename() {
    if (at_.accept("COLUMN")) return rename_of(kind::rename_column, "column");
    if (at_.accept_any({"INDEX", "KEY"})) return rename_of(kind::rename_index, "index");
    if (!at_.accept_any({"TO", "AS"})) at_.accept_symbol('=');
    auto& clause = append(kind::rename_table, tokens_);
    SLUICE_TRY_VOID(read_name(at_, clause.new_name, "new table"));
    if (at_.accept_symbol('.')) return read_name(at_, clause.new_name, "new table");
    return {};
}

result<void, std::string> alter_clause_reader::read_change() {
    at_.accept("COLUMN");
    SLUICE_TRY_VOID(name_only(kind::change_column, "column"));
    auto& clause = clauses_.back();
    SLUICE_TRY_VOID(read_name(at_, clause.new_name, "changed column"));
    if (at_.done()) return "the type of column " + clause.new_name + " is missing";
    clause.columns.push_back(read_column_definition(clause.new_name, at_.rest()));
    return {};
}

result<void, std::string> alter_clause_reader::read_modify() {
    at_.accept("COLUMN");
    SLUICE_TRY_VOID(name_only(kind::modify_column, "column"));
    auto& clause = clauses_.back();
    if (at_.done()) return "the type of column " + clause.name + " is missing";
    clause.columns.push_back(read_column_definition(clause.name, at_.rest()));
    return {};
}

result<void, std::string> alter_clause_reader::read_convert() {
    if (!at_.accept("TO")) return std::string("TO is missing behind CONVERT");
    const bool said = at_.accept("CHARSET") || (at_.accept_any({"CHARACTER", "CHAR"}) && at_.accept("SET"));
    if (!said) return std::string("CHARACTER SET is missing behind CONVERT TO");
    if (at_.done()) return std::string("the name of the character set is missing");
    auto& clause = append(kind::convert_charset, tokens_);
    clause.value =
        at_.now().kind == token_kind::string ? string_text(at_.now(), options_) : identifier_text(at_.now(), options_);
    return {};
}

}  // namespace sluice::sql
