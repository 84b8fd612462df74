#pragma once

// The classifier's first half: what the leading keywords of a statement say. Internal to protocol/sql.
// Source of the implicit commits: MySQL 9.7 Reference Manual, "Statements That Cause an Implicit Commit".

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/sql/lexer.hpp"
#include "protocol/sql/statement_footprint.hpp"

namespace sluice::sql {

/// The first tokens of one statement, read as they are asked for. Hints are left out. Ends at a semicolon.
class statement_head {
public:
    static constexpr std::size_t tokens_max = 24;

    explicit statement_head(const lexer& at_statement) noexcept : lexer_(at_statement) {}

    /// The token at index; kind `end` behind the statement's end and behind tokens_max.
    [[nodiscard]] const token& at(std::size_t index) noexcept;
    [[nodiscard]] bool is(std::size_t index, std::string_view keyword) noexcept { return at(index).is(keyword); }

private:
    lexer lexer_;
    std::array<token, tokens_max> tokens_{};
    std::size_t count_ = 0;
    bool ended_ = false;
    token none_{};
};

/// Which identifiers of a statement might name tables.
enum class name_rule : std::uint8_t {
    none,
    all,
    after_from,  ///< those behind FROM or TABLE: what stands before names columns and variables
    after_show,  ///< SHOW: behind FROM, IN, TABLE, VIEW
    prepared,    ///< those of the string literal behind PREPARE ... FROM
};

struct head_reading {
    statement_kind kind = statement_kind::other;
    transaction_effect effect = transaction_effect::may_change;
    name_rule names = name_rule::all;
    bool touches_anything = true;
    bool rest_is_body = false;  ///< a stored program: semicolons separate nothing any more
};

[[nodiscard]] head_reading read_head(statement_head& head) noexcept;

/// Assignments of a SET statement; at_set stands before its first token.
void read_assignments(lexer at_set, const lexer_options& options, std::vector<assignment>& assignments);

}  // namespace sluice::sql
