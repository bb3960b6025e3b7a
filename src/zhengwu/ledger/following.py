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


USUAL, MOST = 500, 4_000  # positions of a run; the longest takes about a second


def follow(name: str, *, limit: int = USUAL) -> int:
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
        reached = queries.reached(after=at, limit=limit)
        if reached == at:
            return 0
        wanted = queries.positions(after=at, limit=reached - at, kinds=follower.kinds)
        if wanted:
            follower.handle(wanted)
        cursor.execute("UPDATE ledger_follower SET position = %s WHERE name = %s", [reached, name])
    return reached - at


class Pace:
    """How many positions a follower is handed at once: few while it keeps up, more and more while
    it is behind, because a long run costs less for each of its entries."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}

    def follow(self, name: str) -> int:
        """The next run of a follower; how many positions it went on."""
        limit = self._next.get(name, USUAL)
        went = follow(name, limit=limit)
        self._next[name] = min(2 * limit, MOST) if went == limit else USUAL
        return went


def catch_up() -> int:
    """Run sequencer and followers to the end (tests, commands); how many events got a position."""
    total, pace = 0, Pace()
    while True:
        went = placed = sequence()
        total += placed
        for follower in followers():
            while count := pace.follow(follower.name):
                went += count
        if not went:
            return total
