#pragma once

// A real master with a real replica, for the tests of `sluice gh-ost` that is connected to the replica.

#include "tests/integration/migration/mirrored_writes.hpp"
#include "tests/integration/process_ghost_scene.hpp"
#include "tests/support/eventually.hpp"

#include <memory>

namespace sluice::test::ghost {

struct replicated_kind {
    server_kind kind = server_kind::mysql_9_7;
    bool gtid = true;  ///< MariaDB has its own
    const char* words = "";
};

/// Each way in which a replica's log can be followed.
inline replicated_kind any_kind() {
    return GENERATE(replicated_kind{server_kind::mysql_9_7, true, "9.7 by GTID"},
                    replicated_kind{server_kind::mysql_9_7, false, "9.7 by marker"},
                    replicated_kind{server_kind::mysql_5_6, false, "5.6"},
                    replicated_kind{server_kind::mariadb_10_11, true, "MariaDB"});
}

inline mysql_server start_for_replication(const replicated_kind& what, std::uint32_t id,
                                          const std::vector<std::string>& more = {}) {
    server_options options;
    options.kind = what.kind;
    options.server_id = id;
    options.gtid = what.gtid;
    if (what.kind != server_kind::mysql_9_7) options.extra_arguments.emplace_back("--log-slave-updates");
    for (const std::string& each : more) options.extra_arguments.push_back(each);
    return mysql_server::start(options);
}

inline bool has_new_words(const replicated_kind& what) { return what.kind == server_kind::mysql_9_7; }

/// Its log begins anew: both servers were made from the same prepared folder, with the same accounts in their logs.
inline void forget_log(const replicated_kind& what, sql_connection& on) {
    on.exec(has_new_words(what) ? "RESET BINARY LOGS AND GTIDS" : "RESET MASTER");
}

/// Points the replica at the end of its source's log; it does not run yet.
inline void point_at(const replicated_kind& what, sql_connection& replica, sql_connection& source_sql,
                     const mysql_server& source) {
    const std::string where = "_HOST = '127.0.0.1', @_PORT = " + std::to_string(source.port()) +
                              ", @_USER = 'ghoster', @_PASSWORD = 'W-secret', ";
    std::string place = "@_AUTO_POSITION = 1";
    if (!has_new_words(what) || !what.gtid) {
        const rows status = source_sql.query(has_new_words(what) ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS");
        place = "@_LOG_FILE = '" + status.at(0).at(0).value() + "', @_LOG_POS = " + status.at(0).at(1).value();
    }
    std::string statement =
        (has_new_words(what) ? "CHANGE REPLICATION SOURCE TO @" : "CHANGE MASTER TO @") + where + place;
    if (has_new_words(what)) statement += ", GET_SOURCE_PUBLIC_KEY = 1";
    const std::string word = has_new_words(what) ? "SOURCE" : "MASTER";
    for (std::size_t at = 0; (at = statement.find('@', at)) != std::string::npos;) statement.replace(at, 1, word);
    replica.exec(statement);
}

inline void start_replica(const replicated_kind& what, sql_connection& on) {
    on.exec(has_new_words(what) ? "START REPLICA" : "START SLAVE");
}

/// Until both threads of a replica of MySQL 9.7 run: before that it is no running one.
inline void wait_until_replicating(sql_connection& on) {
    wait_for_value(on,
                   "SELECT (SELECT SERVICE_STATE FROM performance_schema.replication_connection_status) = 'ON' AND "
                   "(SELECT SERVICE_STATE FROM performance_schema.replication_applier_status) = 'ON'");
}

/// Until the replica has everything that this server has now.
inline void catch_up(sql_connection& on_master, sql_connection& on_replica) {
    on_master.exec("CREATE TABLE IF NOT EXISTS ticks (n INT AUTO_INCREMENT PRIMARY KEY)");
    on_master.exec("INSERT INTO ticks VALUES ()");
    const std::string last = on_master.scalar("SELECT MAX(n) FROM ticks");
    wait_for_value(
        on_replica,
        "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'test' AND TABLE_NAME = 'ticks'");
    wait_for_value(on_replica, "SELECT MAX(n) FROM ticks", last);
}

/// The account of the runs, which is that of the replication as well.
inline void make_replicating_account(sql_connection& on_master) {
    on_master.exec("CREATE USER ghoster@'%' IDENTIFIED BY 'W-secret'");
    on_master.exec("GRANT ALL ON *.* TO ghoster@'%'");
}

inline constexpr const char* mirrored_definition =
    "(id INT PRIMARY KEY, payload VARCHAR(40) NOT NULL, amount INT NOT NULL) ENGINE=InnoDB";

inline mirrored_table mirrored() {
    return {.table = "`test`.`t`", .mirror = "`test`.`m`", .key = {"id"}, .key_values = [](unsigned n) {
                return std::to_string(n);
            }};
}

/// The tables t and m with the same rows.
inline void make_mirrored(sql_connection& on_master, unsigned rows) {
    for (const char* table : {"t", "m"})
        on_master.exec(std::string("CREATE TABLE ") + table + " " + mirrored_definition);
    fill_both(on_master, mirrored(), 0, rows, 2);
}

/// Between two transactions of a writer: no replica falls behind for that, however busy the machine is.
inline constexpr std::chrono::milliseconds easy_pace{10};

/// What only the log tells of.
inline void let_write(const mirrored_writes& writes) {
    wait_for_more("transactions of the writers", 20, [&] { return writes.transactions(); });
}

/// A run on test.t, connected to this server.
inline std::vector<std::string> words_at(const mysql_server& at, const scratch_folder& folder,
                                         const std::vector<std::string>& more) {
    return words_for(at, folder, "test", "t",
                     joined({"--alter=ADD COLUMN c INT NOT NULL DEFAULT 5", "--verbose", "--execute"}, more));
}

/// A master with the tables test.t and test.m, which have the same rows, and a replica of it.
struct replicated_scene {
    explicit replicated_scene(const replicated_kind& kind, unsigned rows = 4'000)
        : what(kind),
          master(start_for_replication(kind, 1)),
          replica(start_for_replication(kind, 2)),
          on_master(connect(master, "test")),
          on_replica(connect(replica, "test")) {
        for (sql_connection* each : {&on_master, &on_replica}) forget_log(what, *each);
        point_at(what, on_replica, on_master, master);
        make_replicating_account(on_master);
        start_replica(what, on_replica);
        make_mirrored(on_master, rows);
        catch_up();
    }

    void catch_up() { ghost::catch_up(on_master, on_replica); }
    [[nodiscard]] std::vector<std::string> words(const mysql_server& at, const std::vector<std::string>& more) const {
        return words_at(at, folder, more);
    }

    /// Count and sum of what both tables have in common.
    static std::string sum(sql_connection& on, const std::string& table) {
        return on.scalar(
            "SELECT CONCAT(COUNT(*), ' ', IFNULL(SUM(CRC32(CONCAT_WS('|', id, payload, amount))), 0)) FROM " + table);
    }
    static std::string has_column(sql_connection& on, const std::string& table) {
        return on.scalar(
            "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'test' AND COLUMN_NAME = "
            "'c' AND TABLE_NAME = '" +
            table + "'");
    }
    /// Who reads the binary log of this server by the account of the runs: replicas, and streams.
    static std::string readers(sql_connection& on) {
        return on.scalar("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'");
    }

    replicated_kind what;
    scratch_folder folder;
    mysql_server master;
    mysql_server replica;
    sql_connection on_master;
    sql_connection on_replica;
};

}  // namespace sluice::test::ghost
