#pragma once

// Concurrent writes on a table that is being migrated. Each transaction does everything twice: in the schema whose
// table is migrated, and in one with the same tables that nobody migrates, where the server's own ALTER is run in the
// end.

#include "tests/support/mysql_server.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace sluice::test {

struct write_statement {
    std::string text;
    bool once = false;  ///< of the session rather than of a table: SAVEPOINT, SET, XA …
};

struct write_transaction {
    std::vector<write_statement> statements;
    bool is_framed = false;  ///< begins and ends by itself
};

struct writer_options {
    std::string migrated_schema, mirror_schema;
    unsigned writers = 2;
    unsigned seed = 1;
    std::vector<std::string> setup;  ///< run by each session first
    bool as_root = false;            ///< else as an application
    std::set<unsigned> errors;       ///< besides duplicates, deadlocks and lock waits: rolled back and forgotten
};

/// Makes the next transaction of a writer; the generator is the writer's own.
using transaction_source = std::function<write_transaction(std::mt19937& random)>;

class mirror_writers {
public:
    mirror_writers(const mysql_server& server, writer_options options, transaction_source source);
    ~mirror_writers();

    /// Returns once so many more transactions have ended. Throws what a writer saw that it should not have.
    void wait_for_more(unsigned count);
    /// Ends the writers. Throws likewise.
    void stop();
    [[nodiscard]] std::uint64_t committed() const { return committed_; }

private:
    void write(unsigned seed);
    void run(sql_connection& connection, const write_transaction& what);
    void join();

    const mysql_server& server_;
    writer_options options_;
    transaction_source source_;
    std::atomic<bool> stopping_{false};
    std::atomic<std::uint64_t> committed_{0};
    std::atomic<std::int64_t> clock_;  ///< the writers' time: both tables must be given the same
    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::condition_variable ended_one_;
    std::uint64_t ended_ = 0;
    std::string error_;
};

}  // namespace sluice::test
