#include "tests/support/shared_sum.hpp"

#include <chrono>
#include <optional>
#include <random>
#include <utility>

namespace sluice::test {
namespace {

constexpr int rows_each = 200;
constexpr int amount_each = 1'000;
constexpr unsigned writers = 3;
constexpr unsigned readers = 2;
constexpr unsigned table_changed = 1412;
constexpr unsigned first_client_error = 2'000;  // the client library's: the connection is gone
constexpr std::uint64_t moves_each = 1'000'000'000;

std::string column_of_move(std::size_t table) { return "m" + std::to_string(table); }

void make_table(sql_connection& root, const std::string& table) {
    root.exec("DROP TABLE IF EXISTS `" + table + "`, `_" + table + "_del`, `_" + table + "_gho`");
    root.exec("CREATE TABLE `" + table + "` (id INT PRIMARY KEY, amount INT NOT NULL)");
    std::string values;
    for (int id = 0; id < rows_each; ++id) {
        values += (id == 0 ? "(" : ",(") + std::to_string(id) + "," + std::to_string(amount_each) + ")";
    }
    root.exec("INSERT INTO `" + table + "` VALUES " + values);
}

}  // namespace

shared_sum::shared_sum(const mysql_server& server, shared_sum_options options)
    : options_(std::move(options)), port_(options_.client_port == 0 ? server.port() : options_.client_port) {
    sql_connection root = connect(server, "test");
    make_tables(root);
    for (unsigned i = 0; i < writers; ++i) {
        threads_.emplace_back([this, i] { write(i); });
    }
    for (unsigned i = 0; i < readers; ++i) {
        threads_.emplace_back([this] { read(); });
    }
}

shared_sum::~shared_sum() { stop(); }

void shared_sum::stop() {
    stopping_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
}

void shared_sum::make_tables(sql_connection& root) const {
    root.exec("DROP TABLE IF EXISTS sum_moves");
    std::string moves = "CREATE TABLE sum_moves (id BIGINT UNSIGNED PRIMARY KEY, row_id INT NOT NULL";
    for (std::size_t i = 0; i < options_.tables.size(); ++i) {
        make_table(root, options_.tables[i]);
        moves += ", " + column_of_move(i) + " INT NOT NULL";
    }
    root.exec(moves + ")");
}

std::string shared_sum::sum_statement() const {
    std::string sum = "SELECT 0";
    for (const auto& table : options_.tables) sum += " + (SELECT SUM(amount) FROM `" + table + "`)";
    return sum;
}

std::string shared_sum::expected_sum() const {
    return std::to_string(static_cast<int>(options_.tables.size()) * rows_each * amount_each);
}

void shared_sum::note(const std::string& what) {
    const std::lock_guard lock(mutex_);
    if (trouble_.size() < 2'000) trouble_ += what + "\n";
}

/// Has `work` done with a connection until the end; it throws what its server says.
template <class Work>
void shared_sum::as_client(Work work) {
    std::optional<sql_connection> client;
    bool broken_off = false;
    while (!stopping_) {
        try {
            if (!client) client.emplace(port_, app_user, app_password, "test");
            if (std::exchange(broken_off, false)) client->exec("ROLLBACK");
            work(*client);
        } catch (const sql_error& error) {
            const bool lost = options_.connections_may_be_lost;
            const bool allowed = options_.errors_allowed.contains(error.number());
            if (!lost && !allowed) note(std::to_string(error.number()) + " " + error.what());
            broken_off = true;
            if (lost || error.number() >= first_client_error) {
                client.reset();
                broken_off = false;
                std::this_thread::sleep_for(std::chrono::milliseconds(2));  // nobody may listen now
            }
        } catch (const std::exception& error) {
            note(error.what());
            client.reset();
        }
    }
}

void shared_sum::transfer(sql_connection& client, std::uint64_t move, std::uint64_t dice) const {
    const std::string id = std::to_string(dice % rows_each);
    std::string books = "INSERT INTO sum_moves VALUES (" + std::to_string(move) + ", " + id;
    client.exec("START TRANSACTION");
    int sum = 0;
    for (std::size_t i = 0; i < options_.tables.size(); ++i) {
        const bool last = i + 1 == options_.tables.size();
        const int by = last ? -sum : static_cast<int>((dice >> (8 * (i + 1))) % 20) - 10;
        sum += by;
        books += ", " + std::to_string(by);
        client.exec("UPDATE `" + options_.tables[i] + "` SET amount = amount + " + std::to_string(by) +
                    " WHERE id = " + id);
    }
    client.exec(books + ")");
    client.exec("COMMIT");
}

void shared_sum::write(unsigned writer) {
    std::mt19937_64 random(writer + 1);
    std::uint64_t move = writer * moves_each;
    as_client([&](sql_connection& client) {
        ++move;  // a number of its own for one whose end is not known
        transfer(client, move, random());
        ++transfers_;
        const std::lock_guard lock(mutex_);
        acknowledged_.insert(move);
    });
}

std::string shared_sum::read_once(sql_connection& client, unsigned way) const {
    if (way == 0) return client.scalar(sum_statement());
    if (way == 1) {
        std::string amounts;
        std::string tables;
        for (const auto& table : options_.tables) {
            amounts += (amounts.empty() ? "`" : " + `") + table + "`.amount";
            tables += (tables.empty() ? "`" : " JOIN `") + table + (tables.empty() ? "`" : "` USING (id)");
        }
        return client.scalar("SELECT SUM(" + amounts + ") FROM " + tables);
    }
    long sum = 0;
    client.exec("START TRANSACTION");
    for (const auto& table : options_.tables)
        sum += std::stol(client.scalar("SELECT SUM(amount) FROM `" + table + "`"));
    client.exec("COMMIT");
    return std::to_string(sum);
}

void shared_sum::read() {
    unsigned turn = 0;
    as_client([&](sql_connection& client) {
        const unsigned way = turn++ % (options_.reads_in_transactions ? 3 : 2);
        std::string sum;
        try {
            sum = read_once(client, way);
        } catch (const sql_error& error) {
            if (way != 2 || error.number() != table_changed) throw;
            client.exec("ROLLBACK");
            return;
        }
        if (sum != expected_sum()) note("a reader found the sum " + sum + ", way " + std::to_string(way));
        ++reads_;
    });
}

std::string shared_sum::compare_books(sql_connection& root) {
    std::string wrong;
    if (const auto sum = root.scalar(sum_statement()); sum != expected_sum()) wrong += "the sum is " + sum + "\n";
    for (std::size_t i = 0; i < options_.tables.size(); ++i) {
        const std::string differing =
            root.scalar("SELECT COUNT(*) FROM `" + options_.tables[i] + "` AS t LEFT JOIN (SELECT row_id, SUM(" +
                        column_of_move(i) +
                        ") AS moved FROM sum_moves GROUP BY row_id) AS m ON m.row_id = t.id WHERE t.amount <> " +
                        std::to_string(amount_each) + " + IFNULL(m.moved, 0)");
        if (differing != "0") wrong += differing + " rows of " + options_.tables[i] + " are not as the books say\n";
    }
    std::set<std::uint64_t> found;
    for (const auto& move : root.query("SELECT id FROM sum_moves")) found.insert(std::stoull(*move[0]));
    const std::lock_guard lock(mutex_);
    for (const std::uint64_t move : acknowledged_) {
        if (!found.contains(move)) wrong += "move " + std::to_string(move) + " was acknowledged and is gone\n";
    }
    return wrong;
}

std::string shared_sum::stop_and_compare(sql_connection& root) {
    stop();
    std::string wrong = trouble_ + compare_books(root);
    if (reads_ == 0 || transfers_ == 0) wrong += "the clients did nothing\n";
    return wrong;
}

}  // namespace sluice::test
