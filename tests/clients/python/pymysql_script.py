"""PyMySQL: text protocol, streaming cursor, several statements in one, LOAD DATA LOCAL."""

import os
import sys

import pymysql
import pymysql.cursors
from pymysql.constants import CLIENT

from dbapi_steps import (attempt, failures, is_lost, large_row, numbers, say, several_results, show, show_all,
                         stream, transactions, types)


def main(host, port, user, password, schema, sql_folder):
    def connect(**others):
        arguments = {"host": host, "port": int(port), "user": user, "password": password, "charset": "utf8mb4",
                     "max_allowed_packet": 64 * 1024 * 1024}
        return pymysql.connect(**{**arguments, **others})

    attempt("wrong password", lambda: connect(password="wrong"), pymysql.Error)
    attempt("unknown schema", lambda: connect(database="missing_schema"), pymysql.Error)
    connection = connect(client_flag=CLIENT.MULTI_STATEMENTS, local_infile=True)
    say(connection.get_server_info(), connection.get_proto_info(), connection.character_set_name())
    cursor = connection.cursor()
    cursor.execute(f"DROP DATABASE IF EXISTS {schema}")
    cursor.execute(f"CREATE DATABASE {schema} CHARACTER SET utf8mb4")
    connection.select_db(schema)
    types(connection, sql_folder)
    cursor.execute("SELECT 1; SELECT 2 AS two, 'x' AS x; DO 0; SELECT 3 WHERE FALSE; UPDATE types SET c_int = 1")
    show_all(cursor)
    attempt("failure among several", lambda: (cursor.execute("SELECT 1; SELECT * FROM missing; SELECT 3"),
                                              cursor.nextset()), pymysql.Error)
    connection.rollback()
    numbers(connection, sql_folder)
    transactions(connection, pymysql.Error)
    failures(connection, pymysql.Error)
    stream(connection, pymysql.cursors.SSCursor)
    large_row(connection)
    several_results(connection, sql_folder)
    with open("rows.txt", "w", encoding="utf-8") as file:
        file.writelines(f"{n}\tname {n}\tünï 😀\n" for n in range(2000, 3000))
    cursor.execute("LOAD DATA LOCAL INFILE 'rows.txt' INTO TABLE numbers CHARACTER SET utf8mb4")
    say("load:", cursor.rowcount, connection._result.message)
    os.remove("rows.txt")
    attempt("file is missing", lambda: cursor.execute("LOAD DATA LOCAL INFILE 'none.txt' INTO TABLE numbers"),
            pymysql.Error)
    connection.ping(reconnect=False)
    cursor.execute("SELECT COUNT(*), MAX(filler) FROM numbers")
    show(cursor)
    with connection.cursor(pymysql.cursors.DictCursor) as dictionaries:
        dictionaries.execute("SELECT id, name FROM numbers WHERE id IN (1, 2000)")
        say(dictionaries.fetchall())
    victim = connect()
    if "MariaDB" in connection.get_server_info():
        connection.kill(victim.thread_id())
    else:
        # 9.7 has COM_PROCESS_KILL no more.
        attempt("COM_PROCESS_KILL", lambda: connection.kill(victim.thread_id()), pymysql.Error)
        cursor.execute("KILL %s", (victim.thread_id(),))
    say("killed:", is_lost(victim, pymysql.Error))
    connection.close()
    say("end of script")


main(*sys.argv[1:])
