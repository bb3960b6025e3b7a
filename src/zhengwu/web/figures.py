"""What the platform counts of itself (指标): the objects, and the worker's figures in the database.

Web processes count in memory that `/metrics` adds up over all of them: files in the folder that
PROMETHEUS_MULTIPROC_DIR names, by the rules of prometheus_client's multi-process mode. Without it
(tests, one process) the same objects count in this process alone. The worker has no page to be asked
at, and may run on another machine: its figures stand in the table `web_figure`, and outlive it.

Nothing here says who or which case: labels are names of addresses, methods, codes and kinds.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.db import connection
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.registry import Collector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
OURS = CollectorRegistry()
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
REQUESTS = Counter(
    "zhengwu_requests",
    "Requests answered, by the name of the address, method and class of status.",
    ("route", "method", "status"),
    registry=OURS,
)
SECONDS = Histogram(
    "zhengwu_request_seconds",
    "From a request's arrival in Python to its answer, without sending it.",
    ("route",),
    buckets=BUCKETS,
    registry=OURS,
)
REFUSALS = Counter(
    "zhengwu_refusals", "Refusals told to people and programs, by code.", ("code",), registry=OURS
)
DRAWERS = Gauge(
    "zhengwu_draw_processes_busy",
    "Processes that open uploaded files and are at work just now.",
    registry=OURS,
    multiprocess_mode="livesum",
)


@lru_cache(maxsize=4096)
def _request(route: str, method: str, status: str) -> Counter:
    return REQUESTS.labels(route, method, status)


@lru_cache(maxsize=512)
def _seconds(route: str) -> Histogram:
    return SECONDS.labels(route)


def answered(route: str, method: str, status: int, seconds: float) -> None:
    """One more request."""
    _request(route, method, f"{status // 100}xx").inc()
    _seconds(route).observe(seconds)


def refused(code: str) -> None:
    """One more refusal that somebody was told."""
    REFUSALS.labels(code).inc()


def text(*more: Collector) -> bytes:
    """All figures of all web processes, and of more collectors, in Prometheus' text format."""
    folder = os.environ.get(FOLDER)
    whole = CollectorRegistry()
    if folder:
        _forget_the_dead(folder)
        multiprocess.MultiProcessCollector(whole, path=folder)  # type: ignore[no-untyped-call]
    else:
        whole.register(OURS)
    for one in more:
        whole.register(one)
    return generate_latest(whole)


def _forget_the_dead(folder: str) -> None:
    """A process that ended has nothing at work any more; what it counted stays counted."""
    for file in glob.glob(os.path.join(folder, "gauge_live*_*.db")):
        found = re.search(r"_(\d+)\.db$", file)
        if found and not Path(f"/proc/{found[1]}").exists():
            multiprocess.mark_process_dead(int(found[1]), path=folder)  # type: ignore[no-untyped-call]


# --- the worker's, in the database ----------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the worker: name without prefix, label (a job, a kind; "" for none), value."""

    name: str
    label: str
    value: float


def keep(*, now: Mapping[tuple[str, str], float], more: Mapping[tuple[str, str], float]) -> None:
    """Write figures by (name, label): `now` replaces, `more` is added. One statement."""
    rows = sorted((*key, float(value)) for key, value in [*now.items(), *more.items()])
    if not rows:
        return
    names, labels, values = (list(column) for column in zip(*rows, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO web_figure AS f (name, label, value) SELECT u.name, u.label, u.value"
            " FROM unnest(%s::text[], %s::text[], %s::float8[]) AS u(name, label, value)"
            " ON CONFLICT (name, label) DO UPDATE SET value = CASE WHEN excluded.name = ANY(%s)"
            " THEN f.value ELSE 0 END + excluded.value",
            [names, labels, values, sorted({name for name, _ in more})],
        )


def kept(names: Iterable[str] = ()) -> list[Figure]:
    """The worker's figures, of these names or all."""
    wanted = list(names)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, label, value FROM web_figure"
            " WHERE %s::text[] = '{}' OR name = ANY(%s) ORDER BY name, label",
            [wanted, wanted],
        )
        return [Figure(*row) for row in cursor.fetchall()]
