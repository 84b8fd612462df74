"""mysqlclient (MySQLdb): the C library's text protocol, mysql_use_result, several statements in one, CHANGE USER."""

import os
import sys

import MySQLdb
import MySQLdb.cursors
from MySQLdb.constants import CLIENT

from dbapi_steps import (attempt, failures, is_lost, large_row, numbers, say, several_results, show, show_all,
                         stream, transactions, types)


def main(host, port, user, password, schema, sql_folder):
    def connect(**others):
        arguments = {"host": host, "port": int(port), "user": user, "password": password, "charset": "utf8mb4"}
        return MySQLdb.connect(**{**arguments, **others})

    attempt("wrong password", lambda: connect(password="wrong"), MySQLdb.Error)
    attempt("unknown schema", lambda: connect(database="missing_schema"), MySQLdb.Error)
    connection = connect(client_flag=CLIENT.MULTI_STATEMENTS, local_infile=1)
    say(connection.get_server_info(), connection.get_proto_info(), connection.character_set_name())
    cursor = connection.cursor()
    cursor.execute(f"DROP DATABASE IF EXISTS {schema}")
    cursor.execute(f"CREATE DATABASE {schema} CHARACTER SET utf8mb4")
    connection.select_db(schema)
    types(connection, sql_folder)
    cursor.execute("SELECT 1; SELECT 2 AS two, 'x' AS x; DO 0; SELECT 3 WHERE FALSE; UPDATE types SET c_int = 1")
    show_all(cursor)
    attempt("failure among several", lambda: (cursor.execute("SELECT 1; SELECT * FROM missing; SELECT 3"),
                                              cursor.nextset()), MySQLdb.Error)
    connection.rollback()
    numbers(connection, sql_folder)
    transactions(connection, MySQLdb.Error)
    failures(connection, MySQLdb.Error)
    stream(connection, MySQLdb.cursors.SSCursor)
    large_row(connection)
    several_results(connection, sql_folder)
    with open("rows.txt", "w", encoding="utf-8") as file:
        file.writelines(f"{n}\tname {n}\tünï 😀\n" for n in range(2000, 3000))
    cursor.execute("LOAD DATA LOCAL INFILE 'rows.txt' INTO TABLE numbers CHARACTER SET utf8mb4")
    say("load:", cursor.rowcount, connection.info())
    os.remove("rows.txt")
    attempt("file is missing", lambda: cursor.execute("LOAD DATA LOCAL INFILE 'none.txt' INTO TABLE numbers"),
            MySQLdb.Error)
    connection.ping()
    connection.commit()
    connection.change_user(user, password, schema)
    cursor = connection.cursor()
    cursor.execute("SELECT DATABASE(), COUNT(*) FROM numbers")
    show(cursor)
    attempt("change to an unknown user", lambda: connection.change_user("nobody", "x", schema), MySQLdb.Error)
    connection.close()
    connection = connect(database=schema, compress=True)
    cursor = connection.cursor(MySQLdb.cursors.DictCursor)
    cursor.execute("SELECT id, name FROM numbers WHERE id IN (1, 2000)")
    say("compression asked for:", cursor.fetchall())
    victim = connect()
    cursor.execute("KILL %s", (victim.thread_id(),))
    say("killed:", is_lost(victim, MySQLdb.Error))
    connection.close()
    say("end of script")


main(*sys.argv[1:])
