#include "tests/integration/random_seeds/random_writes.hpp"

#include "migration/sql/identifier.hpp"

#include <algorithm>
#include <array>

namespace sluice::test {
namespace {

using migration::quote_identifier;
using way = column_source::way;

std::string joined(const std::vector<std::string>& parts, const char* separator = ", ") {
    std::string text;
    for (const auto& part : parts) text += (text.empty() ? "" : separator) + part;
    return text;
}

write_step step(std::string before, std::string after) { return {std::move(before), std::move(after), false}; }
write_step once(std::string text) { return {std::move(text), {}, true}; }

}  // namespace

write_plan::write_plan(const random_table& table, const std::vector<column_source>& sources, std::uint64_t seed,
                       unsigned writer, unsigned writers)
    : table_(table), sources_(sources), dice_(seed * 31 + writer), writer_(writer), writers_(writers), seed_(seed) {
    for (std::size_t n = 0; n < sources.size(); ++n) {
        if (sources[n].from == way::nowhere || sources[n].from == way::address) continue;
        data_.push_back(n);
        if (sources[n].from != way::serial) common_.push_back(n);
        if (sources[n].from != way::pool) unique_.push_back(n);
    }
}

std::string write_plan::value_of(std::size_t column) {
    const auto& source = sources_[column];
    const auto& type = table_.columns[column].type;
    if (source.from == way::pool) return dice_.pick(source.pool);
    if (source.nullable && dice_.percent(15)) return "NULL";
    // Of a date the first value is zero, which cannot be converted.
    const std::uint64_t first = source.keeps_its_type || key_values(type) <= variants ? 0 : variants;
    if (source.from == way::number) {
        return key_value(type, first + dice_.below(std::min<std::uint64_t>(key_values(type) - first, 3 * table_.rows)));
    }
    const auto number = variants * (serial_++ * (writers_ + 1) + writer_);
    return key_value(type, first + number % (key_values(type) - first));
}

write_plan::literals write_plan::any_address() { return table_.anchor_values(dice_.below(table_.rows)); }

write_plan::literals write_plan::row_at(const literals& address, bool whole) {
    literals values(table_.columns.size());
    for (std::size_t n = 0; n < values.size(); ++n) {
        const auto& source = sources_[n];
        if (source.from == way::nowhere || source.from == way::address) continue;
        if (!whole && source.may_be_left_out && dice_.percent(20)) continue;
        values[n] = value_of(n);
    }
    for (std::size_t i = 0; i < address.size(); ++i) values[table_.anchor[i]] = address[i];
    return values;
}

write_plan::literals write_plan::any_row() { return row_at(any_address(), dice_.percent(50)); }

std::string write_plan::where(const literals& address) const {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < address.size(); ++i) {
        parts.push_back(quote_identifier(table_.columns[table_.anchor[i]].name) + " = " + address[i]);
    }
    return " WHERE " + joined(parts, " AND ");
}

// Several rows, in the order of their addresses: the same one in both tables.
std::string write_plan::where_any(unsigned count) {
    std::vector<std::string> names;
    for (const auto column : table_.anchor) names.push_back(quote_identifier(table_.columns[column].name));
    std::vector<std::string> conditions;
    for (unsigned i = 0; i < count; ++i) conditions.push_back("(" + where(any_address()).substr(7) + ")");
    return " WHERE " + joined(conditions, " OR ") + " ORDER BY " + joined(names);
}

std::size_t write_plan::pick_column(const std::vector<std::size_t>& columns) { return dice_.pick(columns); }

std::string write_plan::assignments(bool of_one_row) {
    const auto& columns = of_one_row ? data_ : common_;
    std::vector<std::string> parts;
    for (std::size_t count = std::min<std::size_t>(dice_.between(1, 3), columns.size()); count > 0; --count) {
        const auto column = pick_column(columns);
        parts.push_back(quote_identifier(table_.columns[column].name) + " = " + value_of(column));
    }
    return parts.empty() ? assign_address(any_address()) : joined(parts);
}

std::string write_plan::assign_address(const literals& address) const {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < address.size(); ++i) {
        parts.push_back(quote_identifier(table_.columns[table_.anchor[i]].name) + " = " + address[i]);
    }
    return joined(parts);
}

// Rows of one statement leave out the same columns: those that the first one leaves out.
std::string write_plan::rows_text(const char* verb, const std::vector<literals>& lines) const {
    std::vector<std::string> names, texts;
    for (std::size_t n = 0; n < table_.columns.size(); ++n) {
        if (!lines.front()[n].empty()) names.push_back(quote_identifier(table_.columns[n].name));
    }
    for (const auto& line : lines) {
        std::vector<std::string> values;
        for (std::size_t n = 0; n < line.size(); ++n) {
            if (!lines.front()[n].empty()) values.push_back(line[n]);
        }
        texts.push_back("(" + joined(values) + ")");
    }
    return " (" + joined(names) + ") " + verb + " " + joined(texts);
}

void write_plan::insert(random_transaction& into) {
    std::vector<literals> lines{any_row()};
    for (std::size_t more = dice_.percent(5) ? 15 : dice_.below(4); more > 0; --more) {
        lines.push_back(row_at(any_address(), true));
    }
    into.steps.push_back(step("INSERT INTO ", rows_text("VALUES", lines)));
}

void write_plan::update(random_transaction& into) {
    const bool one_row = dice_.percent(70);
    const std::string lines = one_row ? where(any_address()) : where_any(dice_.percent(10) ? 20 : 4);
    into.steps.push_back(step("UPDATE ", " SET " + assignments(one_row) + lines));
}

void write_plan::compute(random_transaction& into) {
    std::vector<std::size_t> fit;
    for (const auto n : data_) {
        const auto kind = table_.columns[n].type.kind;
        const bool computable = kind == value_kind::json || kind == value_kind::integer || kind == value_kind::real;
        if (sources_[n].from == way::pool && sources_[n].keeps_its_type && computable) fit.push_back(n);
    }
    if (fit.empty() || (table_.server != server_kind::mysql_9_7 && dice_.percent(50))) return update(into);
    const auto n = pick_column(fit);
    const std::string name = quote_identifier(table_.columns[n].name);
    const bool json = table_.columns[n].type.kind == value_kind::json;
    const std::string expression =
        json ? "JSON_SET(" + name + ", '$.k', " + std::to_string(dice_.below(1000)) + ")" : name + " + 1";
    into.steps.push_back(step("UPDATE ", " SET " + name + " = " + expression + where(any_address())));
}

void write_plan::move(random_transaction& into) {
    into.steps.push_back(step("UPDATE ", " SET " + assign_address(any_address()) + where(any_address())));
}

void write_plan::rotate_addresses(random_transaction& into) {
    const literals a = any_address(), b = any_address(), c = any_address(), free = any_address();
    // Without the last step the rows have moved on by one place.
    const std::vector<std::pair<literals, literals>> moves{{a, free}, {b, a}, {c, b}, {free, c}};
    for (const auto& [from, to] : moves) {
        into.steps.push_back(step("UPDATE ", " SET " + assign_address(to) + where(from)));
    }
}

void write_plan::swap_unique(random_transaction& into) {
    if (unique_.empty()) return rotate_addresses(into);
    const auto column = pick_column(unique_);
    const std::string name = quote_identifier(table_.columns[column].name);
    const std::string read = table_.columns[column].type.kind == value_kind::bit ? name + " + 0" : name;
    const literals a = any_address(), b = any_address();
    into.steps.push_back(once("SET @a = NULL, @b = NULL"));
    into.steps.push_back({"SELECT " + read + " INTO @a FROM ", where(a) + " FOR UPDATE", true});
    into.steps.push_back({"SELECT " + read + " INTO @b FROM ", where(b) + " FOR UPDATE", true});
    into.steps.push_back(step("UPDATE ", " SET " + name + " = " + value_of(column) + where(a)));
    into.steps.push_back(step("UPDATE ", " SET " + name + " = @a" + where(b)));
    into.steps.push_back(step("UPDATE ", " SET " + name + " = @b" + where(a)));
}

void write_plan::remove(random_transaction& into) {
    const std::string lines = dice_.percent(80) ? where(any_address()) : where_any(dice_.percent(10) ? 12 : 3);
    into.steps.push_back(step("DELETE FROM ", lines));
}

void write_plan::remove_and_insert(random_transaction& into) {
    const literals address = any_address();
    into.steps.push_back(step("DELETE FROM ", where(address)));
    into.steps.push_back(step("INSERT INTO ", rows_text("VALUES", {row_at(address, true)})));
}

// With several unique keys the row that is updated is the first that collides, and what collides may change between
// the two tables' statements; so nobody else writes from here on.
void write_plan::upsert(random_transaction& into) {
    std::vector<literals> lines{row_at(any_address(), true)};
    const bool one_row = dice_.percent(60);
    if (!one_row) lines.push_back(row_at(any_address(), true));
    const std::string change = dice_.percent(15) ? assign_address(any_address()) : assignments(one_row);
    const auto unique_keys = std::ranges::count_if(table_.indexes, &table_index::unique);
    if (unique_keys > 1) into.steps.push_back({"SELECT SUM(1) INTO @rows FROM ", " FOR UPDATE", true});
    into.steps.push_back(step("INSERT INTO ", rows_text("VALUES", lines) + " ON DUPLICATE KEY UPDATE " + change));
}

void write_plan::replace(random_transaction& into) {
    std::vector<literals> lines{any_row()};
    if (dice_.percent(40)) lines.push_back(row_at(any_address(), true));
    into.steps.push_back(step("REPLACE INTO ", rows_text("VALUES", lines)));
}

void write_plan::savepoint(random_transaction& into) {
    into.steps.push_back(once("SAVEPOINT here"));
    update(into);
    remove(into);
    insert(into);
    if (dice_.percent(60)) into.steps.push_back(once("ROLLBACK TO SAVEPOINT here"));
    upsert(into);
}

bool write_plan::is_primary_key_the_anchor() const {
    return std::ranges::any_of(table_.indexes, [&](const table_index& index) {
        return index.name == "PRIMARY" &&
               std::ranges::all_of(index.columns, [&](std::size_t n) { return table_.in_anchor(n); });
    });
}

// Set between transactions: what a session may change of the way its writes are logged. Minimal images hold the primary
// key alone: where the rows are known by another, the migration has to end.
void write_plan::session_variable(random_transaction& into) {
    static const std::vector<std::string> images{"FULL", "NOBLOB", "MINIMAL"};
    const auto image = dice_.below(is_primary_key_the_anchor() ? 3 : 2);
    into.begin.push_back("SET SESSION binlog_row_image = '" + images[image] + "'");
    if (table_.server != server_kind::mysql_9_7) return;
    into.begin.push_back(std::string("SET SESSION binlog_row_value_options = ") +
                         (dice_.percent(50) ? "'PARTIAL_JSON'" : "''"));
    into.begin.push_back(std::string("SET SESSION binlog_transaction_compression = ") +
                         (dice_.percent(50) ? "ON" : "OFF"));
}

random_transaction write_plan::next() {
    using act = void (write_plan::*)(random_transaction&);
    static constexpr std::array<act, 16> acts{
        &write_plan::insert,      &write_plan::insert,
        &write_plan::update,      &write_plan::update,
        &write_plan::update,      &write_plan::compute,
        &write_plan::move,        &write_plan::rotate_addresses,
        &write_plan::remove,      &write_plan::remove_and_insert,
        &write_plan::upsert,      &write_plan::upsert,
        &write_plan::replace,     &write_plan::swap_unique,
        &write_plan::swap_unique, &write_plan::savepoint,
    };
    random_transaction made;
    ++transactions_;
    if (dice_.percent(10)) session_variable(made);
    // One time for both tables, with a fraction where the server takes it.
    made.begin.push_back("SET timestamp = " + std::to_string(1'700'000'000 + transactions_) + ".25");
    for (std::size_t count = dice_.between(1, 3); count > 0; --count) (this->*acts[dice_.below(acts.size())])(made);
    made.commits = !dice_.percent(10);
    if (dice_.percent(95)) {
        made.begin.push_back("START TRANSACTION");
        made.commit = {"COMMIT"};
        made.rollback = {"ROLLBACK"};
    } else {
        const std::string name =
            "'" + std::to_string(seed_) + "-" + std::to_string(writer_) + "-" + std::to_string(transactions_) + "'";
        made.begin.push_back("XA START " + name);
        made.rollback = {"XA END " + name, "XA ROLLBACK " + name};
        made.commit = {"XA END " + name, "XA PREPARE " + name, "XA COMMIT " + name};
    }
    return made;
}

write_step write_plan::fill(std::uint64_t from, std::uint64_t to) {
    std::vector<literals> lines;
    for (auto n = from; n < to; ++n) lines.push_back(row_at(table_.anchor_values(n), true));
    return step("INSERT IGNORE INTO ", rows_text("VALUES", lines));
}

write_step write_plan::untouched_row(std::uint64_t number, std::size_t column, const std::string& literal) {
    // From the end of the values, in multiples of `variants`: no value of a writer is the same to the server.
    const auto from_the_end = [number](const column_type& type) {
        return key_values(type) < 2'000 ? key_value(type, 0)
                                        : key_value(type, key_values(type) - variants * (number + 1));
    };
    auto address = table_.anchor_values(0);
    address.back() = from_the_end(table_.columns[table_.anchor.back()].type);
    literals line = row_at(address, true);
    for (std::size_t n = 0; n < line.size(); ++n) {
        if (sources_[n].from == way::number) line[n] = from_the_end(table_.columns[n].type);
    }
    line[column] = literal;
    return step("INSERT INTO ", rows_text("VALUES", {line}));
}

}  // namespace sluice::test
