// Several migrations that change places in one statement, on each family of servers. Writers and readers go straight to
// the server, where no gate shields them: whatever holds here, holds behind the proxy.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/support/catch.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <thread>
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

constexpr int rows_each = 200;
constexpr int amount_each = 1'000;

/// Tables that share a sum, which transactions move about between them, and readers who check it without a pause.
class shared_sum {
public:
    shared_sum(const mysql_server& server, std::vector<std::string> tables)
        : server_(server), tables_(std::move(tables)), root(connect(server, "test")) {
        for (const auto& table : tables_) {
            root.exec("DROP TABLE IF EXISTS `" + table + "`, `_" + table + "_del`");
            root.exec("CREATE TABLE `" + table + "` (id INT PRIMARY KEY, amount INT NOT NULL)");
            std::string values;
            for (int id = 0; id < rows_each; ++id) {
                values += (id == 0 ? "(" : ",(") + std::to_string(id) + "," + std::to_string(amount_each) + ")";
            }
            root.exec("INSERT INTO `" + table + "` VALUES " + values);
        }
        for (unsigned seed = 1; seed <= 2; ++seed) {
            threads_.emplace_back([this, seed] { write(seed); });
        }
        threads_.emplace_back([this] { read(); });
    }
    ~shared_sum() { stop(); }
    shared_sum(const shared_sum&) = delete;
    shared_sum& operator=(const shared_sum&) = delete;

    void stop() {
        stopping_ = true;
        for (auto& thread : threads_) thread.join();
        threads_.clear();
    }
    void check() {
        stop();
        INFO(trouble_);
        CHECK(trouble_.empty());
        CHECK(reads_ > 0);
        CHECK(transfers_ > 0);
        CHECK(root.scalar(sum_statement()) == expected());
        for (const auto& table : tables_) {
            INFO(table);
            // What the clients did, and what the tables hold, row for row.
            for (int id = 0; id < rows_each; ++id) {
                const auto row = root.scalar("SELECT amount FROM `" + table + "` WHERE id = " + std::to_string(id));
                const auto moved = books_[{table, id}];
                if (row != std::to_string(amount_each + moved))
                    FAIL(table << " row " << id << ": " << row << " " << moved);
            }
        }
    }

    const mysql_server& server_;
    std::vector<std::string> tables_;
    sql_connection root;

private:
    std::string sum_statement() const {
        std::string sum = "SELECT 0";
        for (const auto& table : tables_) sum += " + (SELECT SUM(amount) FROM `" + table + "`)";
        return sum;
    }
    std::string expected() const { return std::to_string(static_cast<int>(tables_.size()) * rows_each * amount_each); }
    void note(const std::string& what) {
        const std::lock_guard lock(mutex_);
        if (trouble_.empty()) trouble_ = what;
    }
    void write(unsigned seed) {
        auto client = connect(server_, "test");
        std::mt19937 random(seed);
        while (!stopping_) {
            const int id = static_cast<int>(random() % rows_each);
            std::map<std::pair<std::string, int>, int> moved;
            try {
                client.exec("START TRANSACTION");
                int sum = 0;
                for (std::size_t i = 0; i < tables_.size(); ++i) {
                    const int by = i + 1 == tables_.size() ? -sum : static_cast<int>(random() % 20) - 10;
                    sum += by;
                    moved[{tables_[i], id}] += by;
                    client.exec("UPDATE `" + tables_[i] + "` SET amount = amount + " + std::to_string(by) +
                                " WHERE id = " + std::to_string(id));
                }
                client.exec("COMMIT");
            } catch (const sql_error& error) {
                // A transaction with one table that wants the next may meet the lock on all of them: the server's
                // deadlock. Through the proxy, the gate spares its clients that.
                if (error.number() != 1213 && error.number() != 1205) note(error.what());
                client.exec("ROLLBACK");
                continue;
            }
            const std::lock_guard lock(mutex_);
            for (const auto& [key, by] : moved) books_[key] += by;
            ++transfers_;
        }
    }
    void read() {
        auto client = connect(server_, "test");
        while (!stopping_) {
            try {
                const auto sum = client.scalar(sum_statement());
                if (sum != expected()) note("a reader found the sum " + sum);
                ++reads_;
            } catch (const sql_error& error) {
                note(error.what());
            }
        }
    }

    std::mutex mutex_;
    std::map<std::pair<std::string, int>, int> books_;
    std::string trouble_;
    std::atomic<bool> stopping_{false};
    std::atomic<std::uint64_t> reads_{0};
    std::atomic<std::uint64_t> transfers_{0};
    std::vector<std::thread> threads_;
};

migration::migration_spec member(const std::string& table, std::uint32_t size) {
    migration::migration_spec spec{
        {"test", table}, "ADD COLUMN extra INT NOT NULL DEFAULT 3, MODIFY amount BIGINT NOT NULL", {}};
    spec.options.cutover_group = "books";
    spec.options.cutover_group_size = size;
    spec.options.hold_interval = std::chrono::milliseconds(100);
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
    shared_sum sum(server, {"a", "b", "b1"});
    const auto before = renames_of_all(sum.root, sum.tables_);
    auto engine = engine_on(server);
    std::vector<std::string> ids;
    for (const auto& table : sum.tables_) {
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
    CHECK(renames_of_all(sum.root, sum.tables_) == before + 1);
    sum.check();
    for (const auto& table : sum.tables_) {
        CHECK(sum.root.scalar("SELECT MIN(extra) FROM `" + table + "`") == "3");
    }
    CHECK(sum.root.scalar("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'test' AND"
                          " (table_name LIKE '%~%' OR table_name LIKE '%\\_gho' OR table_name LIKE '%\\_ghc')") == "0");
}

TEST_CASE("a member that is postponed or has gone holds the others up, who say for whom they wait") {
    const mysql_server& server = shared_server(server_kind::mysql_9_7);
    shared_sum sum(server, {"a", "b"});
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
    sum.check();
}

TEST_CASE("a group whose connection is lost around the rename, and a restart: all members are swapped, or none") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mariadb_10_11);
    const bool done = GENERATE(true, false);
    INFO(to_string(kind) << (done ? ", behind it" : ", before it"));
    const mysql_server& server = shared_server(kind);
    shared_sum sum(server, {"a", "b"});
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
        for (const auto& table : sum.tables_) {
            const auto created = engine->create(member(table, 2));
            REQUIRE(created);
            ids.push_back((*created)->id);
        }
        while (lost == 0) std::this_thread::yield();
    }
    auto next = engine_on(server);
    for (const auto& id : ids) CHECK(wait_for_end(*next, id)->state == migration_state::completed);
    sum.check();
    for (const auto& table : sum.tables_) CHECK(sum.root.scalar("SELECT MIN(extra) FROM `" + table + "`") == "3");
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
