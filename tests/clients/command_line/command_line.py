"""The command-line client: formats, errors, delimiters, status, LOAD DATA LOCAL, Ctrl-C, KILL, and the load generator."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

from programs import Programs

WAIT_SECONDS_MAX = 30


def say(*what):
    sys.stdout.write(" ".join(str(part) for part in what) + "\n")
    sys.stdout.flush()


def read_text(folder, name):
    with open(os.path.join(folder, name + ".sql"), encoding="utf-8") as file:
        return file.read().rstrip().rstrip(";")


def shown(programs, title, *arguments, text=None):
    status, output = programs.run("mysql", *arguments, text=text)
    say(f"--- {title}: status {status}")
    sys.stdout.buffer.write(output)
    sys.stdout.flush()


def wait_for_statement(programs, marker):
    """The id of the connection that executes a statement with this marker."""
    until = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < until:
        query = ("SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() "
                 f"AND info LIKE '%{marker}%'")
        found = programs.run("mysql", "-N", "-e", query)[1].split()
        if found:
            return found[0].decode()
        time.sleep(0.02)
    raise SystemExit(f"no connection executes {marker}")


def interrupted_at_a_terminal(programs, schema):
    """Ctrl-C: the client opens a second connection and sends KILL QUERY."""
    process, terminal = pty.fork()
    if process == 0:
        command = programs.command("mysql", "--database=" + schema, "--unbuffered", "--comments", "--prompt=> ")
        os.execve(command[0], command, {**os.environ, "TERM": "dumb", "MYSQL_HISTFILE": "/dev/null"})
    seen = b""

    def read_until(pattern):
        nonlocal seen
        until = time.monotonic() + WAIT_SECONDS_MAX
        while not re.search(pattern, seen):
            if time.monotonic() > until:
                raise SystemExit(f"the terminal never showed {pattern}: {seen.decode(errors='replace')}")
            if select.select([terminal], [], [], 0.1)[0]:
                seen += os.read(terminal, 65536)

    read_until(rb"> ")
    os.write(terminal, b"SELECT SLEEP(60) /* interrupted */, id FROM types LIMIT 1;\n")
    wait_for_statement(programs, "interrupted")
    os.write(terminal, b"\x03")
    read_until(rb"query aborted|query killed|ERROR 1317")
    os.write(terminal, b"SELECT REVERSE('ereh llits');\n")
    read_until(rb"still here")
    os.write(terminal, b"\\q\n")
    read_until(rb"Bye")
    signs = [sign for sign in (b"query aborted", b"query killed", b"ERROR 1317", b"1 row in set") if sign in seen]
    say("--- Ctrl-C:", signs, os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))


def interrupted_in_a_batch(programs, schema):
    client = subprocess.Popen(programs.command("mysql", schema, "--comments", "-e", "DO SLEEP(60) /* batch */"),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    wait_for_statement(programs, "batch")
    client.send_signal(signal.SIGINT)
    output = client.communicate()[0].decode()
    say("--- SIGINT in a batch:", client.returncode, [line for line in output.splitlines() if "password" not in line])


def killed(programs, schema, what):
    client = subprocess.Popen(programs.command("mysql", schema, "--skip-reconnect", "--comments", "-N", "-e",
                                               f"SELECT 1; DO SLEEP(60) /* {what} */; SELECT 2"),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    connection = wait_for_statement(programs, f"{what} ")
    say(f"--- {what}:", programs.run("mysql", "-e", f"KILL {what} {connection}"))
    output = client.communicate()[0].decode()
    say("   ", client.returncode, [line for line in output.splitlines() if "password" not in line])


def load_local(programs, schema):
    for number in (1, 2):
        with open(f"rows{number}.txt", "w", encoding="utf-8") as file:
            file.writelines(f"{number * 10000 + n}\tname {n}\tünï 😀 {'x' * n}\n" for n in range(3000))
    with open("empty.txt", "w", encoding="utf-8"):
        pass
    load = "LOAD DATA LOCAL INFILE '{}' INTO TABLE numbers CHARACTER SET utf8mb4;"
    allowed = ["--local-infile=1", schema, "-vv"]
    shown(programs, "load", *allowed, "-e", load.format("rows1.txt"))
    # Both files belong to one COM_QUERY.
    shown(programs, "load twice in one text", *allowed, text="DELIMITER //\n" + load.format("rows2.txt")
          + load.format("empty.txt") + load.format("rows2.txt").replace("INTO", "REPLACE INTO") + "SELECT COUNT(*), MAX(name) FROM numbers//\n")
    shown(programs, "load a missing file", *allowed, "--force", text=load.format("none.txt") + "\nSELECT 'after';\n")
    shown(programs, "load without consent", "--local-infile=0", schema, "--force", text=load.format("rows1.txt") + "\nSELECT 'after';\n")
    shown(programs, "load with warnings", *allowed, "--show-warnings", "-e",
          load.format("rows1.txt").replace("INTO", "IGNORE INTO") + " SELECT COUNT(*) FROM numbers")


def statements(programs, schema, sql_folder):
    say("--- create", programs.run("mysql", "-e", f"DROP DATABASE IF EXISTS {schema}; CREATE DATABASE {schema} CHARACTER SET utf8mb4"))
    script = "SET time_zone = '+00:00';\n" + "".join(read_text(sql_folder, name) + ";\n" for name in ("types", "rows"))
    script += "CREATE TABLE numbers (id INT PRIMARY KEY, name VARCHAR(50), filler TEXT);\n" + read_text(sql_folder, "numbers") + ";\n"
    script += "DELIMITER //\n" + read_text(sql_folder, "procedure") + "//\nDELIMITER ;\n"
    shown(programs, "script", schema, "-vv", "--default-character-set=utf8mb4", text=script)
    for style in (["-t"], ["-B"], ["-B", "--raw"], ["-E"], ["--xml"], ["--html"], ["-t", "--column-type-info"], ["-N", "-B", "--quick"],
                  ["-t", "--binary-as-hex"]):
        shown(programs, "format " + " ".join(style), schema, "--default-character-set=utf8mb4", *style,
              "-e", "SET time_zone = '+00:00'; SELECT * FROM types ORDER BY id")
    shown(programs, "several results", schema, "-vvv", "-t", "-e", "CALL two_results(3, @counted); SELECT @counted; UPDATE types SET c_int = 1; SHOW WARNINGS")
    shown(programs, "errors", schema, "--force", "--show-warnings", "-vv", text="SELEKT 1;\nSELECT * FROM missing;\nSELECT 1/0;\n"
          "SET sql_mode = '';\nINSERT INTO types (c_tinyint) VALUES (1000);\nINSERT INTO numbers VALUES (1, 'x', 'y');\n"
          "SELECT id, (SELECT l.id FROM numbers l WHERE l.id <= n.id) FROM numbers n ORDER BY id;\nUSE missing;\nSELECT DATABASE();\n")
    shown(programs, "stops at an error", schema, text="SELECT 1;\nSELEKT 2;\nSELECT 3;\n")
    shown(programs, "transaction", schema, "-vv", text="BEGIN; INSERT INTO numbers VALUES (5000, 'a', ''); ROLLBACK; SET autocommit = 0;"
          "INSERT INTO numbers VALUES (5001, 'b', ''); SAVEPOINT s; INSERT INTO numbers VALUES (5002, 'c', ''); ROLLBACK TO s; COMMIT;"
          "SELECT id, name FROM numbers WHERE id >= 5000;\n")
    shown(programs, "prepared as text", schema, "-t", "-e", "PREPARE s FROM 'SELECT id, name FROM numbers WHERE id < ?'; SET @a = 4;"
          "EXECUTE s USING @a; SET @a = 2; EXECUTE s USING @a; DEALLOCATE PREPARE s; EXECUTE s USING @a")
    shown(programs, "large row", schema, "--max-allowed-packet=64M", "-N", "-e", "CREATE TABLE large (content LONGBLOB);"
          "INSERT INTO large VALUES (REPEAT(0x00FF, 9000000)); SELECT LENGTH(content), SHA2(content, 256) FROM large")
    status, output = programs.run("mysql", schema, "--max-allowed-packet=64M", "-N", "-B", "--raw", "-e", "SELECT HEX(content) FROM large")
    say("--- large row read:", status, len(output))
    # 9.7 obeys its own commands in a script only when told to.
    shown(programs, "commands", schema, "-t", *(["--commands"] if programs.flavour == "mysql" else []), text="\\u mysql\nSELECT DATABASE();\n\\W\nSELECT 1/0;\n\\C utf8mb4\nSELECT 'ü' \\G\nstatus\n")
    shown(programs, "wrong password", "--password=wrong", "-e", "SELECT 1")
    shown(programs, "unknown schema", "missing_schema", "-e", "SELECT 1")


def others(programs, schema):
    say("--- ping:", programs.run("admin", "ping"))
    status, output = programs.run("slap", "--concurrency=4", "--iterations=1", "--number-of-queries=400", "--auto-generate-sql",
                                  "--auto-generate-sql-load-type=mixed", "--create-schema=" + schema + "_slap", "--no-drop")
    say("--- slap:", status)
    if status != 0:
        raise SystemExit(output.decode(errors="replace"))
    shown(programs, "after the load", schema + "_slap", "-N", "-e", "SELECT COUNT(*) > 0 FROM t1; DROP DATABASE " + schema + "_slap")


def main(flavour, folder, host, port, user, password, schema, sql_folder):
    programs = Programs(flavour, folder, host, port, user, password)
    statements(programs, schema, sql_folder)
    load_local(programs, schema)
    killed(programs, schema, "QUERY")
    killed(programs, schema, "CONNECTION")
    interrupted_in_a_batch(programs, schema)
    interrupted_at_a_terminal(programs, schema)
    others(programs, schema)
    say("end of script")


main(*sys.argv[1:])
