// One migration on every family of servers, in every way in which they log changes: GTIDs on and off, row images,
// compression, partial JSON, XA, savepoints, changed by sessions from one transaction to the next. Row for row the
// result must be what the server's own ALTER gives.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/integration/migration/varied_writes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/row_compare.hpp"

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;

namespace {

constexpr const char* alter =
    "ADD COLUMN added INT NOT NULL DEFAULT 5, MODIFY COLUMN amount BIGINT NOT NULL, ADD KEY by_amount (amount)";

struct log_variant {
    const char* name;
    server_kind kind;
    bool gtid = true;
    const char* row_image = "FULL";
    std::vector<std::string> arguments = {};
    std::vector<std::string> settings = {};  ///< of sessions
    bool json = false;
};

const std::vector<std::string> row_images = {"SET SESSION binlog_row_image = FULL",
                                             "SET SESSION binlog_row_image = MINIMAL",
                                             "SET SESSION binlog_row_image = NOBLOB"};
const std::vector<std::string> settings_9_7 = {
    "SET SESSION binlog_row_image = FULL",
    "SET SESSION binlog_row_image = MINIMAL",
    "SET SESSION binlog_row_image = NOBLOB",
    "SET SESSION binlog_transaction_compression = ON",
    "SET SESSION binlog_transaction_compression = OFF",
    "SET SESSION binlog_row_value_options = 'PARTIAL_JSON'",
    "SET SESSION binlog_row_value_options = ''",
    "SET SESSION binlog_rows_query_log_events = ON",
};

const std::vector<log_variant>& variants() {
    static const std::vector<log_variant> all = {
        {"9.7, GTIDs, full images", server_kind::mysql_9_7},
        {"9.7, GTIDs, minimal images, partial JSON",
         server_kind::mysql_9_7,
         true,
         "MINIMAL",
         {"--binlog-row-value-options=PARTIAL_JSON"},
         {},
         true},
        {"9.7, GTIDs, compressed, NOBLOB",
         server_kind::mysql_9_7,
         true,
         "NOBLOB",
         {"--binlog-transaction-compression=ON"},
         {},
         true},
        {"9.7, GTIDs, all changed by sessions", server_kind::mysql_9_7, true, "FULL", {}, settings_9_7, true},
        {"9.7, no GTIDs, full images", server_kind::mysql_9_7, false},
        {"9.7, no GTIDs, all changed by sessions", server_kind::mysql_9_7, false, "MINIMAL", {}, settings_9_7, true},
        {"9.7, no GTIDs, commits out of order",
         server_kind::mysql_9_7,
         false,
         "FULL",
         {"--binlog-order-commits=OFF"},
         row_images},
        {"5.6, no GTIDs, full images", server_kind::mysql_5_6, false},
        {"5.6, GTIDs, minimal images", server_kind::mysql_5_6, true, "MINIMAL"},
        {"5.6, no GTIDs, changed by sessions",
         server_kind::mysql_5_6,
         false,
         "NOBLOB",
         {"--binlog-rows-query-log-events=ON", "--binlog-checksum=NONE", "--binlog-order-commits=OFF"},
         row_images},
        {"5.6, old row events", server_kind::mysql_5_6, false, "FULL", {"--log-bin-use-v1-row-events=ON"}},
        {"MariaDB, full images, annotated", server_kind::mariadb_10_11},
        {"MariaDB, temporal types of old", server_kind::mariadb_10_11, true, "FULL", {"--mysql56-temporal-format=OFF"}},
        {"MariaDB, compressed, minimal images",
         server_kind::mariadb_10_11,
         true,
         "MINIMAL",
         {"--log-bin-compress=ON", "--log-bin-compress-min-len=10"}},
        {"MariaDB, changed by sessions, compressed, no annotations",
         server_kind::mariadb_10_11,
         true,
         "NOBLOB",
         {"--log-bin-compress=ON", "--binlog-annotate-row-events=OFF", "--binlog-checksum=NONE"},
         {"SET SESSION binlog_row_image = FULL", "SET SESSION binlog_row_image = MINIMAL",
          "SET SESSION binlog_row_image = NOBLOB", "SET SESSION binlog_annotate_row_events = ON",
          "SET SESSION binlog_annotate_row_events = OFF"}},
    };
    return all;
}

mysql_server start(const log_variant& variant) {
    server_options options;
    options.kind = variant.kind;
    options.gtid = variant.gtid;
    options.row_image = variant.row_image;
    options.extra_arguments = variant.arguments;
    return mysql_server::start(options);
}

}  // namespace

TEST_CASE("a table is migrated exactly on every family of servers, however its changes are logged") {
    const auto number = GENERATE(range(std::size_t{0}, variants().size()));
    const log_variant& variant = variants()[number];
    INFO(variant.name);
    const mysql_server server = start(variant);
    sql_connection root = connect(server, "test");
    varied_table what;
    what.table = "t";
    what.mirror = "t_mirror";
    what.json = variant.json;
    what.detached_xa = variant.kind != server_kind::mysql_5_6;
    what.settings = variant.settings;
    if (variant.kind == server_kind::mysql_9_7) root.exec("GRANT XA_RECOVER_ADMIN ON *.* TO 'sluice'@'%'");
    // Generated columns in front of the key: servers differ in which of them the log has.
    const std::string generated =
        variant.kind == server_kind::mysql_5_6 ? "" : "gv INT AS (amount + 1) VIRTUAL, gs INT AS (amount * 2) STORED, ";
    for (const std::string& table : {what.table, what.mirror}) {
        root.exec("CREATE TABLE " + table + " (payload TEXT, amount INT NOT NULL, " + generated +
                  "id INT NOT NULL PRIMARY KEY, doc " + (variant.json ? "JSON" : "LONGTEXT") +
                  ", KEY by_payload (payload(10))) ENGINE=InnoDB");
    }
    varied_writes::fill(root, what);

    auto engine = engine_on(server);
    varied_writes writes(server, what, 3, static_cast<unsigned>(number) + 1);
    migration::migration_spec spec{{"test", what.table}, alter, {}};
    spec.options.chunk_rows_fixed = 50;
    spec.options.postpone_cutover = true;
    spec.options.drop_old_table = true;
    spec.options.hold_interval = std::chrono::milliseconds(100);
    spec.options.page_flush_wait = std::chrono::milliseconds(0);
    spec.options.hold_budget = std::chrono::milliseconds(2'000);
    const auto created = engine->create(spec);
    REQUIRE(created);
    const std::string id = (*created)->id;
    wait_for_ready(*engine, id);
    const auto before = writes.transactions();
    wait_until(*engine, id, [&](const auto& s) { return writes.transactions() > before + 150 || is_final(s.state); });
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    const auto done = wait_for_end(*engine, id);
    INFO(error_text(*done));
    REQUIRE(done->state == migration_state::completed);
    CHECK(done->verification.rows_repaired == 0);  // nothing was lost on the way
    CHECK(done->deltas_applied > 0);
    const auto after = writes.transactions();
    wait_until(*engine, id, [&](const auto&) { return writes.transactions() > after + 20; });
    writes.stop();
    root.exec("ALTER TABLE " + what.mirror + " " + alter);
    comparison_options how;
    how.key = {"id"};
    const comparison compared = compare_rows({root, "t"}, {root, "t_mirror"}, how);
    INFO(compared.text());
    CHECK(compared.equal());
    CHECK(compared.rows_left > 100);
}
