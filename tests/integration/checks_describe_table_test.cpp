// A table as real servers describe it: the same facts from every one of them.

#include "tests/support/catch.hpp"

#include "migration/check/checks.hpp"
#include "migration/mysql/mysql_executor.hpp"
#include "tests/integration/mysql_address.hpp"

#include <algorithm>

using namespace sluice::migration;
using sluice::test::server_kind;
using sluice::test::start_server;
namespace test = sluice::test;

namespace {

const column_description& column(const table_description& table, std::string_view name) {
    const auto* found = table.find_column(name);
    INFO(name);
    REQUIRE(found != nullptr);
    return *found;
}

const key_description& key(const table_description& table, std::string_view name) {
    const auto found = std::ranges::find(table.keys, name, &key_description::name);
    INFO(name);
    REQUIRE(found != table.keys.end());
    return *found;
}

}  // namespace

TEST_CASE("columns and keys that every server has are described alike") {
    const auto kind = GENERATE(server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11);
    CAPTURE(sluice::throwaway::to_string(kind));
    auto server = start_server(kind);
    auto root = test::connect(server, "test");
    root.exec(
        "CREATE TABLE t ("
        " id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,"
        " `we``ird näme` INT DEFAULT 7,"
        " s VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'it''s',"
        " l VARCHAR(30) CHARACTER SET latin1,"
        " b VARBINARY(16) NOT NULL,"
        " e ENUM('unsigned','B','c,d') CHARACTER SET latin1 NOT NULL,"
        " d DECIMAL(10,3) UNSIGNED,"
        " dt DATETIME(6) NOT NULL,"
        " ts TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,"
        " x TEXT,"
        " PRIMARY KEY (id), UNIQUE KEY u (s, b), KEY p (x(10), dt), FULLTEXT KEY f (x)"
        ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 AUTO_INCREMENT=1000");
    auto session = mysql_executor(test::address_of(server)).connect();
    REQUIRE(session.has_value());
    const auto described = describe_table(**session, {"test", "t"});
    INFO((described.has_error() ? described.error().message : std::string()));
    REQUIRE(described.has_value());
    const auto& table = *described;

    CHECK(table.engine == "InnoDB");
    CHECK(table.auto_increment == 1000U);
    CHECK(table.create_statement.find("CREATE TABLE `t`") == 0);
    REQUIRE(table.columns.size() == 10);
    CHECK(table.columns[0].name == "id");
    CHECK(table.columns[1].name == "we`ird näme");
    CHECK(table.columns[9].name == "x");

    CHECK(column(table, "ID").data_type == "bigint");
    CHECK(column(table, "id").is_unsigned);
    CHECK(column(table, "id").auto_increment);
    CHECK_FALSE(column(table, "id").nullable);
    CHECK_FALSE(column(table, "id").default_value.has_value());
    CHECK(column(table, "we`ird näme").default_value == "7");
    CHECK(column(table, "we`ird näme").nullable);
    CHECK(column(table, "s").column_type == "varchar(20)");
    CHECK(column(table, "s").collation == "utf8mb4_bin");
    CHECK(column(table, "s").char_length_max == 20);
    CHECK(column(table, "s").octet_length_max == 80);
    CHECK(column(table, "s").default_value.has_value());
    CHECK(column(table, "l").charset == "latin1");
    CHECK(column(table, "b").charset.empty());
    CHECK(column(table, "b").char_length_max == 16);
    CHECK(column(table, "e").column_type == "enum('unsigned','B','c,d')");
    CHECK_FALSE(column(table, "e").is_unsigned);
    CHECK(column(table, "d").is_unsigned);
    CHECK(column(table, "d").numeric_precision == 10);
    CHECK(column(table, "d").numeric_scale == 3);
    CHECK(column(table, "dt").fraction_digits == 6);
    CHECK(column(table, "ts").fraction_digits == 0);
    for (const auto& one : table.columns) {
        CAPTURE(one.name);
        CHECK_FALSE(one.generated);
        CHECK_FALSE(one.invisible);
    }

    REQUIRE(table.keys.size() == 4);
    CHECK(key(table, "PRIMARY").unique);
    CHECK(key(table, "PRIMARY").index_type == "BTREE");
    REQUIRE(key(table, "u").parts.size() == 2);
    CHECK(key(table, "u").unique);
    CHECK(key(table, "u").parts[0].column == "s");
    CHECK(key(table, "u").parts[1].column == "b");
    CHECK_FALSE(key(table, "u").parts[0].prefix_length.has_value());
    CHECK_FALSE(key(table, "p").unique);
    CHECK(key(table, "p").parts[0].prefix_length == 10U);
    CHECK_FALSE(key(table, "p").parts[1].prefix_length.has_value());
    CHECK(key(table, "f").index_type == "FULLTEXT");
}

TEST_CASE("what only newer servers have is described too") {
    auto server = start_server(server_kind::mysql_9_7);
    auto root = test::connect(server, "test");
    root.exec(
        "CREATE TABLE t (id INT, v INT INVISIBLE, g1 INT AS (id + 1) STORED, g2 INT AS (id + 2) VIRTUAL,"
        " u CHAR(36) NOT NULL DEFAULT (UUID()), KEY h (v) INVISIBLE, KEY d (id DESC, v), KEY x ((id * 2), v))");
    root.exec("SET sql_generate_invisible_primary_key = ON");
    root.exec("CREATE TABLE k (v INT)");
    auto session = mysql_executor(test::address_of(server)).connect();
    REQUIRE(session.has_value());
    const auto described = describe_table(**session, {"test", "t"});
    REQUIRE(described.has_value());
    CHECK(column(*described, "v").invisible);
    CHECK_FALSE(column(*described, "v").generated);
    CHECK(column(*described, "g1").generated);
    CHECK(column(*described, "g2").generated);
    CHECK_FALSE(column(*described, "u").generated);  // its DEFAULT is, which is something else
    CHECK(column(*described, "u").default_value == "uuid()");
    CHECK_FALSE(key(*described, "h").visible);
    CHECK(key(*described, "d").visible);
    CHECK(key(*described, "d").parts[0].descending);
    CHECK_FALSE(key(*described, "d").parts[1].descending);
    CHECK(key(*described, "x").parts[0].column.empty());
    CHECK(key(*described, "x").parts[1].column == "v");

    // A generated invisible primary key is there whatever the server hides by default.
    const auto hidden = describe_table(**session, {"test", "k"});
    REQUIRE(hidden.has_value());
    CHECK(column(*hidden, "my_row_id").auto_increment);
    CHECK(column(*hidden, "my_row_id").invisible);
    CHECK(key(*hidden, "PRIMARY").unique);
}

TEST_CASE("MariaDB's generated and invisible columns and ignored keys are known") {
    auto server = start_server(server_kind::mariadb_10_11);
    auto root = test::connect(server, "test");
    root.exec(
        "CREATE TABLE t (id INT PRIMARY KEY, v INT INVISIBLE, g1 INT AS (id + 1) STORED, g2 INT AS (id + 2) VIRTUAL,"
        " KEY h (v) IGNORED, KEY d (id DESC))");
    auto session = mysql_executor(test::address_of(server)).connect();
    REQUIRE(session.has_value());
    const auto described = describe_table(**session, {"test", "t"});
    REQUIRE(described.has_value());
    CHECK(column(*described, "v").invisible);
    CHECK(column(*described, "g1").generated);
    CHECK(column(*described, "g2").generated);
    CHECK_FALSE(key(*described, "h").visible);
    CHECK(key(*described, "d").parts[0].descending);
}

TEST_CASE("a hidden generated primary key is seen although the server hides it by default") {
    auto server = start_server(server_kind::mysql_9_7, {"--show-gipk-in-create-table-and-information-schema=OFF"});
    auto root = test::connect(server, "test");
    root.exec("SET sql_generate_invisible_primary_key = ON");
    root.exec("CREATE TABLE k (v INT)");
    auto session = mysql_executor(test::address_of(server)).connect();
    REQUIRE(session.has_value());
    const auto described = describe_table(**session, {"test", "k"});
    REQUIRE(described.has_value());
    CHECK(described->columns.size() == 2);
    CHECK(described->create_statement.find("my_row_id") != std::string::npos);
}
