#include "migration/sql/create_statement.hpp"
#include "migration/ways/metadata_only.hpp"
#include "tests/support/catch.hpp"

#include <string>

namespace {

using namespace sluice::migration;

column_description column(std::string name, std::string type, std::uint64_t octets = 0) {
    column_description made;
    made.name = std::move(name);
    made.data_type = type.substr(0, type.find_first_of("( "));
    made.column_type = std::move(type);
    made.octet_length_max = octets;
    made.nullable = true;
    return made;
}

table_description table() {
    table_description made;
    made.columns = {column("id", "int"), column("v", "varchar(20)", 80), column("e", "enum('a','b')"),
                    column("s", "set('a','it''s')")};
    return made;
}

/// With one column in another shape; empty name: as it was.
table_description altered(std::size_t place, const column_description& shape) {
    table_description made = table();
    made.columns[place] = shape;
    return made;
}

std::string why_not(const std::string& alter, const table_description& after = table()) {
    const auto parsed = sluice::sql::parse_alter(alter);
    REQUIRE(parsed);
    return beyond_metadata(*parsed, table(), after).value_or("");
}

}  // namespace

TEST_CASE("clauses on the list change metadata only; all of an ALTER must be on it", "[metadata_only]") {
    for (const char* alter :
         {"DROP INDEX i", "RENAME INDEX i TO j", "ALTER INDEX i INVISIBLE", "RENAME COLUMN v TO w",
          "ALTER COLUMN v SET DEFAULT 'x'", "ALTER COLUMN v DROP DEFAULT", "DROP FOREIGN KEY f", "DROP CHECK c",
          "ALTER CHECK c NOT ENFORCED", "alter check `c`  not\nenforced", "AUTO_INCREMENT = 7", "COMMENT 'x'",
          "DEFAULT CHARSET latin1", "COLLATE utf8mb4_bin", "STATS_PERSISTENT=1, STATS_AUTO_RECALC=0",
          "STATS_SAMPLE_PAGES=9", "MAX_ROWS=1 MIN_ROWS=1", "DROP INDEX i, LOCK=NONE, ALGORITHM=INPLACE"}) {
        CAPTURE(alter);
        CHECK(why_not(alter).empty());
    }
    for (const char* alter : {"ADD COLUMN n INT",
                              "DROP COLUMN v",
                              "ADD INDEX i (v)",
                              "ADD UNIQUE (v)",
                              "DROP PRIMARY KEY",
                              "ADD PRIMARY KEY (v)",
                              "ADD FOREIGN KEY (v) REFERENCES p (id)",
                              "ADD CHECK (id > 0)",
                              "ALTER CHECK c ENFORCED",
                              "ALTER CHECK `not` ENFORCED",
                              "ENGINE=InnoDB",
                              "FORCE",
                              "ROW_FORMAT=DYNAMIC",
                              "KEY_BLOCK_SIZE=8",
                              "CONVERT TO CHARACTER SET utf8mb4",
                              "ORDER BY v",
                              "PARTITION BY HASH (id)",
                              "ENCRYPTION='Y'",
                              "COMPRESSION='zlib'",
                              "DROP CONSTRAINT c",
                              "DROP INDEX i, ADD COLUMN n INT"}) {
        CAPTURE(alter);
        CHECK_FALSE(why_not(alter).empty());
    }
    CHECK(why_not("DROP INDEX i, ADD INDEX j (v)").find("ADD INDEX j (v)") != std::string::npos);
}

TEST_CASE("a column may get wider within its length bytes, and members at the end", "[metadata_only]") {
    CHECK(why_not("MODIFY v VARCHAR(63)", altered(1, column("v", "varchar(63)", 252))).empty());
    CHECK_FALSE(why_not("MODIFY v VARCHAR(64)", altered(1, column("v", "varchar(64)", 256))).empty());
    CHECK_FALSE(why_not("MODIFY v VARCHAR(10)", altered(1, column("v", "varchar(10)", 40))).empty());
    CHECK_FALSE(why_not("MODIFY v CHAR(20)", altered(1, column("v", "char(20)", 80))).empty());
    CHECK(why_not("MODIFY e ENUM('a','b','c')", altered(2, column("e", "enum('a','b','c')"))).empty());
    CHECK_FALSE(why_not("MODIFY e ENUM('c','a','b')", altered(2, column("e", "enum('c','a','b')"))).empty());
    CHECK_FALSE(why_not("MODIFY e ENUM('a')", altered(2, column("e", "enum('a')"))).empty());
    CHECK_FALSE(why_not("MODIFY e SET('a','b','c')", altered(2, column("e", "set('a','b','c')"))).empty());
    CHECK(why_not("MODIFY s SET('a','it''s','c')", altered(3, column("s", "set('a','it''s','c')"))).empty());
    std::string eight = "set('a','it''s'";
    for (char c = 'c'; c <= 'h'; ++c) eight += std::string(",'") + c + "'";
    CHECK(why_not("MODIFY s SET('x')", altered(3, column("s", eight + ")"))).empty());
    CHECK_FALSE(why_not("MODIFY s SET('x')", altered(3, column("s", eight + ",'i')"))).empty());
    std::string many = "enum('a','b'";
    for (int i = 3; i <= 255; ++i) many += ",'m" + std::to_string(i) + "'";
    CHECK(why_not("MODIFY e ENUM('x')", altered(2, column("e", many + ")"))).empty());
    CHECK_FALSE(why_not("MODIFY e ENUM('x')", altered(2, column("e", many + ",'m256')"))).empty());
}

TEST_CASE("what touches rows is not on the list, whatever clause says it", "[metadata_only]") {
    column_description other = column("v", "varchar(20)", 80);
    other.nullable = false;
    CHECK(why_not("MODIFY v VARCHAR(20) NOT NULL", altered(1, other)).find("NULL") != std::string::npos);
    other = column("v", "varchar(20)", 80);
    other.collation = "utf8mb4_bin";
    CHECK_FALSE(why_not("MODIFY v VARCHAR(20) COLLATE utf8mb4_bin", altered(1, other)).empty());
    other = column("v", "varchar(20)", 80);
    other.generated = true;
    CHECK_FALSE(why_not("MODIFY v VARCHAR(20) AS ('x')", altered(1, other)).empty());
    CHECK_FALSE(why_not("MODIFY v VARCHAR(20) UNIQUE").empty());
    CHECK(why_not("CHANGE v w VARCHAR(20)", altered(1, column("w", "varchar(20)", 80))).empty());
    table_description moved = table();
    std::swap(moved.columns[1], moved.columns[2]);
    CHECK_FALSE(why_not("MODIFY v VARCHAR(20) AFTER e", moved).empty());
}

TEST_CASE("the shape of a definition is what an altered copy has in common with the table", "[create_statement]") {
    const std::string original =
        "CREATE TABLE `t` (\n  `id` int NOT NULL AUTO_INCREMENT,\n  PRIMARY KEY (`id`),\n"
        "  CONSTRAINT `fk` FOREIGN KEY (`id`) REFERENCES `p` (`id`)\n"
        ") ENGINE=InnoDB AUTO_INCREMENT=17 DEFAULT CHARSET=utf8mb4";
    const std::string copy =
        "CREATE TABLE `_t_gho` (\n  `id` int NOT NULL AUTO_INCREMENT,\n  PRIMARY KEY (`id`)\n"
        ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4";
    CHECK(shape_of(original) == shape_of(copy));
    CHECK(without_counter(original) != without_counter(copy));
    std::string counted = original;
    counted.replace(counted.find("=17"), 3, "=4711");
    CHECK(without_counter(original) == without_counter(counted));
    std::string wider = copy;
    wider.replace(wider.find("int"), 3, "bigint");
    CHECK(shape_of(original) != shape_of(wider));
    // A comment that looks like the counter is none.
    CHECK(without_counter("CREATE TABLE `t` (\n  `a` int COMMENT ' AUTO_INCREMENT=5'\n) ENGINE=InnoDB") ==
          "CREATE TABLE `t` (\n  `a` int COMMENT ' AUTO_INCREMENT=5'\n) ENGINE=InnoDB");
}
