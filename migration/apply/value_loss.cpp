#include "migration/apply/value_loss.hpp"

#include "migration/apply/key_codec.hpp"
#include "migration/apply/unique_conflict.hpp"
#include "migration/sql/delta_statements.hpp"
#include "migration/sql/identifier.hpp"
#include "migration/sql/key_expression.hpp"
#include "migration/sql/key_literal.hpp"
#include "protocol/sql/lexer.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::migration {
namespace {

constexpr std::size_t trial_keys_max = 5'000;
constexpr std::size_t chunk_keys_max = 200'000;
constexpr unsigned trials_max = 5;  // of one set of keys, when something else than its values is in the way
constexpr std::size_t shown_characters_max = 80;

/// The column that a message speaks of: "... for column 'c' at row 3", "... for column `s`.`t`.`c` at row 3" (MariaDB),
/// "Column 'c' cannot be null", "... for column 't.c'." (JSON). Empty where it names none.
std::string column_of(const failure& why) {
    const std::string& text = why.message;
    const auto named_before = [&](std::size_t end) {
        if (end == std::string::npos || end == 0) return std::string();
        const char quote = text[end - 1];
        const auto begin = end < 2 ? std::string::npos : text.rfind(quote, end - 2);
        return begin == std::string::npos ? std::string() : text.substr(begin + 1, end - begin - 2);
    };
    auto name = named_before(text.rfind(" at row "));
    if (name.empty()) name = named_before(text.rfind(" cannot be null"));
    constexpr std::string_view words = " for column '";
    if (const auto place = text.rfind(words); name.empty() && place != std::string::npos) {
        const auto begin = place + words.size();
        name = text.substr(begin, text.find('\'', begin) - begin);
        if (const auto dot = name.rfind('.'); dot != std::string::npos) name.erase(0, dot + 1);
    }
    return name;
}

bool is_zero_date(const failure& why) {
    return why.code == "invalid_value" &&
           (why.message.find("'zero date") != std::string::npos || why.message.find(": '0000-") != std::string::npos);
}

struct found_row {
    std::string key;      ///< "id = 5, name = 'x'"
    std::string value;    ///< of the column that the message names; empty if none
    std::string partner;  ///< of a duplicate: the key of the other row, in the same form
};

class row_search {
public:
    row_search(const migration_plan& plan, sql_session& session, const failure& why)
        : plan_(plan), session_(session), why_(why) {}

    /// The last key of the shortest run of keys, from the first one on, that fails like `why`.
    std::optional<found_row> search(std::span<const std::string> keys) {
        for (std::size_t begin = 0; begin < keys.size(); begin += trial_keys_max) {
            const auto some = keys.subspan(begin, std::min(trial_keys_max, keys.size() - begin));
            if (!fails(some)) continue;
            std::size_t good = 0;
            std::size_t bad = some.size();
            while (good + 1 < bad) {
                const auto middle = good + (bad - good) / 2;
                (fails(some.first(middle)) ? bad : good) = middle;
            }
            return shown(some.first(bad));
        }
        return std::nullopt;
    }

    std::vector<std::string> keys_within(const range_bounds& bounds) {
        std::vector<std::string> keys;
        const key_codec codec(plan_);
        const auto rows =
            session_.run("SELECT " + key_select_list(plan_.columns) + " FROM " +
                         keyed_table(plan_.columns, {}, table_side::original) + " WHERE " +
                         range_condition(plan_.columns, bounds) + " LIMIT " + std::to_string(chunk_keys_max));
        if (!rows) return keys;
        for (const auto& row : rows->rows) {
            auto bound = codec.bound_of(row);
            if (bound) keys.push_back(join_literals(bound->literals));
        }
        return keys;
    }

private:
    outcome<void> write(std::span<const std::string> keys) {
        SLUICE_TRY_VOID(session_.run(delta_delete_statement(plan_.columns, keys, plan_.key_form)));
        SLUICE_TRY_VOID(session_.run(delta_insert_statement(plan_.columns, keys, plan_.key_form, plan_.lock)));
        return {};
    }

    bool fails(std::span<const std::string> keys) {
        for (unsigned trial = 0; trial < trials_max; ++trial) {
            if (!session_.run("START TRANSACTION")) continue;
            const auto written = write(keys);
            (void)session_.run("ROLLBACK").has_error();
            if (written) return false;
            if (written.error().code == why_.code) return true;
        }
        return false;
    }

    /// The original's cells of one key in words; extra: further columns, behind the key's.
    std::optional<std::vector<cell>> cells(const std::string& key, const std::string& extra) {
        const std::array one{key};
        std::string list;
        for (const auto& column : plan_.columns.key) {
            const auto reference = quote_identifier(column.original);
            list += list.empty() ? "" : ", ";
            list += column.type == key_type::binary ? "CONCAT('0x', HEX(" + reference + "))" : reference;
        }
        auto rows = session_.run("SELECT " + list + extra + " FROM " + quote_table(plan_.original) + " WHERE " +
                                 key_set_condition(plan_.columns, one, plan_.key_form, {}, table_side::original));
        if (!rows || rows->rows.empty()) return std::nullopt;
        return rows->rows[0];
    }

    std::string key_text(const std::vector<cell>& row) const {
        std::string text;
        for (std::size_t i = 0; i < plan_.columns.key.size() && i < row.size(); ++i) {
            const auto& column = plan_.columns.key[i];
            const auto value = shortened(row[i].value_or("NULL"), shown_characters_max);
            const bool plain = column.type == key_type::integer || column.type == key_type::decimal ||
                               column.type == key_type::binary || column.type == key_type::bit;
            text += (text.empty() ? "" : ", ") + quote_identifier(column.original) + " = ";
            text += plain ? value : '\'' + value + '\'';
        }
        return text;
    }

    std::optional<found_row> shown(std::span<const std::string> keys) {
        const auto column = column_of(why_);
        const auto copied = std::ranges::find_if(plan_.columns.columns, [&](const copied_column& one) {
            return !one.original.empty() && sql::equal_ignoring_case(one.ghost, column);
        });
        const bool has_value = copied != plan_.columns.columns.end();
        const auto row = cells(keys.back(), has_value ? ", " + quote_identifier(copied->original) : std::string());
        if (!row) return std::nullopt;
        found_row found;
        found.key = key_text(*row);
        if (has_value) {
            const auto& value = row->back();
            found.value = quote_identifier(copied->original) + " = " +
                          (value ? '\'' + shortened(*value, shown_characters_max) + '\'' : std::string("NULL"));
        }
        if (duplicate_key_of(plan_, why_)) found.partner = partner_of(keys);
        return found;
    }

    /// Condition that a row of the ghost (g) has the value under the key that the original's row (o) would get; empty
    /// where that takes more than columns.
    std::string same_value(const key_description& key) const {
        std::string condition;
        for (const auto& part : key.parts) {
            const auto* ghost = plan_.ghost_description.find_column(part.column);
            const auto copied = std::ranges::find_if(plan_.columns.columns, [&](const copied_column& one) {
                return !part.column.empty() && one.ghost == part.column;
            });
            if (ghost == nullptr || part.prefix_length || copied == plan_.columns.columns.end()) return {};
            auto value = copied_value(*copied, "o");
            if (!ghost->collation.empty()) {
                value.insert(0, "CONVERT(").append(" USING ").append(ghost->charset);
                value.append(") COLLATE ").append(ghost->collation);
            }
            condition += (condition.empty() ? "" : " AND ") + column_reference("g", part.column) + " = " + value;
        }
        return condition;
    }

    /// Key of the row that has the value already: in the ghost, or among those that would be written before it.
    std::string partner_of(std::span<const std::string> keys) {
        const auto name = duplicate_key_of(plan_, why_).value_or("");
        const auto key = std::ranges::find(plan_.ghost_description.keys, name, &key_description::name);
        if (key == plan_.ghost_description.keys.end()) return {};
        const auto condition = same_value(*key);
        if (condition.empty() || !session_.run("START TRANSACTION")) return {};
        std::string list;
        for (const auto& column : plan_.columns.key) {
            const auto reference = column_reference("g", column.ghost);
            list += list.empty() ? "" : ", ";
            list += column.type == key_type::binary ? "CONCAT('0x', HEX(" + reference + "))" : reference;
        }
        const bool alone = keys.size() == 1 || write(keys.first(keys.size() - 1)).has_value();
        const std::array last{keys.back()};
        auto rows = session_.run("SELECT " + list + " FROM " + quote_table(plan_.ghost) + " AS g JOIN " +
                                 quote_table(plan_.original) + " AS o ON " + condition + " WHERE " +
                                 key_set_condition(plan_.columns, last, plan_.key_form, "o", table_side::original) +
                                 " LIMIT 1");
        (void)session_.run("ROLLBACK").has_error();
        return alone && rows && !rows->rows.empty() ? key_text(rows->rows[0]) : std::string();
    }

    const migration_plan& plan_;
    sql_session& session_;
    const failure& why_;
};

failure with_row(const migration_plan& plan, const failure& why, const std::optional<found_row>& row,
                 const work_ledger::counters& so_far) {
    failure loss = value_loss(plan, why);
    std::string place;
    if (row) {
        place = ". The row is the one with " + row->key;
        if (!row->value.empty()) place += ", where " + row->value;
        if (!row->partner.empty()) place += "; the row with " + row->partner + " has the value already";
    }
    loss.message += place;
    if (plan.backwards) return loss;
    loss.message += ". Until then " + std::to_string(so_far.rows_copied) + " rows had been copied and " +
                    std::to_string(so_far.deltas_applied) + " changed rows applied. The table is unchanged";
    return loss;
}

}  // namespace

bool is_value_loss(const failure& why) {
    constexpr std::array codes{"duplicate_entry", "unique_key_conflict", "data_truncated",
                               "out_of_range",    "null_not_allowed",    "invalid_value",
                               "zero_date",       "check_violated",      "no_partition"};
    return why.then == disposition::abort && std::ranges::find(codes, why.code) != codes.end();
}

failure value_loss(const migration_plan& plan, const failure& why) {
    if (duplicate_key_of(plan, why)) return unique_key_conflict(plan, why);
    failure loss = why;
    if (is_zero_date(why)) loss.code = "zero_date";
    loss.message = "a row of " + quote_table(plan.original) + " does not fit the " + (plan.backwards ? "old" : "new") +
                   " definition (server: " + why.message + ")";
    return loss;
}

failure value_loss_in_chunk(const migration_plan& plan, sql_session& session, const range_bounds& bounds,
                            const work_ledger::counters& so_far, const failure& why) {
    row_search search(plan, session, why);
    const auto keys = search.keys_within(bounds);
    return with_row(plan, why, search.search(keys), so_far);
}

failure value_loss_in_batch(const migration_plan& plan, sql_session& session, std::span<const std::string> keys,
                            const work_ledger::counters& so_far, const failure& why) {
    return with_row(plan, why, row_search(plan, session, why).search(keys), so_far);
}

}  // namespace sluice::migration
