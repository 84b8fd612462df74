#include "migration/family/server_family.hpp"

#include "migration/family/families.hpp"
#include "migration/sql/identifier.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace sluice::migration {
namespace {

unsigned version_number_of(std::string_view text) {
    unsigned number = 0;
    const char* at = text.data();
    const char* const end = text.data() + text.size();
    for (int part = 0; part < 3; ++part) {
        unsigned value = 0;
        const auto [next, error] = std::from_chars(at, end, value);
        if (error != std::errc() || value > 99) return 0;
        number = number * 100 + value;
        at = next;
        if (part < 2 && (at == end || *at++ != '.')) return 0;
    }
    return number;
}

}  // namespace

bool says(std::string_view text, std::string_view words) {
    const auto found = std::search(text.begin(), text.end(), words.begin(), words.end(), [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == static_cast<unsigned char>(b);
    });
    return found != text.end();
}

server_version server_version::parse(std::string_view text, std::string_view comment) {
    return {std::string(text), says(text, "mariadb") || says(comment, "mariadb"), version_number_of(text)};
}

family_ptr family_of(bool is_mariadb, unsigned version_number) {
    if (is_mariadb) return version_number >= oldest_mariadb_version ? make_mariadb_family() : nullptr;
    if (version_number < oldest_mysql_version) return nullptr;
    return version_number >= mysql_family_begins ? make_mysql_family(version_number)
                                                 : make_mysql_5_family(version_number);
}

failure refuse_server(const server_version& version) {
    return refuse("unsupported_server", "the server is " + std::string(version.is_mariadb ? "MariaDB " : "MySQL ") +
                                            version.text + "; migrations need MySQL 5.6.5 or MariaDB 10.5.2, or newer");
}

outcome<family_ptr> family_of(sql_session& session) {
    SLUICE_TRY(const query_result answer, session.run("SELECT VERSION(), @@version_comment"));
    if (answer.rows.empty() || answer.rows[0].size() < 2) return refuse_server({});
    const auto version = server_version::parse(answer.rows[0][0].value_or(""), answer.rows[0][1].value_or(""));
    auto family = family_of(version.is_mariadb, version.number);
    if (!family) return refuse_server(version);
    return family;
}

// trx_started is a time of the server's own zone, whatever the session's is.
std::string server_family::open_transactions_query() const {
    return "SELECT p.ID, CONCAT(p.USER, '@', p.HOST), LEFT(IFNULL(p.INFO, ''), 200),"
           " GREATEST(0, TIMESTAMPDIFF(SECOND, CONVERT_TZ(x.trx_started, 'SYSTEM', '+00:00'), UTC_TIMESTAMP())) * 1000,"
           " 1, x.trx_isolation_level"
           " FROM information_schema.INNODB_TRX x JOIN information_schema.PROCESSLIST p ON p.ID = x.trx_mysql_thread_id"
           " WHERE p.ID <> CONNECTION_ID() ORDER BY 4 DESC";
}

// Where performance_schema counts transactions: from MySQL 5.7.3 on.
std::string server_family::xa_state_query(std::uint64_t connection_id) const {
    return "SELECT IFNULL(x.XA_STATE, 'NOTXA') FROM performance_schema.threads t"
           " JOIN performance_schema.events_transactions_current x ON x.THREAD_ID = t.THREAD_ID"
           " WHERE x.STATE = 'ACTIVE' AND t.PROCESSLIST_ID = " +
           std::to_string(connection_id);
}

// The age of a lock that lasts as long as a transaction is the transaction's; that of LOCK TABLES and HANDLER is not
// told. events_transactions_current keeps a transaction's row after its end.
std::string metadata_locks_query(const table_name& table) {
    const std::string by_transaction =
        "m.LOCK_DURATION = 'TRANSACTION' AND (x.STATE = 'ACTIVE' OR z.trx_id IS NOT NULL)";
    return "SELECT t.PROCESSLIST_ID, CONCAT(IFNULL(t.PROCESSLIST_USER, '?'), '@', IFNULL(t.PROCESSLIST_HOST, '?')),"
           " LEFT(COALESCE(t.PROCESSLIST_INFO, s.SQL_TEXT, ''), 200),"
           " IF(" +
           by_transaction +
           ", GREATEST(0, IF(x.STATE = 'ACTIVE', x.TIMER_WAIT DIV 1000000000,"
           " TIMESTAMPDIFF(SECOND, CONVERT_TZ(z.trx_started, 'SYSTEM', '+00:00'), UTC_TIMESTAMP()) * 1000)), 0),"
           " IFNULL(" +
           by_transaction +
           ", 0)"
           " FROM performance_schema.metadata_locks m"
           " JOIN performance_schema.threads t ON t.THREAD_ID = m.OWNER_THREAD_ID"
           " LEFT JOIN performance_schema.events_transactions_current x ON x.THREAD_ID = t.THREAD_ID"
           " LEFT JOIN performance_schema.events_statements_current s"
           " ON s.THREAD_ID = t.THREAD_ID AND s.NESTING_EVENT_LEVEL = 0"
           " LEFT JOIN information_schema.INNODB_TRX z ON z.trx_mysql_thread_id = t.PROCESSLIST_ID"
           " WHERE m.OBJECT_TYPE = 'TABLE' AND m.LOCK_STATUS = 'GRANTED' AND m.LOCK_DURATION <> 'STATEMENT'"
           " AND m.OBJECT_SCHEMA = " +
           quote_string(table.schema) + " AND m.OBJECT_NAME = " + quote_string(table.table) +
           " AND t.PROCESSLIST_ID IS NOT NULL AND t.PROCESSLIST_ID <> CONNECTION_ID()"
           " UNION ALL SELECT 0, '', '', 0, 0 FROM performance_schema.setup_instruments"
           " WHERE NAME = 'wait/lock/metadata/sql/mdl' AND ENABLED = 'YES' AND @@performance_schema ORDER BY 4 DESC";
}

}  // namespace sluice::migration
