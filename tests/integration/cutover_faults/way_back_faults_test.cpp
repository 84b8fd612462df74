// The way back through the whole program, with triggers and foreign keys on the table: what operators do meanwhile, and
// what goes wrong. Clients of the proxy keep books of every acknowledged write.

#include "tests/integration/cutover_faults/fault_scene.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <vector>

using namespace sluice;
using namespace sluice::test;

namespace {

namespace json = boost::json;

constexpr std::uint64_t written_meanwhile = 950'000'000;  // the load never comes so far

fault_scene& scene_9_7() { return scene_of(server_kind::mysql_9_7); }

void post(fault_scene& scene, const std::string& word, const std::string& body = {}) {
    auto told = scene.sluice.admin().post("/v1/migrations/" + scene.id + "/" + word, body);
    if (!told) FAIL(told.error().message);
}

json::object way_back(fault_scene& scene) {
    const auto answer = scene.sluice.admin().get("/v1/migrations/" + scene.id);
    REQUIRE(answer);
    return answer->at("way_back").as_object();
}

void begin_in_sync(fault_scene& scene, bool with_relations, json::object options = {}) {
    scene.begin(with_relations);
    options["keep_old_table_in_sync"] = true;
    scene.create_migration(std::move(options));
    scene.wait_for_state("in_sync");
}

/// A write of nobody's books, for which Sluice was not there.
void write_meanwhile(fault_scene& scene) {
    scene.root.exec("INSERT INTO orders (id, customer, status, amount, note, updated_at) VALUES (" +
                    std::to_string(written_meanwhile) + ", 1, 'new', 77, 'meanwhile', '2024-01-01')");
}

void check_written_meanwhile(fault_scene& scene) {
    scene.wait_for_state("reverted");
    CHECK(scene.root.scalar("SELECT amount FROM orders WHERE id = " + std::to_string(written_meanwhile)) == "77.00");
    scene.root.exec("DELETE FROM orders WHERE id = " + std::to_string(written_meanwhile));
}

const std::vector<fault_step> steps{
    {"reverting is noted", noted("reverting"), related},
    {"trigger", holder_begins("CREATE", "_orders_del"), related, alters},
    {"rename", begins("RENAME TABLE `test`.`orders` TO `test`.`_orders_gho`"), related, alters},
    {"own key gets its name back", holder_begins("ALTER TABLE `test`.`orders` DROP"), related},
    {"reverted is noted", noted("reverted"), related},
};

/// Whether the command was answered: where it strikes before that is stored, or the answer was slow, it is not.
bool revert_until_struck(fault_scene& scene, const fault_step& step, moment when, std::function<void()> strike) {
    begin_in_sync(scene, step.with_relations);
    scene.relay.arm(step.is_it, when, std::move(strike));
    const auto told = scene.sluice.admin().post("/v1/migrations/" + scene.id + "/revert", "");
    wait_until_struck(scene);
    return told.has_value();
}

/// What was not answered may be known to nobody: it is said again, and refused if it was known.
void tell_again(fault_scene& scene) {
    wait_until("in sync, or on the way back", [&] {
        const std::string state = scene.progress().state;
        return state == "in_sync" || state.starts_with("revert");
    });
    (void)scene.sluice.admin().post("/v1/migrations/" + scene.id + "/revert", "").has_error();
}

}  // namespace

TEST_CASE("there and back with triggers and foreign keys: no client notices, whatever is set for cut-overs meanwhile",
          "[way_back]") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mariadb_10_11);
    INFO(to_string(kind));
    auto& scene = scene_of(kind);
    begin_in_sync(scene, related);
    // What cut-overs wait for is not for a revert, which the operator wants now.
    post(scene, "settings",
         R"({"postpone_cutover": true, "cutover_window": "Mon 00:00-00:01 UTC", "postpone_flag_file": "/dev/null"})");
    scene.check_clients_go_on();
    post(scene, "revert");
    if (kind == server_kind::mysql_9_7) return scene.check_reverted(false);
    // Reads by share locks: see "Limits" in the README.
    scene.check_reverted(std::set<unsigned>{1213});
}

TEST_CASE("an old table that is not the same is mended before it takes the name again", "[way_back]") {
    auto& scene = scene_9_7();
    scene.begin(false);
    scene.listen([&](const engine_statement& statement) {
        if (!noted("in_sync")(statement)) return;
        sql_connection vandal(scene.server.port(), "root", "", "test");
        vandal.exec("UPDATE _orders_del SET amount = amount + 1 WHERE id BETWEEN 1 AND 50");
        vandal.exec("DELETE FROM _orders_del WHERE id BETWEEN 100 AND 150");
        vandal.exec(
            "INSERT IGNORE INTO _orders_del SELECT id + 800000000, customer, status, amount, note, updated_at "
            "FROM orders WHERE id < 50");
        scene.relay.disarm();
    });
    scene.create_migration({{"keep_old_table_in_sync", true}});
    scene.wait_for_state("in_sync");
    post(scene, "revert");
    scene.check_reverted(false);
    const json::object verification = way_back(scene).at("verification").as_object();
    INFO(json::serialize(verification));
    CHECK(verification.at("passes").to_number<std::uint64_t>() >= 1);
    // Others are as good: rows that clients have written since.
    CHECK(verification.at("rows_repaired").to_number<std::uint64_t>() > 20);
}

TEST_CASE("sluice or the server is killed while the old table is kept in sync: it goes on, and nothing is lost",
          "[way_back]") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mariadb_10_11);
    const bool of_server = GENERATE(false, true);
    INFO(to_string(kind) << (of_server ? ", the server" : ", sluice"));
    auto& scene = scene_of(kind);
    begin_in_sync(scene, related);
    if (of_server) {
        scene.kill_server();
        scene.start_server();
        write_meanwhile(scene);
    } else {
        scene.kill_sluice();
        write_meanwhile(scene);
        scene.start_sluice();
    }
    scene.check_clients_go_on();
    scene.wait_for_state("in_sync");
    post(scene, "revert");
    check_written_meanwhile(scene);
    scene.check_reverted(true);
}

TEST_CASE("sluice is killed at a step of a revert: the next start goes on with it", "[way_back]") {
    const auto step = GENERATE(from_range(steps));
    const auto when = GENERATE(moment::before, moment::during);
    if (when == moment::during && !step.alters) return;
    INFO(to_string(when) << ": " << step.name);
    auto& scene = scene_9_7();
    const bool answered = revert_until_struck(scene, step, when, [&] { scene.kill_sluice(); });
    scene.start_sluice();
    if (!answered) tell_again(scene);
    scene.check_reverted(true);
}

TEST_CASE("the server is killed around the rename of a revert: sluice goes on with it", "[way_back]") {
    const auto when = GENERATE(moment::before, moment::during, moment::after);
    INFO(to_string(when));
    auto& scene = scene_9_7();
    const bool answered = revert_until_struck(scene, steps[2], when, [&] { scene.kill_server(); });
    scene.start_server();
    if (!answered) tell_again(scene);
    scene.check_reverted(true);
}

TEST_CASE("the log that the old table needs is purged while sluice is down: the new table stays, the old one too",
          "[way_back]") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mariadb_10_11);
    INFO(to_string(kind));
    auto& scene = scene_of(kind);
    begin_in_sync(scene, false);
    scene.kill_sluice();
    write_meanwhile(scene);
    scene.root.exec("FLUSH BINARY LOGS");
    const std::string newest = *scene.root.query("SHOW BINARY LOGS").back()[0];
    // MariaDB leaves out files that the killed process's stream still reads, and says nothing.
    wait_until("a log without its older files", [&] {
        scene.root.exec("PURGE BINARY LOGS TO '" + newest + "'");
        return *scene.root.query("SHOW BINARY LOGS").front()[0] == newest;
    });
    scene.start_sluice();
    scene.wait_for_state("completed");
    const json::object ended = way_back(scene).at("ended_by").as_object();
    INFO(json::serialize(ended));
    CHECK(ended.at("code").as_string() == "binlog_purged");
    auto refused = scene.sluice.admin().post("/v1/migrations/" + scene.id + "/revert", "");
    REQUIRE_FALSE(refused);
    CHECK(contains(refused.error().message, "is not kept in sync any more"));
    // Although the option says drop: what only it has may be wanted.
    CHECK(tables_of(scene.root) == "_orders_del,orders");
    scene.root.exec("DELETE FROM orders WHERE id = " + std::to_string(written_meanwhile));
    scene.root.exec("DROP TABLE _orders_del");
    scene.check_completed(true);
}

TEST_CASE("the longest time in sync is changed while it lasts, and is over: the old table goes", "[way_back]") {
    auto& scene = scene_9_7();
    begin_in_sync(scene, related, {{"keep_in_sync_max_s", 86'400}});
    post(scene, "settings", R"({"keep_in_sync_max_s": 1})");
    scene.check_completed(false);
    CHECK(way_back(scene).at("ended_by").is_null());
}
