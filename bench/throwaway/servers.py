"""A throwaway server and a `sluice serve` in front of it, for scripts: the tests of real drivers and the benchmarks."""

import json
import os
import secrets
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

READY_SECONDS_MAX = 60
START_ATTEMPTS = 5


class NotStarted(Exception):
    pass


class Server:
    """A database server in a folder of its own; see bench/throwaway/run."""

    def __init__(self, program, kind, arguments):
        self.process = subprocess.Popen([program, kind, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            raise NotStarted(f"{kind} did not start (see above)")
        facts = json.loads(line)
        self.kind = kind
        self.host = facts["host"]
        self.port = facts["port"]
        self.user = facts["user"]
        self.password = facts["password"]
        self.engine_user = facts["engine_user"]
        self.engine_password = facts["engine_password"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


class Proxy:
    """A `sluice serve` in front of a server."""

    def __init__(self, program, server, proxy_settings="", server_settings=""):
        """The settings are further lines of [proxy] and of [server]."""
        self.settings = {"proxy": proxy_settings, "server": server_settings}
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-clients-")
        self.token = secrets.token_hex(16)
        for _ in range(START_ATTEMPTS):
            # Somebody else may take a port before we do.
            self.host, self.port, self.admin_port = "127.0.0.1", free_port(), free_port()
            self._configure(server)
            with open(self._path("sluice.log"), "ab") as log:
                self.process = subprocess.Popen([program, "serve", "--config", self._path("sluice.toml")],
                                                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            if self._becomes_ready():
                return
        raise NotStarted("sluice serve did not start:\n" + self.log())

    def _path(self, name):
        return os.path.join(self.folder.name, name)

    def _write(self, name, text):
        with open(os.open(self._path(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)

    def _configure(self, server):
        self._write("engine.password", server.engine_password + "\n")
        self._write("admin.token", self.token + "\n")
        self._write("sluice.toml", f"""[proxy]
listen = "{self.host}:{self.port}"
{self.settings["proxy"]}
[server]
host = "{server.host}"
port = {server.port}
{self.settings["server"]}
[engine]
user = "{server.engine_user}"
password_file = "engine.password"
[admin]
listen = "127.0.0.1:{self.admin_port}"
token_file = "admin.token"
""")

    def _becomes_ready(self):
        until = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < until:
            if self.process.poll() is not None:
                return False
            try:
                self._metrics()
                return True
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.02)
        self.close()
        return False

    def _metrics(self):
        request = urllib.request.Request(f"http://127.0.0.1:{self.admin_port}/metrics",
                                         headers={"Authorization": "Bearer " + self.token})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.read().decode()

    def statements_seen(self):
        """How many commands clients have sent through it."""
        for line in self._metrics().splitlines():
            if line.startswith("sluice_statements_total "):
                return int(float(line.split()[1]))
        raise NotStarted("sluice's metrics lack sluice_statements_total")

    def log(self):
        with open(self._path("sluice.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def close(self):
        """Asks it to end; its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
