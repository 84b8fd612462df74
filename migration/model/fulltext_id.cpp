#include "migration/model/fulltext_id.hpp"

#include <algorithm>

namespace sluice::migration {

outcome<void> check_fulltext_id(const table_description& ghost) {
    const auto index = std::ranges::find(ghost.keys, "FULLTEXT", &key_description::index_type);
    if (index == ghost.keys.end() || ghost.find_column("FTS_DOC_ID") == nullptr) return {};
    return refuse("unsupported_fulltext_id",
                  "the new table would have the FULLTEXT index " + index->name +
                      " beside a column FTS_DOC_ID of its own, and then InnoDB takes rows in ascending order of that "
                      "column only, so that changed rows cannot be followed; drop the index first, and add it again "
                      "afterwards");
}

}  // namespace sluice::migration
