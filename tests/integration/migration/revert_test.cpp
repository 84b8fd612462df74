// The way back: a table is migrated, its old table is kept in sync, and the old definition is given back under writes.
// A mirror that got the same writes and never had the ALTER says what the table must be in the end.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/integration/migration/mirrored_writes.hpp"
#include "tests/support/catch.hpp"
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

const mysql_server& server_of(server_kind kind) {
    static const mysql_server mysql_9_7 = start_server(server_kind::mysql_9_7);
    if (kind == server_kind::mysql_9_7) return mysql_9_7;
    static const mysql_server mysql_5_6 = start_server(server_kind::mysql_5_6);
    if (kind == server_kind::mysql_5_6) return mysql_5_6;
    static const mysql_server mariadb = start_server(server_kind::mariadb_10_11);
    return mariadb;
}

constexpr auto all_kinds = {server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11};

migration::migration_spec spec_of(const std::string& table, const std::string& alter) {
    migration::migration_spec spec{{"test", table}, alter, {}};
    spec.options.keep_old_table_in_sync = true;
    spec.options.hold_interval = std::chrono::milliseconds(100);
    spec.options.hold_budget = std::chrono::milliseconds(2'000);
    spec.options.cutover_attempts_max = 1'000;
    spec.options.chunk_rows_fixed = 100;
    spec.options.apply_batch_keys = 20;
    return spec;
}

migration::snapshot_ptr wait_in_sync(migration::migration_service& engine, const std::string& id) {
    auto seen =
        wait_until(engine, id, [](const auto& s) { return s.state == migration_state::in_sync || is_final(s.state); });
    INFO(error_text(*seen));
    INFO((seen->way_back.ended_by ? seen->way_back.ended_by->code + ": " + seen->way_back.ended_by->message : ""));
    REQUIRE(seen->state == migration_state::in_sync);
    return seen;
}

std::string way_back_text(const migration::migration_snapshot& snapshot) {
    const auto& why = snapshot.way_back.ended_by;
    return std::string(to_string(snapshot.state)) + ", " + error_text(snapshot) + ", " +
           (why ? why->code + ": " + why->message : "way back not ended") + ", " + snapshot.waiting_for;
}

void check_equal(sql_connection& root, const std::string& table, const std::string& mirror,
                 const std::vector<std::string>& key, std::size_t rows_min) {
    comparison_options how;
    how.key = key;
    const comparison compared = compare_rows({root, table}, {root, mirror}, how);
    INFO(compared.text());
    CHECK(compared.equal());
    CHECK(compared.rows_left >= rows_min);
}

std::string tables_left(sql_connection& root, const std::string& like) {
    return root.scalar(
        "SELECT IFNULL(GROUP_CONCAT(table_name ORDER BY table_name), '') FROM information_schema.tables "
        "WHERE table_schema = 'test' AND table_name LIKE '" +
        like + "'");
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

void wait_for_more(migration::migration_service& engine, const std::string& id, const auto& writes,
                   std::uint64_t transactions) {
    const std::uint64_t before = writes.transactions();
    wait_until(engine, id,
               [&](const auto& s) { return writes.transactions() > before + transactions || is_final(s.state); });
}

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
    const mysql_server& server = server_of(kind);
    INFO(static_cast<int>(kind) << " " << one.name);
    sql_connection root = connect(server, "test");
    const std::string table = one.name;
    for (const std::string& name : {table, table + "_mirror"}) {
        root.exec("CREATE TABLE " + name + " (" + one.definition + ")");
    }
    const mirrored_table what{"`test`.`" + table + "`", "`test`.`" + table + "_mirror`", one.key, one.key_values, 900};
    fill_both(root, what, 0, what.keys, 2);
    auto engine = engine_on(server);
    mirrored_writes writes(server, what, 2, 11);
    const auto created = engine->create(spec_of(table, one.alter));
    REQUIRE(created);
    const std::string id = (*created)->id;
    wait_in_sync(*engine, id);
    wait_for_more(*engine, id, writes, 200);
    REQUIRE(engine->command(id, operator_command::revert));
    const auto ended = wait_for_end(*engine, id);
    INFO(way_back_text(*ended));
    REQUIRE(ended->state == migration_state::reverted);
    wait_for_more(*engine, id, writes, 20);
    writes.stop();
    check_equal(root, what.table, what.mirror, what.key, 100);
    CHECK(ended->way_back.keys_applied > 0);
    CHECK(ended->cutover_attempts.back().backwards);
    CHECK(tables_left(root, "%" + table + "\\_g%") == "_" + table + "_gho");
    CHECK(ended->leftovers == std::vector<std::string>{"`test`.`_" + table + "_gho`"});
}

TEST_CASE("columns that the ALTER drops have their values again after a revert") {
    const auto kind = GENERATE(values(all_kinds));
    const mysql_server& server = server_of(kind);
    INFO(static_cast<int>(kind));
    sql_connection root = connect(server, "test");
    make_dropped_tables(root, "dropped");
    auto engine = engine_on(server);
    careful_writes writes(server, "dropped", 3);
    const auto created = engine->create(spec_of("dropped", "DROP COLUMN gone, DROP COLUMN lost"));
    REQUIRE(created);
    const std::string id = (*created)->id;
    wait_in_sync(*engine, id);
    wait_for_more(*engine, id, writes, 300);
    REQUIRE(engine->command(id, operator_command::revert));
    const auto ended = wait_for_end(*engine, id);
    INFO(way_back_text(*ended));
    REQUIRE(ended->state == migration_state::reverted);
    wait_for_more(*engine, id, writes, 20);
    writes.stop();
    check_equal(root, "dropped", "dropped_mirror", {"k"}, 100);
    CHECK(root.scalar("SELECT COUNT(*) FROM dropped WHERE lost LIKE 'kept %'") != "0");
}

TEST_CASE("a restart in between goes on with the old table where it had been") {
    const auto kind = GENERATE(values(all_kinds));
    const mysql_server& server = server_of(kind);
    INFO(static_cast<int>(kind));
    sql_connection root = connect(server, "test");
    make_dropped_tables(root, "restarted");
    auto engine = engine_on(server);
    careful_writes writes(server, "restarted", 4);
    const auto created = engine->create(spec_of("restarted", "DROP COLUMN gone, ADD COLUMN extra INT"));
    REQUIRE(created);
    const std::string id = (*created)->id;
    wait_in_sync(*engine, id);
    wait_for_more(*engine, id, writes, 100);
    for (int restart = 0; restart < 3; ++restart) {
        engine.reset();
        const auto before = writes.transactions();
        while (writes.transactions() < before + 100) std::this_thread::yield();
        engine = engine_on(server);
        wait_in_sync(*engine, id);
        wait_for_more(*engine, id, writes, 50);
    }
    REQUIRE(engine->command(id, operator_command::revert));
    const auto ended = wait_for_end(*engine, id);
    INFO(way_back_text(*ended));
    REQUIRE(ended->state == migration_state::reverted);
    writes.stop();
    check_equal(root, "restarted", "restarted_mirror", {"k"}, 100);
}

TEST_CASE("killed right behind either swap, the next process goes on from what was stored before it") {
    const auto kind = GENERATE(values(all_kinds));
    const mysql_server& server = server_of(kind);
    INFO(static_cast<int>(kind));
    sql_connection root = connect(server, "test");
    make_dropped_tables(root, "killed");
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
    auto engine = engine_on(server, migration::open_traffic_gate(), hook);
    careful_writes writes(server, "killed", 5);
    const auto created = engine->create(spec_of("killed", "DROP COLUMN gone, ADD COLUMN extra INT"));
    REQUIRE(created);
    const std::string id = (*created)->id;
    wait_in_sync(*engine, id);
    wait_for_more(*engine, id, writes, 60);
    engine.reset();
    REQUIRE(stored.contains("cutting_over"));
    root.exec("SET SESSION sql_mode = ''");
    root.exec(stored["cutting_over"]);
    const auto before = writes.transactions();
    while (writes.transactions() < before + 60) std::this_thread::yield();
    engine = engine_on(server, migration::open_traffic_gate(), hook);
    wait_in_sync(*engine, id);
    wait_for_more(*engine, id, writes, 60);
    REQUIRE(engine->command(id, operator_command::revert));
    auto ended = wait_for_end(*engine, id);
    INFO(way_back_text(*ended));
    REQUIRE(ended->state == migration_state::reverted);
    engine.reset();
    REQUIRE(stored.contains("reverting"));
    root.exec(stored["reverting"]);
    engine = engine_on(server);
    ended = wait_for_end(*engine, id);
    INFO(way_back_text(*ended));
    CHECK(ended->state == migration_state::reverted);
    CHECK(tables_left(root, "\\_killed%") == "_killed_gho");
    writes.stop();
    check_equal(root, "killed", "killed_mirror", {"k"}, 100);
    root.exec("DROP TABLE _killed_gho");
}

TEST_CASE("a value that does not fit the old definition ends the way back and harms nothing") {
    const auto kind = GENERATE(values(all_kinds));
    const mysql_server& server = server_of(kind);
    INFO(static_cast<int>(kind));
    sql_connection root = connect(server, "test");
    root.exec("DROP TABLE IF EXISTS misfit, _misfit_del");
    root.exec("CREATE TABLE misfit (id INT NOT NULL PRIMARY KEY, amount INT NOT NULL)");
    root.exec("INSERT INTO misfit VALUES (1, 10), (2, 20)");
    auto engine = engine_on(server);
    auto spec = spec_of("misfit", "MODIFY amount BIGINT NOT NULL");
    spec.options.drop_old_table = true;
    const auto created = engine->create(spec);
    REQUIRE(created);
    const std::string id = (*created)->id;
    wait_in_sync(*engine, id);
    root.exec("UPDATE misfit SET amount = 11 WHERE id = 1");
    wait_until(*engine, id, [](const auto& s) { return s.way_back.keys_applied >= 1; });
    CHECK(root.scalar("SELECT amount FROM _misfit_del WHERE id = 1") == "11");
    root.exec("UPDATE misfit SET amount = 5000000000 WHERE id = 2");
    const auto ended = wait_for_end(*engine, id);
    INFO(way_back_text(*ended));
    CHECK(ended->state == migration_state::completed);
    REQUIRE(ended->way_back.ended_by);
    CHECK(ended->way_back.ended_by->code == "out_of_range");
    CHECK(ended->way_back.ended_by->message.find("`id` = 2") != std::string::npos);
    CHECK(ended->way_back.ended_by->message.find("5000000000") != std::string::npos);
    CHECK(root.scalar("SELECT amount FROM misfit WHERE id = 2") == "5000000000");
    // Kept, although the option says drop: what it has may be wanted.
    CHECK(tables_left(root, "\\_misfit%") == "_misfit_del");
    const auto refused = engine->command(id, operator_command::revert);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == "wrong_state");
}

TEST_CASE("a row that gets another key ends the way back where the ALTER drops columns") {
    const mysql_server& server = server_of(server_kind::mysql_9_7);
    sql_connection root = connect(server, "test");
    root.exec("CREATE TABLE moving (id INT NOT NULL PRIMARY KEY, gone INT, amount INT)");
    root.exec("INSERT INTO moving VALUES (1, 10, 1), (2, 20, 2)");
    auto engine = engine_on(server);
    const auto created = engine->create(spec_of("moving", "DROP COLUMN gone"));
    REQUIRE(created);
    const std::string id = (*created)->id;
    wait_in_sync(*engine, id);
    root.exec("UPDATE moving SET id = 3 WHERE id = 1");
    const auto ended = wait_for_end(*engine, id);
    CHECK(ended->state == migration_state::completed);
    REQUIRE(ended->way_back.ended_by);
    CHECK(ended->way_back.ended_by->code == "row_moved");
    CHECK(root.scalar("SELECT GROUP_CONCAT(id ORDER BY id) FROM moving") == "2,3");
}

TEST_CASE("finish lets the old table go, and a revert can be called off") {
    const mysql_server& server = server_of(server_kind::mysql_9_7);
    sql_connection root = connect(server, "test");
    root.exec("CREATE TABLE finished (id INT NOT NULL PRIMARY KEY, amount INT)");
    root.exec("INSERT INTO finished VALUES (1, 10), (2, 20)");
    auto engine = engine_on(server);
    auto spec = spec_of("finished", "ADD COLUMN extra INT");
    spec.options.drop_old_table = true;
    const auto created = engine->create(spec);
    REQUIRE(created);
    const std::string id = (*created)->id;
    CHECK_FALSE(engine->command(id, operator_command::revert));
    wait_in_sync(*engine, id);
    CHECK_FALSE(engine->command(id, operator_command::cut_over));
    CHECK(engine->create(spec_of("finished", "ADD COLUMN other INT")).error().code == "already_running");

    sql_connection reader = connect(server, "test");
    reader.exec("START TRANSACTION");
    reader.query("SELECT * FROM finished");
    REQUIRE(engine->command(id, operator_command::revert));
    wait_until(*engine, id, [](const auto& s) { return s.state == migration_state::reverting || is_final(s.state); });
    REQUIRE(engine->command(id, operator_command::abort));
    wait_in_sync(*engine, id);
    reader.exec("COMMIT");
    root.exec("INSERT INTO finished VALUES (3, 30, 3)");
    wait_until(*engine, id, [](const auto& s) { return s.way_back.keys_applied >= 1; });
    CHECK(root.scalar("SELECT amount FROM _finished_del WHERE id = 3") == "30");

    REQUIRE(engine->command(id, operator_command::finish));
    const auto ended = wait_for_end(*engine, id);
    INFO(way_back_text(*ended));
    CHECK(ended->state == migration_state::completed);
    CHECK_FALSE(ended->way_back.ended_by);
    CHECK(tables_left(root, "\\_finished%").empty());
    CHECK(root.scalar("SELECT COUNT(*) FROM finished") == "3");
}

TEST_CASE("what has no way back is refused before anything is copied") {
    const mysql_server& server = server_of(server_kind::mysql_9_7);
    sql_connection root = connect(server, "test");
    root.exec("CREATE TABLE no_way_back (id INT NOT NULL PRIMARY KEY, d DATE NOT NULL, t TIME, n INT)");
    auto engine = engine_on(server);
    const auto refused_with = [&](const std::string& alter) {
        const auto created = engine->create(spec_of("no_way_back", alter));
        REQUIRE(created);
        const auto ended = wait_for_end(*engine, (*created)->id);
        REQUIRE(ended->error);
        CHECK(ended->state == migration_state::failed);
        CHECK(tables_left(root, "\\_no%").empty());
        return ended->error->code;
    };
    CHECK(refused_with("DROP COLUMN d") == "way_back_value");
    CHECK(refused_with("MODIFY d TIME NOT NULL") == "way_back_conversion");
    root.exec("CREATE TABLE parent (id INT NOT NULL PRIMARY KEY)");
    root.exec("ALTER TABLE no_way_back ADD CONSTRAINT to_parent FOREIGN KEY (id) REFERENCES parent (id)");
    auto spec = spec_of("no_way_back", "ADD COLUMN extra INT");
    spec.options.keep_foreign_keys = true;
    const auto created = engine->create(spec);
    REQUIRE(created);
    CHECK(wait_for_end(*engine, (*created)->id)->error->code == "way_back_relations");
}
