// MySQL 5.6 renames table after table. A server that dies between two of them leaves a group of which nobody bears some
// of the names; the server of this test does not die, but does what one that dies has done by then.

#include "tests/integration/migration/engine_rig.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/shared_sum.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::test;
using migration::migration_state;

namespace {

constexpr unsigned no_such_table = 1146;

/// The single renames of a RENAME TABLE of plain names.
std::vector<std::string> renames_in(std::string_view statement) {
    constexpr std::string_view head = "RENAME TABLE ";
    std::vector<std::string> renames;
    statement.remove_prefix(head.size());
    while (!statement.empty()) {
        const auto end = statement.find(", ");
        renames.push_back(std::string(head).append(statement.substr(0, end)));
        statement.remove_prefix(end == std::string_view::npos ? statement.size() : end + 2);
    }
    return renames;
}

/// Ends all of the engine's sessions when the rename is about to be let go, and does the first `done` of its renames.
class dying_server {
public:
    dying_server(const mysql_server& server, std::size_t done, bool with_engine)
        : root_(connect(server, "test")), done_(done), with_engine_(with_engine) {}

    statement_hook hook() {
        statement_hook made;
        made.before = [this](std::string_view sql, std::uint64_t connection) {
            const std::lock_guard lock(mutex_);
            if (sql.starts_with("RENAME TABLE `test`.`a` TO ")) rename_ = sql;
            if (!died_ && sql.starts_with("CREATE TABLE `test`.`b~old`")) ++attempts_;
            if (!died_ && sql == "DROP TABLE `test`.`b~old`") return die();
            // An engine that died with it says nothing more.
            if (died_ && with_engine_ && !engine_is_back_) root_.error_of("KILL " + std::to_string(connection));
        };
        return made;
    }
    void wait() const {
        wait_until("the rename that the server dies at", [this] { return died_.load(); });
    }
    /// Until it died; a busy machine may need more than the first one.
    [[nodiscard]] std::size_t attempts() const { return attempts_; }
    void engine_comes_back() { engine_is_back_ = true; }

private:
    void die() {
        // Whom the server dies for writes no more: otherwise they would write as soon as the locks are gone.
        change_privileges("REVOKE", "FROM");
        end_sessions_of(app_user);
        end_sessions_of(sluice_user);
        root_.exec("DROP TABLE `b~old`");
        const auto renames = renames_in(rename_);
        root_.exec("SET SESSION sql_log_bin = 0");  // it would come to the log only behind the last one
        for (std::size_t i = 0; i < done_; ++i) root_.exec(renames.at(i));
        change_privileges("GRANT", "TO");
        died_ = true;
    }

    void change_privileges(const std::string& verb, const std::string& word) {
        std::string statement = verb;
        statement.append(" INSERT, UPDATE, DELETE ON *.* ").append(word).append(" ").append(app_user).append("@'%'");
        root_.exec(statement);
    }

    void end_sessions_of(const std::string& user) {
        const std::string sessions = "SELECT id FROM information_schema.processlist WHERE user = '" + user + "'";
        const rows killed = root_.query(sessions);
        for (const auto& session : killed) root_.error_of("KILL " + *session[0]);
        // What runs comes to its end. (Others connect again; a stream hears of its end with the next event only.)
        const auto is_there_yet = [&](const auto& session) {
            return std::ranges::find(killed, session) != killed.end();
        };
        wait_until("the end of what the sessions of " + user + " run",
                   [&] { return std::ranges::none_of(root_.query(sessions + " AND info IS NOT NULL"), is_there_yet); });
    }

    std::mutex mutex_;
    sql_connection root_;
    std::size_t done_;
    bool with_engine_;
    std::string rename_;
    std::atomic<std::size_t> attempts_{0};
    std::atomic<bool> died_{false};
    std::atomic<bool> engine_is_back_{false};
};

}  // namespace

TEST_CASE("MySQL 5.6 dies in the middle of a group's rename: all tables become new, or all are old and try again") {
    const std::size_t done = GENERATE(1U, 2U, 3U);
    const bool with_engine = GENERATE(false, true);
    INFO(done << " of 4 renames are done" << (with_engine ? "; the engine dies, too" : ""));
    static const mysql_server server = start_server(server_kind::mysql_5_6);
    sql_connection root = connect(server, "test");
    // With SUPER names are given back without a word in the binary log. Without it the engine finds its own RENAME
    // there.
    const bool is_super = GENERATE(false, true);
    INFO((is_super ? "with" : "without") << " SUPER");
    root.exec(std::string(is_super ? "GRANT SUPER ON *.* TO " : "REVOKE SUPER ON *.* FROM ")
                  .append(sluice_user)
                  .append("@'%'"));
    shared_sum sum(
        server, {.tables = {"a", "b"}, .errors_allowed = {1213, 1205, no_such_table}, .connections_may_be_lost = true});
    dying_server dying(server, done, with_engine);
    auto engine = engine_on(server, migration::open_traffic_gate(), dying.hook());
    std::vector<std::string> ids;
    for (const auto& table : sum.tables()) {
        migration::migration_spec spec{{"test", table}, "ADD COLUMN extra INT NOT NULL DEFAULT 3", {}};
        spec.options.cutover_group = "books";
        spec.options.cutover_group_size = 2;
        spec.options.hold_interval = std::chrono::milliseconds(100);
        spec.options.hold_budget = std::chrono::milliseconds(1'500);
        spec.options.drop_old_table = true;
        const auto created = engine->create(spec);
        REQUIRE(created);
        ids.push_back((*created)->id);
    }
    dying.wait();
    if (with_engine) {
        engine.reset();
        dying.engine_comes_back();
        engine = engine_on(server);
    }
    for (const auto& id : ids) {
        const auto ended = wait_for_end(*engine, id);
        INFO(error_text(*ended));
        CHECK(ended->state == migration_state::completed);
        // Where one was new, this was the attempt that served all.
        if (!with_engine) CHECK((ended->cutover_attempts.size() == dying.attempts()) == (done == 3));
    }
    CHECK(sum.stop_and_compare(root) == "");
    for (const auto& table : sum.tables()) CHECK(root.scalar("SELECT MIN(extra) FROM `" + table + "`") == "3");
    CHECK(root.scalar("SELECT GROUP_CONCAT(table_name ORDER BY table_name) FROM information_schema.tables WHERE "
                      "table_schema = 'test'") == "a,b,sum_moves");
}
