#pragma once

// A table behind the gate, and a new one that takes its place: for tests of what clients see of a swap.

#include "tests/integration/proxy_fixture.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace sluice::test {

inline std::chrono::steady_clock::time_point in(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

inline constexpr int all_rows = 50;

// The table, and a new one in which a part of the rows has been copied; the rest comes with fill().
struct half_copied {
    explicit half_copied(server_kind of = server_kind::mysql_9_7) : kind(of), root(connect(shared_server(of), "test")) {
        root.exec("DROP TABLE IF EXISTS moved, moved_new, moved_old");
        make_table(kind, "beside", 3);
        make_table(kind, "moved", all_rows);
        root.exec("CREATE TABLE moved_new LIKE moved");
        root.exec("INSERT INTO moved_new SELECT * FROM moved WHERE id <= 7");
    }
    void fill() { root.exec("INSERT INTO moved_new SELECT * FROM moved WHERE id > 7"); }
    void rename() { root.exec("RENAME TABLE moved TO moved_old, moved_new TO moved"); }

    server_kind kind;
    sql_connection root;
};

struct gated_move : half_copied {
    explicit gated_move(server_kind of = server_kind::mysql_9_7, proxy::watch_rules rules = {},
                        proxy::proxy_options options = {})
        : half_copied(of), proxied(of, std::move(options)) {
        gate = proxied.proxy->gates().watch({"test", "moved"}, std::move(rules));
        REQUIRE(gate != nullptr);
    }
    // What the engine does.
    proxy::hold_report swap() {
        fill();
        gate->close(in(5s));
        REQUIRE(gate->wait_drained(in(4s)));
        REQUIRE(gate->seal(in(4s)));
        rename();
        return gate->open(proxy::gate_end::swapped);
    }

    proxy_under_test proxied;
    std::unique_ptr<proxy::table_gate> gate;
};

inline const std::string count = "SELECT COUNT(*) FROM moved";

inline bool is_refusal(const raw_result& result) {
    return !result.is_ok && result.error.code == 1412 && result.error.sqlstate == "HY000" &&
           result.error.message == "Table definition has changed, please retry transaction";
}

}  // namespace sluice::test
