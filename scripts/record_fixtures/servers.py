"""Throwaway servers in temporary folders: MySQL 9.7 and 5.6 as scripts/setup unpacks them, MariaDB from the system."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from client import Client

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "sluice"
AS_ROOT = ["--user=root"] if os.geteuid() == 0 else []


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One running server; use it as a context."""

    def __init__(self, options=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-fixtures-"))
        self.data = self.folder / "data"
        self.port = free_port()
        self.environment = dict(os.environ)
        self.options = [
            f"--datadir={self.data}", f"--socket={self.folder}/s", f"--pid-file={self.folder}/pid",
            f"--port={self.port}", "--bind-address=127.0.0.1", "--server-id=7", f"--log-bin={self.data}/binlog",
            f"--log-error={self.folder}/log", "--innodb-buffer-pool-size=64M", "--default-time-zone=+00:00",
            "--binlog-format=ROW", "--secure-file-priv=", *options, *AS_ROOT,
        ]

    def __enter__(self):
        try:
            self.create_data()
            self.process = subprocess.Popen(self.program() + self.options, env=self.environment,
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL)
            self.wait()
        except BaseException:
            self.leave_behind_nothing()
            raise
        return self

    def __exit__(self, *_):
        self.leave_behind_nothing()

    def leave_behind_nothing(self):
        process = getattr(self, "process", None)
        if process is not None:
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait(self):
        deadline = time.monotonic() + 60
        while True:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("the server does not start:\n" + (self.folder / "log").read_text(errors="replace"))
            try:
                Client(self.port).close()
                return
            except OSError:
                time.sleep(0.1)

    def run(self, arguments, **more):
        done = subprocess.run(arguments, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
        if done.returncode != 0:
            log = self.folder / "log"
            raise SystemExit(done.stdout.decode(errors="replace") + (log.read_text() if log.exists() else ""))


class Mysql97(Server):
    name = "mysql97"

    def __init__(self):
        super().__init__(["--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--mysqlx=OFF"])

    def program(self):
        tree = CACHE / "mysql-9.7"
        libraries = tree / "usr/lib/x86_64-linux-gnu"
        return [f"{tree}/usr/lib64/ld-linux-x86-64.so.2", "--library-path", str(libraries), f"{tree}/usr/sbin/mysqld",
                "--no-defaults", f"--basedir={tree}/usr", f"--lc-messages-dir={tree}/usr/share/mysql",
                f"--character-sets-dir={tree}/usr/share/mysql/charsets", f"--plugin-dir={tree}/usr/lib/mysql/plugin"]

    def create_data(self):
        self.run(self.program() + ["--initialize-insecure", f"--datadir={self.data}",
                                   f"--log-error={self.folder}/log"] + AS_ROOT)


class Mysql56(Server):
    name = "mysql56"

    def __init__(self):
        super().__init__(["--log-bin-use-v1-row-events=0", "--skip-innodb-use-native-aio", "--innodb-log-file-size=8M"])
        self.home = CACHE / "mysql-5.6/server"
        self.environment["LD_LIBRARY_PATH"] = str(self.home)

    def program(self):
        share = self.home / "share"
        return [f"{self.home}/mysqld", "--no-defaults", f"--basedir={self.home}", f"--lc-messages-dir={share}",
                f"--character-sets-dir={share}/charsets"]

    def create_data(self):
        (self.data / "mysql").mkdir(parents=True)
        share = self.home / "share"
        script = b"use mysql;\n" + b"".join((share / name).read_bytes() for name in
                                            ("mysql_system_tables.sql", "mysql_system_tables_data.sql"))
        self.run(self.program() + ["--bootstrap", f"--datadir={self.data}", "--innodb-log-file-size=8M"] +
                 AS_ROOT, input=script)


class MariaDb1011(Server):
    name = "mariadb1011"

    def program(self):
        for candidate in ("/usr/sbin/mariadbd", "/usr/libexec/mariadbd", shutil.which("mariadbd") or ""):
            if os.access(candidate, os.X_OK):
                return [candidate, "--no-defaults"]
        raise SystemExit("no mariadbd on this machine")

    def create_data(self):
        self.run(["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db",
                  f"--datadir={self.data}"] + AS_ROOT)


ALL = {kind.name: kind for kind in (Mysql97, Mysql56, MariaDb1011)}
