#pragma once

// Values of key columns as SQL literals: typed so that the server compares them exactly as it compares the column's own
// values, whatever the connection's character set and sql_mode are. They come from the binary log (key_value) or from
// rows selected with key_select_list() (cell).
//   integer, BIT, ENUM, SET: decimal · DECIMAL: decimal text · TIME: TIME'text' · YEAR, other temporal: 'text' ·
//   text: _charset 0xHEX, or _charset '' when empty · binary: _binary 0xHEX, or _binary '', filled up with zeros to the
//   length of BINARY(n)
// Pure functions; safe from any thread.

#include <span>
#include <string>
#include <string_view>

#include "migration/model/failure.hpp"
#include "migration/ports/sql_executor.hpp"
#include "migration/sql/copy_columns.hpp"
#include "migration/sql/copy_statements.hpp"
#include "protocol/binlog/value/key_value.hpp"

namespace sluice::migration {

/// value must be of a kind that fits the column's type and not NULL (else an assertion trips).
[[nodiscard]] std::string literal_of_value(const key_column& column, const binlog::key_value& value);

/// A cell of key_select_list() as the value that the binary log gives for the same row. DATETIME and TIMESTAMP both
/// come as `datetime`, ENUM and SET as `enumeration`; a BINARY(n) keeps its trailing zeros. is_unsigned: of an integer
/// column. "bad_key_value" for NULL and for text that is no value of the type.
[[nodiscard]] outcome<binlog::key_value> value_of_cell(const key_column& column, bool is_unsigned, const cell& text);

/// One key as one string: literals joined by commas, with no blank. No literal holds a comma.
[[nodiscard]] std::string join_literals(std::span<const std::string> literals);
/// The reverse of join_literals().
[[nodiscard]] key_literals split_literals(std::string_view joined);

}  // namespace sluice::migration
