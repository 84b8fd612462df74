#pragma once

// Writers that change a table and its mirror in every way in which a server logs transactions: plain, with savepoints,
// rolled back, as XA in one phase and in two, prepared by one connection and ended by another, under session settings
// that change from transaction to transaction.

#include "tests/integration/migration/writer_threads.hpp"
#include "tests/support/mysql_server.hpp"

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace sluice::test {

struct varied_table {
    std::string table;   ///< in schema test; columns id INT (the key), payload TEXT, amount INT, doc
    std::string mirror;  ///< with the same columns, in the same schema
    unsigned keys = 1'500;
    bool json = false;                  ///< doc is JSON, and is updated in parts
    bool xa = true;                     ///< some transactions are XA
    bool detached_xa = false;           ///< prepared transactions outlive their connection (not on MySQL 5.6)
    std::vector<std::string> settings;  ///< SET statements, one picked before each transaction
};

class varied_writes {
public:
    varied_writes(const mysql_server& server, varied_table what, unsigned writers, unsigned seed);

    /// Ends the writers; throws what a writer saw that it should not have.
    void stop() { threads_.stop(); }
    [[nodiscard]] std::uint64_t transactions() const { return transactions_; }

    /// Rows for the migration to find: every second key.
    static void fill(sql_connection& connection, const varied_table& what);

private:
    void write(unsigned seed);
    void change_some(sql_connection& connection, std::mt19937& random) const;
    void run_xa(sql_connection& connection, std::mt19937& random, const std::string& xid);

    const mysql_server& server_;
    varied_table what_;
    std::atomic<std::uint64_t> transactions_{0};
    writer_threads threads_;
};

}  // namespace sluice::test
