"""What the worker tells of itself (后台进程的指标): its jobs, and how many events of each kind there are.

Written every few seconds into the table `web_figure`, from where `/metrics` reads. Events are counted
by position, each exactly once, across restarts: the figure and how far it counts are one statement.
"""

from __future__ import annotations

import time
from collections import Counter

from zhengwu.ledger import queries as ledger
from zhengwu.web import figures

EVERY = 10.0  # seconds between two reports
PAGE = 20_000  # events counted in one statement
MOST = 1.0  # seconds a report goes on counting; the rest waits for the next

COUNTED = "events_counted_position"
EVENTS = "events_total"
RUNS, FAILURES = "job_runs_total", "job_failures_total"
SUCCESS, DURATION = "job_last_success_timestamp_seconds", "job_duration_seconds"
SEEN = "worker_seen_timestamp_seconds"


class Report:
    """Kept in memory between two writings."""

    def __init__(self) -> None:
        self._more: Counter[tuple[str, str]] = Counter()
        self._now: dict[tuple[str, str], float] = {}
        self._next = 0.0

    def done(self, job: str, seconds: float) -> None:
        self._more[RUNS, job] += 1
        self._now[SUCCESS, job] = time.time()
        self._now[DURATION, job] = seconds

    def failed(self, job: str) -> None:
        self._more[RUNS, job] += 1
        self._more[FAILURES, job] += 1

    def due(self) -> bool:
        return time.monotonic() >= self._next

    def write(self) -> int:
        """Raises what the database raises; nothing is forgotten then. Gives 0: no work was done."""
        self._next = time.monotonic() + EVERY
        self._count_events()
        figures.keep(now={**self._now, (SEEN, ""): time.time()}, more=self._more)
        self._more.clear()
        self._now.clear()
        return 0

    def _count_events(self) -> None:
        # Asked every time: another worker may have had the turn meanwhile.
        at = int(next((one.value for one in figures.kept([COUNTED])), 0))
        until = time.monotonic() + MOST
        while True:
            upto, kinds = ledger.kinds(after=at, limit=PAGE)
            if upto > at:
                more = {(EVENTS, kind): float(count) for kind, count in kinds.items()}
                figures.keep(now={(COUNTED, ""): float(upto)}, more=more)
            done = upto - at < PAGE
            at = upto
            if done or time.monotonic() > until:
                break
