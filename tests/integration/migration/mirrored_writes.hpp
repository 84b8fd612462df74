#pragma once

// Concurrent writes on a table that is being migrated. Every write goes to the table and, in the same transaction, to a
// mirror of it that nobody migrates: afterwards the server alters the mirror itself, and the two must be equal.

#include "tests/integration/migration/writer_threads.hpp"
#include "tests/support/mysql_server.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sluice::test {

struct mirrored_table {
    std::string table;             ///< quoted, with schema
    std::string mirror;            ///< likewise
    std::vector<std::string> key;  ///< column names
    /// SQL text of the key number n, one literal per key column joined by commas; different n may be equal to the
    /// server.
    std::function<std::string(unsigned n)> key_values;
    unsigned keys = 4'000;  ///< n is below this
    std::vector<std::string> payload_columns = {"payload", "amount"};
};

class mirrored_writes {
public:
    /// pause: of each writer, behind each transaction.
    mirrored_writes(const mysql_server& server, mirrored_table what, unsigned writers, unsigned seed,
                    std::chrono::milliseconds pause = {});

    /// Ends the writers; throws what a writer saw that it should not have.
    void stop() { threads_.stop(); }
    [[nodiscard]] std::uint64_t transactions() const { return transactions_; }

private:
    void write(unsigned seed);

    const mysql_server& server_;
    mirrored_table what_;
    const std::chrono::milliseconds pause_;
    std::atomic<std::uint64_t> transactions_{0};
    writer_threads threads_;
};

/// INSERT of the given key numbers into both tables, for the rows that the migration finds.
void fill_both(sql_connection& connection, const mirrored_table& what, unsigned from, unsigned to, unsigned step);

}  // namespace sluice::test
