// Several migrations that change places in one statement, on each family of servers. Writers and readers go straight to
// the server, where no gate shields them: whatever holds here, holds behind the proxy.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/shared_sum.hpp"

#include <atomic>
#include <vector>

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;
using migration::operator_command;

namespace {

const mysql_server& shared_server(server_kind kind) {
    static const mysql_server mysql = start_server(server_kind::mysql_9_7);
    static const mysql_server old_mysql = start_server(server_kind::mysql_5_6);
    static const mysql_server mariadb = start_server(server_kind::mariadb_10_11);
    switch (kind) {
        case server_kind::mysql_5_6: return old_mysql;
        case server_kind::mariadb_10_11: return mariadb;
        default: return mysql;
    }
}

/// Without a proxy. A transaction with one table that wants the next may meet the lock on all of them: the server's
/// deadlock, of which the gate spares its clients.
shared_sum_options directly(std::vector<std::string> tables) {
    return {.tables = std::move(tables), .errors_allowed = {1213, 1205}};
}

migration::migration_spec member(const std::string& table, std::uint32_t size) {
    migration::migration_spec spec{
        {"test", table}, "ADD COLUMN extra INT NOT NULL DEFAULT 3, MODIFY amount BIGINT NOT NULL", {}};
    spec.options.cutover_group = "books";
    spec.options.cutover_group_size = size;
    spec.options.hold_interval = std::chrono::milliseconds(100);
    spec.options.page_flush_wait = std::chrono::milliseconds(0);
    spec.options.hold_budget = std::chrono::milliseconds(1'500);
    return spec;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::size_t renames_of_all(sql_connection& root, const std::vector<std::string>& tables) {
    std::size_t count = 0;
    for (const auto& log : root.query("SHOW BINARY LOGS")) {
        for (const auto& event : root.query("SHOW BINLOG EVENTS IN '" + *log[0] + "'")) {
            const std::string text = event[5].value_or("");
            bool all = contains(text, "RENAME TABLE ");
            for (const auto& table : tables) all = all && contains(text, " TO `test`.`" + table + "`");
            if (all) ++count;
        }
    }
    return count;
}

}  // namespace

TEST_CASE("tables of a group change places in one statement: no write is lost and every reader finds the sum") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mariadb_10_11, server_kind::mysql_5_6);
    INFO(to_string(kind));
    const mysql_server& server = shared_server(kind);
    sql_connection root = connect(server, "test");
    shared_sum sum(server, directly({"a", "b", "b1"}));
    const auto before = renames_of_all(root, sum.tables());
    auto engine = engine_on(server);
    std::vector<std::string> ids;
    for (const auto& table : sum.tables()) {
        const auto created = engine->create(member(table, 3));
        REQUIRE(created);
        ids.push_back((*created)->id);
    }
    for (const auto& id : ids) {
        const auto ended = wait_for_end(*engine, id);
        INFO(error_text(*ended));
        REQUIRE(ended->state == migration_state::completed);
        REQUIRE_FALSE(ended->cutover_attempts.empty());
        const auto& last = ended->cutover_attempts.back();
        CHECK(last.group == "books");
        CHECK(last.succeeded);
        CHECK(last.steps.size() > 5);
    }
    CHECK(renames_of_all(root, sum.tables()) == before + 1);
    CHECK(sum.stop_and_compare(root) == "");
    for (const auto& table : sum.tables()) {
        CHECK(root.scalar("SELECT MIN(extra) FROM `" + table + "`") == "3");
    }
    CHECK(root.scalar("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'test' AND"
                      " (table_name LIKE '%~%' OR table_name LIKE '%\\_gho' OR table_name LIKE '%\\_ghc')") == "0");
}

TEST_CASE("a member that is postponed or has gone holds the others up, who say for whom they wait") {
    const mysql_server& server = shared_server(server_kind::mysql_9_7);
    sql_connection root = connect(server, "test");
    shared_sum sum(server, directly({"a", "b"}));
    auto engine = engine_on(server);
    auto postponed = member("a", 2);
    postponed.options.postpone_cutover = true;
    const auto first = engine->create(postponed);
    const auto second = engine->create(member("b", 2));
    REQUIRE(first);
    REQUIRE(second);
    const std::string a = (*first)->id;
    const std::string b = (*second)->id;
    wait_until(*engine, b, [](const auto& now) { return contains(now.waiting_for, "`test`.`a` not ready"); });
    CHECK(engine->find(b)->cutover_attempts.empty());

    const auto third = engine->create(member("c", 2));
    REQUIRE_FALSE(third);
    CHECK(third.error().code == "invalid_request");
    CHECK(contains(third.error().message, "has its 2 members already"));

    REQUIRE(engine->command(a, operator_command::abort));
    CHECK(wait_for_end(*engine, a)->state == migration_state::aborted);
    wait_until(*engine, b,
               [&](const auto& now) { return contains(now.waiting_for, a + " of `test`.`a` was aborted"); });

    const auto again = engine->create(member("a", 2));
    REQUIRE(again);
    CHECK(wait_for_end(*engine, (*again)->id)->state == migration_state::completed);
    CHECK(wait_for_end(*engine, b)->state == migration_state::completed);
    CHECK(sum.stop_and_compare(root) == "");
}

TEST_CASE("a group whose connection is lost around the rename, and a restart: all members are swapped, or none") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mariadb_10_11);
    const bool done = GENERATE(true, false);
    INFO(to_string(kind) << (done ? ", behind it" : ", before it"));
    const mysql_server& server = shared_server(kind);
    sql_connection root = connect(server, "test");
    shared_sum sum(server, directly({"a", "b"}));
    std::vector<std::string> ids;
    std::atomic<std::uint64_t> lost{0};
    statement_hook hook;
    hook.after = [&](std::string_view sql, std::uint64_t connection, auto& answered) {
        // From the rename, or from the lock before it, on it hears no more.
        const std::string text(sql);
        const bool last = done ? text.starts_with("RENAME TABLE ") && contains(text, " `test`.`a` TO ")
                               : text.starts_with("LOCK TABLES ") && contains(text, " `test`.`a` WRITE");
        if (answered && last && lost == 0) lost = connection;
        if (connection != lost) return;
        migration::failure why = migration::refuse("connection_lost", "the connection is gone");
        why.then = migration::disposition::outcome_unknown;
        answered = why;
    };
    {
        auto engine = engine_on(server, migration::open_traffic_gate(), hook);
        for (const auto& table : sum.tables()) {
            const auto created = engine->create(member(table, 2));
            REQUIRE(created);
            ids.push_back((*created)->id);
        }
        wait_until("the connection is lost", [&] { return lost != 0; });
    }
    auto next = engine_on(server);
    for (const auto& id : ids) CHECK(wait_for_end(*next, id)->state == migration_state::completed);
    CHECK(sum.stop_and_compare(root) == "");
    for (const auto& table : sum.tables()) CHECK(root.scalar("SELECT MIN(extra) FROM `" + table + "`") == "3");
}

namespace {

/// a and b, on which nobody works.
void make_quiet_tables(sql_connection& root) {
    for (const std::string table : {"a", "b"}) {
        root.exec("DROP TABLE IF EXISTS " + table + ", _" + table + "_del, _" + table + "_gho, _" + table + "_ghc");
        root.exec("CREATE TABLE " + table + " (id INT PRIMARY KEY, amount INT NOT NULL)");
        root.exec("INSERT INTO " + table + " VALUES (1, 10), (2, 20), (3, 30)");
    }
}

struct harm {
    server_kind kind;
    std::string statement;  ///< somebody else's
    std::string at;         ///< just before a statement that contains this; empty: while the group is postponed
    std::string code;
    std::string named;
};

const std::vector<harm> harms{
    {server_kind::mysql_9_7, "DROP TABLE _b_gho", "", "ghost_lost", "`_b_gho`"},
    {server_kind::mysql_9_7, "CREATE TABLE _b_del (id INT)", "", "old_table_name_taken", "`_b_del`"},
    {server_kind::mysql_9_7, "DROP TABLE _b_gho", "`test`.`b` WRITE", "ghost_lost", "`_b_gho`"},
    {server_kind::mysql_9_7, "CREATE TABLE _b_del (id INT)", "`test`.`b` TO `test`.`_b_del`", "old_table_name_taken",
     "`_b_del`"},
    {server_kind::mariadb_10_11, "DROP TABLE _b_gho", "", "ghost_lost", "`_b_gho`"},
    {server_kind::mariadb_10_11, "CREATE TABLE _b_del (id INT)", "", "old_table_name_taken", "`_b_del`"},
    {server_kind::mariadb_10_11, "DROP TABLE _b_gho", "CREATE TABLE `test`.`b~old`", "ghost_lost", "`_b_gho`"},
    {server_kind::mariadb_10_11, "DROP TABLE `b~gho`", "`test`.`b` WRITE", "ghost_lost", "`_b_gho`"},
    {server_kind::mysql_5_6, "DROP TABLE _b_gho", "", "ghost_lost", "`_b_gho`"},
    {server_kind::mysql_5_6, "CREATE TABLE _b_del (id INT)", "", "old_table_name_taken", "`_b_del`"},
};

}  // namespace

TEST_CASE("what somebody does to the tables of one member ends this one only; the others wait and name it") {
    const harm done = GENERATE(from_range(harms));
    INFO(to_string(done.kind) << ": " << done.statement << (done.at.empty() ? "" : " before ") << done.at);
    const mysql_server& server = shared_server(done.kind);
    sql_connection root = connect(server, "test");
    make_quiet_tables(root);
    std::atomic<bool> armed{false};
    statement_hook hook;
    hook.before = [&](std::string_view sql, std::uint64_t) {
        if (armed && contains(std::string(sql), done.at) && armed.exchange(false))
            connect(server, "test").exec(done.statement);
    };
    auto engine = engine_on(server, migration::open_traffic_gate(), hook);
    auto harmed = member("b", 2);
    harmed.options.postpone_cutover = true;
    harmed.options.verify = false;  // it would find the loss before the attempt
    const auto first = engine->create(member("a", 2));
    const auto second = engine->create(harmed);
    REQUIRE(first);
    REQUIRE(second);
    const std::string a = (*first)->id;
    const std::string b = (*second)->id;
    wait_until(*engine, a, [](const auto& now) { return contains(now.waiting_for, "`test`.`b` not ready"); });
    wait_until(*engine, b, [](const auto& now) { return now.state == migration_state::ready; });
    if (done.at.empty()) {
        root.exec(done.statement);
    } else {
        armed = true;
    }
    REQUIRE(engine->command(b, operator_command::cut_over));
    const auto ended = wait_for_end(*engine, b);
    CHECK_FALSE(armed);
    REQUIRE(ended->state == migration_state::failed);
    CHECK(ended->error->code == done.code);
    CHECK(contains(ended->error->message, done.named));
    wait_until(*engine, a, [&](const auto& now) {
        return migration::is_final(now.state) ||
               contains(now.waiting_for, b + " of `test`.`b` failed (" + done.code + ")");
    });
    CHECK(engine->find(a)->state == migration_state::ready);

    root.exec("DROP TABLE IF EXISTS _b_del");
    const auto again = engine->create(member("b", 2));
    REQUIRE(again);
    for (const auto& id : {a, (*again)->id}) {
        const auto last = wait_for_end(*engine, id);
        INFO(error_text(*last));
        CHECK(last->state == migration_state::completed);
    }
    for (const std::string table : {"a", "b"}) {
        CHECK(root.scalar("SELECT COUNT(*) FROM " + table + " WHERE extra = 3") == "3");
    }
}

TEST_CASE("no attempt begins while what a later process needs of it is not stored") {
    const auto [in_group, in_sync] = GENERATE(table<bool, bool>({{false, false}, {false, true}, {true, false}}));
    INFO((in_group ? "in a group" : in_sync ? "with keep_old_table_in_sync" : "alone"));
    const mysql_server& server = shared_server(server_kind::mysql_9_7);
    sql_connection root = connect(server, "test");
    make_quiet_tables(root);
    auto engine = engine_on(server);
    auto spec = member("b", 2);
    spec.options.postpone_cutover = true;
    std::string a;
    if (in_group) {
        const auto other = engine->create(member("a", 2));
        REQUIRE(other);
        a = (*other)->id;
    } else {
        spec.options.cutover_group.clear();
        spec.options.cutover_group_size = 0;
        spec.options.keep_old_table_in_sync = in_sync;
    }
    const auto created = engine->create(spec);
    REQUIRE(created);
    const std::string b = (*created)->id;
    wait_until(*engine, b, [](const auto& now) { return now.state == migration_state::ready; });
    root.exec("CREATE TRIGGER _sluice.refuses BEFORE UPDATE ON _sluice.migrations FOR EACH ROW IF NEW.id = '" + b +
              "' AND NEW.state = 'cutting_over' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not now'; END IF");
    REQUIRE(engine->command(b, operator_command::cut_over));
    const auto is_over = [](const auto& now) {
        return migration::is_final(now.state) || now.state == migration_state::in_sync;
    };
    for (const auto& id : {a.empty() ? b : a, b}) {
        const auto now = wait_until(*engine, id, [&](const auto& seen) {
            return is_over(seen) || contains(seen.waiting_for, "was not begun: ");
        });
        INFO(now->waiting_for);
        CHECK_FALSE(is_over(*now));
        CHECK(contains(now->waiting_for, "could not be stored: "));
        CHECK(now->cutover_attempts.empty());
    }
    for (const std::string table : {"a", "b"})
        CHECK(root.query("SHOW COLUMNS FROM " + table + " LIKE 'extra'").empty());
    root.exec("DROP TRIGGER _sluice.refuses");
    if (in_group) {
        CHECK(wait_for_end(*engine, a)->state == migration_state::completed);
        CHECK(wait_for_end(*engine, b)->state == migration_state::completed);
    } else {
        if (in_sync) {
            wait_until(*engine, b, [](const auto& now) { return now.state == migration_state::in_sync; });
            REQUIRE(engine->command(b, operator_command::finish));
        }
        CHECK(wait_for_end(*engine, b)->state == migration_state::completed);
    }
    CHECK(root.scalar("SELECT COUNT(*) FROM b WHERE extra = 3") == "3");
}

TEST_CASE("the options of a group are checked") {
    const mysql_server& server = shared_server(server_kind::mysql_9_7);
    auto engine = engine_on(server);
    const auto refused = [&](auto change) {
        auto spec = member("nothing", 2);
        change(spec.options);
        const auto created = engine->create(spec);
        REQUIRE_FALSE(created);
        CHECK(created.error().code == "invalid_request");
        return created.error().message;
    };
    CHECK(refused([](auto& o) { o.cutover_group_size = 0; }).starts_with("cutover_group_size: "));
    CHECK(refused([](auto& o) { o.cutover_group.clear(); }).starts_with("cutover_group: "));
    CHECK(refused([](auto& o) { o.cutover_group = "a b"; }).starts_with("cutover_group: "));
    CHECK(refused([](auto& o) { o.cutover_group_size = 65; }).starts_with("cutover_group_size: "));
    CHECK(refused([](auto& o) { o.attempt_instant = true; }).starts_with("attempt_instant: "));
}

TEST_CASE("a group whose names one RENAME by two sessions would lock in another order is refused before any rename") {
    const mysql_server& server = shared_server(server_kind::mariadb_10_11);
    sql_connection root = connect(server, "test");
    // The sentry is n~old, and the ghost beside it n~gho: before that of n~h.
    for (const char* table : {"n", "`n~h`"}) {
        root.exec(std::string("CREATE TABLE ") + table + " (id INT PRIMARY KEY, amount INT NOT NULL)");
    }
    std::atomic<int> renames{0};
    statement_hook hook;
    hook.before = [&](std::string_view sql, std::uint64_t) { renames += sql.starts_with("RENAME TABLE") ? 1 : 0; };
    auto engine = engine_on(server, migration::open_traffic_gate(), hook);
    std::vector<std::string> ids;
    for (const char* table : {"n", "n~h"}) {
        const auto created = engine->create(member(table, 2));
        REQUIRE(created);
        ids.push_back((*created)->id);
    }
    for (const auto& id : ids) {
        const auto ended = wait_for_end(*engine, id);
        INFO(error_text(*ended));
        CHECK(ended->state == migration_state::failed);
        REQUIRE(ended->error);
        CHECK(ended->error->code == "group_names");
    }
    CHECK(renames == 0);
    CHECK(root.scalar("SELECT GROUP_CONCAT(table_name ORDER BY table_name) FROM information_schema.tables WHERE "
                      "table_schema = 'test' AND table_name LIKE '%n~%'") == "n~h");
    root.exec("DROP TABLE n, `n~h`");
}
