// A real `sluice serve` process in front of a real server: what operators and clients see when something goes wrong.

#include "bench/load/bookkeeping_load.hpp"
#include "proxy/main/client/progress_view.hpp"
#include "proxy/main/demo/served_sluice.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/mysql_server.hpp"
#include "tests/support/raw_client.hpp"

#include <boost/json/serialize.hpp>

#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

using namespace sluice;
using namespace sluice::test;

namespace {

constexpr std::uint64_t filled_rows = 20'000;
constexpr const char* add_column = "ADD COLUMN priority INT NOT NULL DEFAULT 7";

struct scene {
    mysql_server server = mysql_server::start();
    load::endpoint direct{server.host(), server.port(), app_user, app_password, "test"};
    sql_connection root = connect(server, "test");
    served_sluice sluice{SLUICE_PROGRAM, server.port()};

    scene() { load::create_and_fill(direct, "orders", filled_rows); }

    load::load_options load_options() const {
        load::load_options options;
        options.target = direct;
        options.target.port = sluice.port();
        options.table = "orders";
        options.filled_rows = filled_rows;
        options.statements_per_second = 400;
        return options;
    }

    migration_progress progress(const std::string& id) {
        auto answer = sluice.admin().get("/v1/migrations/" + id);
        REQUIRE(answer);
        auto read = read_progress(*answer);
        REQUIRE(read);
        return *read;
    }

    std::string create(const std::string& alter, boost::json::object options = {}) {
        auto made = sluice.admin().post(
            "/v1/migrations", boost::json::serialize(boost::json::object{
                                  {"schema", "test"}, {"table", "orders"}, {"alter", alter}, {"options", options}}));
        if (!made) FAIL(made.error().message);
        return read_progress(*made)->id;
    }

    void command(const std::string& id, const std::string& word) {
        auto told = sluice.admin().post("/v1/migrations/" + id + "/" + word, "");
        if (!told) FAIL(told.error().message);
    }

    migration_progress wait_until(const std::string& id, const std::function<bool(const migration_progress&)>& holds) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(2);
        while (true) {
            const migration_progress now = progress(id);
            if (holds(now)) return now;
            if (std::chrono::steady_clock::now() > until) {
                FAIL("migration stays " << now.state << " (" << now.waiting_for << ")\n" << sluice.log());
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    }

    std::string exists(const std::string& table) {
        return root.scalar(
            "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'test' AND table_name = '" + table +
            "'");
    }
};

std::string output_of(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

struct command_result {
    int status = 0;
    std::string output;
};

command_result run_sluice(scene& where, std::vector<std::string> arguments) {
    const auto output = where.server.folder() / "command.out";
    std::filesystem::remove(output);
    throwaway::launch launch;
    launch.command = {SLUICE_PROGRAM};
    launch.command.insert(launch.command.end(), arguments.begin(), arguments.end());
    launch.environment = {"SLUICE_URL=" + where.sluice.admin_url(),
                          "SLUICE_TOKEN_FILE=" + where.sluice.token_file().string()};
    launch.output = output;
    const int status = throwaway::run(launch);
    return {status, output_of(output)};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("sluice is killed while it copies: the table stays as it was, and a new start finishes the migration") {
    scene where;
    load::bookkeeping_load direct_load([&] {
        auto options = where.load_options();
        options.target = where.direct;  // its connections must survive the kill
        return options;
    }());
    direct_load.start();
    const std::string id = where.create(add_column, {{"chunk_rows_fixed", 10}, {"copy_workers", 1}});
    where.wait_until(id, [](const auto& p) { return p.rows_copied > 500; });
    where.wait_until(id, [&](const auto& p) {
        return p.state != "copying" ||
               where.root.scalar("SELECT report LIKE '%marker%' FROM _sluice.migrations WHERE id = '" + id + "'") ==
                   "1";
    });
    where.sluice.kill();
    REQUIRE(where.exists("_orders_gho") == "1");
    CHECK(where.root.scalar("SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = 'test' AND"
                            " table_name = 'orders' AND column_name = 'priority'") == "0");
    CHECK(where.root.scalar("SELECT state FROM _sluice.migrations WHERE id = '" + id + "'") == "copying");

    where.sluice.start_again();
    const auto ended = where.wait_until(id, [](const auto& p) { return p.completed() || p.failed(); });
    INFO(where.sluice.log());
    REQUIRE(ended.completed());
    CHECK(contains(where.sluice.log(), "goes on from its checkpoint"));
    direct_load.stop();
    // These clients pass by the gate. One that has read the table in a transaction and then writes it, while the
    // cut-over waits for its lock, is what the server calls a deadlock: it rolls the client back (1213). Nothing else
    // may happen.
    const auto report = direct_load.report();
    CHECK(report.errors == report.first_errors.size());
    for (const auto& error : report.first_errors) CHECK_THAT(error, Catch::Matchers::Contains(": 1213 Deadlock found"));
    CHECK(report.wrong_answers == 0);
    const auto books = load::verify(direct_load.the_books(), where.direct, "orders");
    CHECK(books.equal());
    CHECK(where.root.scalar("SELECT COUNT(*) FROM orders WHERE priority <> 7") == "0");
    CHECK(where.exists("_orders_gho") == "0");
    CHECK(where.exists("_orders_ghc") == "0");
    CHECK(where.exists("_orders_del") == "1");  // kept unless drop_old_table says otherwise
    CHECK(where.sluice.stop() == 0);
}

TEST_CASE("sluice is told to stop while it copies: it ends orderly and goes on at the next start") {
    scene where;
    const std::string id = where.create(add_column, {{"chunk_rows_fixed", 10}, {"copy_workers", 1}});
    where.wait_until(id, [](const auto& p) { return p.rows_copied > 100; });
    CHECK(where.sluice.stop() == 0);
    CHECK(where.exists("orders") == "1");
    where.sluice.start_again();
    CHECK(where.wait_until(id, [](const auto& p) { return p.completed() || p.failed(); }).completed());
}

TEST_CASE("the server says that the swap took place although sluice was killed before it could note it") {
    scene where;
    const std::string id = where.create(add_column, {{"postpone_cutover", true}});
    where.wait_until(id, [](const auto& p) { return p.state == "ready"; });
    where.sluice.kill();
    // What the killed process would have left, had it died right behind its RENAME.
    where.root.exec("RENAME TABLE orders TO _orders_del, _orders_gho TO orders");
    where.root.exec("UPDATE _sluice.migrations SET state = 'cutting_over' WHERE id = '" + id + "'");
    where.sluice.start_again();
    CHECK(where.wait_until(id, [](const auto& p) { return p.completed() || p.failed(); }).completed());
    CHECK(where.root.scalar("SELECT COUNT(*) FROM orders WHERE priority = 7") == std::to_string(filled_rows));
    CHECK(where.exists("_orders_ghc") == "0");
}

TEST_CASE("a client that is killed in its transaction harms nobody") {
    scene where;
    load::bookkeeping_load load(where.load_options());
    load.start();
    const std::string id = where.create(add_column, {{"postpone_cutover", true}});
    where.wait_until(id, [](const auto& p) { return p.state == "ready"; });
    {
        raw_client victim(where.sluice.port());
        victim.login(app_user, app_password, "test");
        REQUIRE(victim.query("START TRANSACTION").is_ok);
        REQUIRE(victim
                    .query("INSERT INTO orders (id, customer, status, amount, note, updated_at) VALUES"
                           " (900000001, 1, 'new', 1, 'never committed', '2024-01-01')")
                    .is_ok);
        where.command(id, "cut-over");
        // Its transaction stands in the way until its connection goes away without a word.
        where.wait_until(id, [&](const auto& p) {
            return contains(p.waiting_for, "connection " + std::to_string(victim.greeting().connection_id)) ||
                   p.completed();
        });
        CHECK_FALSE(where.progress(id).completed());
        victim.reset();
    }
    CHECK(where.wait_until(id, [](const auto& p) { return p.completed() || p.failed(); }).completed());
    load.stop();
    const auto report = load.report();
    INFO((report.first_errors.empty() ? "" : report.first_errors.front()));
    CHECK(report.errors == 0);
    CHECK(report.wrong_answers == 0);
    CHECK(load::verify(load.the_books(), where.direct, "orders").equal());
}

TEST_CASE("an ALTER with a syntax error: the server's words, exit code 4, and nothing left behind") {
    scene where;
    const auto ran = run_sluice(where, {"migrate", "--schema", "test", "--table", "orders", "--alter",
                                        "ADD COLUMN priority INTEGR NOT NULL", "--wait"});
    INFO(ran.output);
    CHECK(ran.status == 4);
    CHECK(contains(ran.output, "alter_refused"));
    CHECK(contains(ran.output, "You have an error in your SQL syntax"));
    CHECK(contains(ran.output, "INTEGR"));
    CHECK(where.exists("_orders_gho") == "0");
    CHECK(where.exists("_orders_ghc") == "0");
    CHECK(where.exists("orders") == "1");
}

TEST_CASE("the command line migrates, and any MySQL client can ask through the proxy") {
    scene where;
    const auto ran =
        run_sluice(where, {"migrate", "--schema", "test", "--table", "orders", "--alter", add_column, "--wait"});
    INFO(ran.output);
    REQUIRE(ran.status == 0);
    CHECK(contains(ran.output, "completed: test.orders"));

    sql_connection client(where.sluice.port(), app_user, app_password, "test");
    const auto all = client.query("SHOW MIGRATIONS");
    REQUIRE(all.size() == 1);
    CHECK(client.column_names().front() == "id");
    const std::string id = *all[0][0];
    CHECK(client.query("SHOW MIGRATIONS WHERE state = 'completed'").size() == 1);
    CHECK(client.query("SHOW MIGRATIONS WHERE state = 'failed'").empty());
    CHECK(client.query("SHOW MIGRATIONS LIKE '%orders%'").size() == 1);
    const auto one = client.query("SHOW MIGRATION '" + id + "'");
    REQUIRE_FALSE(one.empty());
    bool tells_state = false;
    for (const auto& field : one) tells_state = tells_state || (field[0] == "state" && field[1] == "completed");
    CHECK(tells_state);
    CHECK(client.error_of("SHOW MIGRATION 'ffffffffffffffff'") != 0);
    // The session goes on as if nothing had been, and the rest of SHOW is the server's.
    CHECK(client.scalar("SELECT COUNT(*) FROM orders WHERE priority = 7") == std::to_string(filled_rows));
    CHECK_FALSE(client.query("SHOW TABLES").empty());

    const auto listed = run_sluice(where, {"list"});
    CHECK(listed.status == 0);
    CHECK(contains(listed.output, id));
    CHECK(run_sluice(where, {"show", id}).status == 0);
    CHECK(run_sluice(where, {"abort", id}).status != 0);  // it has ended
}

TEST_CASE("an aborted migration leaves nothing, and the table as it was") {
    scene where;
    const std::string id = where.create(add_column, {{"postpone_cutover", true}});
    where.wait_until(id, [](const auto& p) { return p.state == "ready"; });
    where.command(id, "abort");
    CHECK(where.wait_until(id, [](const auto& p) { return p.completed() || p.failed(); }).state == "aborted");
    CHECK(where.exists("_orders_gho") == "0");
    CHECK(where.exists("_orders_ghc") == "0");
    CHECK(where.root.scalar("SELECT COUNT(*) FROM orders") == std::to_string(filled_rows));
}

TEST_CASE("the server is killed in the middle of a migration and comes back: it goes on, and nothing is lost") {
    const std::string during = GENERATE("copying", "ready");
    INFO(during);
    scene where;
    const std::string id = where.create("ADD COLUMN priority INT NOT NULL DEFAULT 7, ADD INDEX by_amount (amount)",
                                        {{"chunk_rows_fixed", 10}, {"copy_workers", 1}, {"postpone_cutover", true}});
    where.wait_until(id, [&](const auto& p) { return p.state == during && p.rows_copied > 100; });
    where.root.exec("UPDATE orders SET note = 'before the crash' WHERE id % 5 = 0");
    where.server.kill();
    where.server.restart();
    where.root = connect(where.server, "test");
    where.root.exec("UPDATE orders SET note = 'after the crash' WHERE id % 7 = 0");
    where.root.exec("DELETE FROM orders WHERE id % 11 = 0");
    const std::string sum =
        "SELECT CONCAT(COUNT(*), ' ', SUM(CRC32(CONCAT_WS('|', id, customer, status, amount, note,"
        " updated_at)))) FROM orders";
    const std::string expected = where.root.scalar(sum);
    where.command(id, "cut-over");
    const auto ended = where.wait_until(id, [](const auto& p) { return p.completed() || p.failed(); });
    INFO(where.sluice.log());
    REQUIRE(ended.completed());
    CHECK(where.root.scalar(sum) == expected);
    CHECK(where.root.scalar("SELECT COUNT(*) FROM orders WHERE priority = 7") ==
          where.root.scalar("SELECT COUNT(*) FROM orders"));
    CHECK(where.root.query("SHOW INDEX FROM orders WHERE key_name = 'by_amount'").size() == 1);
}
