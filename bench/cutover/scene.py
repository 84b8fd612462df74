"""A server, a Sluice in front of it, and a load that keeps books; and migrations of the load's table."""

import json
import os
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import servers

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
TABLE = "orders"
POLL_SECONDS = 0.05
MIGRATION_SECONDS_MAX = 600
RECORD = struct.Struct("=QII")  # timed_statement: began_us, latency_us, error


class Failed(Exception):
    pass


def cpu_seconds(pid):
    """User and system time of a process, all of its threads."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def database_process(pid):
    """The server that a throwaway_run has started: the one that has used most, of it and what descends from it."""
    found, waiting = [], [pid]
    while waiting:
        current = waiting.pop()
        try:
            with open(f"/proc/{current}/task/{current}/children", encoding="ascii") as file:
                children = [int(child) for child in file.read().split()]
        except FileNotFoundError:
            continue
        waiting += children
        found += children
    if not found:
        raise Failed("the database server's process is not to be found")
    return max(found, key=cpu_seconds)


def add_options(parser, root, rows):
    """What a scene needs to be told."""
    parser.add_argument("--build", default=os.path.join(root, "build", "release"), help="where the programs are")
    parser.add_argument("--rows", type=int, default=rows)
    parser.add_argument("--statements-per-second", type=float, default=1500, help="of all connections together")
    parser.add_argument("--json", help="write everything there, each attempt with its steps")


def write_json(path, content):
    if path:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)


def verdict(missed):
    """Prints which targets were missed; the exit status."""
    print("\n" + ("\n".join(missed) if missed else "Every target is kept."))
    return 1 if missed else 0


def exit_with(main):
    try:
        sys.exit(main())
    except (servers.NotStarted, Failed) as failure:
        sys.exit(f"bench/cutover: {failure}")


class Scene:
    def __init__(self, chosen, connections, direct):
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-bench-")
        self.server = self.proxy = self.load = None
        try:
            # 200 clients, and the engine's own connections.
            self.server = servers.Server(os.path.join(chosen.build, "bench", "throwaway", "throwaway_run"), "mysql-9.7",
                                         [f"--max-connections={connections + 100}"])
            self.proxy = servers.Proxy(os.path.join(chosen.build, "sluice"), self.server)
            self.statements_file = os.path.join(self.folder.name, "statements")
            self.load = subprocess.Popen(
                [os.path.join(chosen.build, "bench", "load", "load_run"),
                 "--port", str(self.server.port if direct else self.proxy.port), "--server-port", str(self.server.port),
                 "--user", self.server.user, "--password", self.server.password, "--schema", "test",
                 "--rows", str(chosen.rows), "--connections", str(connections),
                 "--prepared-connections", str(connections // 2),
                 "--statements-per-second", str(chosen.statements_per_second), "--transaction-statements-max", "20",
                 "--statements-file", self.statements_file],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            if not self.load.stdout.readline():
                raise Failed("the load did not start (see above)")
            self.database = database_process(self.server.process.pid)
        except BaseException:
            self.close()
            raise

    def _admin(self, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.proxy.admin_port}{path}",
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Authorization": "Bearer " + self.proxy.token,
                                                  "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            raise Failed(f"{path}: {refused.read().decode(errors='replace')}") from refused

    def begin(self, options):
        """Begins to rebuild the table; the migration's id."""
        return self._admin("/v1/migrations", {"schema": "test", "table": TABLE, "alter": "ENGINE=InnoDB", "options": options})["id"]

    def show(self, migration):
        return self._admin("/v1/migrations/" + migration)

    def wait(self, migration):
        """The migration as the admin port shows it at its end."""
        until = time.monotonic() + MIGRATION_SECONDS_MAX
        while True:
            seen = self.show(migration)
            if seen["state"] == "completed":
                return seen
            if seen["state"] in ("failed", "aborted"):
                raise Failed(f"a migration has {seen['state']}: {seen['error']}\n{self.proxy.log()[-4000:]}")
            if time.monotonic() > until:
                raise Failed(f"a migration stays {seen['state']}: {seen['waiting_for']}")
            time.sleep(POLL_SECONDS)

    def migrate(self, hold_scope):
        """Rebuilds the table; the migration at its end."""
        return self.wait(self.begin({"hold_scope": hold_scope, "drop_old_table": True}))

    def cpu(self):
        return {"sluice": cpu_seconds(self.proxy.process.pid), "server": cpu_seconds(self.database),
                "load": cpu_seconds(self.load.pid)}

    def stop_load(self):
        """What it saw, and every statement as (began, ended, error): seconds by the clock time.time()."""
        self.load.stdin.close()
        line = self.load.stdout.readline()
        if self.load.wait() != 0 or not line:
            raise Failed("the load failed (see above)")
        # The load counts on the steady clock, the reports of cut-overs on the world's.
        world_minus_steady = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)
        with open(self.statements_file, "rb") as file:
            records = file.read()
        statements = []
        for began_us, latency_us, error in RECORD.iter_unpack(records):
            began = began_us / 1e6 + world_minus_steady
            statements.append((began, began + latency_us / 1e6, error))
        statements.sort()
        return json.loads(line), statements

    def close(self):
        if self.load and self.load.poll() is None:
            self.load.kill()
            self.load.wait()
        if self.proxy:
            status = self.proxy.close()
            if status != 0:
                print(f"bench/cutover: sluice ended with {status}\n{self.proxy.log()[-2000:]}", file=sys.stderr)
        if self.server:
            self.server.close()
        self.folder.cleanup()
