// When the engine cuts over, on real servers, with blockers that no proxy knows.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/support/catch.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>

namespace {

using namespace sluice::test;
using namespace sluice;
using migration::migration_state;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

void make_table(const mysql_server& server) {
    sql_connection root = connect(server, "test");
    root.exec("CREATE TABLE t (id INT PRIMARY KEY, v INT NOT NULL) ENGINE=InnoDB");
    root.exec("INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)");
}

migration::migration_spec add_column() {
    migration::migration_spec spec;
    spec.table = {"test", "t"};
    spec.alter = "ADD COLUMN extra INT NULL";
    return spec;
}

std::string begin(migration::migration_service& engine, const migration::migration_spec& spec) {
    const auto created = engine.create(spec);
    INFO((created ? std::string() : created.error().message));
    REQUIRE(created);
    return (*created)->id;
}

migration::snapshot_ptr wait_for_waiting(const migration::migration_service& engine, const std::string& id,
                                         const std::string& part) {
    return wait_until(engine, id, [&](const auto& s) { return contains(s.waiting_for, part) || is_final(s.state); });
}

}  // namespace

TEST_CASE("an old transaction of a direct connection is waited for without an attempt", "[cutover_timing]") {
    const mysql_server server = start_server(server_kind::mysql_9_7);
    make_table(server);
    sql_connection client(server.port(), app_user, app_password, "test");
    const char* lock = GENERATE("BEGIN", "HANDLER t OPEN", "LOCK TABLES t READ");
    CAPTURE(lock);
    client.exec(lock);
    if (std::string(lock) == "BEGIN") client.query("SELECT * FROM t");
    auto engine = engine_on(server);
    auto spec = add_column();
    spec.options.page_flush_wait = std::chrono::milliseconds(0);  // another moment is not waited for besides
    const std::string id = begin(*engine, spec);
    const auto waiting =
        wait_for_waiting(*engine, id, "connection " + std::to_string(client.connection_id()) + " of app@");
    INFO(error_text(*waiting) << waiting->waiting_for);
    REQUIRE_FALSE(is_final(waiting->state));
    CHECK(contains(waiting->waiting_for, "(directly, not through the proxy)"));
    const std::string last_statement = std::string(lock) == "BEGIN" ? "SELECT * FROM t" : lock;
    CHECK(contains(waiting->waiting_for, last_statement));
    const auto held_until = system_clock::now();
    client.exec(std::string(lock) == "BEGIN"            ? "COMMIT"
                : std::string(lock) == "HANDLER t OPEN" ? "HANDLER t CLOSE"
                                                        : "UNLOCK TABLES");
    client.exec("COMMIT");
    const auto gone = system_clock::now();
    const auto ended = wait_for_end(*engine, id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    REQUIRE_FALSE(ended->cutover_attempts.empty());
    CHECK(ended->cutover_attempts[0].began >= held_until);
    CHECK(ended->cutover_attempts[0].began - gone < seconds(20));  // much less on an idle machine
}

TEST_CASE("attempts against a direct transaction keep their interval, double it in the end, and end with it",
          "[cutover_timing]") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    CAPTURE(throwaway::to_string(kind));
    const mysql_server server = start_server(kind);
    make_table(server);
    sql_connection client(server.port(), app_user, app_password, "test");
    client.exec("START TRANSACTION");
    client.query("SELECT * FROM t");
    auto spec = add_column();
    spec.options.max_blocker_age = std::chrono::hours(1);  // so that it is tried all the same
    spec.options.hold_budget = milliseconds(200);
    constexpr std::size_t patient_from = 5;  // 20, 40, 80, 160 ms; then the whole budget
    constexpr milliseconds interval{200};
    spec.options.hold_interval = interval;
    auto engine = engine_on(server);
    const std::string id = begin(*engine, spec);
    wait_until(*engine, id,
               [](const auto& s) { return s.cutover_attempts.size() >= patient_from + 2 || is_final(s.state); });
    client.exec("COMMIT");
    const auto ended = wait_for_end(*engine, id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    const auto& attempts = ended->cutover_attempts;
    REQUIRE(attempts.size() > patient_from + 2);
    // Those that were under way while it was certainly open.
    for (std::size_t i = 0; i < patient_from + 2; ++i) {
        CAPTURE(i);
        CHECK(attempts[i].number == i + 1);
        CHECK_FALSE(attempts[i].succeeded);
        REQUIRE_FALSE(attempts[i].blockers.empty());
        CHECK(attempts[i].blockers[0].connection_id == client.connection_id());
        CHECK(attempts[i].blockers[0].direct);
        const bool last = i + 1 == patient_from + 2;  // the next one does not wait for what has gone
        const auto doubled = last || i < patient_from ? 0 : i + 1 - patient_from;
        CHECK(attempts[i + 1].began - attempts[i].began >= interval * (1 << doubled));
    }
}

TEST_CASE("a direct blocker is killed when its time is up, and its transaction rolled back", "[cutover_timing]") {
    const bool may_kill = GENERATE(true, false);
    CAPTURE(may_kill);
    const mysql_server server = start_server(server_kind::mysql_9_7);
    make_table(server);
    if (may_kill) {
        const std::string account = connect(server).scalar(
            "SELECT CONCAT(QUOTE(user), '@', QUOTE(host)) FROM mysql.user WHERE user = 'sluice'");
        connect(server).exec("GRANT CONNECTION_ADMIN ON *.* TO " + account);
    }
    auto spec = add_column();
    spec.options.postpone_cutover = true;
    spec.options.kill_blockers_after = milliseconds(700);
    auto engine = engine_on(server);
    const std::string id = begin(*engine, spec);
    wait_for_ready(*engine, id);
    sql_connection client(server.port(), app_user, app_password, "test");
    client.exec("BEGIN");
    client.exec("UPDATE t SET v = 9 WHERE id = 3");
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    const auto told =
        wait_until(*engine, id, [](const auto& s) { return !s.blocker_kills.empty() || is_final(s.state); });
    REQUIRE(told->blocker_kills.size() == 1);
    const auto& kill = told->blocker_kills[0];
    CHECK(kill.blocker.connection_id == client.connection_id());
    // While it was young, an attempt may have been made.
    CHECK(kill.before_attempt >= 1);
    CHECK(kill.before_attempt <= told->cutover_attempts.size() + 1);
    CHECK(kill.error.empty() == may_kill);
    if (!may_kill) client.exec("COMMIT");
    const auto ended = wait_for_end(*engine, id);
    CHECK(ended->state == migration_state::completed);
    CHECK(connect(server, "test").scalar("SELECT v FROM t WHERE id = 3") == (may_kill ? "3" : "9"));
    CHECK((client.error_of("SELECT 1") != 0) == may_kill);
}

TEST_CASE("a blocker whose time is up is killed although an attempt was given up a moment ago", "[cutover_timing]") {
    const mysql_server server = start_server(server_kind::mysql_9_7);
    make_table(server);
    const std::string account =
        connect(server).scalar("SELECT CONCAT(QUOTE(user), '@', QUOTE(host)) FROM mysql.user WHERE user = 'sluice'");
    connect(server).exec("GRANT CONNECTION_ADMIN ON *.* TO " + account);
    auto spec = add_column();
    spec.options.hold_budget = seconds(2);
    spec.options.max_blocker_age = seconds(5);  // it is tried before that
    spec.options.kill_blockers_after = milliseconds(1'500);
    spec.options.hold_interval = seconds(12);
    spec.options.postpone_cutover = true;
    sql_connection client(server.port(), app_user, app_password, "test");
    auto engine = engine_on(server);
    const std::string id = begin(*engine, spec);
    wait_for_ready(*engine, id);
    client.exec("BEGIN");
    client.exec("UPDATE t SET v = 9 WHERE id = 3");
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    const auto ended = wait_for_end(*engine, id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    REQUIRE(ended->cutover_attempts.size() >= 2);
    REQUIRE(ended->blocker_kills.size() == 1);
    CHECK(ended->blocker_kills[0].blocker.connection_id == client.connection_id());
    CHECK(ended->blocker_kills[0].error.empty());
    CHECK(ended->blocker_kills[0].at - ended->cutover_attempts[0].began < seconds(10));
    CHECK(ended->cutover_attempts[1].began - ended->cutover_attempts[0].began >= seconds(12));
}

TEST_CASE("window, flag file and postponement hold the cut-over up, by options that change while it runs",
          "[cutover_timing]") {
    const mysql_server server = start_server(server_kind::mysql_9_7);
    make_table(server);
    const auto flag = std::filesystem::temp_directory_path() / ("sluice-flag-" + std::to_string(server.port()));
    std::ofstream(flag) << "x";
    auto spec = add_column();
    spec.options.postpone_cutover = true;
    spec.options.postpone_flag_file = flag.string();
    auto engine = engine_on(server);
    const std::string id = begin(*engine, spec);
    wait_for_waiting(*engine, id, "is postponed");
    migration::option_changes changes;
    const auto change = [&](std::string_view name) {
        changes.fields = {migration::find_option_field(name)};
        REQUIRE(changes.fields[0] != nullptr);
        return engine->change(id, changes);
    };
    // A minute of the week that is not now, nor soon.
    const auto days =
        std::chrono::duration_cast<std::chrono::hours>(system_clock::now().time_since_epoch()).count() / 24;
    const char* const names[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    changes.values.cutover_window = std::string(names[(days + 3) % 7]) + " 03:00-03:01 UTC";
    REQUIRE(change("cutover_window"));
    REQUIRE(change("postpone_cutover"));  // false
    wait_for_waiting(*engine, id, "the removal of " + flag.string());
    CHECK_FALSE(engine->find(id)->postponed);
    changes.values.copy_workers = 5;
    const auto fixed = change("copy_workers");
    REQUIRE(fixed.has_error());
    CHECK(fixed.error().code == "fixed_option");
    std::filesystem::remove(flag);
    wait_for_waiting(*engine, id, "the cut-over window (" + changes.values.cutover_window + ")");
    changes.values.hold_budget = milliseconds(432);
    REQUIRE(change("hold_budget_ms"));
    REQUIRE(engine->command(id, migration::operator_command::postpone));
    wait_for_waiting(*engine, id, "is postponed");

    // What was said is there after a restart.
    engine.reset();
    engine = engine_on(server);
    const auto again = wait_for_waiting(*engine, id, "is postponed");
    INFO(error_text(*again));
    REQUIRE_FALSE(is_final(again->state));
    CHECK(again->spec.options.hold_budget == milliseconds(432));
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    wait_for_waiting(*engine, id, "the cut-over window");
    changes.values.cutover_window.clear();
    REQUIRE(change("cutover_window"));
    const auto ended = wait_for_end(*engine, id);
    CHECK(ended->state == migration_state::completed);
    const auto attempts = ended->cutover_attempts;
    REQUIRE_FALSE(attempts.empty());

    engine.reset();
    engine = engine_on(server);
    const auto stored = engine->find(id)->cutover_attempts;
    REQUIRE(stored.size() == attempts.size());
    CHECK(std::chrono::abs(stored.back().began - attempts.back().began) < milliseconds(1));
    CHECK(stored.back().succeeded);
    REQUIRE(stored.back().steps.size() == attempts.back().steps.size());
    CHECK(stored.back().steps.back().took == attempts.back().steps.back().took);
}
