// The comparison before the swap: every kind of damage in the ghost is found and mended, what stays ends the migration,
// and no conversion of an ALTER is taken for damage.

#include "tests/integration/migration/verification_rig.hpp"
#include "tests/support/catch.hpp"

#include <map>

using namespace sluice;
using namespace sluice::test;

namespace {

const mysql_server& server_of(server_kind kind) {
    static std::map<server_kind, mysql_server> servers;
    const auto found = servers.find(kind);
    return found != servers.end() ? found->second : servers.emplace(kind, start_server(kind)).first->second;
}

std::string next_table() {
    static unsigned number = 0;
    return "v" + std::to_string(++number);
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

struct damage {
    const char* column;   ///< the definition of column v, between key and filler
    const char* value;    ///< of the row in the original
    const char* damaged;  ///< of the same row in the ghost
};

/// One row of each is damaged; both tables have other rows around it. Returns what differs after the pass.
void check_damage(server_kind kind, const damage& one) {
    INFO(throwaway::to_string(kind) << ": " << one.column << ": " << one.value << " against " << one.damaged);
    const std::string value = one.value;
    verification_rig rig(
        server_of(kind), next_table(),
        "(id INT PRIMARY KEY, v " + std::string(one.column) + ", filler VARCHAR(20)) CHARACTER SET utf8mb4",
        "(1, " + value + ", 'a'), (2, " + value + ", 'b'), (3, " + value + ", 'c')", "ADD added INT");
    // By way of NULL: a server leaves a JSON 1 as it is when it is set to 1.0.
    rig.root.exec("UPDATE " + rig.ghost + " SET v = NULL WHERE id = 2");
    rig.root.exec("UPDATE " + rig.ghost + " SET v = " + one.damaged + " WHERE id = 2");
    const auto counts = rig.pass();
    REQUIRE(counts);
    CHECK(counts->rows_counted == 3);
    CHECK(counts->rows_compared == 3);
    CHECK(counts->rows_repaired == 1);
    const auto again = rig.pass();
    REQUIRE(again);
    CHECK(again->rows_repaired == 0);
    CHECK(again->rows_compared == 3);
}

constexpr auto all_kinds = {server_kind::mysql_9_7, server_kind::mysql_5_6, server_kind::mariadb_10_11};

}  // namespace

TEST_CASE("verification: a changed value of every type is found and mended") {
    const damage everywhere[] = {
        {"INT", "7", "8"},
        {"INT", "NULL", "0"},
        {"BIGINT UNSIGNED", "18446744073709551615", "18446744073709551614"},
        {"DECIMAL(30,10)", "12345678901234567890.0000000001", "12345678901234567890.0000000002"},
        {"FLOAT", "1.5", "1.5000001"},
        {"DOUBLE", "0.1", "0.10000000000000002"},
        {"BIT(64)", "18446744073709551615", "18446744073709551614"},
        {"DATE", "'0000-00-00'", "'2020-01-01'"},
        {"DATE", "'2020-01-01'", "NULL"},
        {"DATETIME(6)", "'2020-01-01 00:00:00.000001'", "'2020-01-01 00:00:00.000002'"},
        {"TIMESTAMP(3) NULL", "'2020-01-01 00:00:00.001'", "'2020-01-01 00:00:00.002'"},
        {"TIME(1)", "'-00:00:00.1'", "'00:00:00.1'"},
        {"YEAR", "2000", "1900 + 101"},
        {"VARCHAR(20) COLLATE utf8mb4_general_ci", "'name'", "'Name'"},
        {"VARCHAR(20) COLLATE utf8mb4_general_ci", "'name'", "'name '"},
        {"VARCHAR(20) COLLATE utf8mb4_bin", "'name'", "'name '"},
        {"VARCHAR(20) COLLATE utf8mb4_general_ci", "'e'", "_utf8mb4 0xC3A9"},
        {"VARCHAR(20)", "''", "NULL"},
        {"VARCHAR(20)", "NULL", "''"},
        {"CHAR(20) CHARACTER SET latin1", "'x'", "'X'"},
        {"TEXT CHARACTER SET ucs2", "'a b'", "'a c'"},
        {"BINARY(4)", "0x01", "0x0100000001"},
        {"VARBINARY(8)", "0x00", "0x0000"},
        {"LONGBLOB", "''", "0x00"},
        {"ENUM('x','y','')", "'y'", "'x'"},
        {"ENUM('x','y','')", "3", "0"},
        {"SET('a','b','c')", "'a,c'", "'a'"},
        {"GEOMETRY", "ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('POINT(1 3)')"},
    };
    for (const auto kind : all_kinds) {
        for (const damage& one : everywhere) {
            // Too long a text for BINARY(4) is cut by the UPDATE; the row then differs by its last byte only.
            if (std::string_view(one.column) == "BINARY(4)") {
                check_damage(kind, {one.column, "0x01", "0x01000001"});
                continue;
            }
            check_damage(kind, one);
        }
    }
}

TEST_CASE("verification: values that are equal to the server but stored in another way are found") {
    const damage of_mysql[] = {
        {"JSON", "'1'", "'1.0'"},
        {"JSON", "'{\"a\": [1.0]}'", "JSON_OBJECT('a', JSON_ARRAY(CAST(1.0 AS DECIMAL(2,1))))"},
        {"JSON", "'\"2020-01-01\"'", "CAST(CAST('2020-01-01' AS DATE) AS JSON)"},
        {"JSON", "'1'", "CAST(CAST(1 AS UNSIGNED) AS JSON)"},
        {"JSON", "NULL", "'null'"},
        {"JSON", "'{\"b\": \"x\"}'", "'{\"b\": \"X\"}'"},
        {"VECTOR(2)", "STRING_TO_VECTOR('[0.0,1]')", "STRING_TO_VECTOR('[-0.0,1]')"},
        {"POINT SRID 4326", "ST_GeomFromText('POINT(1 2)', 4326)", "ST_GeomFromText('POINT(1 2.0000001)', 4326)"},
        {"GEOMETRY", "ST_GeomFromText('POINT(1 2)', 0)", "ST_GeomFromText('POINT(1 2)', 4326)"},
    };
    for (const damage& one : of_mysql) check_damage(server_kind::mysql_9_7, one);
    // MariaDB stores and shows no sign of a zero.
    for (const auto kind : {server_kind::mysql_9_7, server_kind::mysql_5_6}) {
        check_damage(kind, {"DOUBLE", "0e0", "-0e0"});
        check_damage(kind, {"FLOAT", "-0e0", "0e0"});
    }
    check_damage(server_kind::mariadb_10_11, {"JSON", "'{\"a\": 1}'", "'{\"a\":1}'"});
    check_damage(server_kind::mariadb_10_11,
                 {"UUID", "'123e4567-e89b-12d3-a456-426655440000'", "'123e4567-e89b-12d3-a456-426655440001'"});
    check_damage(server_kind::mariadb_10_11, {"INET6", "'::1'", "'::2'"});
}

TEST_CASE("verification: the highest bit of a SET of 64 members is seen") {
    std::string members;
    for (int i = 0; i < 64; ++i) members += (i == 0 ? "'m" : ",'m") + std::to_string(i) + "'";
    const std::string column = "SET(" + members + ")";
    for (const auto kind : all_kinds) check_damage(kind, {column.c_str(), "'m0,m63'", "'m1,m63'"});
}

TEST_CASE("verification: rows that only one of the tables has are found, wherever they lie") {
    for (const auto kind : all_kinds) {
        INFO(throwaway::to_string(kind));
        verification_rig rig(server_of(kind), next_table(), "(a INT, b VARCHAR(10), v INT, PRIMARY KEY (a, b))",
                             "(10, 'x', 1), (10, 'y', 2), (20, 'x', 3)", "ADD added INT");
        rig.root.exec("DELETE FROM " + rig.ghost + " WHERE b = 'y'");
        rig.root.exec("INSERT INTO " + rig.ghost + " (a, b, v) VALUES (-5, 'q', 1), (10, 'xx', 1), (99, '', 1)");
        const auto counts = rig.pass();
        REQUIRE(counts);
        CHECK(counts->rows_counted == 3);
        CHECK(counts->rows_compared == 3);
        CHECK(counts->rows_repaired == 4);
        CHECK(rig.root.scalar("SELECT GROUP_CONCAT(a, b ORDER BY a, b) FROM " + rig.ghost) == "10x,10y,20x");
    }
}

TEST_CASE("verification: a ghost that has rows where the original has none, an empty pair, and an emptied ghost") {
    for (const auto kind : all_kinds) {
        INFO(throwaway::to_string(kind));
        verification_rig rig(server_of(kind), next_table(), "(id INT PRIMARY KEY, v INT)", "", "ADD added INT");
        const auto nothing = rig.pass();
        REQUIRE(nothing);
        CHECK(nothing->rows_counted == 0);
        CHECK(nothing->rows_compared == 0);
        CHECK(rig.verification->report().passes == 1);
        rig.root.exec("INSERT INTO " + rig.ghost + " (id, v) VALUES (1, 1), (2, 2)");
        const auto surplus = rig.pass();
        REQUIRE(surplus);
        CHECK(surplus->rows_counted == 0);
        CHECK(surplus->rows_repaired == 2);
        CHECK(rig.root.scalar("SELECT COUNT(*) FROM " + rig.ghost) == "0");
        rig.root.exec("INSERT INTO " + rig.original + " VALUES (1, 1), (2, 2), (3, 3)");
        const auto missing = rig.pass();
        REQUIRE(missing);
        CHECK(missing->rows_counted == 3);
        CHECK(missing->rows_repaired == 3);
    }
}

TEST_CASE("verification: two errors that would cancel out in a checksum of checksums are found") {
    for (const auto kind : all_kinds) {
        INFO(throwaway::to_string(kind));
        verification_rig rig(server_of(kind), next_table(), "(id INT PRIMARY KEY, a VARCHAR(9), b VARCHAR(9))",
                             "(1, 'ab', 'c'), (2, 'x', 'y'), (3, 'x', 'y')", "ADD added INT");
        // Moved over the border of two columns; and the same bit turned in two rows.
        rig.root.exec("UPDATE " + rig.ghost + " SET a = 'a', b = 'bc' WHERE id = 1");
        rig.root.exec("UPDATE " + rig.ghost + " SET a = 'X' WHERE id > 1");
        const auto counts = rig.pass();
        REQUIRE(counts);
        CHECK(counts->rows_repaired == 3);
    }
}

TEST_CASE("verification: what the ALTER converts is no difference, and damage in it is found") {
    struct conversion {
        const char* before;
        const char* value;
        const char* alter;
        const char* damaged;
        bool mysql_9_7 = true, mysql_5_6 = true, mariadb = true;
    };
    const conversion conversions[] = {
        {"INT", "-7", "MODIFY v BIGINT", "-8"},
        {"INT", "7", "MODIFY v INT UNSIGNED NOT NULL", "8"},
        {"INT", "7", "MODIFY v SMALLINT", "8"},
        {"INT", "7", "MODIFY v VARCHAR(20)", "'7 '"},
        {"VARCHAR(20) CHARACTER SET latin1", "_latin1 0xE9", "MODIFY v VARCHAR(20) CHARACTER SET utf8mb4", "'E'"},
        {"VARCHAR(20) COLLATE utf8mb4_general_ci", "'Ab '", "MODIFY v VARCHAR(20) COLLATE utf8mb4_bin", "'Ab'"},
        {"VARCHAR(20)", "'a  '", "MODIFY v CHAR(20)", "'A'"},
        {"CHAR(20)", "'a'", "MODIFY v VARCHAR(30)", "'a '"},
        {"VARCHAR(20)", "'abc'", "MODIFY v TEXT", "'abd'"},
        {"DECIMAL(10,4)", "1.2", "MODIFY v DECIMAL(12,6)", "1.200001"},
        {"DECIMAL(10,4)", "1.2000", "MODIFY v DECIMAL(10,2)", "1.21"},
        {"DATETIME(6)", "'2020-01-01 00:00:00'", "MODIFY v DATETIME(0)", "'2020-01-01 00:00:01'"},
        {"DATETIME(0)", "'2020-01-01 00:00:00'", "MODIFY v DATETIME(6)", "'2020-01-01 00:00:00.000001'"},
        {"TEXT", "'{\"a\":  1.0}'", "MODIFY v JSON", "'{\"a\": 2}'", true, false, false},
        {"ENUM('x','y','z')", "'z'", "MODIFY v ENUM('z','x','y')", "'y'"},
        {"ENUM('x','y')", "'y'", "MODIFY v ENUM('x','y','z')", "'z'"},
        {"SET('x','y')", "'x,y'", "MODIFY v SET('y','x')", "'y'"},
        {"FLOAT", "1.1", "MODIFY v DOUBLE", "1.1"},
        {"BIT(4)", "5", "MODIFY v BIGINT", "6"},
        {"BINARY(2)", "0x0100", "MODIFY v VARBINARY(4)", "0x01"},
    };
    for (const auto kind : all_kinds) {
        for (const conversion& one : conversions) {
            if (kind == server_kind::mysql_9_7   ? !one.mysql_9_7
                : kind == server_kind::mysql_5_6 ? !one.mysql_5_6
                                                 : !one.mariadb) {
                continue;
            }
            INFO(throwaway::to_string(kind) << ": " << one.before << " " << one.value << ", " << one.alter);
            const std::string value = one.value;
            verification_rig rig(server_of(kind), next_table(),
                                 "(id INT PRIMARY KEY, v " + std::string(one.before) + ") CHARACTER SET utf8mb4",
                                 "(1, " + value + "), (2, " + value + "), (3, " + value + ")", one.alter);
            const auto clean = rig.pass();
            REQUIRE(clean);
            CHECK(clean->rows_compared == 3);
            CHECK(clean->rows_repaired == 0);
            rig.root.exec("UPDATE " + rig.ghost + " SET v = " + one.damaged + " WHERE id = 2");
            const auto mended = rig.pass();
            REQUIRE(mended);
            CHECK(mended->rows_repaired == 1);
        }
    }
}

TEST_CASE("verification: a difference that comes back after each repair ends the migration and is named") {
    for (const auto kind : all_kinds) {
        INFO(throwaway::to_string(kind));
        verification_rig rig(server_of(kind), next_table(), "(id INT PRIMARY KEY, v INT, w VARCHAR(9))",
                             "(1, 1, 'x'), (2, 2, 'y'), (3, 3, 'z')", "MODIFY v DECIMAL(5,1)");
        rig.root.exec("CREATE TRIGGER " + rig.ghost.substr(0, rig.ghost.size() - 1) + "_bi` BEFORE INSERT ON " +
                      rig.ghost + " FOR EACH ROW SET NEW.v = 9, NEW.w = IF(NEW.id = 2, 'Y', NEW.w)");
        rig.root.exec("UPDATE " + rig.ghost + " SET v = 7 WHERE id > 1");
        const auto failed = rig.pass();
        REQUIRE(failed.has_error());
        CHECK(failed.error().code == "verification_failed");
        INFO(failed.error().message);
        CHECK(contains(failed.error().message, "2 rows"));
        CHECK(contains(failed.error().message, "key (2): differs in `w`, `v`"));
        CHECK(contains(failed.error().message, "key (3): differs in `v`"));
    }
}

TEST_CASE("verification: a row of the original that the ALTER cannot convert ends the migration") {
    verification_rig rig(server_of(server_kind::mysql_9_7), next_table(), "(id INT PRIMARY KEY, v VARCHAR(20))",
                         "(1, '1'), (2, '2')", "MODIFY v INT");
    rig.root.exec("UPDATE " + rig.original + " SET v = 'two' WHERE id = 2");
    const auto failed = rig.pass();
    REQUIRE(failed.has_error());
    INFO(failed.error().code << ": " << failed.error().message);
    CHECK(failed.error().server_errno != 0);
}

TEST_CASE("verification: all kinds of keys, over many chunks") {
    struct key {
        const char* columns;
        const char* expression;  ///< of the number n
        const char* alter;
    };
    const key keys[] = {
        {"k BIGINT UNSIGNED, PRIMARY KEY (k)", "18446744073709551615 - n", "ADD added INT"},
        {"k VARCHAR(20) COLLATE utf8mb4_general_ci, PRIMARY KEY (k)", "IF(n % 2, CONCAT('A', n), CONCAT('a', n, ' '))",
         "ADD added INT"},
        {"k BINARY(8), PRIMARY KEY (k)", "CONCAT(CHAR(n % 256), CHAR(n DIV 256))", "ADD added INT"},
        {"k DECIMAL(12,3), PRIMARY KEY (k)", "n / 8 - 100", "ADD added INT"},
        {"k DATETIME(3), PRIMARY KEY (k)", "'2020-01-01' + INTERVAL n SECOND", "ADD added INT"},
        {"k DATE NOT NULL, l SMALLINT, PRIMARY KEY (k, l)", "IF(n % 2, '0000-00-00', '2020-02-02'), n",
         "ADD added INT"},
        {"k INT, l INT, PRIMARY KEY (k, l)", "n % 10, n", "DROP PRIMARY KEY, ADD PRIMARY KEY (l, k)"},
        {"k ENUM('c','b','a'), l INT, PRIMARY KEY (k, l)", "1 + n % 3, n", "ADD added INT"},
        {"k VARCHAR(20) COLLATE utf8mb4_general_ci, PRIMARY KEY (k)", "CONCAT('K', n)",
         "MODIFY k VARCHAR(20) COLLATE utf8mb4_bin"},
        {"k INT, PRIMARY KEY (k)", "n", "MODIFY k BIGINT"},
    };
    for (const auto kind : all_kinds) {
        for (const key& one : keys) {
            INFO(throwaway::to_string(kind) << ": " << one.columns << ": " << one.alter);
            std::string rows;
            for (int n = 1; n <= 2'500; ++n) {
                std::string values = one.expression;
                for (auto at = values.find('n'); at != std::string::npos; at = values.find('n', at + 1)) {
                    values.replace(at, 1, std::to_string(n));
                }
                rows += (n == 1 ? "(" : ", (") + values + ", " + std::to_string(n) + ")";
            }
            verification_rig rig(
                server_of(kind), next_table(),
                "(" + std::string(one.columns).insert(std::string(one.columns).find(", PRIMARY"), ", v INT") +
                    ") CHARACTER SET utf8mb4",
                rows, one.alter);
            const auto clean = rig.pass();
            REQUIRE(clean);
            CHECK(clean->rows_counted == 2'500);
            CHECK(clean->rows_repaired == 0);
            rig.root.exec("DELETE FROM " + rig.ghost + " WHERE v IN (1, 700, 2500)");
            rig.root.exec("UPDATE " + rig.ghost + " SET v = v + 1 WHERE v IN (2, 1500)");
            rig.root.exec("DELETE FROM " + rig.original + " WHERE v IN (3, 2000)");
            const auto mended = rig.pass();
            REQUIRE(mended);
            CHECK(mended->rows_counted == 2'498);
            CHECK(mended->rows_repaired == 7);
            const auto again = rig.pass();
            REQUIRE(again);
            CHECK(again->rows_repaired == 0);
        }
    }
}
