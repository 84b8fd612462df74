// The comparison as part of a migration: under writes, while the cut-over is postponed, and in the report.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/integration/migration/mirrored_writes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/row_compare.hpp"

#include <map>

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;

namespace {

const mysql_server& server_of(server_kind kind) {
    static std::map<server_kind, mysql_server> servers;
    const auto found = servers.find(kind);
    return found != servers.end() ? found->second : servers.emplace(kind, start_server(kind)).first->second;
}

constexpr auto all_kinds = {server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11};

migration::migration_spec spec_of(const std::string& table, const std::string& alter) {
    migration::migration_spec spec{{"test", table}, alter, {}};
    spec.options.drop_old_table = true;
    spec.options.hold_interval = std::chrono::milliseconds(100);
    spec.options.page_flush_wait = std::chrono::milliseconds(0);
    spec.options.hold_budget = std::chrono::milliseconds(2'000);
    return spec;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string begin(migration::migration_service& engine, const migration::migration_spec& spec) {
    const auto created = engine.create(spec);
    if (!created) throw std::runtime_error(created.error().message);
    return (*created)->id;
}

/// Waits for that many complete passes in a postponed migration.
migration::snapshot_ptr wait_for_passes(const migration::migration_service& engine, const std::string& id,
                                        std::uint64_t passes) {
    return wait_until(engine, id, [passes](const auto& s) {
        return is_final(s.state) || (s.state == migration_state::ready && s.verification.passes >= passes);
    });
}

}  // namespace

TEST_CASE("verification under writes: no row in flight is taken for damage, pass after pass, then the swap") {
    for (const auto kind : all_kinds) {
        INFO(throwaway::to_string(kind));
        const mysql_server& server = server_of(kind);
        sql_connection root = connect(server, "test");
        for (const char* name : {"busy", "busy_mirror"}) {
            root.exec(std::string("CREATE TABLE ") + name +
                      " (k INT NOT NULL PRIMARY KEY, payload VARCHAR(100) CHARACTER SET latin1 NOT NULL,"
                      " amount DECIMAL(12,2) NOT NULL, plain INT NOT NULL DEFAULT 5, KEY by_payload (payload))");
        }
        mirrored_table what{
            "`test`.`busy`", "`test`.`busy_mirror`", {"k"}, [](unsigned n) { return std::to_string(n); }};
        fill_both(root, what, 0, what.keys, 1);
        // Hot rows: every writer hits these few besides all others.
        mirrored_table hot = what;
        hot.keys = 8;
        auto spec = spec_of("busy",
                            "MODIFY payload VARCHAR(100) CHARACTER SET utf8mb4 NOT NULL, MODIFY amount DECIMAL(14,1) "
                            "NOT NULL");
        spec.options.postpone_cutover = true;
        spec.options.chunk_rows_initial = 100;
        auto engine = engine_on(server);
        mirrored_writes writes(server, what, 2, 11);
        mirrored_writes hot_writes(server, hot, 2, 12);
        const std::string id = begin(*engine, spec);
        const auto seen = wait_for_passes(*engine, id, 3);
        INFO(error_text(*seen));
        REQUIRE(seen->state == migration_state::ready);
        CHECK(seen->verification.rows_repaired == 0);
        const auto& last = seen->verification.last_pass;
        CHECK(last.rows_counted > 1'000);
        CHECK(last.rows_compared + last.rows_in_motion >= last.rows_counted);
        CHECK(last.rows_in_motion <= hot.keys);
        REQUIRE(engine->command(id, migration::operator_command::cut_over));
        const auto done = wait_for_end(*engine, id);
        INFO(error_text(*done));
        CHECK(done->state == migration_state::completed);
        CHECK(done->verification.rows_repaired == 0);
        writes.stop();
        hot_writes.stop();
        root.exec("ALTER TABLE busy_mirror " + spec.alter);
        comparison_options how;
        how.key = {"k"};
        const comparison compared = compare_rows({root, what.table}, {root, what.mirror}, how);
        INFO(compared.text());
        CHECK(compared.equal());
    }
}

TEST_CASE("verification while postponed: rows damaged in the ghost by hand are mended before the swap") {
    for (const auto kind : all_kinds) {
        INFO(throwaway::to_string(kind));
        const mysql_server& server = server_of(kind);
        sql_connection root = connect(server, "test");
        root.exec("CREATE TABLE mended (id INT PRIMARY KEY, v VARCHAR(20))");
        std::string values;
        for (int i = 1; i <= 3'000; ++i) values += (i == 1 ? "(" : ", (") + std::to_string(i) + ", 'v')";
        root.exec("INSERT INTO mended VALUES " + values);
        auto spec = spec_of("mended", "ADD COLUMN added INT NOT NULL DEFAULT 3");
        spec.options.postpone_cutover = true;
        auto engine = engine_on(server);
        const std::string id = begin(*engine, spec);
        const auto first = wait_for_passes(*engine, id, 1);
        INFO(error_text(*first));
        REQUIRE(first->state == migration_state::ready);
        CHECK(first->verification.last_pass.rows_counted == 3'000);
        CHECK(first->verification.last_pass.rows_compared == 3'000);
        REQUIRE(first->verification.last_pass_ended);
        root.exec("UPDATE _mended_gho SET v = 'V' WHERE id = 7");
        root.exec("DELETE FROM _mended_gho WHERE id IN (1, 3000)");
        root.exec("INSERT INTO _mended_gho (id, v) VALUES (-1, 'x'), (5000, 'y')");
        const auto mended = wait_for_passes(*engine, id, first->verification.passes + 2);
        INFO(error_text(*mended));
        REQUIRE(mended->state == migration_state::ready);
        CHECK(mended->verification.rows_repaired == 5);
        CHECK(*mended->verification.last_pass_ended > *first->verification.last_pass_ended);
        REQUIRE(engine->command(id, migration::operator_command::cut_over));
        const auto done = wait_for_end(*engine, id);
        INFO(error_text(*done));
        CHECK(done->state == migration_state::completed);
        CHECK(root.scalar("SELECT CONCAT(COUNT(*), ' ', SUM(BINARY v = 'v'), ' ', SUM(added), ' ', MIN(id), ' ',"
                          " MAX(id)) FROM mended") == "3000 3000 9000 1 3000");
    }
}

TEST_CASE("verification that fails leaves the original untouched and names what differs") {
    const mysql_server& server = server_of(server_kind::mysql_9_7);
    sql_connection root = connect(server, "test");
    root.exec("CREATE TABLE spoilt (id INT PRIMARY KEY, v INT)");
    root.exec("INSERT INTO spoilt VALUES (1, 1), (2, 2), (3, 3)");
    auto spec = spec_of("spoilt", "ADD COLUMN added INT");
    spec.options.postpone_cutover = true;
    auto engine = engine_on(server);
    const std::string id = begin(*engine, spec);
    REQUIRE(wait_for_passes(*engine, id, 1)->state == migration_state::ready);
    root.exec("CREATE TRIGGER spoils BEFORE INSERT ON _spoilt_gho FOR EACH ROW SET NEW.v = 0");
    root.exec("UPDATE _spoilt_gho SET v = 0 WHERE id = 2");
    const auto failed = wait_for_end(*engine, id);
    REQUIRE(failed->state == migration_state::failed);
    INFO(error_text(*failed));
    CHECK(failed->error->code == "verification_failed");
    CHECK(contains(failed->error->message, "1 row of"));
    CHECK(contains(failed->error->message, "key (2): differs in `v`"));
    CHECK(root.scalar("SELECT GROUP_CONCAT(id, v ORDER BY id) FROM spoilt") == "11,22,33");
    CHECK(root.scalar("SELECT COUNT(*) FROM information_schema.tables WHERE table_name LIKE '\\_spoilt%'") == "0");
}

TEST_CASE("verification of an empty table says so; without verify the report says that nothing was compared") {
    for (const auto kind : all_kinds) {
        INFO(throwaway::to_string(kind));
        sql_connection root = connect(server_of(kind), "test");
        root.exec("CREATE TABLE hollow (id INT PRIMARY KEY, v INT)");
        auto engine = engine_on(server_of(kind));
        auto spec = spec_of("hollow", "ADD COLUMN a INT, MODIFY v VARCHAR(20)");
        const auto empty = wait_for_end(*engine, begin(*engine, spec));
        INFO(error_text(*empty));
        REQUIRE(empty->state == migration_state::completed);
        CHECK(empty->verification.passes == 1);
        CHECK(empty->verification.last_pass.rows_counted == 0);
        CHECK(empty->verification.last_pass.rows_compared == 0);
        // A nullable new column is filled by the server: nothing of the original is in it.
        CHECK(empty->verification.columns_not_compared == std::vector<std::string>{"a"});
        root.exec("INSERT INTO hollow (id, v) VALUES (1, '1'), (2, '2')");
        spec.alter = "ADD COLUMN b INT";
        spec.options.verify = false;
        const auto unverified = wait_for_end(*engine, begin(*engine, spec));
        INFO(error_text(*unverified));
        REQUIRE(unverified->state == migration_state::completed);
        CHECK(unverified->verification.passes == 0);
        CHECK_FALSE(unverified->verification.last_pass_ended);
        // The report outlives the process.
        engine.reset();
        engine = engine_on(server_of(kind));
        CHECK(engine->find(empty->id)->verification.passes == 1);
        CHECK(engine->find(empty->id)->verification.last_pass_ended);
    }
}
