#!/usr/bin/env python3
"""A cut-over that finds an old transaction on its table: who waits for it, and how soon behind its end the tables swap.

The load of bench/cutover goes on all the while. One more connection, through the proxy or past it, reads the table and
keeps its transaction open for 30 s; a migration of the table becomes ready behind it. Once with the defaults, by which
such a transaction is waited for without an attempt, and once with max_blocker_age_ms so high that attempts are made.

    cmake --build build/release --target sluice throwaway_run load_run
    bench/cutover/blocked.py [--open-seconds 30] [--rows 20000] [--connections 8] [--json FILE]
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "bench", "throwaway"))

import scene  # noqa: E402

BUDGET_MS, INTERVAL_MS = 300, 2000
CASES = [("through the proxy", "waited for"), ("through the proxy", "tried"), ("directly", "waited for"), ("directly", "tried")]
TREE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "sluice", "mysql-9.7")


class Transaction:
    """One that has read the table, in the server's own client program."""

    def __init__(self, server, port):
        self.program = subprocess.Popen(
            [f"{TREE}/usr/lib64/ld-linux-x86-64.so.2", "--library-path", f"{TREE}/usr/lib/x86_64-linux-gnu",
             f"{TREE}/usr/bin/mysql", "--no-defaults", "--host=127.0.0.1", f"--port={port}", f"--user={server.user}",
             "--unbuffered", "--batch", "--skip-column-names", "--get-server-public-key", "test"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "MYSQL_PWD": server.password})
        self._run(f"BEGIN; SELECT COUNT(*) FROM {scene.TABLE};")

    def _run(self, statements):
        self.program.stdin.write(statements + "\n")
        self.program.stdin.flush()
        if not self.program.stdout.readline():
            raise scene.Failed("the transaction's client has ended (see above)")

    def commit(self):
        """The clock before and behind it."""
        before = time.time()
        self._run("COMMIT; SELECT 'done';")
        return before, time.time()

    def close(self):
        self.program.stdin.close()
        self.program.wait()


def began(attempt):
    return datetime.datetime.fromisoformat(attempt["began"].replace("Z", "+00:00")).timestamp()


def ended(attempt):
    return began(attempt) + sum(step["took_us"] for step in attempt["steps"]) / 1e6


def measure(where, way, manner, chosen):
    options = {"drop_old_table": True, "hold_budget_ms": BUDGET_MS, "hold_interval_ms": INTERVAL_MS}
    if manner == "tried":
        options["max_blocker_age_ms"] = 600_000
    transaction = Transaction(where.server, where.proxy.port if way == "through the proxy" else where.server.port)
    try:
        opened = time.time()
        migration = where.begin(options)
        time.sleep(chosen.open_seconds)
        waits_for = where.show(migration)["waiting_for"]
        _, committed = transaction.commit()
        attempts = where.wait(migration)["cutover_attempts"]
    finally:
        transaction.close()
    gaps = [began(attempts[i]) - began(attempts[i - 1]) for i in range(1, len(attempts))]
    return {"way": way, "manner": manner, "opened": opened, "committed": committed, "waiting_for": waits_for,
            "given_up": sum(not one["succeeded"] for one in attempts),
            "longest_hold_ms": max(one["hold"]["hold_max_us"] for one in attempts) / 1e3,
            # The last one does not wait for its interval once the transaction has gone.
            "shortest_gap_s": min(gaps[:-1], default=None), "swapped_after_s": ended(attempts[-1]) - committed,
            "attempts": attempts}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    scene.add_options(parser, ROOT, rows=20_000)
    parser.add_argument("--open-seconds", type=float, default=30)
    parser.add_argument("--connections", type=int, default=8)
    chosen = parser.parse_args()

    where = scene.Scene(chosen, chosen.connections, direct=False)
    try:
        time.sleep(5)
        results = [measure(where, *case, chosen) for case in CASES]
        load, statements = where.stop_load()
    finally:
        where.close()
    for one in results:
        one["longest_statement_ms"] = max(1e3 * (end - begin) for begin, end, _ in statements
                                          if end >= one["opened"] and begin <= one["committed"] + one["swapped_after_s"])
    scene.write_json(chosen.json, {"load": load, "results": results})

    print("| transaction | attempts meanwhile are | given up | shortest time between them, s | longest hold, ms "
          "| longest statement, ms | swapped behind its end, ms |\n|---|---|---:|---:|---:|---:|---:|")
    for one in results:
        gap = "" if one["shortest_gap_s"] is None else f"{one['shortest_gap_s']:.1f}"
        made = "not made" if one["manner"] == "waited for" else "made"
        print(f"| {one['way']} | {made} | {one['given_up']} | {gap} | {one['longest_hold_ms']:.1f} "
              f"| {one['longest_statement_ms']:.1f} | {1e3 * one['swapped_after_s']:.0f} |")
    print("\nThe operator sees: " + results[0]["waiting_for"])
    print(json.dumps({key: load[key] for key in load if not isinstance(load[key], (dict, list))}))
    missed = [f"{one['way']}, {one['manner']}: {what}" for one in results for what, bad in (
        (f"held longer than {BUDGET_MS} ms", one["longest_hold_ms"] > BUDGET_MS),
        ("attempts follow one another faster than the interval", (one["shortest_gap_s"] or INTERVAL_MS) < INTERVAL_MS / 1e3),
        ("swapped later than 1 s behind the end", one["swapped_after_s"] > 1)) if bad]
    return scene.verdict(missed)


if __name__ == "__main__":
    scene.exit_with(main)
