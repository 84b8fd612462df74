// MySQL 5.6 and 5.7, and 8.0 before 8.0.13: what they have in common is that RENAME fails under LOCK TABLES.

#include "migration/family/families.hpp"

#include <array>

namespace sluice::migration {
namespace {

constexpr std::array<std::string_view, 3> privileges{"PROCESS", "REPLICATION SLAVE", "REPLICATION CLIENT"};
constexpr unsigned row_constructor_since = 50703;  // the range optimizer reads (a, b) IN ((1, 2), (3, 4))
constexpr unsigned metadata_locks_since = 50703;
constexpr unsigned renamed_views_since = 80003;
constexpr unsigned set_user_id_since = 80000;

class mysql_5_family final : public server_family {
public:
    explicit mysql_5_family(unsigned version) : version_(version) {}

    [[nodiscard]] std::string_view product() const noexcept override { return "MySQL"; }
    /// WAIT_FOR_EXECUTED_GTID_SET came with 5.7.5, and gtid_executed of 5.6 runs ahead of visibility. Share-lock reads
    /// are exact on all of them.
    [[nodiscard]] bool confirms_by_gtid(bool /*gtid_mode_on*/) const noexcept override { return false; }
    [[nodiscard]] std::string_view binlog_status_statement() const noexcept override { return "SHOW MASTER STATUS"; }
    [[nodiscard]] bool rename_under_lock() const noexcept override { return false; }
    [[nodiscard]] bool rename_sleeps_for_writes() const noexcept override { return true; }
    [[nodiscard]] key_set_form key_form() const noexcept override {
        return version_ >= row_constructor_since ? key_set_form::row_constructor : key_set_form::or_of_ands;
    }
    [[nodiscard]] bool check_names_belong_to_table() const noexcept override { return false; }  // there are none
    [[nodiscard]] std::string_view tables_view() const noexcept override {
        return version_ >= renamed_views_since ? "INNODB_TABLES" : "INNODB_SYS_TABLES";
    }
    [[nodiscard]] bool self_references_follow_renames() const noexcept override { return false; }
    [[nodiscard]] std::string_view foreign_keys_view() const noexcept override {
        return version_ >= renamed_views_since ? "INNODB_FOREIGN" : "INNODB_SYS_FOREIGN";
    }

    void describe_specials(const named_cells& row, column_description& column) const override {
        const auto extra = row.text("EXTRA");  // generated columns came with 5.7
        column.generated = says(extra, "virtual generated") || says(extra, "stored generated");
        column.logged = !says(extra, "virtual generated");
        if (const cell* value = row.find("COLUMN_DEFAULT"); value != nullptr) column.default_value = *value;
    }
    [[nodiscard]] bool is_visible_index(const named_cells& row) const override {
        return row.text("IS_VISIBLE") != "NO";  // 8.0; no such column before
    }

    [[nodiscard]] std::string_view definer_privilege() const noexcept override {
        return version_ >= set_user_id_since ? "SET_USER_ID" : "SUPER";
    }
    [[nodiscard]] std::span<const std::string_view> global_privileges() const noexcept override { return privileges; }
    [[nodiscard]] std::vector<std::string> lock_holder_queries(const table_name& table) const override {
        if (version_ < metadata_locks_since) return {};
        return {metadata_locks_query(table)};
    }

private:
    unsigned version_;
};

}  // namespace

family_ptr make_mysql_5_family(unsigned version_number) { return std::make_shared<mysql_5_family>(version_number); }

}  // namespace sluice::migration
