"""How fast the figures follow the log: events a second of one core, and a statistics question.

    python -m bench.following [--cases N] [--home FOLDER] [--events N] [--profile]

The follower begins anew on the big city, run by run as the worker hands them over when it is
behind; CPU of this process and of its PostgreSQL backend together. `ratio`: the bare reading of the
same events (one SELECT, nothing done with them) over ours. What was counted before is emptied.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import resource
import time
from pathlib import Path
from typing import Any

import psycopg

from bench import _web
from bench._city import CASES, city
from bench._line import line

RUN = 2_000  # positions of a transaction
BARE = 60_000  # events read and left alone, for the ratio


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--cases", type=int, default=CASES)
    asked.add_argument("--home", type=Path)
    asked.add_argument("--events", type=int, default=60_000)
    asked.add_argument("--profile", action="store_true")
    given = asked.parse_args()
    with city(given.cases, given.home) as it:
        from zhengwu.ledger import queries
        from zhengwu.ledger import services as ledger

        with psycopg.connect(it.owner_url) as owner:
            tables = owner.execute(
                "SELECT string_agg(format('%I', tablename), ', ') FROM pg_tables"
                " WHERE tablename LIKE 'statistics\\_%'"
            ).fetchone()
            assert tables is not None
            owner.execute(f"TRUNCATE {tables[0]}")
            owner.execute(
                "UPDATE ledger_follower SET position = 0 WHERE name = 'statistics.figures'"
            )
        pid = _web.backend()
        bare, theirs_bare = time.process_time(), _web.seconds_of(pid)
        for after in range(0, min(given.events, BARE), RUN):
            queries.positions(after=after, limit=RUN)
        bare = time.process_time() - bare + _web.seconds_of(pid) - theirs_bare
        profile: Any = cProfile.Profile() if given.profile else None
        wall, ours, theirs, done = time.perf_counter(), time.process_time(), _web.seconds_of(pid), 0
        if profile:
            profile.enable()
        while done < given.events and (went := ledger.follow("statistics.figures", limit=RUN)):
            done += went
        if profile:
            profile.disable()
        wall = time.perf_counter() - wall
        ours, theirs = time.process_time() - ours, _web.seconds_of(pid) - theirs
        cost = ours + theirs
        bare *= done / min(done, BARE)
        print(
            f"{done:,} events from the first: {wall:.1f} s; CPU {ours:.1f} s here,"
            f" {theirs:.1f} s in PostgreSQL; {done / cost:,.0f} events/s of one core"
            f" ({done / wall:,.0f}/s by the clock); reading them alone {bare:.1f} s;"
            f" {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at most"
        )
        if profile:
            pstats.Stats(profile).sort_stats("cumulative").print_stats(45)
        line(
            "following",
            round(cost / done * 1e6),
            "µs CPU/event",
            ratio=round(bare / cost, 2),
            limit=200,
        )


if __name__ == "__main__":
    main()
