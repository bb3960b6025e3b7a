"""Followers (跟随者): read by position; effect and cursor are committed together."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

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
SELDOM = (100_000, 20, 50)


@contextmanager
def seldom_collected() -> Iterator[None]:
    """While much is read at once and nothing of it goes round in a circle: to look for circles after
    every 700 objects more, as Python does by default, takes a sixth of the time.
    """
    before = gc.get_threshold()
    if before[0]:  # else it is off altogether
        gc.set_threshold(*(max(pair) for pair in zip(before, SELDOM, strict=True)))
    try:
        yield
    finally:
        gc.set_threshold(*before)


def follow(name: str, *, limit: int = USUAL) -> int:
    """Hand the next positions to a follower; how many positions it went on. One transaction.

    While it is held (`begin_anew`) it goes nowhere: somebody does its work out of the log's order.
    """
    follower = _followers[name]
    with transaction.atomic(), connection.cursor() as cursor:
        at, held = _cursor(name)
        if held is not None:
            return 0
        reached = queries.reached(after=at, limit=limit)
        if reached == at:
            return 0
        with seldom_collected():
            wanted = queries.positions(after=at, limit=reached - at, kinds=follower.kinds)
            if wanted:
                follower.handle(wanted)
        cursor.execute("UPDATE ledger_follower SET position = %s WHERE name = %s", [reached, name])
    return reached - at


def _cursor(name: str) -> tuple[int, UUID | None]:
    """Where a follower is and by whom it is held; its row is locked from here on."""
    with connection.cursor() as cursor:
        asked = "SELECT position, held FROM ledger_follower WHERE name = %s FOR UPDATE"
        cursor.execute(asked, [name])
        row = cursor.fetchone()
        if row is None:
            cursor.execute(
                "INSERT INTO ledger_follower (name) VALUES (%s) ON CONFLICT DO NOTHING", [name]
            )
            cursor.execute(asked, [name])
            row = cursor.fetchone()
    return row[0], row[1]


def begin_anew(name: str, *, empty: Callable[[], None], held: UUID | None = None) -> None:
    """Set a follower to the beginning of the log; empty: what it made is thrown away with it.

    held: a name for whoever does its work out of the log's order; until `release` with the same name
    it takes no step. Whoever held it before finds out at `while_held`.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        _cursor(name)
        empty()
        cursor.execute(
            "UPDATE ledger_follower SET position = 0, held = %s WHERE name = %s", [held, name]
        )


@contextmanager
def while_held(name: str, held: UUID) -> Iterator[None]:
    """A transaction of whoever holds a follower. Raises Superseded where that is another by now."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT held FROM ledger_follower WHERE name = %s FOR SHARE", [name])
        row = cursor.fetchone()
        if row is None or row[0] != held:
            raise Superseded(name)
        yield


def release(name: str, held: UUID, *, position: int) -> None:
    """Let a held follower go on from a position of the log: all up to it is done. Raises Superseded."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_follower SET position = %s, held = NULL WHERE name = %s AND held = %s",
            [position, name, held],
        )
        if not cursor.rowcount:
            raise Superseded(name)


class Superseded(RuntimeError):
    """A follower's work was begun anew by somebody else meanwhile."""


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
