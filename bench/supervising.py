"""Supervision over a simulated year: what watching costs, and whether it finds what was planted.

    python -m bench.supervising [--cases N] [--home FOLDER] [--keep]

plays a year of N cases (15,000 by default) into a demo city, runs the follower of supervision over
the whole log, and compares the findings with the year's truth: each planted fault that a rule names
must be found, no other case may have a yellow or red card. CPU of our process and of PostgreSQL's,
per entry of the log; the limit is 200 µs (5,000 entries a second on one core). Then the sweep: how
many cases it looks at in a minute in which nothing is due.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter, defaultdict
from pathlib import Path

from bench import _loop
from bench._line import line
from bench.year import AT, SEED, YEAR, _clear, demo, spent
from zhengwu.config.postgres import Cluster

CASES = 15_000
LIMIT = 200  # µs an entry
NAME = "supervision.watch"


def watched(cluster: Cluster, entries: int) -> float:
    """Follow the log to its end, longest runs first; µs of CPU per entry."""
    from zhengwu.ledger import services as ledger

    pace = ledger.Pace()
    before = spent(cluster)
    while pace.follow(NAME):
        pass
    cost = spent(cluster) - before
    each = 1e6 / entries
    print(
        f"watched {entries:,} entries in {cost.wall:.0f} s: {cost.own * each:.0f} µs of our CPU and"
        f" {cost.postgres * each:.0f} of PostgreSQL's an entry,"
        f" {entries / (cost.own + cost.postgres):,.0f} entries/s of one core"
    )
    return (cost.own + cost.postgres) * each


def compared(truth: Path) -> None:
    """What was planted against what was found."""
    from django.db import connection

    found: dict[str, set[str]] = defaultdict(set)
    cards: Counter[str] = Counter()
    levels: Counter[str] = Counter()
    carded: dict[str, set[str]] = defaultdict(set)
    silent: set[tuple[str, str]] = set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rule, level, number, source, (at AT TIME ZONE 'Asia/Shanghai')::date::text"
            " FROM supervision_finding WHERE at <= %s",
            [AT],
        )
        for rule, level, number, source, day in cursor.fetchall():
            levels[level] += 1
            found[number].add(rule)
            if level in ("yellow", "red"):
                cards[rule] += 1
                carded[number].add(rule)
            if rule == "D02":
                silent.add((source, day))
    told = [json.loads(one) for one in truth.read_text(encoding="utf-8").splitlines()]
    planted = {one["case"] for one in told if one["case"]}
    hit, missed = Counter[str](), Counter[str]()
    for one in told:
        if not one["case"] or not one["rule"]:
            continue
        seen = any(_speaks(rule, one["rule"]) for rule in found[one["case"]])
        (hit if seen else missed)[one["kind"]] += 1
    gaps = {(one["source"], one["day"]) for one in told if not one["case"]}
    print("levels:", ", ".join(f"{level} {count:,}" for level, count in sorted(levels.items())))
    print("cards:", ", ".join(f"{rule} {count:,}" for rule, count in sorted(cards.items())))
    print(
        f"planted and found: {sum(hit.values()):,} of {sum(hit.values()) + sum(missed.values()):,}"
    )
    print(f"  {len(hit)} kinds found: {', '.join(sorted(hit))}")
    if missed:
        print("  MISSED:", dict(missed))
    print(
        f"gaps found on their first day: {len(gaps & silent)} of {len(gaps)}; silences in all {len(silent)}"
    )
    wrong = {number: rules for number, rules in carded.items() if number and number not in planted}
    print(f"cards on honest cases: {len(wrong)}", dict(list(wrong.items())[:5]) if wrong else "")


def _speaks(rule: str, named: str) -> bool:
    return rule == named or (rule.startswith(named) and not rule[len(named) :].isdigit())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=int(os.environ.get("CASES") or CASES))
    parser.add_argument("--home", type=Path, default=None)
    parser.add_argument("--keep", action="store_true", help="leave the city standing")
    given = parser.parse_args()
    base = Path(os.environ.get("ZHENGWU_BENCH_HOME", "var/bench")).resolve()
    home = given.home or base / "supervising"
    cluster = Cluster(home, durable=True)
    if cluster.runs():
        raise SystemExit(f"{home} is in use.")
    _clear(cluster)
    with demo(home):
        from zhengwu.cases.simulation import year
        from zhengwu.ledger import services as ledger
        from zhengwu.supervision import followers

        truth = home / "truth.jsonl"
        result = year.run(YEAR, cases=given.cases, seed=SEED, at=AT, truth=truth)
        print(
            f"{result.cases:,} cases, {result.events:,} entries, {result.planted:,} faults planted"
        )
        ledger.sequence()
        loop = _loop.seconds()
        cost = watched(cluster, result.events)
        print(f"a bare loop took {loop:.2f} s of CPU before and {_loop.seconds():.2f} after")
        compared(truth)
        print(f"a sweep when nothing is due looks at {followers.sweep(AT)} cases")
    if not given.keep:
        _clear(cluster)
    line("supervising", round(cost), "µs of CPU an entry", limit=LIMIT)


if __name__ == "__main__":
    main()
