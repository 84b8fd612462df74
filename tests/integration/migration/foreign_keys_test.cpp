// Foreign keys of a table that is migrated, and to it: carried over, left behind, rebuilt, or refused.

#include "tests/integration/migration/foreign_key_family.hpp"

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;

TEST_CASE("the table's own foreign keys are carried over, and hold on the new table as they did") {
    auto& server = relations_server(server_kind::mysql_9_7);
    auto root = emptied_schemas(server);
    const bool cascades = GENERATE(false, true);
    make_family(root, cascades ? "ON DELETE CASCADE ON UPDATE CASCADE" : "");
    const auto before = keys_like(root, "t");
    auto spec = relations_spec("t", "ADD COLUMN extra INT NOT NULL DEFAULT 3");
    spec.options.keep_foreign_keys = true;
    const auto ended = migrated_under_writes(server, spec, cascades);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    check_equal_to_mirror(root);
    CHECK(keys_like(root, "t") == before);
    CHECK(keys_like(root, "_t_del").empty());
    CHECK(root.error_of("INSERT INTO t (id, p) VALUES (-1, -77)") == 1452);
    CHECK(root.error_of("INSERT INTO t (id, up) VALUES (-1, -77)") == 1452);
    CHECK(root.error_of("INSERT INTO t (id, qa, qb) VALUES (-1, 1, 'Q1')") == 1452);
    root.exec("SET foreign_key_checks = 0");
    root.exec("DELETE FROM mirror");
    root.exec("SET foreign_key_checks = 1");
    CHECK(root.error_of("DELETE FROM p") == (cascades ? 0U : 1451U));
    CHECK(root.scalar("SELECT COUNT(*) = 0 FROM t") == (cascades ? "1" : "0"));
}

TEST_CASE("columns of foreign keys may be renamed, and keys dropped in the same ALTER") {
    auto& server = relations_server(server_kind::mysql_9_7);
    auto root = emptied_schemas(server);
    make_family(root, "");
    auto spec =
        relations_spec("t", "RENAME COLUMN p TO parent, DROP FOREIGN KEY `t_ibfk_1`, RENAME COLUMN id TO ident");
    spec.options.keep_foreign_keys = true;
    const auto ended = migrated(server, spec);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    CHECK(keys_like(root, "t") ==
          "_t_tree t up -> t ident NO ACTION NO ACTION; t_to_p t parent -> p id NO ACTION NO ACTION");
    CHECK(keys_like(root, "_t_del").empty());
}

TEST_CASE("an ALTER that only drops a foreign key needs no consent for it") {
    auto& server = relations_server(server_kind::mysql_9_7);
    auto root = emptied_schemas(server);
    root.exec("CREATE TABLE p (id INT PRIMARY KEY)");
    root.exec("CREATE TABLE t (id INT PRIMARY KEY, p INT, CONSTRAINT a FOREIGN KEY (p) REFERENCES p (id))");
    const auto ended = migrated(server, relations_spec("t", "DROP FOREIGN KEY a, ADD COLUMN extra INT"));
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    CHECK(keys_like(root, "t").empty());
    check_refused(server, relations_spec("t", "DROP FOREIGN KEY nothing, ADD COLUMN more INT"), "bad_alter",
                  {"nothing"});
}

TEST_CASE("foreign keys are left behind where that is wanted, and the old table holds nobody up") {
    auto& server = relations_server(server_kind::mysql_9_7);
    auto root = emptied_schemas(server);
    make_family(root, "ON DELETE CASCADE ON UPDATE CASCADE");
    auto spec = relations_spec("t", "ADD COLUMN extra INT");
    spec.options.discard_foreign_keys = true;
    const auto ended = migrated(server, spec);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    CHECK(keys_like(root, "t").empty());
    CHECK(keys_like(root, "_t_del").empty());
    root.exec("DELETE FROM mirror");
    CHECK(root.error_of("DELETE FROM p") == 0);
    CHECK(root.scalar("SELECT COUNT(*) FROM t") == "500");
}

TEST_CASE("foreign keys without consent, and those that do not fit, are refused by name") {
    auto& server = relations_server(server_kind::mysql_9_7);
    auto root = emptied_schemas(server);
    make_family(root, "ON DELETE CASCADE");
    auto spec = relations_spec("t", "ADD COLUMN extra INT");
    SECTION("no consent") {
        check_refused(
            server, spec, "foreign_keys",
            {"`t_to_p` (`test`.`t` to `test`.`p`, ON DELETE CASCADE)", "`t_ibfk_1`", "`_t_tree`", "keep_foreign_keys"});
    }
    SECTION("both") {
        spec.options.keep_foreign_keys = spec.options.discard_foreign_keys = true;
        check_refused(server, spec, "foreign_key_options", {"exclude each other"});
    }
    spec.options.keep_foreign_keys = true;
    SECTION("a column whose type changes") {
        spec.alter = "MODIFY p BIGINT";
        check_refused(server, spec, "foreign_key_misfit", {"`t_to_p`", "type of column `p`"});
    }
    SECTION("a column that goes") {
        spec.alter = "DROP COLUMN qb";
        check_refused(server, spec, "foreign_keys", {"drops column `qb`", "`t_ibfk_1`"});
    }
    SECTION("a column that cannot be NULL any more") {
        spec.alter = "MODIFY up INT NOT NULL DEFAULT 1";
        check_refused(server, spec, "foreign_key_misfit", {"`_t_tree`", "NOT NULL"});
    }
    SECTION("an index that goes") {
        spec.alter = "DROP INDEX t_to_p";
        check_refused(server, spec, "foreign_key_misfit", {"`t_to_p`", "no index begins with its columns"});
    }
    SECTION("a new one") {
        spec.alter = "ADD COLUMN another INT, ADD FOREIGN KEY (another) REFERENCES p (id)";
        check_refused(server, spec, "unsupported_alter", {"ADD FOREIGN KEY"});
    }
    SECTION("a new one within a column") {
        spec.alter = "ADD COLUMN another INT REFERENCES p (id)";
        check_refused(server, spec, "unsupported_alter", {"adds a foreign key"});
    }
    SECTION("a name that is taken") {
        root.exec("CREATE TABLE taker (id INT PRIMARY KEY, CONSTRAINT t_tree FOREIGN KEY (id) REFERENCES p (id))");
        check_refused(server, spec, "foreign_key_name_taken", {"`_t_tree`", "taker"});
    }
    CHECK(keys_like(root, "t") == with_names_of_t(keys_like(root, "mirror")));
}

TEST_CASE("foreign keys of other tables are pointed at the new table, each under its name and index") {
    auto& server = relations_server(server_kind::mysql_9_7);
    auto root = emptied_schemas(server);
    root.exec("CREATE TABLE t (id INT PRIMARY KEY, code VARCHAR(20) NOT NULL, UNIQUE KEY by_code (code))");
    root.exec(
        "CREATE TABLE c1 (id INT AUTO_INCREMENT PRIMARY KEY, t INT, code VARCHAR(30),"
        " CONSTRAINT c1_t FOREIGN KEY (t) REFERENCES t (id),"
        " KEY own_index (code, t), CONSTRAINT c1_code FOREIGN KEY (code) REFERENCES t (code) ON UPDATE CASCADE)");
    root.exec(
        "CREATE TABLE other.`c 2` (id INT AUTO_INCREMENT PRIMARY KEY, t INT, "
        "FOREIGN KEY (t) REFERENCES test.t (id) ON DELETE CASCADE)");
    for (int i = 1; i <= 300; ++i) {
        root.exec("INSERT INTO t VALUES (" + std::to_string(i) + ", 'c" + std::to_string(i) + "')");
    }
    auto spec = relations_spec("t", "ADD COLUMN extra INT NOT NULL DEFAULT 3, RENAME COLUMN id TO ident");
    check_refused(server, spec, "referencing_foreign_keys",
                  {"`c1_t` (`test`.`c1` to `test`.`t`)", "(`other`.`c 2` to `test`.`t`, ON DELETE CASCADE)",
                   "rebuild_referencing_keys"});
    spec.options.rebuild_referencing_keys = true;
    spec.options.postpone_cutover = true;
    spec.options.drop_old_table = true;
    const auto c1_before = definition(root, "c1");
    std::atomic<bool> stop{false};
    std::atomic<int> rounds{0};
    std::string error;
    std::thread writer([&] {
        try {
            sql_connection connection(server.port(), app_user, app_password, "test");
            for (int n = 1'000; !stop; ++n, ++rounds) {
                const auto id = std::to_string(n);
                connection.exec("INSERT INTO t VALUES (" + id + ", 'n" + id + "'" +
                                (connection.error_of("SELECT extra FROM t LIMIT 0") == 0 ? ", 3)" : ")"));
                connection.exec("INSERT INTO c1 (t, code) VALUES (" + id + ", 'n" + id + "')");
                connection.exec("INSERT INTO other.`c 2` (t) VALUES (" + id + ")");
                connection.exec("UPDATE t SET code = 'm" + id + "' WHERE code = 'n" + id + "'");
            }
        } catch (const sql_error& failed) {
            error = failed.what();
        }
    });
    auto engine = engine_on(server);
    const auto created = engine->create(spec);
    REQUIRE(created);
    const std::string id = (*created)->id;
    wait_until(*engine, id, [&](const auto& s) { return is_ready(s) && rounds > 20; });
    CHECK(engine->command(id, migration::operator_command::cut_over));
    const auto ended = wait_for_end(*engine, id);
    const int before = rounds;
    wait_until(*engine, id, [&](const auto&) { return rounds > before + 20 || !error.empty(); });
    stop = true;
    writer.join();
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    // The writer tells new from old by a statement of its own, and may be overtaken by the swap once.
    CHECK((error.empty() || error.find("Column count doesn't match") != std::string::npos));
    auto c1_expected = c1_before;
    for (auto& line : c1_expected) {
        const auto place = line.find("REFERENCES `t` (`id`)");
        if (place != std::string::npos) line.replace(place, 21, "REFERENCES `t` (`ident`)");
    }
    CHECK(definition(root, "c1") == c1_expected);
    CHECK_THAT(keys_like(root, "c 2"), Catch::Matchers::Contains("t -> t ident CASCADE NO ACTION"));
    CHECK(root.scalar(
              "SELECT COUNT(*) FROM c1 LEFT JOIN t ON t.ident = c1.t AND t.code = c1.code WHERE t.ident IS NULL") ==
          "0");
    CHECK(root.scalar("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME = '_t_del'") == "0");
    CHECK(root.error_of("INSERT INTO c1 (t) VALUES (-5)") == 1452);
    CHECK(root.error_of("DELETE FROM t WHERE ident = 1001") == 1451);
    root.exec("DELETE FROM c1");
    root.exec("DELETE FROM t");
    CHECK(root.scalar("SELECT COUNT(*) FROM other.`c 2`") == "0");
}

TEST_CASE("a foreign key to the table that appears meanwhile ends the migration") {
    auto& server = relations_server(server_kind::mysql_9_7);
    auto root = emptied_schemas(server);
    make_family(root, "");
    auto spec = relations_spec("t", "ADD COLUMN extra INT");
    spec.options.keep_foreign_keys = true;
    const bool at_the_lock = GENERATE(false, true);
    statement_hook hook;
    std::atomic<bool> made{false};
    const auto make = [&] {
        if (!made.exchange(true)) {
            connect(server, "test")
                .exec("CREATE TABLE late (id INT PRIMARY KEY, CONSTRAINT late_t FOREIGN KEY (id) REFERENCES t (id))");
        }
    };
    hook.before = [&](std::string_view sql, std::uint64_t) {
        if (at_the_lock && sql.starts_with("LOCK TABLES")) make();
    };
    spec.options.postpone_cutover = true;
    auto engine = hooked_engine_on(server, hook);
    const auto created = engine->create(spec);
    REQUIRE(created);
    wait_until(*engine, (*created)->id, is_ready);
    if (!at_the_lock) make();
    REQUIRE(engine->command((*created)->id, migration::operator_command::cut_over));
    const auto ended = wait_for_end(*engine, (*created)->id);
    REQUIRE(ended->state == migration_state::failed);
    CHECK(ended->error->code == "original_changed");
    CHECK_THAT(ended->error->message, Catch::Matchers::Contains("`late_t` (`test`.`late` to `test`.`t`)"));
    CHECK(keys_like(root, "t") == with_names_of_t(keys_like(root, "mirror")));
}

TEST_CASE("an attempt that is given up takes its foreign keys away; a lost connection behind the swap is made good") {
    auto& server = relations_server(server_kind::mysql_9_7);
    auto root = emptied_schemas(server);
    make_family(root, "ON DELETE CASCADE ON UPDATE CASCADE");
    root.exec("CREATE TABLE c (id INT PRIMARY KEY, t INT, CONSTRAINT c_t FOREIGN KEY (t) REFERENCES t (id))");
    const std::string where = GENERATE("RENAME TABLE `test`.`t`", "ALTER TABLE `test`.`c` ADD FOREIGN KEY",
                                       "ALTER TABLE `test`.`_t_del` DROP FOREIGN KEY", "ALTER TABLE `test`.`c` DROP");
    INFO(where);
    std::atomic<bool> killed{false};
    statement_hook hook;
    hook.before = [&](std::string_view sql, std::uint64_t connection) {
        if (sql.starts_with(where) && !killed.exchange(true))
            connect(server).exec("KILL " + std::to_string(connection));
    };
    auto spec = relations_spec("t", "ADD COLUMN extra INT");
    spec.options.keep_foreign_keys = true;
    spec.options.rebuild_referencing_keys = true;
    spec.options.hold_budget = std::chrono::milliseconds(2'000);
    auto engine = hooked_engine_on(server, hook);
    const auto created = engine->create(spec);
    REQUIRE(created);
    const auto ended = wait_for_end(*engine, (*created)->id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    CHECK(killed);
    check_equal_to_mirror(root);
    CHECK(keys_like(root, "_t_del").empty());
    CHECK(keys_like(root, "t").find("_t_del") == std::string::npos);
    CHECK(keys_like(root, "c").find("_t_del") == std::string::npos);
    CHECK(keys_like(root, "c").find("-> t id") != std::string::npos);
    CHECK(root.error_of("INSERT INTO c VALUES (1, -77)") == 1452);
    CHECK(root.error_of("INSERT INTO t (id, p) VALUES (-1, -77)") == 1452);
    root.exec("INSERT INTO t (id, p) VALUES (-2, 1)");
    root.exec("INSERT INTO c VALUES (1, -2)");
}
