"""The ways to the server that are compared: no proxy at all, and each proxy with one thread."""

import os
import signal
import socket
import subprocess
import tempfile
import time

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "sluice")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
READY_SECONDS_MAX = 20


class NotStarted(Exception):
    pass


def cpu_seconds(pid):
    """User and system time of a process, all of its threads."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


class Direct:
    name = "direct"

    def __init__(self, server):
        self.host, self.port, self.pid = server.host, server.port, None

    def cpu_seconds(self):
        return 0.0

    def version(self):
        return ""

    def close(self):
        pass


class _Program:
    """A proxy that is started with a configuration file on a free port."""

    def __init__(self, server, port, tls):
        self.host, self.port = "127.0.0.1", port
        self.tls = tls
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-bench-")
        self.path = os.path.join(self.folder.name, "config")
        with open(self.path, "w", encoding="ascii") as file:
            file.write(self.configuration(server))
        with open(os.path.join(self.folder.name, "log"), "wb") as log:
            self.process = subprocess.Popen(self.command() + self.arguments(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.pid = self.process.pid
        until = time.monotonic() + READY_SECONDS_MAX
        while not self._accepts():
            if self.process.poll() is not None or time.monotonic() > until:
                self.close()
                with open(os.path.join(self.folder.name, "log"), encoding="utf-8", errors="replace") as log:
                    raise NotStarted(f"{self.name} did not start:\n{log.read()}")
            time.sleep(0.02)

    def _accepts(self):
        try:
            socket.create_connection((self.host, self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def cpu_seconds(self):
        return cpu_seconds(self.pid)

    def version(self):
        output = subprocess.run(self.command() + self.version_arguments, stdin=subprocess.DEVNULL, capture_output=True, check=True)
        return output.stdout.decode().splitlines()[0]

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class HAProxy(_Program):
    """Copies bytes and knows nothing of them, TLS included: what no proxy that reads the protocol can beat."""

    name = "haproxy"
    version_arguments = ["-v"]

    def command(self):
        return ["haproxy"]

    def arguments(self):
        return ["-f", self.path]

    def configuration(self, server):
        return f"""global
    nbthread 1
    maxconn 2000
defaults
    mode tcp
    timeout connect 5s
    timeout client 10m
    timeout server 10m
listen bench
    bind {self.host}:{self.port}
    server primary {server.host}:{server.port}
"""


class Router(_Program):
    """Reads the protocol as Sluice does, and ends TLS as Sluice does."""

    name = "mysqlrouter"
    version_arguments = ["--version"]
    tree = os.path.join(CACHE, "mysql-router", "usr")

    def command(self):
        libraries = ":".join(os.path.join(self.tree, "lib", name) for name in ("x86_64-linux-gnu", "mysql-router"))
        return [os.path.join(self.tree, "lib64", "ld-linux-x86-64.so.2"), "--library-path", libraries,
                os.path.join(self.tree, "bin", "mysqlrouter")]

    def arguments(self):
        return ["-c", self.path] + (["--user=root"] if os.geteuid() == 0 else [])

    def _tls_lines(self):
        if not self.tls:
            return "client_ssl_mode=DISABLED\nserver_ssl_mode=DISABLED"
        certificate, key = self.tls
        return f"client_ssl_mode=REQUIRED\nserver_ssl_mode=REQUIRED\nclient_ssl_cert={certificate}\nclient_ssl_key={key}"

    def configuration(self, server):
        return f"""[DEFAULT]
logging_folder={self.folder.name}
runtime_folder={self.folder.name}
data_folder={self.folder.name}
plugin_folder={self.tree}/lib/mysqlrouter/plugin
[logger]
level=WARNING
[io]
threads=1
[routing:bench]
bind_address={self.host}
bind_port={self.port}
destinations={server.host}:{server.port}
routing_strategy=first-available
protocol=classic
max_connections=2000
{self._tls_lines()}
"""


class Sluice:
    name = "sluice"

    def __init__(self, program, server, proxy_class, tls):
        """tls: the paths of a certificate and its key, or None."""
        self.program = program
        mode = f'tls = "{"required" if tls else "disabled"}"'
        files = f'\ntls_cert_file = "{tls[0]}"\ntls_key_file = "{tls[1]}"' if tls else ""
        self.proxy = proxy_class(program, server, "threads = 1\n" + mode + files, mode)
        self.host, self.port, self.pid = self.proxy.host, self.proxy.port, self.proxy.process.pid

    def cpu_seconds(self):
        return cpu_seconds(self.pid)

    def version(self):
        return subprocess.run([self.program, "--version"], capture_output=True, check=True).stdout.decode().strip()

    def close(self):
        self.proxy.close()
