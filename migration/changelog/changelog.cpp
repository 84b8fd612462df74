#include "migration/changelog/changelog.hpp"

#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"

#include <utility>

namespace sluice::migration {
namespace {

constexpr std::uint64_t first_marker = 1'000'000;

}  // namespace

changelog::changelog(table_name table) : table_(std::move(table)), last_marker_(first_marker) {}

outcome<void> changelog::create(const statement_runner& run) const {
    SLUICE_TRY_VOID(run(create_changelog_statement(table_)));
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
