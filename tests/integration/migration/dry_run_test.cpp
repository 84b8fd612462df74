// A dry run: what it says, that it refuses like a real run, and that nothing stays behind.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>

using namespace sluice;
using namespace sluice::test;
using migration::alter_forecast;
using migration::alter_way;

namespace {

const mysql_server& shared_server() {
    static const mysql_server server = mysql_server::start();
    return server;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

migration::migration_spec spec_of(const std::string& table, const std::string& alter) {
    return {{"test", table}, alter, {}};
}

bool warned(const alter_forecast& plan, const std::string& code) {
    return std::any_of(plan.warnings.begin(), plan.warnings.end(), [&](const auto& w) { return w.code == code; });
}

/// Everything of the server that a dry run could leave behind or change.
std::string traces(sql_connection& root) {
    root.exec("SET SESSION information_schema_stats_expiry = 0, group_concat_max_len = 100000");
    return root.scalar(
               "SELECT GROUP_CONCAT(table_schema, '.', table_name, ' ', IFNULL(auto_increment, '') ORDER BY 1) FROM "
               "information_schema.tables WHERE table_schema IN ('test', '_sluice')") +
           root.scalar("SELECT COUNT(*) FROM _sluice.migrations");
}

void make_orders(sql_connection& root, const std::string& rows = "(1, 'a', 10), (2, 'b', 20), (3, NULL, 30)") {
    root.exec("DROP TABLE IF EXISTS orders");
    root.exec(
        "CREATE TABLE orders (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, note VARCHAR(20), amount BIGINT, "
        "old INT, KEY by_amount (amount))");
    root.exec("INSERT INTO orders (id, note, amount) VALUES " + rows);
    root.exec("ANALYZE TABLE orders");
}

}  // namespace

TEST_CASE("a dry run says key, mapping, ways, size, estimate and warnings, and leaves nothing behind") {
    sql_connection root = connect(shared_server(), "test");
    auto engine = engine_on(shared_server());
    make_orders(root);
    const auto before = traces(root);
    const auto created = root.query("SHOW CREATE TABLE orders");
    auto spec = spec_of("orders",
                        "ADD COLUMN extra INT NOT NULL DEFAULT 0 FIRST, DROP COLUMN old, CHANGE amount total INT, "
                        "MODIFY note VARCHAR(20) NOT NULL, ADD UNIQUE KEY one (total)");
    const auto plan = engine->dry_run(spec);
    INFO((plan ? std::string() : plan.error().code + ": " + plan.error().message));
    REQUIRE(plan);
    CHECK(plan->way == alter_way::copy);
    REQUIRE(plan->ways.size() == 3);
    CHECK_FALSE(plan->ways[0].possible);
    CHECK(contains(plan->ways[0].reason, "184"));
    CHECK_FALSE(plan->ways[1].possible);
    CHECK(plan->ways[2].possible);
    CHECK(plan->unique_key == "PRIMARY (id)");
    CHECK(plan->rows_estimate == 3);
    CHECK(plan->data_bytes > 0);
    CHECK(plan->index_bytes > 0);
    CHECK(contains(plan->server, "MySQL 9."));
    REQUIRE(plan->columns.size() == 5);
    CHECK((plan->columns[0].before.empty() && plan->columns[0].after == "extra"));
    CHECK((plan->columns[1].before == "id" && plan->columns[1].after == "id"));
    CHECK((plan->columns[3].before == "amount" && plan->columns[3].after == "total"));
    CHECK((plan->columns[4].before == "old" && plan->columns[4].after.empty()));
    CHECK(plan->deferred_indexes == std::vector<std::string>{"by_amount"});
    CHECK(warned(*plan, "unique_key_added"));
    CHECK(warned(*plan, "values_converted"));
    CHECK(warned(*plan, "null_refused"));
    CHECK(warned(*plan, "indexes_deferred"));
    CHECK(warned(*plan, "rows_do_not_fit"));  // the row with NULL
    CHECK(traces(root) == before);
    CHECK(root.query("SHOW CREATE TABLE orders") == created);
    CHECK(root.scalar("SELECT COUNT(*) FROM orders") == "3");
}

TEST_CASE("the estimate rests on a sample, or on the last copy of the table") {
    sql_connection root = connect(shared_server(), "test");
    auto engine = engine_on(shared_server());
    make_orders(root);
    root.exec("SET SESSION cte_max_recursion_depth = 100000");
    root.exec(
        "INSERT INTO orders (note, amount) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE "
        "i < 12000) SELECT 'x', i FROM n");
    root.exec("ANALYZE TABLE orders");
    auto spec = spec_of("orders", "MODIFY amount INT");
    spec.options.drop_old_table = true;
    const auto sampled = engine->dry_run(spec);
    REQUIRE(sampled);
    REQUIRE(sampled->copy_estimate);
    CHECK(contains(sampled->estimate_basis, "first 2000 rows"));
    const auto begun = engine->create(spec);
    REQUIRE(begun);
    const auto ended = wait_for_end(*engine, (*begun)->id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration::migration_state::completed);
    CHECK(ended->copy_took.count() > 0);
    const auto known = engine->dry_run(spec_of("orders", "MODIFY amount BIGINT"));
    REQUIRE(known);
    CHECK(contains(known->estimate_basis, ended->id));
}

TEST_CASE("the way depends on what the server can and on what the options agree to") {
    sql_connection root = connect(shared_server(), "test");
    auto engine = engine_on(shared_server());
    make_orders(root);
    auto spec = spec_of("orders", "ADD COLUMN extra INT");
    const auto not_agreed = engine->dry_run(spec);
    REQUIRE(not_agreed);
    CHECK(not_agreed->way == alter_way::copy);
    CHECK((not_agreed->ways[0].possible && !not_agreed->ways[0].allowed));
    spec.options.attempt_instant = true;
    const auto agreed = engine->dry_run(spec);
    REQUIRE(agreed);
    CHECK(agreed->way == alter_way::instant);
    CHECK_FALSE(agreed->copy_estimate);

    // What a copy is refused for is no refusal where nothing is copied, but worth knowing.
    root.exec("CREATE TRIGGER orders_bi BEFORE INSERT ON orders FOR EACH ROW SET NEW.old = 1");
    const auto warned_plan = engine->dry_run(spec);
    REQUIRE(warned_plan);
    CHECK(warned(*warned_plan, "copy_refused"));
    spec.options.attempt_instant = false;
    const auto refused = engine->dry_run(spec);
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == "triggers");
}

TEST_CASE("a dry run refuses with the codes of a real run, and leaves nothing behind either") {
    sql_connection root = connect(shared_server(), "test");
    auto engine = engine_on(shared_server());
    make_orders(root);
    root.exec("CREATE TABLE IF NOT EXISTS no_key (a INT)");
    root.exec("CREATE TABLE IF NOT EXISTS heap (a INT PRIMARY KEY) ENGINE=MyISAM");
    const auto before = traces(root);
    const struct {
        const char* table;
        const char* alter;
        const char* code;
    } rows[] = {{"orders", "NONSENSE", "bad_alter"},
                {"orders", "DROP COLUMN nope", "alter_refused"},
                {"absent", "ADD COLUMN x INT", "no_such_table"},
                {"heap", "ADD COLUMN x INT", "wrong_engine"},
                {"no_key", "ADD COLUMN x INT", "no_shared_unique_key"}};
    for (const auto& r : rows) {
        INFO(r.table << ": " << r.alter);
        const auto dry = engine->dry_run(spec_of(r.table, r.alter));
        REQUIRE(dry.has_error());
        CHECK(dry.error().code == r.code);
        CHECK(traces(root) == before);
    }
    for (const auto& r : rows) {
        INFO(r.table << ": " << r.alter);
        const auto created = engine->create(spec_of(r.table, r.alter));
        REQUIRE(created);
        const auto real = wait_for_end(*engine, (*created)->id);
        REQUIRE(real->error);
        CHECK(real->error->code == r.code);
    }
}

TEST_CASE("what is in the way of a dry run is named and left alone") {
    sql_connection root = connect(shared_server(), "test");
    auto engine = engine_on(shared_server());
    make_orders(root);
    root.exec("CREATE TABLE _orders_dry (id INT PRIMARY KEY)");
    const auto refused = engine->dry_run(spec_of("orders", "ADD COLUMN x INT"));
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == "leftover_tables");
    CHECK(contains(refused.error().message, "_orders_dry"));
    CHECK(root.scalar("SELECT COUNT(*) FROM _orders_dry") == "0");
    auto spec = spec_of("orders", "ADD COLUMN x INT");
    spec.options.drop_leftovers = true;
    root.exec("CREATE TABLE _orders_gho (id INT PRIMARY KEY)");
    const auto dropping = engine->dry_run(spec);
    REQUIRE(dropping);
    CHECK(warned(*dropping, "leftovers_dropped"));
    CHECK(root.scalar("SELECT COUNT(*) FROM _orders_gho") == "0");
    root.exec("DROP TABLE _orders_gho");

    auto postponed = spec_of("orders", "ADD COLUMN x INT");
    postponed.options.postpone_cutover = true;
    const auto running = engine->create(postponed);
    REQUIRE(running);
    const auto busy = engine->dry_run(spec);
    REQUIRE(busy.has_error());
    CHECK(busy.error().code == "already_running");
    REQUIRE(engine->command((*running)->id, migration::operator_command::abort));
    (void)wait_for_end(*engine, (*running)->id);
}
