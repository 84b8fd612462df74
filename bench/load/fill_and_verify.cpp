#include "bench/load/books.hpp"
#include "bench/load/load_connection.hpp"
#include "bench/load/statements.hpp"

#include <mysql.h>

#include <algorithm>
#include <memory>
#include <set>

namespace sluice::load {
namespace {

constexpr std::size_t differences_kept = 20;

load_connection connected(const endpoint& where) {
    load_connection connection;
    const answer outcome = connection.connect(where);
    if (!outcome.ok()) {
        throw load_error("cannot connect to " + where.host + ":" + std::to_string(where.port) + ": " + outcome.message +
                         " (" + std::to_string(outcome.error) + ")");
    }
    return connection;
}

void must(const answer& outcome, const std::string& what) {
    if (!outcome.ok()) throw load_error(what + ": " + outcome.message + " (" + std::to_string(outcome.error) + ")");
}

bool same(const maybe_row& expected, const std::optional<cells>& found) {
    if (!expected || !found) return !expected && !found;
    return matches(*expected, *found);
}

/// Walks through the table in the order of its keys, next to the books.
class comparer {
public:
    explicit comparer(const books& expected) : expected_(expected) {
        for (const auto& transaction : expected.doubtful_transactions()) {
            for (const auto& [id, row] : transaction.before) doubtful_.insert(id);
        }
    }

    void found(std::uint64_t id, cells row) {
        ++result_.rows_found;
        missing_before(id);
        if (doubtful_.contains(id)) {
            doubtful_found_[id] = std::move(row);
            return;
        }
        const maybe_row wanted = expected_.at(id);
        if (wanted) ++result_.rows_expected;
        if (!wanted) {
            differ(id, "the books have no row, the table has " + shown(row));
        } else if (!matches(*wanted, row)) {
            differ(id, "the books have " + shown(wanted) + ", the table has " + shown(row));
        }
    }

    verification finish() {
        missing_before(0);
        for (const auto& transaction : expected_.doubtful_transactions()) {
            if (!is(transaction.before) && !is(transaction.after)) {
                differ(transaction.before.front().first,
                       "a transaction of unknown outcome is neither wholly there nor wholly absent");
            }
        }
        return std::move(result_);
    }

private:
    /// Every row that the books have between the last key seen and `id` (0: the end) is missing.
    void missing_before(std::uint64_t id) {
        const std::uint64_t filled_end =
            id == 0 ? expected_.filled_rows() + 1 : std::min(id, expected_.filled_rows() + 1);
        for (; next_filled_ < filled_end; ++next_filled_) missing_if_expected(next_filled_);
        if (id != 0 && id <= expected_.filled_rows()) next_filled_ = id + 1;
        auto added = expected_.changed().lower_bound(std::max(next_added_, expected_.filled_rows() + 1));
        for (; added != expected_.changed().end() && (id == 0 || added->first < id); ++added) {
            missing_if_expected(added->first);
        }
        if (id > expected_.filled_rows()) next_added_ = id + 1;
    }

    void missing_if_expected(std::uint64_t id) {
        const maybe_row wanted = expected_.at(id);
        if (!wanted || doubtful_.contains(id)) return;
        ++result_.rows_expected;
        differ(id, "the books have " + shown(wanted) + ", the table has no row");
    }

    bool is(const std::vector<std::pair<std::uint64_t, maybe_row>>& state) const {
        return std::all_of(state.begin(), state.end(), [&](const auto& entry) {
            const auto found = doubtful_found_.find(entry.first);
            return same(entry.second, found == doubtful_found_.end() ? std::nullopt : std::optional(found->second));
        });
    }

    void differ(std::uint64_t id, const std::string& text) {
        ++result_.differences;
        if (result_.first_differences.size() < differences_kept) {
            result_.first_differences.push_back("id " + std::to_string(id) + ": " + text);
        }
    }

    const books& expected_;
    std::set<std::uint64_t> doubtful_;
    std::map<std::uint64_t, cells> doubtful_found_;
    std::uint64_t next_filled_ = 1, next_added_ = 1;
    verification result_;
};

}  // namespace

void create_and_fill(const endpoint& where, const std::string& table, std::uint64_t rows) {
    auto connection = connected(where);
    const auto name = quoted_name(table);
    must(connection.run("DROP TABLE IF EXISTS " + name), "dropping " + table);
    must(
        connection.run("CREATE TABLE " + name +
                       " (id BIGINT UNSIGNED NOT NULL PRIMARY KEY, customer INT NOT NULL, status VARCHAR(20) NOT NULL, "
                       "amount DECIMAL(10,2) NOT NULL, note VARCHAR(100) NOT NULL, updated_at DATETIME(6) NOT NULL, "
                       "KEY customer_status (customer, status)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"),
        "creating " + table);
    constexpr std::uint64_t rows_per_statement = 2'000;
    for (std::uint64_t id = 1; id <= rows;) {
        std::string statement = insert_start(table);
        const std::uint64_t end = std::min(rows, id + rows_per_statement - 1);
        for (bool first = true; id <= end; ++id, first = false) {
            statement += (first ? "(" : ",(") + std::to_string(id) + "," + row_literals(filled_row(id)) + ")";
        }
        must(connection.run(statement), "filling " + table);
    }
}

verification verify(const books& expected, const endpoint& where, const std::string& table) {
    auto connection = connected(where);
    const std::string statement =
        "SELECT id, customer, status, amount, note, updated_at FROM " + quoted_name(table) + " ORDER BY id";
    MYSQL* native = connection.native();
    if (mysql_real_query(native, statement.data(), statement.size()) != 0) {
        throw load_error("reading " + table + ": " + mysql_error(native));
    }
    const std::unique_ptr<MYSQL_RES, void (*)(MYSQL_RES*)> rows(mysql_use_result(native), mysql_free_result);
    comparer comparison(expected);
    while (MYSQL_ROW row = rows ? mysql_fetch_row(rows.get()) : nullptr) {
        const unsigned long* lengths = mysql_fetch_lengths(rows.get());
        cells values;
        for (unsigned i = 1; i <= 5; ++i) {
            values.push_back(row[i] == nullptr ? std::nullopt : std::optional(std::string(row[i], lengths[i])));
        }
        comparison.found(std::strtoull(row[0], nullptr, 10), std::move(values));
    }
    if (mysql_errno(native) != 0) throw load_error("reading " + table + ": " + mysql_error(native));
    return comparison.finish();
}

}  // namespace sluice::load
