// MySQL 8.0.13 and later.

#include "migration/family/families.hpp"

#include <array>

namespace sluice::migration {
namespace {

constexpr std::array<std::string_view, 3> privileges{"PROCESS", "REPLICATION SLAVE", "REPLICATION CLIENT"};
constexpr unsigned binary_log_status_since = 80200;  // SHOW MASTER STATUS was dropped in 8.4
constexpr unsigned any_definer_since = 80200;

class mysql_family final : public server_family {
public:
    explicit mysql_family(unsigned version) : version_(version) {}

    [[nodiscard]] std::string_view product() const noexcept override { return "MySQL"; }
    [[nodiscard]] bool confirms_by_gtid(bool gtid_mode_on) const noexcept override { return gtid_mode_on; }
    [[nodiscard]] std::string_view binlog_status_statement() const noexcept override {
        return version_ >= binary_log_status_since ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS";
    }
    [[nodiscard]] bool rename_under_lock() const noexcept override { return true; }
    [[nodiscard]] bool rename_sleeps_for_writes() const noexcept override { return true; }
    [[nodiscard]] key_set_form key_form() const noexcept override { return key_set_form::row_constructor; }
    [[nodiscard]] bool has_json_sizes() const noexcept override { return true; }
    [[nodiscard]] bool check_names_belong_to_table() const noexcept override { return false; }
    [[nodiscard]] std::string_view tables_view() const noexcept override { return "INNODB_TABLES"; }
    [[nodiscard]] std::string_view foreign_keys_view() const noexcept override { return "INNODB_FOREIGN"; }

    void describe_specials(const named_cells& row, column_description& column) const override {
        const auto extra = row.text("EXTRA");
        // Not "DEFAULT_GENERATED", which is said of a DEFAULT that is an expression.
        column.generated = says(extra, "virtual generated") || says(extra, "stored generated");
        column.invisible = says(extra, "invisible");
        if (const cell* value = row.find("COLUMN_DEFAULT"); value != nullptr) column.default_value = *value;
    }
    [[nodiscard]] bool is_visible_index(const named_cells& row) const override {
        return row.text("IS_VISIBLE") != "NO";
    }

    [[nodiscard]] std::string_view definer_privilege() const noexcept override {
        return version_ >= any_definer_since ? "SET_ANY_DEFINER" : "SET_USER_ID";
    }
    [[nodiscard]] std::span<const std::string_view> global_privileges() const noexcept override { return privileges; }
    [[nodiscard]] std::vector<std::string> lock_holder_queries(const table_name& table) const override {
        return {metadata_locks_query(table)};
    }

private:
    unsigned version_;
};

}  // namespace

family_ptr make_mysql_family(unsigned version_number) { return std::make_shared<mysql_family>(version_number); }

}  // namespace sluice::migration
