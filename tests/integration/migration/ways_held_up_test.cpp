// What holds a cut-over up holds up the server's own ALTER as well: the operator's word, his window, his files, and the
// interval between two holds.

#include "migration/model/option_fields.hpp"
#include "tests/integration/migration/engine_rig.hpp"
#include "tests/support/catch.hpp"

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <utility>
#include <vector>

using namespace sluice;
using namespace sluice::test;
using migration::alter_way;
using migration::migration_state;
using migration::operator_command;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const mysql_server& shared_server() {
    static const mysql_server server = start_server(server_kind::mysql_9_7);
    return server;
}

struct scene {
    scene() : root(connect(shared_server(), "test")) {
        root.exec("DROP TABLE IF EXISTS held, _held_gho");
        root.exec("CREATE TABLE held (id INT PRIMARY KEY, a INT, KEY by_a (a))");
        root.exec("INSERT INTO held VALUES (1, 1), (2, 2)");
    }
    bool is_altered() {
        return root.query("SHOW COLUMNS FROM held LIKE 'n'").size() + root.query("SHOW INDEX FROM held").size() != 2;
    }
    std::string tables() {
        return root.scalar(
            "SELECT GROUP_CONCAT(table_name ORDER BY table_name) FROM information_schema.tables WHERE table_schema = "
            "'test' AND table_name LIKE '%held%'");
    }
    sql_connection root;
};

migration::migration_spec spec_of(alter_way way) {
    const bool instant = way == alter_way::instant;
    migration::migration_spec spec{{"test", "held"}, instant ? "ADD COLUMN n INT" : "DROP INDEX by_a", {}};
    spec.options.attempt_instant = instant;
    spec.options.attempt_inplace = !instant;
    spec.options.hold_interval = milliseconds(100);
    return spec;
}

/// A minute of the week that is not now, nor soon.
std::string window_of_another_day() {
    const auto hours =
        std::chrono::duration_cast<std::chrono::hours>(std::chrono::system_clock::now().time_since_epoch());
    const char* const names[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    return std::string(names[(hours.count() / 24 + 3) % 7]) + " 03:00-03:01 UTC";
}

std::string begin(migration::migration_service& engine, const migration::migration_spec& spec) {
    const auto created = engine.create(spec);
    REQUIRE(created);
    return (*created)->id;
}

void wait_for_waiting(const migration::migration_service& engine, const std::string& id, const std::string& part) {
    const auto seen =
        wait_until(engine, id, [&](const auto& s) { return contains(s.waiting_for, part) || is_final(s.state); });
    INFO(error_text(*seen));
    REQUIRE_FALSE(is_final(seen->state));
}

void check_done(const migration::migration_service& engine, const std::string& id, alter_way way) {
    const auto ended = wait_for_end(engine, id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    CHECK(ended->way == way);
}

/// Tells when statements on the table are held, and the ALTER is about to be sent.
class telling_gate final : public migration::traffic_gate {
public:
    std::function<void()> when_held;

    std::unique_ptr<migration::table_gate> watch(const migration::gated_table&,
                                                 const migration::watch_rules&) override {
        return std::make_unique<gate>(*this);
    }

private:
    class gate final : public migration::table_gate {
    public:
        explicit gate(telling_gate& all) : all_(all) {}
        std::vector<migration::gate_blocker> blockers() override { return {}; }
        std::vector<migration::gate_blocker> old_snapshots() override { return {}; }
        void close(steady_clock::time_point) override {}
        bool wait_drained(steady_clock::time_point) override {
            if (all_.when_held) all_.when_held();
            return true;
        }
        bool seal(steady_clock::time_point) override { return true; }
        bool announce_swap(steady_clock::time_point) override { return true; }
        migration::hold_report open(migration::gate_opening) override { return {}; }

    private:
        telling_gate& all_;
    };
};

}  // namespace

TEST_CASE("the server's own ALTER waits for the operator's word, his flag file, his window, and the end of a pause") {
    const auto way = GENERATE(alter_way::instant, alter_way::inplace);
    INFO(to_string(way));
    scene s;
    const auto flag = std::filesystem::temp_directory_path() / ("sluice_held_" + std::to_string(::getpid()));
    std::ofstream(flag) << "";
    auto engine = engine_on(shared_server());
    auto spec = spec_of(way);
    spec.options.postpone_cutover = true;
    spec.options.postpone_flag_file = flag.string();
    spec.options.cutover_window = window_of_another_day();
    const std::string id = begin(*engine, spec);
    migration::option_changes changes;
    const auto change = [&](std::string_view name) {
        changes.fields = {migration::find_option_field(name)};
        REQUIRE(engine->change(id, changes));
    };
    wait_for_waiting(*engine, id, "is postponed); then the server is to alter the table itself");
    CHECK(s.tables() == "held");
    // What was said is there after a restart.
    engine.reset();
    engine = engine_on(shared_server());
    wait_for_waiting(*engine, id, "is postponed");
    change("postpone_cutover");  // false
    wait_for_waiting(*engine, id, "the removal of " + flag.string());
    std::filesystem::remove(flag);
    wait_for_waiting(*engine, id, "the cut-over window (" + spec.options.cutover_window + ")");
    REQUIRE(engine->command(id, operator_command::pause));
    change("cutover_window");  // always
    wait_for_waiting(*engine, id, "paused by the operator");
    CHECK_FALSE(s.is_altered());
    REQUIRE(engine->command(id, operator_command::resume));
    check_done(*engine, id, way);
    CHECK(s.is_altered());
    CHECK(s.tables() == "held");
}

TEST_CASE("what bears the ghost's name is left alone by who only waits, and by the next process") {
    scene s;
    auto engine = engine_on(shared_server());
    auto spec = spec_of(alter_way::instant);
    spec.options.postpone_cutover = true;
    const std::string id = begin(*engine, spec);
    wait_for_waiting(*engine, id, "is postponed");
    s.root.exec("CREATE TABLE _held_gho (of_somebody_else INT)");
    const bool with_restart = GENERATE(false, true);
    if (with_restart) {
        engine.reset();
        engine = engine_on(shared_server());
    }
    REQUIRE((with_restart || engine->command(id, operator_command::cut_over)));
    const auto ended = wait_for_end(*engine, id);
    REQUIRE(ended->error);
    CHECK(ended->error->code == "leftover_tables");
    CHECK(s.tables() == "_held_gho,held");
}

TEST_CASE("a migration that waits to let the server alter the table can be aborted") {
    scene s;
    auto engine = engine_on(shared_server());
    auto spec = spec_of(alter_way::instant);
    spec.options.cutover_window = window_of_another_day();
    const std::string id = begin(*engine, spec);
    wait_for_waiting(*engine, id, "the cut-over window");
    REQUIRE(engine->command(id, operator_command::abort));
    CHECK(wait_for_end(*engine, id)->state == migration_state::aborted);
    CHECK_FALSE(s.is_altered());
    CHECK(s.tables() == "held");
}

TEST_CASE("what is said while statements are held keeps the server from altering the table") {
    const auto said = GENERATE(operator_command::abort, operator_command::postpone, operator_command::pause);
    CAPTURE(static_cast<int>(said));
    scene s;
    std::unique_ptr<migration::migration_service> engine;
    std::atomic<bool> was_said{false};
    std::string id;
    const auto gate = std::make_shared<telling_gate>();
    gate->when_held = [&] {
        if (!was_said) was_said = engine->command(id, said).has_value();
    };
    engine = engine_on(shared_server(), gate);
    auto spec = spec_of(alter_way::instant);
    spec.options.postpone_cutover = true;
    // The answer to a command waits up to a second for its being stored, and nobody can store now.
    spec.options.hold_budget = spec.options.ddl_lock_wait = milliseconds(5'000);
    id = begin(*engine, spec);
    wait_for_waiting(*engine, id, "is postponed");
    REQUIRE(engine->command(id, operator_command::cut_over));
    if (said == operator_command::abort) {
        CHECK(wait_for_end(*engine, id)->state == migration_state::aborted);
    } else {
        const bool postponed = said == operator_command::postpone;
        wait_until(*engine, id, [&](const auto& now) {
            return is_final(now.state) ||
                   (was_said && contains(now.waiting_for, postponed ? "is postponed" : "paused by the operator"));
        });
    }
    CHECK(was_said);
    CHECK_FALSE(s.is_altered());
    if (said == operator_command::abort) return;
    REQUIRE(
        engine->command(id, said == operator_command::pause ? operator_command::resume : operator_command::cut_over));
    check_done(*engine, id, alter_way::instant);
}

TEST_CASE("with instant_at_once INSTANT waits for the window only, INPLACE for everything") {
    scene s;
    auto engine = engine_on(shared_server());
    auto spec = spec_of(alter_way::instant);
    spec.options.postpone_cutover = true;
    spec.options.instant_at_once = true;
    SECTION("instant") { check_done(*engine, begin(*engine, spec), alter_way::instant); }
    SECTION("the window") {
        spec.options.cutover_window = window_of_another_day();
        const std::string id = begin(*engine, spec);
        wait_for_waiting(*engine, id, "the cut-over window");
        REQUIRE(engine->command(id, operator_command::abort));
        CHECK(wait_for_end(*engine, id)->state == migration_state::aborted);
    }
    SECTION("inplace") {
        spec.alter = "DROP INDEX by_a";
        spec.options.attempt_inplace = true;
        const std::string id = begin(*engine, spec);
        wait_for_waiting(*engine, id, "is postponed");
        REQUIRE(engine->command(id, operator_command::cut_over));
        check_done(*engine, id, alter_way::inplace);
    }
}

TEST_CASE("INPLACE behind an INSTANT that the table itself refused comes after the interval between two holds") {
    scene s;
    // What refers to a column is not to be seen from an empty copy.
    s.root.exec("CREATE TABLE refers_held (a INT, FOREIGN KEY (a) REFERENCES held (id))");
    std::mutex mutex;
    std::vector<steady_clock::time_point> holds;
    const auto gate = std::make_shared<telling_gate>();
    gate->when_held = [&] {
        const std::lock_guard lock(mutex);
        holds.push_back(steady_clock::now());
    };
    auto engine = engine_on(shared_server(), gate);
    auto spec = spec_of(alter_way::instant);
    spec.alter = "RENAME COLUMN id TO number";
    spec.options.attempt_inplace = true;
    spec.options.hold_interval = milliseconds(1'500);
    check_done(*engine, begin(*engine, spec), alter_way::inplace);
    s.root.exec("DROP TABLE refers_held");
    REQUIRE(holds.size() == 2);
    CHECK(holds[1] - holds[0] >= milliseconds(1'500));
}
