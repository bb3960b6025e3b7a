"""What a made-up history holds, so that it is seen what the comparison covers (覆盖面)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from tests.domain.histories import History
from zhengwu.domain import daybyday
from zhengwu.domain.event import Nature


def holds(history: History) -> set[str]:
    return set(_holds(history))


def _holds(history: History) -> Iterator[str]:
    world = history.worlds[0]
    kinds = [event.kind for event in history.events]
    observed = any(e.nature == Nature.OBSERVATION and e.kind != "claim" for e in history.events)
    yield "observations" if observed else "acts"
    if len(history.worlds) > 1:
        yield "two editions"
    if history.known is not None:
        yield "known earlier"
    yield "late papers" if world.after_hours[-1][1] else "papers of the day"
    if not world.hours[0][1]:
        yield "hours unknown"
    if any(len(spans) > 1 for _, spans in world.hours):
        yield "hours with a lunch"
    if len(world.hours) > 1:
        yield "hours changed"
    if world.rules is not daybyday.LAW:
        yield "rule changed"
    if "entry_withdrawn" in kinds:
        yield "withdrawal"
    if any(
        event.kind == "entry_withdrawn" and kinds[event.body["version"] - 1] == "entry_withdrawn"
        for event in history.events
    ):
        yield "withdrawn withdrawal"
    for kind, name in (
        ("retracted", "retracted"),
        ("claim", "claims"),
        ("supplemented", "supplemented"),
        ("deemed_accepted", "deemed accepted"),
        ("suspended", "suspended"),
        ("forwarded", "forwarded"),
        ("version_moved", "moved to a new version"),
    ):
        if kind in kinds:
            yield name
    yield history.events[0].body.get("type", "no type")
    kept, _, _ = daybyday.standing(history.events)
    under_way = 0
    for event in daybyday.in_order(kept):
        under_way += {"suspended": 1, "resumed": -1}.get(event.kind, 0)
        if under_way > 1:
            yield "overlapping"
    moments = [event.occurred for event in history.events]
    if not observed and any(a > b for a, b in itertools.pairwise(moments)):
        yield "entered late"
    if history.at < max(moments):
        yield "read before the end"
    limits = [limit for e in history.events for limit in e.body.get("limits", ())]
    if any(limit["value"] == 0 for limit in limits):
        yield "value 0"
    if any(not limit.get("roll", True) for limit in limits):
        yield "not rolled"
    if "extended" in kinds:
        read = daybyday.count(history.events, world, at=max(moments))
        days = any(one.extra for one in read)
        yield "extended in time" if days else "extended too late"
    for one in daybyday.count(history.events, world, at=history.at, known=history.known):
        yield one.kind
        yield f"unit {one.unit}"
        yield one.state
        if one.alike:
            yield "by analogy"
        if one.met is False:
            yield "overdue"
        if one.provisional:
            yield "provisional"
