// The way back: a table is migrated, its old table is kept in sync, and the old definition is given back under writes.
// A mirror that got the same writes and never had the ALTER says what the table must be in the end.

#include "tests/integration/migration/mirrored_writes.hpp"
#include "tests/integration/migration/way_back_scene.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/row_compare.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <thread>

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;
using migration::operator_command;

namespace {

void check_equal(sql_connection& root, const std::string& table, const std::string& mirror,
                 const std::vector<std::string>& key, std::size_t rows_min) {
    comparison_options how;
    how.key = key;
    const comparison compared = compare_rows({root, table}, {root, mirror}, how);
    INFO(compared.text());
    CHECK(compared.equal());
    CHECK(compared.rows_left >= rows_min);
}

struct shape {
    const char* name;
    const char* definition;
    std::vector<std::string> key;
    std::function<std::string(unsigned)> key_values;
    const char* alter;
};

const std::vector<shape> shapes{
    {"widened",
     "k INT NOT NULL PRIMARY KEY, payload VARCHAR(100) NOT NULL, amount INT NOT NULL, note VARCHAR(50) DEFAULT 'n', "
     "KEY by_payload (payload)",
     {"k"},
     [](unsigned n) { return std::to_string(n); },
     "ADD COLUMN extra INT NOT NULL DEFAULT 4, MODIFY amount BIGINT NOT NULL, CHANGE note remark VARCHAR(60) DEFAULT "
     "'n', ADD KEY by_amount (amount)"},
    {"other_primary",
     "a INT NOT NULL, b INT NOT NULL, payload VARCHAR(100) NOT NULL, amount INT NOT NULL, PRIMARY KEY (a), UNIQUE KEY "
     "u (b)",
     {"a", "b"},
     [](unsigned n) { return std::to_string(n) + ", " + std::to_string(90'000 - n); },
     "DROP PRIMARY KEY, ADD PRIMARY KEY (b), DROP KEY u, ADD UNIQUE KEY v (a)"},
};

/// Writers that know only columns which the table always has, and move no row to another key.
class careful_writes {
public:
    careful_writes(const mysql_server& server, std::string table, unsigned seed)
        : thread_([this, &server, table = std::move(table), seed] {
              try {
                  write(server, table, seed);
              } catch (const std::exception& error) {
                  error_ = error.what();
                  failed_ = true;
              }
          }) {}
    ~careful_writes() {
        stopping_ = true;
        if (thread_.joinable()) thread_.join();
    }
    void stop() {
        stopping_ = true;
        thread_.join();
        if (!error_.empty()) throw std::runtime_error("a writer saw: " + error_);
    }
    [[nodiscard]] std::uint64_t transactions() const {
        if (failed_) throw std::runtime_error("a writer saw: " + error_);
        return transactions_;
    }

private:
    void write(const mysql_server& server, const std::string& table, unsigned seed) {
        std::mt19937 random(seed);
        sql_connection connection(server.port(), app_user, app_password, "test");
        const auto both = [&](const std::string& before, const std::string& after) {
            connection.exec(before + table + after);
            connection.exec(before + table + "_mirror" + after);
        };
        while (!stopping_) {
            const std::string k = std::to_string(random() % 600);
            const std::string other = std::to_string(random() % 600);
            const std::string amount = std::to_string(random() % 1'000);
            try {
                connection.exec("START TRANSACTION");
                switch (random() % 6) {
                    case 0: both("DELETE FROM ", " WHERE k = " + k); break;
                    case 1:
                        both("INSERT INTO ", " (k, u, amount) VALUES (" + k + ", " + k + ", " + amount + ")");
                        break;
                    case 2:  // the same key, a new row
                        both("DELETE FROM ", " WHERE k = " + k);
                        both("INSERT INTO ", " (k, u, amount) VALUES (" + k + ", " + k + ", " + amount + ")");
                        break;
                    case 3:  // values of another unique key change places
                        both("UPDATE ", " SET u = 100000 + u WHERE k IN (" + k + ", " + other + ")");
                        both("UPDATE ", " SET u = " + other + " WHERE k = " + k);
                        both("UPDATE ", " SET u = " + k + " WHERE k = " + other);
                        break;
                    default: both("UPDATE ", " SET amount = " + amount + " WHERE k = " + k); break;
                }
                connection.exec(random() % 10 == 0 ? "ROLLBACK" : "COMMIT");
                ++transactions_;
            } catch (const sql_error& error) {
                if (error.number() != 1062 && error.number() != 1213 && error.number() != 1205) throw;
                connection.exec("ROLLBACK");
            }
        }
    }

    std::atomic<bool> stopping_{false};
    std::atomic<std::uint64_t> transactions_{0};
    std::string error_;
    std::atomic<bool> failed_{false};
    std::thread thread_;
};

constexpr const char* dropped_definition =
    "k INT NOT NULL PRIMARY KEY, gone INT NOT NULL DEFAULT 7, u INT, amount INT NOT NULL, lost VARCHAR(20), UNIQUE KEY "
    "by_u (u)";

void make_dropped_tables(sql_connection& root, const std::string& table) {
    for (const std::string& name : {table, table + "_mirror"}) {
        root.exec("DROP TABLE IF EXISTS " + name);
        root.exec("CREATE TABLE " + name + " (" + dropped_definition + ")");
        std::string values;
        for (unsigned k = 0; k < 600; k += 2) {
            const std::string n = std::to_string(k);
            values += (values.empty() ? "(" : ", (") + n + ", " + n + " + 5000, " + n + ", 1, 'kept " + n + "')";
        }
        root.exec("INSERT INTO " + name + " (k, gone, u, amount, lost) VALUES " + values);
    }
}

}  // namespace

TEST_CASE("a table that is reverted under writes equals one that never had the ALTER") {
    const auto kind = GENERATE(values(all_kinds));
    const shape& one = shapes[GENERATE(range(std::size_t{0}, shapes.size()))];
    INFO(to_string(kind) << " " << one.name);
    way_back_scene scene(kind);
    const std::string table = one.name;
    for (const std::string& name : {table, table + "_mirror"}) {
        scene.root.exec("CREATE TABLE " + name + " (" + one.definition + ")");
    }
    const mirrored_table what{"`test`.`" + table + "`", "`test`.`" + table + "_mirror`", one.key, one.key_values, 900};
    fill_both(scene.root, what, 0, what.keys, 2);
    mirrored_writes writes(scene.server, what, 2, 11);
    scene.begin_in_sync(spec_of(table, one.alter));
    scene.wait_for_more(writes, 200);
    const auto ended = scene.revert();
    scene.wait_for_more(writes, 20);
    writes.stop();
    check_equal(scene.root, what.table, what.mirror, what.key, 100);
    CHECK(ended->way_back.keys_applied > 0);
    CHECK(ended->way_back.verification.passes > 0);
    CHECK(ended->way_back.verification.last_pass.rows_compared > 0);
    CHECK(ended->cutover_attempts.back().backwards);
    CHECK(tables_left(scene.root, "%" + table + "\\_g%") == "_" + table + "_gho");
    CHECK(ended->leftovers == std::vector<std::string>{"`test`.`_" + table + "_gho`"});
}

TEST_CASE("columns that the ALTER drops have their values again after a revert") {
    const auto kind = GENERATE(values(all_kinds));
    INFO(to_string(kind));
    way_back_scene scene(kind);
    make_dropped_tables(scene.root, "dropped");
    careful_writes writes(scene.server, "dropped", 3);
    scene.begin_in_sync(spec_of("dropped", "DROP COLUMN gone, DROP COLUMN lost"));
    scene.wait_for_more(writes, 300);
    const auto ended = scene.revert();
    scene.wait_for_more(writes, 20);
    writes.stop();
    check_equal(scene.root, "dropped", "dropped_mirror", {"k"}, 100);
    CHECK(scene.root.scalar("SELECT COUNT(*) FROM dropped WHERE lost LIKE 'kept %'") != "0");
    // Nothing of the new table could say what they are.
    CHECK(ended->way_back.verification.columns_not_compared == std::vector<std::string>{"gone", "lost"});
    CHECK(ended->way_back.verification.rows_repaired == 0);
}

TEST_CASE("a dropped column that is filled with the time of a write does not make its row different") {
    way_back_scene scene(server_kind::mysql_9_7);
    scene.root.exec(
        "CREATE TABLE timed (id INT NOT NULL PRIMARY KEY, at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6))");
    scene.root.exec("INSERT INTO timed (id) VALUES (1), (2), (3)");
    auto spec = spec_of("timed", "DROP COLUMN at");
    spec.options.time_zone = "+03:00";
    scene.begin_in_sync(spec);
    scene.root.exec("INSERT INTO timed (id) VALUES (4)");
    const auto ended = scene.revert();
    CHECK(ended->way_back.verification.last_pass.rows_compared >= 3);
    CHECK(ended->way_back.verification.rows_repaired == 0);
    CHECK(scene.root.scalar("SELECT COUNT(*) FROM timed") == "4");
}

TEST_CASE("a restart in between goes on with the old table where it had been") {
    const auto kind = GENERATE(values(all_kinds));
    INFO(to_string(kind));
    way_back_scene scene(kind);
    make_dropped_tables(scene.root, "restarted");
    careful_writes writes(scene.server, "restarted", 4);
    scene.begin_in_sync(spec_of("restarted", "DROP COLUMN gone, ADD COLUMN extra INT"));
    scene.wait_for_more(writes, 100);
    for (int restart = 0; restart < 3; ++restart) {
        scene.stop_engine();
        wait_for_more("transactions of the writers", 100, [&] { return writes.transactions(); });
        scene.start_engine();
        scene.wait_in_sync();
        scene.wait_for_more(writes, 50);
    }
    scene.revert();
    writes.stop();
    check_equal(scene.root, "restarted", "restarted_mirror", {"k"}, 100);
}

TEST_CASE("killed right behind either swap, the next process goes on from what was stored before it") {
    const auto kind = GENERATE(values(all_kinds));
    INFO(to_string(kind));
    // What the row of the migration says at the moment of each swap: put back later, as if nothing had been stored
    // since.
    std::mutex mutex;
    std::map<std::string, std::string> stored;
    statement_hook hook;
    hook.before = [&](std::string_view sql, std::uint64_t) {
        if (!sql.starts_with("INSERT INTO `_sluice`.`migrations`")) return;
        const std::lock_guard lock(mutex);
        for (const char* state : {"cutting_over", "reverting"}) {
            if (sql.find("'" + std::string(state) + "'") != std::string_view::npos) stored[state] = sql;
        }
    };
    way_back_scene scene(kind, hook);
    make_dropped_tables(scene.root, "killed");
    careful_writes writes(scene.server, "killed", 5);
    scene.begin_in_sync(spec_of("killed", "DROP COLUMN gone, ADD COLUMN extra INT"));
    scene.wait_for_more(writes, 60);
    scene.stop_engine();
    REQUIRE(stored.contains("cutting_over"));
    scene.root.exec("SET SESSION sql_mode = ''");
    scene.root.exec(stored["cutting_over"]);
    wait_for_more("transactions of the writers", 60, [&] { return writes.transactions(); });
    scene.start_engine();
    scene.wait_in_sync();
    scene.wait_for_more(writes, 60);
    scene.revert();
    scene.stop_engine();
    REQUIRE(stored.contains("reverting"));
    scene.root.exec(stored["reverting"]);
    scene.start_engine();
    scene.wait_end(migration_state::reverted);
    CHECK(tables_left(scene.root, "\\_killed%") == "_killed_gho");
    writes.stop();
    check_equal(scene.root, "killed", "killed_mirror", {"k"}, 100);
    scene.root.exec("DROP TABLE _killed_gho");
}
