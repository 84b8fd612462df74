// The expressions by which values travel where INSERT … SELECT of the column would not do what ALTER TABLE does.

#include "migration/model/value_conversion.hpp"
#include "tests/unit/migration/model_tables.hpp"

using namespace sluice;
using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

std::string converted(const column_description& before, const column_description& after,
                      const conversion_settings& settings = {}) {
    const auto pieces = conversion_of(before, after, settings);
    if (pieces.has_error()) return pieces.error().code;
    return expression_of(*pieces, "c");
}

std::string value_of(const column_description& column, const conversion_settings& settings = {}) {
    const auto value = value_of_new_column(column, settings);
    if (value.has_error()) return value.error().code;
    return value->value_or("server");
}

}  // namespace

TEST_CASE("value conversion: what both statements convert alike travels as it is") {
    CHECK(converted(make_column("c", "int"), make_column("c", "bigint")) == "c");
    CHECK(converted(make_column("c", "int"), text_column("c", "varchar", 9)) == "c");
    CHECK(converted(temporal_column("c", "datetime", 6), temporal_column("c", "datetime", 0)) == "c");
    CHECK(converted(make_column("c", "timestamp"), make_column("c", "datetime")) == "c");
}

TEST_CASE("value conversion: numbers become text by their own text, and integers by rounding") {
    CHECK(converted(make_column("c", "float"), text_column("c", "varchar", 9)) == "CONCAT(c)");
    CHECK(converted(make_column("c", "year"), text_column("c", "varchar", 9)) == "CONCAT(c)");
    CHECK(converted(make_column("c", "double"), make_column("c", "year")) == "ROUND(c)");
    CHECK(converted(make_column("c", "decimal"), make_column("c", "json")) == "CAST(CONCAT(c) AS JSON)");
    CHECK(converted(make_column("c", "bigint", "bigint unsigned"), make_column("c", "bigint")) ==
          "CAST(c AS DECIMAL(20))");
    conversion_settings mysql;
    mysql.rounds_before_sign = true;
    CHECK(converted(make_column("c", "decimal"), make_column("c", "int", "int unsigned"), mysql) == "ROUND(c)");
    CHECK(converted(make_column("c", "decimal"), make_column("c", "int", "int unsigned")) == "c");
    CHECK(converted(make_column("c", "decimal"), make_column("c", "int"), mysql) == "c");
    conversion_settings mariadb;
    mariadb.text_must_be_integer = true;
    CHECK(converted(text_column("c", "varchar", 9), make_column("c", "int"), mariadb) ==
          "IF(c REGEXP '^ *[-+]?[0-9]+ *$', c, CONCAT(c, ' is no integer'))");
}

TEST_CASE("value conversion: a TEXT or BLOB that becomes shorter is a value, so that its length is looked at") {
    auto before = make_column("c", "mediumblob"), after = make_column("c", "blob");
    before.octet_length_max = 16'777'215;
    after.octet_length_max = 65'535;
    CHECK(converted(before, after) == "CONCAT(c)");
    CHECK(converted(after, before) == "c");
    CHECK(converted(before, before) == "c");
}

TEST_CASE("value conversion: TIMESTAMP is read in the zone of the server's own ALTER, and back") {
    conversion_settings settings;
    settings.time_zone = "Europe/Paris";
    CHECK(converted(make_column("c", "timestamp"), make_column("c", "datetime"), settings) ==
          "IF(c = 0, c, CONVERT_TZ(c, '+00:00', 'Europe/Paris'))");
    CHECK(converted(make_column("c", "timestamp"), text_column("c", "varchar", 30), settings) ==
          "IF(c = 0, c, CONVERT_TZ(c, '+00:00', 'Europe/Paris'))");
    CHECK(converted(make_column("c", "datetime"), temporal_column("c", "timestamp", 3), settings) ==
          "IF(c = 0, c, IF(CONVERT_TZ(CONVERT_TZ(CAST(c AS DATETIME(3)), 'Europe/Paris', '+00:00'), '+00:00', "
          "'Europe/Paris') = CAST(c AS DATETIME(3)), CONVERT_TZ(CAST(c AS DATETIME(3)), 'Europe/Paris', '+00:00'), "
          "CONCAT(c, ' is no time of zone Europe/Paris')))");
    CHECK(converted(make_column("c", "bigint"), make_column("c", "timestamp"), settings) == "unsupported_conversion");
    CHECK(converted(make_column("c", "timestamp"), make_column("c", "timestamp"), settings) == "c");
}

TEST_CASE("value conversion: zero dates are judged only where a column is converted") {
    conversion_settings strict;
    strict.no_zero_date = strict.no_zero_in_date = true;
    CHECK(converted(make_column("c", "date"), make_column("c", "datetime"), strict) ==
          "IF(MONTH(c) = 0 OR DAYOFMONTH(c) = 0, CONCAT('zero date ', c), c)");
    CHECK(converted(make_column("c", "date"), make_column("c", "date"), strict) == "c");
    CHECK(converted(make_column("c", "date"), make_column("c", "datetime")) == "c");
}

TEST_CASE("value conversion: what no expression makes exact is refused, naming both types") {
    CHECK(converted(make_column("c", "time"), make_column("c", "datetime")) == "unsupported_conversion");
    CHECK(converted(text_column("c", "varchar", 9), make_column("c", "bit", "bit(4)")) == "unsupported_conversion");
    CHECK(converted(make_column("c", "decimal"), make_column("c", "enum")) == "unsupported_conversion");
    const auto refused = conversion_of(make_column("c", "time"), make_column("c", "date"), {});
    REQUIRE(refused.has_error());
    CHECK_THAT(refused.error().message, Contains("`c`") && Contains("time") && Contains("date"));
}

TEST_CASE("value conversion: a new NOT NULL column gets the type's own default, as ALTER TABLE gives it") {
    CHECK(value_of(make_column("c", "int")) == "0");
    CHECK(value_of(text_column("c", "varchar", 3)) == "''");
    CHECK(value_of(make_column("c", "enum", "enum('x','y')")) == "1");
    CHECK(value_of(make_column("c", "json")) == "'null'");
    CHECK(value_of(make_column("c", "geometry")) == "no_default_value");
    CHECK(value_of(nullable(make_column("c", "int"))) == "server");
    CHECK(value_of(generated(make_column("c", "int"))) == "server");
    CHECK(value_of(make_column("c", "date")) == "0");
    conversion_settings strict;
    strict.no_zero_date = true;
    CHECK(value_of(make_column("c", "date"), strict) == "'zero date'");
    conversion_settings zoned;
    zoned.now = "2026-11-21 10:11:12.123456";
    auto now = temporal_column("c", "datetime", 3);
    now.default_value = "CURRENT_TIMESTAMP(3)";
    CHECK(value_of(now, zoned) == "'2026-11-21 10:11:12.123'");
}
