#pragma once

// The column types that a family of servers has, as dice draw them, and the changes of a type that an ALTER may ask
// for.

#include "tests/integration/random_seeds/dice.hpp"
#include "tests/support/mysql_server.hpp"

#include <string>
#include <vector>

namespace sluice::test {

enum class value_kind {
    integer,
    decimal,
    real,
    bit,
    year,
    date,
    time,
    datetime,
    timestamp,
    text,
    binary,
    member,   ///< ENUM
    members,  ///< SET
    json,
    point,
    vector,
    uuid,
    inet6,
};

struct column_type {
    value_kind kind = value_kind::integer;
    std::string sql;           ///< as in a column definition
    unsigned size = 0;         ///< integers: bytes; BIT: bits; text: characters; binary: bytes; DECIMAL, VECTOR: digits
    unsigned scale = 0;        ///< DECIMAL: digits behind the point; temporal types: of the fraction
    bool is_unsigned = false;  ///< of numbers
    bool is_lob = false;       ///< indexed by a prefix only; no literal as default
    bool is_fixed = false;     ///< CHAR, BINARY
    std::string charset, collation;    ///< text, ENUM and SET
    std::vector<std::string> members;  ///< ENUM, SET

    bool operator==(const column_type&) const = default;
};

/// Any type of a column that is data.
[[nodiscard]] column_type random_type(server_kind server, dice& dice);
/// A type that may identify rows and has many values, or few of them.
[[nodiscard]] column_type random_key_type(server_kind server, dice& dice);
/// The same or a larger type of its kind, in which every value stays the same and distinct.
[[nodiscard]] column_type wider(const column_type& type, dice& dice);
/// Another type: larger, smaller, of another character set or collation, or of another kind altogether.
[[nodiscard]] column_type changed_type(const column_type& type, server_kind server, dice& dice);

[[nodiscard]] column_type integer_type(unsigned bytes, bool is_unsigned);
[[nodiscard]] column_type text_type(unsigned characters, const std::string& charset, const std::string& collation);
/// ENUM or SET, of the table's character set.
[[nodiscard]] column_type member_type(bool set, std::vector<std::string> members);

}  // namespace sluice::test
