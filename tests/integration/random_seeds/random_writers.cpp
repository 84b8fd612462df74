#include "tests/integration/random_seeds/random_writers.hpp"

#include "tests/integration/cases/mirrored_migration.hpp"

#include <algorithm>
#include <array>
#include <regex>

namespace sluice::test {
namespace {

// Between two transactions of a writer, so that the engine gets its share of a small machine.
constexpr std::chrono::milliseconds breath{1};
constexpr std::chrono::seconds patience{120};

// Deadlock, lock wait, an XA transaction as a deadlock's victim, a table that changed under a snapshot: the server has
// rolled back, or must be told to.
constexpr std::array<unsigned, 5> ends_transaction{1213, 1205, 1614, 1412, 1613};
// The server's word about values: duplicates, NULL, range, length, conversions, checks, no partition.
constexpr std::array<unsigned, 22> about_values{1022, 1048, 1062, 1264, 1265, 1292, 1364, 1365, 1366, 1406, 1411,
                                                1416, 1526, 1586, 1690, 3140, 3141, 3819, 4025, 3903, 1761, 1210};

template <std::size_t count>
bool contains(const std::array<unsigned, count>& numbers, unsigned number) {
    return std::ranges::find(numbers, number) != numbers.end();
}

}  // namespace

std::string shape_of(sql_connection& session, const std::string& table) {
    const auto shown = session.query("SHOW CREATE TABLE " + table);
    return std::regex_replace(*shown.at(0).at(1), std::regex(" AUTO_INCREMENT=[0-9]+"), "");
}

// One session of a writer, and one transaction at a time.
class random_writers::writer {
public:
    explicit writer(random_writers& all) : all_(all), session_(mirrored_session(all.server_, "")) {}

    // False when the table has its new shape.
    bool run(const random_transaction& what) {
        for (const auto& statement : what.begin) session_.exec(statement);
        bool goes_on = true;
        try {
            // From its first use of the table a transaction holds it: what is seen here stays until it ends.
            session_.query("SELECT 1 FROM " + all_.pair_.table + " LIMIT 0");
            goes_on = shape_of(session_, all_.pair_.table) == all_.original_definition_;
            const bool whole = goes_on && std::ranges::all_of(what.steps, [&](const auto& one) { return step(one); });
            if (whole && what.commits) {
                for (const auto& statement : what.commit) session_.exec(statement);
                ++all_.committed_;
                return true;
            }
        } catch (const sql_error& error) {
            if (!contains(ends_transaction, error.number())) throw;
        }
        for (const auto& statement : what.rollback) (void)session_.error_of(statement);
        return goes_on;
    }

private:
    struct answer {
        unsigned error = 0;
        std::uint64_t affected_rows = 0;
        bool operator==(const answer&) const = default;
    };

    answer answer_to(const std::string& statement) {
        try {
            return {.error = 0, .affected_rows = session_.exec(statement)};
        } catch (const sql_error& error) {
            if (contains(ends_transaction, error.number())) throw;
            if (!contains(about_values, error.number())) {
                throw std::runtime_error("error " + std::to_string(error.number()) + " of " +
                                         statement.substr(0, 2'000));
            }
            return {.error = error.number()};
        }
    }

    // False when the transaction cannot go on. The rows are counted too, since InnoDB (seen on 9.7) can miss one: an
    // UPDATE that finds its row by a secondary unique key waits at the key's entry for a transaction that has changed
    // the row's primary key; when that one changes it once more, the new entry may come to stand before the place
    // waited at. (The engine reads for a transaction only after its last statement: it cannot wait at such a place.)
    bool step(const write_step& one) {
        const answer first = answer_to(one.on(all_.pair_.table));
        if (one.once) return true;
        if (first.error != 0) {
            const std::lock_guard lock(all_.mutex_);
            ++all_.refused_[first.error];
        }
        if (answer_to(one.on(all_.pair_.mirror)) == first) return true;
        ++all_.unlike_;
        return false;
    }

    random_writers& all_;
    sql_connection session_;
};

random_writers::random_writers(const mysql_server& server, mirrored_pair pair, const std::vector<write_plan>& plans)
    : server_(server), pair_(std::move(pair)), running_(plans.size()) {
    auto session = mirrored_session(server, "");
    original_definition_ = shape_of(session, pair_.table);
    for (const auto& plan : plans) threads_.emplace_back([this, plan] { write(plan); });
}

random_writers::~random_writers() {
    stopping_ = true;
    for (auto& thread : threads_) thread.join();
}

void random_writers::ended_one(bool was_last) {
    const std::lock_guard lock(mutex_);
    ++ended_;
    if (was_last) --running_;
    changed_.notify_all();
}

void random_writers::write(write_plan plan) {
    try {
        writer session(*this);
        while (!stopping_ && session.run(plan.next())) {
            ended_one(false);
            std::this_thread::sleep_for(breath);
        }
    } catch (const std::exception& error) {
        const std::lock_guard lock(mutex_);
        error_ = error.what();
    }
    ended_one(true);
}

void random_writers::wait_for_more(unsigned count) {
    std::unique_lock lock(mutex_);
    const auto wanted = ended_ + count;
    const bool came =
        changed_.wait_for(lock, patience, [&] { return ended_ >= wanted || running_ == 0 || !error_.empty(); });
    if (!error_.empty()) throw std::runtime_error("a writer saw " + error_);
    if (!came) throw std::runtime_error("the writers do not get on");
}

void random_writers::stop() {
    stopping_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    if (!error_.empty()) throw std::runtime_error("a writer saw " + error_);
}

std::map<unsigned, unsigned> random_writers::refused() const {
    const std::lock_guard lock(mutex_);
    return refused_;
}

}  // namespace sluice::test
