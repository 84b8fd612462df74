#include "migration/apply/logged_statement.hpp"
#include "migration/apply/stream_reader.hpp"
#include "migration/changelog/changelog.hpp"
#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"
#include "migration/throttle/heartbeat_time.hpp"
#include "protocol/sql/classifier.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <utility>
#include <variant>

namespace sluice::migration {
namespace {

/// See mend_half_rename(): the table gets the name back that a server which died in the middle of the swap has left it
/// without. It is in the log where the engine's account cannot keep it out. The table is what it was.
bool gives_name_back(std::string_view text, const migration_plan& plan) {
    if (plan.rename_under_lock) return false;
    const std::array renames{table_rename{plan.swap_old, plan.original}};
    return text == rename_statement(renames);
}

bool begins_with(std::string_view text, std::string_view upper_case_word) {
    return text.size() >= upper_case_word.size() &&
           std::equal(upper_case_word.begin(), upper_case_word.end(), text.begin(), [](char expected, char actual) {
               return expected == std::toupper(static_cast<unsigned char>(actual));
           });
}

failure undecodable(std::string why) {
    return refuse("binlog_undecodable", "the binary log cannot be followed: " + std::move(why));
}

/// Behind the columns of a table, MariaDB logs a hidden one for each UNIQUE key that is a hash (seen on 10.11).
std::size_t logged_columns(const table_description& table) {
    return table.columns.size() +
           static_cast<std::size_t>(std::ranges::count(table.keys, "HASH", &key_description::index_type));
}

}  // namespace

change_capture::change_capture(const migration_plan& plan, work_ledger& ledger, stream_position start)
    : plan_(plan), ledger_(ledger), codec_(plan), position_(std::move(start)) {}

void change_capture::expect_swap(std::string clause, std::uint64_t marker_before) {
    swap_clause_ = std::move(clause);
    before_swap_ = true;
    marker_before_swap_ = marker_before;
}

void change_capture::stream_begins() {
    gtid_.reset();
    transaction_ = 0;
    in_group_ = false;
    in_transaction_ = false;
    in_xa_ = false;
    xa_keys_.clear();
}

bool change_capture::same_name(std::string_view a, std::string_view b) const {
    if (plan_.lower_case_table_names == 0) return a == b;
    return sql::may_be_same_name(a, b, plan_.lower_case_table_names);
}

bool change_capture::wants(std::string_view schema, std::string_view table) const {
    return same_name(schema, plan_.original.schema) &&
           (same_name(table, plan_.original.table) || same_name(table, plan_.changelog.table));
}

outcome<void> change_capture::take(const binlog::decoded_event& event, const binlog::coordinates& end) {
    SLUICE_TRY_VOID(take_event(event, end));
    // Between transactions the place moves too: a rotation and what stands at the head of a file are part of the
    // position that the server tells.
    if (!in_group_ && !std::holds_alternative<binlog::heartbeat_event>(event.body) && position_.at != end) {
        position_.at = end;
        ledger_.read_through(std::nullopt, end);
    }
    return {};
}

void change_capture::group_begins() {
    gtid_.reset();
    transaction_ = 0;
    in_group_ = true;
}

outcome<void> change_capture::take_event(const binlog::decoded_event& event, const binlog::coordinates& end) {
    if (const auto* begun = std::get_if<binlog::gtid_event>(&event.body)) {
        group_begins();
        gtid_ = begun->id;
    } else if (std::holds_alternative<binlog::anonymous_gtid_event>(event.body)) {
        group_begins();
    } else if (const auto* other = std::get_if<binlog::mariadb_gtid_event>(&event.body)) {
        // MariaDB writes neither BEGIN nor XA START: its GTID event says so.
        group_begins();
        in_transaction_ = !other->has_flag(binlog::mariadb_gtid_flag::standalone);
        in_xa_ = other->has_flag(binlog::mariadb_gtid_flag::prepared_xa);
    } else if (const auto* query = std::get_if<binlog::query_event>(&event.body)) {
        return take_query(*query, end);
    } else if (const auto* map = std::get_if<binlog::table_map_event>(&event.body)) {
        return check_shape(map->table);
    } else if (const auto* rows = std::get_if<binlog::rows_event>(&event.body)) {
        return take_rows(*rows);
    } else if (std::holds_alternative<binlog::xid_event>(event.body)) {
        transaction_ends(end);
    } else if (const auto* prepare = std::get_if<binlog::xa_prepare_event>(&event.body)) {
        return take_prepare(*prepare, end);
    } else if (const auto* unknown = std::get_if<binlog::undecodable_event>(&event.body)) {
        return undecodable(unknown->why);
    } else if (const auto* head = std::get_if<binlog::format_description_event>(&event.body)) {
        is_mariadb_ = head->is_mariadb();
    } else if (std::holds_alternative<binlog::incident_event>(event.body)) {
        return undecodable("the server wrote an incident event: it may have lost changes");
    }
    return {};
}

outcome<void> change_capture::take_prepare(const binlog::xa_prepare_event& prepare, const binlog::coordinates& end) {
    std::vector<row_key> keys = std::exchange(xa_keys_, {});
    if (prepare.one_phase) {
        SLUICE_TRY_VOID(add(std::move(keys)));
    } else {
        prepared_keys_ += keys.size();
        if (prepared_keys_ > plan_.options.delta_keys_max) {
            return refuse(
                "prepared_transactions_too_large",
                "prepared XA transactions changed more than delta_keys_max rows of " + quote_table(plan_.original));
        }
        prepared_[prepare.to_string()] = std::move(keys);
        tell_prepared();
    }
    transaction_ends(end);
    return {};
}

void change_capture::tell_prepared() {
    std::vector<std::string> xids;
    for (const auto& [xid, keys] : prepared_) {
        if (!keys.empty()) xids.push_back(xid);
    }
    ledger_.set_prepared(std::move(xids));
}

void change_capture::transaction_ends(const binlog::coordinates& end) {
    if (position_.executed && gtid_) position_.executed->add(*gtid_);
    position_.at = end;
    ledger_.read_through(gtid_, end);
    gtid_.reset();
    transaction_ = 0;
    in_group_ = false;
    in_transaction_ = false;
    in_xa_ = false;
}

outcome<void> change_capture::take_query(const binlog::query_event& query, const binlog::coordinates& end) {
    const std::string_view text = query.statement;
    if (text == "BEGIN") {
        in_group_ = true;
        in_transaction_ = true;
        return {};
    }
    if (begins_with(text, "XA ")) {
        if (begins_with(text, "XA START")) {
            in_group_ = true;
            in_transaction_ = true;
            in_xa_ = true;
            return {};
        }
        if (begins_with(text, "XA END")) return {};
        return take_xa_end(text, end);
    }
    if (in_transaction_) {
        if (text == "COMMIT" || text == "ROLLBACK") {
            transaction_ends(end);
            return {};
        }
        // SAVEPOINT and ROLLBACK TO: keys of rows that were rolled back again do no harm.
        return check_statement(query);
    }
    if (before_swap() && text.find(swap_clause_) != std::string_view::npos) {
        before_swap_ = false;
    } else {
        SLUICE_TRY_VOID(check_statement(query));
    }
    transaction_ends(end);
    return {};
}

outcome<void> change_capture::take_xa_end(std::string_view statement, const binlog::coordinates& end) {
    const bool commits = begins_with(statement, "XA COMMIT ");
    if (commits || begins_with(statement, "XA ROLLBACK ")) {
        const std::string xid(statement.substr(statement.find(' ', 3) + 1));
        if (auto place = prepared_.find(xid); place != prepared_.end()) {
            prepared_keys_ -= place->second.size();
            std::vector<row_key> keys = std::move(place->second);
            prepared_.erase(place);
            if (commits) SLUICE_TRY_VOID(add(std::move(keys)));
            tell_prepared();
        } else if (commits && unknown_prepared_) {
            return refuse("unknown_xa_transaction",
                          "XA transaction " + xid +
                              " was prepared before the migration began and may have changed the table; grant the "
                              "engine's account XA_RECOVER_ADMIN, so that such transactions are waited for");
        }
        // Otherwise an unknown one had ended before the copy began: see wait_for_prepared_transactions().
    }
    transaction_ends(end);
    return {};
}

outcome<void> change_capture::check_change(const logged_statement& statement) const {
    const auto& schemas = statement.schemas();
    const bool is_elsewhere = schemas && std::ranges::none_of(*schemas, [this](std::string_view schema) {
                                  return same_name(schema, plan_.original.schema);
                              });
    if (is_elsewhere) return {};
    return refuse("statement_based_change",
                  "a change that may be of " + quote_table(plan_.original) +
                      " was logged as a statement, not as rows, so that it cannot be followed (binlog_format of some "
                      "session; a replica's own one counts from the next START of its replication on): " +
                      std::string(statement.text().substr(0, 200)));
}

outcome<void> change_capture::check_statement(const binlog::query_event& query) const {
    if (before_swap()) return {};
    const logged_statement statement(query, is_mariadb_);
    const std::string_view text = statement.text();
    const sql::table_name table{plan_.original.schema, plan_.original.table};
    if (statement.changes_rows(in_transaction_)) return check_change(statement);
    if (sql::dismissed(text, table.name, statement.lexer())) return {};
    const sql::statement_footprint footprint = sql::classify(text, {statement.lexer()});
    if (!footprint.may_touch(table, query.schema, plan_.lower_case_table_names)) return {};
    if (footprint.first_kind() == sql::statement_kind::delete_) return check_change(statement);
    if (footprint.first_kind() != sql::statement_kind::ddl) return {};
    if (gives_name_back(text, plan_)) return {};
    // What empties or takes away the table shows nowhere else.
    const bool of_another_table = sql::mentions(text, plan_.ghost.table) ||
                                  sql::mentions(text, plan_.changelog.table) ||
                                  (!plan_.rename_under_lock && sql::mentions(text, plan_.swap_ghost.table));
    if (!of_another_table && statement.may_take_rows_away()) {
        return refuse("original_changed",
                      quote_table(plan_.original) +
                          " was truncated, dropped or renamed meanwhile: " + std::string(text.substr(0, 200)));
    }
    // Behind the swap that begins the way back, the new table's keys get their names from the engine itself.
    if (plan_.backwards && statement.is_about_foreign_keys()) return {};
    // Also between the last comparison and the lock.
    if (!of_another_table && statement.redefines(table, footprint.names, plan_.lower_case_table_names)) {
        return refuse("original_changed", quote_table(plan_.original) + " was changed by somebody else meanwhile: " +
                                              std::string(text.substr(0, 200)) + "; start the migration again");
    }
    return {};
}

outcome<void> change_capture::check_shape(const std::shared_ptr<const binlog::table_map>& table) {
    if (before_swap() || table == shape_ || !same_name(table->table, plan_.original.table)) return {};
    if (shape_ ? !table->same_shape(*shape_) : table->columns.size() != logged_columns(plan_.original_description)) {
        return refuse("original_changed", "the columns of " + quote_table(plan_.original) +
                                              " were changed by somebody else while it was being copied");
    }
    for (std::size_t i = 0; i < table->columns.size(); ++i) {
        // MariaDB with mysql56_temporal_format=OFF: the log does not say how long such a value is.
        const binlog::field_type type = table->columns[i].type.type;
        const bool is_old = type == binlog::field_type::time || type == binlog::field_type::datetime ||
                            type == binlog::field_type::timestamp;
        const column_description& column = plan_.original_description.columns[i];
        if (is_old && column.fraction_digits != 0) {
            return undecodable("column " + quote_identifier(column.name) + " of " + quote_table(plan_.original) +
                               " has fractions of a second in the format of before MySQL 5.6; run ALTER TABLE … FORCE "
                               "with mysql56_temporal_format=ON first");
        }
    }
    shape_ = table;
    return {};
}

outcome<void> change_capture::take_rows(const binlog::rows_event& rows) {
    if (same_name(rows.table->table, plan_.changelog.table)) return take_markers(rows);
    return take_changes(rows);
}

outcome<void> change_capture::take_changes(const binlog::rows_event& rows) {
    if (before_swap()) return {};
    SLUICE_TRY_VOID(check_shape(rows.table));
    std::vector<row_key> keys;
    binlog::row_cursor cursor = rows.rows();
    while (true) {
        auto more = cursor.next();
        if (!more) return undecodable(more.error().what);
        if (!*more) break;
        if (cursor.before().exists()) {
            SLUICE_TRY(row_key key, codec_.key_of(*rows.table, cursor.before()));
            key.anew = rows.kind == binlog::rows_kind::remove;
            keys.push_back(std::move(key));
        }
        // A minimal image after an update holds only what was assigned: without a key column, the key stayed as it was.
        if (cursor.after().exists() && codec_.holds_key_column(cursor.after())) {
            const binlog::row_image* before = cursor.before().exists() ? &cursor.before() : nullptr;
            SLUICE_TRY(row_key key, codec_.key_of(*rows.table, cursor.after(), before));
            key.anew = rows.kind == binlog::rows_kind::write;
            if (before != nullptr) SLUICE_TRY_VOID(check_move(keys.back(), key));
            if (keys.empty() || keys.back() != key) keys.push_back(std::move(key));
        }
    }
    if (in_xa_) {
        std::move(keys.begin(), keys.end(), std::back_inserter(xa_keys_));
        if (xa_keys_.size() > plan_.options.delta_keys_max) {
            return refuse("prepared_transactions_too_large",
                          "an XA transaction changed more than delta_keys_max rows of " + quote_table(plan_.original));
        }
        return {};
    }
    return add(std::move(keys));
}

// A row that gets another key is, to the delta set, one that goes and one that comes: what only the ghost keeps of it
// would be lost.
outcome<void> change_capture::check_move(const row_key& before, const row_key& after) const {
    if (plan_.columns.kept.empty() || before.literals == after.literals) return {};
    return refuse("row_moved", "the row of " + quote_table(plan_.original) + " with the key " + before.literals +
                                   " got the key " + after.literals + ", and what only " + quote_table(plan_.ghost) +
                                   " has of it (" + quote_identifier(plan_.columns.kept.front()) +
                                   (plan_.columns.kept.size() > 1 ? ", ..." : "") + ") would be lost");
}

outcome<void> change_capture::add(std::vector<row_key> keys) {
    if (keys.empty()) return {};
    if (!ledger_.wait_for_room()) return {};
    if (transaction_ == 0) {
        if (plan_.follow_by_gtid && !gtid_) {
            return refuse("gtid_missing", "a transaction without a GTID changed " + quote_table(plan_.original) +
                                              " (gtid_mode was changed meanwhile)");
        }
        // It would never become visible on the master. (Without GTIDs such a change is looked up there, and found
        // undone.)
        if (gtid_ && !plan_.log_server_uuid.empty() && plan_.log_server_uuid == gtid_->source.server.to_string()) {
            return refuse("replica_written_to", "transaction " + gtid_->to_string() + " has changed " +
                                                    quote_table(plan_.original) +
                                                    " on the replica itself, whose binary log is read");
        }
        transaction_ = ledger_.begin_transaction(plan_.follow_by_gtid ? gtid_ : std::nullopt);
    }
    ledger_.add_changes(transaction_, std::move(keys));
    return {};
}

outcome<void> change_capture::take_markers(const binlog::rows_event& rows) {
    if (rows.kind == binlog::rows_kind::remove) return {};
    binlog::row_cursor cursor = rows.rows();
    while (true) {
        auto more = cursor.next();
        if (!more) return undecodable(more.error().what);
        if (!*more) return {};
        const binlog::row_image& row = cursor.after();
        if (row.size() > changelog::value_column && row[changelog::value_column].state == binlog::cell_state::value) {
            // Of all the hints' values only a heartbeat's is a time.
            const auto written = parse_heartbeat(protocol::as_text(row[changelog::value_column].bytes));
            if (written) ledger_.heartbeat_seen(std::chrono::time_point_cast<std::chrono::microseconds>(*written));
        }
        if (rows.kind != binlog::rows_kind::write) continue;
        if (row.size() == 0 || row[0].state != binlog::cell_state::value) continue;
        const auto id = binlog::decode_key_value({binlog::field_type::long_long, 0, true}, row[0].bytes);
        if (!id) return undecodable(id.error().what);
        if (before_swap() && id->unsigned_integer() > marker_before_swap_) {
            return refuse("swap_not_seen", "the statement that made " + quote_table(plan_.original) +
                                               " what it is was not found in the binary log: " + swap_clause_);
        }
        if (expected_marker_ != 0 && id->unsigned_integer() > last_former_marker_) {
            return refuse("checkpoint_not_in_log", "what the last checkpoint wrote behind " +
                                                       quote_table(plan_.original) +
                                                       "'s changes is not in the binary log: it was reset, or is "
                                                       "another server's");
        }
        if (id->unsigned_integer() == expected_marker_) expected_marker_ = 0;
        // Below are the rows of hints (heartbeat, state): no markers.
        if (id->unsigned_integer() > changelog::first_marker) ledger_.marker_seen(id->unsigned_integer());
    }
}

}  // namespace sluice::migration
