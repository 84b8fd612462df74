#include "proxy/main/client/plan_text.hpp"

#include "tests/support/catch.hpp"

#include <boost/json/parse.hpp>

TEST_CASE("a plan in words", "[plan_text]") {
    const auto plan = boost::json::parse(R"json({
        "dry_run": true, "schema": "shop", "table": "orders", "alter": "ADD COLUMN x INT\u001b[2J", "server": "MySQL 9.7.0",
        "way": "copy",
        "ways": [{"way": "instant", "possible": true, "allowed": false, "reason": ""},
                 {"way": "inplace", "possible": false, "allowed": false, "reason": "not on the list"},
                 {"way": "copy", "possible": true, "allowed": true, "reason": ""}],
        "unique_key": "PRIMARY (id)",
        "columns": [{"before": "id", "after": "id", "type_before": "int", "type_after": "int"},
                    {"before": "a", "after": "b", "type_before": "int", "type_after": "bigint"},
                    {"before": null, "after": "x", "type_before": null, "type_after": "int"},
                    {"before": "old", "after": null, "type_before": "int", "type_after": null}],
        "rows_estimate": 300000, "data_bytes": 15728640, "index_bytes": 512, "copy_estimate_s": 95,
        "estimate_basis": "the first 2000 rows",
        "warnings": [{"code": "replicas", "message": "2 readers"}, {"code": "nullable_key", "message": "u"}]})json");
    CHECK(sluice::plan_text(plan.as_object()) ==
          "table       shop.orders on MySQL 9.7.0\n"
          "alter       ADD COLUMN x INT [2J\n"
          "way         copy\n"
          "            instant: possible, but not agreed to (set attempt_instant)\n"
          "            inplace: not possible; not on the list\n"
          "            copy: possible\n"
          "key         PRIMARY (id)\n"
          "size        about 300000 rows, 15.0 MiB of data and 512 bytes of indexes\n"
          "            the new table takes about as much again, and the binary log the data once more\n"
          "estimate    copy about 1 min 35 s (the first 2000 rows)\n"
          "columns       id int\n"
          "              a -> b int -> bigint\n"
          "            + x int\n"
          "            - old int\n"
          "warning     replicas: 2 readers\n"
          "            nullable_key: u\n"
          "Nothing was changed.\n");
}

TEST_CASE("a plan that the server carries out by itself has no estimate", "[plan_text]") {
    const auto plan =
        boost::json::parse(R"({"schema": "s", "table": "t", "alter": "COMMENT 'x'", "server": "MySQL 9.7.0",
        "way": "inplace", "ways": [], "columns": [], "rows_estimate": 0, "data_bytes": 0, "index_bytes": 0,
        "copy_estimate_s": null, "warnings": []})");
    const std::string text = sluice::plan_text(plan.as_object());
    CHECK(text.find("estimate") == std::string::npos);
    CHECK(text.find("way         inplace\n") != std::string::npos);
}
