#pragma once

// The writes on a random table: from a seed always the same transactions, each for the table and for its mirror.

#include "tests/integration/random_seeds/random_alter.hpp"

#include <string>
#include <vector>

namespace sluice::test {

/// Where the values of a column come from.
struct column_source {
    enum class way {
        nowhere,  ///< generated: never written
        address,  ///< part of the anchor
        number,   ///< of a unique key: a value by number, which other rows may have
        serial,   ///< a value that no other row has, under any collation
        pool,
    };
    way from = way::pool;
    std::vector<std::string> pool;  ///< literals, NULL among them where it may be
    bool may_be_left_out = false;   ///< of an INSERT
    bool keeps_its_type = true;     ///< so that its values may be computed
    bool nullable = false;
};

struct write_step {
    std::string before, after;  ///< the statement but for the table's name; nothing behind it: it names none
    bool once = false;          ///< of the session: not repeated for the mirror
    [[nodiscard]] std::string on(const std::string& table) const {
        return after.empty() ? before : before + table + after;
    }
};

struct random_transaction {
    std::vector<std::string> begin, commit, rollback;
    std::vector<write_step> steps;
    bool commits = true;
};

/// The transactions of one writer. Writer number `writers` is the one that fills the table.
class write_plan {
public:
    write_plan(const random_table& table, const std::vector<column_source>& sources, std::uint64_t seed,
               unsigned writer, unsigned writers);

    [[nodiscard]] random_transaction next();
    /// INSERT IGNORE of the rows with addresses from … to - 1.
    [[nodiscard]] write_step fill(std::uint64_t from, std::uint64_t to);
    /// A row that no writer ever touches, where `column` (in no anchor) has this literal; number: below 16.
    [[nodiscard]] write_step untouched_row(std::uint64_t number, std::size_t column, const std::string& literal);

private:
    using literals = std::vector<std::string>;  ///< one per column; empty: left out

    std::string value_of(std::size_t column);
    literals row_at(const literals& address, bool whole);
    literals any_address();
    literals any_row();
    std::string where(const literals& address) const;
    std::string where_any(unsigned count);
    std::string assignments(bool of_one_row);
    std::string assign_address(const literals& address) const;
    std::string rows_text(const char* verb, const std::vector<literals>& rows) const;
    std::size_t pick_column(const std::vector<std::size_t>& columns);

    void insert(random_transaction& into);
    void update(random_transaction& into);
    void compute(random_transaction& into);
    void move(random_transaction& into);
    void rotate_addresses(random_transaction& into);
    void swap_unique(random_transaction& into);
    void remove(random_transaction& into);
    void remove_and_insert(random_transaction& into);
    void upsert(random_transaction& into);
    void replace(random_transaction& into);
    void savepoint(random_transaction& into);
    void session_variable(random_transaction& into);
    [[nodiscard]] bool is_primary_key_the_anchor() const;

    const random_table& table_;
    const std::vector<column_source>& sources_;
    dice dice_;
    unsigned writer_, writers_;
    std::uint64_t seed_;
    std::uint64_t serial_ = 0, transactions_ = 0;
    std::vector<std::size_t> data_, unique_;  ///< columns that are written, without the anchor
    std::vector<std::size_t> common_;         ///< those of which several rows may have the same value
};

}  // namespace sluice::test
