#!/usr/bin/env python3
"""What clients feel of a cut-over: with the gate, and by the same engine without it (lock-only), in one run.

One load that keeps books goes through one Sluice, and its table is rebuilt again and again. Migrations with the gate
(hold_scope "table") and without it ("none") take turns, so that whatever else the machine does meets both. A second load
connects straight to the server: what clients feel whom no gate protects.

    cmake --build build/release --target sluice throwaway_run load_run
    bench/cutover/run.py [--cutovers 100] [--rows 200000] [--connections 8 200] [--json FILE]
"""

import argparse
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "bench", "throwaway"))

import figures  # noqa: E402
import scene  # noqa: E402

WAYS = ("gate", "lock only", "direct")
SCOPES = {"gate": "table", "lock only": "none", "direct": "table"}


def migrate(where, way, cutovers):
    """That many finished migrations, in the order in which they were made."""
    ended = []
    for number in range(cutovers):
        for name in way:
            seen = where.migrate(SCOPES[name])
            seen["way"] = name
            ended.append(seen)
        if (number + 1) % 10 == 0:
            print(f"  {number + 1} of {cutovers}", file=sys.stderr, flush=True)
    return ended


def measure(chosen, connections, ways):
    """One load: through Sluice with `ways` in turn, or straight to the server."""
    where = scene.Scene(chosen, connections, direct=ways == ("direct",))
    try:
        time.sleep(chosen.quiet_seconds)
        before = where.cpu()
        migrations = migrate(where, ways, chosen.cutovers)
        after = where.cpu()
        load, statements = where.stop_load()
    finally:
        where.close()
    cpu = {name: after[name] - before[name] for name in before}
    return [figures.of_way(way, connections, migrations, load, statements, cpu) for way in ways]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    scene.add_options(parser, ROOT, rows=200_000)
    parser.add_argument("--cutovers", type=int, default=100, help="with each way, in a row")
    parser.add_argument("--connections", type=int, nargs="+", default=[8, 200])
    parser.add_argument("--quiet-seconds", type=float, default=60, help="load without migrations, before the first one")
    parser.add_argument("--ways", default="gate,lock only,direct", help="which of them, separated by commas")
    chosen = parser.parse_args()
    wanted = [way for way in WAYS if way in chosen.ways.split(",")]
    if not wanted:
        parser.error(f"--ways: one or more of {', '.join(WAYS)}")

    results = []
    for connections in chosen.connections:
        for ways in (tuple(way for way in wanted if way != "direct"), ("direct",) if "direct" in wanted else ()):
            if ways:
                print(f"{connections} connections: {', '.join(ways)}", file=sys.stderr, flush=True)
                results += measure(chosen, connections, ways)
    scene.write_json(chosen.json, {"rows": chosen.rows, "statements_per_second": chosen.statements_per_second,
                                   "results": results})
    figures.print_table(results)
    return scene.verdict(figures.missed_targets(results))


if __name__ == "__main__":
    scene.exit_with(main)
