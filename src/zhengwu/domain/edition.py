"""What the clock counts by (历法版本): calendar, opening hours and rules, as known at a moment.

`Timetable` is the fold of the calendar's own stream: what was published, amended, closed for a
day in one region or hall, and which rule holds since when. `Timetable.at` gives the `Edition` of
one place. A former edition is folded from the events known then.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from zhengwu.domain.calendar import END_OF_DAY, Calendar, OfficeHours, Spans
from zhengwu.domain.event import Event
from zhengwu.domain.procedure import Unit

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit of general law with its dates of force (一般法定期限).

    roll: whether an end on a day off moves to the next working day (民法典 203).
    """

    kind: str
    value: int
    unit: Unit
    basis: str
    since: date
    until: date | None = None
    roll: bool = True
    # The same as the body of an acceptance names a limit; alike: where the house applies the rule
    # to what the law does not itself bind.
    given: Mapping[str, Any] = field(init=False, compare=False, repr=False)
    alike: Mapping[str, Any] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        given = {
            "kind": self.kind, "value": self.value, "unit": self.unit, "basis": self.basis,
            "roll": self.roll,
        }  # fmt: skip
        object.__setattr__(self, "given", given)
        object.__setattr__(self, "alike", {**given, "basis": f"比照{self.basis}"})


Rules = Sequence[Rule]
IN_FORCE = date(2004, 7, 1)  # 行政许可法

LAW: Rules = (
    Rule("acceptance", 5, Unit.WORKING_DAY, "行政许可法 第三十二条第一款第四项", IN_FORCE),
    Rule("statutory", 20, Unit.WORKING_DAY, "行政许可法 第四十二条第一款", IN_FORCE),
    Rule("extension", 10, Unit.WORKING_DAY, "行政许可法 第四十二条第一款", IN_FORCE),
    Rule("delivery", 10, Unit.WORKING_DAY, "行政许可法 第四十四条", IN_FORCE),
    Rule("lower_review", 20, Unit.WORKING_DAY, "行政许可法 第四十三条", IN_FORCE),
    Rule("joint", 45, Unit.WORKING_DAY, "行政许可法 第四十二条第二款", IN_FORCE),
    Rule("joint_extension", 15, Unit.WORKING_DAY, "行政许可法 第四十二条第二款", IN_FORCE),
)
# From which day on papers that come outside opening hours count as received on the next working
# day (a setting: the law is silent).
LatePapers = tuple[tuple[date, bool], ...]
AS_USUAL: LatePapers = ((date.min, True),)
AFTER_HOURS = "办公时间以外提交的，视为下一个工作日收到（各地通行做法，由本市设定）"
FORWARDING = "转报上级等待批复的时间不计（各地通行做法，由本市设定；法律没有明文规定）"


@dataclass(frozen=True, slots=True)
class Edition:
    """Calendar, hours and rules as they hold in one place.

    number: the version of the last change in the calendar's stream that holds. after_hours: by the day on
    which the papers come.
    """

    calendar: Calendar
    hours: OfficeHours = field(default_factory=OfficeHours)
    rules: Rules = LAW
    number: int = 0
    after_hours: LatePapers = AS_USUAL
    _by_kind: Mapping[str, tuple[tuple[int, int, Rule], ...]] = field(
        init=False, compare=False, repr=False
    )
    _closes: dict[int, datetime] = field(init=False, compare=False, repr=False)
    _before: dict[tuple[int, int], datetime] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        by_kind: dict[str, tuple[tuple[int, int, Rule], ...]] = {}
        for rule in self.rules:
            until = (rule.until or date.max).toordinal()
            by_kind[rule.kind] = (
                *by_kind.get(rule.kind, ()), (rule.since.toordinal(), until, rule)
            )  # fmt: skip
        object.__setattr__(self, "_by_kind", by_kind)
        object.__setattr__(self, "_closes", {})  # found once for each day of the table
        object.__setattr__(self, "_before", {})

    def close(self, day: int) -> datetime:
        """Close of business of a day (an ordinal), or 24:00 of one without any (民法典 203)."""
        found = self._closes.get(day)
        if found is None:
            when = date.fromordinal(day)
            closes = self.hours.closing(when) if self.calendar.open_on(day) else END_OF_DAY
            found = self._closes[day] = datetime.combine(when, closes, SHANGHAI)
        return found

    def before(self, day: int, count: int) -> datetime:
        """The beginning of the count-th working day before a day (an ordinal)."""
        found = self._before.get((day, count))
        if found is None:
            first = self.calendar.add_working_days(date.fromordinal(day), -count).day
            found = self._before[day, count] = datetime.combine(first, time(), SHANGHAI)
        return found

    def late_papers(self, day: int) -> bool:
        """Whether papers that come too late on a day (an ordinal) are the next working day's."""
        if len(self.after_hours) == 1:
            return self.after_hours[0][1]
        return late_papers(self.after_hours, date.fromordinal(day))

    def rule(self, kind: str, on: date) -> Rule | None:
        """The rule of a kind in force on a day."""
        return self.rule_on(kind, on.toordinal())

    def rule_on(self, kind: str, day: int) -> Rule | None:
        """The same by the day's ordinal."""
        for since, until, rule in self._by_kind.get(kind, ()):
            if since <= day < until:
                return rule
        return None

    def office_time(self, start: datetime, end: datetime) -> timedelta:
        """How much of [start, end) lies within opening hours of working days."""
        if end <= start:
            return timedelta()
        return self._office(end) - self._office(start)

    def after_office_time(self, start: datetime, length: timedelta) -> datetime:
        """The first instant by which `length` of office time has passed since `start`.

        Zero: the start itself inside opening hours, else the next opening. Raises ValueError
        where there are no opening hours, or beyond the calendar's table.
        """
        local = start.astimezone(SHANGHAI)
        calendar, zero = self.calendar, timedelta()
        day = calendar.roll(local.date()).day
        left = length
        for _ in range(20_000):
            for opens, closes in self.hours.on(day):
                low = datetime.combine(day, opens, tzinfo=SHANGHAI)
                high = datetime.combine(day, closes, tzinfo=SHANGHAI)
                low = max(low, local)
                if low >= high:
                    continue
                if left == zero or low + left <= high:
                    return low + left
                left -= high - low
            # Whole days at once, as long as one way of opening holds.
            whole = self._length(day)
            skip = max(0, left // whole - 1) if whole and not self.hours.later else 0
            left -= skip * whole
            day = calendar.add_working_days(day, 1 + skip).day
        raise ValueError("no opening hours")

    def _length(self, day: date) -> timedelta:
        return sum((_since(opens, closes) for opens, closes in self.hours.on(day)), timedelta())

    def _office(self, moment: datetime) -> timedelta:
        """Office time from the calendar's first day to a moment."""
        local = moment.astimezone(SHANGHAI)
        day, first = local.date(), self.calendar.first
        before = day - timedelta(days=1)
        total = timedelta()
        borders = [first - timedelta(days=1)]
        borders += [since - timedelta(days=1) for since, _ in self.hours.later if since <= day]
        borders.append(before)
        for low, high in itertools.pairwise(borders):
            inside = max(low, first)
            if high > inside:
                days = self.calendar.working_days_between(inside, high)
                total += days * self._length(high)
        if self.calendar.works(day):
            clock = local.time()
            for opens, closes in self.hours.on(day):
                if clock > opens:
                    total += _since(opens, min(clock, closes))
        return total


def _since(opens: time, clock: time) -> timedelta:
    return datetime.combine(date.min, clock) - datetime.combine(date.min, opens)


@dataclass(frozen=True, slots=True)
class Notice:
    """A national notice (放假安排) or its amendment; days: day, name, off (None: plain again)."""

    year: int
    amends: bool
    source: str
    days: tuple[tuple[date, str, bool | None], ...]
    version: int = 0


@dataclass(frozen=True, slots=True)
class Overlay:
    """Days that differ in one region or hall only (局部安排). scope: region:… or hall:…"""

    scope: str
    basis: str
    days: tuple[tuple[date, str, bool | None], ...]
    version: int = 0


@dataclass(frozen=True, slots=True)
class Opening:
    """Opening hours (作息) of a scope from a day on. scope: all, region:… or hall:…"""

    scope: str
    since: date
    spans: Spans
    basis: str
    version: int = 0


@dataclass(frozen=True, slots=True)
class Pending:
    """A change proposed and waiting for a second person."""

    version: int
    change: Mapping[str, Any]
    actor: str | None
    occurred: datetime


@dataclass(frozen=True, slots=True)
class Timetable:
    """All that was published up to a version of the calendar's stream."""

    number: int = 0
    notices: tuple[Notice, ...] = ()
    overlays: tuple[Overlay, ...] = ()
    openings: tuple[Opening, ...] = ()
    rules: tuple[Rule, ...] = tuple(LAW)
    after_hours: LatePapers = AS_USUAL
    pending: tuple[Pending, ...] = ()
    holds: int = 0  # the version of the last change that holds

    @classmethod
    def of(cls, events: Iterable[Event]) -> Timetable:
        """The fold of the calendar's stream, in the order of its versions."""
        table = cls()
        for event in events:
            table = table.after(event)
        return table

    def after(self, event: Event) -> Timetable:
        """The timetable after one more event."""
        table = replace(self, number=event.version)
        if event.kind == "shipped":
            return replace(table.changed(event.body["change"]), holds=event.version)
        if event.kind == "proposed":
            waiting = Pending(event.version, event.body["change"], event.actor, event.occurred)
            return replace(table, pending=(*table.pending, waiting))
        if event.kind in ("confirmed", "declined"):
            found = table.proposal(int(event.body["version"]))
            rest = tuple(one for one in table.pending if one is not found)
            table = replace(table, pending=rest)
            if found is not None and event.kind == "confirmed":
                return replace(table.changed(found.change), holds=event.version)
        return table

    def proposal(self, version: int) -> Pending | None:
        """A change that still waits."""
        return next((one for one in self.pending if one.version == version), None)

    def changed(self, change: Mapping[str, Any]) -> Timetable:
        """The timetable with one change that has passed its checks."""
        kind = change["kind"]
        if kind == "notice":
            notice = Notice(
                int(change["year"]), bool(change.get("amends")), str(change["source"]),
                _days(change["days"]), self.number,
            )  # fmt: skip
            return replace(self, notices=(*self.notices, notice))
        if kind == "overlay":
            overlay = Overlay(
                str(change["scope"]), str(change["basis"]), _days(change["days"]), self.number
            )
            return replace(self, overlays=(*self.overlays, overlay))
        if kind == "hours":
            opening = Opening(
                str(change["scope"]), date.fromisoformat(change["since"]),
                tuple((time.fromisoformat(a), time.fromisoformat(b)) for a, b in change["spans"]),
                str(change["basis"]), self.number,
            )  # fmt: skip
            return replace(self, openings=(*self.openings, opening))
        if kind == "rule":
            given = change["rule"]
            rule = Rule(
                str(given["kind"]), int(given["value"]), Unit(given["unit"]), str(given["basis"]),
                date.fromisoformat(given["since"]), None, bool(given.get("roll", True)),
            )  # fmt: skip
            closed = tuple(
                replace(one, until=rule.since)
                if one.kind == rule.kind and one.until is None
                else one
                for one in self.rules
            )
            return replace(self, rules=(*closed, rule))
        if kind == "after_hours":
            # What was said before it had a day of its own holds for all days.
            since = date.fromisoformat(change.get("since") or date.min.isoformat())
            kept = [one for one in self.after_hours if one[0] != since]
            kept = kept if change.get("since") else []
            told = (since, change["value"] == "next_working_day")
            return replace(self, after_hours=tuple(sorted((*kept, told))))
        raise ValueError(f"no such change: {kind}")

    @property
    def published(self) -> frozenset[int]:
        """The years whose holidays are published."""
        return frozenset(one.year for one in self.notices)

    def at(self, regions: Sequence[str] = (), hall: str | None = None) -> Edition:
        """The edition of a place. regions: its own code, then those above it."""
        scopes = {"all", *(f"region:{one}" for one in regions)}
        if hall:
            scopes.add(f"hall:{hall}")
        days: dict[date, bool] = {}
        names: dict[date, str] = {}
        sources: dict[date, str] = {}
        national = [(one.days, one.source) for one in self.notices]
        local = [(one.days, one.basis) for one in self.overlays if one.scope in scopes]
        for listed, source in (*national, *local):
            for day, name, off in listed:
                if off is None:
                    off = day.weekday() >= 5
                days[day], names[day], sources[day] = off, name, source
        calendar = Calendar.of(
            days,
            names=names,
            notices={one.year: one.source for one in self.notices if not one.amends},
            sources=sources,
            published=self.published,
        )
        return Edition(calendar, self._hours(regions, hall), self.rules, self.holds,
                       self.after_hours)  # fmt: skip

    def _hours(self, regions: Sequence[str], hall: str | None) -> OfficeHours:
        """The hall's own hours, else the nearest region's, else the city's, else nine to five."""
        wanted = [f"hall:{hall}"] if hall else []
        wanted += [f"region:{one}" for one in regions]
        for scope in (*wanted, "all"):
            found = [one for one in self.openings if one.scope == scope]
            if found:
                dated = {one.since: one.spans for one in found}  # the last said of a day holds
                return OfficeHours(later=tuple(sorted(dated.items())))
        return OfficeHours()


def late_papers(said: LatePapers, day: date) -> bool:
    """What was said of papers that come too late on a day."""
    return next(late for since, late in reversed(said) if since <= day)


def _days(listed: Iterable[Sequence[Any]]) -> tuple[tuple[date, str, bool | None], ...]:
    return tuple((date.fromisoformat(day), str(name), off) for day, name, off in listed)
