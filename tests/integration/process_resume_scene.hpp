#pragma once

// What the tests of a served Sluice that is killed have in common: a table that takes a while to copy, what the state
// schema says, and the words of a migration that is slow enough to be met at it.

#include "tests/integration/process_row_writer.hpp"
#include "tests/integration/process_served.hpp"
#include "tests/integration/process_throttle_scene.hpp"

#include <csignal>
#include <string>
#include <vector>

namespace sluice::test::resuming {

/// (id, n) and what else is wanted, with 16384 rows.
inline void make_table(sql_connection& sql, const std::string& table = "t", const std::string& more = {}) {
    sql.exec("CREATE TABLE " + table + " (id INT AUTO_INCREMENT PRIMARY KEY, n INT NOT NULL DEFAULT 0, KEY by_n (n)" +
             more + ")");
    sql.exec("INSERT INTO " + table + " (n) VALUES (1)");
    for (int have = 1; have < 16'384; have *= 2) sql.exec("INSERT INTO " + table + " (n) SELECT n FROM " + table);
}

/// The text of the last checkpoint of the table's migration; empty while there is none.
inline std::string last_checkpoint(sql_connection& sql, const std::string& table = "t") {
    return sql.scalar(
        "SELECT COALESCE(MAX(SUBSTRING(report, LOCATE('\"checkpoint\"', report), 600)), '') FROM _sluice.migrations "
        "WHERE report LIKE '%\"checkpoint\"%' AND table_name = '" +
        table + "'");
}

/// Waits until the table's migration has a checkpoint, and another one than `last`; its text.
inline std::string wait_for_checkpoint(sql_connection& sql, const std::string& last = {},
                                       const std::string& table = "t") {
    std::string now;
    wait_until("a checkpoint of " + table + " other than '" + last + "'",
               [&] { return !(now = last_checkpoint(sql, table)).empty() && now != last; });
    return now;
}

struct slowness {
    int copy_workers = 2;
    bool verify = false;  ///< what is wrong must be seen by the test, not be mended before
};

/// `migrate` of test.<table>, in chunks of ten rows with rests between them.
inline std::vector<std::string> slow_migration(const std::string& table, const std::vector<std::string>& more,
                                               const slowness& how = {}) {
    const std::string workers = std::to_string(how.copy_workers);
    std::vector<std::string> words{"--schema",
                                   "test",
                                   "--table",
                                   table,
                                   "--alter",
                                   "ADD x INT NOT NULL DEFAULT 3",
                                   "--chunk-rows-fixed",
                                   "10",
                                   "--copy-workers",
                                   workers,
                                   "--nice-percent",
                                   "500",
                                   "--checkpoint-interval-s",
                                   "1"};
    if (!how.verify) words.emplace_back("--no-verify");
    return ghost::joined(std::move(words), more);
}

/// As fast as it can from here on.
inline void hurry(const served& sluice, const std::string& id) {
    REQUIRE(sluice.run({"settings", id, "--nice-percent", "0", "--chunk-rows-fixed", "5000"}).exit_code == 0);
}

inline void kill(served& sluice) {
    sluice.process().signal(SIGKILL);
    CHECK(sluice.process().wait().exit_code == 128 + SIGKILL);
}

/// Begins a migration of t by a Sluice that is killed in the middle of the copy, behind a checkpoint; its id.
inline std::string begin_and_kill(const mysql_server& server, sql_connection& sql,
                                  const std::vector<std::string>& words) {
    served first(server);
    const std::string id = first.begin(words);
    first.wait_until(id, "a checkpoint", [&](const auto&) { return !last_checkpoint(sql).empty(); });
    CHECK(first.show(id).at("state").as_string() == "copying");
    kill(first);
    return id;
}

/// As the operator does, and watches it to its end.
inline void cut_over(const served& sluice, const std::string& id) {
    CHECK(sluice.run({"cut-over", id}).exit_code == 0);
    const auto watched = sluice.run({"watch", id});
    INFO(watched.out << watched.err);
    CHECK(watched.exit_code == 0);
}

/// What only the log tells of.
inline void let_write(const row_writer& writes) {
    wait_for_more("rounds of the writer", 20, [&] { return writes.rounds(); });
}

/// Every row is in both tables, and no other.
inline void check_same(sql_connection& sql, const std::string& a, const std::string& b) {
    const std::string sums = "SELECT CONCAT(COUNT(*), '/', COALESCE(SUM(CRC32(CONCAT_WS(',', id, n))), 0)) FROM ";
    CHECK(sql.scalar(sums + a) == sql.scalar(sums + b));
}

/// The tables of schema test, in their order.
inline std::string tables(sql_connection& sql) {
    return sql.scalar(
        "SELECT GROUP_CONCAT(TABLE_NAME ORDER BY BINARY TABLE_NAME) FROM information_schema.TABLES WHERE TABLE_SCHEMA "
        "= "
        "'test'");
}

}  // namespace sluice::test::resuming
