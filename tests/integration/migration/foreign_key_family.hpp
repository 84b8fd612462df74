#pragma once

// Parents and children for the tests of foreign keys, and clients that change them while one child is migrated.

#include "tests/integration/migration/relations_rig.hpp"
#include "tests/support/row_compare.hpp"

#include <algorithm>
#include <atomic>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sluice::test {

/// Everything about the foreign keys of the schema but that of its mirrors: name, tables, columns, rules.
inline std::string keys_like(sql_connection& root, const std::string& table) {
    return root.scalar(
        "SELECT COALESCE(GROUP_CONCAT(CONCAT_WS(' ', r.CONSTRAINT_NAME, r.TABLE_NAME, k.COLUMN_NAME, '->',"
        " r.REFERENCED_TABLE_NAME, k.REFERENCED_COLUMN_NAME, r.DELETE_RULE, r.UPDATE_RULE)"
        " ORDER BY r.CONSTRAINT_NAME, k.ORDINAL_POSITION SEPARATOR '; '), '')"
        " FROM information_schema.REFERENTIAL_CONSTRAINTS r JOIN information_schema.KEY_COLUMN_USAGE k"
        " ON k.CONSTRAINT_SCHEMA = r.CONSTRAINT_SCHEMA AND k.CONSTRAINT_NAME = r.CONSTRAINT_NAME"
        " AND k.TABLE_NAME = r.TABLE_NAME WHERE r.TABLE_NAME = '" +
        table + "'");
}

/// The lines of SHOW CREATE TABLE but for the counter, sorted: the order of indexes has no meaning.
inline std::vector<std::string> definition(sql_connection& root, const std::string& table) {
    std::string text = root.query("SHOW CREATE TABLE " + table).at(0).at(1).value_or("");
    if (const auto counter = text.find(" AUTO_INCREMENT="); counter != std::string::npos) {
        text.erase(counter, text.find(' ', counter + 1) - counter);
    }
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        if (!line.empty() && line.back() == ',') line.pop_back();
        lines.push_back(line);
    }
    std::sort(lines.begin(), lines.end());
    return lines;
}

/// Parents, and two children that are alike: `t` will be migrated, `mirror` will not.
inline void make_family(sql_connection& root, const std::string& rules) {
    root.exec("CREATE TABLE p (id INT PRIMARY KEY, v INT)");
    root.exec("CREATE TABLE q (a INT, b VARCHAR(20) COLLATE utf8mb4_bin, PRIMARY KEY (a, b))");
    for (const std::string table : {"t", "mirror"}) {
        root.exec("CREATE TABLE " + table +
                  " (id INT PRIMARY KEY, p INT, qa INT, qb VARCHAR(20) COLLATE utf8mb4_bin, up INT,"
                  " CONSTRAINT " +
                  table + "_to_p FOREIGN KEY (p) REFERENCES p (id) " + rules +
                  ", FOREIGN KEY (qa, qb) REFERENCES q (a, b)"
                  ", CONSTRAINT `_" +
                  table + "_tree` FOREIGN KEY (up) REFERENCES " + table + " (id) " +
                  (rules.empty() ? "" : "ON DELETE SET NULL") + ")");
    }
    for (int i = 1; i <= 500; ++i) {
        const auto n = std::to_string(i);
        root.exec("INSERT INTO p VALUES (" + n + ", 0)");
        root.exec("INSERT INTO q VALUES (" + n + ", 'q" + n + "')");
        for (const std::string table : {"t", "mirror"}) {
            root.exec("INSERT INTO " + table + " VALUES (" + n + ", " + n + ", " + n + ", 'q" + n + "', " +
                      (i > 1 ? std::to_string(i - 1) : "NULL") + ")");
        }
    }
}

/// Changes parents and both children; with `cascades`, children only change by their parents.
class family_writer {
public:
    family_writer(const mysql_server& server, bool cascades)
        : thread_([this, &server, cascades] {
              try {
                  write(server, cascades);
              } catch (const std::exception& error) {
                  error_ = error.what();
              }
          }) {}
    ~family_writer() { stop(); }
    void stop() {
        stopping_ = true;
        if (thread_.joinable()) thread_.join();
    }
    std::atomic<std::uint64_t> rounds{0};
    [[nodiscard]] const std::string& error() const { return error_; }

private:
    void write(const mysql_server& server, bool cascades) {
        sql_connection connection(server.port(), app_user, app_password, "test");
        for (int n = 1'000; !stopping_; ++n) {
            const auto id = std::to_string(n);
            const auto old = std::to_string(n - 700 > 500 ? n - 5 : n - 700 + 100);
            const std::vector<std::string> statements =
                cascades
                    ? std::vector<std::string>{"INSERT INTO p VALUES (" + id + ", 1)",
                                               "INSERT INTO t (id, p, up) VALUES (" + id + ", " + id + ", " + id + ")",
                                               "INSERT INTO mirror (id, p, up) VALUES (" + id + ", " + id + ", " + id +
                                                   ")",
                                               "UPDATE p SET id = " + id + " + 1000000 WHERE id = " + id,
                                               "DELETE FROM p WHERE id = 1000000 + " + std::to_string(n - 3)}
                    : std::vector<std::string>{"INSERT INTO p VALUES (" + id + ", 1)",
                                               "INSERT INTO t (id, p) VALUES (" + id + ", " + id + ")",
                                               "INSERT INTO mirror (id, p) VALUES (" + id + ", " + id + ")",
                                               "DELETE FROM t WHERE p = " + std::to_string(n - 3),
                                               "DELETE FROM mirror WHERE p = " + std::to_string(n - 3),
                                               "DELETE FROM p WHERE id = " + std::to_string(n - 3) + " AND v = 1"};
            while (true) {
                try {
                    connection.exec("START TRANSACTION");
                    for (const auto& statement : statements) connection.exec(statement);
                    connection.exec("COMMIT");
                    break;
                } catch (const sql_error& error) {
                    // A deadlock between row locks of the parents. Where RENAME does not work under LOCK TABLES, the
                    // old table still has its keys for a moment; the proxy's gate would hold this statement until then.
                    const bool of_old_table =
                        error.number() == 1451 && std::string_view(error.what()).find("`t~old`") != std::string::npos;
                    if (error.number() != 1213 && !of_old_table) throw;
                    connection.exec("ROLLBACK");
                }
            }
            ++rounds;
        }
    }

    std::string error_;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

inline migration::snapshot_ptr migrated_under_writes(const mysql_server& server, migration::migration_spec spec,
                                                     bool cascades) {
    spec.options.chunk_rows_fixed = 20;
    spec.options.postpone_cutover = true;
    auto engine = engine_on(server);
    family_writer writer(server, cascades);
    const auto created = engine->create(spec);
    REQUIRE(created);
    const std::string id = (*created)->id;
    wait_until(*engine, id, [&](const auto& s) { return is_ready(s) && writer.rounds > 20; });
    if (!migration::is_final(engine->find(id)->state)) {
        REQUIRE(engine->command(id, migration::operator_command::cut_over));
    }
    auto ended = wait_for_end(*engine, id);
    const auto before = writer.rounds.load();
    wait_until(*engine, id, [&](const auto&) { return writer.rounds > before + 20 || !writer.error().empty(); });
    writer.stop();
    INFO(error_text(*ended));
    CHECK(writer.error().empty());
    if (!writer.error().empty()) WARN(writer.error());
    return ended;
}

inline void check_equal_to_mirror(sql_connection& root) {
    comparison_options options;
    options.columns = {"id", "p", "qa", "qb", "up"};
    options.key = {"id"};
    const auto compared = compare_rows({root, "t"}, {root, "mirror"}, options);
    INFO(compared.text());
    CHECK(compared.equal());
    CHECK(compared.rows_left >= 500);
}

inline std::string with_names_of_t(std::string text) {
    for (std::size_t place = 0; (place = text.find("mirror")) != std::string::npos;) text.replace(place, 6, "t");
    return text;
}

}  // namespace sluice::test
