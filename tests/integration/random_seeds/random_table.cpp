#include "tests/integration/random_seeds/random_table.hpp"

#include "migration/sql/identifier.hpp"

#include <algorithm>

namespace sluice::test {
namespace {

using migration::quote_identifier;

std::string column_name(std::size_t n, dice& dice) {
    // Among plain ones some that a careless hand would trip over.
    static const std::vector<std::string> names{"order", "Größe", "with`tick", "drop column",
                                                "a.b",   "Key",   "$1",        "日本"};
    if (dice.percent(12)) return dice.pick(names) + std::to_string(n);
    return "c" + std::to_string(n);
}

std::vector<std::string> names_of(const random_table& table, const std::vector<std::size_t>& columns) {
    std::vector<std::string> names;
    for (const auto column : columns) names.push_back(quote_identifier(table.columns[column].name));
    return names;
}

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const auto& part : parts) text += (text.empty() ? "" : ", ") + part;
    return text;
}

table_column key_column(server_kind server, std::size_t n, dice& dice) {
    table_column column;
    column.name = column_name(n, dice);
    do column.type = random_key_type(server, dice);
    while (key_values(column.type) < 2);
    column.nullable = false;
    return column;
}

// One to three columns; the last one has values enough, if not always.
void draw_anchor(random_table& table, dice& dice) {
    const std::size_t count = dice.percent(60) ? 1 : dice.between(2, 3);
    for (std::size_t i = 0; i < count; ++i) {
        auto column = key_column(table.server, table.columns.size(), dice);
        while (i + 1 == count && key_values(column.type) < 100 && dice.percent(80)) {
            column = key_column(table.server, table.columns.size(), dice);
        }
        table.anchor.push_back(table.columns.size());
        table.columns.push_back(std::move(column));
    }
    auto& first = table.columns.front();
    if (count == 1 && first.type.kind == value_kind::integer && dice.percent(50)) first.attributes = "AUTO_INCREMENT";
}

void add_index(random_table& table, std::string name, bool unique, std::vector<std::size_t> columns,
               const std::string& parts) {
    const std::string head =
        name == "PRIMARY" ? "PRIMARY KEY" : (unique ? "UNIQUE KEY " : "KEY ") + quote_identifier(name);
    table.indexes.push_back({std::move(name), unique, std::move(columns), head + " (" + parts + ")"});
}

// The anchor is the primary key, or a unique one beside another primary key or none.
void draw_keys(random_table& table, dice& dice) {
    auto anchor = table.anchor;
    if (anchor.size() > 1 && dice.percent(50)) std::swap(anchor.front(), anchor.back());
    const auto which = dice.below(100);
    std::string anchor_name = which < 70 ? "PRIMARY" : "u_anchor";
    std::string parts;
    for (const auto& name : names_of(table, anchor)) {
        const bool descending = table.server == server_kind::mysql_9_7 && dice.percent(8);
        parts += (parts.empty() ? "" : ", ") + name + (descending ? " DESC" : "");
    }
    add_index(table, anchor_name, true, anchor, parts);
    if (which >= 70 && which < 90) {
        auto column = key_column(table.server, table.columns.size(), dice);
        while (key_values(column.type) < 1'000) column = key_column(table.server, table.columns.size(), dice);
        table.columns.push_back(std::move(column));
        add_index(table, "PRIMARY", true, {table.columns.size() - 1}, quote_identifier(table.columns.back().name));
    }
}

void draw_unique_key(random_table& table, std::size_t number, dice& dice) {
    const std::size_t count = dice.percent(70) ? 1 : 2;
    std::vector<std::size_t> columns;
    for (std::size_t i = 0; i < count; ++i) {
        auto column = key_column(table.server, table.columns.size(), dice);
        while (key_values(column.type) < 1'000 && i + 1 == count) {
            column = key_column(table.server, table.columns.size(), dice);
        }
        column.nullable = dice.percent(40) && column.type.kind != value_kind::timestamp;
        columns.push_back(table.columns.size());
        table.columns.push_back(std::move(column));
    }
    add_index(table, "u" + std::to_string(number), true, columns, joined(names_of(table, columns)));
}

void draw_plain_index(random_table& table, std::size_t number, dice& dice) {
    std::vector<std::size_t> columns;
    std::string parts;
    for (std::size_t i = dice.between(1, 2); i > 0; --i) {
        const auto column = dice.below(table.columns.size());
        const auto part = key_part_of(table, column, dice);
        if (part.empty() || std::ranges::find(columns, column) != columns.end()) continue;
        columns.push_back(column);
        parts += (parts.empty() ? "" : ", ") + part;
    }
    if (!columns.empty()) add_index(table, "k" + std::to_string(number), false, columns, parts);
}

void draw_special_index(random_table& table, dice& dice) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        const auto& column = table.columns[i];
        const bool fulltext = column.type.kind == value_kind::text && column.generated.empty();
        const bool spatial =
            column.type.kind == value_kind::point && !column.nullable && table.server == server_kind::mariadb_10_11;
        if (!(fulltext && dice.percent(4)) && !(spatial && dice.percent(50))) continue;
        const std::string name = "f" + std::to_string(i);
        table.indexes.push_back(
            {name,
             false,
             {i},
             (fulltext ? "FULLTEXT KEY " : "SPATIAL KEY ") + name + " (" + quote_identifier(column.name) + ")"});
        return;
    }
}

std::string draw_options(server_kind server, const std::string& charset, dice& dice) {
    std::string options = "ENGINE=InnoDB DEFAULT CHARSET=" + charset;
    // Keys of four bytes a character need rows that keep long prefixes, which is the default but on 5.6.
    if (server != server_kind::mysql_5_6 && dice.percent(15)) options += " ROW_FORMAT=DYNAMIC";
    if (server != server_kind::mysql_5_6 && dice.percent(8)) options += " ROW_FORMAT=COMPRESSED";
    if (dice.percent(10)) options += " COMMENT='add column `x` int, drop ''y'''";
    return options;
}

void draw_time_column(random_table& table, dice& dice) {
    table_column column;
    column.name = "changed_at";
    const bool exact = dice.percent(50);
    column.type.kind = dice.percent(50) ? value_kind::timestamp : value_kind::datetime;
    column.type.scale = exact ? 6 : 0;
    const std::string digits = exact ? "(6)" : "";
    column.type.sql = (column.type.kind == value_kind::timestamp ? "TIMESTAMP" : "DATETIME") + digits;
    column.nullable = false;
    column.attributes = "DEFAULT CURRENT_TIMESTAMP" + digits + " ON UPDATE CURRENT_TIMESTAMP" + digits;
    column.sets_itself = true;
    table.columns.push_back(std::move(column));
}

// Columns may stand in any order; the positions in keys follow.
void shuffle(random_table& table, dice& dice) {
    std::vector<std::size_t> order(table.columns.size()), place(table.columns.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    for (std::size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[dice.below(i + 1)]);
    std::vector<table_column> columns;
    for (std::size_t i = 0; i < order.size(); ++i) {
        place[order[i]] = i;
        columns.push_back(table.columns[order[i]]);
    }
    table.columns = std::move(columns);
    for (auto& column : table.anchor) column = place[column];
    for (auto& index : table.indexes) {
        for (auto& column : index.columns) column = place[column];
    }
}

}  // namespace

std::string table_column::shape() const { return type.sql + (nullable ? " NULL" : " NOT NULL"); }

std::string table_column::definition() const {
    std::string text = quote_identifier(name) + " ";
    if (!generated.empty()) return text + type.sql + " " + generated;
    text += shape();
    if (!default_literal.empty()) text += " DEFAULT " + default_literal;
    return attributes.empty() ? text : text + " " + attributes;
}

std::string random_table::create_statement(const std::string& name) const {
    std::string text = "CREATE TABLE " + name + " (";
    for (std::size_t i = 0; i < columns.size(); ++i) text += (i == 0 ? "\n  " : ",\n  ") + columns[i].definition();
    for (const auto& index : indexes) text += ",\n  " + index.sql;
    return text + checks + "\n) " + options;
}

bool random_table::in_anchor(std::size_t column) const { return std::ranges::find(anchor, column) != anchor.end(); }

bool random_table::in_unique_key(std::size_t column) const {
    return std::ranges::any_of(indexes, [&](const table_index& index) {
        return index.unique && std::ranges::find(index.columns, column) != index.columns.end();
    });
}

std::vector<std::string> random_table::anchor_values(std::uint64_t n) const {
    std::vector<std::string> values;
    // With the greatest value of its type a counter stands still; where the ALTER widens the type, the server leaves it
    // there, and a table that is filled anew has gone on.
    if (columns[anchor.back()].attributes.starts_with("AUTO_INCREMENT")) n += 2;
    for (std::size_t i = 0; i < anchor.size(); ++i) {
        const auto& type = columns[anchor[i]].type;
        if (i + 1 == anchor.size()) {
            values.push_back(key_value(type, n));
        } else {
            const auto few = std::min<std::uint64_t>(key_values(type), 5);
            values.push_back(key_value(type, n % few));
            n /= few;
        }
    }
    return values;
}

std::uint64_t random_table::addresses() const {
    std::uint64_t count = key_values(columns[anchor.back()].type);
    for (std::size_t i = 0; i + 1 < anchor.size(); ++i) {
        count *= std::min<std::uint64_t>(key_values(columns[anchor[i]].type), 5);
    }
    if (columns[anchor.back()].attributes.starts_with("AUTO_INCREMENT")) count -= 2;
    return count;
}

table_column draw_column(server_kind server, const std::string& name, dice& dice) {
    table_column column;
    column.name = name;
    column.type = random_type(server, dice);
    // A TIMESTAMP without either may get defaults of its own, by a server's configuration.
    column.nullable = dice.percent(60) || column.type.kind == value_kind::timestamp;
    const bool special = column.type.kind == value_kind::uuid || column.type.kind == value_kind::inet6;
    if (!column.type.is_lob && !special && dice.percent(60)) {
        column.default_literal =
            column.nullable && dice.percent(40) ? "NULL" : value_pool(column.type, server, dice).front();
    }
    if (dice.percent(10)) column.attributes = "COMMENT 'it''s `x` -- not; add column'";
    if (server != server_kind::mysql_5_6 && dice.percent(6) && (column.nullable || !column.default_literal.empty())) {
        column.attributes += column.attributes.empty() ? "INVISIBLE" : " INVISIBLE";
    }
    return column;
}

std::optional<table_column> draw_generated(const random_table& table, const std::string& name, dice& dice) {
    if (table.server == server_kind::mysql_5_6) return std::nullopt;
    const auto& base = table.columns[dice.below(table.columns.size())];
    if (!base.generated.empty() || base.attributes.starts_with("AUTO_INCREMENT")) return std::nullopt;
    const std::string of = quote_identifier(base.name);
    table_column column;
    column.name = name;
    std::string expression;
    switch (base.type.kind) {
        case value_kind::integer:
            column.type = integer_type(8, base.type.is_unsigned);
            expression = dice.percent(50) ? of + " DIV 3" : of + " % 7";
            break;
        case value_kind::text:
            column.type =
                dice.percent(50) ? text_type(90, base.type.charset, base.type.collation) : integer_type(4, false);
            expression =
                column.type.kind == value_kind::text ? "CONCAT(LEFT(" + of + ", 8), 'x')" : "CHAR_LENGTH(" + of + ")";
            break;
        case value_kind::binary:
            column.type = integer_type(4, false);
            expression = "LENGTH(" + of + ")";
            break;
        case value_kind::date:
        case value_kind::datetime:
            column.type = integer_type(4, false);
            expression = "YEAR(" + of + ")";
            break;
        case value_kind::json:
            column.type = text_type(40, "utf8mb4", "utf8mb4_bin");
            expression = "LEFT(JSON_UNQUOTE(JSON_EXTRACT(" + of + ", '$.k')), 20)";
            break;
        case value_kind::member:
        case value_kind::decimal:
            column.type = integer_type(4, false);
            expression = of + " IS NULL";
            break;
        default: return std::nullopt;
    }
    column.generated = "GENERATED ALWAYS AS (" + expression + ") " + (dice.percent(50) ? "STORED" : "VIRTUAL");
    return column;
}

std::string key_part_of(const random_table& table, std::size_t column, dice& dice) {
    const auto& one = table.columns[column];
    const std::string name = quote_identifier(one.name);
    const bool texts = one.type.kind == value_kind::text || one.type.kind == value_kind::binary;
    if (texts && (one.type.is_lob || dice.percent(25))) {
        return name + "(" + std::to_string(dice.between(1, 3)) + ")";
    }
    if (one.type.is_lob) return {};
    const bool descending = table.server == server_kind::mysql_9_7 && dice.percent(15);
    return name + (descending ? " DESC" : "");
}

std::string draw_partitions(const random_table& table, dice& dice) {
    // Each unique key must hold the columns that rows are parted by.
    const auto count = std::ranges::count_if(table.indexes, &table_index::unique);
    const auto& column = table.columns[table.anchor.front()];
    const bool special = std::ranges::any_of(table.indexes, [](const auto& index) { return index.name[0] == 'f'; });
    if (count != 1 || special || column.type.kind == value_kind::bit) return {};
    // There a counter at its end is shown with one more or less, as partitions count.
    if (table.server == server_kind::mysql_5_6 && column.attributes.starts_with("AUTO_INCREMENT")) return {};
    if (column.type.kind == value_kind::integer && !column.type.is_unsigned && dice.percent(40)) {
        return "PARTITION BY RANGE (" + quote_identifier(column.name) +
               ") (PARTITION p0 VALUES LESS THAN (-10), PARTITION p1 VALUES LESS THAN (60), PARTITION p2 VALUES LESS "
               "THAN MAXVALUE)";
    }
    return "PARTITION BY KEY (" + quote_identifier(column.name) + ") PARTITIONS " + std::to_string(dice.between(2, 4));
}

random_table draw_table(server_kind server, dice& dice) {
    random_table table;
    table.server = server;
    draw_anchor(table, dice);
    draw_keys(table, dice);
    for (std::size_t n = dice.percent(35) ? dice.between(1, 2) : 0; n > 0; --n) draw_unique_key(table, n, dice);
    for (std::size_t n = dice.between(2, 7); n > 0; --n) {
        table.columns.push_back(draw_column(server, column_name(table.columns.size(), dice), dice));
    }
    if (dice.percent(12)) draw_time_column(table, dice);
    for (std::size_t n = dice.percent(40) ? dice.between(1, 2) : 0; n > 0; --n) {
        auto column = draw_generated(table, "g" + std::to_string(n), dice);
        if (column) table.columns.push_back(std::move(*column));
    }
    for (std::size_t n = dice.below(3); n > 0; --n) draw_plain_index(table, n, dice);
    draw_special_index(table, dice);
    static const std::vector<std::string> charsets{"utf8mb4", "utf8mb4", "latin1", "utf8", "ucs2"};
    table.charset = dice.pick(charsets);
    table.options = draw_options(server, table.charset, dice);
    if (server != server_kind::mysql_5_6 && dice.percent(15)) {
        const std::string name = quote_identifier(table.columns.back().name);
        table.checks = std::string(",\n  ") + (dice.percent(50) ? "CONSTRAINT `the check` " : "") + "CHECK (" + name +
                       " IS NULL OR LENGTH(" + name + ") < 1000000)";
    }
    shuffle(table, dice);
    if (dice.percent(10)) table.options += " " + draw_partitions(table, dice);
    const auto wanted = dice.between(60, 420);
    table.rows = std::min<std::uint64_t>(wanted, table.addresses());
    return table;
}

}  // namespace sluice::test
