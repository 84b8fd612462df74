"""PyMySQL: text protocol, streaming cursor, several statements in one, LOAD DATA LOCAL."""

import sys

import pymysql
import pymysql.cursors
from pymysql.constants import CLIENT

from dbapi_steps import attempt, is_lost, say, show, text_protocol


def main(host, port, user, password, schema, sql_folder):
    def connect(**others):
        arguments = {"host": host, "port": int(port), "user": user, "password": password, "charset": "utf8mb4",
                     "max_allowed_packet": 64 * 1024 * 1024}
        return pymysql.connect(**{**arguments, **others})

    connection, cursor = text_protocol(pymysql, connect, CLIENT, schema, sql_folder, lambda done: done._result.message)
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
