// What a killed process has left of a RENAME under the lock: it waits in the server, or the server has not read it yet.
// The question which table is which must not be answered before that has come to its end.

#include "migration/cutover/swap_check.hpp"
#include "migration/engine/preparation.hpp"
#include "tests/integration/migration/engine_rig.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/raw_client.hpp"

#include <future>

using namespace sluice;
using namespace sluice::test;
using migration::swap_state;

namespace {

constexpr const char* swap = "RENAME TABLE `test`.`t` TO `test`.`_t_del`, `test`.`_t_gho` TO `test`.`t`";

const mysql_server& server() {
    static const mysql_server mysql = start_server(server_kind::mysql_9_7);
    return mysql;
}

struct interrupted_swap {
    interrupted_swap() : root(connect(server(), "test")), executor(engine_address(server())) {
        root.exec("DROP TABLE IF EXISTS t, _t_gho, _t_del");
        root.exec("CREATE TABLE t (id INT PRIMARY KEY)");
        root.exec("CREATE TABLE _t_gho (id INT PRIMARY KEY, extra INT)");
        names = migration::plan_names({{"test", "t"}, "ADD COLUMN extra INT", {}});
        names.rename_under_lock = true;
    }

    migration::outcome<swap_state> settle() {
        auto session = executor.connect();
        if (!session) return session.error();
        return migration::settle_swap([&session](std::string_view sql) { return (*session)->run(sql); }, names);
    }
    std::string tables() {
        return root.scalar(
            "SELECT GROUP_CONCAT(table_name ORDER BY table_name) FROM information_schema.tables"
            " WHERE table_schema = 'test'");
    }
    bool comes_to(const std::string& state) {
        return eventually([&] {
            return root.scalar("SELECT COUNT(*) FROM performance_schema.processlist WHERE state = '" + state + "'") ==
                   "1";
        });
    }

    sql_connection root;
    migration::mysql_executor executor;
    migration::migration_plan names;
};

}  // namespace

TEST_CASE("a RENAME of a killed process that a backup holds up is ended before the tables are looked at") {
    interrupted_swap test;
    sql_connection backup = connect(server());
    backup.exec("LOCK INSTANCE FOR BACKUP");
    sql_connection holder(server().port(), sluice_user, sluice_password, "test");
    holder.exec("LOCK TABLES t WRITE, _t_gho WRITE");
    auto renaming = std::async(std::launch::async, [&] { return holder.error_of(swap); });
    REQUIRE(test.comes_to("Waiting for backup lock"));
    const auto settled = test.settle();
    INFO((settled ? std::string() : settled.error().message));
    REQUIRE(settled);
    CHECK(*settled == swap_state::not_swapped);
    CHECK(renaming.get() != 0);
    backup.exec("UNLOCK INSTANCE");
    CHECK(test.tables() == "_t_gho,t");
    CHECK(test.root.query("SHOW COLUMNS FROM t").size() == 1);
}

TEST_CASE("a RENAME of a killed process that the server has not read yet is waited for") {
    interrupted_swap test;
    raw_client holder(server().port());
    holder.login(sluice_user, sluice_password, "test");
    REQUIRE(holder.query("LOCK TABLES t WRITE, _t_gho WRITE").is_ok);
    // The server begins to read it, and waits for the rest.
    protocol::byte_buffer command;
    protocol::append_framed(command, protocol::as_bytes("\x03" + std::string(swap)), 0);
    const auto half = command.size() / 2;
    holder.send_bytes(protocol::byte_view(command).first(half));
    auto settling = std::async(std::launch::async, [&] { return test.settle(); });
    REQUIRE(test.comes_to("Waiting for table metadata lock"));

    SECTION("it comes") {
        holder.send_bytes(protocol::byte_view(command).subspan(half));
        REQUIRE(holder.receive_result().is_ok);
        holder.close();
        const auto settled = settling.get();
        REQUIRE(settled);
        CHECK(*settled == swap_state::swapped);
        CHECK(test.tables() == "_t_del,t");
    }
    SECTION("nothing more comes") {
        holder.close();
        const auto settled = settling.get();
        REQUIRE(settled);
        CHECK(*settled == swap_state::not_swapped);
        CHECK(test.tables() == "_t_gho,t");
    }
}
