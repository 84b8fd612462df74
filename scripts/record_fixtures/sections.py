"""The SQL whose binary logs are recorded. A section has steps: lists of statements, each run in a session of its own,
and functions that take the port and return lines for the section's .values file."""

import key_types
from client import Client


class Section:
    """`before` and `after` run outside the recorded file: changing binlog_checksum, for one, begins a new file."""

    def __init__(self, name, *steps, before=(), after=()):
        self.name = name
        self.steps = steps
        self.before = before
        self.after = after


def values_of_key_types(columns):
    def read(port):
        client = Client(port, schema="fixtures")
        client.query("SET NAMES utf8mb4")
        return key_types.expected(columns, client)
    return read


def key_type_section(columns):
    return Section("key_types", key_types.statements(columns), values_of_key_types(columns))


def other_types(more):
    """Types that cannot be keys; definitions with the value to insert, or None for what is no column of an INSERT."""
    columns = [
        ("f FLOAT", "1.5"), ("d DOUBLE", "-2.25"), ("f2 FLOAT(7,3)", "1234.567"), ("tb TINYTEXT", "REPEAT('t', 255)"),
        ("mb MEDIUMBLOB", "REPEAT('m', 300)"), ("lb LONGTEXT", "REPEAT('l', 70)"),
        ("g GEOMETRY", "ST_GeomFromText('LINESTRING(0 0,1 1,2 2)')"), ("p POINT", "ST_GeomFromText('POINT(1 2)')"),
        *more,
    ]
    inserted = [(definition.split()[0], value) for definition, value in columns if value is not None]
    names = ", ".join(name for name, _ in inserted)
    return Section("other_types", [
        "SET sql_mode=''",
        f"CREATE TABLE other_types (id INT PRIMARY KEY, {', '.join(d for d, _ in columns)}, tail INT NOT NULL)",
        f"INSERT INTO other_types (id, {names}, tail) VALUES (1, {', '.join(v for _, v in inserted)}, 1515870810),"
        f" (2, {', '.join('NULL' for _ in inserted)}, 1515870810)",
        "UPDATE other_types SET f = 3 WHERE id = 1",
        "DELETE FROM other_types",
    ])


IMAGES = Section("images", [
    "CREATE TABLE images (id INT AUTO_INCREMENT PRIMARY KEY, a INT, b VARCHAR(20), c BLOB, d INT DEFAULT 4)",
    *[statement for image in ("FULL", "MINIMAL", "NOBLOB") for statement in (
        f"SET SESSION binlog_row_image = {image}",
        "INSERT INTO images (a, b) VALUES (1, 'one'), (2, NULL), (3, 'three')",
        "UPDATE images SET a = a + 10 WHERE b IS NULL",
        "UPDATE images SET b = 'two', d = 7 WHERE a = 12",
        "UPDATE images SET id = id + 100, c = 'blob' WHERE a = 3",
        "DELETE FROM images",
    )],
])

STATEMENTS = Section("statements", [
    "CREATE TABLE statements (id INT AUTO_INCREMENT PRIMARY KEY, a DOUBLE, b VARCHAR(20))",
    "SET @user_variable = 'value'",
    "SET SESSION binlog_format = STATEMENT",
    "INSERT INTO statements (a) VALUES (1)",
    "INSERT INTO statements (a, b) VALUES (RAND(), @user_variable)",
    "BEGIN", "INSERT INTO statements (a) VALUES (2)", "SAVEPOINT one", "INSERT INTO statements (a) VALUES (3)",
    "ROLLBACK TO one", "COMMIT",
    "ALTER TABLE statements ADD COLUMN c INT",
    "DROP TABLE statements",
])

SAVEPOINTS = Section("savepoints", [
    "CREATE TABLE sp (id INT PRIMARY KEY) ENGINE=InnoDB",
    "CREATE TABLE sp_my (id INT PRIMARY KEY) ENGINE=MyISAM",
    "BEGIN", "INSERT INTO sp VALUES (1)", "SAVEPOINT a", "INSERT INTO sp VALUES (2)", "SAVEPOINT b",
    "INSERT INTO sp VALUES (3)", "ROLLBACK TO b", "RELEASE SAVEPOINT a", "COMMIT",
    "INSERT INTO sp_my VALUES (1)",
    "TRUNCATE TABLE sp",
])

# Refused while GTID consistency is enforced.
MIXED_ENGINES = Section("mixed_engines", [
    "BEGIN", "INSERT INTO sp VALUES (4)", "INSERT INTO sp_my VALUES (2)", "ROLLBACK",
])

NO_CHECKSUM = Section(
    "no_checksum",
    ["CREATE TABLE no_checksum (id INT PRIMARY KEY)", "INSERT INTO no_checksum VALUES (1)"],
    before=["SET GLOBAL binlog_checksum = NONE"], after=["SET GLOBAL binlog_checksum = CRC32"])

XA = Section("xa", [
    "CREATE TABLE xa (id INT PRIMARY KEY)",
    "XA START 'global','branch',3", "INSERT INTO xa VALUES (1)", "XA END 'global','branch',3",
    "XA PREPARE 'global','branch',3",
], [
    "XA COMMIT 'global','branch',3",
    "XA START 'rolled'", "INSERT INTO xa VALUES (2)", "XA END 'rolled'", "XA PREPARE 'rolled'", "XA ROLLBACK 'rolled'",
    "XA START 'one'", "INSERT INTO xa VALUES (3)", "XA END 'one'", "XA COMMIT 'one' ONE PHASE",
])


def mysql97():
    key_columns = key_types.COMMON + key_types.MYSQL97
    yield key_type_section(key_columns)
    yield other_types([
        ("j JSON", """'{"a": [1, 2, {"b": null}], "tags": [1, 2]}'"""), ("v VECTOR(3)", "TO_VECTOR('[1,2,3]')"),
        ("gen INT GENERATED ALWAYS AS (id * 2) STORED", None), ("virt INT AS (id + 1) VIRTUAL", None),
        ("KEY ((id + 5))", None), ("KEY mv ((CAST(j->'$.tags' AS UNSIGNED ARRAY)))", None),
        ("hidden INT INVISIBLE", "8"),
    ])
    yield IMAGES
    yield STATEMENTS
    yield SAVEPOINTS
    yield XA
    yield Section("payload", [
        "CREATE TABLE payload (id INT PRIMARY KEY, t MEDIUMTEXT)", "CREATE TABLE payload2 LIKE payload",
        "SET SESSION binlog_transaction_compression = ON",
        "BEGIN", "INSERT INTO payload VALUES (1, REPEAT('x', 5000)), (2, 'y')", "INSERT INTO payload2 VALUES (9, 'z')",
        "UPDATE payload SET t = REPEAT('u', 100)", "DELETE FROM payload2", "COMMIT",
        "INSERT INTO payload SELECT id + 10, REPEAT(t, 3000) FROM payload",
        "SET SESSION binlog_transaction_compression = OFF", "INSERT INTO payload VALUES (30, 'plain')",
    ])
    yield Section("json", [
        "CREATE TABLE json (id INT PRIMARY KEY, a JSON, b JSON, c INT, tail INT DEFAULT 7)",
        "INSERT INTO json (id, a, b, c) VALUES (1, JSON_OBJECT('k', REPEAT('v', 300), 'n', 1),"
        " JSON_OBJECT('k', REPEAT('w', 300), 'n', 2), 3)",
        "SET SESSION binlog_row_value_options = PARTIAL_JSON",
        "UPDATE json SET b = JSON_SET(b, '$.n', 5), c = 4",
        "UPDATE json SET a = JSON_SET(a, '$.n', 6), b = JSON_REMOVE(b, '$.n')",
        "UPDATE json SET c = 9",
        "SET SESSION binlog_row_image = MINIMAL",
        "UPDATE json SET b = JSON_SET(b, '$.k', 'short'), c = 5",
        "UPDATE json SET a = '[1]', b = JSON_SET(b, '$.k', 'x')",
    ])
    yield Section("gtids", [
        "CREATE TABLE gtids (id INT PRIMARY KEY)",
        "SET SESSION gtid_next = 'AUTOMATIC:some_tag'", "INSERT INTO gtids VALUES (1)",
        "SET SESSION gtid_next = 'AUTOMATIC:another'", "INSERT INTO gtids VALUES (2)", "INSERT INTO gtids VALUES (3)",
        "SET SESSION gtid_next = '3e11fa47-71ca-ff01-9e80-c80aa9429562:given:1234567'", "INSERT INTO gtids VALUES (4)",
        "SET SESSION gtid_next = '3e11fa47-71ca-ff01-9e80-c80aa9429562:23'", "INSERT INTO gtids VALUES (5)",
        "SET SESSION gtid_next = AUTOMATIC", "INSERT INTO gtids VALUES (6)",
    ])
    yield Section("previous_gtids", ["INSERT INTO gtids VALUES (7)"], read_gtid_executed)
    yield Section("metadata", [
        "SET GLOBAL binlog_row_metadata = FULL",
        "CREATE TABLE metadata (`id` INT UNSIGNED, `näme` VARCHAR(30) COLLATE utf8mb4_bin, y YEAR, l CHAR(10) COLLATE"
        " latin1_swedish_ci, e ENUM('ä','b') COLLATE utf8mb4_bin, s SET('x','y') COLLATE latin1_swedish_ci, b BIGINT,"
        " u DECIMAL(5,2) UNSIGNED, bl BLOB, t TEXT, g POINT, ls LINESTRING, v VECTOR(7), secret INT INVISIBLE, f FLOAT,"
        " PRIMARY KEY (`näme`(5), `id`))",
        "INSERT INTO metadata (id, `näme`) VALUES (1, 'a')",
        "CREATE TABLE metadata_simple (a INT, b INT, PRIMARY KEY (b, a))",
        "INSERT INTO metadata_simple VALUES (1, 2)",
        "SET GLOBAL binlog_row_metadata = MINIMAL",
    ])
    yield Section("rows_query", [
        "SET SESSION binlog_rows_query_log_events = ON",
        "CREATE TABLE rows_query (id INT PRIMARY KEY)", "INSERT INTO rows_query VALUES (1)",
        "DELETE FROM rows_query /*" + "x" * 300 + "*/",
    ])
    yield NO_CHECKSUM
    yield Section("anonymous", [
        "SET GLOBAL gtid_mode = ON_PERMISSIVE", "SET GLOBAL gtid_mode = OFF_PERMISSIVE",
        "CREATE TABLE anonymous (id INT PRIMARY KEY)", "INSERT INTO anonymous VALUES (1)",
        "SET GLOBAL gtid_mode = ON_PERMISSIVE", "SET GLOBAL gtid_mode = ON",
    ])


def read_gtid_executed(port):
    return [["gtid_executed", Client(port).text("SELECT REPLACE(@@GLOBAL.gtid_executed, '\n', '')")[0][0]]]


def mysql56():
    yield key_type_section(key_types.COMMON)
    yield other_types([])
    yield IMAGES
    yield STATEMENTS
    yield SAVEPOINTS
    yield MIXED_ENGINES
    yield NO_CHECKSUM


def mariadb1011():
    yield key_type_section(key_types.COMMON)
    yield other_types([("u UUID", "'123e4567-e89b-12d3-a456-426655440000'"), ("i INET6", "'::1'"),
                       ("cv VARCHAR(100) COMPRESSED", "REPEAT('c', 100)"), ("ct TEXT COMPRESSED", "REPEAT('d', 500)")])
    yield IMAGES
    yield STATEMENTS
    yield SAVEPOINTS
    yield MIXED_ENGINES
    yield XA
    yield NO_CHECKSUM
    yield Section("compressed", [
        "SET GLOBAL log_bin_compress = ON", "CREATE TABLE compressed (id INT PRIMARY KEY, t TEXT)",
        "INSERT INTO compressed VALUES (1, REPEAT('x', 1000))", "UPDATE compressed SET t = REPEAT('y', 1000)",
        "DELETE FROM compressed", "SET GLOBAL log_bin_compress = OFF",
    ])
    old_columns = [column for column in key_types.COMMON if column[0] in ("time", "datetime", "timestamp")
                   and "(" not in column[1]]
    yield Section("old_temporals", ["SET GLOBAL mysql56_temporal_format = OFF", "DROP TABLE key_types"],
                  key_types.statements(old_columns), values_of_key_types(old_columns),
                  ["SET GLOBAL mysql56_temporal_format = ON"])
    yield Section("metadata", [
        "SET GLOBAL binlog_row_metadata = FULL",
        "CREATE TABLE metadata (`id` INT UNSIGNED, `näme` VARCHAR(30) CHARACTER SET utf8mb4, y YEAR, l CHAR(10)"
        " CHARACTER SET latin1, e ENUM('ä','b'), s SET('x','y') CHARACTER SET latin1, b BIGINT, u DECIMAL(5,2)"
        " UNSIGNED, bl BLOB, t TEXT, g POINT, ls LINESTRING, f FLOAT, PRIMARY KEY (`näme`(5), `id`))",
        "INSERT INTO metadata (id, `näme`) VALUES (1, 'a')",
        "SET GLOBAL binlog_row_metadata = NO_LOG",
    ])


def for_server(name):
    return {"mysql97": mysql97, "mysql56": mysql56, "mariadb1011": mariadb1011}[name]()
