#pragma once

// The families, one per file. Internal to migration/family.

#include "migration/family/server_family.hpp"

namespace sluice::migration {

[[nodiscard]] family_ptr make_mysql_family(unsigned version_number);
[[nodiscard]] family_ptr make_mysql_5_family(unsigned version_number);
[[nodiscard]] family_ptr make_mariadb_family();

inline constexpr unsigned mysql_family_begins = 80013;

/// For servers with performance_schema.metadata_locks; empty result where its instrument is off.
[[nodiscard]] std::string metadata_locks_query(const table_name& table);

/// The text holds the words, whatever their letter case. words: in lower case.
[[nodiscard]] bool says(std::string_view text, std::string_view words);

}  // namespace sluice::migration
