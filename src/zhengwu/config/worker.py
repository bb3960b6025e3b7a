"""The worker (后台进程): gives events their order, runs followers, does timed work.

One worker works at a time; a second one stands by and takes over when the first is gone.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import psycopg
from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
)

from zhengwu.config import jobs
from zhengwu.config.migrate import WORKING
from zhengwu.config.reporting import Report
from zhengwu.ledger import services as ledger
from zhengwu.web.clock import now

POLL = 0.3  # seconds between two looks at the log when it is quiet
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timed:
    """Work that the clock calls for (定时工作): idempotent; `run(at)` says how much was done.

    again: once more with the next turn as long as something was done. A run stays within about two
    seconds, so that after an outage nothing waits long behind it.
    of_cases: judges cases by the present; waits while a demo has its past played into it.
    """

    name: str
    every: float  # seconds
    run: Callable[[datetime], int]
    again: bool = False
    of_cases: bool = False


def _deem_accepted(at: datetime) -> int:
    from zhengwu.cases import services

    return services.deem_accepted(at=at, page=40)


def _raise_alarms(at: datetime) -> int:
    from zhengwu.cases import alarms

    return alarms.sweep(at)


def _supervise(at: datetime) -> int:
    from zhengwu.supervision import followers

    return followers.sweep(at)


def _tend_supervision(at: datetime) -> int:
    from zhengwu.supervision import services

    return services.tend(at)


def _reproject(at: datetime) -> int:
    from zhengwu.cases import reprojection

    return reprojection.work(at)


def _move_to_new_versions(at: datetime) -> int:
    from zhengwu.cases import transition

    return transition.sweep(at)


def _archive(at: datetime) -> int:
    from django.conf import settings

    from zhengwu.cases import services

    return services.archive(at=at, after=timedelta(days=settings.ARCHIVE_DAYS))


def _forget_old_sessions(at: datetime) -> int:
    from django.contrib.sessions.models import Session

    return Session.objects.filter(expire_date__lt=at).delete()[0]


def _forget_old_drafts(at: datetime) -> int:
    from zhengwu.cases import drafts

    return drafts.sweep(at=at)


def _sweep_files(at: datetime) -> int:
    from zhengwu.documents import files

    return files.sweep(at=at)


def _make_exports(at: datetime) -> int:
    return jobs.EXPORTERS.tend(at)


def _try_rules(at: datetime) -> int:
    return jobs.TRIERS.tend(at)


def _forget_old_trials(at: datetime) -> int:
    from zhengwu.supervision import trials

    return trials.sweep(at=at)


def _sweep_exports(at: datetime) -> int:
    from zhengwu.exports import services

    return services.sweep(at=at)


def _forget_old_attempts(at: datetime) -> int:
    from zhengwu.web import throttle

    return throttle.sweep(at=at)


def _past_is_played() -> bool:
    from zhengwu.cases.simulation import filing

    return filing.is_playing()


TIMED = (
    Timed("deem_accepted", 60, _deem_accepted, again=True, of_cases=True),  # 行政许可法 32(4)
    Timed("raise_alarms", 60, _raise_alarms, again=True, of_cases=True),
    Timed("supervise", 15, _supervise, again=True, of_cases=True),  # what only time brings to light
    Timed("tend_supervision", 60, _tend_supervision, again=True),  # 催办、督办升级
    Timed("reproject", 5, _reproject, again=True),
    Timed(
        "move_to_new_versions", 60, _move_to_new_versions, again=True, of_cases=True
    ),  # 立法法 104
    Timed("archive", 600, _archive, of_cases=True),
    Timed("forget_old_sessions", 3600, _forget_old_sessions),
    Timed("make_exports", 1, _make_exports),
    Timed("try_rules", 1, _try_rules),
    Timed("forget_old_trials", 3600, _forget_old_trials),
    Timed("sweep_exports", 600, _sweep_exports),
    Timed("sweep_files", 3600, _sweep_files),
    Timed("forget_old_drafts", 3600, _forget_old_drafts),
    Timed("forget_old_attempts", 3600, _forget_old_attempts),
)


class Worker:
    """The loop; `stop()` ends it after the turn that is under way."""

    def __init__(self, *, poll: float = POLL, timed: tuple[Timed, ...] = TIMED) -> None:
        self.poll = poll
        self.timed = timed
        self.stopping = threading.Event()
        self._next = dict.fromkeys((one.name for one in timed), 0.0)
        self.report = Report()
        self.pace = ledger.Pace()

    def stop(self) -> None:
        self.stopping.set()

    def run(self) -> None:
        """Work until stopped. A lost database is waited for; nothing else ends the loop."""
        try:
            self._run()
        finally:
            jobs.end()
            connection.close()

    def _run(self) -> None:
        pause = self.poll
        while not self.stopping.is_set():
            try:
                with _turn_of_ours(self.stopping) as ours:
                    if not ours:
                        return
                    log.info("working")
                    self._work(ours)
                pause = self.poll
            except (DatabaseError, psycopg.Error):
                log.exception("the database is away")
                connection.close()
                self.stopping.wait(pause)
                pause = min(max(pause, 0.5) * 2, 10.0)

    def _work(self, ours: _Turn) -> None:
        checked = time.monotonic()
        while not self.stopping.is_set():
            close_old_connections()
            did = self.turn()
            if time.monotonic() - checked > 5:
                ours.check()
                checked = time.monotonic()
            if not did:
                self.stopping.wait(self.poll)

    def turn(self) -> int:
        """One look: positions, followers, what is due by the clock. How many things were done."""
        did = ledger.sequence() + self._follow()
        for one in self.timed:
            if time.monotonic() < self._next[one.name] or self.stopping.is_set():
                continue
            if one.of_cases and _past_is_played():
                continue
            self._next[one.name] = time.monotonic() + one.every
            done = self._guarded(one.name, partial(one.run, now()))
            if done and one.again:
                self._next[one.name] = 0.0
            did += done
        if self.report.due():
            did += self._guarded("report", self.report.write)
        return did

    def _follow(self) -> int:
        return sum(
            self._guarded(one.name, partial(self.pace.follow, one.name))
            for one in ledger.followers()
        )

    def _guarded(self, name: str, work: Callable[[], int]) -> int:
        """One follower's fault does not hold up the others; a lost database ends the turn."""
        started = time.monotonic()
        try:
            done = int(work())
        except (OperationalError, InterfaceError, psycopg.OperationalError):
            raise
        except Exception:
            log.exception("%s failed; it is tried again with the next turn", name)
            self.report.failed(name)
            return 0
        self.report.done(name, time.monotonic() - started)
        return done


class _Turn:
    """The right to work: an advisory lock of a session of its own."""

    def __init__(self, stopping: threading.Event) -> None:
        self.stopping = stopping
        self.session: psycopg.Connection[tuple[object, ...]] | None = None

    def __enter__(self) -> _Turn | None:
        self.session = psycopg.connect(**_parameters(), autocommit=True)
        said = False
        while not self.stopping.is_set():
            row = self.session.execute("SELECT pg_try_advisory_lock(%s)", (WORKING,)).fetchone()
            if row and row[0]:
                return self
            if not said:
                log.info("another worker works; standing by")
                said = True
            self.stopping.wait(1)
        return None

    def check(self) -> None:
        """Raises psycopg.Error when the session, and the right with it, is lost."""
        if self.session is not None:
            self.session.execute("SELECT 1")

    def __exit__(self, *_: object) -> None:
        if self.session is not None:
            self.session.close()


def _turn_of_ours(stopping: threading.Event) -> _Turn:
    return _Turn(stopping)


def _parameters() -> dict[str, Any]:
    given = connection.get_connection_params()
    wanted = ("dbname", "user", "password", "host", "port", "options")
    return {name: given[name] for name in wanted if name in given}


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    worker = Worker()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: worker.stop())
    worker.run()
    log.info("stopped")
