#include "migration/engine/state_store.hpp"

#include "migration/engine/state_report.hpp"
#include "migration/model/option_fields.hpp"
#include "migration/sql/identifier.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace sluice::migration {
namespace {

using microseconds = std::chrono::microseconds;
using system_time = std::chrono::system_clock::time_point;

std::string options_to_json(const migration_options& options) {
    boost::json::object object;
    for (const option_field& field : option_fields()) {
        switch (field.kind) {
            case option_kind::number: object[field.name] = field.get(options); break;
            case option_kind::flag: object[field.name] = field.get(options) != 0; break;
            case option_kind::text: object[field.name] = field.get_text(options); break;
        }
    }
    return boost::json::serialize(object);
}

migration_options options_from_json(std::string_view text) {
    migration_options options;
    boost::system::error_code error;
    const boost::json::value parsed = boost::json::parse(boost::json::string_view(text.data(), text.size()), error);
    if (error || !parsed.is_object()) return options;
    for (const auto& member : parsed.get_object()) {
        const option_field* field = find_option_field(std::string_view(member.key().data(), member.key().size()));
        if (field == nullptr) continue;
        if (field->kind == option_kind::text) {
            if (!member.value().is_string()) continue;
            const std::string_view given = member.value().get_string();
            if (text_fits(*field, given)) field->set_text(options, given);
            continue;
        }
        std::int64_t value = 0;
        if (member.value().is_bool()) {
            value = member.value().get_bool() ? 1 : 0;
        } else if (member.value().is_int64()) {
            value = member.value().get_int64();
        } else {
            continue;
        }
        if (value >= field->min && value <= field->max) field->set(options, value);
    }
    return options;
}

std::string timestamp(system_time when) {
    const auto since_epoch = std::chrono::duration_cast<microseconds>(when.time_since_epoch()).count();
    return "FROM_UNIXTIME(" + std::to_string(since_epoch / 1'000'000) + "." +
           std::to_string(1'000'000 + since_epoch % 1'000'000).substr(1) + ")";
}

std::uint64_t number(const cell& text) {
    std::uint64_t value = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), value);
    return value;
}

system_time time_of(const cell& microseconds_since_epoch) {
    return system_time(
        std::chrono::duration_cast<system_time::duration>(microseconds(number(microseconds_since_epoch))));
}

// What people read: what does not fit the column is cut, since a row that is refused stores nothing at all.
constexpr std::size_t cut_mark = 3;
constexpr std::size_t unique_key_characters = 1024 - cut_mark;
constexpr std::size_t text_characters = (65'535 - cut_mark) / 4;

std::string fitting(std::string_view text, std::size_t characters_max) {
    return shortened(well_formed_utf8(text), characters_max);
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

constexpr const char* table_body = R"( (
  id CHAR(16) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  table_schema VARCHAR(64) NOT NULL,
  table_name VARCHAR(64) NOT NULL,
  alter_statement LONGTEXT NOT NULL,
  options LONGTEXT NOT NULL,
  state VARCHAR(20) CHARACTER SET ascii NOT NULL,
  unique_key VARCHAR(1024) NOT NULL,
  rows_estimate BIGINT UNSIGNED NOT NULL,
  rows_copied BIGINT UNSIGNED NOT NULL,
  deltas_applied BIGINT UNSIGNED NOT NULL,
  cutover_attempts INT UNSIGNED NOT NULL,
  statements_held BIGINT UNSIGNED NOT NULL,
  hold_max_us BIGINT UNSIGNED NOT NULL,
  error_code VARCHAR(64) CHARACTER SET ascii NULL,
  error_message TEXT NULL,
  leftovers TEXT NOT NULL,
  way VARCHAR(8) CHARACTER SET ascii NULL,
  report LONGTEXT NULL,
  created_at DATETIME(6) NOT NULL,
  changed_at DATETIME(6) NOT NULL,
  ended_at DATETIME(6) NULL,
  KEY by_table (table_schema, table_name),
  KEY by_age (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4)";

struct later_column {
    const char* name;
    const char* definition;
};

// Columns that tables of earlier versions lack.
constexpr later_column later_columns[] = {
    {"way", "VARCHAR(8) CHARACTER SET ascii NULL AFTER leftovers"},
    {"report", "LONGTEXT NULL AFTER way"},
};

// Everything but id, table, statement and created_at changes while a migration runs.
constexpr const char* updates =
    " ON DUPLICATE KEY UPDATE options = VALUES(options), state = VALUES(state), unique_key = VALUES(unique_key),"
    " rows_estimate = VALUES(rows_estimate), rows_copied = VALUES(rows_copied), deltas_applied = "
    "VALUES(deltas_applied),"
    " cutover_attempts = VALUES(cutover_attempts), statements_held = VALUES(statements_held),"
    " hold_max_us = VALUES(hold_max_us), error_code = VALUES(error_code), error_message = VALUES(error_message),"
    " leftovers = VALUES(leftovers), way = VALUES(way), report = VALUES(report), changed_at = VALUES(changed_at), "
    "ended_at = VALUES(ended_at)";

}  // namespace

state_store::state_store(std::string schema)
    : schema_(std::move(schema)), table_(schema_.empty() ? "" : quote_identifier(schema_) + ".`migrations`") {}

outcome<void> state_store::prepare(sql_session& session) const {
    if (schema_.empty()) return {};
    // Even with IF NOT EXISTS they would wait for a backup's LOCK INSTANCE FOR BACKUP, and Sluice would not start.
    SLUICE_TRY(const query_result found, session.run("SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = " +
                                                     quote_string(schema_) + " AND TABLE_NAME = 'migrations'"));
    if (found.rows.empty()) {
        SLUICE_TRY_VOID(session.run("CREATE DATABASE IF NOT EXISTS " + quote_identifier(schema_)));
        SLUICE_TRY_VOID(session.run("CREATE TABLE IF NOT EXISTS " + table_ + table_body));
    }
    return extend(session);
}

outcome<void> state_store::extend(sql_session& session) const {
    constexpr unsigned duplicate_column = 1060;  // another process was faster
    SLUICE_TRY(const query_result found,
               session.run("SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = " +
                           quote_string(schema_) + " AND TABLE_NAME = 'migrations'"));
    for (const later_column& column : later_columns) {
        const bool is_there = std::any_of(found.rows.begin(), found.rows.end(),
                                          [&](const auto& row) { return !row.empty() && row[0] == column.name; });
        if (is_there) continue;
        auto added = session.run("ALTER TABLE " + table_ + " ADD COLUMN " + quote_identifier(column.name) + " " +
                                 column.definition);
        if (!added && added.error().server_errno != duplicate_column) return std::move(added).error();
    }
    return {};
}

outcome<void> state_store::save(sql_session& session, const migration_snapshot& snapshot) const {
    if (schema_.empty()) return {};
    const std::uint32_t attempts = snapshot.cutover_attempts.empty() ? 0 : snapshot.cutover_attempts.back().number;
    const hold_report hold = snapshot.cutover_attempts.empty() ? hold_report{} : snapshot.cutover_attempts.back().hold;
    std::string sql = "INSERT INTO " + table_ +
                      " (id, table_schema, table_name, alter_statement, options, state, unique_key, rows_estimate,"
                      " rows_copied, deltas_applied, cutover_attempts, statements_held, hold_max_us, error_code,"
                      " error_message, leftovers, way, report, created_at, changed_at, ended_at) VALUES (";
    const auto add_text = [&sql](std::string_view text) { sql += quote_string(text) + ", "; };
    const auto add_number = [&sql](std::uint64_t value) { sql += std::to_string(value) + ", "; };
    add_text(snapshot.id);
    add_text(snapshot.spec.table.schema);
    add_text(snapshot.spec.table.table);
    add_text(snapshot.spec.alter);
    add_text(options_to_json(snapshot.spec.options));
    add_text(to_string(snapshot.state));
    add_text(fitting(snapshot.unique_key, unique_key_characters));
    add_number(snapshot.rows_estimate);
    add_number(snapshot.rows_copied);
    add_number(snapshot.deltas_applied);
    add_number(attempts);
    add_number(hold.statements_held);
    add_number(static_cast<std::uint64_t>(hold.hold_max.count()));
    if (snapshot.error) {
        add_text(snapshot.error->code);
        add_text(fitting(snapshot.error->message, text_characters));
    } else {
        sql += "NULL, NULL, ";
    }
    add_text(fitting(joined(snapshot.leftovers), text_characters));
    if (snapshot.way) {
        add_text(to_string(*snapshot.way));
    } else {
        sql += "NULL, ";
    }
    add_text(report_to_json(snapshot));
    sql += timestamp(snapshot.created) + ", " + timestamp(snapshot.changed) + ", ";
    sql += snapshot.ended ? timestamp(*snapshot.ended) : "NULL";
    sql += ")";
    SLUICE_TRY_VOID(session.run(sql + updates));
    return {};
}

outcome<std::optional<migration_state>> state_store::state_of(sql_session& session, const std::string& id) const {
    if (schema_.empty()) return std::optional<migration_state>();
    SLUICE_TRY(const query_result found,
               session.run("SELECT state FROM " + table_ + " WHERE id = " + quote_string(id)));
    if (found.rows.empty()) return std::optional<migration_state>();
    return parse_migration_state(found.rows[0][0].value_or(""));
}

outcome<std::vector<migration_snapshot>> state_store::load(sql_session& session, unsigned rows_max) const {
    if (schema_.empty()) return std::vector<migration_snapshot>{};
    const auto age = [](const std::string& column) {
        return "CAST(UNIX_TIMESTAMP(" + column + ") * 1000000 AS UNSIGNED)";
    };
    SLUICE_TRY(
        const query_result found,
        session.run("SELECT id, table_schema, table_name, alter_statement, options, state, unique_key,"
                    " rows_estimate, rows_copied, deltas_applied, cutover_attempts, statements_held, hold_max_us,"
                    " error_code, error_message, leftovers, " +
                    age("created_at") + ", " + age("changed_at") + ", " + age("ended_at") + ", way, report FROM " +
                    table_ + " ORDER BY created_at DESC, id LIMIT " + std::to_string(rows_max)));
    std::vector<migration_snapshot> loaded;
    for (const auto& row : found.rows) {
        SLUICE_ASSERT(row.size() == 21);
        migration_snapshot snapshot;
        snapshot.id = row[0].value_or("");
        snapshot.spec.table = {row[1].value_or(""), row[2].value_or("")};
        snapshot.spec.alter = row[3].value_or("");
        snapshot.spec.options = options_from_json(row[4].value_or(""));
        snapshot.state = parse_migration_state(row[5].value_or("")).value_or(migration_state::failed);
        snapshot.unique_key = row[6].value_or("");
        if (snapshot.state == migration_state::completed) snapshot.progress = 1.0;
        snapshot.rows_estimate = number(row[7]);
        snapshot.rows_copied = number(row[8]);
        snapshot.deltas_applied = number(row[9]);
        if (number(row[10]) != 0) {
            cutover_attempt last;
            last.number = static_cast<std::uint32_t>(number(row[10]));
            last.succeeded = snapshot.state == migration_state::completed;
            last.hold.statements_held = number(row[11]);
            last.hold.hold_max = microseconds(number(row[12]));
            snapshot.cutover_attempts.push_back(std::move(last));
        }
        if (row[13]) snapshot.error = refuse(*row[13], row[14].value_or(""));
        if (row[15] && !row[15]->empty()) snapshot.leftovers.push_back(*row[15]);
        snapshot.created = time_of(row[16]);
        snapshot.changed = time_of(row[17]);
        if (row[18]) snapshot.ended = time_of(row[18]);
        snapshot.way = parse_alter_way(row[19].value_or(""));
        report_from_json(row[20].value_or(""), snapshot);
        loaded.push_back(std::move(snapshot));
    }
    return loaded;
}

}  // namespace sluice::migration
