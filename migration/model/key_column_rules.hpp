#pragma once

// What makes a column fit to identify a row, and when an ALTER keeps its values. Pure functions; safe from any thread.

#include "migration/model/table_description.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::migration {

/// False for FLOAT, DOUBLE, JSON, TEXT, BLOB, spatial, vector and unknown types.
[[nodiscard]] bool is_key_type(const column_description& column);

/// Values of the type compare in the engine exactly as on the server: integers, DATE, DATETIME, TIMESTAMP, BINARY,
/// VARBINARY, INET4, INET6. Not UUID, of which MariaDB compares the last group first.
[[nodiscard]] bool is_exactly_ordered(const column_description& column);

/// Bytes of each value of BINARY(n), and of MariaDB's UUID, INET4 and INET6, which its binary log and its literals know
/// as BINARY(16), (4) and (16), in the order in which people write them (seen on 10.11); 0 for other types.
[[nodiscard]] std::uint64_t fixed_binary_length(const column_description& column);

/// Different images in the binary log are different values to the server: everything but CHAR and VARCHAR.
[[nodiscard]] bool bytes_are_identity(const column_description& column);

/// Empty if every value of `before` that `after` can hold is one value of its own there, so that a row can be found by
/// its key in both tables: the same value, or the same in another form (an integer as text, another character set or
/// collation, members of an ENUM in other places). Otherwise what changes, as the end of a sentence: "changes from
/// varchar(20) to int". Values that do not fit end the migration when they are met; they need no rule here.
[[nodiscard]] std::string value_change(const column_description& before, const column_description& after);

/// The values are the same literals in both, and equal in both or in neither: false for what value_change() allows
/// beyond that.
[[nodiscard]] bool keeps_form(const column_description& before, const column_description& after);

/// Members of enum('a','b') or set(...), quotes taken off and doubled ones undone; empty for other types.
[[nodiscard]] std::vector<std::string> members_of(std::string_view column_type);

/// Bytes that a value takes at most; 0 for types that are no key types.
[[nodiscard]] std::uint64_t value_bytes_max(const column_description& column);

}  // namespace sluice::migration
