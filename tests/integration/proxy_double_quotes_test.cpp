// Double quotes, of which MySQL does not tell whether they make a string or a name.

#include "tests/integration/proxy_gated_move.hpp"

namespace sluice::test {
namespace {

/// The server's own sql_mode, in which sessions begin; put back at the end.
struct global_sql_mode {
    explicit global_sql_mode(server_kind kind) : root(connect(shared_server(kind))) {
        before = root.scalar("SELECT @@GLOBAL.sql_mode");
    }
    global_sql_mode(const global_sql_mode&) = delete;
    global_sql_mode& operator=(const global_sql_mode&) = delete;
    ~global_sql_mode() { root.exec("SET GLOBAL sql_mode = " + root.quote(before)); }

    sql_connection root;
    std::string before;
};

TEST_CASE("a table's name in double quotes is one where the server's own sql_mode says so, of which no client tells") {
    for (const auto kind : every_server) {
        INFO(throwaway::to_string(kind));
        global_sql_mode mode(kind);
        mode.root.exec("SET GLOBAL sql_mode = 'ANSI_QUOTES'");
        gated_move test(kind);
        const std::string quoted = "SELECT COUNT(*) FROM \"moved\"";
        auto reader = test.proxied.client();
        REQUIRE(reader.query(quoted).rows == rows{{std::to_string(all_rows)}});
        REQUIRE(reader.query("START TRANSACTION WITH CONSISTENT SNAPSHOT").is_ok);
        CHECK(test.swap().old_snapshots == 1);
        CHECK(is_refusal(reader.query(quoted)));
        CHECK(reader.query("COMMIT").is_ok);
        CHECK(reader.query(quoted).rows == rows{{std::to_string(all_rows)}});
    }
}

}  // namespace
}  // namespace sluice::test
