#include "migration/changelog/changelog.hpp"

#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace sluice::migration {

changelog::changelog(table_name table) : table_(std::move(table)), last_marker_(first_marker) {}

outcome<void> changelog::create(const statement_runner& run) const {
    SLUICE_TRY_VOID(run(create_changelog_statement(table_)));
    return {};
}

outcome<void> changelog::continue_after_last(const statement_runner& run) {
    SLUICE_TRY(const query_result found, run("SELECT MAX(id) FROM " + quote_table(table_)));
    std::uint64_t last = 0;
    if (!found.rows.empty() && found.rows[0].at(0)) {
        const std::string& text = *found.rows[0][0];
        std::from_chars(text.data(), text.data() + text.size(), last);
    }
    last_marker_ = std::max(last, last_marker_);
    return {};
}

outcome<std::uint64_t> changelog::write_marker(const statement_runner& run) {
    const std::uint64_t marker = ++last_marker_;
    const std::string id = std::to_string(marker);
    // IGNORE: the statement may be repeated after a lost connection, and the row may be there already.
    SLUICE_TRY_VOID(run("INSERT IGNORE INTO " + quote_table(table_) + " (id, hint, value) VALUES (" + id +
                        ", 'marker " + id + "', '')"));
    // Only the newest marker is of use; without this the table would grow with every cut-over attempt.
    SLUICE_TRY_VOID(
        run("DELETE FROM " + quote_table(table_) + " WHERE id > " + std::to_string(first_marker) + " AND id < " + id));
    return marker;
}

}  // namespace sluice::migration
