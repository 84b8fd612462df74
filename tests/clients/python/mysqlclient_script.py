"""mysqlclient (MySQLdb): the C library's text protocol, mysql_use_result, several statements in one, CHANGE USER."""

import sys

import MySQLdb
import MySQLdb.cursors
from MySQLdb.constants import CLIENT

from dbapi_steps import attempt, is_lost, say, show, text_protocol


def main(host, port, user, password, schema, sql_folder):
    def connect(**others):
        arguments = {"host": host, "port": int(port), "user": user, "password": password, "charset": "utf8mb4"}
        return MySQLdb.connect(**{**arguments, **others})

    connection, cursor = text_protocol(MySQLdb, connect, CLIENT, schema, sql_folder, lambda done: done.info())
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
