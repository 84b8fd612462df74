// The changelog of `sluice gh-ost`, for those who read it: in the binary log, and in queries.

#include "tests/integration/process_ghost_scene.hpp"

namespace {

using namespace sluice::test;
using namespace sluice::test::ghost;

/// Whatever was written to the changelog's row of this hint, in its order: "id value".
std::vector<std::string> written(sql_connection& root, const std::string& hint) {
    std::vector<std::string> all;
    const std::string before = "INSERT INTO `my_db`.`_t_ghc` (id, hint, value) VALUES (";
    for (const auto& event : root.query("SHOW BINLOG EVENTS")) {
        const std::string text = event.back().value_or("");
        const auto at = text.find(before);
        const auto name = text.find(", '" + hint + "', '", at);
        if (at == std::string::npos || name == std::string::npos) continue;
        const auto value = name + hint.size() + 7;
        all.push_back(text.substr(at + before.size(), name - at - before.size()) + " " +
                      text.substr(value, text.find('\'', value) - value));
    }
    return all;
}

}  // namespace

TEST_CASE("the changelog tells readers of the binary log each state, in row 2", "[process][ghost]") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6);
    CAPTURE(to_string(kind));
    scene s(kind);
    s.sql->exec("CREATE TABLE t " + std::string(plain_table));
    fill(*s.sql, "t", 100);
    sql_connection root = connect(s.server);
    root.exec("SET GLOBAL binlog_rows_query_log_events = ON");
    root.exec(kind == server_kind::mysql_9_7 ? "RESET BINARY LOGS AND GTIDS" : "RESET MASTER");
    const auto end = run_sluice(s.words("t", {"--alter=ADD COLUMN c INT", "--execute"}));
    INFO(end.out << end.err);
    REQUIRE(end.exit_code == 0);
    const auto states = written(root, "state");
    CAPTURE(states);
    REQUIRE(states.size() == 3);
    CHECK(states[0] == "2 GhostTableMigrated");
    CHECK(states[1] == "2 ReadMigrationRangeValues");
    CHECK(states[2].starts_with("2 AllEventsUpToLockProcessed:"));
    const auto beats = written(root, "heartbeat");
    REQUIRE_FALSE(beats.empty());
    CHECK(beats[0].starts_with("1 20"));
    CHECK(written(root, "run").size() == 1);
}

TEST_CASE("a --throttle-query may ask the changelog", "[process][ghost][throttle]") {
    scene s(server_kind::mysql_9_7);
    s.sql->exec("CREATE TABLE t " + std::string(plain_table));
    fill(*s.sql, "t", 100);
    sluice_process process(s.words(
        "t",
        {"--alter=ADD COLUMN c INT", "--execute",
         "--throttle-query=SELECT TIMESTAMPDIFF(SECOND, MIN(last_update), NOW()) < 5 AND COUNT(hint = 'go' OR NULL) "
         "= 0 FROM my_db._t_ghc WHERE id < 1000000"}));
    const std::string socket = s.folder.file("sock");
    CHECK(holds(wait_for_answer(socket, "sup", "State: throttled, throttle-query"), "Copy: 0/"));
    s.sql->exec("INSERT INTO _t_ghc (id, hint, value) VALUES (99, 'go', '')");
    const auto end = process.wait();
    INFO(end.out << end.err);
    CHECK(end.exit_code == 0);
    CHECK(holds(end.out, "Copy: 128/128 100.0%"));
}
