#include "migration/sql/table_statements.hpp"

#include <array>
#include <vector>

#include "migration/sql/identifier.hpp"

namespace sluice::migration {

namespace {

std::string rename_clause(const table_rename& rename) {
    return quote_table(rename.from) + " TO " + quote_table(rename.to);
}

}  // namespace

std::string create_ghost_statement(const table_name& original, const table_name& ghost) {
    return "CREATE TABLE " + quote_table(ghost) + " LIKE " + quote_table(original);
}

std::string alter_ghost_statement(const table_name& ghost, std::string_view body) {
    return "ALTER TABLE " + quote_table(ghost) + ' ' + std::string(body);
}

std::string create_changelog_statement(const table_name& changelog) {
    return "CREATE TABLE " + quote_table(changelog) +
           " (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,"
           " last_update TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,"
           " hint VARCHAR(64) CHARACTER SET ascii NOT NULL,"
           " value VARCHAR(4096) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,"
           " PRIMARY KEY (id), UNIQUE KEY hint_uidx (hint)) ENGINE=InnoDB";
}

std::string write_changelog_statement(const table_name& changelog, const changelog_hint& hint, std::string_view value) {
    const auto quoted = quote_string(value);
    return "INSERT INTO " + quote_table(changelog) + " (id, hint, value) VALUES (" + std::to_string(hint.id) + ", " +
           quote_string(hint.name) + ", " + quoted +
           ") ON DUPLICATE KEY UPDATE last_update = CURRENT_TIMESTAMP, value = " + quoted;
}

std::string read_changelog_statement(const table_name& changelog, const changelog_hint& hint) {
    return "SELECT value FROM " + quote_table(changelog) + " WHERE hint = " + quote_string(hint.name);
}

std::string drop_table_statement(const table_name& table) { return "DROP TABLE IF EXISTS " + quote_table(table); }

std::string analyze_table_statement(const table_name& table) { return "ANALYZE TABLE " + quote_table(table); }

std::string lock_tables_statement(std::span<const table_name> tables) {
    SLUICE_ASSERT(!tables.empty());
    std::string statement;
    for (const auto& table : tables) {
        statement += (statement.empty() ? "LOCK TABLES " : ", ") + quote_table(table) + " WRITE";
    }
    return statement;
}

std::string rename_statement(std::span<const table_rename> renames) {
    SLUICE_ASSERT(!renames.empty());
    std::string statement;
    for (const auto& rename : renames)
        statement += (statement.empty() ? "RENAME TABLE " : ", ") + rename_clause(rename);
    return statement;
}

std::string swap_statement(std::span<const table_swap> swaps) {
    std::vector<table_rename> renames;
    for (const auto& swap : swaps) renames.push_back({swap.original, swap.old_table});
    for (const auto& swap : swaps) renames.push_back({swap.ghost, swap.original});
    return rename_statement(renames);
}

std::string swap_clause(const table_swap& swap) { return rename_clause({swap.original, swap.old_table}); }

}  // namespace sluice::migration
