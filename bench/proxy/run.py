#!/usr/bin/env python3
"""Sluice beside its peers as a proxy: no proxy, HAProxy (TCP), MySQL Router, Sluice; one thread each.

Each round asks every way for the same, one after the other, so that what else goes on meets them all; what counts are
ratios to the direct connection within the run, and CPU time of the proxy per statement, as medians over the rounds.

    scripts/setup --bench
    cmake --build build/release --target sluice throwaway_run
    bench/proxy/run.py [--rounds 5] [--seconds 3] [--tls] [--only TEXT]
"""

import argparse
import os
import statistics
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "bench", "throwaway"))

import servers  # noqa: E402
import ways  # noqa: E402
import workloads  # noqa: E402


def measure(server, endpoints, tls, workload, rounds, seconds):
    rates = {way.name: [] for way in endpoints}
    costs = {way.name: [] for way in endpoints}
    failures = {}
    for turn in range(rounds):
        # Another one goes first each time.
        for way in endpoints[turn % len(endpoints):] + endpoints[:turn % len(endpoints)]:
            if way.name in failures:
                continue
            try:
                statements, rate, cpu = workloads.run(server, way, tls, workload, seconds)
            except workloads.Failed as failure:
                if way.name == "direct":
                    raise
                failures[way.name] = next((line for line in str(failure).splitlines() if "FATAL: error" in line), "failed")
                continue
            rates[way.name].append(rate)
            costs[way.name].append(cpu / statements * 1e6)
    return rates, costs, failures


def table(workload, rates, costs, failures):
    print(f"\n### {workload.name}\n")
    print("| way | statements/s | of direct | CPU of the proxy, µs/statement | lowest .. highest |")
    print("|---|---:|---:|---:|---|")
    for name, seen in rates.items():
        if name in failures:
            print(f"| {name} | | | | {failures[name]} |")
            continue
        # Round by round: what slows the machine for a while slows both.
        of_direct = statistics.median(rate / direct for rate, direct in zip(seen, rates["direct"]))
        cost = "" if name == "direct" else f"{statistics.median(costs[name]):.1f}"
        spread = "" if name == "direct" else f"{min(costs[name]):.1f} .. {max(costs[name]):.1f}"
        print(f"| {name} | {statistics.median(seen):.0f} | {of_direct:.2f} | {cost} | {spread} |")
    sys.stdout.flush()


def main():
    build = os.path.join(ROOT, "build", "release")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sluice", default=os.path.join(build, "sluice"))
    parser.add_argument("--throwaway-run", default=os.path.join(build, "bench", "throwaway", "throwaway_run"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    parser.add_argument("--tls", action="store_true", help="from client to proxy and from proxy to server")
    parser.add_argument("--only", default="", help="workloads whose name contains this")
    chosen = parser.parse_args()

    folder = tempfile.TemporaryDirectory(prefix="sluice-bench-") if chosen.tls else None
    pair = workloads.make_certificate(folder.name) if folder else None
    server = servers.Server(chosen.throwaway_run, "mysql-9.7",
                            [f"--ssl-cert={pair[0]}", f"--ssl-key={pair[1]}", f"--ssl-ca={pair[0]}"] if pair else [])
    endpoints = []
    try:
        endpoints.append(ways.Direct(server))
        endpoints.append(ways.HAProxy(server, servers.free_port(), pair))
        endpoints.append(ways.Router(server, servers.free_port(), pair))
        endpoints.append(ways.Sluice(chosen.sluice, server, servers.Proxy, pair))
        print("\n".join(f"{way.name}: {way.version()}" for way in endpoints if way.version()), flush=True)
        workloads.prepare(server, endpoints[0])
        for workload in workloads.WORKLOADS:
            if chosen.only in workload.name:
                table(workload, *measure(server, endpoints, folder and folder.name, workload, chosen.rounds, chosen.seconds))
    finally:
        for way in endpoints:
            way.close()
        server.close()


if __name__ == "__main__":
    try:
        main()
    except (servers.NotStarted, ways.NotStarted, workloads.Failed) as failure:
        sys.exit(f"bench/proxy: {failure}")
