"""Cases and their whole stories for whoever measures them (办件全程): no actor, no personal data."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from zhengwu.cases.events import ATTEMPTS, STREAM
from zhengwu.domain.event import Event
from zhengwu.ledger import queries as ledger


class Subject(NamedTuple):
    """What was fixed when a case was received. Empty where it was not told.

    unit, channel: as the receipt says; another system names departments of its own (unit).
    """

    agency: str
    unit: str
    region: str
    kind: str
    source: str
    channel: str
    item: str
    hall: str
    window: str


@dataclass(frozen=True, slots=True)
class Told:
    """A case with its events up to the version asked for, by version."""

    case: UUID
    subject: Subject
    events: tuple[Event, ...]


_SUBJECT = (
    "c.id, c.agency, left(coalesce(o.body #>> '{kept,department}', ''), 100), c.region, c.kind,"
    " c.source, left(coalesce(o.body ->> 'channel', o.body #>> '{kept,channel}', ''), 40),"
    " coalesce(c.item, ''), coalesce(c.hall, ''), coalesce(c.\"window\", '')"
)
_OPENING = f"JOIN ledger_event o ON o.stream = '{STREAM}' AND o.stream_id = c.id AND o.version = 1"


def subjects(cases: list[UUID]) -> dict[UUID, Subject]:
    """What cases are about, by id; one query."""
    if not cases:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_SUBJECT} FROM unnest(%s::uuid[]) w(id)"  # noqa: S608 - constants
            f" JOIN cases_case c ON c.id = w.id {_OPENING}",
            [cases],
        )
        return {row[0]: Subject(*row[1:]) for row in cursor.fetchall()}


def told(wanted: Mapping[UUID, int]) -> Iterator[Told]:
    """Cases with their stories up to a version each; one query, events with their positions."""
    if not wanted:
        return
    story = ledger.story_sql(stream=f"'{STREAM}'", stream_id="c.id")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_SUBJECT}, {story} FROM unnest(%s::uuid[]) w(id)"  # noqa: S608 - constants
            f" JOIN cases_case c ON c.id = w.id {_OPENING}",
            [list(wanted)],
        )
        rows = cursor.fetchall()
    for row in rows:
        upto = wanted[row[0]]
        events = tuple(one for one in ledger.story(row[-1]) if one.version <= upto)
        yield Told(row[0], Subject(*row[1:-1]), events)


def stretches(parts: int) -> list[tuple[UUID, UUID]]:
    """All cases there are, by id, as stretches of about as many each: (after, up to)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM cases_case")
        (total,) = cursor.fetchone()
        ends = []
        for nth in range(1, parts):
            cursor.execute(
                "SELECT id FROM cases_case ORDER BY id OFFSET %s LIMIT 1", [total * nth // parts]
            )
            ends += [row[0] for row in cursor.fetchall()]
    return list(pairwise([UUID(int=0), *ends, UUID(int=2**128 - 1)]))


def told_through(after: UUID, until: UUID, *, reached: int, size: int) -> Iterator[list[Told]]:
    """The cases of a stretch by id, some at a time, with their entries up to a position of the log;
    those of which there is any."""
    story = ledger.story_sql(stream=f"'{STREAM}'", stream_id="c.id")
    while after < until:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {_SUBJECT}, {story} FROM (SELECT id FROM cases_case"  # noqa: S608 - constants
                " WHERE id > %s AND id <= %s ORDER BY id LIMIT %s) w(id)"
                f" JOIN cases_case c ON c.id = w.id {_OPENING} ORDER BY c.id",
                [after, until, size],
            )
            rows = cursor.fetchall()
        if not rows:
            return
        after = rows[-1][0]
        found = []
        for row in rows:
            events = tuple(
                one for one in ledger.story(row[-1])
                if one.position is not None and one.position <= reached
            )  # fmt: skip
            if events:
                found.append(Told(row[0], Subject(*row[1:-1]), events))
        yield found


class Watched(NamedTuple):
    """A case for whoever supervises it: what its head fixed, and its placed events.

    item, item_version: of our catalogue; another system's case names its item in its receipt.
    """

    case: UUID
    number: str
    item: str
    item_version: int | None
    item_name: str
    kind: str
    agency: str
    region: str
    hall: str | None
    window: str | None
    source: str
    opened: datetime
    events: tuple[Event, ...]


def watched(
    cases: Collection[UUID],
    *,
    reached: int | None = None,
    at_hand: Mapping[UUID, Sequence[Event]] = MappingProxyType({}),
) -> Iterator[Watched]:
    """Cases with their stories as far as they stand in the log; one query. reached: no entry after
    this position; None: all that have one. at_hand: whole stories, by version, that need no reading.
    """
    if not cases:
        return
    story = ledger.story_sql(stream=f"'{STREAM}'", stream_id="c.id")
    wanted = list(cases)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.id, c.number, coalesce(c.item, ''), c.item_version, c.item_name, c.kind,"  # noqa: S608
            ' c.agency, c.region, c.hall, c."window", c.source, c.opened,'
            f" CASE WHEN w.asked THEN {story} END FROM unnest(%s::uuid[], %s::boolean[]) w(id, asked)"
            " JOIN cases_case c ON c.id = w.id",
            [wanted, [one not in at_hand for one in wanted]],
        )
        rows = cursor.fetchall()
    for row in rows:
        told = at_hand.get(row[0])
        events = tuple(
            [
                one
                for one in (ledger.story(row[-1]) if told is None else told)
                if one.position is not None and (reached is None or one.position <= reached)
            ]
        )
        if events:
            yield Watched._make((*row[:-1], events))


class Attempted(NamedTuple):
    """A refused attempt to ask for what no guide lists. codes: of how many; case: None at the intake."""

    case: UUID | None
    number: str
    item_name: str
    agency: str
    codes: int
    received: datetime


def attempts(since: datetime, until: datetime) -> Iterator[Attempted]:
    """The attempts that the log received in a time, until excluded, the earliest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.\"case\", coalesce(c.number, ''), coalesce(c.item_name, a.item),"  # noqa: S608
            " coalesce(e.agency, ''), coalesce(jsonb_array_length(e.body -> 'codes'), 0), e.received"
            " FROM cases_attempt a JOIN ledger_event e"
            f"  ON e.stream = '{ATTEMPTS}' AND e.stream_id = a.id AND e.version = 1"
            ' LEFT JOIN cases_case c ON c.id = a."case"'
            " WHERE e.received >= %(since)s AND e.received < %(until)s ORDER BY e.received, a.id",
            {"since": since, "until": until},
        )
        rows = cursor.fetchall()
    yield from (Attempted(*row) for row in rows)


def overdue_sql(at: str) -> str:
    """A SELECT of id and due of the cases that are open and past due at an instant, a parameter's
    name.

    Due and closing are those of the heads: by what is known now.
    """
    return (
        "SELECT c.id, c.due FROM cases_case c WHERE c.closed IS NULL AND NOT c.suspended"  # noqa: S608
        f" AND c.due <= %({at})s"
    )


__all__ = [
    "Attempted", "Subject", "Told", "Watched", "attempts", "overdue_sql", "subjects", "told", "watched",
]  # fmt: skip
