"""The events of cases in the order of the log (事件流), for whoever keeps up with them.

A position is given to an event only when every event before it has one (the sequencer), so a reader
that asks for what comes behind the last position it saw skips nothing, however many write at once,
and whatever fails in between. The events of one case come in the order of their versions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.cases import loading
from zhengwu.cases.events import STREAM
from zhengwu.ledger import queries as ledger_queries

SCANNED = 5_000  # positions a page looks at, at most: a narrow reach must not read the whole log


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a case. No personal data: what people wrote stands elsewhere (erasable)."""

    position: int
    number: str
    version: int
    kind: str
    nature: str
    occurred: datetime
    recorded: datetime
    received: datetime
    actor: str | None
    post: str | None
    agency: str | None
    region: str | None
    source: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """upto: the position up to which everything was looked at. more: there is more by now."""

    events: tuple[Told, ...]
    upto: int
    more: bool


def last() -> int:
    """The last position that was given out."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(last), 0) FROM ledger_sequencer")
        return int(cursor.fetchone()[0])


def read(actor: Actor, *, after: int, limit: int) -> Page:
    """At most `limit` events of cases that this actor may see, behind the position `after`."""
    allowed, parameters = loading.within(accounts.reach(actor, "case.see"))
    # First how far it goes: an event that gets its position meanwhile belongs to the next page.
    end = last()
    ahead = min(end, after + SCANNED)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.position, c.number, e.version, e.kind, e.nature, e.occurred, e.recorded,"  # noqa: S608
            " e.received, e.actor, e.post, e.agency, e.region, e.source, e.body"
            " FROM ledger_position p JOIN ledger_event e ON e.id = p.event"
            " JOIN cases_case c ON c.id = e.stream_id"
            " WHERE p.position > %(after)s AND p.position <= %(ahead)s AND e.stream = %(stream)s"
            f" AND {allowed} ORDER BY p.position LIMIT %(limit)s",
            {**parameters, "after": after, "ahead": ahead, "stream": STREAM, "limit": limit},
        )
        found = tuple(
            Told(*(*columns, ledger_queries.parse(body))) for *columns, body in cursor.fetchall()
        )
    full = len(found) == limit
    upto = found[-1].position if full else max(ahead, after)
    return Page(found, upto, more=full or upto < end)
