"""The steps that all drivers of Python's DB-API share. Everything that the driver hands out is printed."""

import hashlib
import os

LARGE_BYTES = 17 * 1024 * 1024


def say(*what):
    print(*what, flush=True)


def shared_sql(folder, name):
    with open(os.path.join(folder, name + ".sql"), encoding="utf-8") as file:
        return file.read()


def show(cursor):
    """Metadata and rows of the current result."""
    say("  columns:", cursor.description)
    for row in cursor.fetchall():
        say("  row:", [sorted(value) if isinstance(value, set) else value for value in row])
    say("  rowcount:", cursor.rowcount)


def attempt(title, action, errors):
    try:
        say(title, "->", action())
    except errors as error:
        say(title, "->", type(error).__name__, error.args)


def types(connection, sql_folder):
    cursor = connection.cursor()
    cursor.execute("SET time_zone = '+00:00'")
    cursor.execute(shared_sql(sql_folder, "types"))
    say("insert:", cursor.execute(shared_sql(sql_folder, "rows")), cursor.rowcount, cursor.lastrowid)
    cursor.execute("SELECT * FROM types ORDER BY id")
    show(cursor)
    bytes_of_all_values = bytes(range(256))
    cursor.execute("INSERT INTO types (c_varchar, c_varbinary, c_double, c_bool) VALUES (%s, %s, %s, %s)",
                   ("O'Ünï\\\"\0😀", bytes_of_all_values, 1.5e-7, None))
    say("insert with parameters:", cursor.rowcount, cursor.lastrowid)
    cursor.execute("SELECT id, c_varchar, c_varbinary, c_double, c_bool FROM types WHERE id = %s", (cursor.lastrowid,))
    show(cursor)
    cursor.executemany("INSERT INTO types (c_int, c_text) VALUES (%s, %s)", [(n, "x" * n) for n in range(50)])
    say("executemany:", cursor.rowcount, cursor.lastrowid)
    cursor.execute("UPDATE types SET c_int = c_int + 1 WHERE c_int BETWEEN 25 AND 100")
    say("update:", cursor.rowcount)
    cursor.execute("SELECT COUNT(*), SUM(c_int), AVG(c_int), MAX(c_text) FROM types")
    show(cursor)


def transactions(connection, errors):
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE ledger (id INT PRIMARY KEY, amount INT NOT NULL)")
    cursor.execute("INSERT INTO ledger VALUES (1, 10)")
    connection.commit()
    cursor.execute("INSERT INTO ledger VALUES (2, 20)")
    connection.rollback()
    cursor.execute("INSERT INTO ledger VALUES (3, 30)")
    cursor.execute("SAVEPOINT here")
    cursor.execute("INSERT INTO ledger VALUES (4, 40)")
    cursor.execute("ROLLBACK TO SAVEPOINT here")
    attempt("duplicate", lambda: cursor.execute("INSERT INTO ledger VALUES (1, 11)"), errors)
    attempt("null", lambda: cursor.execute("INSERT INTO ledger VALUES (5, NULL)"), errors)
    connection.commit()
    cursor.execute("SELECT * FROM ledger ORDER BY id")
    show(cursor)


def failures(connection, errors):
    cursor = connection.cursor()
    for statement in ("SELEKT 1", "SELECT * FROM missing", "SELECT missing FROM ledger", "DROP DATABASE missing_too",
                      "INSERT INTO ledger VALUES (1, 2, 3)", "SELECT 1 FROM dual WHERE 1 = ", "USE missing_three",
                      "DO ST_GeomFromText('POINT(1')"):
        attempt(statement, lambda: cursor.execute(statement), errors)
    # The failure comes after the metadata and after rows: the subquery has two rows for the later ones only.
    attempt("late failure", lambda: (cursor.execute(
        "SELECT id, (SELECT l.id FROM ledger l WHERE l.id <= numbers.id) FROM numbers ORDER BY id"),
        cursor.fetchall()), errors)
    cursor.execute("SELECT 'still here'")
    show(cursor)


def numbers(connection, sql_folder):
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE numbers (id INT PRIMARY KEY, name VARCHAR(50), filler TEXT)")
    cursor.execute(shared_sql(sql_folder, "numbers"))
    connection.commit()


def stream(connection, cursor_class):
    """Rows that are fetched while the server still sends; the second result is left half-way."""
    cursor = connection.cursor(cursor_class)
    cursor.execute("SELECT id, name, filler FROM numbers ORDER BY id")
    digest = hashlib.sha256()
    count = 0
    for row in cursor:
        digest.update(repr(row).encode())
        count += 1
    say("streamed:", count, digest.hexdigest())
    cursor.execute("SELECT a.id, b.filler FROM numbers a, numbers b WHERE a.id <= 20 ORDER BY a.id, b.id")
    say("first of many:", [cursor.fetchone()[0] for _ in range(3)])
    cursor.close()
    cursor = connection.cursor()
    cursor.execute("SELECT 'after the stream'")
    show(cursor)


def large_row(connection):
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE large (id INT PRIMARY KEY, content LONGBLOB)")
    pattern = bytes(range(256))
    cursor.execute("INSERT INTO large VALUES (1, %s)", (pattern * (LARGE_BYTES // 256),))
    connection.commit()
    cursor.execute("SELECT id, LENGTH(content), SHA2(content, 256), content FROM large")
    number, length, digest, content = cursor.fetchone()
    say("large:", number, length, digest, len(content), hashlib.sha256(content).hexdigest() == digest)


def several_results(connection, sql_folder):
    cursor = connection.cursor()
    cursor.execute(shared_sql(sql_folder, "procedure"))
    cursor.callproc("two_results", (3, 0))
    show_all(cursor)
    cursor.execute("SELECT @_two_results_0, @_two_results_1")
    show(cursor)


def show_all(cursor):
    while True:
        if cursor.description:
            show(cursor)
        else:
            say("  no rows:", cursor.rowcount, cursor.lastrowid)
        if not cursor.nextset():
            return


def is_lost(connection, errors):
    """Of a killed connection. Whether the driver meets the end when it writes (2006) or reads (2013) is chance."""
    try:
        connection.cursor().execute("SELECT 1")
    except errors as error:
        return error.args[0] in (2006, 2013)
    return False


def text_protocol(driver, connect, flags, schema, sql_folder, info_of):
    """What both text-protocol drivers do, from a refused login to LOAD DATA; gives the connection and a cursor of it."""
    attempt("wrong password", lambda: connect(password="wrong"), driver.Error)
    attempt("unknown schema", lambda: connect(database="missing_schema"), driver.Error)
    connection = connect(client_flag=flags.MULTI_STATEMENTS, local_infile=True)
    say(connection.get_server_info(), connection.get_proto_info(), connection.character_set_name())
    cursor = connection.cursor()
    cursor.execute(f"DROP DATABASE IF EXISTS {schema}")
    cursor.execute(f"CREATE DATABASE {schema} CHARACTER SET utf8mb4")
    connection.select_db(schema)
    types(connection, sql_folder)
    cursor.execute("SELECT 1; SELECT 2 AS two, 'x' AS x; DO 0; SELECT 3 WHERE FALSE; UPDATE types SET c_int = 1")
    show_all(cursor)
    attempt("failure among several", lambda: (cursor.execute("SELECT 1; SELECT * FROM missing; SELECT 3"),
                                              cursor.nextset()), driver.Error)
    connection.rollback()
    numbers(connection, sql_folder)
    transactions(connection, driver.Error)
    failures(connection, driver.Error)
    stream(connection, driver.cursors.SSCursor)
    large_row(connection)
    several_results(connection, sql_folder)
    with open("rows.txt", "w", encoding="utf-8") as file:
        file.writelines(f"{n}\tname {n}\tünï 😀\n" for n in range(2000, 3000))
    cursor.execute("LOAD DATA LOCAL INFILE 'rows.txt' INTO TABLE numbers CHARACTER SET utf8mb4")
    say("load:", cursor.rowcount, info_of(connection))
    os.remove("rows.txt")
    attempt("file is missing", lambda: cursor.execute("LOAD DATA LOCAL INFILE 'none.txt' INTO TABLE numbers"),
            driver.Error)
    return connection, cursor
