#include "migration/copy/chunk_parts.hpp"

#include <algorithm>

namespace sluice::migration {

outcome<bool> chunk_parts::halve(const migration_plan& plan, const key_codec& codec, sql_session& session) {
    const part whole = waiting_.back();
    for (std::size_t rows = std::max<std::size_t>(whole.rows / 2, 1); rows > 0; rows /= 2) {
        SLUICE_TRY(const query_result found, session.run(chunk_bound_statement(plan.columns, whole.bounds, rows)));
        if (found.rows.empty()) continue;  // fewer rows than was thought
        SLUICE_TRY(const key_bound middle, codec.bound_of(found.rows[0]));
        if (middle.literals == whole.bounds.upper) continue;
        waiting_.back() = {{middle.literals, false, whole.bounds.upper}, rows};
        waiting_.push_back({{whole.bounds.lower, whole.bounds.lower_inclusive, middle.literals}, rows});
        return true;
    }
    return false;
}

}  // namespace sluice::migration
