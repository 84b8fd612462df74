#include "migration/engine/forecast_warnings.hpp"

#include "migration/check/preconditions.hpp"
#include "migration/family/lock_holders.hpp"
#include "migration/model/key_column_rules.hpp"
#include "migration/sql/identifier.hpp"
#include "protocol/sql/lexer.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace sluice::migration {
namespace {

void warn(alter_forecast& forecast, std::string_view code, std::string message) {
    forecast.warnings.push_back({std::string(code), std::move(message)});
}

std::uint64_t number(const query_result& result) {
    std::uint64_t value = 0;
    if (result.rows.empty() || result.rows[0].empty() || !result.rows[0][0]) return value;
    const std::string& text = *result.rows[0][0];
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string typed(const column_description& column) {
    return column.column_type + (column.charset.empty() ? "" : " " + column.collation);
}

/// The same values in a type that has room for all of them. Types that can be no key are not judged.
bool only_wider(const column_description& was, const column_description& is) {
    if (value_bytes_max(was) == 0 || !value_change(was, is).empty() || !keeps_form(was, is)) return false;
    return value_bytes_max(is) >= value_bytes_max(was) && is.fraction_digits >= was.fraction_digits &&
           is.numeric_scale == was.numeric_scale && is.numeric_precision >= was.numeric_precision;
}

void warn_of_conversions(const migration_plan& plan, alter_forecast& forecast) {
    std::vector<std::string> converted;
    std::vector<std::string> null_refused;
    for (const mapped_column& column : plan.mapping.copied) {
        const column_description* was = plan.original_description.find_column(column.original);
        const column_description* is = plan.ghost_description.find_column(column.ghost);
        if (was == nullptr || is == nullptr) continue;
        if (typed(*was) != typed(*is) && !only_wider(*was, *is)) {
            converted.push_back(quote_identifier(column.ghost) + " (" + typed(*was) + " to " + typed(*is) + ")");
        }
        if (was->nullable && !is->nullable) null_refused.push_back(quote_identifier(column.ghost));
    }
    if (!converted.empty()) {
        warn(forecast, "values_converted",
             "columns change their type: " + listed(converted) +
                 ". A value that does not fit ends the migration, and the table stays as it is");
    }
    if (!null_refused.empty()) {
        warn(forecast, "null_refused",
             "columns become NOT NULL: " + listed(null_refused) + ". A row with NULL there ends the migration");
    }
}

void warn_of_relations(const migration_plan& plan, alter_forecast& forecast) {
    std::vector<std::string> names;
    for (const foreign_key& key : plan.relations.found.own) names.push_back(key.name);
    if (!names.empty() && plan.options.discard_foreign_keys) {
        warn(forecast, "foreign_keys_discarded", "the new table will not have the foreign keys " + listed(names));
    }
    names.clear();
    for (const pointed_key& key : plan.relations.pointed) names.push_back(key.key.name);
    if (!names.empty()) {
        warn(forecast, "foreign_keys_rebuilt",
             "foreign keys of other tables are pointed at the new table, while statements on those tables are held as "
             "well: " +
                 listed(names));
    }
    names.clear();
    for (const planned_trigger& trigger : plan.relations.made) names.push_back(trigger.new_name);
    if (!names.empty()) warn(forecast, "triggers_made_again", "triggers are made for the new table: " + listed(names));
}

void warn_of_replicas(sql_session& session, alter_forecast& forecast) {
    // The engine's own readers, of other migrations, do not count.
    const auto found = session.run(
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND LIKE "
        "'Binlog Dump%' AND USER <> SUBSTRING_INDEX(USER(), '@', 1)");
    const std::uint64_t replicas = found ? number(*found) : 0;
    if (replicas == 0) return;
    std::string message = std::to_string(replicas) + (replicas == 1 ? " reader" : " readers") +
                          " of the binary log (replicas, as a rule) will get ";
    message += forecast.way == alter_way::copy
                   ? "every row of the new table, and the building of deferred indexes as one long statement"
                   : "the same ALTER TABLE, with its ALGORITHM, and wait there for their own locks";
    warn(forecast, "replicas", std::move(message));
}

void warn_of_binlog_retention(sql_session& session, alter_forecast& forecast) {
    if (forecast.way != alter_way::copy || !forecast.copy_estimate) return;
    // MySQL since 8.0.1 and MariaDB since 10.6 count in seconds; 0 is for ever.
    auto kept = session.run("SELECT @@GLOBAL.binlog_expire_logs_seconds");
    if (!kept) kept = session.run("SELECT @@GLOBAL.expire_logs_days * 86400");
    const std::uint64_t kept_s = kept ? number(*kept) : 0;
    if (kept_s == 0 || static_cast<std::uint64_t>(forecast.copy_estimate->count()) < kept_s / 2) return;
    warn(forecast, "binlog_retention",
         "the server keeps its binary log for " + std::to_string(kept_s) +
             " s, and the copy may take more than half of that: what is purged before it is read ends the migration");
}

}  // namespace

void warn_of_plan(const migration_plan& plan, const sql::alter_statement& alter, alter_forecast& forecast) {
    if (alter.adds_unique_key()) {
        warn(forecast, "unique_key_added",
             "the ALTER adds a unique key: rows that are equal there end the migration, and the table stays as it is");
    }
    if (plan.mapping.key.nullable) {
        warn(forecast, "nullable_key",
             "rows are identified by the key " + plan.mapping.key.original_index +
                 ", which has a column that may be NULL: a row with NULL there ends the migration");
    }
    if (!plan.mapping.key.enforced) {
        warn(forecast, "key_not_unique",
             "rows are identified by the key " + plan.mapping.key.original_index +
                 ", which the new table does not keep unique: it has only the index " + plan.mapping.key.ghost_index +
                 " that begins with its columns");
    }
    warn_of_conversions(plan, forecast);
    warn_of_relations(plan, forecast);
    if (!forecast.deferred_indexes.empty()) {
        warn(forecast, "indexes_deferred",
             "indexes are built after the copy, by one statement that is not in the estimate: " +
                 listed(forecast.deferred_indexes));
    }
}

void warn_of_server(sql_session& session, const server_family& family, alter_forecast& forecast) {
    const auto holders = lock_holders(family, forecast.spec.table, session);
    if (!holders.empty() && holders.front().age > std::chrono::seconds(1)) {
        warn(forecast, "long_transaction",
             "connection " + std::to_string(holders.front().connection_id) + " (" + holders.front().client +
                 ") has had a transaction open on the table for " + std::to_string(holders.front().age.count() / 1000) +
                 " s: nothing can be swapped or altered before it ends");
    }
    warn_of_replicas(session, forecast);
    warn_of_binlog_retention(session, forecast);
}

std::vector<forecast_column> columns_of(const migration_plan& plan) {
    const table_description& before = plan.original_description;
    const table_description& after = plan.ghost_description;
    std::vector<forecast_column> columns;
    std::vector<std::string_view> kept;
    for (const column_description& column : after.columns) {
        const auto mapped = std::find_if(plan.mapping.copied.begin(), plan.mapping.copied.end(),
                                         [&](const mapped_column& m) { return m.ghost == column.name; });
        const column_description* was = mapped != plan.mapping.copied.end() ? before.find_column(mapped->original)
                                        : column.generated                  ? before.find_column(column.name)
                                                                            : nullptr;
        columns.push_back(
            {was == nullptr ? "" : was->name, column.name, was == nullptr ? "" : was->column_type, column.column_type});
        if (was != nullptr) kept.push_back(was->name);
    }
    for (const column_description& column : before.columns) {
        if (std::find(kept.begin(), kept.end(), column.name) != kept.end()) continue;
        columns.push_back({column.name, "", column.column_type, ""});
    }
    return columns;
}

}  // namespace sluice::migration
