// MariaDB.

#include "migration/family/families.hpp"
#include "migration/sql/identifier.hpp"

#include <array>

namespace sluice::migration {
namespace {

/// REPLICATION CLIENT of other servers; it is still the name in a GRANT statement.
constexpr std::array<std::string_view, 3> privileges{"PROCESS", "REPLICATION SLAVE", "BINLOG MONITOR"};

/// From 10.2.7 on a default is printed as SQL: NULL, 'text' or an expression.
std::optional<std::string> default_of(const cell& printed) {
    if (!printed || *printed == "NULL") return std::nullopt;
    const std::string& text = *printed;
    if (text.size() < 2 || text.front() != '\'' || text.back() != '\'') return text;
    std::string value;
    for (std::size_t i = 1; i + 1 < text.size(); ++i) {
        if (text[i] == '\'') ++i;  // doubled
        value += text[i];
    }
    return value;
}

class mariadb_family final : public server_family {
public:
    [[nodiscard]] std::string_view product() const noexcept override { return "MariaDB"; }
    /// gtid_binlog_pos moves on when a transaction is written to the log, before it is visible, and there is no wait
    /// for visibility on the server that commits.
    [[nodiscard]] bool confirms_by_gtid(bool /*gtid_mode_on*/) const noexcept override { return false; }
    [[nodiscard]] std::string_view binlog_status_statement() const noexcept override { return "SHOW MASTER STATUS"; }
    [[nodiscard]] bool rename_under_lock() const noexcept override { return false; }  // error 1192
    [[nodiscard]] bool rename_sleeps_for_writes() const noexcept override { return false; }
    [[nodiscard]] key_set_form key_form() const noexcept override { return key_set_form::or_of_ands; }
    [[nodiscard]] bool check_names_belong_to_table() const noexcept override { return true; }
    [[nodiscard]] std::string_view inplace_algorithm() const noexcept override { return "NOCOPY"; }
    [[nodiscard]] bool reads_mariadb_comments() const noexcept override { return true; }
    [[nodiscard]] bool text_must_be_integer() const noexcept override { return true; }
    [[nodiscard]] bool rounds_before_sign() const noexcept override { return false; }
    [[nodiscard]] std::string_view foreign_keys_view() const noexcept override { return "INNODB_SYS_FOREIGN"; }

    void describe_specials(const named_cells& row, column_description& column) const override {
        const auto extra = row.text("EXTRA");
        column.generated = says(extra, "virtual generated") || says(extra, "stored generated");
        column.invisible = says(extra, "invisible");
        if (const cell* value = row.find("COLUMN_DEFAULT"); value != nullptr) column.default_value = default_of(*value);
    }
    [[nodiscard]] bool is_visible_index(const named_cells& row) const override { return row.text("IGNORED") != "YES"; }

    /// There is no server_uuid.
    [[nodiscard]] std::string_view identity_query() const noexcept override {
        return "SELECT CONCAT(@@GLOBAL.server_id, ' ', @@hostname, ':', @@port)";
    }
    [[nodiscard]] std::string_view definer_privilege() const noexcept override { return "SET USER"; }
    [[nodiscard]] std::span<const std::string_view> global_privileges() const noexcept override { return privileges; }

    /// The plug-in metadata_lock_info, which is not always there; else performance_schema, which is off by default.
    [[nodiscard]] std::vector<std::string> lock_holder_queries(const table_name& table) const override {
        return {
            "SELECT p.ID, CONCAT(p.USER, '@', p.HOST), LEFT(IFNULL(p.INFO, ''), 200),"
            " GREATEST(0, IFNULL(TIMESTAMPDIFF(SECOND, CONVERT_TZ(x.trx_started, 'SYSTEM', '+00:00'),"
            " UTC_TIMESTAMP()), 0)) * 1000, x.trx_id IS NOT NULL"
            " FROM information_schema.METADATA_LOCK_INFO m"
            " JOIN information_schema.PROCESSLIST p ON p.ID = m.THREAD_ID"
            " LEFT JOIN information_schema.INNODB_TRX x ON x.trx_mysql_thread_id = p.ID"
            " WHERE m.LOCK_TYPE = 'Table metadata lock' AND m.TABLE_SCHEMA = " +
                quote_string(table.schema) + " AND m.TABLE_NAME = " + quote_string(table.table) +
                " AND p.ID <> CONNECTION_ID() UNION ALL SELECT 0, '', '', 0, 0 ORDER BY 4 DESC",
            metadata_locks_query(table)};
    }
    [[nodiscard]] std::string xa_state_query(std::uint64_t /*connection_id*/) const override { return {}; }
};

}  // namespace

family_ptr make_mariadb_family() { return std::make_shared<mariadb_family>(); }

}  // namespace sluice::migration
