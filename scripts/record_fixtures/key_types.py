"""Columns of every type that may stand in a key, their values, and the SELECT expression that tells what was stored."""

HEX = "HEX({})"
ORDINAL = "{}+0"
PLAIN = "{}"

# kind (key_kind_name), SQL type, expression for the expected text, literals
COMMON = [
    ("signed_integer", "TINYINT", PLAIN, "-128 -1 0 1 127"),
    ("unsigned_integer", "TINYINT UNSIGNED", PLAIN, "0 1 127 128 255"),
    ("signed_integer", "SMALLINT", PLAIN, "-32768 -1 0 1 32767"),
    ("unsigned_integer", "SMALLINT UNSIGNED", PLAIN, "0 255 32767 32768 65535"),
    ("signed_integer", "MEDIUMINT", PLAIN, "-8388608 -1 0 1 8388607"),
    ("unsigned_integer", "MEDIUMINT UNSIGNED", PLAIN, "0 255 8388607 8388608 16777215"),
    ("signed_integer", "INT", PLAIN, "-2147483648 -1 0 1 2147483647"),
    ("unsigned_integer", "INT UNSIGNED", PLAIN, "0 255 2147483647 2147483648 4294967295"),
    ("signed_integer", "BIGINT", PLAIN, "-9223372036854775808 -1 0 1 9223372036854775807"),
    ("unsigned_integer", "BIGINT UNSIGNED", PLAIN, "0 255 9223372036854775807 9223372036854775808 "
     "18446744073709551615"),
    ("decimal", "DECIMAL(10,2)", PLAIN, "-99999999.99 -12.5 0 0.01 99999999.99"),
    ("decimal", "DECIMAL(65,30)", PLAIN, "-12345678901234567890123456789012345.123456789012345678901234567891 "
     "-0.000000000000000000000000000001 0 1 99999999999999999999999999999999999.999999999999999999999999999999"),
    ("decimal", "DECIMAL(18,9)", PLAIN, "-1.000000001 100000000 999999999.999999999 -999999999.999999999 0.5"),
    ("decimal", "DECIMAL(5,5)", PLAIN, "-0.99999 -0.00001 0 0.1 0.99999"),
    ("decimal", "DECIMAL(9)", PLAIN, "-999999999 -1 0 10 999999999"),
    ("decimal", "DECIMAL(20,0) UNSIGNED", PLAIN, "0 1 99999999999999999999 1000000000 999999999"),
    ("date", "DATE", PLAIN, "'1000-01-01' '1969-12-31' '2024-02-29' '9999-12-31' '0000-00-00'"),
    ("time", "TIME", PLAIN, "'-838:59:59' '-00:00:01' '00:00:00' '12:34:56' '838:59:59'"),
    ("time", "TIME(1)", PLAIN, "'-838:59:58.9' '-00:00:00.1' '00:00:00.5' '12:34:56.7' '838:59:58.9'"),
    ("time", "TIME(2)", PLAIN, "'-00:00:01.00' '-00:00:00.01' '-00:59:59.99' '12:34:56.78' '100:00:00.01'"),
    ("time", "TIME(3)", PLAIN, "'-00:00:01.001' '-00:00:00.999' '00:00:00.001' '12:34:56.789' '838:59:58.999'"),
    ("time", "TIME(6)", PLAIN, "'-838:59:58.999999' '-00:00:00.000001' '00:00:00.000001' '12:34:56.123456' "
     "'-01:00:00.500000'"),
    ("datetime", "DATETIME", PLAIN, "'1000-01-01 00:00:00' '1969-12-31 23:59:59' '2024-02-29 12:34:56' "
     "'9999-12-31 23:59:59' '0000-00-00 00:00:00'"),
    ("datetime", "DATETIME(1)", PLAIN, "'1000-01-01 00:00:00.1' '2024-02-29 12:34:56.9' '2024-00-00 00:00:00.5' "
     "'9999-12-31 23:59:59.9' '0000-00-00 00:00:00'"),
    ("datetime", "DATETIME(3)", PLAIN, "'1000-01-01 00:00:00.001' '2024-02-29 12:34:56.789' '2000-10-20 01:02:03.040' "
     "'9999-12-31 23:59:59.999' '0000-00-00 00:00:00'"),
    ("datetime", "DATETIME(6)", PLAIN, "'1000-01-01 00:00:00.000001' '2024-02-29 12:34:56.123456' "
     "'2000-10-20 01:02:03.040506' '9999-12-31 23:59:59.999999' '0000-00-00 00:00:00'"),
    ("timestamp", "TIMESTAMP NULL", PLAIN, "'1970-01-01 00:00:01' '2024-02-29 12:34:56' '2000-12-31 23:59:59' "
     "'2038-01-19 03:14:07' '0000-00-00 00:00:00'"),
    ("timestamp", "TIMESTAMP(2) NULL", PLAIN, "'1970-01-01 00:00:01.01' '2024-02-29 12:34:56.78' "
     "'2000-12-31 23:59:59.99' '2038-01-19 03:14:07.12' '0000-00-00 00:00:00'"),
    ("timestamp", "TIMESTAMP(5) NULL", PLAIN, "'1970-01-01 00:00:01.00001' '2024-02-29 12:34:56.78901' "
     "'2000-12-31 23:59:59.99999' '2038-01-19 03:14:07.12345' '0000-00-00 00:00:00'"),
    ("year", "YEAR", PLAIN, "1901 1970 2024 2155 0"),
    ("bit", "BIT(1)", ORDINAL, "0 1 0 1 1"),
    ("bit", "BIT(10)", ORDINAL, "0 1 512 1023 255"),
    ("bit", "BIT(64)", ORDINAL, "0 1 18446744073709551615 9223372036854775808 256"),
    ("enumeration", "ENUM('','b','c,d')", ORDINAL, "'' 'b' 'c,d' 2 3"),
    ("set", "SET('a','b','c','d','e','f','g','h','i')", ORDINAL, "'' 'a' 'a,i' 'b,c' 511"),
    ("bytes", "CHAR(10) CHARACTER SET latin1", HEX, "'' 'a' 'trailing  ' x'e9e8' ' x'"),
    ("bytes", "CHAR(100) CHARACTER SET utf8", HEX, "'' 'a' 'äöü' '日本語' 'x'"),
    ("bytes", "VARCHAR(20) CHARACTER SET latin1", HEX, "'' 'a' 'trailing  ' x'e9e8' 'x'"),
    ("bytes", "VARCHAR(100) CHARACTER SET utf8", HEX, "'' 'a' 'äöü  ' '日本語' 'x'"),
    ("bytes", "BINARY(16)", "HEX(TRIM(TRAILING 0x00 FROM {}))", "'' 'a' x'00112233445566778899aabbccddee00' "
     "x'ffffffffffffffffffffffffffffffff' x'0001'"),
    ("bytes", "VARBINARY(300)", HEX, "'' 'a' x'0000' x'ff00' x'e4'"),
    ("bytes", "TINYBLOB", HEX, "'' 'a' x'0000' x'ff00' x'e4'"),
    ("bytes", "TEXT", HEX, "'' 'a' 'äöü' 'x ' 'y'"),
]

MYSQL97 = [
    ("bytes", "VARCHAR(100) COLLATE utf8mb4_0900_ai_ci", HEX, "'' 'a' '😀' 'É ' 'x'"),
    ("bytes", "CHAR(60) CHARACTER SET utf8mb4", HEX, "'' 'a' '😀' 'É ' REPEAT('ä',60)"),
]


def split(literals):
    """At spaces that are not inside a string or parentheses."""
    parts, part, quoted, depth = [], "", False, 0
    for c in literals:
        quoted ^= c == "'"
        depth += (c == "(") - (c == ")")
        if c == " " and not quoted and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += c
    return parts + [part]


def statements(columns):
    definitions = ", ".join(f"c{i} {sql}" for i, (_, sql, _, _) in enumerate(columns, 1))
    values = [split(literals) for _, _, _, literals in columns]
    rows = [["NULL"] * len(columns)] + [[column[i] for column in values] for i in range(5)]
    create = (f"CREATE TABLE key_types (id INT NOT NULL PRIMARY KEY, {definitions}, tail INT NOT NULL)"
              " DEFAULT CHARSET latin1")
    inserts = [f"INSERT INTO key_types VALUES ({i}, {', '.join(row)}, 1515870810)" for i, row in enumerate(rows)]
    return ["SET NAMES utf8mb4", "SET sql_mode=''", create, *inserts]


def expected(columns, client):
    """Lines of: row, column, kind, unsigned, text (NULL for SQL NULL)."""
    lines = []
    expressions = ", ".join(expression.format(f"c{i}") for i, (_, _, expression, _) in enumerate(columns, 1))
    for row, cells in enumerate(client.text(f"SELECT {expressions} FROM key_types ORDER BY id")):
        for column, (cell, (kind, sql, _, _)) in enumerate(zip(cells, columns), 1):
            lines.append([row, column, kind, int("UNSIGNED" in sql), "NULL" if cell is None else "=" + cell])
    return lines
