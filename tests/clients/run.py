#!/usr/bin/env python3
"""Runs a real driver's script directly and through Sluice, and compares what the driver saw, byte for byte.

    run.py --throwaway-run PROGRAM --sluice PROGRAM --output FOLDER DRIVER...
    run.py --list        names of the drivers
    run.py --versions    the drivers with their versions, as they are on this machine

A driver's program gets as arguments: host, port, user, password, schema and the folder of the shared SQL. It prints a
transcript; the last line is "end of script". A driver that is missing on this machine is a failure: scripts/setup
installs all of them. Transcripts are left in the output folder.
"""

import argparse
import difflib
import os
import subprocess
import sys
import tempfile

from drivers import DRIVERS, HERE, SERVER_ARGUMENTS, Missing
from masks import masked

sys.path.insert(0, os.path.join(HERE, "..", "..", "bench", "throwaway"))
from servers import NotStarted, Proxy, Server  # noqa: E402

SCRIPT_SECONDS_MAX = 120
DIFFERENCE_LINES_MAX = 60
END = b"end of script\n"


class Failed(Exception):
    pass


def run_script(driver, command, end, scratch, other):
    """The transcript, unmasked. `other` is given to the programs that look at both ends themselves."""
    arguments = [end.host, str(end.port), end.user, end.password, "sluice_clients", os.path.join(HERE, "sql")]
    if driver.own_comparison:
        arguments += [str(other.port)]
    environment = {**os.environ, **driver.environment(), "TZ": "UTC", "LC_ALL": "C.UTF-8", "TMPDIR": scratch}
    try:
        done = subprocess.run(command + arguments, cwd=scratch, env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=SCRIPT_SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired as late:
        raise Failed(f"the script did not end in {SCRIPT_SECONDS_MAX} s; it printed:\n"
                     + (late.stdout or b"")[-2000:].decode(errors="replace")) from late
    if done.returncode != 0 or not done.stdout.endswith(END):
        raise Failed(f"the script ended with status {done.returncode}:\n"
                     + done.stdout[-1500:].decode(errors="replace") + done.stderr[-3000:].decode(errors="replace"))
    return done.stdout


class ProxiedServer:
    """The same account, at the proxy's address."""

    def __init__(self, proxy, server):
        self.host, self.port, self.user, self.password = proxy.host, proxy.port, server.user, server.password


def difference(direct, proxied):
    lines = list(difflib.unified_diff(direct.decode(errors="backslashreplace").splitlines(),
                                      proxied.decode(errors="backslashreplace").splitlines(),
                                      "direct", "through the proxy", lineterm="", n=2))
    return "\n".join(line[:400] for line in lines[:DIFFERENCE_LINES_MAX])


def compare(driver, kind, programs, output):
    name = f"{driver.name}.{kind}"
    with tempfile.TemporaryDirectory(prefix="sluice-clients-") as scratch:
        command = driver.prepare(scratch)
        server = Server(programs.throwaway_run, kind, SERVER_ARGUMENTS)
        proxy = None
        try:
            proxy = Proxy(programs.sluice, server)
            proxied_end = ProxiedServer(proxy, server)
            transcripts = {}
            # Through the proxy first: the first login of an account is the full one, which says more.
            ways = [("proxy", proxied_end)] if driver.own_comparison else [("proxy", proxied_end), ("direct", server)]
            passed = {}
            for way, end in ways:
                before = proxy.statements_seen()
                try:
                    transcripts[way] = run_script(driver, command, end, scratch, server)
                except Failed as failure:
                    raise Failed(f"{way}: {failure}") from failure
                with open(os.path.join(output, f"{name}.{way}.txt"), "wb") as file:
                    file.write(transcripts[way])
                passed[way] = proxy.statements_seen() - before
            if passed["proxy"] < driver.statements_min or passed.get("direct", 0) != 0:
                raise Failed(f"statements that went through the proxy: {passed}")
        except Failed as failure:
            log = "\n--- sluice's log:\n" + proxy.log()[-2000:] if proxy else ""
            raise Failed(f"{name}: {failure}{log}") from failure
        finally:
            status = proxy.close() if proxy else 0
            server.close()
        if status != 0:
            raise Failed(f"{name}: sluice ended with status {status}:\n{proxy.log()[-3000:]}")
    if not driver.own_comparison:
        direct, proxied = (masked(transcripts[way]) for way in ("direct", "proxy"))
        if direct != proxied:
            raise Failed(f"{name}: the transcripts differ:\n{difference(direct, proxied)}")
    lines = transcripts["proxy"].count(b"\n")
    print(f"{name}: the same, {lines} lines, {passed['proxy']} statements through the proxy ({driver.version()})", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--throwaway-run")
    parser.add_argument("--sluice")
    parser.add_argument("--output")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--versions", action="store_true")
    parser.add_argument("names", nargs="*", metavar="DRIVER")
    arguments = parser.parse_args()
    known = {driver.name: driver for driver in DRIVERS}
    if arguments.list or arguments.versions:
        for driver in DRIVERS:
            print(f"{driver.name}: {driver.version()}" if arguments.versions else driver.name)
        return 0
    if not (arguments.throwaway_run and arguments.sluice and arguments.output):
        parser.error("--throwaway-run, --sluice and --output are needed")
    os.makedirs(arguments.output, exist_ok=True)
    failures = 0
    for name in arguments.names:
        if name not in known:
            parser.error(f"unknown driver {name}")
        for kind in known[name].servers:
            try:
                compare(known[name], kind, arguments, arguments.output)
            except (Failed, Missing, NotStarted) as failure:
                print(failure, flush=True)
                failures += 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
