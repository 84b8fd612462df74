#include "protocol/binlog/query_variables.hpp"

#include "protocol/binlog/event_cursor.hpp"

namespace sluice::binlog {
namespace {

namespace variable {
constexpr std::uint8_t flags2 = 0;
constexpr std::uint8_t sql_mode = 1;
constexpr std::uint8_t catalog = 2;
constexpr std::uint8_t auto_increment = 3;
constexpr std::uint8_t charset = 4;
constexpr std::uint8_t time_zone = 5;
constexpr std::uint8_t catalog_unterminated = 6;
constexpr std::uint8_t lc_time_names = 7;
constexpr std::uint8_t charset_database = 8;
constexpr std::uint8_t table_map_for_update = 9;
constexpr std::uint8_t source_data_written = 10;
constexpr std::uint8_t invoker = 11;
constexpr std::uint8_t schemas = 12;
}  // namespace variable

constexpr std::uint64_t mode_ansi_quotes = 0x4;
constexpr std::uint64_t mode_no_backslash_escapes = 0x100000;
constexpr std::uint8_t too_many_schemas = 254;

std::optional<std::vector<std::string_view>> read_schemas(event_cursor& cursor) {
    const std::uint8_t count = cursor.u8();
    if (!cursor.ok() || count == too_many_schemas) return std::nullopt;
    std::vector<std::string_view> names;
    std::string_view rest = protocol::as_text(cursor.rest());
    for (std::uint8_t i = 0; i < count; ++i) {
        const auto end = rest.find('\0');
        if (end == std::string_view::npos) return std::nullopt;
        names.push_back(rest.substr(0, end));
        rest.remove_prefix(end + 1);
    }
    return names;
}

/// False at the last one that is of interest, or behind which nothing can be read. The server writes them in the order
/// of their numbers, but for the catalogue.
bool read_variable(event_cursor& cursor, query_variables& found) {
    switch (cursor.u8()) {
        case variable::flags2:
        case variable::auto_increment:
        case variable::source_data_written: cursor.skip(4); break;
        case variable::sql_mode: {
            const std::uint64_t mode = cursor.u64();
            found.ansi_quotes = (mode & mode_ansi_quotes) != 0;
            found.no_backslash_escapes = (mode & mode_no_backslash_escapes) != 0;
            break;
        }
        case variable::catalog: cursor.skip(cursor.u8() + std::uint64_t{1}); break;
        case variable::time_zone:
        case variable::catalog_unterminated: cursor.skip(cursor.u8()); break;
        case variable::charset:
            found.client_collation = cursor.u16();
            cursor.skip(4);  // of the connection, and of the server
            break;
        case variable::lc_time_names:
        case variable::charset_database: cursor.skip(2); break;
        case variable::table_map_for_update: cursor.skip(8); break;
        case variable::invoker:
            cursor.skip(cursor.u8());
            cursor.skip(cursor.u8());
            break;
        case variable::schemas: found.schemas = read_schemas(cursor); return false;
        default: return false;
    }
    return cursor.ok();
}

}  // namespace

query_variables query_variables::of(const query_event& event) {
    query_variables found;
    event_cursor cursor(event.status_variables);
    while (!cursor.empty() && read_variable(cursor, found)) {
    }
    return found;
}

}  // namespace sluice::binlog
