#pragma once

// The optional metadata behind a table map: a list of fields of type, size and value (WL#4618; VECTOR: MySQL 9.0).

#include "protocol/binlog/table_map.hpp"

namespace sluice::binlog {

/// Reads the fields into `map.metadata` and `map.columns`. Fields of unknown types are skipped.
/// Errors: truncated, malformed.
[[nodiscard]] decode_result<void> read_optional_metadata(byte_view fields, log_dialect dialect, table_map& map);

}  // namespace sluice::binlog
