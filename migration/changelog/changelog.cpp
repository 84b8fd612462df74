#include "migration/changelog/changelog.hpp"

#include "migration/sql/identifier.hpp"
#include "migration/sql/table_statements.hpp"

#include <charconv>
#include <utility>

namespace sluice::migration {

changelog::changelog(table_name table, std::shared_ptr<marker_numbers> numbers)
    : table_(std::move(table)), numbers_(numbers ? std::move(numbers) : std::make_shared<marker_numbers>()) {}

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
    numbers_->go_on_after(last);
    return {};
}

outcome<void> changelog::name_run(const statement_runner& run, const std::string& name) const {
    SLUICE_TRY_VOID(run(write_changelog_statement(table_, run_hint, name)));
    return {};
}

outcome<void> changelog::write_state(const statement_runner& run, const std::string& state) const {
    SLUICE_TRY_VOID(run(write_changelog_statement(table_, state_hint, state)));
    return {};
}

outcome<std::optional<std::string>> changelog::run_named(const statement_runner& run) const {
    SLUICE_TRY(const query_result found, run(read_changelog_statement(table_, run_hint)));
    if (found.rows.empty() || found.rows[0].empty()) return std::optional<std::string>();
    return found.rows[0][0];
}

outcome<std::uint64_t> changelog::write_marker(const statement_runner& run) {
    return migration::write_marker(run, table_, *numbers_);
}

outcome<std::uint64_t> write_marker(const statement_runner& run, const table_name& changelog, marker_numbers& numbers) {
    const std::uint64_t marker = numbers.take();
    const std::string id = std::to_string(marker);
    // IGNORE: the statement may be repeated after a lost connection, and the row may be there already.
    SLUICE_TRY_VOID(run("INSERT IGNORE INTO " + quote_table(changelog) + " (id, hint, value) VALUES (" + id +
                        ", 'marker " + id + "', '')"));
    // Only the newest marker is of use; without this the table would grow with every cut-over attempt.
    SLUICE_TRY_VOID(run("DELETE FROM " + quote_table(changelog) + " WHERE id > " +
                        std::to_string(marker_numbers::first) + " AND id < " + id));
    return marker;
}

}  // namespace sluice::migration
