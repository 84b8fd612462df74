#include "migration/apply/key_codec.hpp"

#include "migration/sql/identifier.hpp"
#include "migration/sql/key_literal.hpp"

#include <algorithm>
#include <utility>

namespace sluice::migration {
namespace {

void append_big_endian(std::string& order, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) order += static_cast<char>((value >> shift) & 0xFFU);
}

// 0x00 becomes 0x00 0xFF and the end 0x00 0x00, so that a prefix sorts first and the next part cannot leak in.
void append_terminated(std::string& order, const std::string& bytes) {
    for (const char byte : bytes) {
        order += byte;
        if (byte == '\0') order += '\xFF';
    }
    order.append(2, '\0');
}

failure bad_key(const migration_plan& plan, const std::string& column, const std::string& why) {
    return refuse("key_missing", "key column " + quote_identifier(column) + " of " + quote_table(plan.original) +
                                     " cannot be read from the binary log: " + why);
}

}  // namespace

failure null_in_key(const migration_plan& plan) {
    return refuse("null_in_key", "a row of " + quote_table(plan.original) + " has a NULL in unique key " +
                                     describe(plan.mapping.key) +
                                     ", by which rows are found: with allow_nullable_unique_key no row may have one. "
                                     "The table is unchanged");
}

void append_ordered(std::string& order, const binlog::key_value& value) {
    constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63U;
    switch (value.kind) {
        case binlog::key_kind::signed_integer:
            append_big_endian(order, static_cast<std::uint64_t>(value.signed_integer()) ^ sign_bit);
            break;
        case binlog::key_kind::unsigned_integer:
        case binlog::key_kind::bit:
        case binlog::key_kind::enumeration:
        case binlog::key_kind::set: append_big_endian(order, value.unsigned_integer()); break;
        case binlog::key_kind::null: order += '\0'; break;
        default: append_terminated(order, value.text()); break;
    }
}

std::string key_codec::order_of(const std::vector<binlog::key_value>& values) const {
    std::string order;
    if (!plan_.mapping.key.exactly_ordered) return order;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::uint64_t length = plan_.columns.key[i].binary_length;
        if (length == 0 || values[i].kind != binlog::key_kind::bytes) {
            append_ordered(order, values[i]);
            continue;
        }
        // BINARY(n): the log strips trailing zeros that the server compares.
        binlog::key_value padded = values[i];
        std::string bytes = padded.text();
        bytes.resize(length, '\0');
        padded.value = std::move(bytes);
        append_ordered(order, padded);
    }
    return order;
}

bool key_codec::holds_key_column(const binlog::row_image& image) const {
    return std::any_of(plan_.mapping.key.columns.begin(), plan_.mapping.key.columns.end(), [&](const auto& column) {
        return column.original_ordinal < image.size() &&
               image[column.original_ordinal].state != binlog::cell_state::missing;
    });
}

outcome<row_key> key_codec::key_of(const binlog::table_map& table, const binlog::row_image& image,
                                   const binlog::row_image* otherwise) const {
    const shared_key& key = plan_.mapping.key;
    std::vector<binlog::key_value> values;
    key_literals literals;
    values.reserve(key.columns.size());
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
        const std::size_t ordinal = key.columns[i].original_ordinal;
        if (ordinal >= image.size() || ordinal >= table.columns.size()) {
            return bad_key(plan_, key.columns[i].original, "the row has fewer columns");
        }
        const bool left_out = image[ordinal].state == binlog::cell_state::missing;
        const binlog::cell& found = left_out && otherwise != nullptr ? (*otherwise)[ordinal] : image[ordinal];
        if (found.state == binlog::cell_state::missing || found.state == binlog::cell_state::partial_json) {
            return bad_key(plan_, key.columns[i].original, "the row image does not hold it");
        }
        if (found.state == binlog::cell_state::null) {
            return null_in_key(plan_);
        }
        binlog::column_type type = table.columns[ordinal].type;
        type.is_unsigned = key.original_columns[i].is_unsigned;
        auto value = binlog::decode_key_value(type, found.bytes);
        if (!value) return bad_key(plan_, key.columns[i].original, value.error().what);
        literals.push_back(literal_of_value(plan_.columns.key[i], *value));
        values.push_back(std::move(value).value());
    }
    return row_key{join_literals(literals), order_of(values)};
}

outcome<key_bound> key_codec::bound_of(const std::vector<cell>& row) const {
    const shared_key& key = plan_.mapping.key;
    SLUICE_ASSERT(row.size() == key.columns.size());
    std::vector<binlog::key_value> values;
    key_bound bound;
    for (std::size_t i = 0; i < row.size(); ++i) {
        SLUICE_TRY(binlog::key_value value,
                   value_of_cell(plan_.columns.key[i], key.original_columns[i].is_unsigned, row[i]));
        bound.literals.push_back(literal_of_value(plan_.columns.key[i], value));
        values.push_back(std::move(value));
    }
    bound.order = order_of(values);
    return bound;
}

}  // namespace sluice::migration
