#include <algorithm>
#include <array>

#include "protocol/sql/alter_clause_reader.hpp"

namespace sluice::sql {

namespace {

using kind = alter_clause_kind;

/// Options written `NAME [=] value`, whose value is one token or a list in parentheses.
constexpr std::array option_names = std::to_array<std::string_view>({
    "ALGORITHM",
    "AUTOEXTEND_SIZE",
    "AUTO_INCREMENT",
    "AVG_ROW_LENGTH",
    "CHARSET",
    "CHECKSUM",
    "COLLATE",
    "COMMENT",
    "COMPRESSION",
    "CONNECTION",
    "DELAY_KEY_WRITE",
    "ENCRYPTED",
    "ENCRYPTION",
    "ENCRYPTION_KEY_ID",
    "ENGINE",
    "ENGINE_ATTRIBUTE",
    "IETF_QUOTES",
    "INSERT_METHOD",
    "KEY_BLOCK_SIZE",
    "LOCK",
    "MAX_ROWS",
    "MIN_ROWS",
    "PACK_KEYS",
    "PAGE_CHECKSUM",
    "PAGE_COMPRESSED",
    "PAGE_COMPRESSION_LEVEL",
    "PASSWORD",
    "ROW_FORMAT",
    "SECONDARY_ENGINE",
    "SECONDARY_ENGINE_ATTRIBUTE",
    "SEQUENCE",
    "STATS_AUTO_RECALC",
    "STATS_PERSISTENT",
    "STATS_SAMPLE_PAGES",
    "STORAGE",
    "TABLESPACE",
    "TRANSACTIONAL",
    "TYPE",
    "UNION",
});

[[nodiscard]] std::string_view known_option(const token& word) noexcept {
    const auto* found =
        std::find_if(option_names.begin(), option_names.end(), [&](auto name) { return word.is(name); });
    return found == option_names.end() ? std::string_view() : *found;
}

[[nodiscard]] kind kind_of(std::string_view option) noexcept {
    if (option == "ALGORITHM") return kind::algorithm;
    if (option == "LOCK") return kind::lock;
    if (option == "ENGINE") return kind::engine;
    if (option == "AUTO_INCREMENT") return kind::auto_increment;
    if (option == "ROW_FORMAT") return kind::row_format;
    if (option == "CHARACTER SET" || option == "CHARSET" || option == "COLLATE") return kind::default_charset;
    return kind::table_option;
}

/// The option's name at the cursor, which goes behind it; empty if there is none.
[[nodiscard]] std::string take_option_name(token_cursor& at) {
    if (at.now().is("DEFAULT")) {
        const auto& next = at.ahead(1);
        if (!next.is("CHARACTER") && !next.is("CHARSET") && !next.is("COLLATE") && !next.is("CHAR")) return {};
        at.advance();
    }
    if ((at.now().is("CHARACTER") || at.now().is("CHAR")) && at.ahead(1).is("SET")) {
        at.advance();
        at.advance();
        return "CHARACTER SET";
    }
    if ((at.now().is("DATA") || at.now().is("INDEX")) && at.ahead(1).is("DIRECTORY")) {
        std::string name = at.now().is("DATA") ? "DATA DIRECTORY" : "INDEX DIRECTORY";
        at.advance();
        at.advance();
        return name;
    }
    std::string name(known_option(at.now()));
    if (!name.empty()) at.advance();
    return name;
}

}  // namespace

result<void, std::string> alter_clause_reader::read_table_options() {
    while (!at_.done()) {
        const auto begin = at_.position();
        const auto first = at_.now();
        const auto name = take_option_name(at_);
        if (name.empty()) return "no clause of ALTER TABLE begins with \"" + std::string(first.text) + '"';
        at_.accept_symbol('=');
        if (at_.done()) return "the value of " + name + " is missing";
        std::string value;
        if (at_.now().is_symbol('(')) {
            const auto list = at_.take_parenthesised();
            if (!list.empty()) value = std::string(source_of(list));
        } else {
            value = at_.now().kind == token_kind::string ? string_text(at_.now(), options_)
                                                         : identifier_text(at_.now(), options_);
            at_.advance();
        }
        auto& clause = append(kind_of(name), tokens_.subspan(begin, at_.position() - begin));
        clause.name = name;
        // A collation names no character set.
        if (name != "COLLATE") clause.value = std::move(value);
    }
    return {};
}

added_column read_column_definition(std::string name, std::span<const token> definition) {
    added_column column;
    column.name = std::move(name);
    const auto make_serial = [&column] {
        column.not_null = true;
        column.auto_increment = true;
        column.key = index_kind::unique;
    };
    token_cursor at(definition);
    if (at.accept("SERIAL")) make_serial();
    while (!at.done()) {
        if (at.now().is_symbol('(')) {
            (void)at.take_parenthesised();
        } else if (at.accept("AFTER") || at.accept("COMMENT") || at.accept("COLLATE") || at.accept("REFERENCES")) {
            at.advance();
        } else if (at.accept("NOT")) {
            if (at.accept("NULL")) column.not_null = true;
        } else if (at.accept("SERIAL")) {
            if (at.accept("DEFAULT") && at.accept("VALUE")) make_serial();
        } else if (at.accept("AUTO_INCREMENT")) {
            column.auto_increment = true;
        } else if (at.accept("DEFAULT")) {
            column.has_default = true;
        } else if (at.accept("AS") || at.accept("GENERATED")) {
            column.generated = true;
        } else if (at.accept("UNIQUE")) {
            at.accept("KEY");
            if (column.key == index_kind::plain) column.key = index_kind::unique;
        } else if (at.accept("PRIMARY") || at.accept("KEY")) {
            at.accept("KEY");
            column.key = index_kind::primary;
        } else {
            at.advance();
        }
    }
    return column;
}

}  // namespace sluice::sql
