#pragma once

// The program `sluice serve` between clients that keep books and a real server, with the statement_relay on the wire to
// the server; and what must be true after anything has gone wrong.

#include "bench/load/bookkeeping_load.hpp"
#include "proxy/main/client/progress_view.hpp"
#include "proxy/main/demo/served_sluice.hpp"
#include "tests/integration/cutover_faults/statement_relay.hpp"
#include "tests/support/mysql_server.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sluice::test {

/// Lives as long as its tests need the server. Table `orders` belongs to the load; with relations it has a trigger, a
/// foreign key of its own and, where the server can have it pointed elsewhere under the lock, one from `order_lines`.
class fault_scene {
public:
    /// For what takes a moment, on a machine that is busy with something else.
    static constexpr std::chrono::seconds patience{60};
    static constexpr std::uint64_t filled_rows = 400;

    explicit fault_scene(server_kind kind, std::vector<std::string> more_arguments = {});

    /// No clients, no tables in schema test. Nothing is armed.
    void clear();
    /// Fresh tables, and clients at work on them through the proxy. Nothing is armed. One more client bypasses the
    /// proxy and writes just before each LOCK TABLES, so that there always are last changes to apply.
    void begin(bool with_relations);
    /// A migration that adds the column `priority`, with small intervals and without its old table at the end.
    void create_migration(boost::json::object options = {},
                          const std::string& alter = "ADD COLUMN priority INT NOT NULL DEFAULT 7");

    /// Called for each statement of the engine's before the server gets it, until the next begin().
    void listen(std::function<void(const engine_statement&)> listener);

    void kill_sluice();   ///< for a strike: returns at once
    void kill_server();   ///< the same
    void start_sluice();  ///< after kill_sluice(): waits for its end, and starts it again
    void start_server();  ///< after kill_server()

    /// The clients get answers still.
    void check_clients_go_on();
    [[nodiscard]] migration_progress progress();
    [[nodiscard]] bool ended();

    /// Exactly one table bears the name, in the old shape or in the new one; in the new one there is no ghost.
    void check_one_table();
    /// Waits for the end, which must be `completed`. The clients go on.
    void wait_for_completion();
    /// The same; then: the new shape, the clients' books, no table of ours, triggers
    /// and foreign keys as they should be. Errors of clients are allowed if `clients_may_err`.
    void check_completed(bool clients_may_err);
    /// The same; clients may meet no other errors than these, and 1412 where a swap outlasted its hold. A deadlock
    /// (1213) must be one of InnoDB's, between a client and the engine (on 5.6 also another client), as the server has
    /// logged it: none of them may come from a table's metadata lock.
    void check_completed(const std::set<unsigned>& errors_allowed);
    /// Waits for this state, which must come before the end of the migration, or be it.
    void wait_for_state(const std::string& state);
    /// Waits until the migration is `reverted`; then: the old shape, and everything else as in check_completed().
    void check_reverted(bool clients_may_err);
    /// The same; what clients were told are only errors of these numbers.
    void check_reverted(const std::set<unsigned>& errors_allowed);

    mysql_server server;
    statement_relay relay;
    served_sluice sluice;
    sql_connection root;
    std::string id;  ///< of the migration

private:
    [[nodiscard]] load::endpoint endpoint(std::uint16_t port) const;
    void make_relations();
    void stop_clients(bool they_may_err);
    void check_books();
    void check_relations(const std::string& trigger);
    void check_errors(const std::set<unsigned>& allowed);

    [[nodiscard]] std::size_t deadlocks_of_clients() const;
    [[nodiscard]] bool a_swap_outlasted_its_hold() const;
    void write_directly();
    void check_direct_writes();

    std::optional<load::bookkeeping_load> load_;
    bool with_relations_ = false;
    std::vector<std::string> ids_;  ///< of all migrations since begin()
    std::size_t deadlocks_before_ = 0;
    std::uint64_t direct_id_ = 0;
    std::vector<std::uint64_t> direct_ids_;  ///< acknowledged to the client that bypasses the proxy
};

/// The scene on a server of this kind that the tests of one process share; started when it is first asked for.
[[nodiscard]] fault_scene& scene_of(server_kind kind);

[[nodiscard]] inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != text.npos;
}

using statement_test = std::function<bool(const engine_statement&)>;
/// Any session of the engine's: its statement begins so, and has `part` in it.
[[nodiscard]] statement_test begins(std::string beginning, std::string part = {});
/// The same of the session that holds the locks; an ALTER of that session may also be known by what it has not in it.
[[nodiscard]] statement_test holder_begins(std::string beginning, std::string part = {}, std::string without = {});
/// The engine stores this state of its migration.
[[nodiscard]] statement_test noted(std::string state);

/// A statement of the engine's at which something may strike.
struct fault_step {
    const char* name;
    statement_test is_it;
    bool with_relations = false;  ///< only with a table that has some
    bool alters = false;          ///< changes a table's definition: worth being struck while the server is at it
    bool decides = false;         ///< behind it nothing is as before
};
/// Their names in lists of steps.
inline constexpr bool related = true;
inline constexpr bool alters = true;
inline constexpr bool decides = true;

/// Begins a migration, and returns when it has come to the step and was struck there. Fails the test if it never does.
void run_until_struck(fault_scene& scene, const fault_step& step, moment when, std::function<void()> strike);
/// The same without the beginning: what was armed strikes before the scene's migration ends.
void wait_until_struck(fault_scene& scene);
/// A whole case each: the migration begins, is struck, and completes with the books equal.
void kill_sluice_at(fault_scene& scene, const fault_step& step, moment when);
void kill_server_at(fault_scene& scene, const fault_step& step, moment when);

/// Tables of schema test, by name.
[[nodiscard]] std::string tables_of(sql_connection& root);

}  // namespace sluice::test
