#include "protocol/sql/alter_statement.hpp"

#include <algorithm>
#include <span>

#include "protocol/sql/alter_clause_reader.hpp"

namespace sluice::sql {

namespace {

using kind = alter_clause_kind;

constexpr std::size_t piece_bytes_max = 80;
// An ALTER of 1017 columns, InnoDB's most, with long definitions stays far below.
constexpr std::size_t tokens_max = 200'000;

class alter_reader {
public:
    alter_reader(std::string_view text, const lexer_options& options) : text_(text), options_(options) {}

    [[nodiscard]] result<alter_statement, alter_error> read() {
        SLUICE_TRY_VOID(read_tokens());
        SLUICE_TRY_VOID(read_prefix());
        if (at_.empty()) return error_at(text_, "the ALTER statement has no clauses");
        SLUICE_TRY_VOID(check_body());
        const auto tail = partition_tail();
        if (tail > 0) SLUICE_TRY_VOID(read_clauses(at_.first(tail)));
        if (tail < at_.size()) append_partition(at_.subspan(tail));
        return std::move(statement_);
    }

private:
    using outcome = result<void, alter_error>;

    [[nodiscard]] alter_error error_at(std::string_view piece, std::string_view message) const {
        const auto shown = piece.substr(0, piece_bytes_max);
        alter_error error;
        error.piece = std::string(shown);
        error.offset = static_cast<std::size_t>(piece.data() - text_.data());
        error.message = std::string(message);
        if (!shown.empty()) error.message += ", near \"" + error.piece + '"';
        return error;
    }

    [[nodiscard]] outcome read_tokens() {
        lexer lex(text_, options_);
        std::size_t depth = 0;
        token opened;
        bool ended = false;
        for (auto next = lex.next(); next.kind != token_kind::end; next = lex.next()) {
            if (next.kind == token_kind::hint) continue;
            if (next.is_symbol(';')) {
                if (!ended) body_end_ = next.text.data();
                ended = true;
                continue;
            }
            if (ended) return error_at(text_from(next), "only one statement is allowed");
            if (next.is_symbol('(') && depth++ == 0) opened = next;
            if (next.is_symbol(')') && depth-- == 0) return error_at(text_from(next), "a ) closes nothing");
            if (tokens_.size() >= tokens_max) return error_at(text_from(next), "the ALTER statement is too long");
            tokens_.push_back(next);
        }
        if (lex.trouble() == lexer_trouble::uncertain_comment) {
            return error_at(text_, "it has a " + std::string(to_string(lex.trouble())) + "; write what is meant");
        }
        if (lex.trouble() != lexer_trouble::none) {
            const auto piece = tokens_.empty() ? text_ : tokens_.back().text;
            return error_at(piece, "the text ends in an " + std::string(to_string(lex.trouble())));
        }
        if (depth > 0) return error_at(text_from(opened), "a ( is never closed");
        at_ = tokens_;
        if (body_end_ == nullptr) body_end_ = text_.data() + text_.size();
        return {};
    }

    [[nodiscard]] std::string_view text_from(const token& first) const {
        return text_.substr(static_cast<std::size_t>(first.text.data() - text_.data()));
    }

    /// Takes "ALTER TABLE t" off, if it is there, and sets the body.
    [[nodiscard]] outcome read_prefix() {
        const char* body_begin = text_.data();
        token_cursor at(at_);
        // "ALTER c SET DEFAULT 1" and "ALTER INDEX i VISIBLE" are clauses: only with TABLE is it a statement.
        const bool online = at.ahead(1).is("ONLINE") && at.ahead(2).is("TABLE");
        const bool ignore = at.ahead(1).is("IGNORE") && at.ahead(2).is("TABLE");
        if (at.now().is("ALTER") && (at.ahead(1).is("TABLE") || online || ignore)) {
            if (ignore) return error_at(at.ahead(1).text, "ALTER IGNORE loses rows and is refused");
            at.advance();
            at.accept("ONLINE");
            at.advance();
            at.accept_condition();
            table_name table;
            if (!at.now().is_identifier()) return error_at(text_, "the name of the table is missing");
            table.name = identifier_text(at.now(), options_);
            body_begin = at.now().text.data() + at.now().text.size();
            at.advance();
            if (at.accept_symbol('.')) {
                if (!at.now().is_identifier()) return error_at(text_, "the name of the table is missing");
                table.schema = std::exchange(table.name, identifier_text(at.now(), options_));
                body_begin = at.now().text.data() + at.now().text.size();
                at.advance();
            }
            statement_.table = std::move(table);
            at_ = at.rest();
        }
        std::string_view body(body_begin, static_cast<std::size_t>(body_end_ - body_begin));
        const auto first = std::min(body.find_first_not_of(" \t\r\n"), body.size());
        body.remove_prefix(first);
        body = body.substr(0, body.find_last_not_of(" \t\r\n") + 1);
        statement_.body = std::string(body);
        return {};
    }

    /// An executable comment that holds the prefix and a part of the body is torn apart by taking the prefix off.
    [[nodiscard]] outcome check_body() const {
        lexer lex(statement_.body, options_);
        std::size_t count = 0;
        for (auto next = lex.next(); next.kind != token_kind::end; next = lex.next()) {
            if (next.kind != token_kind::hint) ++count;
        }
        if (count == at_.size() && lex.trouble() == lexer_trouble::none) return {};
        return error_at(text_, "an executable comment begins before the clauses and ends within or behind them");
    }

    /// Index of the first token of a partitioning clause, which needs no comma before it and reaches to the end.
    [[nodiscard]] std::size_t partition_tail() const noexcept {
        std::size_t depth = 0;
        bool clause_begins = true;
        for (std::size_t i = 0; i < at_.size(); ++i) {
            const auto& now = at_[i];
            const auto follows = [&](std::string_view keyword) { return i + 1 < at_.size() && at_[i + 1].is(keyword); };
            if (now.is_symbol('(')) ++depth;
            if (now.is_symbol(')') && depth > 0) --depth;
            if (depth == 0 &&
                ((now.is("PARTITION") && follows("BY")) || (now.is("REMOVE") && follows("PARTITIONING")))) {
                return i;
            }
            static constexpr std::string_view operations[]{"ADD",      "DROP",    "TRUNCATE", "COALESCE", "REORGANIZE",
                                                           "EXCHANGE", "ANALYZE", "CHECK",    "OPTIMIZE", "REBUILD",
                                                           "REPAIR",   "DISCARD", "IMPORT",   "CONVERT"};
            if (clause_begins && follows("PARTITION") &&
                std::any_of(std::begin(operations), std::end(operations), [&](auto word) { return now.is(word); })) {
                return i;
            }
            clause_begins = depth == 0 && now.is_symbol(',');
        }
        return at_.size();
    }

    void append_partition(std::span<const token> tokens) {
        alter_clause clause;
        clause.kind = kind::partition;
        clause.text = std::string(source_of(tokens));
        clause.value = std::string(source_of(tokens.first(std::min<std::size_t>(2, tokens.size()))));
        statement_.clauses.push_back(std::move(clause));
    }

    [[nodiscard]] outcome read_clauses(std::span<const token> tokens) {
        auto pieces = split_at_commas(tokens);
        // "ADD c INT, PARTITION BY ..." leaves an empty piece that is not an error of the operator's.
        if (tokens.size() < at_.size() && pieces.size() > 1 && pieces.back().empty()) pieces.pop_back();
        for (const auto piece : pieces) {
            if (piece.empty()) return error_at(text_, "there is a comma with no clause before or behind it");
            if (continues_order_by(piece)) {
                const auto end = source_of(piece);
                statement_.clauses.back().text = std::string(order_by_, end.data() + end.size());
                continue;
            }
            order_by_ = piece.front().text.data();
            alter_clause_reader reader(piece, options_, statement_.clauses);
            const auto done = reader.read();
            if (done.has_error()) return error_at(source_of(piece), done.error());
            SLUICE_TRY_VOID(check_allowed(piece));
        }
        return {};
    }

    /// "ORDER BY a, b": no clause begins with a plain name.
    [[nodiscard]] bool continues_order_by(std::span<const token> piece) const {
        if (statement_.clauses.empty() || statement_.clauses.back().kind != kind::order_by) return false;
        if (piece.front().kind == token_kind::quoted_identifier) return true;
        const bool direction = piece.size() == 2 && (piece[1].is("ASC") || piece[1].is("DESC"));
        return piece.front().kind == token_kind::word && (piece.size() == 1 || direction) && !piece.front().is("FORCE");
    }

    [[nodiscard]] outcome check_allowed(std::span<const token> piece) const {
        const auto& last = statement_.clauses.back();
        if (last.kind == kind::rename_table) {
            return error_at(source_of(piece), "renaming the table is refused: the cut-over gives it its name");
        }
        if (last.kind == kind::tablespace) return error_at(source_of(piece), "tablespace operations are refused");
        return {};
    }

    std::string_view text_;
    const lexer_options& options_;
    std::vector<token> tokens_;
    std::span<const token> at_;
    const char* body_end_ = nullptr;
    const char* order_by_ = nullptr;  // where the last clause begins that is not part of an ORDER BY's list
    alter_statement statement_;
};

}  // namespace

std::string_view to_string(alter_clause_kind what) noexcept {
    switch (what) {
        case kind::add_column: return "ADD COLUMN";
        case kind::drop_column: return "DROP COLUMN";
        case kind::modify_column: return "MODIFY COLUMN";
        case kind::change_column: return "CHANGE COLUMN";
        case kind::rename_column: return "RENAME COLUMN";
        case kind::alter_column: return "ALTER COLUMN";
        case kind::add_index: return "ADD INDEX";
        case kind::drop_index: return "DROP INDEX";
        case kind::rename_index: return "RENAME INDEX";
        case kind::alter_index: return "ALTER INDEX";
        case kind::add_foreign_key: return "ADD FOREIGN KEY";
        case kind::drop_foreign_key: return "DROP FOREIGN KEY";
        case kind::add_check: return "ADD CHECK";
        case kind::drop_check: return "DROP CHECK";
        case kind::alter_check: return "ALTER CHECK";
        case kind::drop_constraint: return "DROP CONSTRAINT";
        case kind::rename_table: return "RENAME TO";
        case kind::convert_charset: return "CONVERT TO CHARACTER SET";
        case kind::default_charset: return "DEFAULT CHARACTER SET";
        case kind::engine: return "ENGINE";
        case kind::auto_increment: return "AUTO_INCREMENT";
        case kind::row_format: return "ROW_FORMAT";
        case kind::algorithm: return "ALGORITHM";
        case kind::lock: return "LOCK";
        case kind::order_by: return "ORDER BY";
        case kind::force: return "FORCE";
        case kind::keys_state: return "ENABLE or DISABLE KEYS";
        case kind::validation: return "WITH or WITHOUT VALIDATION";
        case kind::tablespace: return "TABLESPACE";
        case kind::partition: return "PARTITION";
        case kind::table_option: return "table option";
    }
    return "unknown";
}

std::optional<std::string> alter_statement::new_name_of(std::string_view column) const {
    for (const auto& clause : clauses) {
        if (!equal_ignoring_case(clause.name, column)) continue;
        if (clause.kind == kind::drop_column) return std::nullopt;
        if (clause.kind == kind::change_column || clause.kind == kind::rename_column) return clause.new_name;
    }
    return std::string(column);
}

bool alter_statement::has(alter_clause_kind what) const noexcept {
    return std::any_of(clauses.begin(), clauses.end(), [&](const auto& clause) { return clause.kind == what; });
}

bool alter_statement::adds_unique_key() const noexcept {
    return std::any_of(clauses.begin(), clauses.end(), [](const alter_clause& clause) {
        const bool index = clause.kind == kind::add_index &&
                           (clause.index == index_kind::unique || clause.index == index_kind::primary);
        return index || std::any_of(clause.columns.begin(), clause.columns.end(), [](const added_column& column) {
                   return column.key == index_kind::unique || column.key == index_kind::primary;
               });
    });
}

result<alter_statement, alter_error> parse_alter(std::string_view text, const lexer_options& options) {
    return alter_reader(text, options).read();
}

}  // namespace sluice::sql
