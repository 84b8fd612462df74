#include "migration/ways/metadata_only.hpp"

#include "protocol/sql/lexer.hpp"

#include <algorithm>
#include <array>

namespace sluice::migration {
namespace {

using kind = sql::alter_clause_kind;

constexpr std::array metadata_options =
    std::to_array<std::string_view>({"AVG_ROW_LENGTH", "CHECKSUM", "COMMENT", "DELAY_KEY_WRITE", "MAX_ROWS", "MIN_ROWS",
                                     "PACK_KEYS", "STATS_AUTO_RECALC", "STATS_PERSISTENT", "STATS_SAMPLE_PAGES"});

// A value of up to so many bytes has its length in one byte, in every row format of InnoDB.
constexpr std::uint64_t short_octets_max = 255;

std::size_t ordinal_of(const table_description& table, const column_description& column) {
    return static_cast<std::size_t>(&column - table.columns.data());
}

/// Members of an ENUM or a SET in the text of its type: 'a','it''s'.
std::size_t member_count(std::string_view column_type) {
    std::size_t members = 0;
    bool inside = false;
    for (std::size_t i = 0; i < column_type.size(); ++i) {
        if (column_type[i] != '\'') continue;
        if (inside && i + 1 < column_type.size() && column_type[i + 1] == '\'') {
            ++i;  // a quote within a member
            continue;
        }
        members += inside ? 1 : 0;
        inside = !inside;
    }
    return members;
}

std::size_t value_bytes(const std::string& data_type, std::size_t members) {
    if (data_type == "enum") return members < 256 ? 1 : 2;
    const std::size_t bytes = (members + 7) / 8;
    return bytes > 4 ? 8 : bytes;
}

bool members_appended(const column_description& before, const column_description& after) {
    const std::string_view old_list(before.column_type.data(), before.column_type.size() - 1);  // without ")"
    return after.column_type.starts_with(old_list) && after.column_type[old_list.size()] == ',' &&
           value_bytes(before.data_type, member_count(before.column_type)) ==
               value_bytes(after.data_type, member_count(after.column_type));
}

bool widened_in_place(const column_description& before, const column_description& after) {
    if (before.data_type != after.data_type) return false;
    if (before.data_type == "varchar" || before.data_type == "varbinary") {
        const bool was_short = before.octet_length_max <= short_octets_max;
        const bool is_short = after.octet_length_max <= short_octets_max;
        return after.octet_length_max > before.octet_length_max && was_short == is_short;
    }
    if (before.data_type == "enum" || before.data_type == "set") return members_appended(before, after);
    return false;
}

/// Why the rows do not stay as they are; nullptr when they do.
const char* rows_touched(const table_description& before, const table_description& after,
                         const sql::alter_clause& clause) {
    const column_description* was = before.find_column(clause.name);
    const column_description* is =
        after.find_column(clause.kind == kind::change_column ? clause.new_name : clause.name);
    if (was == nullptr || is == nullptr) return "the column is not in both tables";
    if (was->generated || is->generated) return "the column is generated";
    constexpr std::array spatial =
        std::to_array<std::string_view>({"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring",
                                         "multipolygon", "geomcollection", "geometrycollection"});
    if (std::find(spatial.begin(), spatial.end(), was->data_type) != spatial.end()) {
        return "the server may have to look at the reference system of each value";
    }
    if (was->nullable != is->nullable) return "NULL or NOT NULL changes";
    if (was->charset != is->charset || was->collation != is->collation) return "its character set or collation changes";
    if (was->auto_increment != is->auto_increment) return "AUTO_INCREMENT comes or goes";
    if (before.columns.size() != after.columns.size() || ordinal_of(before, *was) != ordinal_of(after, *is)) {
        return "columns come, go or change places";
    }
    if (was->column_type != is->column_type && !widened_in_place(*was, *is)) return "its type changes";
    for (const sql::added_column& column : clause.columns) {
        if (column.key != sql::index_kind::plain) return "an index is built";
    }
    return nullptr;
}

/// The clause ends with NOT ENFORCED, written without comments in between.
bool not_enforced(const sql::alter_clause& clause) {
    std::string_view text = clause.text;
    for (const std::string_view word : {"ENFORCED", "NOT"}) {
        const auto end = text.find_last_not_of(" \t\r\n");
        if (end == std::string_view::npos || end + 1 < word.size()) return false;
        text = text.substr(0, end + 1);
        if (!sql::equal_ignoring_case(text.substr(text.size() - word.size()), word)) return false;
        text.remove_suffix(word.size());
        if (text.empty() || std::string_view(" \t\r\n").find(text.back()) == std::string_view::npos) return false;
    }
    return true;
}

/// Why a clause is not on the list; nullptr when it is.
const char* off_the_list(const sql::alter_clause& clause, const table_description& before,
                         const table_description& after) {
    switch (clause.kind) {
        case kind::algorithm:
        case kind::lock:  // left out of the statement
        case kind::rename_index:
        case kind::alter_index:
        case kind::rename_column:
        case kind::alter_column:
        case kind::drop_foreign_key:
        case kind::drop_check:
        case kind::auto_increment:
        case kind::default_charset: return nullptr;
        case kind::drop_index: return clause.index == sql::index_kind::primary ? "it drops the primary key" : nullptr;
        case kind::alter_check: return not_enforced(clause) ? nullptr : "every row is looked at";
        case kind::change_column:
        case kind::modify_column: return rows_touched(before, after, clause);
        case kind::table_option: {
            const bool listed = std::any_of(metadata_options.begin(), metadata_options.end(),
                                            [&](auto name) { return sql::equal_ignoring_case(clause.name, name); });
            return listed ? nullptr : "it is not known to change metadata only";
        }
        case kind::add_index: return "an index is built";
        default: return "it is not known to change metadata only";
    }
}

}  // namespace

std::optional<std::string> beyond_metadata(const sql::alter_statement& alter, const table_description& before,
                                           const table_description& after) {
    for (const sql::alter_clause& clause : alter.clauses) {
        if (const char* why = off_the_list(clause, before, after)) return "\"" + clause.text + "\": " + why;
    }
    return std::nullopt;
}

}  // namespace sluice::migration
