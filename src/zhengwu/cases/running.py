"""Running cases in bulk (在办件): what the clock needs of them and nothing of the applicant.

For the clock's own work, which asks for no actor: alarms and re-projection.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from zhengwu.calendars import queries as calendars
from zhengwu.domain import clock
from zhengwu.domain.edition import Edition
from zhengwu.domain.event import Event, Nature
from zhengwu.ledger import queries as ledger_queries

FIRST = UUID(int=0)
Place = Callable[[str, str | None], Edition]


@dataclass(frozen=True, slots=True)
class Running:
    """A case that is not closed: its head's clock columns and its story."""

    id: UUID
    version: int
    number: str
    item_name: str
    item_version: int | None
    agency: str
    region: str
    hall: str | None
    due: datetime | None
    warn: datetime | None
    provisional: bool
    next_at: datetime | None
    events: tuple[Event, ...]

    def seen_from(self, at: datetime) -> datetime:
        """The instant, or the last thing that happened where a clock was set back behind it: a
        decision made is not unmade by a wrong clock.
        """
        ours = (one.occurred for one in self.events if one.nature is Nature.ACT)
        return max(at, *ours, at)

    def read(self, at: datetime, edition: Edition) -> clock.Reading:
        return clock.read(self.events, at=self.seen_from(at), edition=edition)


COLUMNS = (
    "c.id, c.version, c.number, c.item_name, c.item_version, c.agency, c.region, c.hall, c.due,"
    " c.warn, c.provisional, c.next_at"
)
CALLED = (
    "SELECT {columns} FROM cases_case c WHERE c.next_at IS NOT NULL"
    " AND c.next_at <= %(at)s AND (c.next_at, c.id) > (%(since)s, %(after)s)"
    " ORDER BY c.next_at, c.id LIMIT %(limit)s"
)
# Accepted and undecided, received under an older version. The organs of the item's versions say
# nothing more than the item does; they lead to the open cases of few.
UNDECIDED = (
    "FROM cases_case c WHERE c.closed IS NULL AND c.agency = ANY(%(agencies)s::text[])"
    " AND c.id > %(last)s AND c.item = %(item)s AND c.item_version < %(before)s"
    " AND c.kind <> 'foreign' AND c.state IN ('handling', 'forwarded')"
)
BEGINNING = datetime.fromisoformat("1900-01-01T00:00:00+00:00")


def after(last: UUID | None, *, limit: int) -> list[Running]:
    """The running cases after this id, in the order of their ids."""
    return _select(
        "SELECT {columns} FROM cases_case c WHERE c.closed IS NULL AND c.id > %(last)s"
        " ORDER BY c.id LIMIT %(limit)s",
        {"last": last or FIRST, "limit": limit},
    )


@dataclass(frozen=True, slots=True)
class Undecided:
    """The accepted and undecided cases of an item received under a version before this one.

    agencies: the organs that had the item in those versions.
    """

    item: str
    before: int
    agencies: tuple[str, ...]

    def after(self, last: UUID | None, *, limit: int) -> list[Running]:
        """Those after an id, in the order of ids."""
        return _select(
            f"SELECT {{columns}} {UNDECIDED} ORDER BY c.id LIMIT %(limit)s",
            {**self._given(last), "limit": limit},
        )

    def count(self, last: UUID | None, *, most: int) -> int:
        """How many there are after an id; counting stops at `most`."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT count(*) FROM (SELECT 1 {UNDECIDED} LIMIT %(most)s) few",  # noqa: S608
                {**self._given(last), "most": most},
            )
            return int(cursor.fetchone()[0])

    def _given(self, last: UUID | None) -> dict[str, Any]:
        return {
            "item": self.item, "before": self.before, "agencies": list(self.agencies),
            "last": last or FIRST,
        }  # fmt: skip


def called(at: datetime, *, after: tuple[datetime, UUID] | None, limit: int) -> list[Running]:
    """The cases for which the clock has something to do by now, the oldest first."""
    since, last = after or (BEGINNING, FIRST)
    return _select(CALLED, {"at": at, "since": since, "after": last, "limit": limit})


def locked(ids: Collection[UUID]) -> list[Running]:
    """These cases, held against everybody else until the transaction ends."""
    if not ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM cases_case WHERE id = ANY(%s::uuid[]) ORDER BY id FOR UPDATE",
            [sorted(ids)],
        )
    # A statement of its own: only a new one sees the events of whoever held them before.
    return _select(
        "SELECT {columns} FROM cases_case c WHERE c.closed IS NULL AND c.id = ANY(%(ids)s::uuid[])"
        " ORDER BY c.id",
        {"ids": sorted(ids)},
    )


def count() -> int:
    """How many cases run."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM cases_case WHERE closed IS NULL")
        return int(cursor.fetchone()[0])


def even_sample(size: int, *, of: int) -> list[UUID]:
    """Every n-th running case, `size` of them or a few less; all where there are no more."""
    step = max(1, -(-of // size))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS nth FROM cases_case"
            " WHERE closed IS NULL) every WHERE nth %% %s = 0",
            [step],
        )
        return [row[0] for row in cursor.fetchall()]


def these(ids: Collection[UUID]) -> list[Running]:
    """These cases as far as they still run."""
    return _select(
        "SELECT {columns} FROM cases_case c WHERE c.closed IS NULL AND c.id = ANY(%(ids)s::uuid[])",
        {"ids": list(ids)},
    )


def editions(number: int | None = None) -> Place:
    """The editions by region and hall, each asked for once. number: version of the stream."""
    known: dict[tuple[str, str | None], Edition] = {}

    def edition(region: str, hall: str | None) -> Edition:
        place = (region, hall)
        if place not in known:
            known[place] = calendars.edition(region, hall, number=number)
        return known[place]

    return edition


def _select(chosen: str, parameters: Mapping[str, Any]) -> list[Running]:
    story = ledger_queries.story_sql(stream="'case'", stream_id="c.id")
    inner = chosen.format(columns=COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS}, {story} FROM ({inner}) c",  # noqa: S608 - constants
            dict(parameters),
        )
        rows = cursor.fetchall()
    return [_running((*columns, ledger_queries.story(told))) for *columns, told in rows]


def _running(values: tuple[Any, ...]) -> Running:
    """The fields of `Running` in the order of COLUMNS, then the story."""
    return Running(*values)
