#include "migration/check/replica_status.hpp"

#include "migration/check/named_cells.hpp"
#include "protocol/sql/lexer.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace sluice::migration {
namespace {

constexpr unsigned parse_error = 1064;

/// Of the column that bears one of these names: MySQL renamed them in 8.0.22.
std::string text_of(const named_cells& row, std::initializer_list<std::string_view> names) {
    for (const auto name : names) {
        if (row.find(name) != nullptr) return row.text(name);
    }
    return {};
}

std::optional<std::uint64_t> number_of(const named_cells& row, std::initializer_list<std::string_view> names) {
    for (const auto name : names) {
        if (row.find(name) != nullptr) return row.number(name);
    }
    return std::nullopt;
}

replica_status status_of(const named_cells& row) {
    replica_status status;
    status.channel = text_of(row, {"Channel_Name", "Connection_name"});
    status.source_host = text_of(row, {"Source_Host", "Master_Host"});
    status.source_port = static_cast<std::uint16_t>(
        std::min<std::uint64_t>(number_of(row, {"Source_Port", "Master_Port"}).value_or(0), 65'535));
    status.source_uuid = text_of(row, {"Source_UUID", "Master_UUID"});
    status.receiver = text_of(row, {"Replica_IO_Running", "Slave_IO_Running"});
    status.applier = text_of(row, {"Replica_SQL_Running", "Slave_SQL_Running"});
    for (const char* error : {"Last_IO_Error", "Last_SQL_Error"}) {
        if (status.error.empty()) status.error = row.text(error);
    }
    status.delay = std::chrono::seconds(row.number("SQL_Delay").value_or(0));
    if (const auto behind = number_of(row, {"Seconds_Behind_Source", "Seconds_Behind_Master"})) {
        status.behind = std::chrono::seconds(*behind);
    }
    status.do_schemas = row.text("Replicate_Do_DB");
    status.ignored_schemas = row.text("Replicate_Ignore_DB");
    status.do_tables = row.text("Replicate_Do_Table");
    status.ignored_tables = row.text("Replicate_Ignore_Table");
    status.wild_do_tables = row.text("Replicate_Wild_Do_Table");
    status.wild_ignored_tables = row.text("Replicate_Wild_Ignore_Table");
    status.rewritten_schemas = row.text("Replicate_Rewrite_DB");
    status.domains = row.text("Replicate_Do_Domain_Ids") + row.text("Replicate_Ignore_Domain_Ids");
    return status;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// LIKE, with a backslash to take a wildcard literally. exact: letters have a case.
bool is_like(std::string_view text, std::string_view pattern, bool exact) {
    while (!pattern.empty()) {
        if (pattern[0] == '%') {
            for (std::size_t skipped = 0; skipped <= text.size(); ++skipped) {
                if (is_like(text.substr(skipped), pattern.substr(1), exact)) return true;
            }
            return false;
        }
        const bool any = pattern[0] == '_';
        if (pattern[0] == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
        if (text.empty()) return false;
        if (!any && (exact ? text[0] != pattern[0] : lower(text[0]) != lower(pattern[0]))) return false;
        text.remove_prefix(1);
        pattern.remove_prefix(1);
    }
    return text.empty();
}

enum class rule { name, pattern };

/// Whether one of a comma-separated list is this. exact: only if it is so in every letter.
bool listed_in(std::string_view list, std::string_view name, rule kind, bool exact) {
    while (!list.empty()) {
        const auto comma = list.find(',');
        const auto entry = list.substr(0, comma);
        const bool same = kind == rule::pattern ? is_like(name, entry, exact)
                          : exact               ? entry == name
                                                : sql::equal_ignoring_case(entry, name);
        if (same) return true;
        if (comma == std::string_view::npos) break;
        list.remove_prefix(comma + 1);
    }
    return false;
}

// The rules of row events, in the order in which the server looks at them. Where letters differ only in their case, a
// rule that lets pass is taken for one that does not, and the other way round.
std::optional<std::string> filter_against_table(const replica_status& channel, const std::string& name) {
    if (listed_in(channel.do_tables, name, rule::name, true)) return std::nullopt;
    if (listed_in(channel.ignored_tables, name, rule::name, false)) {
        return "replicate_ignore_table = " + channel.ignored_tables;
    }
    if (listed_in(channel.wild_do_tables, name, rule::pattern, true)) return std::nullopt;
    if (listed_in(channel.wild_ignored_tables, name, rule::pattern, false)) {
        return "replicate_wild_ignore_table = " + channel.wild_ignored_tables;
    }
    if (!channel.do_tables.empty()) return "replicate_do_table = " + channel.do_tables;
    if (!channel.wild_do_tables.empty()) return "replicate_wild_do_table = " + channel.wild_do_tables;
    return std::nullopt;
}

}  // namespace

outcome<std::vector<replica_status>> read_replica_status(sql_session& session) {
    outcome<query_result> told = query_result();
    // MariaDB's first: its other statements show one connection of several.
    for (const char* statement : {"SHOW ALL SLAVES STATUS", "SHOW REPLICA STATUS", "SHOW SLAVE STATUS"}) {
        told = session.run(statement);
        if (told || told.error().server_errno != parse_error) break;
    }
    if (!told) return std::move(told).error();
    std::vector<replica_status> channels;
    for (std::size_t i = 0; i < told->rows.size(); ++i) {
        replica_status status = status_of(named_cells(*told, i));
        if (!status.source_host.empty()) channels.push_back(std::move(status));
    }
    return channels;
}

std::optional<std::string> filter_against(const replica_status& channel, const std::string& schema,
                                          const std::vector<std::string>& tables) {
    if (!channel.domains.empty()) return "GTID domains: " + channel.domains;
    if (channel.rewritten_schemas.find(schema) != std::string::npos) {
        return "replicate_rewrite_db = " + channel.rewritten_schemas;
    }
    if (!channel.do_schemas.empty() && !listed_in(channel.do_schemas, schema, rule::name, true)) {
        return "replicate_do_db = " + channel.do_schemas;
    }
    if (listed_in(channel.ignored_schemas, schema, rule::name, false)) {
        return "replicate_ignore_db = " + channel.ignored_schemas;
    }
    for (const std::string& table : tables) {
        std::string name = schema;
        if (auto filter = filter_against_table(channel, name.append(".").append(table))) return filter;
    }
    return std::nullopt;
}

}  // namespace sluice::migration
