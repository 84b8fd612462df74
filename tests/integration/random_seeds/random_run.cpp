#include "tests/integration/random_seeds/random_run.hpp"

#include "migration/sql/identifier.hpp"
#include "tests/integration/cases/mirrored_migration.hpp"
#include "tests/integration/random_seeds/random_writers.hpp"

#include <algorithm>
#include <array>
#include <regex>
#include <sstream>

namespace sluice::test {
namespace {

using migration::migration_state;
using migration::operator_command;
using migration::quote_identifier;
using way = column_source::way;

constexpr std::array loss_codes{"unique_key_conflict", "data_truncated", "out_of_range",   "null_not_allowed",
                                "invalid_value",       "zero_date",      "check_violated", "no_partition"};
constexpr std::array refusal_codes{"no_shared_unique_key", "key_values_change",      "nullable_unique_key",
                                   "unsupported_key_type", "unsupported_conversion", "no_default_value",
                                   "unsupported_alter",    "key_becomes_timestamp"};
constexpr unsigned writer_count = 2;
constexpr unsigned draws_max = 200;

template <std::size_t count>
bool contains(const std::array<const char*, count>& codes, const std::string& code) {
    return std::ranges::find(codes, code) != codes.end();
}

struct seed_plan {
    random_table table;
    random_alter alter;
    std::vector<column_source> sources;
    std::vector<std::string> untouched;  ///< INSERT statements of rows that the ALTER cannot take
    bool loses_zero_date = false;        ///< that is why it cannot
    migration::migration_options options;
    unsigned draws = 0;
};

struct sorted_values {
    std::vector<std::string> legal, illegal;
};

// Zero dates may stay as they are; whether an ALTER may convert them is the word of the server's own sql_mode.
void judge_zero_dates_as_the_server(sql_connection& root) {
    for (const std::string mode : {"NO_ZERO_DATE", "NO_ZERO_IN_DATE"}) {
        if (root.scalar("SELECT @@GLOBAL.sql_mode LIKE '%" + mode + "%'") != "1") continue;
        root.exec("SET sql_mode = CONCAT(@@sql_mode, '," + mode + "')");
    }
}

bool is_zero_date(const std::string& literal) { return literal.find("-00") != std::string::npos; }

// Whether a column's values go through a change.
bool survives(sql_connection& root, const random_table& table, const changed_column& change,
              const std::string& time_zone, const std::vector<std::string>& values) {
    root.exec("DROP TEMPORARY TABLE IF EXISTS v");
    root.exec("CREATE TEMPORARY TABLE v (v " + table.columns[change.column].shape() +
              ") DEFAULT CHARSET=" + table.charset);
    for (const auto& value : values) root.exec("INSERT INTO v VALUES (" + value + ")");
    judge_zero_dates_as_the_server(root);
    root.exec("SET time_zone = '" + time_zone + "'");
    bool taken = root.error_of("ALTER TABLE v " + change.of_v) == 0;
    root.exec("SET sql_mode = '" + std::string(mirrored_sql_mode) + "'");
    if (!taken) {
        // A temporary table is always copied, and then the server judges zero dates also where only NULL, DEFAULT or
        // COMMENT of their column changes. That is no conversion: in place it keeps them, and so does a migration.
        const auto type_of_v = [&] { return root.query("SHOW COLUMNS FROM v").at(0).at(1); };
        const auto before = type_of_v();
        taken = root.error_of("ALTER TABLE v " + change.of_v) == 0 && type_of_v() == before;
    }
    root.exec("SET time_zone = '+00:00'");
    return taken;
}

// The server says which values go through the change. Writers keep to those: what it says in the end is then true of
// every row that the migration may have met in between.
sorted_values sort_values(sql_connection& root, const random_table& table, const changed_column& change,
                          const std::string& time_zone, const std::vector<std::string>& pool) {
    if (survives(root, table, change, time_zone, pool)) return {pool, {}};
    sorted_values sorted;
    for (const auto& value : pool) {
        auto& into = survives(root, table, change, time_zone, {value}) ? sorted.legal : sorted.illegal;
        into.push_back(value);
    }
    return sorted;
}

class planning {
public:
    planning(sql_connection& root, server_kind server, std::uint64_t seed)
        : root_(root), server_(server), seed_(seed), dice_(seed) {}

    /// Makes the two tables as well. Nothing if this draw has a column without a legal value.
    seed_plan plan(const mirrored_pair& pair) {
        static const std::vector<std::string> zones{"+00:00", "+00:00", "+02:00", "-05:30"};
        plan_.options.time_zone = dice_.pick(zones);
        while (true) {
            draw_tables(pair);
            if (fill_sources()) break;
        }
        draw_options();
        fill(pair);
        return std::move(plan_);
    }

private:
    void draw_tables(const mirrored_pair& pair) {
        for (const auto& table : {pair.table, pair.mirror}) root_.exec("DROP TABLE IF EXISTS " + table);
        do {
            count_draw();
            plan_.table = draw_table(server_, dice_);
        } while (root_.error_of(plan_.table.create_statement(pair.table)) != 0);
        root_.exec(plan_.table.create_statement(pair.mirror));  // LIKE would give checks other names
        const std::string empty = pair.mirror.substr(0, pair.mirror.size() - 1) + "_empty`";
        while (true) {
            count_draw();
            plan_.alter = draw_alter(plan_.table, dice_);
            root_.exec("CREATE TABLE " + empty + " LIKE " + pair.table);
            const unsigned refused = root_.error_of("ALTER TABLE " + empty + " " + plan_.alter.text);
            root_.exec("DROP TABLE " + empty);
            if (refused == 0) return;
        }
    }

    void count_draw() {
        if (++plan_.draws > draws_max) throw std::runtime_error("the server takes nothing that is drawn");
    }

    way way_of(std::size_t n) const {
        if (!plan_.table.columns[n].generated.empty()) return way::nowhere;
        if (plan_.table.in_anchor(n)) return way::address;
        if (plan_.alter.distinct.contains(n)) return way::serial;
        return plan_.table.in_unique_key(n) ? way::number : way::pool;
    }

    // False if a column is left without a value that is legal before and after the ALTER.
    bool fill_sources() {
        plan_.sources.clear();
        losses_.clear();
        for (std::size_t n = 0; n < plan_.table.columns.size(); ++n) {
            const auto& column = plan_.table.columns[n];
            column_source source;
            source.from = way_of(n);
            source.nullable = column.nullable;
            source.keeps_its_type =
                std::ranges::find(plan_.alter.changed, n, &changed_column::column) == plan_.alter.changed.end();
            source.may_be_left_out = column.nullable || !column.default_literal.empty() || column.sets_itself;
            if (source.from == way::pool && !fill_pool(source, n)) return false;
            if (source.from == way::number || source.from == way::serial) source.may_be_left_out = false;
            plan_.sources.push_back(std::move(source));
        }
        return true;
    }

    bool fill_pool(column_source& source, std::size_t n) {
        const auto& column = plan_.table.columns[n];
        source.pool = value_pool(column.type, server_, dice_);
        if (column.nullable) source.pool.push_back("NULL");
        for (const auto& change : plan_.alter.changed) {
            if (change.column != n) continue;
            auto sorted = sort_values(root_, plan_.table, change, plan_.options.time_zone, source.pool);
            for (const auto& value : sorted.illegal) losses_.emplace_back(n, value);
            source.pool = std::move(sorted.legal);
            const std::string left_out = column.default_literal.empty() ? "NULL" : column.default_literal;
            source.may_be_left_out =
                source.may_be_left_out && std::ranges::find(source.pool, left_out) != source.pool.end();
        }
        return !source.pool.empty();
    }

    void draw_options() {
        auto& options = plan_.options;
        options.chunk_rows_fixed = dice_.between(5, 60);
        options.copy_workers = dice_.between(1, 3);
        options.apply_workers = dice_.between(1, 3);
        options.apply_batch_keys = dice_.between(10, 60);
        options.defer_secondary_indexes = dice_.percent(50);
        options.postpone_cutover = true;
        options.hold_interval = std::chrono::milliseconds(100);
        options.page_flush_wait = std::chrono::milliseconds(0);
        options.hold_budget = std::chrono::milliseconds(3'000);
        options.cutover_attempts_max = 200;
    }

    void fill(const mirrored_pair& pair) {
        constexpr std::uint64_t at_a_time = 40;
        write_plan filler(plan_.table, plan_.sources, seed_, writer_count, writer_count);
        // Every third address is left free, so that inserts find room.
        const std::uint64_t filled = std::max<std::uint64_t>(plan_.table.rows * 2 / 3, 1);
        for (std::uint64_t n = 0; n < filled; n += at_a_time) {
            root_.exec(filler.fill(n, std::min(filled, n + at_a_time)).on(pair.table));
        }
        if (dice_.percent(25)) insert_losses(filler, pair);
        std::string columns;
        for (std::size_t n = 0; n < plan_.table.columns.size(); ++n) {
            if (plan_.sources[n].from == way::nowhere) continue;
            columns += (columns.empty() ? "" : ", ") + quote_identifier(plan_.table.columns[n].name);
        }
        root_.exec("INSERT INTO " + pair.mirror + " (" + columns + ") SELECT " + columns + " FROM " + pair.table);
    }

    // Rows that stay as they are, so that in the end the server judges what the migration has met.
    void insert_losses(write_plan& filler, const mirrored_pair& pair) {
        if (key_values(plan_.table.columns[plan_.table.anchor.back()].type) < 2'000) return;
        std::vector<write_step> rows;
        bool zero_date = false;
        for (const auto column : plan_.alter.distinct) {
            const auto& type = plan_.table.columns[column].type;
            if (key_values(type) < 2'000) continue;
            const auto number = key_values(type) - 40 * variants;
            rows.push_back(filler.untouched_row(0, column, key_value(type, number)));
            const auto spelling = plan_.table.in_unique_key(column) ? dice_.between(1, 3) : dice_.below(2);
            rows.push_back(filler.untouched_row(1, column, key_value(type, number + spelling)));
            break;
        }
        if (!losses_.empty() && (rows.empty() || dice_.percent(50))) {
            const auto& [column, value] = dice_.pick(losses_);
            rows = {filler.untouched_row(2, column, value)};
            zero_date = is_zero_date(value) && plan_.table.columns[column].type.charset.empty();
        }
        for (const auto& row : rows) {
            const std::string statement = row.on(pair.table);
            // A row that the table cannot take (an old unique key) is none.
            if (root_.error_of(statement) == 0) plan_.untouched.push_back(statement);
        }
        plan_.loses_zero_date = zero_date && !plan_.untouched.empty();
    }

    sql_connection& root_;
    server_kind server_;
    std::uint64_t seed_;
    dice dice_;
    seed_plan plan_;
    std::vector<std::pair<std::size_t, std::string>> losses_;  ///< column, value that the ALTER cannot take
};

// Writes before the first chunk, between chunks, with nothing left to copy, and during the cut-over.
migration::snapshot_ptr drive(migration::migration_service& engine, const std::string& id, random_writers& writers,
                              dice& dice) {
    const auto tell = [&](operator_command what) { (void)engine.command(id, what).has_error(); };
    const auto some = [&] { writers.wait_for_more(static_cast<unsigned>(dice.between(5, 25))); };
    const auto done = [](const migration::migration_snapshot& seen) { return is_final(seen.state); };
    if (dice.percent(70)) tell(operator_command::pause);
    auto seen = poll_until(engine, id, [](const auto& now) { return now.state >= migration_state::copying; });
    if (done(*seen)) return seen;
    some();
    tell(operator_command::resume);
    if (dice.percent(60)) {
        seen = poll_until(engine, id,
                          [](const auto& now) { return now.rows_copied > 0 || now.state > migration_state::copying; });
        tell(operator_command::pause);
        if (!done(*seen)) some();
        tell(operator_command::resume);
    }
    seen = poll_until(engine, id, [](const auto& now) { return now.state == migration_state::ready; });
    if (done(*seen)) return seen;
    some();
    tell(operator_command::cut_over);
    return poll_until(engine, id, [](const auto&) { return false; });
}

std::string text_of(const seed_plan& plan, const std::string& table) {
    std::ostringstream text;
    text << plan.table.create_statement(table) << ";\nALTER TABLE " << table << ' ' << plan.alter.text << ";\n";
    for (const auto& row : plan.untouched) text << row << ";\n";
    const auto& options = plan.options;
    text << "chunks of " << options.chunk_rows_fixed << ", batches of " << options.apply_batch_keys << ", workers "
         << options.copy_workers << " + " << options.apply_workers
         << (options.defer_secondary_indexes ? ", indexes deferred" : "") << ", time zone " << options.time_zone;
    return text.str();
}

std::string error_said(sql_connection& root, const std::string& statement) {
    try {
        root.exec(statement);
    } catch (const sql_error& error) {
        return std::to_string(error.number()) + " " + error.what();
    }
    return {};
}

// A transaction that has inserted into the table and is rolled back before its turn at the mirror moves one counter
// alone; the table's may be ahead, never behind.
bool is_counter_ahead(const std::string& problem) {
    static const std::regex form("AUTO_INCREMENT of t: migrated ([0-9]+), server's ([0-9]*)");
    std::smatch found;
    if (!std::regex_match(problem, found, form)) return false;
    return found[2].length() == 0 || std::stoull(found[1]) >= std::stoull(found[2]);
}

void judge(seed_report& report, const migration::migration_snapshot& ended, sql_connection& root,
           const std::string& migrated, const std::string& mirror, const seed_plan& plan) {
    report.end = seed_end::wrong;
    // Names of checks belong to the schema on MySQL, and while both tables are there only one can have them.
    const bool free_names = plan.table.server == server_kind::mysql_9_7 && !plan.table.checks.empty();
    const bool completed = ended.state == migration_state::completed;
    if (!completed) {
        report.code = ended.error ? ended.error->code : "none";
        // The original is as it was, and nothing else is left.
        report.problem = schema_differences(root, migrated, mirror, false);
        if (is_counter_ahead(report.problem)) report.problem.clear();
        if (!report.problem.empty()) {
            report.problem = "after " + error_text(ended) + ": " + report.problem;
            return;
        }
    }
    if (plan.loses_zero_date) judge_zero_dates_as_the_server(root);
    root.exec("SET time_zone = '" + plan.options.time_zone + "'");
    const std::string refused = error_said(root, "ALTER TABLE " + quote_identifier(mirror) + ".`t` " + plan.alter.text);
    root.exec("SET time_zone = '+00:00'");
    if (completed && ended.verification.rows_repaired != 0) {
        // Equal tables would say nothing about copy and apply.
        report.problem = "the comparison had to repair rows: " + std::to_string(ended.verification.rows_repaired);
    } else if (completed && refused.empty()) {
        report.problem = schema_differences(root, migrated, mirror, free_names);
        if (is_counter_ahead(report.problem)) report.problem.clear();
        if (report.problem.empty()) report.end = seed_end::equal;
    } else if (completed) {
        report.problem = "migrated, but the server itself says " + refused;
    } else if (contains(refusal_codes, report.code)) {
        report.end = seed_end::refused;
        report.problem = error_text(ended);
    } else if (!contains(loss_codes, report.code)) {
        report.problem = error_text(ended);
    } else if (refused.empty()) {
        report.problem = "the server itself does this ALTER, but: " + error_text(ended);
    } else {
        report.end = seed_end::failed_alike;
        report.code += " / " + refused.substr(0, refused.find(' '));
    }
}

// The old table is what the writers had made when they met the new definition and ended: what the mirror is, or the
// writers (and not the migration) are wrong. The old table is taken away.
std::string old_table_differences(sql_connection& root, const std::string& migrated, const std::string& mirror) {
    const std::string kept = quote_identifier("old_" + migrated);
    const bool writers_ended =
        shape_of(root, quote_identifier(migrated) + ".`t`") != shape_of(root, quote_identifier(mirror) + ".`t`");
    root.exec("CREATE DATABASE " + kept);
    root.exec("RENAME TABLE " + quote_identifier(migrated) + ".`_t_del` TO " + kept + ".`t`");
    std::string differences;
    if (writers_ended) differences = row_differences(root, "old_" + migrated, mirror, "t");
    root.exec("DROP DATABASE " + kept);
    return differences.empty() ? differences : "the writers left the old table and the mirror unlike: " + differences;
}

}  // namespace

seed_report run_seed(const mysql_server& server, migration::migration_service& engine, std::uint64_t seed) {
    seed_report report;
    const std::string migrated = "random_" + std::to_string(seed), mirror = "mirror_" + std::to_string(seed);
    const mirrored_pair pair{quote_identifier(migrated) + ".`t`", quote_identifier(mirror) + ".`t`"};
    try {
        sql_connection root = mirrored_session(server, "");
        for (const auto& schema : {migrated, mirror}) root.exec("CREATE DATABASE " + quote_identifier(schema));
        root.exec("USE " + quote_identifier(mirror));
        const seed_plan plan = planning(root, server.options().kind, seed).plan(pair);
        report.plan = text_of(plan, pair.table);
        report.draws = plan.draws;
        std::vector<write_plan> writes;
        for (unsigned i = 0; i < writer_count; ++i) {
            writes.emplace_back(plan.table, plan.sources, seed, i, writer_count);
        }
        random_writers writers(server, pair, writes);
        const auto created = engine.create({{migrated, "t"}, plan.alter.text, plan.options});
        if (!created) throw std::runtime_error("not begun: " + created.error().code + ": " + created.error().message);
        dice course(seed + 1);
        const auto ended = drive(engine, (*created)->id, writers, course);
        writers.stop();
        report.transactions = writers.transactions();
        report.refused_writes = writers.refused();
        report.unlike_writes = writers.unlike();
        std::string unlike;
        if (ended->state == migration_state::completed) unlike = old_table_differences(root, migrated, mirror);
        judge(report, *ended, root, migrated, mirror, plan);
        if (!unlike.empty()) {
            report.end = seed_end::wrong;
            report.problem = unlike + report.problem;
        }
        if (report.end != seed_end::wrong) {
            for (const auto& schema : {migrated, mirror}) root.exec("DROP DATABASE " + quote_identifier(schema));
        }
    } catch (const std::exception& error) {
        report.end = seed_end::wrong;
        report.problem = error.what();
    }
    return report;
}

}  // namespace sluice::test
