"""From migrations and statements to figures: which statements met a cut-over, and how long they took beside others."""

import bisect
import datetime
import statistics

HOLD_MAX_MS, HOLD_MEDIAN_MS, RATIO_MAX = 100, 15, 1.5
MINUTE_S = 60
# Reports give the attempt's beginning in milliseconds, and leave out what lies between its steps.
MARGIN_S = 0.01


class Window:
    """One attempt to cut over, from its beginning to the end of its last step."""

    def __init__(self, migration, attempt):
        self.way = migration["way"]
        self.migration = migration["id"]
        self.attempt = attempt
        self.steps_us = {step["name"]: step["took_us"] for step in attempt["steps"]}
        began = datetime.datetime.fromisoformat(attempt["began"].replace("Z", "+00:00")).timestamp()
        self.begin = began - MARGIN_S
        self.end = began + sum(self.steps_us.values()) / 1e6 + MARGIN_S
        self.longest_ms = self.before_ms = 0.0


def _longest_ms(statements):
    return max(((ended - began) * 1e3 for began, ended, _ in statements), default=0.0)


def fill_in_longest(windows, statements):
    """For each window: the longest statement that met it, and the longest of the minute before that met none."""
    begins = [began for began, _, _ in statements]
    reach = max((ended - began for began, ended, _ in statements), default=0.0)  # nothing that began earlier lasts till then

    def that_met(begin, end):
        first = bisect.bisect_left(begins, begin - reach)
        return [one for one in statements[first:bisect.bisect_right(begins, end)] if one[1] >= begin]

    meets_any = set()
    for window in windows:
        met = that_met(window.begin, window.end)
        meets_any.update(met)
        window.longest_ms = _longest_ms(met)
    for window in windows:
        first, last = bisect.bisect_left(begins, window.begin - MINUTE_S), bisect.bisect_left(begins, window.begin)
        window.before_ms = _longest_ms(one for one in statements[first:last] if one not in meets_any)


def _way_of_each_error(migrations, statements):
    """An error belongs to the migration that began last before it."""
    begins = [datetime.datetime.fromisoformat(one["created"].replace("Z", "+00:00")).timestamp() for one in migrations]
    counts = {}
    for began, _, error in statements:
        place = bisect.bisect_right(begins, began) - 1
        if error and place >= 0:
            way = migrations[place]["way"]
            counts.setdefault(way, {})
            counts[way][error] = counts[way].get(error, 0) + 1
    return counts


def _steps_of(window):
    return {"migration": window.migration, "succeeded": window.attempt["succeeded"],
            "given_up_because": window.attempt["given_up_because"], "steps_us": window.steps_us,
            "hold": window.attempt["hold"], "longest_ms": window.longest_ms, "before_ms": window.before_ms,
            "ratio": window.longest_ms / window.before_ms if window.before_ms else None}


def of_way(way, connections, migrations, load, statements, cpu):
    windows = [Window(one, attempt) for one in migrations for attempt in one["cutover_attempts"]]
    fill_in_longest(windows, statements)
    mine = [window for window in windows if window.way == way]
    holds_ms = [window.attempt["hold"]["hold_max_us"] / 1e3 for window in mine]
    ratios = [window.longest_ms / window.before_ms for window in mine if window.before_ms]
    # What clients could be kept waiting: from the gate's closing, or the lock, to the end.
    closed_ms = [sum(us for name, us in window.steps_us.items() if name not in ("connect", "park", "names")) / 1e3 for window in mine]
    count = max(1, sum(1 for began, _, _ in statements if began >= (windows[0].begin if windows else 0)))
    latencies_ms = sorted((ended - began) * 1e3 for began, ended, _ in statements)
    return {
        "way": way,
        "connections": connections,
        "cutovers": sum(window.attempt["succeeded"] for window in mine),
        "given_up": sum(not window.attempt["succeeded"] for window in mine),
        "statements": load["statements"],
        "errors": _way_of_each_error(migrations, statements).get(way, {}),
        "first_errors": load["first_errors"],
        "wrong_answers": load["wrong_answers"],
        "books_equal": load["differences"] == 0 and load["rows_expected"] == load["rows_found"],
        "statements_held": sum(window.attempt["hold"]["statements_held"] for window in mine),
        "hold_max_ms": max(holds_ms, default=0.0),
        "hold_median_ms": statistics.median(holds_ms) if holds_ms else 0.0,
        "attempt_median_ms": statistics.median(closed_ms) if closed_ms else 0.0,
        "attempt_max_ms": max(closed_ms, default=0.0),
        "longest_ms": max((window.longest_ms for window in mine), default=0.0),
        "longest_median_ms": statistics.median(window.longest_ms for window in mine) if mine else 0.0,
        "before_ms": max((window.before_ms for window in mine), default=0.0),
        "ratio_median": statistics.median(ratios) if ratios else 0.0,
        "ratio_max": max(ratios, default=0.0),
        "p50_ms": latencies_ms[len(latencies_ms) // 2] if latencies_ms else 0.0,
        "p99_ms": latencies_ms[len(latencies_ms) * 99 // 100] if latencies_ms else 0.0,
        "cpu_us_per_statement": {name: cpu[name] * 1e6 / count for name in ("sluice", "server", "load")},
        "attempts": [_steps_of(window) for window in mine],
    }


def print_table(results):
    for connections in sorted({one["connections"] for one in results}):
        print(f"\n### {connections} connections\n")
        print("| way | cut-overs | given up | errors | books | hold, median .. longest, ms | attempt, median .. longest, ms |"
              " longest statement at it, median .. longest, ms | longest in the minute before, ms | ratio, median .. highest |")
        print("|---|---:|---:|---:|---|---|---|---|---:|---|")
        for one in results:
            if one["connections"] != connections:
                continue
            print(f"| {one['way']} | {one['cutovers']} | {one['given_up']} | {sum(one['errors'].values())} |"
                  f" {'equal' if one['books_equal'] else 'DIFFER'} | {one['hold_median_ms']:.1f} .. {one['hold_max_ms']:.1f} |"
                  f" {one['attempt_median_ms']:.1f} .. {one['attempt_max_ms']:.1f} |"
                  f" {one['longest_median_ms']:.1f} .. {one['longest_ms']:.1f} | {one['before_ms']:.1f} |"
                  f" {one['ratio_median']:.2f} .. {one['ratio_max']:.2f} |")
        for one in results:
            if one["connections"] == connections and one["way"] != "lock only":  # those two share a load
                cpu = one["cpu_us_per_statement"]
                print(f"\n{one['way']}{' and lock only' if one['way'] == 'gate' else ''}: {one['statements']} statements,"
                      f" p50 {one['p50_ms']:.2f} ms, p99 {one['p99_ms']:.2f} ms; CPU per statement, migrations included:"
                      f" sluice {cpu['sluice']:.0f} µs, server {cpu['server']:.0f} µs, load {cpu['load']:.0f} µs")


def missed_targets(results):
    """Of the gate; of the others only what must never be wrong."""
    missed = []
    for one in results:
        name = f"{one['way']}, {one['connections']} connections: "
        if not one["books_equal"] or one["wrong_answers"]:
            missed.append(name + "the books differ, or an answer was wrong")
        if one["way"] != "gate":
            continue
        if one["errors"]:
            missed.append(f"{name}clients saw errors (number: how often) {one['errors']}; the load's first: {one['first_errors'][:1]}")
        if one["hold_max_ms"] > HOLD_MAX_MS:
            missed.append(f"{name}longest hold {one['hold_max_ms']:.1f} ms, more than {HOLD_MAX_MS}")
        if one["hold_median_ms"] > HOLD_MEDIAN_MS:
            missed.append(f"{name}median of the longest holds {one['hold_median_ms']:.1f} ms, more than {HOLD_MEDIAN_MS}")
        if one["ratio_max"] > RATIO_MAX:
            missed.append(f"{name}a statement at a cut-over took {one['ratio_max']:.2f} times the longest of the minute before,"
                          f" more than {RATIO_MAX}")
        slowest = max(one["attempts"], key=lambda attempt: attempt["hold"]["hold_max_us"], default=None)
        if missed and slowest:
            missed.append(f"{name}its longest attempt, by steps in µs: {slowest['steps_us']}")
    return missed
