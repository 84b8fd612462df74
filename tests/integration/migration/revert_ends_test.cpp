// The way back: what goes there and back beside the rows, how it ends without a revert, and what is refused before.

#include "tests/integration/migration/way_back_scene.hpp"
#include "tests/support/catch.hpp"

#include <string>

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;
using migration::operator_command;

TEST_CASE("a value that does not fit the old definition ends the way back and harms nothing") {
    const auto kind = GENERATE(values(all_kinds));
    INFO(to_string(kind));
    way_back_scene scene(kind);
    scene.root.exec("DROP TABLE IF EXISTS misfit, _misfit_del");
    scene.root.exec("CREATE TABLE misfit (id INT NOT NULL PRIMARY KEY, amount INT NOT NULL)");
    scene.root.exec("INSERT INTO misfit VALUES (1, 10), (2, 20)");
    auto spec = spec_of("misfit", "MODIFY amount BIGINT NOT NULL");
    spec.options.drop_old_table = true;
    scene.begin_in_sync(spec);
    scene.root.exec("UPDATE misfit SET amount = 11 WHERE id = 1");
    scene.wait_applied(1);
    CHECK(scene.root.scalar("SELECT amount FROM _misfit_del WHERE id = 1") == "11");
    scene.root.exec("UPDATE misfit SET amount = 5000000000 WHERE id = 2");
    const auto ended = scene.wait_end(migration_state::completed);
    REQUIRE(ended->way_back.ended_by);
    CHECK(ended->way_back.ended_by->code == "out_of_range");
    CHECK(ended->way_back.ended_by->message.find("`id` = 2") != std::string::npos);
    CHECK(ended->way_back.ended_by->message.find("5000000000") != std::string::npos);
    CHECK(scene.root.scalar("SELECT amount FROM misfit WHERE id = 2") == "5000000000");
    // Kept, although the option says drop: what it has may be wanted.
    CHECK(tables_left(scene.root, "\\_misfit%") == "_misfit_del");
    const auto refused = scene.engine->command(scene.id, operator_command::revert);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == "wrong_state");
}

TEST_CASE("an old table that is spoiled again after each repair does not take the name") {
    statement_hook hook;
    hook.before = [](std::string_view sql, std::uint64_t) {
        if (!sql.starts_with("SELECT") || sql.find("_meddled_del") == std::string_view::npos) return;
        auto vandal = connect(server_of(server_kind::mysql_9_7), "test");
        (void)vandal.error_of("UPDATE _meddled_del SET amount = -1 WHERE id = 2");
    };
    way_back_scene scene(server_kind::mysql_9_7, hook);
    scene.root.exec("CREATE TABLE meddled (id INT NOT NULL PRIMARY KEY, amount INT NOT NULL)");
    scene.root.exec("INSERT INTO meddled VALUES (1, 10), (2, 20)");
    auto spec = spec_of("meddled", "MODIFY amount BIGINT NOT NULL");
    spec.options.drop_old_table = true;
    scene.begin(spec);
    const auto ended = scene.wait_end(migration_state::completed);
    REQUIRE(ended->way_back.ended_by);
    CHECK(ended->way_back.ended_by->code == "verification_failed");
    CHECK(ended->way_back.ended_by->message.find("differs in `amount`") != std::string::npos);
    CHECK(tables_left(scene.root, "\\_meddled%") == "_meddled_del");
    CHECK(scene.root.scalar("SELECT GROUP_CONCAT(amount ORDER BY id) FROM meddled") == "10,20");
}

TEST_CASE("triggers and foreign keys are the table's again after a revert, and acted once on each write") {
    const auto kind = GENERATE(values(all_kinds));
    INFO(to_string(kind));
    way_back_scene scene(kind);
    sql_connection& root = scene.root;
    const bool referenced = kind == server_kind::mysql_9_7;  // where such keys can be pointed elsewhere
    root.exec("SET GLOBAL log_bin_trust_function_creators = ON");
    root.exec("CREATE TABLE shop (id INT NOT NULL PRIMARY KEY)");
    root.exec("INSERT INTO shop VALUES (1), (2)");
    root.exec("CREATE TABLE seen (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, what VARCHAR(20))");
    root.exec(
        "CREATE TABLE sale (id INT NOT NULL PRIMARY KEY, shop_no INT NOT NULL, amount INT NOT NULL, KEY by_shop "
        "(shop_no),"
        " CONSTRAINT sale_to_shop FOREIGN KEY (shop_no) REFERENCES shop (id))");
    if (referenced) {
        root.exec(
            "CREATE TABLE line (id INT NOT NULL PRIMARY KEY, sale INT NOT NULL, CONSTRAINT line_to_sale FOREIGN KEY "
            "(sale) REFERENCES sale (id))");
    }
    sql_connection owner(scene.server.port(), sluice_user, sluice_password, "test");
    owner.exec("CREATE TRIGGER sale_ai AFTER INSERT ON sale FOR EACH ROW INSERT INTO seen (what) VALUES (NEW.id)");
    owner.exec("CREATE TRIGGER sale_bu BEFORE UPDATE ON sale FOR EACH ROW SET NEW.amount = NEW.amount + 1000");
    root.exec("INSERT INTO sale VALUES (1, 1, 10), (2, 2, 20)");
    const auto definitions = [&] {
        std::string all;
        for (const std::string table : {"sale", referenced ? "line" : "shop"}) {
            all += *root.query("SHOW CREATE TABLE " + table)[0][1] + "\n";
            // The server's own default; these two spell it out where somebody has said it.
            const std::string said = " ON DELETE NO ACTION ON UPDATE NO ACTION";
            if (const auto at = all.find(said); at != all.npos) all.erase(at, said.size());
        }
        for (const auto& trigger : root.query("SHOW TRIGGERS LIKE 'sale'"))
            all += *trigger[0] + ": " + *trigger[3] + "\n";
        return all;
    };
    const std::string before = definitions();

    auto spec = spec_of("sale", "CHANGE shop_no shop INT NOT NULL, ADD COLUMN extra INT NOT NULL DEFAULT 4");
    spec.options.include_triggers = true;
    spec.options.trigger_suffix = "_t";
    spec.options.keep_foreign_keys = true;
    spec.options.rebuild_referencing_keys = referenced;
    scene.begin_in_sync(spec);
    CHECK(root.query("SHOW TRIGGERS LIKE '%sale_del'").empty());
    CHECK(root.error_of("INSERT INTO sale VALUES (3, 99, 30, 1)") == 1452);
    root.exec("INSERT INTO sale VALUES (3, 1, 30, 1)");
    root.exec("UPDATE sale SET amount = 5 WHERE id = 1");
    scene.wait_applied(2);
    if (referenced) root.exec("INSERT INTO line VALUES (1, 3)");
    // A process that comes back finds what the last one has made of the tables.
    scene.stop_engine();
    scene.start_engine();
    scene.wait_in_sync();
    scene.revert();
    CHECK(definitions() == before);
    CHECK(root.scalar("SELECT GROUP_CONCAT(id, ':', shop_no, ':', amount ORDER BY id) FROM sale") ==
          "1:1:1005,2:2:20,3:1:30");
    CHECK(root.error_of("INSERT INTO sale VALUES (4, 99, 30)") == 1452);
    root.exec("INSERT INTO sale VALUES (4, 2, 40)");
    if (referenced) CHECK(root.error_of("DELETE FROM sale WHERE id = 3") == 1451);
    CHECK(root.scalar("SELECT GROUP_CONCAT(what ORDER BY id) FROM seen") == "1,2,3,4");
    // The table that was live has no key any more that could hold up changes of others.
    root.exec("DELETE FROM sale WHERE id = 4");
    CHECK(root.error_of("DELETE FROM shop WHERE id = 2") == 1451);  // sale 2
    root.exec("DELETE FROM sale WHERE id = 2");
    CHECK(root.error_of("DELETE FROM shop WHERE id = 2") == 0);
    for (const char* table : {"line", "sale", "_sale_gho", "shop", "seen"}) {
        root.exec("DROP TABLE IF EXISTS " + std::string(table));
    }
}

TEST_CASE("a row that gets another key ends the way back where the ALTER drops columns") {
    way_back_scene scene(server_kind::mysql_9_7);
    scene.root.exec("CREATE TABLE moving (id INT NOT NULL PRIMARY KEY, gone INT, amount INT)");
    scene.root.exec("INSERT INTO moving VALUES (1, 10, 1), (2, 20, 2)");
    scene.begin_in_sync(spec_of("moving", "DROP COLUMN gone"));
    scene.root.exec("UPDATE moving SET id = 3 WHERE id = 1");
    const auto ended = scene.wait_end(migration_state::completed);
    REQUIRE(ended->way_back.ended_by);
    CHECK(ended->way_back.ended_by->code == "row_moved");
    CHECK(scene.root.scalar("SELECT GROUP_CONCAT(id ORDER BY id) FROM moving") == "2,3");
}

TEST_CASE("finish lets the old table go, and a revert can be called off") {
    way_back_scene scene(server_kind::mysql_9_7);
    scene.root.exec("CREATE TABLE finished (id INT NOT NULL PRIMARY KEY, amount INT)");
    scene.root.exec("INSERT INTO finished VALUES (1, 10), (2, 20)");
    auto spec = spec_of("finished", "ADD COLUMN extra INT");
    spec.options.drop_old_table = true;
    scene.begin(spec);
    CHECK_FALSE(scene.engine->command(scene.id, operator_command::revert));
    scene.wait_in_sync();
    CHECK_FALSE(scene.engine->command(scene.id, operator_command::cut_over));
    CHECK(scene.engine->create(spec_of("finished", "ADD COLUMN other INT")).error().code == "already_running");

    sql_connection reader = connect(scene.server, "test");
    reader.exec("START TRANSACTION");
    reader.query("SELECT * FROM finished");
    scene.tell(operator_command::revert);
    wait_until(*scene.engine, scene.id,
               [](const auto& s) { return s.state == migration_state::reverting || is_final(s.state); });
    scene.tell(operator_command::abort);
    scene.wait_in_sync();
    reader.exec("COMMIT");
    scene.root.exec("INSERT INTO finished VALUES (3, 30, 3)");
    scene.wait_applied(1);
    CHECK(scene.root.scalar("SELECT amount FROM _finished_del WHERE id = 3") == "30");

    scene.tell(operator_command::finish);
    const auto ended = scene.wait_end(migration_state::completed);
    CHECK_FALSE(ended->way_back.ended_by);
    CHECK(tables_left(scene.root, "\\_finished%").empty());
    CHECK(scene.root.scalar("SELECT COUNT(*) FROM finished") == "3");
}

TEST_CASE("what has no way back is refused before anything is copied") {
    way_back_scene scene(server_kind::mysql_9_7);
    scene.root.exec("CREATE TABLE no_way_back (id INT NOT NULL PRIMARY KEY, d DATE NOT NULL, t TIME, n INT)");
    const auto refused_with = [&](migration::migration_spec spec) {
        scene.begin(spec);
        const auto ended = scene.wait_end(migration_state::failed);
        REQUIRE(ended->error);
        CHECK(tables_left(scene.root, "\\_no%").empty());
        return ended->error->code;
    };
    CHECK(refused_with(spec_of("no_way_back", "DROP COLUMN d")) == "way_back_value");
    CHECK(refused_with(spec_of("no_way_back", "MODIFY d TIME NOT NULL")) == "way_back_conversion");
    scene.root.exec("CREATE TABLE parent (id INT NOT NULL PRIMARY KEY)");
    scene.root.exec("ALTER TABLE no_way_back ADD CONSTRAINT to_parent FOREIGN KEY (id) REFERENCES parent (id)");
    auto discarding = spec_of("no_way_back", "ADD COLUMN extra INT");
    discarding.options.discard_foreign_keys = true;
    CHECK(refused_with(discarding) == "way_back_relations");
    CHECK(refused_with(spec_of("no_way_back", "DROP FOREIGN KEY to_parent, ADD COLUMN extra INT")) ==
          "way_back_relations");
}

TEST_CASE("triggers get the names back that they had, also those that the suffix does not tell") {
    const auto kind = GENERATE(values(all_kinds));
    INFO(to_string(kind));
    way_back_scene scene(kind);
    scene.root.exec("SET GLOBAL log_bin_trust_function_creators = ON");
    scene.root.exec("CREATE TABLE named (id INT NOT NULL PRIMARY KEY, n INT, m INT)");
    sql_connection owner(scene.server.port(), sluice_user, sluice_password, "test");
    owner.exec("CREATE TRIGGER named_t_t BEFORE INSERT ON named FOR EACH ROW SET NEW.n = 1");
    owner.exec("CREATE TRIGGER Other BEFORE UPDATE ON named FOR EACH ROW SET NEW.m = 2");
    const auto names = [&] {
        return scene.root.scalar(
            "SELECT GROUP_CONCAT(trigger_name, ' ', event_object_table ORDER BY action_timing, event_manipulation) FROM"
            " information_schema.triggers WHERE event_object_schema = 'test' AND event_object_table = 'named'");
    };
    const std::string before = names();
    auto spec = spec_of("named", "ADD COLUMN extra INT");
    spec.options.include_triggers = true;
    spec.options.trigger_suffix = "_t";
    spec.options.remove_trigger_suffix = true;
    scene.begin_in_sync(spec);
    CHECK(names() == "named_t named,Other_t named");
    // Another process knows of it by what is stored.
    scene.stop_engine();
    scene.start_engine();
    scene.wait_in_sync();
    scene.revert();
    CHECK(before == "named_t_t named,Other named");
    CHECK(names() == before);
    scene.root.exec("DROP TABLE named, _named_gho");
}
