"""sysbench: its transactions with prepared statements and as text, and many threads together. What it writes is random
in spite of a seed, so the numbers of statements and rows are what is compared.
"""

import re
import subprocess
import sys

from programs import Programs

TABLE_ROWS = 2000
EVENTS = 300


def main(flavour, folder, host, port, user, password, schema, _sql_folder):
    programs = Programs(flavour, folder, host, port, user, password)
    print(programs.run("mysql", "-e", f"DROP DATABASE IF EXISTS {schema}; CREATE DATABASE {schema}"))

    def sysbench(script, action, *others):
        done = subprocess.run(["sysbench", script, "--db-driver=mysql", f"--mysql-host={host}", f"--mysql-port={port}",
                               f"--mysql-user={user}", f"--mysql-password={password}", f"--mysql-db={schema}", "--tables=2",
                               f"--table-size={TABLE_ROWS}", "--rand-seed=7", "--time=0", *others, action],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        output = done.stdout.decode()
        if done.returncode != 0:
            raise SystemExit(output)
        return output

    sysbench("oltp_common", "prepare")
    for script in ("oltp_read_write", "oltp_update_index", "oltp_insert", "oltp_point_select"):
        for prepares in ("auto", "disable"):
            output = sysbench(script, "run", f"--events={EVENTS}", "--threads=1", f"--db-ps-mode={prepares}")
            counts = re.findall(r"(read|write|other|total|transactions|ignored errors|reconnects|total number of events):\s+(\d+)", output)
            print(script, prepares, counts)
            print(programs.run("mysql", "-N", "-B", schema, "-e", "SELECT COUNT(*) FROM sbtest1 UNION ALL SELECT COUNT(*) FROM sbtest2"))
    output = sysbench("oltp_point_select", "run", "--events=4000", "--threads=8")
    print("together:", re.findall(r"(transactions|ignored errors|reconnects):\s+(\d+)", output))
    print("end of script")


main(*sys.argv[1:])
