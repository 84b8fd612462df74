// What the operator says at a moment at which it has, or has not any more, the meaning that he thinks of.

#include "tests/integration/migration/way_back_scene.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/lock_waits.hpp"

#include <atomic>
#include <string>

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;
using migration::operator_command;

namespace {

bool holds(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

/// Calls once what the test has given, at the first statement that fits.
class at_statement {
public:
    at_statement(std::string begin, std::string part) : begin_(std::move(begin)), part_(std::move(part)) {}
    statement_hook hook(bool behind) {
        const auto look = [this](std::string_view sql) {
            if (armed_ && sql.starts_with(begin_) && holds(sql, part_) && armed_.exchange(false)) act_();
        };
        if (!behind) return {.before = [look](std::string_view sql, std::uint64_t) { look(sql); }, .after = {}};
        return {.before = {}, .after = [look](std::string_view sql, std::uint64_t, auto&) { look(sql); }};
    }
    void arm(std::function<void()> act) {
        act_ = std::move(act);
        armed_ = true;
    }
    [[nodiscard]] bool done() const { return !armed_; }

private:
    std::string begin_;
    std::string part_;
    std::function<void()> act_;
    std::atomic<bool> armed_{false};
};

}  // namespace

TEST_CASE("a pause that was said while the tables changed places does not hold up a later revert") {
    at_statement rename("RENAME TABLE", "paused_late");
    way_back_scene scene(server_kind::mysql_9_7, rename.hook(false));
    scene.root.exec("CREATE TABLE paused_late (id INT NOT NULL PRIMARY KEY)");
    scene.root.exec("INSERT INTO paused_late VALUES (1), (2)");
    rename.arm([&] { (void)scene.engine->command(scene.id, operator_command::pause).has_error(); });
    auto spec = spec_of("paused_late", "ADD COLUMN extra INT");
    spec.options.postpone_cutover = true;
    scene.begin(spec);
    scene.tell(operator_command::cut_over);
    scene.wait_in_sync();
    REQUIRE(rename.done());
    CHECK_FALSE(scene.engine->find(scene.id)->paused);
    scene.revert();
}

TEST_CASE("an abort behind the swap is refused, and does not end the way back") {
    at_statement first_look("SELECT", "too_late");
    at_statement rename("RENAME TABLE", "too_late");
    statement_hook hook = rename.hook(true);
    hook.before = first_look.hook(false).before;
    way_back_scene scene(server_kind::mysql_9_7, hook);
    scene.root.exec("CREATE TABLE too_late (id INT NOT NULL PRIMARY KEY)");
    scene.root.exec("INSERT INTO too_late VALUES (1), (2)");
    std::string answer = "none";
    rename.arm([&] {
        first_look.arm([&] {
            const auto told = scene.engine->command(scene.id, operator_command::abort);
            answer = told ? "taken" : told.error().code;
        });
    });
    auto spec = spec_of("too_late", "ADD COLUMN extra INT");
    spec.options.postpone_cutover = true;
    scene.begin(spec);
    scene.tell(operator_command::cut_over);
    scene.wait_in_sync();
    REQUIRE(first_look.done());
    INFO(answer);
    CHECK((answer == "wrong_state" || answer == "taken"));  // taken: as long as the attempt has not ended
    CHECK(scene.engine->find(scene.id)->way_back.open);
    scene.revert();
}

TEST_CASE("a revert that is accepted is done, one behind the decision to let the old table go is refused") {
    way_back_scene scene(server_kind::mysql_9_7);
    scene.root.exec("CREATE TABLE either (id INT NOT NULL PRIMARY KEY, v INT)");
    scene.root.exec("INSERT INTO either VALUES (1, 1), (2, 2)");
    auto spec = spec_of("either", "ADD COLUMN extra INT");
    spec.options.drop_old_table = true;
    scene.begin_in_sync(spec);
    // A batch that waits for a row keeps the workers from ending.
    sql_connection holder = connect(scene.server, "test");
    holder.exec("BEGIN");
    (void)holder.query("SELECT * FROM _either_del WHERE id = 1 FOR UPDATE");
    scene.root.exec("UPDATE either SET v = 10 WHERE id = 1");
    REQUIRE(lock_wait_comes(scene.root));
    scene.tell(operator_command::finish);
    const bool accepted = scene.engine->command(scene.id, operator_command::revert).has_value();
    holder.exec("COMMIT");
    const auto ended = wait_for_end(*scene.engine, scene.id);
    INFO(way_back_text(*ended));
    CHECK(ended->state == (accepted ? migration_state::reverted : migration_state::completed));
    CHECK(tables_left(scene.root, "%either%") == (accepted ? "_either_gho,either" : "either"));
}

TEST_CASE("an abort while an interrupted migration is taken up again leaves no table behind") {
    at_statement takes_up("SHOW CREATE TABLE", "_taken_up_gho");
    way_back_scene scene(server_kind::mysql_9_7, takes_up.hook(false));
    scene.root.exec("CREATE TABLE taken_up (id INT NOT NULL PRIMARY KEY, v INT)");
    scene.root.exec("INSERT INTO taken_up VALUES (1, 1), (2, 2)");
    auto spec = spec_of("taken_up", "ADD COLUMN extra INT");
    spec.options.postpone_cutover = true;
    spec.options.checkpoint_interval_s = 1;
    scene.begin(spec);
    wait_until(*scene.engine, scene.id, [&](const auto& s) { return is_final(s.state) || !s.checkpoint.empty(); });
    scene.stop_engine();
    std::atomic<migration::migration_service*> engine{nullptr};
    takes_up.arm([&] {
        (void)eventually([&] { return engine.load() != nullptr; });
        REQUIRE(engine.load()->command(scene.id, operator_command::abort));
    });
    scene.start_engine();
    engine = scene.engine.get();
    const auto ended = scene.wait_end(migration_state::aborted);
    CHECK(takes_up.done());
    CHECK(ended->leftovers.empty());
    CHECK(tables_left(scene.root, "%taken\\_up%") == "taken_up");
}

TEST_CASE("a server that takes no writes for a moment does not end the way back") {
    std::atomic<bool> armed{false};
    statement_hook hook;
    // At the moment at which a batch is under way the server cannot be made read-only: it waits for the batch.
    hook.after = [&](std::string_view sql, std::uint64_t, migration::outcome<migration::query_result>& answer) {
        const bool writes = sql.starts_with("INSERT") || sql.starts_with("REPLACE") || sql.starts_with("DELETE");
        if (!writes || !holds(sql, "_read_only_del") || !armed.exchange(false)) return;
        answer = migration::refuse("read_only", "the server is running with --super-read-only");
    };
    way_back_scene scene(server_kind::mysql_9_7, hook);
    scene.root.exec("CREATE TABLE read_only (id INT NOT NULL PRIMARY KEY, v INT)");
    scene.root.exec("INSERT INTO read_only VALUES (1, 1), (2, 2)");
    scene.begin_in_sync(spec_of("read_only", "ADD COLUMN extra INT"));
    armed = true;
    scene.root.exec("UPDATE read_only SET v = 10 WHERE id = 1");
    wait_for_value(scene.root, "SELECT v FROM _read_only_del WHERE id = 1", "10");
    CHECK_FALSE(armed);
    scene.wait_in_sync();
    scene.revert();
    CHECK(scene.root.scalar("SELECT GROUP_CONCAT(v ORDER BY id) FROM read_only") == "10,2");
}
