"""The process of a log in a file (XES), looked at without taking it in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from zhengwu.calendars import queries as calendars
from zhengwu.cases import xes
from zhengwu.cases.process import Found, Selection
from zhengwu.cases.xes import LoggedTrace
from zhengwu.domain import process
from zhengwu.domain.process import Discovery, Happening


def discover(path: Path, *, progress: Callable[[int], None] | None = None) -> Found:
    """What a file holds, by concept:name, time:timestamp and org:resource; office time by the city's
    calendar. An event without a name or an instant does not count. Raises Refusal (`xes.*`).
    """
    office = process.OfficeMeter(calendars.edition())
    discovery, looked = Discovery(), 0
    for trace in xes.logged(path):
        discovery.add(process.in_order(_happened(trace)), (), office)
        looked += 1
        if progress and looked % 500 == 0:
            progress(looked)
    return Found(Selection(), discovery.picture(), looked, looked, False, None, ())


def _happened(trace: LoggedTrace) -> Iterator[Happening]:
    for index, event in enumerate(trace.events):
        known = xes.plain(event)
        name, at = str(known.get("concept:name") or "").strip(), known.get("time:timestamp")
        if name and isinstance(at, datetime):
            who = known.get("org:resource")
            yield Happening(name, at, index, str(who) if who else None)


__all__ = ["discover"]
