#pragma once

// A load that keeps books: connections that read and write a table and remember every write that the server has
// acknowledged, so that the table can be compared with the books at the end. It also checks what it reads against the
// books at once, records each statement's latency, and counts the errors that a client would have seen.
//
// The table (create_and_fill() makes it):
//   id BIGINT UNSIGNED PRIMARY KEY, customer INT, status VARCHAR(20), amount DECIMAL(10,2), note VARCHAR(100),
//   updated_at DATETIME(6), KEY (customer, status)
// Columns may be added, widened or moved while the load runs: every statement names its columns.

#include "bench/load/books.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sluice::load {

struct load_options {
    endpoint target;  ///< where the load goes, e.g. through a proxy
    std::string table = "orders";
    std::uint64_t filled_rows = 0;  ///< the table holds create_and_fill()'s rows 1 .. filled_rows when the load starts
    unsigned connections = 8;       ///< one thread each
    unsigned prepared_connections =
        4;                             ///< how many of them use prepared statements (binary protocol) for single writes
    double statements_per_second = 0;  ///< of all connections together; 0: as fast as they can
    std::uint64_t transaction_statements_min = 2;  ///< between BEGIN and COMMIT or ROLLBACK
    std::uint64_t transaction_statements_max = 4;  ///< not below the other
    /// Where statements_per_second paces: false: only between transactions, whose statements follow one another at
    /// once, as those of a program do that wants its locks to be short.
    bool pauses_in_transactions = true;
    std::uint64_t seed = 1;
};

/// One statement as its client saw it.
struct timed_statement {
    std::uint64_t began_us =
        0;  ///< by std::chrono::steady_clock (on Linux CLOCK_MONOTONIC, the same for all processes)
    std::uint32_t latency_us = 0;
    std::uint32_t error = 0;  ///< the number of its error; 0: it was answered without one
};

struct latency_stats {
    std::string phase;
    std::uint64_t statements = 0;
    double seconds = 0;  ///< how long the phase lasted
    double p50_ms = 0, p99_ms = 0, max_ms = 0;
};

struct load_report {
    std::vector<latency_stats> phases;  ///< in the order of the phase() calls; a statement belongs where it ended
    std::uint64_t statements = 0;       ///< answered without an error
    std::uint64_t reads = 0, inserts = 0, updates = 0,
                  deletes = 0;                     ///< the kinds of them (updates of several rows: one)
    std::uint64_t committed = 0, rolled_back = 0;  ///< explicit transactions
    std::uint64_t errors = 0;                      ///< error answers, lost connections and failed logins
    std::uint64_t wrong_answers =
        0;  ///< a read that disagreed with the books, a write that met fewer rows than it must
    std::uint64_t unknown_outcomes = 0;  ///< connections lost between a commit and its answer (in `errors` as well)
    std::uint64_t reconnects = 0;
    std::vector<std::string> first_errors;  ///< of errors and wrong answers; at most 10
};

/// Construct, start(), phase() at each change of scene, stop(), then report() and the_books().
/// All functions belong to the one thread that owns the object; the load runs on threads of its own.
class bookkeeping_load {
public:
    explicit bookkeeping_load(load_options options);
    bookkeeping_load(const bookkeeping_load&) = delete;
    bookkeeping_load& operator=(const bookkeeping_load&) = delete;
    ~bookkeeping_load();  ///< stops

    /// Connects everybody, then begins. Throws load_error when a connection cannot be made. The first phase has the
    /// label `label`.
    void start(std::string label = "before");
    /// From now on statements count under this label (a label may return: its numbers then add up).
    void phase(std::string label);
    /// Every connection finishes its statement or transaction and leaves. Waits for them. Safe to call twice.
    void stop();

    /// While it runs, and afterwards.
    [[nodiscard]] std::uint64_t statements_so_far() const;
    [[nodiscard]] std::uint64_t errors_so_far() const;  ///< errors and wrong answers
    /// Returns once `count` more statements have been answered; false when `limit` passed first.
    [[nodiscard]] bool wait_for_statements(std::uint64_t count, std::chrono::milliseconds limit) const;

    /// Only after stop().
    [[nodiscard]] load_report report() const;
    /// Of all connections, in no particular order; at most four million of each.
    [[nodiscard]] std::vector<timed_statement> timed_statements() const;
    [[nodiscard]] const books& the_books() const;

private:
    struct everything;
    std::unique_ptr<everything> state_;
};

/// p50, p99 and max of some latencies; sorts them in place.
[[nodiscard]] latency_stats summarise(std::string phase, std::vector<std::uint32_t>& latencies_us, double seconds);

}  // namespace sluice::load
