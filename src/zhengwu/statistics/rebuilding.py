"""Counting everything anew, case by case (按件重新统计).

The follower takes the log in its order and so takes up a case ten times, for an entry or two each
time. Here each case is taken up once, with its whole story; stretches of cases are counted side by
side. What comes out is the same, restatements and all: a day that was over is changed by the entries
of a later day, and where there are such entries the case is measured as it stood after each day.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, connections

from zhengwu.calendars import queries as calendars
from zhengwu.cases import stories
from zhengwu.cases.stories import Subject, Told
from zhengwu.domain import measuring
from zhengwu.domain.event import Event
from zhengwu.domain.measuring import Fact
from zhengwu.ledger import services as ledger
from zhengwu.statistics import followers
from zhengwu.statistics.followers import FIGURES, SETTLED

# Facts first, places last: what refers to what.
TABLES = (
    "statistics_measured", "statistics_restatement", "statistics_person", "statistics_workload",
    "statistics_handing", "statistics_spread", "statistics_day", "statistics_month", "statistics_fineday",
    "statistics_finemonth", "statistics_place",
)  # fmt: skip
READ, WRITTEN = 500, 25_000  # cases: read at once; counted before anything is written
RARELY = (100_000, 50, 100)  # when the collector of circles looks
TOLD_EVERY = 1.0  # seconds
Progress = Callable[[int, int], None]


def anew(*, parts: int, progress: Progress) -> None:
    """Empty every figure and count all cases up to the present end of the log.

    parts: how many processes; one: this one. progress: cases so far, and of how many. Whoever begins
    anew meanwhile takes it over, and this raises ledger.Superseded. What breaks off otherwise is left
    to the follower, from the first position on.
    """
    mine = uuid4()
    ledger.begin_anew(FIGURES.name, empty=_empty, held=mine)
    try:
        reached, total = _extent()
        if parts == 1:
            _stretch(mine, reached, stories.stretches(1)[0], lambda done: progress(done, total))
        else:
            _side_by_side(mine, reached, parts, lambda done: progress(done, total))
        ledger.release(FIGURES.name, mine, position=reached)
    except ledger.Superseded:
        raise
    except BaseException:
        with ledger.while_held(FIGURES.name, mine):
            pass
        ledger.begin_anew(FIGURES.name, empty=_empty)
        raise


def _empty() -> None:
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names


def _extent() -> tuple[int, int]:
    """The last position of the log, and how many cases there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT coalesce(max(position), 0) FROM ledger_position),"
            " (SELECT count(*) FROM cases_case)"
        )
        reached, total = cursor.fetchone()
        return reached, total


# --- side by side ---------------------------------------------------------------------------------


def _side_by_side(mine: UUID, reached: int, parts: int, told: Callable[[int], None]) -> None:
    stretches = stories.stretches(parts)
    connections.close_all()  # every process asks by a connection of its own
    context = multiprocessing.get_context("fork")
    counters: list[Any] = [context.Value("q", 0) for _ in stretches]
    running = [
        context.Process(target=_part, args=(mine, reached, one, counter, os.getpid()), daemon=True)
        for one, counter in zip(stretches, counters, strict=True)
    ]
    try:
        for process in running:
            process.start()
        while alive := [one for one in running if one.is_alive()]:
            wait([one.sentinel for one in alive], timeout=TOLD_EVERY)
            told(sum(one.value for one in counters))
            _look_at(running)
        _look_at(running)
    finally:
        for process in running:
            if process.is_alive():
                process.terminate()
            if process.pid is not None:
                process.join()


_SUPERSEDED = 3  # what a process ends with


def _look_at(running: Sequence[BaseProcess]) -> None:
    for process in running:
        if process.exitcode == _SUPERSEDED:
            raise ledger.Superseded(FIGURES.name)
        if process.exitcode:
            raise RuntimeError(f"counting a part ended with {process.exitcode}")


def _part(mine: UUID, reached: int, stretch: tuple[UUID, UUID], counter: Any, parent: int) -> None:
    def told(done: int) -> None:
        counter.value = done
        if os.getppid() != parent:
            raise SystemExit("whoever asked for it is gone")

    gc.freeze()
    gc.set_threshold(*RARELY)
    try:
        _stretch(mine, reached, stretch, told)
    except ledger.Superseded:
        raise SystemExit(_SUPERSEDED) from None
    finally:
        connections.close_all()


# --- a stretch of cases ---------------------------------------------------------------------------


def _stretch(
    mine: UUID, reached: int, stretch: tuple[UUID, UUID], told: Callable[[int], None]
) -> None:
    heap, done = _Heap(), 0
    for _, cases in stories.told_through(*stretch, reached=reached, size=READ):
        heap.take(cases)
        done += len(cases)
        if len(heap.facts) >= WRITTEN:
            heap.write(mine)
        told(done)
    heap.write(mine)


class _Heap:
    """Cases counted and not written yet."""

    def __init__(self) -> None:
        self._editions = calendars.AsKnown()
        self._places: dict[tuple[str, ...], int] = {}
        self._clear()

    def _clear(self) -> None:
        self.facts: dict[UUID, tuple[int, Fact]] = {}
        self._sums = followers.Sums()
        self._coarse_of: dict[int, int] = {}
        self._subjects: dict[int, Subject] = {}

    def take(self, cases: Sequence[Told]) -> None:
        missing = {one.subject for one in cases if one.subject not in self._places}
        if missing:
            self._places |= followers.place_ids(missing)
        for case in cases:
            subject = case.subject
            place = self._places[subject]
            coarse = self._places[followers.coarsened(subject)]
            self._coarse_of[place], self._subjects[place] = coarse, subject
            old: Fact | None = None
            for by, fact in self._measured(case):
                self._sums.change(
                    old, fact, place=place, coarse=coarse, agency=subject.agency, by=by
                )
                old = fact
            assert old is not None  # a case that is told has an entry
            self.facts[case.case] = place, old

    def _measured(self, case: Told) -> Iterator[tuple[Event | None, Fact]]:
        """As it stood after each day on which something reached us, by the last entry of the day;
        at its end alone, where nothing that was over is changed."""
        known = followers.as_known(case.subject, self._editions)
        events = case.events
        if measuring.undisturbed(events, days=SETTLED):
            yield None, measuring.measured(events, known=known)
            return
        for nth, one in enumerate(events, 1):
            if nth == len(events) or followers.received_on(events[nth]) != followers.received_on(
                one
            ):
                yield one, measuring.measured(events[:nth], known=known)

    def write(self, mine: UUID) -> None:
        if not self.facts:
            return
        with ledger.while_held(FIGURES.name, mine):
            followers.keep(self.facts)
            followers.write(self._sums, self._coarse_of, self._subjects)
        self._clear()
