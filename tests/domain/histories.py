"""Made-up lives of cases (随机办件史), lawful in the order they were entered, for the clock's proof.

`history(seed)` makes one from one number, quickly, so that a failing one can be named and made
again; `smallest` takes away from a failing one whatever the failure does not need; `SEEDS` hands
the numbers to hypothesis. `world(number)` makes the calendars: the real notices 2007-2026 with
random overlays, so many and no more, because a calendar is dear and a history cheap.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

import zhengwu
from zhengwu.domain import daybyday
from zhengwu.domain.daybyday import SHANGHAI, World
from zhengwu.domain.event import Event, Nature

NOTICES = Path(zhengwu.__file__).parent / "calendars" / "data" / "holidays.json"
CALENDARS = 40
SEEDS = st.integers(min_value=0, max_value=2**48)
PROCEDURES = ("hearing", "tender", "inspection", "testing", "appraisal", "expert_review")
UNITS = ("working_day", "calendar_day", "month", "year", "hour", "office_hour")
# The most one limit holds in its unit, usually and at the longest.
SIZES = {
    "working_day": (30, 260),
    "calendar_day": (45, 400),
    "month": (6, 30),
    "year": (2, 5),
    "hour": (96, 1200),
    "office_hour": (60, 300),
}
LUNCH = ((time(9), time(12)), (time(13, 30), time(17)))
HOURS = (((time(9), time(17)),), LUNCH, ((time(8, 30), time(12)), (time(14), time(17, 30))))


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One life: its events in the order of their versions, and how to read it.

    worlds: the editions to read it under; the second, if there is one, is an amended calendar.
    """

    seed: int
    events: tuple[Event, ...]
    at: datetime
    known: int | None
    calendars: tuple[int, ...]
    worlds: tuple[World, ...]


@cache
def notices() -> dict[date, bool]:
    """The days the State Council's notices name, 2007-2026: True is off."""
    found = json.loads(NOTICES.read_text(encoding="utf-8"))
    return {date.fromisoformat(day): off for year in found["years"] for day, _, off in year["days"]}


@cache
def world(number: int) -> World:
    """Calendar number 0 is the real one; the others have overlays, some lack a notice or two."""
    rng = random.Random(f"calendar {number}")
    days = dict(notices())
    published = set(range(2007, 2027))
    if number == 0:
        return World(days=days, published=published)
    for year in rng.sample(sorted(published), rng.choice((0, 0, 1, 2))):
        published.discard(year)
        for day in [day for day in days if day.year == year]:
            del days[day]
    first = date(2007, 2, 1)
    for _ in range(rng.randrange(120)):  # a flood, a fair, a Saturday worked for it
        day = first + timedelta(days=rng.randrange(21 * 365))
        for more in range(rng.choice((1, 1, 2, 5, 12))):
            days[day + timedelta(days=more)] = rng.random() < 0.7
    return World(days=days, published=published)


def history(seed: int) -> History:
    return _Maker(random.Random(seed)).make(seed)


class _Maker:
    """One history on its way."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.chance = rng.random
        self.events: list[Event] = []

    def make(self, seed: int) -> History:
        rng = self.rng
        numbers = [rng.randrange(CALENDARS) if self.chance() < 0.8 else 0]
        if self.chance() < 0.1:
            numbers.append(rng.randrange(CALENDARS))
        self.units = UNITS if self.chance() < 0.7 else UNITS[:-1]
        self.first = self._first_day()
        hours, rules = self._hours(), self._rules()
        after_hours = ((date.min, self.chance() < 0.85),)
        worlds = tuple(
            replace(world(number), hours=hours, rules=rules, after_hours=after_hours)
            for number in numbers
        )
        self.world = worlds[0]
        self.cursor = self._moment(self.first)
        self.type = random.Random(~seed).choice(TYPES)  # beside, so that a seed keeps its story
        self.clauses = random.Random(f"clauses {seed}")
        self.transitional = self.clauses.random() < 0.2
        if self.chance() < 0.12:
            self._news()
        else:
            self._acts()
        return History(
            seed=seed,
            events=tuple(self.events),
            at=self._reading(),
            known=rng.randrange(len(self.events) + 1) if self.chance() < 0.15 else None,
            calendars=tuple(numbers),
            worlds=worlds,
        )

    # --- moments --------------------------------------------------------------------------------

    def _first_day(self) -> date:
        """Anywhere from 2007 to 2027, by preference before a holiday or at the end of a month."""
        rng = self.rng
        year = rng.randrange(2007, 2028)
        sort = self.chance()
        if sort < 0.3:
            month, day = rng.choice(((9, 10), (9, 25), (1, 10), (1, 25), (2, 5), (4, 20), (12, 15)))
            return max(date(year, month, day) + timedelta(days=rng.randrange(15)), FIRST)
        if sort < 0.4:
            month = rng.randrange(2, 13)
            return date(year, month, 1) + timedelta(days=rng.choice((-3, -2, -1, 0, 26, 27)))
        return max(date(year, 1, 1) + timedelta(days=rng.randrange(365)), FIRST)

    def _moment(self, day: date) -> datetime:
        """A moment of the day: mostly in office hours, often on an edge, told in two zones."""
        rng = self.rng
        sort = self.chance()
        if sort < 0.6:
            clock = time(rng.randrange(8, 18), rng.randrange(60))
        elif sort < 0.75:
            clock = rng.choice(EDGES)
        else:
            clock = time(rng.randrange(24), rng.randrange(60), rng.randrange(60))
        found = datetime.combine(day, clock, SHANGHAI)
        return found.astimezone(UTC) if self.chance() < 0.3 else found

    def _later(self, most: int) -> datetime:
        """Some time after the last event: minutes, hours or days."""
        rng = self.rng
        sort = self.chance()
        if sort < 0.08:
            return self.cursor
        if sort < 0.35:
            return self.cursor + timedelta(minutes=rng.randrange(600))
        day = daybyday.local(self.cursor) + timedelta(days=rng.randrange(1 + most))
        return max(self._moment(day), self.cursor)

    def _edge(self, otherwise: datetime) -> datetime:
        """The moment a limit ends, or one beside it."""
        limits = daybyday.count(self.events, self.world, at=self.cursor)
        ends = [limit.due for limit in limits if limit.due >= self.cursor]
        if not ends:
            return otherwise
        beside = timedelta(microseconds=self.rng.choice((-1, 0, 0, 0, 1)))
        return max(self.rng.choice(ends) + beside, self.cursor)

    def _between(self, first: datetime) -> datetime:
        """Some moment before the last event: what is entered late."""
        seconds = int((self.cursor - first).total_seconds())
        return first + timedelta(seconds=self.rng.randrange(seconds + 1))

    def _reading(self) -> datetime:
        """When it is read: now, later, before the last event, or on a due itself."""
        rng = self.rng
        last = max(event.occurred for event in self.events)
        first = min(event.occurred for event in self.events)
        sort = self.chance()
        if sort < 0.08:
            return rng.choice(self.events).occurred
        if sort < 0.25:
            return first + timedelta(seconds=rng.randrange(int((last - first).total_seconds()) + 1))
        if sort < 0.27:
            return first - timedelta(hours=1)
        if sort < 0.37:
            limits = daybyday.count(self.events, self.world, at=last)
            if limits:
                edge = timedelta(microseconds=rng.choice((-1, 0, 0, 1)))
                return max(rng.choice(limits).due + edge, first)
        self.cursor = last
        return self._later(rng.choice((3, 20, 60, 300)))

    # --- what the edition says ------------------------------------------------------------------

    def _hours(self) -> tuple[tuple[date, daybyday.Spans], ...]:
        rng = self.rng
        sort = self.chance()
        if sort < 0.04 and "office_hour" not in self.units:
            return ((date.min, ()),)  # nobody has said when business ends
        if sort < 0.5:
            return ((date.min, HOURS[0]),)
        if sort < 0.85:
            return ((date.min, rng.choice(HOURS)),)
        since = self.first + timedelta(days=rng.randrange(-5, 25))
        return (date.min, rng.choice(HOURS)), (since, rng.choice(HOURS))

    def _rules(self) -> tuple[Any, ...]:
        """The law, sometimes with one rule that another one follows on some day."""
        rng = self.rng
        if self.chance() < 0.75:
            return daybyday.LAW
        since = self.first + timedelta(days=rng.randrange(-5, 25))
        changed = rng.choice(daybyday.LAW)
        unit = rng.choice(self.units)
        new = {**changed, **self._size(unit), "since": since}
        others = (row for row in daybyday.LAW if row is not changed)
        return (*others, {**changed, "until": since}, new)

    def _size(self, unit: str) -> dict[str, Any]:
        rng = self.rng
        usual, most = SIZES[unit]
        sort = self.chance()
        value = 0 if sort < 0.07 else rng.randrange(1, 1 + (most if sort < 0.12 else usual))
        return {"unit": unit, "value": value, "roll": self.chance() < 0.8}

    def _limit(self, kind: str) -> dict[str, Any]:
        rng = self.rng
        if self.chance() < 0.35:
            size: dict[str, Any] = {"unit": "working_day", "value": rng.choice((5, 10, 20, 45))}
            return {"kind": kind, **size, "basis": "某条例"}
        return {"kind": kind, **self._size(rng.choice(self.units)), "basis": "某条例"}

    def _limits(self) -> dict[str, Any]:
        rng = self.rng
        sort = self.chance()
        if sort < 0.2:
            return {}
        if sort < 0.24:
            return {"limits": []}
        kinds = rng.choice(
            (
                ("statutory",),
                ("statutory", "promised"),
                ("promised",),
                ("joint", "promised"),
                ("statutory", "lower_review"),
                ("lower_review",),
            )
        )
        return {"limits": [self._limit(kind) for kind in kinds]}

    # --- our own acts ---------------------------------------------------------------------------

    def _enter(self, kind: str, occurred: datetime, **body: Any) -> None:
        self._add(kind, Nature.ACT, occurred, body)

    def _add(self, kind: str, nature: Nature, occurred: datetime, body: dict[str, Any]) -> None:
        self.cursor = max(self.cursor, occurred)
        self.events.append(self._event(kind, nature, occurred, body))

    def _event(self, kind: str, nature: Nature, occurred: datetime, body: dict[str, Any]) -> Event:
        version = len(self.events) + 1
        return Event(
            version=version,
            kind=kind,
            nature=nature,
            occurred=occurred,
            recorded=self.cursor,
            received=self.cursor,
            actor=f"clerk-{version % 3}",
            source="desk" if nature == Nature.ACT else "bureau",
            position=version,
            body=body,
        )

    def _acts(self) -> None:
        rng = self.rng
        self._enter("received", self.cursor, at="window", **self.type)
        for _ in range(rng.choice((1, 2, 4, 6, 9, 14, 20))):
            kept, state, special = daybyday.standing(self.events)
            if state == "archived":
                return
            sort = self.chance()
            if sort < 0.05 and len(self.events) > 1:
                self._withdraw()
            elif sort < 0.06:
                self._claim()
            elif sort < 0.10:
                self._enter(rng.choice(NOISE[state]), self._later(3))
            else:
                self._next(kept, state, special)
            if self.transitional and state in ("handling", "forwarded"):
                self._move()

    def _move(self) -> None:
        """A new guide's transitional clause replaces limits, mostly some that the case has."""
        rng = self.clauses
        if rng.random() < 0.5:
            return
        named = [one["kind"] for e in self.events for one in e.body.get("limits", ())]
        kinds = set(rng.sample(named, min(len(named), rng.randrange(1, 3))))
        if rng.random() < 0.2 or not kinds:
            kinds.add(rng.choice(("statutory", "promised")))
        limits = []
        for kind in sorted(kinds - {"lower_review"}):
            unit = rng.choice(self.units) if rng.random() < 0.5 else "working_day"
            value = rng.randrange(SIZES[unit][0])
            limits.append({"kind": kind, "value": value, "unit": unit, "basis": "新版办事指南"})
        before = list(self.events)
        body = {"from": 1, "to": 2, "limits": limits, "clause": True}
        self._enter("version_moved", self.cursor + timedelta(minutes=rng.randrange(3000)), **body)
        if not plain(self.events):
            self.events = before

    def _withdraw(self) -> None:
        """An entry is taken back; or taken back again, so that it stands after all."""
        targets = [event.version for event in self.events[1:]]
        earlier = [event.version for event in self.events if event.kind == "entry_withdrawn"]
        if earlier and self.chance() < 0.5:
            targets = earlier
        before = list(self.events)
        self._enter("entry_withdrawn", self._later(2), version=self.rng.choice(targets))
        if not plain(self.events):
            self.events = before

    def _claim(self) -> None:
        when = self._later(2)
        due = self._moment(daybyday.local(when) + timedelta(days=self.rng.randrange(40)))
        body = {"claim": {"kind": self.rng.choice(CLAIMS), "due": due.isoformat()}}
        self._add("claim", Nature.OBSERVATION, when, body)

    def _next(self, kept: list[Event], state: str, special: set[str]) -> None:
        rng = self.rng
        choices = NEXT[state]
        if state == "handling":
            choices = SUSPENDED if special else choices
        kinds, weights = zip(*choices.items(), strict=True)
        kind = rng.choices(kinds, weights)[0]
        body: dict[str, Any] = {}
        when = self._later(rng.choice((1, 4, 12, 40)))
        if self.chance() < 0.06:
            when = self._edge(when)
        if kind in LATE and state != "received" and self.chance() < 0.2:
            accepted = max(e.occurred for e in kept if e.kind in ACCEPTED)
            when = self._between(accepted)
        if self.chance() < 0.05:  # the clock of another desk
            when = max(self.cursor - timedelta(seconds=rng.randrange(301)), kept[0].occurred)
        if kind in ACCEPTED:
            body = self._limits()
        elif kind == "suspended":
            left = [one for one in PROCEDURES if one not in special]
            if not left:
                return
            body = {"procedure": rng.choice(left), "days": 10}
        elif kind == "resumed":
            if self.chance() < 0.6:
                body = {"procedure": rng.choice(sorted(special))}
            if when < self.cursor:  # entered late: after the start of what it ends
                name = rng.choice(sorted(special))
                begun = [e for e in kept if e.kind == "suspended" and e.body["procedure"] == name]
                when = self._between(begun[-1].occurred)
                body = {"procedure": name} if self.chance() < 0.7 else {}
        elif kind == "came_back" and when < self.cursor:
            gone = [event for event in kept if event.kind == "forwarded"]
            when = self._between(gone[-1].occurred)
        elif kind == "extended":
            body = {"days": rng.randrange(1, 16), "reasons": "…"}
            if self.chance() < 0.2:
                body["unit"] = "calendar_day"
                if not plain([*self.events, self._event(kind, Nature.ACT, when, body)]):
                    del body["unit"]
        elif kind == "step_taken":
            body = {"step": "s", "at": "window" if state == "received" else "department"}
            if self.chance() < 0.6:
                body["limit"] = {**self._size(rng.choice(self.units)), "basis": "流程"}
        before = list(self.events)
        self._enter(kind, when, **body)
        if not plain(self.events):
            self.events = before

    # --- another system's news ------------------------------------------------------------------

    def _news(self) -> None:
        """Received, accepted, step, decided, delivered, closed, a claim: arriving in any order."""
        rng = self.rng
        told: list[tuple[str, datetime, dict[str, Any]]] = []
        law = {"law": "行政许可法"}
        for kind, chance in (
            ("received", 0.9),
            ("received", 0.1),
            ("step", 0.5),
            ("accepted", 0.8),
            ("accepted", 0.1),
            ("step", 0.5),
            ("claim", 0.3),
            ("decided", 0.6),
            ("claim", 0.1),
            ("delivered", 0.3),
            ("closed", 0.4),
            ("step", 0.2),
        ):
            if self.chance() > chance:
                continue
            body: dict[str, Any] = {}
            if kind == "claim":
                due = self._moment(daybyday.local(self.cursor) + timedelta(days=rng.randrange(40)))
                body = {"claim": {"kind": rng.choice(CLAIMS), "due": due.isoformat()}}
            elif kind in ("received", "accepted"):
                body = dict(law) if self.chance() < 0.6 else {}
                if kind == "accepted" and self.chance() < 0.6:
                    body |= self._limits()
            told.append((kind, self.cursor, body))
            self.cursor = self._later(rng.choice((0, 1, 5, 20)))
        if not told:
            told.append(("received", self.cursor, law))
        rng.shuffle(told)
        for kind, when, body in told:
            self._add(kind, Nature.OBSERVATION, when, body)
        if len(self.events) > 1 and self.chance() < 0.2:
            version = rng.randrange(2, len(self.events) + 1)
            self._add("retracted", Nature.OBSERVATION, self.cursor, {"version": version})


FIRST = date(2007, 2, 1)  # the first notice names days of January
EDGES = (
    time(0), time(0, 0, 1), time(8, 30), time(9), time(12), time(12, 30), time(13, 30), time(14),
    time(16, 59, 59), time(17), time(17, 0, 1), time(17, 30), time(23, 59, 59),
)  # fmt: skip
# What a receipt says it is of; old ones say nothing.
TYPES: tuple[dict[str, str], ...] = (
    {}, {}, {"type": "行政许可"}, {"type": "行政许可"}, {"type": "行政确认"}, {"type": "公共服务"},
)  # fmt: skip
IN_WORKING_TIME = {"working_day", "hour", "office_hour"}
CLAIMS = ("deadline", "planned_end")
ACCEPTED = ("accepted", "deemed_accepted")
LATE = ("suspended", "resumed", "extended", "came_back", "inspected", "step_taken")
NEXT: dict[str, dict[str, float]] = {
    "received": {
        "accepted": 60, "supplement_requested": 16, "deemed_accepted": 12, "step_taken": 4,
        "not_needed": 2, "not_ours": 2, "withdrawn": 2, "corrected_on_spot": 1,
    },
    "supplementing": {"supplemented": 90, "withdrawn": 3, "scanned": 3},
    "handling": {
        "suspended": 26, "step_taken": 14, "extended": 16, "granted": 9, "forwarded": 8,
        "refused": 3, "step_done": 5, "step_returned": 3, "inspected": 3, "withdrawn": 2,
        "terminated": 2,
    },
    "forwarded": {"came_back": 90, "scanned": 4, "withdrawn": 3},
    "decided": {"step_taken": 15, "licence_made": 15, "ready": 10, "delivered": 50, "step_done": 5},
    "delivered": {"closed": 1},
    "not_accepted": {"closed": 1},
    "withdrawn": {"closed": 1},
    "terminated": {"closed": 1},
    "closed": {"archived": 1},
}  # fmt: skip
# While a special procedure is under way nobody decides, extends or forwards.
SUSPENDED: dict[str, float] = {
    "resumed": 50, "suspended": 22, "step_taken": 6, "step_done": 3, "inspected": 2,
    "withdrawn": 2, "terminated": 2,
}  # fmt: skip
NOISE: dict[str, tuple[str, ...]] = {
    "received": ("scanned", "corrected_on_spot"),
    "supplementing": ("scanned",),
    "handling": ("scanned", "inspected", "opinion_requested"),
    "forwarded": ("scanned",),
    "decided": ("scanned", "ready"),
    **dict.fromkeys(
        ("delivered", "not_accepted", "withdrawn", "terminated", "closed", "archived"),
        ("withdrawal_proposed",),
    ),
}


def plain(events: Iterable[Event]) -> bool:
    """Whether it is beyond doubt what counts: nothing is sent on or extended while a special
    procedure is under way, which only withdrawing its end could bring about; and calendar days
    are added to no working time.
    """
    special: set[str] = set()
    units: set[str] = set()
    by_the_calendar = False  # extended by calendar days
    for event in daybyday.standing(events)[0]:
        if event.kind in ACCEPTED:
            limits = event.body.get("limits", ({"unit": "working_day"},))
            units = {limit["unit"] for limit in limits}
        elif event.kind == "version_moved":
            units |= {limit["unit"] for limit in event.body["limits"]}
            if by_the_calendar and units & IN_WORKING_TIME:
                return False
        elif event.kind == "extended" and event.body.get("unit") and units & IN_WORKING_TIME:
            return False
        by_the_calendar |= event.kind == "extended" and bool(event.body.get("unit"))
        if event.kind == "suspended":
            special.add(event.body["procedure"])
        elif event.kind == "resumed":
            special -= {event.body["procedure"]} if event.body.get("procedure") else set(special)
        elif event.kind in ("forwarded", "extended") and special:
            return False
    return True


def smallest(found: History, fails: Callable[[History], bool]) -> History:
    """The failing history with every event gone that the failure does not need."""
    changed = True
    while changed:
        changed = False
        tries = [replace(found, known=None)] if found.known is not None else []
        tries += [
            replace(found, calendars=found.calendars[:1], worlds=(one,))
            for one in found.worlds
            if len(found.worlds) > 1
        ]
        tries += [_without(found, event) for event in reversed(found.events[1:])]
        for less in tries:
            if plain(less.events) and fails(less):
                found, changed = less, True
                break
    return found


def _without(found: History, gone: Event) -> History:
    """One event fewer; the others keep their versions."""
    return replace(found, events=tuple(event for event in found.events if event is not gone))


def words(found: History) -> str:
    """A history for a person to read."""
    lines = [f"seed {found.seed}, calendars {found.calendars}, read at {found.at.isoformat()}"]
    if found.known is not None:
        lines.append(f"known up to {found.known}")
    one = found.worlds[0]
    lines.append(f"hours {one.hours}, late papers on the next day: {one.after_hours}")
    if one.rules is not daybyday.LAW:
        lines += [f"rule {dict(rule)}" for rule in one.rules]
    lines += [
        f"{e.version:3} {e.occurred.astimezone(SHANGHAI).isoformat(' ')} {e.nature} {e.kind} "
        f"{dict(e.body)}"
        for e in found.events
    ]
    return "\n".join(lines)
