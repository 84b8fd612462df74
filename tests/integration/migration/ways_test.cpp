// What the server can do by itself: INSTANT, INPLACE where that changes metadata only, and the way back to the copy.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

using namespace sluice;
using namespace sluice::test;
using migration::alter_way;
using migration::migration_state;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

const mysql_server& shared_server(server_kind kind = server_kind::mysql_9_7) {
    static std::map<server_kind, mysql_server> servers;
    if (!servers.contains(kind)) servers.emplace(kind, start_server(kind));
    return servers.at(kind);
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

migration::migration_spec spec_of(const std::string& table, const std::string& alter) {
    migration::migration_spec spec{{"test", table}, alter, {}};
    spec.options.drop_old_table = true;
    spec.options.attempt_instant = true;
    spec.options.attempt_inplace = true;
    spec.options.hold_interval = milliseconds(100);
    spec.options.page_flush_wait = milliseconds(0);
    return spec;
}

migration::snapshot_ptr run(migration::migration_service& engine, const migration::migration_spec& spec) {
    const auto created = engine.create(spec);
    REQUIRE(created);
    return wait_for_end(engine, (*created)->id);
}

std::string tables_beside(sql_connection& root, const std::string& table) {
    return root.scalar(
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'test' AND table_name LIKE "
        "'\\_" +
        table + "\\_%'");
}

void make_table(sql_connection& root, const std::string& table, int rows = 100) {
    root.exec("DROP TABLE IF EXISTS " + table);
    root.exec("CREATE TABLE " + table +
              " (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, a INT NOT NULL DEFAULT 1, v VARCHAR(20) CHARACTER SET "
              "latin1, e ENUM('a','b'), KEY by_a (a), KEY by_v (v)) ENGINE=InnoDB");
    std::string values;
    for (int i = 1; i <= rows; ++i) values += (i == 1 ? "(" : ", (") + std::to_string(i) + ", 'x')";
    root.exec("INSERT INTO " + table + " (a, v) VALUES " + values);
}

std::string create_statement(sql_connection& root, const std::string& table) {
    return root.query("SHOW CREATE TABLE " + table).at(0).at(1).value_or("");
}

}  // namespace

TEST_CASE("the way that is taken, and why others were not, per server") {
    struct taken {
        server_kind kind;
        const char* alter;
        alter_way way;
        const char* not_instant;  // part of the reason; nullptr: INSTANT was taken
        const char* not_inplace;  // nullptr: INPLACE was taken, or not needed
    };
    constexpr auto my = server_kind::mysql_9_7;
    constexpr auto maria = server_kind::mariadb_10_11;
    constexpr auto old = server_kind::mysql_5_6;
    const auto one = GENERATE(values<taken>({
        {my, "ADD COLUMN n INT", alter_way::instant, nullptr, nullptr},
        {my, "DROP INDEX by_a, RENAME INDEX by_v TO v2, COMMENT 'neu'", alter_way::inplace, "1845", nullptr},
        {my, "MODIFY v VARCHAR(200) CHARACTER SET latin1", alter_way::inplace, "1845", nullptr},
        {my, "MODIFY a BIGINT NOT NULL", alter_way::copy, "1846", "1846"},
        {my, "ADD INDEX by_e (e)", alter_way::copy, "1845", "an index is built"},
        {my, "MODIFY a INT NULL", alter_way::copy, "1845", "rebuilds the table"},
        {my, "ADD COLUMN n INT, ALGORITHM=INPLACE, LOCK=NONE", alter_way::copy, "ALGORITHM=INPLACE",
         "rebuilds the table"},
        {my, "ADD COLUMN n INT, ALGORITHM=INSTANT", alter_way::instant, nullptr, nullptr},
        {maria, "ADD COLUMN n INT FIRST", alter_way::instant, nullptr, nullptr},
        {maria, "ORDER BY a", alter_way::copy, "rebuilds the table", "1846"},
        {maria, "DROP INDEX by_a", alter_way::inplace, "1846", nullptr},
        {old, "ADD COLUMN n INT", alter_way::copy, "INSTANT", "rebuilds the table"},
        {old, "MODIFY e ENUM('a','b','c')", alter_way::inplace, "INSTANT", nullptr},
        {old, "MODIFY v VARCHAR(200) CHARACTER SET latin1", alter_way::copy, "INSTANT", "1846"},
    }));
    INFO(to_string(one.kind) << ": " << one.alter);
    const mysql_server& server = shared_server(one.kind);
    sql_connection root = connect(server, "test");
    make_table(root, "ways");
    make_table(root, "wanted");
    root.exec(std::string("ALTER TABLE wanted ") + one.alter);
    auto engine = engine_on(server);
    const auto ended = run(*engine, spec_of("ways", one.alter));
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    REQUIRE(ended->way);
    CHECK(*ended->way == one.way);
    std::size_t passed = 0;
    for (const char* reason : {one.not_instant, one.not_inplace}) {
        if (reason == nullptr) continue;
        REQUIRE(ended->passed_over.size() > passed);
        INFO(ended->passed_over[passed].reason);
        CHECK(contains(ended->passed_over[passed].reason, reason));
        ++passed;
    }
    CHECK(ended->passed_over.size() == passed);
    CHECK((ended->rows_copied != 0) == (one.way == alter_way::copy));
    CHECK(root.scalar("SELECT COUNT(*) FROM ways") == "100");
    const auto wanted = create_statement(root, "wanted");
    CHECK(create_statement(root, "ways").substr(sizeof("CREATE TABLE `ways`")) ==
          wanted.substr(sizeof("CREATE TABLE `wanted`")));
    CHECK(tables_beside(root, "ways") == "0");
    // What is stored is what is shown, for the next process too.
    CHECK(root.scalar("SELECT way FROM _sluice.migrations WHERE id = '" + ended->id + "'") == to_string(one.way));
    engine = engine_on(server);
    const auto again = engine->find(ended->id);
    REQUIRE(again);
    CHECK(again->way == ended->way);
    CHECK(again->passed_over == ended->passed_over);
}

TEST_CASE("every row of the list of metadata-only changes, per server: nothing is rebuilt, no index is built") {
    struct listed {
        const char* alter;
        const char* not_on;  // servers that cannot do it this way; "" for none
    };
    constexpr listed rows[] = {
        {"DROP INDEX by_a", ""},
        {"RENAME INDEX by_a TO other", "mysql-5.6"},
        {"ALTER INDEX by_a INVISIBLE", "mysql-5.6 mariadb-10.11"},
        {"ALTER INDEX by_a IGNORED", "mysql-5.6 mysql-9.7"},
        {"RENAME COLUMN a TO b", "mysql-5.6"},
        {"CHANGE a b INT NOT NULL DEFAULT 1", ""},
        {"ALTER COLUMN a SET DEFAULT 7", ""},
        {"ALTER COLUMN a DROP DEFAULT", ""},
        {"MODIFY a INT NOT NULL DEFAULT 1 COMMENT 'c'", ""},
        {"MODIFY v VARCHAR(255) CHARACTER SET latin1", "mysql-5.6"},
        {"MODIFY e ENUM('a','b','c')", ""},
        {"MODIFY s SET('a','b','c')", ""},
        {"AUTO_INCREMENT = 100000", ""},
        {"DEFAULT CHARACTER SET latin1", ""},
        {"COLLATE utf8mb4_bin", ""},
        {"COMMENT = 'neu'", ""},
        {"STATS_PERSISTENT = 1, STATS_AUTO_RECALC = 0, STATS_SAMPLE_PAGES = 9", ""},
        {"MAX_ROWS = 9 MIN_ROWS = 2 AVG_ROW_LENGTH = 9 CHECKSUM = 1 DELAY_KEY_WRITE = 1 PACK_KEYS = 1", ""},
        {"DROP FOREIGN KEY fk", ""},
        {"DROP CHECK positive", "mysql-5.6 mariadb-10.11"},
        {"ALTER CHECK positive NOT ENFORCED", "mysql-5.6 mariadb-10.11"},
    };
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    const mysql_server& server = shared_server(kind);
    sql_connection root = connect(server, "test");
    const std::string views = kind == server_kind::mysql_9_7 ? "INNODB_" : "INNODB_SYS_";
    const auto ids = [&] {
        return root.query("SELECT i.INDEX_ID FROM information_schema." + views + "TABLES t JOIN information_schema." +
                          views + "INDEXES i ON i.TABLE_ID = t.TABLE_ID WHERE t.NAME = 'test/listed'");
    };
    const bool has_checks = kind == server_kind::mysql_9_7;
    auto engine = engine_on(server);
    for (const listed& one : rows) {
        INFO(to_string(kind) << ": " << one.alter);
        root.exec("DROP TABLE IF EXISTS listed, up");
        root.exec("CREATE TABLE up (id INT PRIMARY KEY) ENGINE=InnoDB");
        root.exec(
            "CREATE TABLE listed (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, a INT NOT NULL DEFAULT 1, v "
            "VARCHAR(20) CHARACTER SET latin1, e ENUM('a','b'), s SET('a','b'), p INT, q INT, KEY by_a (a), KEY by_p "
            "(p), CONSTRAINT fk FOREIGN KEY (p) REFERENCES up (id)" +
            std::string(has_checks ? ", CONSTRAINT positive CHECK (q > 0)" : "") +
            ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4");
        root.exec("INSERT INTO listed (v) VALUES ('x'), ('y'), ('z')");
        for (int i = 0; i < 10; ++i) root.exec("INSERT INTO listed (v) SELECT v FROM listed");
        const auto before = ids();
        auto spec = spec_of("listed", one.alter);
        spec.options.attempt_instant = false;
        spec.options.discard_foreign_keys = true;
        const auto created = engine->create(spec);
        REQUIRE(created);
        const auto decided = wait_until(*engine, (*created)->id,
                                        [](const auto& s) { return is_final(s.state) || s.passed_over.size(); });
        if (contains(one.not_on, to_string(kind))) {
            CHECK(decided->way != alter_way::inplace);
            if (!is_final(decided->state)) {
                (void)engine->command((*created)->id, migration::operator_command::abort);
                (void)wait_for_end(*engine, (*created)->id);
            }
            continue;
        }
        INFO(error_text(*decided));
        for (const auto& other : decided->passed_over) UNSCOPED_INFO(other.reason);
        REQUIRE(decided->state == migration_state::completed);
        CHECK(decided->way == alter_way::inplace);
        const auto after = ids();
        CHECK_FALSE(after.empty());
        for (const auto& id : after) CHECK(std::find(before.begin(), before.end(), id) != before.end());
    }
}

TEST_CASE("a TIMESTAMP in a DEFAULT is the moment that the server's own time zone makes of it") {
    constexpr const char* alter = "ADD COLUMN m TIMESTAMP NOT NULL DEFAULT '2020-06-01 12:00:00'";
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mariadb_10_11);
    const mysql_server& server = shared_server(kind);
    sql_connection root = connect(server, "test");
    root.exec("SET GLOBAL time_zone = '+02:00'");
    const auto engine = engine_on(server);
    for (const char* table : {"zoned", "zoned_mirror"}) make_table(root, table);
    root.exec("SET time_zone = '+02:00'");
    root.exec(std::string("ALTER TABLE zoned_mirror ") + alter);
    root.exec("SET time_zone = '+00:00'");
    const auto forecast = engine->dry_run(spec_of("zoned", alter));
    const auto done = run(*engine, spec_of("zoned", alter));
    root.exec("SET GLOBAL time_zone = 'SYSTEM'");
    REQUIRE((forecast && done->state == migration_state::completed));
    CHECK(done->way == alter_way::instant);
    for (const char* table : {"zoned", "zoned_mirror"}) {
        root.exec(std::string("INSERT INTO ") + table + " (a) VALUES (7)");
        CHECK(root.scalar(std::string("SELECT GROUP_CONCAT(DISTINCT m) FROM ") + table) == "2020-06-01 10:00:00");
    }
}

TEST_CASE("foreign keys, triggers and CHECK constraints do not stand in the server's own way") {
    sql_connection root = connect(shared_server(), "test");
    root.exec("DROP TABLE IF EXISTS child, parent");
    root.exec("CREATE TABLE parent (id INT PRIMARY KEY)");
    root.exec(
        "CREATE TABLE child (id INT PRIMARY KEY, p INT, CONSTRAINT child_fk FOREIGN KEY (p) REFERENCES parent (id),"
        " CONSTRAINT child_positive CHECK (id > 0))");
    root.exec("CREATE TRIGGER child_bi BEFORE INSERT ON child FOR EACH ROW SET NEW.p = NEW.p");
    auto engine = engine_on(shared_server());
    const auto instant = run(*engine, spec_of("child", "ADD COLUMN n INT DEFAULT 7"));
    INFO(error_text(*instant));
    REQUIRE(instant->state == migration_state::completed);
    CHECK(*instant->way == alter_way::instant);
    for (const char* alter : {"DROP CHECK child_positive", "DROP FOREIGN KEY child_fk"}) {
        INFO(alter);
        const auto ended = run(*engine, spec_of("child", alter));
        INFO(error_text(*ended));
        REQUIRE(ended->state == migration_state::completed);
        CHECK(*ended->way != alter_way::copy);
    }
    const auto now = create_statement(root, "child");
    CHECK_FALSE(contains(now, "CONSTRAINT"));
    CHECK(contains(now, "`n` int DEFAULT '7'"));
}

TEST_CASE("an INSTANT change that only the table itself cannot take any more falls back, in the server's words") {
    sql_connection root = connect(shared_server(), "test");
    make_table(root, "versions");
    // MySQL 9.7 Reference Manual, "Online DDL Operations": a table can have so many row versions, then 4092.
    int added = 0;
    while (root.error_of("ALTER TABLE versions ADD COLUMN c" + std::to_string(added) + " INT, ALGORITHM=INSTANT") ==
               0 &&
           added < 300) {
        ++added;
    }
    REQUIRE(added < 300);
    auto engine = engine_on(shared_server());
    const auto ended = run(*engine, spec_of("versions", "ADD COLUMN one_more INT"));
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    CHECK(*ended->way == alter_way::copy);
    REQUIRE(ended->passed_over.size() == 2);
    INFO(ended->passed_over[0].reason);
    CHECK(contains(ended->passed_over[0].reason, "4092"));
}

TEST_CASE("an open transaction on the table makes nobody wait for longer than the bound; then the table is copied") {
    const mysql_server& server = shared_server();
    sql_connection root = connect(server, "test");
    make_table(root, "busy");
    sql_connection holder = connect(server, "test");
    holder.exec("BEGIN");
    (void)holder.query("SELECT * FROM busy LIMIT 1");
    auto engine = engine_on(server);
    auto spec = spec_of("busy", "ADD COLUMN n INT");
    spec.options.ddl_lock_wait = milliseconds(200);
    const auto created = engine->create(spec);
    REQUIRE(created);
    // Another client reads the table all the time. Without the bound it would wait until the transaction ends.
    std::atomic<bool> decided{false};
    milliseconds longest{0};
    std::thread reader([&] {
        sql_connection client = connect(server, "test");
        while (!decided) {
            const auto begun = steady_clock::now();
            (void)client.query("SELECT MAX(id) FROM busy");
            longest = std::max(longest, std::chrono::duration_cast<milliseconds>(steady_clock::now() - begun));
        }
    });
    const auto copying = wait_until(*engine, (*created)->id,
                                    [](const auto& s) { return s.way == alter_way::copy || is_final(s.state); });
    decided = true;
    reader.join();
    REQUIRE(copying->way == alter_way::copy);
    REQUIRE(copying->passed_over.size() == 1);
    INFO(copying->passed_over[0].reason);
    CHECK(contains(copying->passed_over[0].reason, "5 attempts"));
    CHECK(longest < milliseconds(2'000));
    holder.exec("COMMIT");
    const auto ended = wait_for_end(*engine, (*created)->id);
    INFO(error_text(*ended));
    CHECK(ended->state == migration_state::completed);
}

TEST_CASE("a short transaction on the table delays the server's own way, but does not rule it out") {
    const mysql_server& server = shared_server();
    sql_connection root = connect(server, "test");
    make_table(root, "brief");
    sql_connection holder = connect(server, "test");
    holder.exec("BEGIN");
    (void)holder.query("SELECT * FROM brief LIMIT 1");
    auto engine = engine_on(server);
    auto spec = spec_of("brief", "ADD COLUMN n INT");
    spec.options.ddl_lock_wait = milliseconds(50);
    spec.options.hold_interval = milliseconds(500);
    const auto created = engine->create(spec);
    REQUIRE(created);
    (void)wait_until(*engine, (*created)->id, [](const auto& s) { return contains(s.waiting_for, "given up"); });
    holder.exec("COMMIT");
    const auto ended = wait_for_end(*engine, (*created)->id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    CHECK(*ended->way == alter_way::instant);
    CHECK(ended->passed_over.empty());
}

TEST_CASE("a leftover ghost is refused before the server is asked for anything, and left alone") {
    sql_connection root = connect(shared_server(), "test");
    make_table(root, "remains");
    root.exec("CREATE TABLE _remains_gho (id INT PRIMARY KEY)");
    auto engine = engine_on(shared_server());
    const auto ended = run(*engine, spec_of("remains", "ADD COLUMN n INT"));
    REQUIRE(ended->state == migration_state::failed);
    CHECK(ended->error->code == "leftover_tables");
    CHECK(tables_beside(root, "remains") == "1");
    root.exec("DROP TABLE _remains_gho");
}

namespace {

bool is_direct(std::string_view sql) { return sql.starts_with("ALTER TABLE `test`.`lost` ALGORITHM="); }

}  // namespace

TEST_CASE("a connection that is lost around the server's own ALTER: the table is asked what has become of it") {
    const mysql_server& server = shared_server();
    sql_connection root = connect(server, "test");
    make_table(root, "lost");
    // Killed before the statement is sent: it has not taken place. Killed after it: the answer is lost, not the ALTER.
    const bool before = GENERATE(true, false);
    INFO((before ? "before" : "after"));
    std::atomic<int> sent{0};
    statement_hook hook;
    const auto kill = [&](std::uint64_t connection) {
        sql_connection killer = connect(server);
        killer.exec("KILL " + std::to_string(connection));
    };
    hook.before = [&](std::string_view sql, std::uint64_t connection) {
        if (is_direct(sql) && ++sent == 1 && before) kill(connection);
    };
    hook.after = [&](std::string_view sql, std::uint64_t connection,
                     migration::outcome<migration::query_result>& answer) {
        if (!is_direct(sql) || before || sent != 1) return;
        kill(connection);
        auto lost = migration::refuse("connection_lost", "the connection was lost");
        lost.then = migration::disposition::outcome_unknown;
        answer = lost;
    };
    auto engine = engine_on(server, migration::open_traffic_gate(), hook);
    const auto ended = run(*engine, spec_of("lost", "ADD COLUMN n INT"));
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    CHECK(*ended->way == alter_way::instant);
    CHECK(sent == (before ? 2 : 1));
    CHECK(contains(create_statement(root, "lost"), "`n` int"));
}

TEST_CASE("a process that died around the server's own ALTER: the next one finds out, and does not do it twice") {
    const mysql_server& server = shared_server();
    sql_connection root = connect(server, "test");
    make_table(root, "lost");
    // The durable row as the dead process leaves it is taken at the moment at which the ALTER is about to be sent.
    root.exec("DROP TABLE IF EXISTS test.saved");
    std::atomic<bool> taken{false};
    statement_hook hook;
    hook.before = [&](std::string_view sql, std::uint64_t) {
        if (!is_direct(sql) || taken.exchange(true)) return;
        sql_connection other = connect(server, "test");
        other.exec(
            "CREATE TABLE test.saved AS SELECT * FROM _sluice.migrations WHERE table_name = 'lost' AND "
            "state = 'altering'");
    };
    auto engine = engine_on(server, migration::open_traffic_gate(), hook);
    const auto first = run(*engine, spec_of("lost", "ADD COLUMN n INT"));
    INFO(error_text(*first));
    REQUIRE(first->state == migration_state::completed);
    REQUIRE(root.scalar("SELECT COUNT(*) FROM test.saved") == "1");
    engine.reset();

    SECTION("it had taken place") {
        root.exec("REPLACE INTO _sluice.migrations SELECT * FROM test.saved");
        engine = engine_on(server);
        const auto again = wait_for_end(*engine, first->id);
        INFO(error_text(*again));
        CHECK(again->state == migration_state::completed);
        CHECK(again->way == alter_way::instant);
    }
    SECTION("it had not") {
        make_table(root, "lost");
        root.exec("REPLACE INTO _sluice.migrations SELECT * FROM test.saved");
        engine = engine_on(server);
        const auto again = wait_for_end(*engine, first->id);
        INFO(error_text(*again));
        CHECK(again->state == migration_state::completed);
        CHECK(contains(create_statement(root, "lost"), "`n` int"));
    }
    SECTION("somebody else has altered the table") {
        root.exec("ALTER TABLE lost ADD COLUMN other INT");
        const auto now = create_statement(root, "lost");
        root.exec("REPLACE INTO _sluice.migrations SELECT * FROM test.saved");
        engine = engine_on(server);
        const auto again = wait_for_end(*engine, first->id);
        REQUIRE(again->state == migration_state::failed);
        CHECK(again->error->code == "original_changed");
        CHECK(create_statement(root, "lost") == now);
    }
    engine.reset();
    root.exec("DROP TABLE test.saved");
}

TEST_CASE("a table of migrations of an earlier version gets the columns that it lacks") {
    const mysql_server& server = shared_server();
    sql_connection root = connect(server, "test");
    make_table(root, "earlier");
    (void)engine_on(server);
    root.exec("ALTER TABLE _sluice.migrations DROP COLUMN way, DROP COLUMN report");
    auto engine = engine_on(server);
    const auto ended = run(*engine, spec_of("earlier", "ADD COLUMN n INT"));
    CHECK(ended->state == migration_state::completed);
    CHECK(root.scalar("SELECT way FROM _sluice.migrations WHERE id = '" + ended->id + "'") == "instant");
}
