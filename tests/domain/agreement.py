"""The clock beside the day-by-day count (时钟与逐日计算对照): where they do not say the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from tests.domain.histories import History
from zhengwu.domain import clock, daybyday
from zhengwu.domain.calendar import Calendar, OfficeHours
from zhengwu.domain.daybyday import Counted, World
from zhengwu.domain.edition import Edition, Rule
from zhengwu.domain.event import Event
from zhengwu.domain.procedure import Unit

COMPARED = tuple(field.name for field in fields(Counted))


_CALENDARS: dict[int, tuple[World, Calendar]] = {}


def edition(world: World) -> Edition:
    """The same world as the clock takes it; a calendar is built once."""
    known = _CALENDARS.get(id(world.days))
    if known is None:
        built = Calendar.of(world.days, published=world.published)
        known = _CALENDARS[id(world.days)] = (world, built)  # holds the world: its id stays its own
    (_, first), *later = world.hours
    rules = tuple(
        Rule(
            kind=rule["kind"],
            value=rule["value"],
            unit=Unit(rule["unit"]),
            basis="",
            since=rule["since"],
            until=rule["until"],
            roll=rule["roll"],
        )
        for rule in world.rules
    )
    return Edition(
        calendar=known[1],
        hours=OfficeHours(spans=first, later=tuple(later)),
        rules=rules,
        after_hours=tuple(world.after_hours),
    )


def clock_says(
    events: Iterable[Event], world: World, *, at: datetime, known: int | None = None
) -> list[Counted]:
    """What the clock reads, in the words of the count."""
    reading = clock.read(tuple(events), at=at, known=known, edition=edition(world))
    return [
        Counted(
            kind=limit.kind,
            start=limit.start,
            due=limit.due,
            used=limit.used,
            left=limit.left,
            met=limit.met,
            state=str(limit.state),
            provisional=limit.provisional,
            value=limit.value,
            unit=str(limit.unit),
            extra=limit.extra,
            stopped_at=limit.stopped_at,
            alike=limit.basis.startswith("比照"),
        )
        for limit in reading.limits
    ]


def disagreement(history: History) -> str | None:
    """The first thing the two do not agree about; None when there is none."""
    for world in history.worlds:
        asked: dict[str, Any] = {"at": history.at, "known": history.known}
        counted = in_order(daybyday.count(history.events, world, **asked))
        read = in_order(clock_says(history.events, world, **asked))
        if [one.kind for one in counted] != [one.kind for one in read]:
            return f"limits {[o.kind for o in counted]}, clock {[o.kind for o in read]}"
        for one, other in zip(counted, read, strict=True):
            for name in COMPARED:
                right, said = getattr(one, name), getattr(other, name)
                if right != said:
                    return f"{one.kind} {name}: {right}, clock {said}\n  {one}\n  {other}"
    return None


def in_order(limits: Sequence[Counted]) -> list[Counted]:
    return sorted(limits, key=lambda one: (one.kind, one.start, one.due, str(one.used)))
