// Throttles of a served Sluice, through its HTTP API: each one holds the migration back and shows its reason, and the
// loss of its signal does too.

#include "tests/integration/process_served.hpp"
#include "tests/integration/process_throttle_scene.hpp"

#include <boost/json/serialize.hpp>

#include <filesystem>
#include <vector>

namespace {

using namespace sluice::test;
namespace json = boost::json;

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A migration that is to be held back before its first chunk.
struct held_migration {
    held_migration(const served& sluice, std::vector<std::string> arguments) : here(sluice) {
        arguments.insert(arguments.begin(), {"--schema", "test", "--table", "t", "--alter", "ADD COLUMN c INT"});
        id = here.begin(arguments);
    }
    void set(std::vector<std::string> options) const {
        options.insert(options.begin(), {"settings", id});
        const auto end = here.run(options);
        INFO(end.out << end.err);
        REQUIRE(end.exit_code == 0);
    }
    [[nodiscard]] std::string reason() const { return std::string(here.show(id).at("throttled_by").as_string()); }
    /// Until the reason begins with this; the migration as it was then, with nothing copied.
    json::object wait_for(const std::string& reason_begins) const {
        json::object seen;
        wait_until("throttled by " + reason_begins, [&] {
            seen = here.show(id);
            INFO(json::serialize(seen));
            REQUIRE(seen.at("ended").is_null());
            return std::string(seen.at("throttled_by").as_string()).starts_with(reason_begins);
        });
        CHECK(seen.at("rows_copied").to_number<int>() == 0);
        return seen;
    }

    const served& here;
    std::string id;
};

std::string value_of(const rows& table, const std::string& name) {
    for (const row& each : table) {
        if (each.at(0) == name) return each.at(1).value_or("");
    }
    return "";
}

void touch(const std::string& file) { std::ofstream(file).put('\n'); }

}  // namespace

TEST_CASE("a served Sluice heeds every throttle and shows the first reason", "[process][throttle]") {
    primary_and_replica servers;
    const mysql_server& primary = servers.primary;
    fill(primary, "t", 1000);
    sql_connection sql = connect(primary, "test");
    sql.exec("CREATE TABLE control (v INT)");
    sql.exec("INSERT INTO control VALUES (1)");
    servers.wait_for_replica();
    sql_connection on_replica = connect(servers.replica);
    served sluice(primary);
    status_server web;
    const std::string file = (sluice.folder().path() / "one").string();
    const std::string file_of_all = (sluice.folder().path() / "all").string();
    touch(file);
    // The next reason is there before the last one goes, so that nothing slips through between.
    const held_migration t(sluice, {"--throttle-flag-file", file, "--throttle-additional-flag-file", file_of_all});
    t.wait_for("flag-file");
    t.set({"--max-load", "Threads_connected=1"});
    std::filesystem::remove(file);
    json::object seen = t.wait_for("max-load Threads_connected=");
    CHECK(holds(std::string(seen.at("throttled_by").as_string()), " >= 1"));
    CHECK(holds(std::string(seen.at("waiting_for").as_string()), "throttled: max-load Threads_connected="));
    // The same to those who ask by SQL, and by `sluice show`.
    const auto table = sluice.client().query("SHOW MIGRATION '" + t.id + "'");
    CHECK(holds(value_of(table, "throttled_by"), "max-load Threads_connected="));
    CHECK(value_of(table, "option_max_load") == "Threads_connected=1");
    CHECK(holds(sluice.run({"show", t.id}).out, "max-load Threads_connected="));
    touch(file_of_all);
    t.wait_for("flag-file");
    t.set({"--max-load", "No_such_variable=1"});
    std::filesystem::remove(file_of_all);
    t.wait_for("max-load No_such_variable: the server has no such status variable");

    t.set({"--throttle-query", "SELECT MAX(v) FROM test.control"});
    t.set({"--max-load", ""});
    wait_until("the query", [&] { return t.reason() == "throttle-query"; });
    sql.exec("RENAME TABLE control TO away");
    t.wait_for("throttle-query: Table 'test.control' doesn't exist (error 1146)");
    web.status = 429;
    t.set({"--throttle-http", web.url()});
    sql.exec("UPDATE away SET v = 0");
    sql.exec("RENAME TABLE away TO control");
    t.wait_for("Too many requests (http=429)");
    web.answers = false;
    t.wait_for("http=-1 (");
    web.status = 404;
    web.answers = true;
    t.wait_for("Not found (http=404)");

    // A replica that stands still, with a heartbeat of some seconds ago.
    t.set({"--control-replicas", servers.replica_text(), "--max-lag-ms", "1000"});
    wait_until("a heartbeat on the replica", [&] {
        return on_replica.scalar("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME = '_t_ghc'") == "1" &&
               on_replica.scalar("SELECT COUNT(*) FROM test._t_ghc WHERE hint = 'heartbeat'") == "1";
    });
    on_replica.exec("STOP REPLICA SQL_THREAD");
    wait_until("a lag that is too long", [&] {
        return on_replica.scalar("SELECT last_update < NOW() - INTERVAL 2 SECOND FROM test._t_ghc WHERE id = 1") == "1";
    });
    web.status = 200;
    seen = t.wait_for(servers.replica_text() + " replica-lag=");
    CHECK(seen.at("lag_ms").is_number());
    // One where nobody listens.
    t.set({"--control-replicas", "127.0.0.1:1"});
    t.wait_for("127.0.0.1:1 ");

    // Critical load: everything rests, and then goes on as it was.
    t.set({"--critical-load-rest-ms", "500"});
    t.set({"--critical-load", "Threads_connected=1"});
    t.wait_for("critical-load-hibernate until ");
    REQUIRE(sluice.run({"pause", t.id}).exit_code == 0);
    t.set({"--critical-load", "", "--control-replicas", ""});
    wait_until("the pause", [&] {
        seen = sluice.show(t.id);
        return seen.at("waiting_for").as_string() == "paused by the operator";
    });
    CHECK(seen.at("rows_copied").to_number<int>() == 0);
    // And critical load twice within the interval ends it, its tables left.
    t.set({"--critical-load-rest-ms", "0", "--critical-load-interval-ms", "300"});
    t.set({"--critical-load", "Threads_connected=1"});
    wait_until("the end", [&] { return !sluice.show(t.id).at("ended").is_null(); });
    seen = sluice.show(t.id);
    CHECK(seen.at("state").as_string() == "failed");
    const std::string why(seen.at("error").as_object().at("message").as_string());
    CHECK(why.starts_with("critical-load met again after 300 millis: Threads_connected="));
    CHECK(seen.at("leftovers").as_array().size() == 2);
    CHECK(sql.scalar("SELECT COUNT(*) FROM _t_gho") == "0");
}

TEST_CASE("nice_percent lets the copy rest so many percent of the time that a chunk took", "[process][throttle]") {
    const auto server = mysql_server::start();
    fill(server, "t", 4000);
    served sluice(server);
    const std::string file = (sluice.folder().path() / "one").string();
    touch(file);
    const held_migration t(sluice, {"--throttle-flag-file", file, "--chunk-rows-fixed", "400", "--copy-workers", "1",
                                    "--nice-percent", "1000"});
    t.wait_for("flag-file");
    ghost_owner owner(server, "test");
    std::filesystem::remove(file);
    const double waited_s = owner.keep_waiting();
    const double took_ms = sluice.wait_for(t.id, "completed").at("copy_took_ms").to_number<double>();
    INFO("waited for " << waited_s << " s, copy took " << took_ms << " ms");
    CHECK(took_ms >= 11 * waited_s * 1000);
}
