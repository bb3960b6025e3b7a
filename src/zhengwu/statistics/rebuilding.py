"""Counting everything anew, case by case (按件重新统计).

The follower takes the log in its order and so takes up a case ten times, for an entry or two each
time. Here each case is taken up once, with its whole story; stretches of cases are counted side by
side. What comes out is the same, restatements and all: a day that was over is changed by the entries
of a later day, and where there are such entries the case is measured as it stood after each day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from uuid import UUID, uuid4

from django.db import connection

from zhengwu.calendars import queries as calendars
from zhengwu.cases import stories
from zhengwu.cases.stories import Subject, Told
from zhengwu.domain import measuring
from zhengwu.domain.event import Event
from zhengwu.domain.measuring import Fact
from zhengwu.ledger import processes
from zhengwu.ledger import services as ledger
from zhengwu.ledger.processes import Went
from zhengwu.statistics import followers
from zhengwu.statistics.followers import FIGURES, SETTLED

# Facts first, places last: what refers to what.
TABLES = (
    "statistics_measured", "statistics_restatement", "statistics_person", "statistics_workload",
    "statistics_handing", "statistics_spread", "statistics_day", "statistics_month", "statistics_fineday",
    "statistics_finemonth", "statistics_place",
)  # fmt: skip
READ, WRITTEN = 500, 25_000  # cases: read at once; counted before anything is written
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
        works = {
            f"{FIGURES.name} {nth}": partial(_stretch, mine, reached, stretch)
            for nth, stretch in enumerate(stories.stretches(parts), 1)
        }
        if parts == 1:
            _here(works.popitem()[1], lambda done: progress(done, total))
        else:
            processes.side_by_side(works, lambda done: progress(sum(done.values()), total))
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


def _here(work: Callable[[Went], None], told: Callable[[int], None]) -> None:
    done = 0

    def went(more: int) -> None:
        nonlocal done
        done += more
        told(done)

    work(went)


# --- a stretch of cases ---------------------------------------------------------------------------


def _stretch(mine: UUID, reached: int, stretch: tuple[UUID, UUID], went: Went) -> None:
    heap = _Heap()
    with ledger.seldom_collected():
        for cases in stories.told_through(*stretch, reached=reached, size=READ):
            heap.take(cases)
            if len(heap.facts) >= WRITTEN:
                heap.write(mine)
            went(len(cases))
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
