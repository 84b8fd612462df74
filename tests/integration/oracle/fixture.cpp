#include "tests/integration/oracle/fixture.hpp"

namespace sluice::test::oracle {
namespace {

using throwaway::server_kind;

void add_tables(std::vector<std::string>& to, server_kind kind) {
    const bool json = kind != server_kind::mysql_5_6;
    const bool vector = kind == server_kind::mysql_9_7;
    std::string columns =
        "id INT PRIMARY KEY, c_tiny TINYINT, c_utiny TINYINT UNSIGNED, c_small SMALLINT, c_medium MEDIUMINT, c_int "
        "INT, "
        "c_uint INT UNSIGNED ZEROFILL, c_big BIGINT, c_ubig BIGINT UNSIGNED, c_decimal DECIMAL(20,5), c_float FLOAT, "
        "c_double DOUBLE, c_bit BIT(12), c_date DATE, c_time TIME(3), c_datetime DATETIME(6), c_timestamp TIMESTAMP "
        "NULL, c_year YEAR, c_char CHAR(10) CHARACTER SET latin1, c_varchar VARCHAR(300) CHARACTER SET utf8, c_binary "
        "BINARY(4), c_varbinary VARBINARY(20), c_tinyblob TINYBLOB, c_blob BLOB, c_mediumblob MEDIUMBLOB, c_longblob "
        "LONGBLOB, c_tinytext TINYTEXT, c_text TEXT, c_mediumtext MEDIUMTEXT, c_longtext LONGTEXT, c_enum "
        "ENUM('x','y'), c_set SET('a','b','c'), c_geometry GEOMETRY";
    std::string values =
        "1, -128, 255, -32768, -8388608, -2147483648, 42, -9223372036854775808, 18446744073709551615, "
        "-12345678901234.56789, 1.5, 2.25e100, b'101010101010', '2024-02-29', '-12:34:56.789', '2024-02-29 "
        "23:59:59.123456', '2001-02-03 04:05:06', 2024, 'char', CONCAT('h\xC3\xA9', REPEAT('v', 260)), 'bin', X'00FF', "
        "'tb', REPEAT('b', 300), 'mb', 'lb', 'tt', 'text', 'mt', 'lt', 'y', 'a,c', ";
    values += kind == server_kind::mysql_9_7 ? "ST_GeomFromText('POINT(1 2)')" : "GeomFromText('POINT(1 2)')";
    std::string extremes =
        "2, 127, 0, 32767, 8388607, 2147483647, 4294967295, 9223372036854775807, 0, 0, -0.0, 0, b'0', '1000-01-01', "
        "'838:59:59', '1000-01-01 00:00:00', '2001-02-03 00:00:00', 1901, '', '', '', '', '', '', '', '', '', '', '', "
        "'', 'x', '', NULL";
    if (json) {
        columns += ", c_json JSON";
        values += R"(, '{"a": [1, 2.5, "x", null, true]}')";
        extremes += ", '[]'";
    }
    if (vector) {
        columns += ", c_vector VECTOR(3)";
        values += ", TO_VECTOR('[1,2,3]')";
        extremes += ", TO_VECTOR('[0,0,0]')";
    }
    to.push_back("CREATE TABLE oracle.types (" + columns + ") ENGINE=InnoDB CHARACTER SET latin1");
    to.push_back("INSERT INTO oracle.types VALUES (" + values + ")");
    to.push_back("INSERT INTO oracle.types VALUES (" + extremes + ")");
    to.emplace_back("INSERT INTO oracle.types (id) VALUES (3)");
    to.emplace_back("CREATE TABLE oracle.numbers (n INT PRIMARY KEY, word VARCHAR(20)) ENGINE=InnoDB");
    to.emplace_back(
        "INSERT INTO oracle.numbers VALUES (0,'zero'),(1,'one'),(2,'two'),(3,'three'),(4,'four'),(5,'five'),(6,'six'),"
        "(7,'seven'),(8,'eight'),(9,NULL)");
    to.emplace_back("CREATE TABLE oracle.no_rows (a INT, b TEXT) ENGINE=InnoDB");
}

void add_routines(std::vector<std::string>& to) {
    to.emplace_back(
        "CREATE PROCEDURE oracle.two_results() BEGIN SELECT n FROM oracle.numbers WHERE n < 2; SELECT 'second' AS s; "
        "END");
    to.emplace_back("CREATE PROCEDURE oracle.none() SET @x = 1");
    to.emplace_back(
        "CREATE PROCEDURE oracle.outs(IN a INT, OUT b INT, INOUT c VARCHAR(20)) BEGIN SELECT a; SET b = a + 1; SET c = "
        "CONCAT(c, '!'); END");
    to.emplace_back(
        "CREATE PROCEDURE oracle.fails_late() BEGIN SELECT 1; SELECT * FROM oracle.no_such_table; SELECT 2; END");
    to.emplace_back("CREATE FUNCTION oracle.plus_one(a INT) RETURNS INT DETERMINISTIC RETURN a + 1");
}

void add_accounts(std::vector<std::string>& to) {
    const char* accounts[][2] = {
        {"oracle_other", "other-secret"}, {"oracle_empty", ""}, {"oracle_lister", "lister-secret"}};
    for (const auto& [user, password] : accounts) {
        for (const char* host : {"localhost", "127.0.0.1"}) {
            const auto account = std::string("'") + user + "'@'" + host + "'";
            to.push_back("CREATE USER " + account + " IDENTIFIED BY '" + password + "'");
            to.push_back("GRANT ALL ON oracle.* TO " + account);
        }
    }
    // For COM_BINLOG_DUMP, and for what needs more than an application's rights.
    for (const char* host : {"localhost", "127.0.0.1"}) {
        const auto account = std::string("oracle_power@'") + host + "'";
        to.push_back("CREATE USER " + account + " IDENTIFIED BY 'power-secret'");
        to.push_back("GRANT ALL ON *.* TO " + account);
    }
}

}  // namespace

std::vector<std::string> fixture(throwaway::server_kind kind) {
    std::vector<std::string> statements = {"CREATE DATABASE oracle CHARACTER SET latin1",
                                           "SET SESSION time_zone = '+00:00'", "SET SESSION sql_mode = ''"};
    add_tables(statements, kind);
    add_routines(statements);
    add_accounts(statements);
    return statements;
}

}  // namespace sluice::test::oracle
