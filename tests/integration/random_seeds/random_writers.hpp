#pragma once

// Threads that carry out the writes of a plan, on a table and on its mirror, while the table is migrated.

#include "tests/integration/random_seeds/random_writes.hpp"

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace sluice::test {

struct mirrored_pair {
    std::string table, mirror;  ///< quoted, with their schemas
};

/// Each transaction writes to both tables, statement by statement, and goes on after one that both refuse alike. After
/// the swap it ends: from then on the two tables have different shapes, and the engine's part is done.
class random_writers {
public:
    random_writers(const mysql_server& server, mirrored_pair pair, const std::vector<write_plan>& plans);
    ~random_writers();
    random_writers(const random_writers&) = delete;
    random_writers& operator=(const random_writers&) = delete;

    /// Returns once so many more transactions have ended, or all writers have. Throws what a writer should not see.
    void wait_for_more(unsigned count);
    /// Ends the writers. Throws likewise.
    void stop();

    [[nodiscard]] std::uint64_t transactions() const { return committed_; }
    /// Statements that the server refused, by error number; both tables gave the same one.
    [[nodiscard]] std::map<unsigned, unsigned> refused() const;
    /// Transactions given up because the two tables did not give the same error.
    [[nodiscard]] unsigned unlike() const { return unlike_; }

private:
    class writer;
    void write(write_plan plan);
    void ended_one(bool was_last);

    const mysql_server& server_;
    mirrored_pair pair_;
    std::string original_definition_;
    std::atomic<bool> stopping_{false};
    std::atomic<std::uint64_t> committed_{0};
    std::atomic<unsigned> unlike_{0};
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<unsigned, unsigned> refused_;
    std::uint64_t ended_ = 0;
    std::size_t running_ = 0;
    std::string error_;
    std::vector<std::thread> threads_;
};

/// SHOW CREATE TABLE without the counter.
[[nodiscard]] std::string shape_of(sql_connection& session, const std::string& table);

}  // namespace sluice::test
