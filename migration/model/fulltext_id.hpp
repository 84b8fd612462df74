#pragma once

// InnoDB's numbers of documents: a column FTS_DOC_ID of a table with a FULLTEXT index.

#include "migration/model/failure.hpp"
#include "migration/model/table_description.hpp"

namespace sluice::migration {

/// Refuses ("unsupported_fulltext_id") a ghost with both: InnoDB takes such numbers in ascending order only ("Invalid
/// InnoDB FTS Doc ID"), and a changed row is put into the ghost with the number that it has had. Pure; thread-safe.
/// Source: MySQL 9.7 Reference Manual, "InnoDB Full-Text Indexes".
[[nodiscard]] outcome<void> check_fulltext_id(const table_description& ghost);

}  // namespace sluice::migration
