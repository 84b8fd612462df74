// What is said, or done by somebody else, when the engine is already about to do the opposite.

#include "migration/model/option_fields.hpp"
#include "tests/integration/migration/engine_rig.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <thread>

using namespace sluice;
using namespace sluice::test;
using Catch::Matchers::Contains;
using migration::migration_state;
using migration::operator_command;

namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

struct scene {
    explicit scene(server_kind kind = server_kind::mysql_9_7)
        : server(start_server(kind)), root(connect(server, "test")) {
        root.exec("CREATE TABLE t (id INT PRIMARY KEY, v INT NOT NULL) ENGINE=InnoDB");
        root.exec("INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)");
    }
    bool has(const std::string& table) {
        return root.scalar(
                   "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'test' AND TABLE_NAME = '" +
                   table + "'") == "1";
    }
    std::string stored_state() { return root.scalar("SELECT state FROM _sluice.migrations"); }

    mysql_server server;
    sql_connection root;
};

migration::migration_spec add_column() {
    migration::migration_spec spec{{"test", "t"}, "ADD COLUMN extra INT NOT NULL DEFAULT 3, ADD KEY by_v (v)", {}};
    spec.options.attempt_instant = false;
    spec.options.attempt_inplace = false;
    spec.options.drop_old_table = true;
    return spec;
}

std::string begin(migration::migration_service& engine, const migration::migration_spec& spec) {
    const auto created = engine.create(spec);
    REQUIRE(created);
    return (*created)->id;
}

migration::snapshot_ptr wait_for(const migration::migration_service& engine, const std::string& id,
                                 migration_state state) {
    const auto seen = wait_until(engine, id, [&](const auto& s) { return s.state == state || is_final(s.state); });
    INFO(error_text(*seen));
    REQUIRE(seen->state == state);
    return seen;
}

}  // namespace

TEST_CASE("what is said while an attempt is under way still keeps it from swapping") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mariadb_10_11);
    const auto said = GENERATE(operator_command::abort, operator_command::postpone, operator_command::pause);
    CAPTURE(throwaway::to_string(kind), static_cast<int>(said));
    scene s(kind);
    std::unique_ptr<migration::migration_service> engine;
    std::string id;
    std::atomic<bool> id_is_known{false};
    std::atomic<bool> was_said{false};
    statement_hook hook;
    hook.before = [&](std::string_view sql, std::uint64_t) {
        // The table's lock is had, and the last changes are to be applied.
        if (!sql.starts_with("SHOW CREATE TABLE `test`.`t`") || !id_is_known || was_said) return;
        if (engine->find(id)->state != migration_state::cutting_over) return;
        was_said = engine->command(id, said).has_value();
    };
    engine = engine_on(s.server, migration::open_traffic_gate(), hook);
    auto spec = add_column();
    spec.options.postpone_cutover = true;
    // The answer to a command waits up to a second for its being stored, and nobody can store now.
    spec.options.hold_budget = std::chrono::milliseconds(5'000);
    id = begin(*engine, spec);
    id_is_known = true;
    wait_for(*engine, id, migration_state::ready);
    REQUIRE(engine->command(id, operator_command::cut_over));
    if (said == operator_command::abort) {
        wait_for(*engine, id, migration_state::aborted);
        CHECK_FALSE(s.has("_t_gho"));
    } else {
        // One before it may have come too late for the lock.
        const auto seen = wait_until(*engine, id, [](const auto& now) {
            return is_final(now.state) || (now.state == migration_state::ready && !now.cutover_attempts.empty() &&
                                           contains(now.cutover_attempts.back().given_up_because, "told otherwise"));
        });
        INFO(error_text(*seen));
        REQUIRE(seen->state == migration_state::ready);
    }
    CHECK(was_said);
    CHECK(s.root.query("SHOW COLUMNS FROM t").size() == 2);
    if (said == operator_command::abort) return;
    if (said == operator_command::pause) REQUIRE(engine->command(id, operator_command::resume));
    REQUIRE(engine->command(id, operator_command::cut_over));
    wait_for(*engine, id, migration_state::completed);
    CHECK(s.root.scalar("SELECT SUM(extra) FROM t") == "9");
}

TEST_CASE("a migration that another process has ended while the server took no writes is not run again") {
    const std::string ended = GENERATE("aborted", "completed", "reverted");
    CAPTURE(ended);
    scene s;
    auto engine = engine_on(s.server);
    auto spec = add_column();
    spec.options.postpone_cutover = true;
    spec.options.checkpoint_interval_s = 1;
    const std::string id = begin(*engine, spec);
    wait_for(*engine, id, migration_state::ready);
    s.root.exec("SET GLOBAL read_only = ON");
    s.root.exec("UPDATE t SET v = 7 WHERE id = 1");  // brings the engine to write
    wait_until(*engine, id, [](const auto& now) { return contains(now.waiting_for, "the server: "); });
    s.root.exec("UPDATE _sluice.migrations SET state = '" + ended + "'");
    s.root.exec("SET GLOBAL read_only = OFF");
    const auto seen = wait_for_end(*engine, id);
    INFO(error_text(*seen));
    REQUIRE(seen->error);
    CHECK(seen->error->code == "running_elsewhere");
    CHECK_THAT(seen->error->message, Contains(ended));
    engine.reset();
    CHECK(s.stored_state() == ended);
    CHECK(s.has("_t_gho"));
    CHECK(s.root.query("SHOW COLUMNS FROM t").size() == 2);
}

TEST_CASE("options that were changed just before a stop are there after it") {
    scene s;
    std::atomic<bool> builds{false};
    std::atomic<bool> stops{false};
    statement_hook hook;
    hook.before = [&](std::string_view sql, std::uint64_t) {
        if (sql.starts_with("KILL QUERY")) stops = true;  // the stop was said before
        if (!contains(sql, "ADD KEY `by_v`") || builds.exchange(true)) return;
        (void)eventually([&] { return stops.load(); });
    };
    auto engine = engine_on(s.server, migration::open_traffic_gate(), hook);
    auto spec = add_column();
    spec.options.postpone_cutover = true;
    const std::string id = begin(*engine, spec);
    REQUIRE(eventually([&] { return builds.load(); }));
    migration::option_changes changes;
    changes.values.hold_budget = std::chrono::milliseconds(1'234);
    changes.fields.push_back(migration::find_option_field("hold_budget_ms"));
    REQUIRE(engine->change(id, changes));
    engine.reset();
    REQUIRE(stops);
    engine = engine_on(s.server);
    CHECK(engine->find(id)->spec.options.hold_budget == std::chrono::milliseconds(1'234));
    wait_for(*engine, id, migration_state::ready);
}

TEST_CASE("an old table stays where it could not be stored that the tables were swapped") {
    scene s;
    statement_hook hook;
    hook.after = [](std::string_view sql, std::uint64_t, auto& answer) {
        if (contains(sql, "`_sluice`.`migrations`") && contains(sql, "'tidying'")) {
            answer = migration::refuse("server_error", "the disk is full");
        }
    };
    auto engine = engine_on(s.server, migration::open_traffic_gate(), hook);
    const std::string id = begin(*engine, add_column());
    const auto seen = wait_for(*engine, id, migration_state::completed);
    REQUIRE(seen->leftovers.size() == 1);
    CHECK(seen->leftovers[0] == "`test`.`_t_del`");
    CHECK(s.has("_t_del"));
    CHECK(s.stored_state() == "completed");
}

TEST_CASE("a swap that somebody else made while this process was dead is not believed to be its own") {
    const std::string interrupted = GENERATE("copying", "ready");
    CAPTURE(interrupted);
    scene s;
    auto engine = engine_on(s.server);
    auto spec = add_column();
    spec.options.postpone_cutover = true;
    const std::string id = begin(*engine, spec);
    wait_for(*engine, id, migration_state::ready);
    engine.reset();
    // Somebody gives up on it, and finishes the table with another tool, which uses the same names.
    s.root.exec("UPDATE _sluice.migrations SET state = '" + interrupted + "'");
    s.root.exec("DROP TABLE _t_gho, _t_ghc");
    s.root.exec("CREATE TABLE _t_gho LIKE t");
    s.root.exec("INSERT INTO _t_gho SELECT * FROM t");
    s.root.exec("RENAME TABLE t TO _t_del, _t_gho TO t");
    engine = engine_on(s.server);
    const auto seen = wait_for_end(*engine, id);
    INFO(error_text(*seen));
    CHECK(seen->state == migration_state::failed);
    REQUIRE(seen->error);
    CHECK(seen->error->code == "swapped_by_others");
    CHECK(s.root.scalar("SELECT COUNT(*) FROM _t_del") == "3");
    CHECK(s.root.query("SHOW COLUMNS FROM t").size() == 2);
}

TEST_CASE("a migration that was interrupted while tidying is completed, whatever bears its ghost's name by then") {
    const bool with_checkpoint = GENERATE(false, true);
    CAPTURE(with_checkpoint);
    scene s;
    auto engine = engine_on(s.server);
    auto spec = add_column();
    spec.options.postpone_cutover = true;
    spec.options.checkpoint_interval_s = with_checkpoint ? 1 : 0;
    const std::string id = begin(*engine, spec);
    wait_for(*engine, id, migration_state::ready);
    if (with_checkpoint) {
        REQUIRE(eventually([&] {
            return s.root.scalar("SELECT COUNT(*) FROM _sluice.migrations WHERE report LIKE '%checkpoint%'") == "1";
        }));
    }
    engine.reset();
    s.root.exec("RENAME TABLE t TO _t_del, _t_gho TO t");
    s.root.exec("UPDATE _sluice.migrations SET state = 'tidying'");
    s.root.exec("CREATE TABLE _t_gho (of_somebody_else INT)");
    engine = engine_on(s.server);
    const auto seen = wait_for(*engine, id, migration_state::completed);
    CHECK(seen->leftovers == std::vector<std::string>{"`test`.`_t_ghc`", "`test`.`_t_del`"});
    CHECK(s.root.scalar("SELECT COUNT(of_somebody_else) FROM _t_gho") == "0");
    CHECK(s.has("_t_del"));
    CHECK(s.root.scalar("SELECT SUM(extra) FROM t") == "9");
    engine.reset();
    CHECK(s.stored_state() == "completed");
}
