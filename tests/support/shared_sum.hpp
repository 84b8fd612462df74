#pragma once

// Tables that share a sum: clients move amounts from one to the other in transactions, others read the sum all the
// time, and books are kept in a table beside them, in the same transactions. Whoever sees tables of which only some
// have changed places, or loses or repeats a write, sees another sum or other books.

#include "tests/support/mysql_server.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace sluice::test {

struct shared_sum_options {
    std::vector<std::string> tables;
    std::uint16_t client_port = 0;  ///< of the proxy; 0: clients go straight to the server
    /// Of writers, whose transaction is rolled back and tried anew. Any other error, and any error of a reader, is
    /// trouble.
    std::set<unsigned> errors_allowed = {};
    bool connections_may_be_lost = false;  ///< whoever loses one connects again
    /// Readers also read table by table in one transaction. Straight to the server an old snapshot would see a half
    /// filled table: that is what the gate is for, which may ask them to begin anew (1412).
    bool reads_in_transactions = false;
};

/// Makes the tables (id INT PRIMARY KEY, amount INT NOT NULL), and `sum_moves` for the books, in schema `test`; any
/// that are there by these names are dropped. Its threads run until stop().
class shared_sum {
public:
    shared_sum(const mysql_server& server, shared_sum_options options);
    ~shared_sum();
    shared_sum(const shared_sum&) = delete;
    shared_sum& operator=(const shared_sum&) = delete;

    /// Ends the clients. What they saw and what the tables hold that should not be; empty if all is well.
    [[nodiscard]] std::string stop_and_compare(sql_connection& root);

    [[nodiscard]] const std::vector<std::string>& tables() const noexcept { return options_.tables; }
    [[nodiscard]] std::string sum_statement() const;
    [[nodiscard]] std::string expected_sum() const;
    /// Acknowledged so far.
    [[nodiscard]] std::uint64_t transfers() const noexcept { return transfers_; }

private:
    void make_tables(sql_connection& root) const;
    void stop();
    void note(const std::string& what);
    template <class Work>
    void as_client(Work work);
    void write(unsigned writer);
    void transfer(sql_connection& client, std::uint64_t move, std::uint64_t dice) const;
    void read();
    [[nodiscard]] std::string read_once(sql_connection& client, unsigned way) const;
    [[nodiscard]] std::string compare_books(sql_connection& root);

    shared_sum_options options_;
    std::uint16_t port_;
    std::mutex mutex_;  // of what follows
    std::set<std::uint64_t> acknowledged_;
    std::string trouble_;
    std::atomic<bool> stopping_{false};
    std::atomic<std::uint64_t> reads_{0};
    std::atomic<std::uint64_t> transfers_{0};
    std::vector<std::thread> threads_;
};

}  // namespace sluice::test
