"""What is sent: sysbench's own statements, one kind at a time, so that a figure has one cause."""

import os
import re
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROWS = 10_000
SCHEMA = "test"


class Workload:
    def __init__(self, name, script, threads, *options):
        self.name = name
        self.script = script
        self.threads = threads
        self.options = options


TEXT = "--db-ps-mode=disable"
PREPARED = "--db-ps-mode=auto"
WORKLOADS = [
    Workload("point select, text, 8 connections", "oltp_point_select", 8, TEXT),
    Workload("point select, text, 1 connection", "oltp_point_select", 1, TEXT),
    Workload("point select, prepared, 8 connections", "oltp_point_select", 8, PREPARED),
    Workload("100 rows by range, text, 8 connections", "oltp_read_only", 8, TEXT, "--skip-trx=on", "--point-selects=0",
             "--simple-ranges=10", "--sum-ranges=0", "--order-ranges=0", "--distinct-ranges=0"),
    Workload("2 MB of rows, text, 2 connections", os.path.join(HERE, "large_result.lua"), 2, TEXT),
    Workload("connect and one select, 4 connections", os.path.join(HERE, "connect.lua"), 4, TEXT),
]


class Failed(Exception):
    pass


def make_certificate(folder):
    """One that signs itself, for the server, the proxies and the client, under the names that sysbench looks for in its
    working folder once it is to use TLS. The key's kind decides what a handshake costs, so it is the same for all."""
    key, certificate = (os.path.join(folder, name) for name in ("client-key.pem", "client-cert.pem"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=bench",
                    "-keyout", key, "-out", certificate], stderr=subprocess.DEVNULL, check=True)
    shutil.copy(certificate, os.path.join(folder, "cacert.pem"))
    return certificate, key


def sysbench(server, way, tls, script, action, *options):
    """tls: the folder of make_certificate(), or None."""
    command = ["sysbench", script, "--db-driver=mysql", "--mysql-host=" + way.host, f"--mysql-port={way.port}",
               "--mysql-user=" + server.user, "--mysql-password=" + server.password, "--mysql-db=" + SCHEMA,
               *(["--mysql-ssl=on"] if tls else []), *options, action]
    done = subprocess.run(command, cwd=tls, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    output = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        raise Failed(f"{way.name}: {' '.join(command)}:\n{output}")
    return output


def prepare(server, way):
    sysbench(server, way, None, "oltp_point_select", "prepare", "--tables=1", f"--table-size={ROWS}")
    sysbench(server, way, None, os.path.join(HERE, "large_result.lua"), "prepare")


def run(server, way, tls, workload, seconds):
    """Statements done in that time, and CPU seconds of the way's process for them."""
    options = list(workload.options)
    if workload.script.startswith("oltp"):
        options += ["--tables=1", f"--table-size={ROWS}"]
    cpu_before = way.cpu_seconds()
    output = sysbench(server, way, tls, workload.script, "run", f"--threads={workload.threads}", f"--time={seconds}", *options)
    cpu = way.cpu_seconds() - cpu_before
    statements = int(re.search(r"^\s+total:\s+(\d+)", output, re.MULTILINE).group(1))
    rate = float(re.search(r"queries:\s+\d+\s+\(([\d.]+) per sec", output).group(1))
    return statements, rate, cpu
