// Transactions that read one table of a group before the cut-over and another one after it: never one of them as it was
// and the other as it is by now.

#include "proxy/main/client/progress_view.hpp"
#include "proxy/main/demo/served_sluice.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/mysql_server.hpp"
#include "tests/support/shared_sum.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

using namespace sluice;
using namespace sluice::test;

namespace {

namespace json = boost::json;

constexpr unsigned table_changed = 1412;
const std::vector<std::string> tables{"a", "b"};

std::string sum_of(const std::string& table) { return "SELECT SUM(amount) FROM " + table; }

/// Two migrations whose ghosts are there and empty until go().
class held_back_group {
public:
    held_back_group(served_sluice& sluice, const mysql_server& server)
        : sluice_(sluice), flag_(server.data_folder() / "hold_back") {
        std::ofstream(flag_) << "\n";
        for (const auto& table : tables) ids_.push_back(begin_member(table));
        for (const auto& id : ids_) wait_until(id, [](const auto& now) { return now.state == "copying"; });
    }
    void go() { std::filesystem::remove(flag_); }

    void wait_until(const std::string& id, const auto& it_is_so) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
        while (true) {
            const auto now = progress(id);
            if (it_is_so(now)) return;
            const bool goes_on = !now.failed() && std::chrono::steady_clock::now() < until;
            if (!goes_on) FAIL(now.state << ", " << now.waiting_for << ", " << now.error << '\n' << sluice_.log());
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
    }
    /// By transactions that have read one of the tables, or may have: the oldest is named.
    void wait_held_up_by_a_transaction() {
        wait_until(ids_.front(), [&](const auto& now) {
            return now.completed() || now.waiting_for.find("has had a transaction open") != std::string::npos;
        });
    }
    void wait_completed() {
        for (const auto& id : ids_) wait_until(id, [](const auto& now) { return now.completed(); });
    }
    [[nodiscard]] bool completed() { return progress(ids_.front()).completed(); }

private:
    migration_progress progress(const std::string& id) {
        const auto answer = sluice_.admin().get("/v1/migrations/" + id);
        if (!answer) FAIL(answer.error().message);
        return *read_progress(*answer);
    }
    std::string begin_member(const std::string& table) {
        const json::object options{{"cutover_group", "books"},
                                   {"cutover_group_size", tables.size()},
                                   {"hold_interval_ms", 100},
                                   {"hold_budget_ms", 2'000},
                                   {"max_blocker_age_ms", 500},
                                   {"cutover_attempts_max", 1'000},
                                   {"throttle_flag_file", flag_.string()}};
        auto made = sluice_.admin().post(
            "/v1/migrations", json::serialize(json::object{{"schema", "test"},
                                                           {"table", table},
                                                           {"alter", "ADD COLUMN extra INT NOT NULL DEFAULT 3"},
                                                           {"options", options}}));
        if (!made) FAIL(made.error().message);
        return read_progress(*made)->id;
    }

    served_sluice& sluice_;
    std::filesystem::path flag_;
    std::vector<std::string> ids_;
};

/// A client of the proxy in a REPEATABLE READ transaction.
struct reader {
    explicit reader(std::uint16_t port) : client(port, app_user, app_password, "test") {
        client.exec("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
        client.exec("START TRANSACTION");
    }
    /// The sum of this table; "1412" where it is told to begin anew.
    std::string read(const std::string& table) {
        try {
            return client.scalar(sum_of(table));
        } catch (const sql_error& error) {
            if (error.number() != table_changed) throw;
            return "1412";
        }
    }
    sql_connection client;
};

std::string added(const std::string& one, const std::string& other) {
    return std::to_string(std::stol(one) + std::stol(other));
}

}  // namespace

TEST_CASE("on the bare server a RENAME of several tables can come between a transaction's reads, and nothing says so") {
    // Reading holds a lock on the table until the end of the transaction; in MySQL not behind a ROLLBACK TO a savepoint
    // from before.
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6);
    INFO(to_string(kind));
    const mysql_server server = start_server(kind);
    sql_connection root = connect(server, "test");
    root.exec("CREATE TABLE beside (id INT)");
    for (const auto& table : tables) {
        root.exec("CREATE TABLE " + table + " (id INT PRIMARY KEY, amount INT)");
        root.exec("INSERT INTO " + table + " VALUES (1, 100), (2, 200)");
        root.exec("CREATE TABLE " + table + "_new LIKE " + table);
    }
    reader old(server.port());
    old.client.query("SELECT * FROM beside");
    old.client.exec("SAVEPOINT s");
    CHECK(old.read("a") == "300");
    old.client.exec("ROLLBACK TO s");
    for (const auto& table : tables) root.exec("INSERT INTO " + table + "_new SELECT * FROM " + table);
    root.exec("RENAME TABLE a TO a_old, a_new TO a, b TO b_old, b_new TO b");
    CHECK(old.client.scalar("SELECT COUNT(*) FROM b") == "0");
}

TEST_CASE("through Sluice a transaction reads all tables of a group as they were, or is told to begin anew") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mariadb_10_11, server_kind::mysql_5_6);
    INFO(to_string(kind));
    const mysql_server server = start_server(kind);
    served_sluice sluice(SLUICE_PROGRAM, server.port());
    sql_connection root = connect(server, "test");
    root.exec("CREATE TABLE beside (id INT)");
    shared_sum sum(server, {.tables = tables, .client_port = sluice.port(), .reads_in_transactions = true});
    held_back_group group(sluice, server);

    // From before there was a row in the ghosts.
    reader bystander(sluice.port());
    bystander.client.query("SELECT * FROM beside");
    reader user(sluice.port());
    const std::string first = user.read("a");
    reader gone_back(sluice.port());
    gone_back.client.query("SELECT * FROM beside");
    gone_back.client.exec("SAVEPOINT s");
    const std::string first_of_gone_back = gone_back.read("a");
    gone_back.client.exec("ROLLBACK TO s");
    group.go();

    group.wait_held_up_by_a_transaction();
    CHECK_FALSE(group.completed());
    CHECK(added(first, user.read("b")) == sum.expected_sum());
    user.client.exec("COMMIT");

    // These have no lock in the server. Right, or to begin anew, but never a table that is half filled.
    if (const std::string second = gone_back.read("b"); second != "1412") {
        CHECK(added(first_of_gone_back, second) == sum.expected_sum());
    }
    gone_back.client.exec("COMMIT");
    const std::string a = bystander.read("a");
    const std::string b = bystander.read("b");
    CHECK((a == "1412") == (b == "1412"));
    if (a != "1412" && b != "1412") CHECK(added(a, b) == sum.expected_sum());
    bystander.client.exec("COMMIT");

    group.wait_completed();
    bystander.client.exec("START TRANSACTION");
    CHECK(added(bystander.read("a"), bystander.read("b")) == sum.expected_sum());
    bystander.client.exec("COMMIT");
    CHECK(sum.stop_and_compare(root) == "");
}
