"""`/metrics` (指标): the figures of the web processes, the worker, the log and the disk, for Prometheus.

Whoever asks shows ZHENGWU_METRICS_TOKEN; without one only the demo answers, to its own machine.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from zhengwu.cases import queries as cases
from zhengwu.config import backup, migrate, reporting
from zhengwu.documents import files as uploads
from zhengwu.exports import queries as exports
from zhengwu.ledger import queries as ledger
from zhengwu.web import figures
from zhengwu.web.clock import now

SELDOM = 60.0  # seconds for which what reads many rows is not asked again by this process
T = TypeVar("T")
log = logging.getLogger(__name__)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """200 with everything, 401 for whoever may not ask."""
    if not _may(request):
        refusal = HttpResponse("401\n", status=401, content_type="text/plain")
        refusal["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return refusal
    return HttpResponse(figures.text(Standing()), content_type=CONTENT_TYPE_LATEST)


def _may(request: HttpRequest) -> bool:
    if wanted := settings.METRICS_TOKEN:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        return kind.lower() == "bearer" and constant_time_compare(given.strip(), wanted)
    near = request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1")
    return bool(settings.DEMO) and near and "HTTP_X_FORWARDED_FOR" not in request.META


class Standing(Collector):
    """How things stand now: asked of the database and the disk."""

    def collect(self) -> Iterable[Metric]:
        yield _gauge("build_info", "Always 1.", {version("zhengwu"): 1.0}, "version")
        yield from _disk()
        try:
            found = list(_database())
        except DatabaseError:
            log.exception("no figures of the database")
            yield _gauge("database_up", "Whether the database answers.", {"": 0.0})
            return
        yield _gauge("database_up", "Whether the database answers.", {"": 1.0})
        yield from found


def _gauge(name: str, said: str, values: dict[str, float], label: str = "") -> Metric:
    family = GaugeMetricFamily(f"zhengwu_{name}", said, labels=[label] if label else None)
    for key, value in values.items():
        family.add_metric([key] if label else [], value)
    return family


def _counter(name: str, said: str, values: dict[str, float], label: str) -> Metric:
    family = CounterMetricFamily(f"zhengwu_{name}", said, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _disk() -> Iterable[Metric]:
    home = Path(settings.HOME)
    usage = shutil.disk_usage(next(one for one in (home, *home.parents) if one.exists()))
    yield _gauge("home_free_bytes", "Free room on the disk of ZHENGWU_HOME.", {"": usage.free})
    yield _gauge("home_size_bytes", "Size of the disk of ZHENGWU_HOME.", {"": usage.total})
    last = backup.last()
    if last is not None:
        at = datetime.fromisoformat(last["at"]).timestamp()
        yield _gauge("backup_last_timestamp_seconds", "When the last backup was made.", {"": at})
        yield _gauge("backup_last_bytes", "Size of the last backup.", {"": last["bytes"]})


def _database() -> Iterable[Metric]:
    lag = ledger.lag()
    yield _gauge("log_position", "The last position of the log.", {"": lag.last})
    yield _gauge("log_unsequenced", "Events without a position yet.", {"": lag.unsequenced})
    yield _gauge(
        "follower_lag_events", "How far each follower lies behind.",
        {name: float(behind) for name, behind in lag.followers.items()}, "follower",
    )  # fmt: skip
    yield _gauge(
        "watermark_age_seconds", "How long the oldest writing transaction has been open.",
        {"": ledger.watermark().age},
    )  # fmt: skip
    yield _gauge("worker_present", "Whether a worker works.", {"": float(migrate.working())})
    yield from _worker()
    yield _gauge(
        "open_cases", "Cases that are not closed, by state.",
        _seldom("cases", lambda: _floats(cases.open_by_state())), "state",
    )  # fmt: skip
    files, size = _seldom("uploads", uploads.stored)
    yield _gauge("upload_files", "Uploaded files that are kept.", {"": files})
    yield _gauge("upload_bytes", "Their bytes.", {"": size})
    standing = exports.standing(at=now())
    yield _gauge(
        "exports", "Exports by state; stuck: nothing has moved for five minutes.",
        {"waiting": standing.waiting, "running": standing.running, "stuck": standing.stuck,
         "ready": standing.files}, "state",
    )  # fmt: skip
    yield _gauge("export_bytes", "Bytes of the exports that are kept.", {"": standing.size})
    yield _gauge("sign_in_lockouts", "Accounts that are locked just now.", {"": _locked_out()})


def _worker() -> Iterable[Metric]:
    """What the worker wrote of itself."""
    told: dict[str, dict[str, float]] = {}
    for one in figures.kept():
        told.setdefault(one.name, {})[one.label] = one.value
    yield _counter(
        "events", "Events in the log, by kind: acts and observations.",
        told.get(reporting.EVENTS, {}), "kind",
    )  # fmt: skip
    yield _counter("job_runs", "Runs of the worker's jobs.", told.get(reporting.RUNS, {}), "job")
    yield _counter(
        "job_failures", "Runs that failed.",
        dict.fromkeys(told.get(reporting.RUNS, {}), 0.0) | told.get(reporting.FAILURES, {}), "job",
    )  # fmt: skip
    yield _gauge(
        reporting.SUCCESS, "When each job last went well.", told.get(reporting.SUCCESS, {}), "job"
    )
    yield _gauge(
        reporting.DURATION, "How long its last run took.", told.get(reporting.DURATION, {}), "job"
    )
    if seen := told.get(reporting.SEEN):
        yield _gauge(reporting.SEEN, "When the worker last wrote its figures.", seen)


def _floats(counted: dict[str, int]) -> dict[str, float]:
    return {name: float(count) for name, count in counted.items()}


def _locked_out() -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT username) FROM axes_accessattempt"
            " WHERE failures_since_start >= %s AND attempt_time > %s",
            [settings.AXES_FAILURE_LIMIT, now() - settings.AXES_COOLOFF_TIME],
        )
        return float(cursor.fetchone()[0])


_known: dict[str, tuple[float, object]] = {}
_asking = threading.Lock()


def _seldom(name: str, ask: Callable[[], T]) -> T:
    """What was found within the last minute, or asked now; one thread asks."""
    with _asking:
        at, found = _known.get(name, (float("-inf"), None))
        if time.monotonic() - at < SELDOM:
            return found  # type: ignore[return-value]
        fresh = ask()
        _known[name] = (time.monotonic(), fresh)
        return fresh
