#pragma once

// What a table must hold: its rows as filled, changed by every write that the server has acknowledged.

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sluice::load {

struct endpoint {
    std::string host = "127.0.0.1";
    std::uint16_t port = 3306;
    std::string user;
    std::string password;
    std::string schema;  ///< must exist
};

/// A connection or a statement that the load cannot do without has failed; the message has the server's words.
class load_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The columns besides the key. Texts are stored as what they are made from.
struct order_row {
    std::int32_t customer = 0;
    std::uint8_t status = 0;          ///< index into status_names
    std::int64_t amount_cents = 0;    ///< DECIMAL(10,2)
    std::uint32_t note = 0;           ///< note_text(note)
    std::uint64_t updated_at_us = 0;  ///< microseconds after 2024-01-01 00:00:00

    friend bool operator==(const order_row&, const order_row&) = default;
};

inline constexpr const char* status_names[] = {"new", "paid", "packed", "shipped", "returned", "cancelled"};
inline constexpr std::uint8_t status_count = 6;

/// 1 to 90 characters, some of them of two to four bytes in UTF-8.
[[nodiscard]] std::string note_text(std::uint32_t note);
[[nodiscard]] std::string amount_text(std::int64_t cents);
[[nodiscard]] std::string updated_at_text(std::uint64_t updated_at_us);
/// The row that create_and_fill() puts under this key.
[[nodiscard]] order_row filled_row(std::uint64_t id);
/// The row's columns as the server's text protocol shows them, in the order customer, status, amount, note, updated_at.
[[nodiscard]] std::vector<std::string> texts(const order_row& row);

/// A row's state: nullopt means that there is none.
using maybe_row = std::optional<order_row>;

class books {
public:
    /// Rows 1 .. filled_rows are as create_and_fill() left them, and there are no others.
    explicit books(std::uint64_t filled_rows = 0) : filled_rows_(filled_rows) {}

    [[nodiscard]] maybe_row at(std::uint64_t id) const;
    void set(std::uint64_t id, maybe_row row);

    /// A transaction whose answer never came: afterwards all of its rows are as before it, or all as after it.
    struct doubtful {
        std::vector<std::pair<std::uint64_t, maybe_row>> before;
        std::vector<std::pair<std::uint64_t, maybe_row>> after;  ///< the same keys in the same order
    };
    void add(doubtful transaction) { doubtful_.push_back(std::move(transaction)); }

    /// Takes over what another book says about keys that this one has not changed.
    void merge(books&& other);

    [[nodiscard]] std::uint64_t filled_rows() const { return filled_rows_; }
    [[nodiscard]] const std::map<std::uint64_t, maybe_row>& changed() const { return changed_; }
    [[nodiscard]] const std::vector<doubtful>& doubtful_transactions() const { return doubtful_; }

private:
    std::uint64_t filled_rows_;
    std::map<std::uint64_t, maybe_row> changed_;
    std::vector<doubtful> doubtful_;
};

/// Creates the table (dropping one of that name) and fills it with filled_row(1) .. filled_row(rows). Throws
/// load_error.
void create_and_fill(const endpoint& where, const std::string& table, std::uint64_t rows);

struct verification {
    std::uint64_t rows_expected = 0;  ///< without those of doubtful transactions
    std::uint64_t rows_found = 0;
    std::uint64_t differences = 0;
    std::vector<std::string> first_differences;  ///< at most 20, each naming the key and both sides

    [[nodiscard]] bool equal() const { return differences == 0; }
};

/// Reads the whole table and compares every row with the books. Throws load_error when it cannot be read.
[[nodiscard]] verification verify(const books& expected, const endpoint& where, const std::string& table);

}  // namespace sluice::load
