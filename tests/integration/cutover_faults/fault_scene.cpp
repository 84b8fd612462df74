#include "tests/integration/cutover_faults/fault_scene.hpp"

#include "tests/support/catch.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <csignal>
#include <map>
#include <sstream>
#include <thread>

namespace sluice::test {
namespace {

using std::chrono::steady_clock;

constexpr std::uint64_t first_direct_id = 900'000'000;  // the load never comes so far
constexpr double statements_per_second = 300;

mysql_server start(server_kind kind, std::vector<std::string> more_arguments) {
    server_options options;
    options.kind = kind;
    options.extra_arguments.emplace_back("--log-bin-trust-function-creators=ON");
    options.extra_arguments.emplace_back("--innodb-print-all-deadlocks=ON");
    options.extra_arguments.insert(options.extra_arguments.end(), more_arguments.begin(), more_arguments.end());
    return mysql_server::start(std::move(options));
}

// To whoever waits for a migration, in_sync is an end too; here it is not.
bool has_ended(const migration_progress& now) { return now.failed() || (now.completed() && now.state != "in_sync"); }

}  // namespace

statement_test begins(std::string beginning, std::string part) {
    return [beginning = std::move(beginning), part = std::move(part)](const engine_statement& s) {
        return s.sql.starts_with(beginning) && contains(s.sql, part);
    };
}

statement_test holder_begins(std::string beginning, std::string part, std::string without) {
    return [begins_so = begins(std::move(beginning), std::move(part)),
            without = std::move(without)](const engine_statement& s) {
        return s.of_lock_session && begins_so(s) && (without.empty() || !contains(s.sql, without));
    };
}

statement_test noted(std::string state) { return begins("INSERT INTO `_sluice`.`migrations`", "'" + state + "'"); }

void run_until_struck(fault_scene& scene, const fault_step& step, moment when, std::function<void()> strike) {
    scene.begin(step.with_relations);
    scene.relay.arm(step.is_it, when, std::move(strike));
    scene.create_migration();
    wait_until_struck(scene);
}

void wait_until_struck(fault_scene& scene) {
    bool struck = false;
    const auto until = steady_clock::now() + fault_scene::patience;
    while (!struck && steady_clock::now() < until && !scene.ended()) {
        struck = scene.relay.wait_struck(std::chrono::milliseconds(100));
    }
    // An end is shown before it is noted, which may be what is waited for.
    if (!struck) struck = scene.relay.wait_struck(fault_scene::patience);
    INFO("heard:\n" << scene.relay.heard() << "\n" << scene.sluice.log());
    REQUIRE(struck);
}

void kill_sluice_at(fault_scene& scene, const fault_step& step, moment when) {
    INFO(to_string(when) << ": " << step.name);
    run_until_struck(scene, step, when, [&] { scene.kill_sluice(); });
    scene.check_one_table();
    scene.start_sluice();
    scene.check_completed(true);
}

void kill_server_at(fault_scene& scene, const fault_step& step, moment when) {
    INFO(to_string(when) << ": " << step.name);
    run_until_struck(scene, step, when, [&] { scene.kill_server(); });
    scene.start_server();
    scene.check_one_table();
    scene.check_completed(true);
}

std::string tables_of(sql_connection& root) {
    return root.scalar(
        "SELECT IFNULL(GROUP_CONCAT(table_name ORDER BY CAST(table_name AS BINARY)), '') FROM information_schema.tables"
        " WHERE table_schema = 'test'");
}

fault_scene::fault_scene(server_kind kind, std::vector<std::string> more_arguments)
    : server(start(kind, std::move(more_arguments))),
      relay(server.port()),
      sluice(SLUICE_PROGRAM, relay.port(), "tls = \"disabled\"\n"),  // or the relay could not read
      root(connect(server, "test")) {}

load::endpoint fault_scene::endpoint(std::uint16_t port) const {
    return {server.host(), port, app_user, app_password, "test"};
}

fault_scene& scene_of(server_kind kind) {
    static std::map<server_kind, fault_scene> scenes;
    return scenes.try_emplace(kind, kind).first->second;
}

void fault_scene::clear() {
    load_.reset();
    relay.disarm();
    root.exec("SET SESSION foreign_key_checks = 0");
    for (const auto& table :
         root.query("SELECT table_name FROM information_schema.tables WHERE table_schema = 'test'")) {
        root.exec("DROP TABLE `" + *table[0] + "`");
    }
    root.exec("SET SESSION foreign_key_checks = 1");
}

void fault_scene::begin(bool with_relations) {
    clear();
    with_relations_ = with_relations;
    load::create_and_fill(endpoint(server.port()), "orders", filled_rows);
    if (with_relations) make_relations();
    load::load_options options;
    options.target = endpoint(sluice.port());
    options.filled_rows = filled_rows;
    options.connections = 4;
    options.prepared_connections = 2;
    options.statements_per_second = statements_per_second;
    load_.emplace(options);
    load_->start();
    direct_ids_.clear();
    ids_.clear();
    deadlocks_before_ = deadlocks_of_clients();
    listen({});
}

void fault_scene::listen(std::function<void(const engine_statement&)> listener) {
    relay.disarm([this, listener = std::move(listener)](const engine_statement& statement) {
        if (statement.sql.starts_with("LOCK TABLES")) write_directly();
        if (listener) listener(statement);
    });
}

void fault_scene::check_clients_go_on() {
    constexpr std::uint64_t enough = 300;  // more than what every connection may have under way
    const bool they_do = load_->wait_for_statements(enough, patience);
    INFO("heard:\n" << relay.heard());
    for (const auto& session :
         root.query("SELECT id, user, time, state, LEFT(info, 100) FROM information_schema.processlist")) {
        for (const auto& value : session) UNSCOPED_INFO(value.value_or("NULL"));
    }
    CHECK(they_do);
}

// Two rows, one of which goes again: the original's AUTO_INCREMENT is then ahead of the ghost's.
void fault_scene::write_directly() {
    try {
        sql_connection direct(server.port(), app_user, app_password, "test");
        const std::uint64_t number = first_direct_id + 2 * direct_id_++;
        const std::string insert = "INSERT INTO orders (id, customer, status, amount, note, updated_at) VALUES (";
        direct.exec(insert + std::to_string(number) + ", 1, 'new', 1, 'direct', '2024-01-01')");
        direct_ids_.push_back(number);
        direct.exec(insert + std::to_string(number + 1) + ", 1, 'new', 1, 'direct', '2024-01-01')");
        direct.exec("DELETE FROM orders WHERE id = " + std::to_string(number + 1));
    } catch (const sql_error&) {
        // The server has gone meanwhile: what was not acknowledged may be there or not.
    }
}

void fault_scene::check_direct_writes() {
    for (const std::uint64_t number : direct_ids_) {
        CHECK(root.scalar("SELECT COUNT(*) FROM orders WHERE id = " + std::to_string(number)) == "1");
    }
    root.exec("DELETE FROM orders WHERE id >= " + std::to_string(first_direct_id));
}

void fault_scene::make_relations() {
    root.exec("CREATE TABLE shops (id INT PRIMARY KEY)");
    root.exec("INSERT INTO shops VALUES (1)");
    root.exec(
        "ALTER TABLE orders MODIFY id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, ADD COLUMN shop INT NOT NULL DEFAULT 1,"
        " ADD CONSTRAINT orders_to_shops FOREIGN KEY (shop) REFERENCES shops (id)");
    // The engine may make a trigger again only if it acts as the engine's own account.
    sql_connection engine(server.port(), sluice_user, sluice_password, "test");
    engine.exec("CREATE TRIGGER orders_bi BEFORE INSERT ON orders FOR EACH ROW SET NEW.shop = 1");
    if (server.options().kind != server_kind::mysql_9_7) return;
    root.exec(
        "CREATE TABLE order_lines (id INT PRIMARY KEY, order_id BIGINT UNSIGNED,"
        " CONSTRAINT lines_to_orders FOREIGN KEY (order_id) REFERENCES orders (id))");
}

void fault_scene::create_migration(boost::json::object options, const std::string& alter) {
    options["hold_interval_ms"] = 100;
    options["page_flush_wait_ms"] = 0;
    options["drop_old_table"] = true;
    if (with_relations_) {
        options["include_triggers"] = true;
        options["trigger_suffix"] = "_new";
        options["keep_foreign_keys"] = true;
        if (server.options().kind == server_kind::mysql_9_7) options["rebuild_referencing_keys"] = true;
    }
    auto made = sluice.admin().post(
        "/v1/migrations", boost::json::serialize(boost::json::object{
                              {"schema", "test"}, {"table", "orders"}, {"alter", alter}, {"options", options}}));
    if (!made) FAIL(made.error().message);
    id = read_progress(*made)->id;
    ids_.push_back(id);
}

void fault_scene::kill_sluice() { ::kill(sluice.process_id(), SIGKILL); }
void fault_scene::kill_server() { ::kill(server.process_id(), SIGKILL); }

void fault_scene::start_sluice() {
    sluice.kill();
    sluice.start_again();
}

void fault_scene::start_server() {
    server.kill();
    server.restart();
    root = connect(server, "test");
}

void fault_scene::check_one_table() {
    // A rename that a killed process has left goes on by itself, on some servers table after table: whoever reads the
    // table waits for the end of that. Whether there is one is asked below.
    root.error_of("SELECT 1 FROM orders LIMIT 1");
    const std::string tables = tables_of(root);
    INFO("tables: " << tables);
    CHECK(("," + tables + ",").find(",orders,") != std::string::npos);
    // One question, so that both are told of the same moment.
    const auto found = root.query(
        "SELECT (SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = 'test' AND table_name = 'orders' "
        "AND"
        " column_name = 'priority'), (SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'test' AND"
        " table_name IN ('_orders_gho', 'orders~gho'))");
    CHECK_FALSE((found[0][0] == "1" && found[0][1] != "0"));
}

migration_progress fault_scene::progress() {
    // There is no answer while Sluice is down.
    const auto answer = sluice.admin().get("/v1/migrations/" + id);
    return answer ? *read_progress(*answer) : migration_progress{};
}

bool fault_scene::ended() { return has_ended(progress()); }

void fault_scene::wait_for_completion() { wait_for_state("completed"); }

void fault_scene::wait_for_state(const std::string& state) {
    const auto until = steady_clock::now() + patience;
    migration_progress now = progress();
    const auto goes_on = [&] { return now.state != state && !has_ended(now); };
    while (goes_on() && steady_clock::now() < until) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        now = progress();
    }
    INFO(now.waiting_for << " " << now.error << "\nheard:\n" << relay.heard() << "\n" << sluice.log());
    REQUIRE(now.state == state);
}

void fault_scene::stop_clients(bool they_may_err) {
    // What they see behind the end counts too.
    CHECK(load_->wait_for_statements(50, patience));
    load_->stop();
    const auto report = load_->report();
    std::string errors;
    for (const auto& error : report.first_errors) errors += error + "\n";
    INFO("errors of clients:\n" << errors << sluice.log());
    if (they_may_err) return;
    // A machine that is busy with something else may take longer for the rename than statements are held. Then it is
    // for the gate to presume how it ended, as docs/holding.md says.
    const bool outlasted = a_swap_outlasted_its_hold();
    for (const auto& error : report.first_errors) CHECK((outlasted && contains(error, ": 1412 ")));
    CHECK(report.errors <= report.first_errors.size());
}

bool fault_scene::a_swap_outlasted_its_hold() const {
    std::istringstream lines(sluice.log());
    for (std::string line; std::getline(lines, line);) {
        const bool is_one = contains(line, " succeeded; ") && contains(line, "the gate's deadline opened it");
        const auto is_about = [&line](const std::string& one) { return contains(line, one); };
        if (is_one && std::any_of(ids_.begin(), ids_.end(), is_about)) return true;
    }
    return false;
}

void fault_scene::check_completed(bool clients_may_err) {
    wait_for_completion();
    stop_clients(clients_may_err);
    check_books();
    CHECK(root.scalar("SELECT COUNT(*) FROM orders WHERE priority <> 7") == "0");
    check_relations("orders_bi_new");
}

void fault_scene::check_completed(const std::set<unsigned>& errors_allowed) {
    check_completed(true);
    check_errors(errors_allowed);
}

void fault_scene::check_reverted(const std::set<unsigned>& errors_allowed) {
    check_reverted(true);
    check_errors(errors_allowed);
}

void fault_scene::check_errors(const std::set<unsigned>& allowed) {
    const bool outlasted = a_swap_outlasted_its_hold();  // see stop_clients()
    std::size_t deadlocks = 0;
    std::string errors;
    for (const auto& error : load_->report().first_errors) {
        INFO(error << "\n" << sluice.log());
        // "connection 3: 1213 Deadlock found …"
        const auto number = static_cast<unsigned>(std::stoul(error.substr(error.find(": ") + 2)));
        CHECK((allowed.contains(number) || (outlasted && number == 1412)));
        if (number == 1213) ++deadlocks;
        errors += error + "\n";
    }
    INFO("errors of clients:\n" << errors << sluice.log() << server.error_log());
    CHECK(deadlocks <= deadlocks_of_clients() - deadlocks_before_);
}

// Each is a section of the server's log that shows both transactions, with the user and the statement of each. A 5.6
// reads all of a small table for a list of ids, and locks it: so clients meet each other too, without any migration.
std::size_t fault_scene::deadlocks_of_clients() const {
    constexpr std::string_view heading = "*** (1) TRANSACTION:";
    const std::string log = server.error_log();
    std::size_t count = 0;
    for (auto at = log.find(heading); at != std::string::npos;) {
        const auto next = log.find(heading, at + heading.size());
        const auto section = std::string_view(log).substr(at, next == std::string::npos ? next : next - at);
        const auto has_user = [section](const std::string& name) { return contains(section, " " + name + " "); };
        const bool with_another = has_user(sluice_user) || server.options().kind == server_kind::mysql_5_6;
        if (with_another && has_user(app_user)) ++count;
        at = next;
    }
    return count;
}

void fault_scene::check_reverted(bool clients_may_err) {
    wait_for_state("reverted");
    stop_clients(clients_may_err);
    check_books();
    CHECK(root.error_of("SELECT priority FROM orders LIMIT 1") == 1054);
    // What was live until then stays, for what only it has.
    root.exec("DROP TABLE _orders_gho");
    check_relations("orders_bi");
}

void fault_scene::check_books() {
    CHECK(load_->report().wrong_answers == 0);
    check_direct_writes();
    const auto books = load::verify(load_->the_books(), endpoint(server.port()), "orders");
    for (const auto& difference : books.first_differences) UNSCOPED_INFO(difference);
    CHECK(books.differences == 0);
}

void fault_scene::check_relations(const std::string& trigger) {
    const bool referenced = with_relations_ && server.options().kind == server_kind::mysql_9_7;
    CHECK(tables_of(root) == (referenced ? "order_lines,orders,shops" : with_relations_ ? "orders,shops" : "orders"));
    if (!with_relations_) return;
    CHECK(root.scalar(
              "SELECT GROUP_CONCAT(trigger_name) FROM information_schema.triggers WHERE trigger_schema = 'test'") ==
          trigger);
    const auto keys = root.query(
        "SELECT table_name, referenced_table_name FROM information_schema.referential_constraints WHERE"
        " constraint_schema = 'test' ORDER BY table_name");
    rows expected{{"orders", "shops"}};
    if (referenced) expected.insert(expected.begin(), {"order_lines", "orders"});
    CHECK(keys == expected);
}

}  // namespace sluice::test
