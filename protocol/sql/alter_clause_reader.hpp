#pragma once

// Reads one clause of an ALTER TABLE, cut out at its commas. Internal to protocol/sql.

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/result.hpp"
#include "protocol/sql/alter_statement.hpp"
#include "protocol/sql/lexer.hpp"

namespace sluice::sql {

/// Moves over the tokens of a clause; behind the last one every token is `end`.
class token_cursor {
public:
    explicit token_cursor(std::span<const token> tokens) noexcept : tokens_(tokens) {}

    [[nodiscard]] const token& now() const noexcept { return ahead(0); }
    [[nodiscard]] const token& ahead(std::size_t count) const noexcept {
        static constexpr token none{};
        return position_ + count < tokens_.size() ? tokens_[position_ + count] : none;
    }
    [[nodiscard]] bool done() const noexcept { return position_ >= tokens_.size(); }
    [[nodiscard]] std::size_t position() const noexcept { return position_; }
    void advance() noexcept {
        if (!done()) ++position_;
    }
    bool accept(std::string_view keyword) noexcept {
        if (!now().is(keyword)) return false;
        advance();
        return true;
    }
    bool accept_any(std::initializer_list<std::string_view> keywords) noexcept;
    bool accept_symbol(char c) noexcept {
        if (!now().is_symbol(c)) return false;
        advance();
        return true;
    }
    /// IF EXISTS or IF NOT EXISTS.
    bool accept_condition() noexcept;
    /// At an opening parenthesis: what it encloses; goes behind the closing one.
    [[nodiscard]] std::span<const token> take_parenthesised() noexcept;
    [[nodiscard]] std::span<const token> rest() const noexcept { return tokens_.subspan(position_); }

private:
    std::span<const token> tokens_;
    std::size_t position_ = 0;
};

/// Cuts at the commas outside parentheses. An empty input gives one empty piece.
[[nodiscard]] std::vector<std::span<const token>> split_at_commas(std::span<const token> tokens);

/// The source text that the tokens span. tokens must not be empty.
[[nodiscard]] std::string_view source_of(std::span<const token> tokens) noexcept;

/// Reads a clause and appends it; several where table options stand side by side or parentheses hold several elements.
/// The error is what is missing or wrong, to be completed with the clause's text by the caller.
class alter_clause_reader {
public:
    alter_clause_reader(std::span<const token> clause, const lexer_options& options,
                        std::vector<alter_clause>& clauses) noexcept
        : tokens_(clause), at_(clause), options_(options), clauses_(clauses) {}

    [[nodiscard]] result<void, std::string> read();

private:
    using outcome = result<void, std::string>;

    [[nodiscard]] outcome read_add();
    [[nodiscard]] outcome read_drop();
    [[nodiscard]] outcome read_alter();
    [[nodiscard]] outcome read_rename();
    [[nodiscard]] outcome read_change();
    [[nodiscard]] outcome read_modify();
    [[nodiscard]] outcome read_convert();
    [[nodiscard]] outcome read_table_options();
    /// Index or constraint, at its first word; nullopt error if there is neither.
    [[nodiscard]] bool at_key_or_constraint() const noexcept;
    [[nodiscard]] outcome read_key_or_constraint(token_cursor& at, std::span<const token> source);
    [[nodiscard]] outcome read_added_columns();
    [[nodiscard]] outcome read_name(token_cursor& at, std::string& name, std::string_view of_what) const;
    [[nodiscard]] outcome name_only(alter_clause_kind kind, std::string_view of_what);
    [[nodiscard]] outcome rename_of(alter_clause_kind kind, std::string_view of_what);

    alter_clause& append(alter_clause_kind kind, std::span<const token> source);

    std::span<const token> tokens_;
    token_cursor at_;
    const lexer_options& options_;
    std::vector<alter_clause>& clauses_;
};

/// What the definition behind a column's name says outright. definition: tokens from the type on.
[[nodiscard]] added_column read_column_definition(std::string name, std::span<const token> definition);

}  // namespace sluice::sql
