// The swap by two sessions, on the servers that refuse RENAME TABLE under LOCK TABLES: under writers, and with every
// step of it going wrong in turn. Whatever happens, no write may be lost and the table must end up with the new shape.

#include "migration/cutover/sentry_swap.hpp"
#include "migration/sql/artefact_names.hpp"
#include "tests/integration/migration/engine_rig.hpp"
#include "tests/integration/migration/mirrored_writes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"

#include <atomic>
#include <future>
#include <mutex>

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;

namespace {

const mysql_server& shared_server(server_kind kind) {
    static const mysql_server old_mysql = start_server(server_kind::mysql_5_6);
    static const mysql_server mariadb = start_server(server_kind::mariadb_10_11);
    return kind == server_kind::mysql_5_6 ? old_mysql : mariadb;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

constexpr const char* columns = "(id INT PRIMARY KEY, payload VARCHAR(60), amount INT NOT NULL)";
constexpr const char* alter = "ADD COLUMN extra INT NOT NULL DEFAULT 3, MODIFY amount BIGINT NOT NULL";
constexpr const char* drop_of_sentry = "DROP TABLE `test`.`t~old`";
constexpr const char* swap_rename = "RENAME TABLE `test`.`t` TO `test`.`t~old`";

/// Table t and its mirror, with writers on both.
struct written_table {
    explicit written_table(const mysql_server& on) : server(on), root(connect(on, "test")) {
        root.exec("DROP TABLE IF EXISTS t, t_mirror, `_t_del`");
        for (const char* name : {"t", "t_mirror"}) {
            root.exec(std::string("CREATE TABLE ") + name + " " + columns);
        }
        what.table = "`test`.`t`";
        what.mirror = "`test`.`t_mirror`";
        what.key = {"id"};
        what.key_values = [](unsigned n) { return std::to_string(n); };
        what.keys = 2'000;
        fill_both(root, what, 0, 2'000, 2);
        writes.emplace(server, what, 3, 7);
    }

    /// Ends the writers and compares t with what the server makes of the mirror.
    void check_equal() {
        writes->stop();
        CHECK(writes->transactions() > 0);
        root.exec(std::string("ALTER TABLE t_mirror ") + alter);
        CHECK(root.scalar("SELECT COUNT(*) FROM t") == root.scalar("SELECT COUNT(*) FROM t_mirror"));
        CHECK(root.query("SELECT * FROM t ORDER BY id") == root.query("SELECT * FROM t_mirror ORDER BY id"));
    }

    const mysql_server& server;
    sql_connection root;
    mirrored_table what;
    std::optional<mirrored_writes> writes;
};

migration::migration_spec spec_of_t() {
    migration::migration_spec spec{{"test", "t"}, alter, {}};
    spec.options.hold_interval = std::chrono::milliseconds(100);
    spec.options.page_flush_wait = std::chrono::milliseconds(0);
    return spec;
}

std::string tables_left(sql_connection& root) {
    return root.scalar(
        "SELECT IFNULL(GROUP_CONCAT(table_name ORDER BY table_name), '') FROM information_schema.tables"
        " WHERE table_schema = 'test' AND (table_name LIKE 't~%' OR table_name LIKE '\\_t\\_%')");
}

/// Swaps of t in the binary log.
std::size_t swaps_logged(sql_connection& root) {
    std::size_t count = 0;
    for (const auto& log : root.query("SHOW BINARY LOGS")) {
        for (const auto& event : root.query("SHOW BINLOG EVENTS IN '" + *log[0] + "'")) {
            if (contains(event[5].value_or(""), swap_rename)) ++count;
        }
    }
    return count;
}

bool waits_for_metadata_lock(sql_connection& eyes, const std::string& who) {
    return eyes.scalar("SELECT COUNT(*) FROM information_schema.processlist WHERE " + who +
                       " AND state = 'Waiting for table metadata lock'") == "1";
}

}  // namespace

TEST_CASE("a rename to the names of the swap waits for the original before it takes any other lock") {
    const auto kind = GENERATE(server_kind::mysql_5_6, server_kind::mariadb_10_11, server_kind::mysql_9_7);
    const auto table = GENERATE(as<std::string>{}, "t", "T9", "_x", "zz");
    INFO(to_string(kind) << ": " << table);
    const mysql_server own = start_server(kind);
    sql_connection root = connect(own, "test");
    const auto names = migration::artefact_names_of(table);
    for (const auto& name : {table, names.swap_ghost}) root.exec("CREATE TABLE `" + name + "` (id INT PRIMARY KEY)");
    root.exec("LOCK TABLES `" + table + "` WRITE");
    sql_connection renamer = connect(own, "test");
    sql_connection eyes = connect(own, "test");
    auto renamed = std::async(std::launch::async, [&] {
        renamer.exec("RENAME TABLE `" + table + "` TO `" + names.swap_old + "`, `" + names.swap_ghost + "` TO `" +
                     table + "`");
    });
    CHECK(eventually([&] { return waits_for_metadata_lock(eyes, "id = " + std::to_string(renamer.connection_id())); }));
    // It holds nothing of the ghost: this would wait, and time out, otherwise.
    eyes.exec("SET lock_wait_timeout = 1");
    CHECK(eyes.error_of("SELECT COUNT(*) FROM `" + names.swap_ghost + "`") == 0);
    root.exec("UNLOCK TABLES");
    renamed.get();
}

TEST_CASE("two sessions swap the tables under writers: no write is lost, and there is one rename") {
    const auto kind = GENERATE(server_kind::mysql_5_6, server_kind::mariadb_10_11);
    INFO(to_string(kind));
    written_table table(shared_server(kind));
    const std::size_t swaps_before = swaps_logged(table.root);
    auto engine = engine_on(table.server);
    const auto created = engine->create(spec_of_t());
    REQUIRE(created);
    const auto ended = wait_for_end(*engine, (*created)->id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    CHECK(swaps_logged(table.root) == swaps_before + 1);
    table.check_equal();
    CHECK(tables_left(table.root) == "_t_del");
}

namespace {

/// Something that goes wrong in the first attempt.
struct mishap {
    const char* name;
    const char* given_up_because;  ///< part of the reason; nullptr: the attempt succeeds all the same
};

/// Plays one mishap by way of the statements that it sees.
class saboteur {
public:
    saboteur(const mysql_server& server, std::string name)
        : name_(std::move(name)), root_(connect(server, "test")), other_(connect(server, "test")) {}

    statement_hook hook() {
        return {[this](std::string_view sql, std::uint64_t id) { before(sql, id); },
                [this](std::string_view sql, std::uint64_t id, auto& answered) { after(sql, id, answered); }};
    }
    /// Lets go of what it holds.
    void relent() {
        const std::lock_guard lock(mutex_);
        other_.exec("ROLLBACK");
    }

private:
    bool first_time() { return !done_.exchange(true); }
    void kill(std::uint64_t id) {
        const std::lock_guard lock(mutex_);
        root_.error_of("KILL " + std::to_string(id));
        wait_for_value(root_, "SELECT COUNT(*) FROM information_schema.processlist WHERE id = " + std::to_string(id),
                       "0");
    }
    void read_in_transaction(const char* table) {
        const std::lock_guard lock(mutex_);
        other_.exec("START TRANSACTION");
        other_.query(std::string("SELECT COUNT(*) FROM ") + table);
    }

    void before(std::string_view sql, std::uint64_t id) {
        if (sql.starts_with(swap_rename)) {
            renamer_ = id;
            if (name_ == "the renamer dies before it begins" && first_time()) kill(id);
        }
        if (sql.starts_with(drop_of_sentry)) {
            if (name_ == "the holder dies before the drop" && first_time()) kill(id);
            if (name_ == "the renamer dies while it waits" && first_time()) kill(renamer_);
        }
        if (sql.starts_with("RENAME TABLE `test`.`_t_gho`") && name_ == "somebody reads the ghost" && first_time()) {
            read_in_transaction("`_t_gho`");
        }
        if (sql.starts_with("LOCK TABLES") && name_ == "somebody reads the table" && first_time()) {
            read_in_transaction("t");
        }
        if (sql.starts_with("LOCK TABLES") && name_ == "the holder dies before it locks" && first_time()) kill(id);
        // Blocks the holder's look until the watch has ended the rename at the deadline.
        if (sql.find("Waiting for table metadata lock") != sql.npos && name_ == "the time is over" && first_time()) {
            std::unique_lock lock(mutex_);
            rename_ended_.wait(lock, [this] { return renamed_; });
        }
    }

    void after(std::string_view sql, std::uint64_t id, migration::outcome<migration::query_result>& answered) {
        if (sql.starts_with(drop_of_sentry) && name_ == "the holder dies after the drop" && first_time()) kill(id);
        if (!sql.starts_with(swap_rename)) return;
        {
            const std::lock_guard lock(mutex_);
            renamed_ = true;
            rename_ended_.notify_all();
        }
        if (name_ == "the answer to the rename is lost" && first_time()) {
            answered = migration::failure{.code = "connection_lost",
                                          .message = "lost by the test",
                                          .server_errno = 2013,
                                          .sqlstate = "HY000",
                                          .attempted = {},
                                          .then = migration::disposition::outcome_unknown};
        }
    }

    const std::string name_;
    std::mutex mutex_;
    std::condition_variable rename_ended_;
    sql_connection root_;
    sql_connection other_;
    std::atomic<bool> done_{false};
    std::atomic<std::uint64_t> renamer_{0};
    bool renamed_ = false;
};

}  // namespace

TEST_CASE("an attempt of two sessions that goes wrong at any step loses nothing, and the next one swaps") {
    const auto kind = GENERATE(server_kind::mysql_5_6, server_kind::mariadb_10_11);
    const auto one = GENERATE(values<mishap>({
        {"the holder dies before it locks", ""},
        {"the holder dies before the drop", ""},
        {"the holder dies after the drop", nullptr},
        {"the renamer dies before it begins", "the rename ended before its time"},
        {"the renamer dies while it waits", ""},
        {"the time is over", "the rename ended before its time"},
        {"somebody reads the ghost", "the ghost table is in use by somebody else"},
        {"somebody reads the table", "the table's lock was not to be had in time"},
        {"the answer to the rename is lost", nullptr},
    }));
    INFO(to_string(kind) << ": " << one.name);
    written_table table(shared_server(kind));
    const std::size_t swaps_before = swaps_logged(table.root);
    saboteur sabotage(table.server, one.name);
    auto engine = engine_on(table.server, migration::open_traffic_gate(), sabotage.hook());
    auto spec = spec_of_t();
    // On a busy machine, too, the attempt comes to the step that goes wrong: it waits for its locks for a tenth of
    // this.
    spec.options.hold_budget = std::chrono::seconds(std::string(one.name) == "the time is over" ? 5 : 10);
    const auto created = engine->create(spec);
    REQUIRE(created);
    const std::string id = (*created)->id;
    wait_until(*engine, id, [](const auto& s) { return !s.cutover_attempts.empty() || is_final(s.state); });
    sabotage.relent();
    const auto ended = wait_for_end(*engine, id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    const auto& attempts = ended->cutover_attempts;
    INFO(attempts.front().given_up_because);
    if (one.given_up_because == nullptr) {
        CHECK(attempts.size() == 1);
    } else {
        CHECK(attempts.size() > 1);
        CHECK_FALSE(attempts.front().given_up_because.empty());
        CHECK(contains(attempts.front().given_up_because, one.given_up_because));
    }
    CHECK(attempts.back().succeeded);
    CHECK(swaps_logged(table.root) == swaps_before + 1);
    table.check_equal();
    CHECK(tables_left(table.root) == "_t_del");
}

TEST_CASE("a TRUNCATE that waits for the lock before the rename goes first, and is not lost") {
    const auto kind = GENERATE(server_kind::mysql_5_6, server_kind::mariadb_10_11);
    INFO(to_string(kind));
    const mysql_server& server = shared_server(kind);
    sql_connection root = connect(server, "test");
    root.exec("DROP TABLE IF EXISTS t, `_t_del`");
    root.exec(std::string("CREATE TABLE t ") + columns);
    root.exec("INSERT INTO t VALUES (1, 'x', 1), (2, 'y', 2)");
    std::future<void> truncated;
    sql_connection other = connect(server, "test");
    sql_connection eyes = connect(server, "test");
    std::atomic<bool> done{false};
    std::atomic<bool> waits{false};
    statement_hook hook;
    hook.before = [&](std::string_view sql, std::uint64_t) {
        if (!sql.starts_with(swap_rename) || done.exchange(true)) return;
        truncated = std::async(std::launch::async, [&] { other.exec("TRUNCATE TABLE t"); });
        waits = eventually([&] { return waits_for_metadata_lock(eyes, "info = 'TRUNCATE TABLE t'"); });
    };
    auto engine = engine_on(server, migration::open_traffic_gate(), hook);
    const auto created = engine->create(spec_of_t());
    REQUIRE(created);
    const auto ended = wait_for_end(*engine, (*created)->id);
    INFO(error_text(*ended));
    REQUIRE(done);
    truncated.get();
    CHECK(waits);
    REQUIRE(ended->state == migration_state::failed);
    CHECK(ended->error->code == "original_changed");
    CHECK(root.scalar("SELECT COUNT(*) FROM t") == "0");
    CHECK(tables_left(root).empty());
}

TEST_CASE("what a process that was killed in the middle of a swap has left is put right at the next start") {
    const auto kind = GENERATE(server_kind::mysql_5_6, server_kind::mariadb_10_11);
    // "half renamed": what a 5.6 that dies in the middle of the RENAME leaves.
    const auto left =
        GENERATE(as<std::string>{}, "sentry and ghost", "ghost", "pending rename", "half renamed", "swapped");
    INFO(to_string(kind) << ": " << left);
    const mysql_server& server = shared_server(kind);
    sql_connection root = connect(server, "test");
    root.exec("DROP TABLE IF EXISTS t, `_t_del`");
    root.exec(std::string("CREATE TABLE t ") + columns);
    root.exec("INSERT INTO t VALUES (1, 'x', 1), (2, 'y', 2)");
    auto spec = spec_of_t();
    spec.options.postpone_cutover = true;
    auto engine = engine_on(server);
    const auto created = engine->create(spec);
    REQUIRE(created);
    const std::string id = (*created)->id;
    wait_until(*engine, id, [](const auto& s) { return s.state == migration_state::ready || is_final(s.state); });
    engine.reset();
    root.exec("UPDATE _sluice.migrations SET state = 'cutting_over' WHERE id = '" + id + "'");

    const std::string sentry =
        "CREATE TABLE `t~old` (nothing TINYINT) COMMENT = '" + std::string(migration::sentry_comment) + "'";
    root.exec("RENAME TABLE `_t_gho` TO `t~gho`");
    std::future<unsigned> pending;
    sql_connection renamer(server.port(), sluice_user, sluice_password, "test");
    const std::string rename = std::string(swap_rename) + ", `test`.`t~gho` TO `test`.`t`";
    if (left == "swapped") {
        root.exec(rename);
    } else if (left == "half renamed") {
        root.exec("RENAME TABLE t TO `t~old`");
    } else if (left == "sentry and ghost") {
        root.exec(sentry);
    } else if (left == "pending rename") {
        // Its client is gone; somebody else's lock keeps it waiting.
        root.exec("LOCK TABLES t READ");
        pending = std::async(std::launch::async, [&] { return renamer.error_of(rename); });
        CHECK(eventually([&] { return waits_for_metadata_lock(root, "info = " + root.quote(rename)); }));
    }
    engine = engine_on(server);
    if (pending.valid()) {
        CHECK(pending.get() != 0);  // killed
        root.exec("UNLOCK TABLES");
    }
    if (left != "swapped") {
        const auto begun_again = wait_until(*engine, id, [&](const auto& s) {
            return (s.state == migration_state::ready && tables_left(root) == "_t_ghc,_t_gho") || is_final(s.state);
        });
        INFO(to_string(begun_again->state) << ", " << error_text(*begun_again));
        REQUIRE(engine->command(id, migration::operator_command::cut_over));
    }
    const auto ended = wait_for_end(*engine, id);
    INFO(error_text(*ended));
    CHECK(ended->state == migration_state::completed);
    CHECK(root.scalar("SELECT SUM(extra) FROM t") == "6");
    CHECK(root.scalar("SELECT COUNT(*) FROM `_t_del`") == "2");
    CHECK(tables_left(root) == "_t_del");
}
