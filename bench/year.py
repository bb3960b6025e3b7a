"""A simulated year: what a case costs to plan, to file and to count, and whether memory stays flat.

    python -m bench.year [--cases N] [--home FOLDER] [--keep]

plays a year of N cases (50,000 by default, CASES=1000000 for the whole; some 26 GB) into a demo city
on a private, durable server, then counts it as `zhengwu statistics --rebuild` does: case by case, in
two processes. What following the log costs is said by bench.following and bench.supervising. CPU is
that of the planner, the filer and PostgreSQL's processes, apart. The last line: minutes for a million
cases; the limit is the 45 minutes in which such a city has to stand. Of the whole year they are the
clock's on the wall, from the first case planned to the last one counted. Of a smaller one they are
reckoned from the CPU, with everything that two cores do side by side. A fifth of its cases is planned
first and thrown away: what is made once for every item (the wording of its papers) weighs more in a small run, and a
million is reckoned from the difference between the two. The counting is reckoned straight, and so too
high: of a million cases more entries of one day share a row of figures.

The bare loop (_loop.py) stands beside the figures: only runs with a like loop compare.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import _loop
from bench._line import line
from zhengwu.config.postgres import APP, DATABASE, OWNER, Cluster

YEAR, SEED = 2025, 7
AT = datetime(2026, 11, 27, 7, tzinfo=UTC)
CASES = 50_000
MILLION = 1_000_000
LIMIT = 45  # minutes
PARTS = 2  # processes that count
KEY = "only-for-the-bench-and-for-nothing-else-0123456789"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Cost:
    """Seconds: on the wall, of our process, of its children that ended, of PostgreSQL."""

    wall: float
    own: float
    children: float
    postgres: float

    @property
    def cpu(self) -> float:
        return self.own + self.children + self.postgres

    def __sub__(self, before: Cost) -> Cost:
        return Cost(
            self.wall - before.wall, self.own - before.own, self.children - before.children,
            self.postgres - before.postgres,
        )  # fmt: skip


def spent(cluster: Cluster) -> Cost:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(
        time.perf_counter(), time.process_time(), children.ru_utime + children.ru_stime,
        _server(cluster),
    )  # fmt: skip


def _server(cluster: Cluster) -> float:
    """CPU of the postmaster, of its children, and of those that ended."""
    (first, *_) = (cluster.data / "postmaster.pid").read_text().splitlines()
    total = 0
    for place in Path("/proc").iterdir():
        try:
            cells = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if place.name == first:
            total += sum(int(one) for one in cells[11:15])
        elif cells[1] == first:
            total += sum(int(one) for one in cells[11:13])
    return total / TICKS


@contextmanager
def demo(home: Path) -> Iterator[Cluster]:
    """A demo city without cases, on a server of its own."""
    cluster = Cluster(home, durable=True)
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o711)
    (home / "home").mkdir(exist_ok=True)
    os.environ.update(
        DJANGO_SETTINGS_MODULE="zhengwu.config.settings",
        ZHENGWU_DEMO="1",
        ZHENGWU_HOME=str(home / "home"),
        ZHENGWU_SECRET_KEY=KEY,
        ZHENGWU_DATABASE_URL=cluster.url(role=APP, database=DATABASE),
        ZHENGWU_OWNER_DATABASE_URL=cluster.url(role=OWNER, database=DATABASE),
        ZHENGWU_LOG_LEVEL="ERROR",
    )
    with cluster.start():
        import django

        django.setup()
        from django.db import connections

        from zhengwu.config import demo, migrate

        migrate.run()
        demo.build(at=AT, cases=0)
        yield cluster
        connections.close_all()


def planned(cases: int) -> float:
    """Seconds of CPU to plan so many, and nothing else."""
    from zhengwu.cases.simulation import scene
    from zhengwu.cases.simulation.planning import Order, Plan

    plan = Plan(scene.read(YEAR, on=AT.date()), Order(cases, SEED, AT))
    began = time.process_time()
    for _ in plan.batches():
        pass
    return time.process_time() - began


def measure(cluster: Cluster, cases: int, truth: Path) -> float:
    """Print what it costs; minutes for a million cases."""
    from zhengwu.cases.simulation import year
    from zhengwu.ledger import services as ledger
    from zhengwu.statistics import services as statistics

    whole = cases >= MILLION
    few = 0 if whole else cases // 5
    loops = [_loop.seconds()]
    first = planned(few) if few else 0.0
    loops.append(_loop.seconds())

    seen: list[float] = []

    def progress(done: int, total: int) -> None:
        seen.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)

    before = spent(cluster)
    result = year.run(YEAR, cases=cases, seed=SEED, at=AT, truth=truth, progress=progress)
    filed = spent(cluster) - before
    print(f"{result.cases:,} cases, {result.events:,} events, {result.planted:,} faults planted")
    print("\n".join(year.shares(result)))
    each = 1e6 / result.events
    print(
        f"planned and filed: {filed.wall:.0f} s; CPU per event: planner {filed.children * each:.0f},"
        f" filer {filed.own * each:.0f}, PostgreSQL {filed.postgres * each:.0f} µs;"
        f" memory: planner {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB,"
        f" filer {seen[len(seen) // 4]:.0f} MB after a quarter, {seen[-1]:.0f} MB at the end"
    )
    more = (filed.children - first) / (cases - few)  # of one case more
    planning = filed.children + more * (MILLION - cases)
    filing = (filed.own + filed.postgres) / cases * MILLION
    print(
        f"a million cases: planner {planning / 60:.1f} min of CPU ({more / result.events * cases * 1e6:.0f}"
        f" µs per event), beside it filer and PostgreSQL {filing / 60:.1f} min"
    )
    loops.append(_loop.seconds())
    began = spent(cluster)
    ledger.sequence()
    statistics.rebuild(parts=PARTS)
    cost = spent(cluster) - began
    loops.append(_loop.seconds())
    counted = cost.cpu / 2
    print(
        f"counted: {cost.wall:.0f} s by the clock; CPU per event: {PARTS} processes"
        f" {cost.children * each:.0f}, PostgreSQL {cost.postgres * each:.0f} µs"
    )
    print(
        f"a loop of {_loop.ADDITIONS:,} additions took {', '.join(f'{one:.2f}' for one in loops)} s of CPU:"
        " at the beginning, after the plan alone, after the filing, after the counting"
    )
    with cluster.connect(DATABASE) as database:
        row = database.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row is not None
    print(f"{int(str(row[0])) / result.events:.0f} bytes of the database per event")
    if whole:
        print(f"the whole by the clock: {filed.wall / 60:.1f} + {cost.wall / 60:.1f} min")
        return (filed.wall + cost.wall) / 60
    return (max(planning, filing) + counted / cases * MILLION) / 60


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=int(os.environ.get("CASES") or CASES))
    parser.add_argument("--home", type=Path, default=None)
    parser.add_argument("--keep", action="store_true", help="leave the city standing")
    given = parser.parse_args()
    home = given.home or Path(os.environ.get("ZHENGWU_BENCH_HOME", "var/bench")).resolve() / "year"
    cluster = Cluster(home, durable=True)
    if cluster.runs():
        raise SystemExit(f"{home} is in use.")
    _clear(cluster)
    with demo(home):
        minutes = measure(cluster, given.cases, home / "truth.jsonl")
    kinds = [json.loads(one)["kind"] for one in (home / "truth.jsonl").read_text().splitlines()]
    print(f"{len(set(kinds))} kinds of faults in the truth")
    if not given.keep:
        _clear(cluster)
    line("year", round(minutes, 1), "min for a million cases", limit=LIMIT)


def _clear(cluster: Cluster) -> None:
    if cluster.place != cluster.home.resolve():
        shutil.rmtree(cluster.place, ignore_errors=True)
    shutil.rmtree(cluster.home, ignore_errors=True)


if __name__ == "__main__":
    main()
