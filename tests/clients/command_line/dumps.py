"""Dumps: what is read through the proxy is compared with what is read directly, byte for byte; then it is restored
through the proxy, and the copy is dumped directly and compared with the first dump.

Called with the proxy's port, and behind the other arguments with the server's own.
"""

import os
import re
import subprocess
import sys
import tempfile
import time

from programs import Programs

WAIT_SECONDS_MAX = 30
# Every combination is dumped through the proxy and directly. No date is written, so there is nothing to mask.
COMMON = ["--skip-dump-date", "--max-allowed-packet=64M", "--default-character-set=utf8mb4"]


def piece_by_piece(flavour, schema):
    """Every option of its own that --opt would bring, in one transaction, with the log's position."""
    return ["--single-transaction", "--skip-opt", "--databases", schema, "--triggers", "--routines", "--events",
            "--source-data=2" if flavour == "mysql" else "--master-data=2", "--add-drop-database", "--create-options",
            "--complete-insert", "--extended-insert", "--disable-keys", "--set-charset", "--tz-utc", "--quick"]


def combinations(flavour, schema):
    everything = ["--triggers", "--routines", "--events"]
    own = {"mysql": [["--column-statistics", schema], ["--set-gtid-purged=ON", "--all-databases", "--triggers", "--routines", "--events"],
                     ["--single-transaction", "--set-gtid-purged=OFF", "--network-timeout", schema]],
           "mariadb": [["--system=servers,stats", "--insert-ignore"], ["--gtid", "--master-data=1", "--single-transaction", schema]]}
    return [
        [schema],
        ["--opt", *everything, "--databases", schema],
        piece_by_piece(flavour, schema),
        ["--lock-all-tables", "--hex-blob", "--flush-logs", schema],
        ["--lock-tables", "--skip-extended-insert", "--skip-quick", "--replace", "--order-by-primary", schema],
        ["--no-data", "--xml", schema],
        ["--xml", schema, "types"],
        ["--where=id < 20", schema, "numbers"],
        ["--compress", schema],
        *own[flavour],
    ]


def fixture(schema, sql_folder):
    def text(name):
        with open(os.path.join(sql_folder, name + ".sql"), encoding="utf-8") as file:
            return file.read().rstrip() + "\n"
    return f"""DROP DATABASE IF EXISTS {schema}; CREATE DATABASE {schema} CHARACTER SET utf8mb4; USE {schema};
SET time_zone = '+00:00';
{text("types")};
{text("rows")};
CREATE TABLE numbers (id INT PRIMARY KEY, name VARCHAR(50), filler TEXT, KEY (name));
{text("numbers")};
CREATE TABLE `odd ``name` (`a ``b` INT, `größe` INT GENERATED ALWAYS AS (`a ``b` * 2) STORED, `virtual` INT AS (`a ``b` + 1),
    UNIQUE (`größe`)) ENGINE=InnoDB COMMENT 'it''s odd';
INSERT INTO `odd ``name` (`a ``b`) VALUES (1), (2), (NULL);
CREATE TABLE parent (id INT AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 77;
CREATE TABLE child (id INT PRIMARY KEY, parent INT, CONSTRAINT belongs FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE);
INSERT INTO parent VALUES (), (); INSERT INTO child VALUES (1, 77), (2, 78);
CREATE TABLE parts (id INT, y INT, PRIMARY KEY (id, y)) PARTITION BY RANGE (y) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE);
INSERT INTO parts VALUES (1, 1), (2, 20);
CREATE TABLE old_text (a VARCHAR(20)) DEFAULT CHARSET latin1; INSERT INTO old_text VALUES ('äöü');
CREATE TABLE large (id INT PRIMARY KEY, content LONGBLOB); INSERT INTO large VALUES (1, REPEAT(0x00FF27, 6000000)), (2, NULL);
CREATE VIEW seen AS SELECT n.id, t.c_varchar FROM numbers n JOIN types t ON t.id = n.id;
DELIMITER //
{text("procedure")}//
CREATE FUNCTION doubled(n INT) RETURNS INT DETERMINISTIC RETURN n * 2//
CREATE TRIGGER before_numbers BEFORE INSERT ON numbers FOR EACH ROW BEGIN SET NEW.name = CONCAT(NEW.name, ' ü'); END//
CREATE EVENT later ON SCHEDULE AT '2037-01-01 00:00:00' DO DELETE FROM numbers//
DELIMITER ;
-- A dump as XML has the indexes' statistics, which the server otherwise brings up to date when it likes.
ANALYZE TABLE types, numbers, `odd ``name`, parent, child, parts, old_text, large;
"""


def comparable(dump, options):
    """A dump that rotates the log itself names the file of its own moment."""
    return re.sub(rb"binlog\.\d+", b"binlog.N", dump) if "--flush-logs" in options else dump


def main(flavour, folder, host, port, _user, _password, schema, sql_folder, direct_port):
    # root: a dump of everything needs more than an application's rights. Its password is empty.
    proxied = Programs(flavour, folder, host, port, "root", "")
    direct = Programs(flavour, folder, host, direct_port, "root", "")
    status, output = proxied.run("mysql", "--default-character-set=utf8mb4", text=fixture(schema, sql_folder))
    if status != 0:
        raise SystemExit(f"the fixture failed: {output.decode(errors='replace')}")
    for options in combinations(flavour, schema):
        dumps = [programs.output("dump", *COMMON, *options) for programs in (direct, proxied)]
        if comparable(dumps[0], options) != comparable(dumps[1], options):
            a, b = (dump.splitlines() for dump in dumps)
            first = next(((x, y) for x, y in zip(a, b) if x != y), (b"", b""))
            raise SystemExit(f"dumps differ with {options}: {len(dumps[0])} and {len(dumps[1])} bytes; {first[0][:300]} and {first[1][:300]}")
        print("equal:", len(dumps[0]), "bytes with", " ".join(options), flush=True)
    restore(direct, proxied, ["--hex-blob", "--triggers", "--routines", "--events", "--add-drop-database", "--databases", schema])
    binary_logs(direct, proxied)
    followed_log(direct, proxied)
    # Behind these, which read all that is restored.
    restore(direct, proxied, piece_by_piece(flavour, schema))
    print("end of script")


def restore(direct, proxied, wanted):
    options = [*COMMON, *wanted]
    if direct.flavour == "mysql":
        options.append("--set-gtid-purged=OFF")
    before = direct.output("dump", *options)
    # Made through the proxy what is restored through it.
    with open("dump.sql", "wb") as file:
        file.write(proxied.output("dump", *options))
    with open("dump.sql", "rb") as file:
        status, output = proxied.run("mysql", "--max-allowed-packet=64M", "--default-character-set=utf8mb4", input_file=file)
    if status != 0:
        raise SystemExit(f"the restore failed: {output.decode(errors='replace')}")
    after = direct.output("dump", *options)
    if without_position(before) != without_position(after):
        raise SystemExit(f"the restored copy differs: {len(before)} and {len(after)} bytes with {' '.join(wanted)}")
    print("restored:", len(after), "bytes are the same again with", " ".join(wanted), flush=True)


def without_position(dump):
    """The restore itself is behind the position in the log that a dump names in comments."""
    return re.sub(rb"(?m)^-- (CHANGE (MASTER|REPLICATION SOURCE) TO|SET GLOBAL gtid_slave_pos=).*$", b"", dump)


def binary_logs(direct, proxied):
    """All of them to the last one: all that the fixture and the restore have written."""
    first = direct.output("mysql", "-N", "-B", "-e", "SHOW BINARY LOGS").split()[0].decode()
    logs = [programs.output("binlog", "--read-from-remote-server", "--to-last-log", first) for programs in (direct, proxied)]
    if logs[0] != logs[1]:
        raise SystemExit(f"the binary logs differ: {len(logs[0])} and {len(logs[1])} bytes")
    print("binary logs:", len(logs[0]), "bytes of text are equal", flush=True)


def followed_log(direct, proxied):
    """--stop-never: the log as it grows, to the last byte that is there."""
    status = "SHOW BINARY LOG STATUS" if direct.flavour == "mysql" else "SHOW MASTER STATUS"
    name = direct.output("mysql", "-N", "-B", "-e", status).split()[0].decode()
    with tempfile.TemporaryDirectory() as folder:
        raw = ["--read-from-remote-server", "--raw"]
        command = proxied.command("binlog", *raw, "--stop-never", f"--result-file={folder}/followed-", name)
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as follower:
            try:
                for _ in range(3):
                    direct.output("mysql", "-e", "CREATE DATABASE followed; DROP DATABASE followed")
                    size = int(direct.output("mysql", "-N", "-B", "-e", status).split()[1])
                    wait_for_size(follower, f"{folder}/followed-{name}", size)
            finally:
                follower.terminate()
        direct.output("binlog", *raw, f"--result-file={folder}/direct-", name)
        # The end of what the follower has written, up to its last wait.
        with open(f"{folder}/followed-{name}", "rb") as followed, open(f"{folder}/direct-{name}", "rb") as whole:
            if followed.read(size) != whole.read(size):
                raise SystemExit("the followed binary log differs from the direct one")
    print("a followed binary log is equal", flush=True)


def wait_for_size(follower, path, size):
    until = time.monotonic() + WAIT_SECONDS_MAX
    while not os.path.exists(path) or os.path.getsize(path) < size:
        if follower.poll() is not None:
            raise SystemExit(f"the follower ended: {follower.stderr.read().decode(errors='replace')}")
        if time.monotonic() > until:
            raise SystemExit(f"the follower has {os.path.getsize(path) if os.path.exists(path) else 0} of {size} bytes")
        time.sleep(0.02)


main(*sys.argv[1:])
