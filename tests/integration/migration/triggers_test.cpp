// Triggers on a table that is migrated: each write fires them exactly once, before, during and after the cut-over.

#include "tests/integration/migration/relations_rig.hpp"

#include <atomic>
#include <thread>

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;

namespace {

migration::migration_spec with_triggers(const std::string& table, const std::string& alter) {
    auto spec = relations_spec(table, alter);
    spec.options.include_triggers = true;
    spec.options.trigger_suffix = "_new";
    return spec;
}

void make_audited_table(sql_connection& root) {
    root.exec("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v BIGINT NOT NULL, changes INT NOT NULL DEFAULT 0)");
    root.exec(
        "CREATE TABLE audit (n BIGINT AUTO_INCREMENT PRIMARY KEY, action CHAR(1) NOT NULL, id INT NOT NULL, v BIGINT)");
    std::string values;
    for (int i = 1; i <= 2'000; ++i) values += (i == 1 ? "(" : ", (") + std::to_string(-i) + ")";
    root.exec("INSERT INTO t (v) VALUES " + values);
    root.exec(
        "CREATE TRIGGER t_ai AFTER INSERT ON t FOR EACH ROW INSERT INTO audit (action, id, v) VALUES ('i', NEW.id, "
        "NEW.v)");
    root.exec("CREATE TRIGGER t_bu BEFORE UPDATE ON t FOR EACH ROW SET NEW.changes = OLD.changes + 1");
    root.exec(
        "CREATE TRIGGER t_au AFTER UPDATE ON t FOR EACH ROW INSERT INTO audit (action, id, v) VALUES ('u', NEW.id, "
        "NEW.v)");
    root.exec(
        "CREATE TRIGGER t_bd BEFORE DELETE ON t FOR EACH ROW INSERT INTO audit (action, id, v) VALUES ('d', OLD.id, "
        "OLD.v)");
}

/// Writes with autocommit, each with a number of its own in `v`, and counts what the server acknowledged.
class audited_writer {
public:
    audited_writer(const mysql_server& server, std::int64_t first)
        : thread_([this, &server, first] {
              try {
                  write(server, first);
              } catch (const std::exception& error) {
                  error_ = error.what();
              }
          }) {}
    ~audited_writer() { stop(); }

    void stop() {
        stopping_ = true;
        if (thread_.joinable()) thread_.join();
    }
    std::atomic<std::uint64_t> inserts{0}, updates{0}, deletes{0};
    [[nodiscard]] std::uint64_t writes() const { return inserts + updates + deletes; }
    [[nodiscard]] const std::string& error() const { return error_; }

private:
    void write(const mysql_server& server, std::int64_t number) {
        sql_connection connection(server.port(), app_user, app_password, "test");
        while (!stopping_) {
            const std::string v = std::to_string(number);
            connection.exec("INSERT INTO t (v) VALUES (" + v + ")");
            ++inserts;
            const std::string id = connection.scalar("SELECT LAST_INSERT_ID()");
            updates += connection.exec("UPDATE t SET v = " + std::to_string(number + 1) + " WHERE id = " + id);
            // An old row: it may be copied already, or not yet.
            updates += connection.exec("UPDATE t SET v = " + std::to_string(number + 2) +
                                       " WHERE id = " + std::to_string(1 + number % 2'000));
            if (number % 2 == 0) deletes += connection.exec("DELETE FROM t WHERE id = " + id);
            number += 3;
        }
    }

    std::string error_;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

std::string count_of(sql_connection& root, const std::string& action) {
    return root.scalar("SELECT COUNT(*) FROM audit WHERE action = '" + action + "'");
}

std::string triggers_of(sql_connection& root, const std::string& table) {
    return root.scalar(
        "SELECT COALESCE(GROUP_CONCAT(TRIGGER_NAME ORDER BY TRIGGER_NAME), '') FROM "
        "information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'test' AND EVENT_OBJECT_TABLE = '" +
        table + "'");
}

}  // namespace

TEST_CASE("every write fires the triggers exactly once, before, during and after the cut-over") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    INFO(throwaway::to_string(kind));
    auto& server = relations_server(kind);
    auto root = emptied_schemas(server);
    make_audited_table(root);
    root.exec("DELETE FROM audit");  // of the rows that were there before the triggers: none
    auto spec = with_triggers("t", "ADD COLUMN extra INT NOT NULL DEFAULT 3, MODIFY v BIGINT NOT NULL COMMENT 'moved'");
    spec.options.chunk_rows_fixed = 50;
    spec.options.postpone_cutover = true;
    auto engine = engine_on(server);
    audited_writer first(server, 1'000'000'001);
    audited_writer second(server, 2'000'000'001);
    const auto created = engine->create(spec);
    REQUIRE(created);
    const std::string id = (*created)->id;
    wait_until(*engine, id,
               [&](const auto& s) { return is_ready(s) && first.writes() > 100 && second.writes() > 100; });
    REQUIRE(engine->command(id, migration::operator_command::cut_over));
    const auto ended = wait_for_end(*engine, id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    const auto before = first.writes();
    wait_until(*engine, id, [&](const auto&) { return first.writes() > before + 50 || !first.error().empty(); });
    first.stop();
    second.stop();
    CHECK(first.error() == "");
    CHECK(second.error() == "");
    CHECK(count_of(root, "i") == std::to_string(first.inserts + second.inserts));
    CHECK(count_of(root, "u") == std::to_string(first.updates + second.updates));
    CHECK(count_of(root, "d") == std::to_string(first.deletes + second.deletes));
    CHECK(root.scalar("SELECT COUNT(*) - COUNT(DISTINCT action, v) FROM audit") == "0");
    // What the triggers made of the rows themselves.
    CHECK(root.scalar("SELECT SUM(changes) FROM t") ==
          root.scalar("SELECT COUNT(*) FROM audit a JOIN t ON t.id = a.id WHERE a.action = 'u'"));
    CHECK(root.scalar("SELECT COUNT(*) FROM t WHERE extra <> 3") == "0");
    CHECK(triggers_of(root, "t") == "t_ai_new,t_au_new,t_bd_new,t_bu_new");
    CHECK(triggers_of(root, "_t_del") == "t_ai,t_au,t_bd,t_bu");
}

TEST_CASE("with remove_trigger_suffix every second migration gives the names back") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    INFO(throwaway::to_string(kind));
    auto& server = relations_server(kind);
    auto root = emptied_schemas(server);
    make_audited_table(root);
    auto spec = with_triggers("t", "ADD COLUMN e1 INT");
    spec.options.remove_trigger_suffix = true;
    spec.options.drop_old_table = true;
    REQUIRE(migrated(server, spec)->state == migration_state::completed);
    CHECK(triggers_of(root, "t") == "t_ai_new,t_au_new,t_bd_new,t_bu_new");
    spec.alter = "ADD COLUMN e2 INT";
    REQUIRE(migrated(server, spec)->state == migration_state::completed);
    CHECK(triggers_of(root, "t") == "t_ai,t_au,t_bd,t_bu");
    root.exec("DELETE FROM audit");
    root.exec("UPDATE t SET v = 5 WHERE id = 7");
    CHECK(root.scalar("SELECT GROUP_CONCAT(action, id, ':', v) FROM audit") == "u7:5");
}

TEST_CASE("a new trigger is the old one: definer, sql_mode, character sets, order and every byte of the body") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    INFO(throwaway::to_string(kind));
    auto& server = relations_server(kind);
    auto root = emptied_schemas(server);
    root.exec("CREATE TABLE `t ü` (id INT PRIMARY KEY, s VARCHAR(60) CHARACTER SET utf8mb4 NOT NULL DEFAULT '')");
    root.exec("SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'");
    root.exec(
        "CREATE DEFINER = app@'%' TRIGGER \"bi ü\" BEFORE INSERT ON \"t ü\" FOR EACH ROW\n"
        "  `follows`: BEGIN -- for each row\n"
        "    DECLARE w VARCHAR(20) DEFAULT 'a\\'; /* \"x\" */\n"
        "    SET NEW.\"s\" = CONCAT(NEW.s, w, _latin1 0xE9, 'ü');\n"
        "  END `follows`");
    root.exec("SET NAMES utf8mb4 COLLATE utf8mb4_bin, sql_mode = ''");
    const bool several = kind != server_kind::mysql_5_6;
    if (several) {
        root.exec(
            "CREATE TRIGGER zz BEFORE INSERT ON `t ü` FOR EACH ROW PRECEDES `bi ü` SET NEW.s = CONCAT(NEW.s, 'z')");
        root.exec("CREATE TRIGGER aa BEFORE INSERT ON `t ü` FOR EACH ROW SET NEW.s = CONCAT(NEW.s, '\\'a')");
    }
    const auto described = [&](const std::string& suffix) {
        std::vector<rows> all;
        for (const std::string name : {"bi ü", "zz", "aa"}) {
            if (!several && name != "bi ü") continue;
            auto shown = root.query("SHOW CREATE TRIGGER `" + name + suffix + "`");
            auto& cells = shown.at(0);
            const auto body = cells.at(2)->find("ROW");
            cells = {cells[1], cells[2]->substr(body == std::string::npos ? cells[2]->find("row") : body), cells[3],
                     cells[4], cells[5]};
            all.push_back(shown);
            all.push_back(
                root.query("SELECT ACTION_TIMING, EVENT_MANIPULATION, DEFINER, ACTION_ORDER FROM "
                           "information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'test' AND TRIGGER_NAME = '" +
                           name + suffix + "'"));
        }
        return all;
    };
    root.exec("INSERT INTO `t ü` (id) VALUES (1)");
    const auto before = described("");
    const auto ended = migrated(server, with_triggers("t ü", "ADD COLUMN extra INT"));
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    CHECK(described("_new") == before);
    root.exec("INSERT INTO `t ü` (id) VALUES (2)");
    CHECK(root.scalar("SELECT HEX(s) FROM `t ü` WHERE id = 2") == root.scalar("SELECT HEX(s) FROM `t ü` WHERE id = 1"));
}

TEST_CASE("triggers that cannot be made again for the new table are refused before the copy, and nothing is left") {
    auto& server = relations_server(server_kind::mysql_9_7);
    auto root = emptied_schemas(server);
    make_audited_table(root);
    auto spec = with_triggers("t", "ADD COLUMN extra INT");
    SECTION("not asked for") {
        spec.options.include_triggers = false;
        check_refused(server, spec, "triggers", {"t_ai", "t_au", "t_bd", "t_bu", "include_triggers"});
    }
    SECTION("no suffix") {
        spec.options.trigger_suffix.clear();
        check_refused(server, spec, "trigger_suffix_missing", {"t_ai", "trigger_suffix"});
    }
    SECTION("a name that is taken") {
        root.exec("CREATE TABLE u (id INT PRIMARY KEY)");
        root.exec("CREATE TRIGGER t_au_new BEFORE INSERT ON u FOR EACH ROW SET @x = 1");
        check_refused(server, spec, "trigger_name_taken", {"t_au_new (on u)"});
    }
    SECTION("a name that gets too long") {
        root.exec("CREATE TRIGGER " + std::string(61, 'x') + " BEFORE INSERT ON t FOR EACH ROW SET @x = 1");
        check_refused(server, spec, "trigger_name_too_long", {std::string(61, 'x') + "_new"});
    }
    SECTION("a column that the ALTER takes away") {
        spec.alter = "DROP COLUMN changes";
        check_refused(server, spec, "trigger_refused", {"Unknown column 'changes' in", "t_bu_new"});
    }
    SECTION("a column that the ALTER renames") {
        spec.alter = "RENAME COLUMN v TO w";
        check_refused(server, spec, "trigger_refused", {"Unknown column 'v' in"});
    }
    SECTION("a schema whose collation was changed") {
        root.exec("ALTER DATABASE test DEFAULT CHARACTER SET latin1");
        check_refused(server, spec, "trigger_collation", {"`t_", "latin1_swedish_ci"});
    }
    SECTION("an account that may not make triggers") {
        root.exec("SET GLOBAL log_bin_trust_function_creators = OFF");
        check_refused(server, spec, "trigger_privileges", {"log_bin_trust_function_creators"});
        root.exec("SET GLOBAL log_bin_trust_function_creators = ON");
    }
    SECTION("a definer of whom the account may not speak") {
        root.exec("REVOKE SYSTEM_USER ON *.* FROM sluice@'%'");
        check_refused(server, spec, "trigger_privileges", {"SYSTEM_USER"});
        root.exec("GRANT SYSTEM_USER ON *.* TO sluice@'%'");
    }
    SECTION("an account that may not make them for others") {
        root.exec("REVOKE SET_ANY_DEFINER ON *.* FROM sluice@'%'");
        check_refused(server, spec, "trigger_privileges", {"root@127.0.0.1", "SET_ANY_DEFINER"});
        root.exec("GRANT SET_ANY_DEFINER ON *.* TO sluice@'%'");
    }
    CHECK(root.scalar("SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'test' AND TRIGGER_NAME "
                      "LIKE '%new' AND EVENT_OBJECT_TABLE <> 'u'") == "0");
    CHECK(root.scalar("SELECT COUNT(*) FROM audit") == "0");
}

TEST_CASE("an attempt that is given up takes its triggers away before the next change is applied") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    const bool connection_lost = GENERATE(false, true);
    INFO(throwaway::to_string(kind) << (connection_lost ? ", the connection is lost" : ", the server interrupts"));
    auto& server = relations_server(kind);
    auto root = emptied_schemas(server);
    make_audited_table(root);
    // Each trigger is made once for a trial, and then in the cut-over: its fourth comes to nothing the first time.
    std::atomic<int> made{0};
    statement_hook hook;
    hook.before = [&](std::string_view sql, std::uint64_t connection) {
        if (!sql.starts_with("CREATE DEFINER") || ++made != 8 || !connection_lost) return;
        connect(server).exec("KILL " + std::to_string(connection));
    };
    hook.after = [&](std::string_view sql, std::uint64_t, migration::outcome<migration::query_result>& answer) {
        if (!sql.starts_with("CREATE DEFINER") || made != 8 || connection_lost) return;
        auto why = migration::refuse("interrupted", "Query execution was interrupted");
        why.server_errno = 1317;
        why.then = migration::disposition::retry;
        answer = std::move(why);
    };
    auto spec = with_triggers("t", "ADD COLUMN extra INT NOT NULL DEFAULT 3");
    spec.options.hold_budget = std::chrono::milliseconds(2'000);
    auto engine = hooked_engine_on(server, hook);
    audited_writer writer(server, 1'000'000'001);
    const auto created = engine->create(spec);
    REQUIRE(created);
    const auto ended = wait_for_end(*engine, (*created)->id);
    INFO(error_text(*ended));
    REQUIRE(ended->state == migration_state::completed);
    CHECK(ended->cutover_attempts.size() >= 2);
    const auto before = writer.writes();
    wait_until(*engine, (*created)->id,
               [&](const auto&) { return writer.writes() > before + 50 || !writer.error().empty(); });
    writer.stop();
    CHECK(writer.error() == "");
    CHECK(count_of(root, "i") == std::to_string(writer.inserts));
    CHECK(count_of(root, "u") == std::to_string(writer.updates));
    CHECK(count_of(root, "d") == std::to_string(writer.deletes));
    CHECK(triggers_of(root, "t") == "t_ai_new,t_au_new,t_bd_new,t_bu_new");
}

TEST_CASE("a RENAME that the server refuses leaves no trigger and the original as it was") {
    auto& server = relations_server(server_kind::mysql_9_7);
    auto root = emptied_schemas(server);
    make_audited_table(root);
    statement_hook hook;
    hook.before = [&](std::string_view sql, std::uint64_t) {
        if (sql.starts_with("RENAME TABLE")) connect(server, "test").exec("CREATE TABLE IF NOT EXISTS _t_del (id INT)");
    };
    auto engine = hooked_engine_on(server, hook);
    const auto created = engine->create(with_triggers("t", "ADD COLUMN extra INT"));
    REQUIRE(created);
    const auto ended = wait_for_end(*engine, (*created)->id);
    CHECK(ended->state == migration_state::failed);
    INFO(error_text(*ended));
    CHECK(triggers_of(root, "t") == "t_ai,t_au,t_bd,t_bu");
    CHECK(triggers_of(root, "_t_gho").empty());
    CHECK(root.scalar(
              "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_NAME = 't' AND COLUMN_NAME = 'extra'") ==
          "0");
}

TEST_CASE("a trigger that appears on the original meanwhile ends the migration") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    INFO(throwaway::to_string(kind));
    auto& server = relations_server(kind);
    auto root = emptied_schemas(server);
    make_audited_table(root);
    auto spec = with_triggers("t", "ADD COLUMN extra INT");
    spec.options.postpone_cutover = true;
    auto engine = engine_on(server);
    const auto created = engine->create(spec);
    REQUIRE(created);
    wait_until(*engine, (*created)->id, is_ready);
    std::string word;
    SECTION("a new one") {
        root.exec("CREATE TRIGGER late BEFORE INSERT ON t FOR EACH ROW SET @x = 1");
        word = "late";
    }
    SECTION("another one by the same name") {
        root.exec("DROP TRIGGER t_bu");
        root.exec("CREATE TRIGGER t_bu BEFORE UPDATE ON t FOR EACH ROW SET NEW.changes = OLD.changes + 2");
        word = "not the same";
    }
    SECTION("one less") {
        root.exec("DROP TRIGGER t_bu");
        word = "not the same";
    }
    REQUIRE(engine->command((*created)->id, migration::operator_command::cut_over));
    const auto ended = wait_for_end(*engine, (*created)->id);
    REQUIRE(ended->state == migration_state::failed);
    CHECK(ended->error->code == "original_changed");
    CHECK_THAT(ended->error->message, Catch::Matchers::Contains(word));
    CHECK(triggers_of(root, "_t_gho").empty());
    CHECK(root.scalar("SELECT COUNT(*) FROM audit") == "0");
}
