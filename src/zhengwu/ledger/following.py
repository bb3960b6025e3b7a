"""Followers (跟随者): read by position; effect and cursor are committed together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from zhengwu.ledger import queries
from zhengwu.ledger.events import Entry
from zhengwu.ledger.sequencer import sequence


@dataclass(frozen=True, slots=True)
class Follower:
    """A reaction to events. kinds: event kinds, None for all. handle: gets them in order."""

    name: str
    kinds: frozenset[str] | None
    handle: Callable[[Sequence[Entry]], None]


_followers: dict[str, Follower] = {}


def register_follower(follower: Follower) -> Follower:
    """Make a follower known to the worker; by name, the last one counts."""
    _followers[follower.name] = follower
    return follower


def unregister_follower(name: str) -> None:
    """Forget a follower; its cursor stays."""
    _followers.pop(name, None)


def followers() -> tuple[Follower, ...]:
    """All registered, in name order."""
    return tuple(_followers[name] for name in sorted(_followers))


def follow(name: str, *, limit: int = 500) -> int:
    """Hand the next positions to a follower; how many positions it went on. One transaction."""
    follower = _followers[name]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT position FROM ledger_follower WHERE name = %s FOR UPDATE", [name])
        row = cursor.fetchone()
        if row is None:
            cursor.execute(
                "INSERT INTO ledger_follower (name) VALUES (%s) ON CONFLICT DO NOTHING", [name]
            )
            cursor.execute(
                "SELECT position FROM ledger_follower WHERE name = %s FOR UPDATE", [name]
            )
            row = cursor.fetchone()
        at: int = row[0]
        events = queries.positions(after=at, limit=limit)
        if not events:
            return 0
        wanted = [e for e in events if follower.kinds is None or e.kind in follower.kinds]
        if wanted:
            follower.handle(wanted)
        cursor.execute(
            "UPDATE ledger_follower SET position = %s WHERE name = %s", [events[-1].position, name]
        )
    return len(events)


def catch_up() -> int:
    """Run sequencer and followers to the end (tests, commands); how many events got a position."""
    total = 0
    while True:
        went = placed = sequence()
        total += placed
        for follower in followers():
            while count := follow(follower.name):
                went += count
        if not went:
            return total
