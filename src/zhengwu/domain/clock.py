"""The lawful clock (法定时钟): a pure function of the events known, the rules and the calendar.

`read` says of every limit when it began, when it ends, what is used and left; the derivation, line
by line with the article, is made when asked for. Nothing is stored and nothing counts down; a
correction, a late entry or a new calendar is a new reading. It reads bitemporally: what was known
at a position of the log, at an instant. Law is counted in Asia/Shanghai. docs/algorithms/clock.md
says how, in prose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, NamedTuple

from zhengwu.domain.counting import SHANGHAI, Count, Extension, Pause, Start, ordinal
from zhengwu.domain.derivation import Line
from zhengwu.domain.edition import FORWARDING, LAW, Edition, Rule
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.lifecycle import PROCEDURES, SKEW, Life, standing_events, still_open
from zhengwu.domain.procedure import LONGEST, Limit, Unit
from zhengwu.domain.reading import (
    NAMES,
    NEAR,
    Alarm,
    How,
    Light,
    LimitReading,
    LimitState,
    Reading,
    Switch,
    light,
)
from zhengwu.domain.refusal import Refusal

__all__ = [
    "LAW",
    "NAMES",
    "NEAR",
    "SHANGHAI",
    "Alarm",
    "Edition",
    "Light",
    "LimitReading",
    "LimitState",
    "Line",
    "Reading",
    "Rule",
    "alarms",
    "foresee",
    "light",
    "look",
    "read",
    "read_counting",
]

LICENCE = "行政许可"  # the type of item that the 行政许可法 binds; others follow it by analogy
SPECIAL = "行政许可法 第四十五条"
LAW_NAME = "行政许可法"  # an observation that names it is bound by its general limits

_RECEIPTS = frozenset({"received", "supplemented"})
_ACCEPTS = frozenset({"accepted", "deemed_accepted"})
_ENDS_DECISION = frozenset({"granted", "refused", "withdrawn", "terminated", "decided", "closed"})
_ENDS_ACCEPTANCE = frozenset(
    {"accepted", "deemed_accepted", "supplement_requested", "not_needed", "not_ours", "withdrawn",
     "closed", "decided"}
)  # fmt: skip
_ENDS_STEP = _ENDS_DECISION | {"step_done", "step_returned"}
_ENDS_CLAIM = frozenset({"decided", "granted", "refused", "closed", "delivered"})
_MARKS = frozenset({"suspended", "resumed", "forwarded", "came_back"})
_WAITS: Mapping[str, str | None] = {
    "supplement_requested": "等待补正",
    "supplemented": None,
    "forwarded": "等待上级",
    "came_back": None,
    "granted": None,
    "refused": "待送达",
    "withdrawn": "已撤回",
    "terminated": "已终止",
    "not_needed": "不予受理",
    "not_ours": "不予受理",
    "accepted": None,
}
_TELLING = (
    _RECEIPTS | _ACCEPTS | _ENDS_ACCEPTANCE | _ENDS_STEP | _ENDS_CLAIM | _MARKS | set(_WAITS)
    | {"step_taken", "extended", "claim", "version_moved"}
)  # fmt: skip
# An entry of any other kind leaves every reading as it was, unless it withdraws another.
TELLING = frozenset(_TELLING)
# Looked up by the thousand.
_ACT = Nature.ACT
_WORKING = Unit.WORKING_DAY
_HOURS = (Unit.HOUR, Unit.OFFICE_HOUR)
_DAYS = frozenset(set(Unit) - set(_HOURS))
_NOT_STARTED, _RUNNING = LimitState.NOT_STARTED, LimitState.RUNNING
_SUSPENDED, _EXTENDED = LimitState.SUSPENDED, LimitState.EXTENDED
_STOPPED = LimitState.STOPPED
_ROWS = (list, tuple)
_UNITS: Mapping[str, Unit] = {unit: unit for unit in Unit}
# Where two pieces of another system's news bear one instant (many give days only), what must have
# come first comes first.
_RANK = {"received": 0, "accepted": 1, "step": 2, "decided": 3, "delivered": 4, "closed": 5}


def read(
    events: Sequence[Event], *, at: datetime, known: int | None = None, edition: Edition
) -> Reading:
    """Read the clock. known: only events with a position up to this; None: all that are given.

    What is no licence (`type` of our receipt; none: an old case, read as one) has the same general
    limits by analogy, and their basis says so.
    Raises Refusal where `at` or an event has no offset, ValueError beyond the calendar's table.
    """
    if known is not None:
        events = [e for e in events if e.position is not None and e.position <= known]
    reader, _ = _scanned(standing_events(events), at=at, edition=edition)
    return reader.reading()


def read_counting(counting: Sequence[Event], *, at: datetime, edition: Edition) -> Reading:
    """The same as `read` of events of which each is known to count (`lifecycle.histories`)."""
    reader, _ = _scanned(counting, at=at, edition=edition)
    return reader.reading()


def stood_still(
    counting: Sequence[Event], *, since: datetime, until: datetime, edition: Edition
) -> tuple[Pause, ...]:
    """The time between two instants that does not count (行政许可法 45, and 43 while it lies above),
    of events that all count: cut to them, what overlaps united, in order.
    """
    reader, _ = _scanned(counting, at=until, edition=edition)
    return reader._pauses((*reader.raw, *reader.away), since, until)


def look(life: Life, *, at: datetime, edition: Edition) -> tuple[Reading, datetime | None]:
    """The reading at an instant, and when the first alarm up to then came true (None: none did).

    The same as `read(life.events, …)` and the first of `alarms(life.events, …)`; where nothing was
    withdrawn, nothing stood still and no limit was changed, in one pass.
    """
    reader, straight = _scanned(life.counting, at=at, edition=edition)
    reading = reader.reading()
    if straight and len(reader.past) == len(life.events) and reader.plain:
        return reading, reader.came(reading.limits)
    found = alarms(life.events, at=at, edition=edition)
    return reading, found[0].at if found else None


class Course(NamedTuple):
    """A reading, and each step before the last as it was counted to its end.

    plain: acts in order, of which none withdrew another, made time stand still or changed a limit.
    Then whatever part of the story was known at a moment, a limit read from it begins and ends where
    it does here; only what stopped it may not have been known yet.
    """

    reading: Reading
    former: tuple[LimitReading, ...]
    plain: bool


def course(counting: Sequence[Event], *, at: datetime, edition: Edition) -> Course:
    """How the limits ran up to an instant, of events that all count."""
    reader, straight = _scanned(counting, at=at, edition=edition)
    reading = reader.reading()
    plain = straight and reader.plain and len(reader.past) == len(counting)
    if not plain:
        return Course(reading, (), False)
    former = [reader.former_step(step, end) for step, end in reader.former]
    return Course(reading, tuple(former), True)


def _scanned(counting: Sequence[Event], *, at: datetime, edition: Edition) -> tuple[_Reader, bool]:
    """A reader that went through what counts up to an instant; whether that was acts in order."""
    if at.tzinfo is None:
        raise _no_offset("at")
    past = []
    before: datetime | None = None
    straight = True
    for event in counting:
        when = event.occurred
        if when.tzinfo is None:
            raise _no_offset("occurred")
        if when <= at:
            past.append(event)
            if event.nature is not _ACT or (before is not None and when < before):
                straight = False
            before = when
    if not straight:
        past = _in_order(past)
    reader = _Reader(at, edition)
    reader.scan(past)
    return reader, straight


def alarms(events: Sequence[Event], *, at: datetime, edition: Edition) -> tuple[Alarm, ...]:
    """Every alarm that came true up to an instant, by what had been entered at each moment.

    A decision or a suspension ends a limit, not the alarm that came before it: whoever looks a week
    late still finds it. events: by version.
    """
    found: dict[tuple[str, str, datetime], Alarm] = {}
    for nth, event in enumerate(events, start=1):
        last = nth == len(events)
        until = at if last else min(at, events[nth].occurred)
        if until <= event.occurred and not last:
            continue  # nothing passed before the next entry
        for alarm in read(events[:nth], at=until, edition=edition).alarms():
            if alarm.at < until or (last and alarm.at == until):
                found.setdefault((alarm.limit, alarm.level, alarm.due), alarm)
    return tuple(sorted(found.values(), key=lambda one: (one.at, one.limit, one.level)))


def foresee(
    limit: Limit,
    *,
    since: datetime,
    edition: Edition,
    kind: str = "limit",
    what: str = "起算",
    receipt: bool = False,
) -> LimitReading:
    """When a limit would end if it began now and nothing came in between.

    receipt: papers were handed in at `since`, so that opening hours matter. Raises Refusal where
    `since` has no offset, ValueError beyond the calendar's table.
    """
    if since.tzinfo is None:
        raise _no_offset("since")
    reader = _Reader(since, edition)
    start = _received(since, edition) if receipt else Start(since, ordinal(since))
    given = {"value": limit.value, "unit": limit.unit, "basis": limit.basis, "roll": limit.roll}
    return reader.read_limit(kind, given, start, what, stop=None)


def _no_offset(field: str) -> Refusal:
    return Refusal(
        "clock.no_offset",
        "时间没有写明时区（例如 2026-11-23T09:00:00+08:00），不能推算期限。请补上时区。",
        field=field,
    )


def _in_order(past: Sequence[Event]) -> list[Event]:
    """As it happened. Acts within the difference of two desks' clocks keep the order in which the
    table admitted them; another system's news comes in any order.
    """
    keyed = []
    latest: datetime | None = None
    for event in past:
        when, rank = event.occurred, 0
        if event.nature is not _ACT:
            rank = _RANK.get(event.kind, 0)
        else:
            if latest is not None and latest - SKEW <= when < latest:
                when = latest
            latest = when
        keyed.append((when, rank, event.version, event))
    keyed.sort()  # no two have one version, so that events are never compared
    return [one[3] for one in keyed]


@dataclass(slots=True)
class _Round:
    """A receipt of papers and what answered it."""

    start: Event
    stop: Event | None = None


class _Reader:
    """One pass over the events that count, then one reading per limit."""

    accepted: Event | None = None
    papers: Event | None = None  # the last receipt before the acceptance
    stop: Event | None = None
    forwarded: Event | None = None
    extended: Extension | None = None
    granted: Event | None = None
    handed: Event | None = None  # delivered or closed after it was granted
    step: Event | None = None
    step_end: Event | None = None
    finish: Event | None = None
    opened: Event | None = None
    waiting: str | None = None
    ended = False
    licence = True  # a receipt of ours that names no type, as before types were kept, is of one

    def __init__(self, at: datetime, edition: Edition) -> None:
        self.at = at
        self.today = ordinal(at)
        self.edition = edition
        self.calendar = edition.calendar
        self.rounds: list[_Round] = []
        self.claims: dict[str, tuple[Event, datetime]] = {}
        self.raw: list[Pause] = []
        self.away: list[Pause] = []
        self.open: list[Event] = []
        self.switches: list[Event] = []
        self.past: Sequence[Event] = ()
        self.begun: list[datetime] = []  # when the entry was made that began each limit
        self.former: list[tuple[Event, Event]] = []  # steps before the last, with what ended each
        self.plain = True  # nothing stood still, no limit was changed

    # --- one pass ----------------------------------------------------------------------------

    def scan(self, past: Sequence[Event]) -> None:
        """Take down when each thing began and what ended it."""
        if not past:
            return
        rounds, marks = self.rounds, []
        waits: str | None = None
        self.past, self.opened = past, past[0]
        for event in past:
            kind = event.kind
            if kind not in _TELLING:
                continue
            if kind in _WAITS:
                waits = _WAITS[kind]
            if kind in _ENDS_ACCEPTANCE:
                for one in rounds:
                    if one.stop is None:
                        one.stop = event
            elif kind in _RECEIPTS:
                rounds.append(_Round(event))
                if kind == "received" and event.nature is _ACT:
                    self.licence = event.body.get("type", LICENCE) == LICENCE
                continue
            if kind in _ACCEPTS:
                if self.accepted is None:
                    self.accepted = event
                    self.papers = rounds[-1].start if rounds else None
                continue
            if kind in _ENDS_STEP:
                if self.step is not None and self.step_end is None:
                    self.step_end = event
                if kind in _ENDS_DECISION:
                    if self.accepted is not None and self.stop is None:
                        self.stop = event
                    if kind == "granted":
                        self.granted = self.granted or event
            elif kind == "step_taken":
                if isinstance(event.body.get("limit"), Mapping):
                    if self.step is not None:
                        self.former.append((self.step, self.step_end or event))
                    self.step, self.step_end = event, None
            elif kind in _MARKS:
                marks.append(event)
                self.plain = False
            elif kind == "extended":
                self.extended = self.extended or _extension(event)
                self.plain = False
            elif kind == "version_moved":
                self.switches.append(event)
                self.plain = False
            elif kind == "claim":
                self._claim(event)
                self.plain = False
            if kind in _ENDS_CLAIM:
                if self.finish is None:
                    self.finish = event
                if kind in ("delivered", "closed"):
                    self.ended = True
                    if self.granted is not None and self.handed is None:
                        self.handed = event
        if not self.ended:
            self.waiting = waits
        if marks:
            self._pair(marks)

    def _pair(self, marks: list[Event]) -> None:
        """Which end belongs to which beginning: of acts in the order in which they were entered."""
        if marks[0].nature is _ACT:
            marks.sort(key=lambda event: event.version)
        for event in marks:
            if event.kind in ("resumed", "came_back"):
                self._ends_pause(event)
                continue
            self.open.append(event)
            if event.kind == "forwarded":
                self.forwarded = self.forwarded or event
        for event in self.open:
            self._keep(event, None)

    def _ends_pause(self, event: Event) -> None:
        begins = "forwarded" if event.kind == "came_back" else "suspended"
        under_way, self.open = self.open, []
        for one in under_way:
            if one.kind != begins or (
                begins == "suspended" and still_open(_procedure(one), event.body)
            ):
                self.open.append(one)
            else:
                self._keep(one, event.occurred)

    def _keep(self, begun: Event, end: datetime | None) -> None:
        start = begun.occurred
        if end is None:
            until, last = self.at, self.today
        elif end <= start:
            return  # another system's news: it ended before it began, nothing stood still
        else:
            until, last = end, ordinal(end)
        first = ordinal(start)
        if begun.kind == "forwarded":
            why = "转报上级，等待批复"
            self.away.append(Pause(start, end, until, first, last, why, FORWARDING))
            return
        (procedure,) = _procedure(begun)
        told = _date(begun.body.get("until"))
        why = PROCEDURES.get(procedure, procedure)
        self.raw.append(Pause(start, end, until, first, last, why, SPECIAL, told, _number(begun)))

    def _claim(self, event: Event) -> None:
        claim = event.body.get("claim")
        if isinstance(claim, Mapping) and claim.get("due"):
            try:
                due = datetime.fromisoformat(str(claim["due"]))
            except ValueError:
                raise Refusal(
                    "clock.claim", "来源系统自报的期限不是时间，不能比较。请来源系统更正。",
                    field="claim.due",
                ) from None  # fmt: skip
            if due.tzinfo is None:
                raise _no_offset("claim.due")
            opened = self.opened or event
            # A sender may say anything; what no calendar reaches is shown by its story only.
            if self.calendar.reaches(due) and self.calendar.reaches(opened.occurred):
                kind = "claim" if claim.get("kind") == "deadline" else "planned"
                self.claims[kind] = (event, due)

    # --- the limits --------------------------------------------------------------------------

    def reading(self) -> Reading:
        return Reading(self.at, tuple(self.limits()), self.waiting, self.ended, self.edition)

    def came(self, limits: Sequence[LimitReading]) -> datetime | None:
        """When the first alarm came true, of a plain life: each limit ran as it is counted now from
        what began it to what stopped it, and asked for attention meanwhile or never.
        """
        first: datetime | None = None
        begun = self.begun
        former = []
        for one, end in self.former:
            limit = one.body["limit"]
            same_day = ordinal(end.occurred) == ordinal(one.occurred)
            if same_day and _later(limit.get("value"), limit.get("unit")):
                continue
            former.append(self.former_step(one, end))
            begun = [*begun, one.occurred]
        for read, since in zip((*limits, *former), begun, strict=True):
            stop = read.stopped_at
            if read.state is _NOT_STARTED or (stop is not None and stop <= since):
                continue  # it never ran
            same_day = stop is not None and ordinal(stop) <= read.how.start.day
            if same_day and _later(read.value, read.unit):
                continue
            for _, when in read.calls():
                if (when <= self.at if stop is None else when < stop) and (
                    first is None or when < first
                ):
                    first = when
        return first

    def former_step(self, step: Event, end: Event) -> LimitReading:
        """A step before the last, of a plain life."""
        return self.read_limit(
            "step", step.body["limit"], _from(step), "接办本环节", stop=end.occurred
        )

    def limits(self) -> list[LimitReading]:
        """Every limit that has begun."""
        found: list[LimitReading] = []
        for one in self.rounds:
            if _bound(one.start):
                self._answer(found, one)
                self._began(found, one.start)
        if self.accepted is not None:
            self._decisions(found, self.accepted)
            self._began(found, self.accepted)
        step = self.step
        if step is not None:
            stop = self.step_end.occurred if self.step_end else None
            found.append(
                self.read_limit(
                    "step", step.body["limit"], _from(step), "接办本环节", stop=stop,
                    items=self._pauses((*self.raw, *self.away), step.occurred, stop),
                )
            )  # fmt: skip
            self._began(found, step)
        granted = self.granted
        if granted is not None and _bound(granted):
            start = _from(granted)
            rule = self.edition.rule_on("delivery", start.day)
            if rule is not None:
                stop = self.handed.occurred if self.handed else None
                found.append(
                    self.read_limit(rule.kind, self._given(rule), start, "准予", stop=stop)
                )
                self._began(found, granted)
        for kind in ("claim", "planned") if self.claims else ():
            if kind in self.claims:
                found.append(self._told(kind, *self.claims[kind]))
        return found

    def _began(self, found: Sequence[LimitReading], by: Event) -> None:
        """Those found since the last call began with this entry."""
        self.begun += [by.occurred] * (len(found) - len(self.begun))

    def _given(self, rule: Rule) -> Mapping[str, Any]:
        return rule.given if self.licence else rule.alike

    def _answer(self, found: list[LimitReading], of: _Round) -> None:
        start = _received(of.start.occurred, self.edition)
        rule = self.edition.rule_on("acceptance", start.day)
        if rule is None:
            return
        what = "收到申请材料" if of.start.kind == "received" else "收到补正材料"
        stop, silent = None, False
        if of.stop is not None:
            stop, silent = of.stop.occurred, of.stop.kind == "deemed_accepted"
        given = self._given(rule)
        found.append(self.read_limit(rule.kind, given, start, what, stop=stop, silent=silent))

    def _decisions(self, found: list[LimitReading], accepted: Event) -> None:
        limits = accepted.body.get("limits")
        start, what = _from(accepted), "受理"
        if accepted.kind == "deemed_accepted":
            if self.papers is not None:
                start = _received(self.papers.occurred, self.edition)
            what = "收到申请材料（逾期未告知，自收到之日起即为受理）"
        if limits is None:  # the entry is silent: general law (an empty list says there is none)
            rule = self.edition.rule_on("statutory", start.day) if _bound(accepted) else None
            limits = [self._given(rule)] if rule else []
        if not limits:
            return
        if not isinstance(limits, _ROWS):
            raise _no_kind()
        stop = self.stop.occurred if self.stop else None
        pauses = self._pauses((*self.raw, *self.away), start.moment, stop)
        items = _in_time(pauses, self.extended)
        for limit in limits:
            kind = limit.get("kind") if isinstance(limit, Mapping) else None
            if not kind:
                raise _no_kind()
            switches: tuple[Switch, ...] = ()
            if self.switches:
                limit, switches = self._switched(str(kind), limit)
            if kind != "lower_review":
                found.append(
                    self.read_limit(
                        str(kind), limit, start, what, stop=stop, items=items, switches=switches
                    )
                )
                continue
            sent = self.forwarded.occurred if self.forwarded else None
            first = sent if stop is None or (sent is not None and sent < stop) else stop
            own = self._pauses(self.raw, start.moment, first)
            found.append(
                self.read_limit(kind, limit, start, what, stop=first, items=own, switches=switches)
            )

    def _switched(
        self, kind: str, limit: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], tuple[Switch, ...]]:
        """The limit as the transitional clauses left it (立法法 104), and what each replaced."""
        switches = []
        for event in self.switches:
            for new in event.body.get("limits") or ():
                if new["kind"] == kind:
                    unit = _UNITS[limit["unit"]]
                    switches.append(Switch(event.occurred, event.body["to"], limit["value"], unit))
                    limit = new
        return limit, tuple(switches)

    def _pauses(
        self, raw: Sequence[Pause], start: datetime, stop: datetime | None
    ) -> tuple[Pause, ...]:
        """Clipped to the limit, overlapping ones united, in order."""
        if not raw:
            return ()
        limit = self.at if stop is None else min(stop, self.at)
        united: list[Pause] = []
        for pause in raw if len(raw) == 1 else sorted(raw, key=_begins):
            low, high = max(pause.start, start), min(pause.until, limit)
            end = stop if pause.end is None else pause.end
            if end is not None and high <= low:
                continue
            if low > limit:
                continue
            if low is not pause.start or high is not pause.until or end is not pause.end:
                pause = pause._replace(
                    start=low, end=end, until=high, first=ordinal(low), last=ordinal(high)
                )
            if united and low <= united[-1].until:
                united[-1] = _united(united[-1], pause)
            else:
                united.append(pause)
        return tuple(united)

    # --- one limit ---------------------------------------------------------------------------

    def read_limit(
        self,
        kind: str,
        limit: Mapping[str, Any],
        start: Start,
        what: str,
        *,
        stop: datetime | None,
        items: tuple[Pause | Extension, ...] = (),
        silent: bool = False,
        switches: tuple[Switch, ...] = (),
    ) -> LimitReading:
        """Count one limit. What happens after its end as it then stands changes nothing.

        items: the pauses and the extension, in time order.
        """
        try:
            value, unit, basis = limit["value"], _UNITS[limit["unit"]], limit["basis"]
            if type(value) is not int or value < 0:
                raise ValueError(value)
        except (KeyError, TypeError, ValueError):
            # What another system wrote: refused with the rule it breaks.
            written = Limit.of(limit, field=kind)
            value, unit, basis = written.value, written.unit, written.basis
        roll = bool(limit.get("roll", True))
        edition = self.edition
        until, today = (self.at, self.today) if stop is None else (stop, ordinal(stop))
        extra, late, suspended = 0, False, False
        if unit is _WORKING and not items:  # the plain case, at once
            last = self.calendar.nth(start.day, value)
            due = edition.close(last)
            used = self.calendar.between(start.day, today)
            if used < 0:
                used = 0
            left = value - used
        else:
            count = Count(edition, start, value, unit, roll)
            due, last = count.end()
            applied: list[Pause | Extension] = []
            for item in items:
                if isinstance(item, Pause):
                    if item.start > due:
                        continue
                    count.apply(item)
                    suspended = suspended or (item.end is None and stop is None)
                elif item.occurred > due:
                    late = True
                    continue
                else:
                    count.extend(item)
                applied.append(item)
                due, last = count.end()
            items, extra = tuple(applied), count.extra
            used, left = count.used_left(today, until, last, due)
        met: bool | None
        if stop is not None:
            state, met = _STOPPED, stop <= due and not silent
        else:
            met = False if until > due and not suspended else None
            if today < start.day or (until < start.moment and unit in _HOURS):
                state = _NOT_STARTED
            elif suspended:
                state = _SUSPENDED
            elif extra:
                state = _EXTENDED
            else:
                state = _RUNNING
        return LimitReading(
            kind, state, due, used, left, met, value, extra, unit, basis, roll, stop,
            How(edition, what, start, items, late, silent, switches),
        )  # fmt: skip

    def _told(self, kind: str, event: Event, due: datetime) -> LimitReading:
        """A deadline that another system says of its own case."""
        opened = self.opened or event
        stop = self.finish.occurred if self.finish else None
        start = _from(opened)
        last, today = ordinal(due), self.today if stop is None else ordinal(stop)
        state = _RUNNING if stop is None else _STOPPED
        met = stop <= due if stop is not None else False if self.at > due else None
        between = self.calendar.between
        return LimitReading(
            kind, state, due, between(start.day, today), between(today, last), met, 0, 0, _WORKING,
            "来源系统", False, stop, How(self.edition, "收件", start),
        )  # fmt: skip


def _no_kind() -> Refusal:
    return Refusal(
        "limit.no_kind", "期限应当逐个写明是哪一种（kind）、多少、单位和依据。", field="limits"
    )


def _later(value: Any, unit: Any) -> bool:
    """Whether a limit calls on a later day than it begins at the earliest."""
    return bool(value) and unit in _DAYS


def _from(event: Event) -> Start:
    return Start(event.occurred, ordinal(event.occurred))


def _begins(pause: Pause) -> datetime:
    return pause.start


def _united(first: Pause, second: Pause) -> Pause:
    """Two pauses that overlap or touch, as one."""
    end = None if first.end is None or second.end is None else max(first.end, second.end)
    papers = [paper for paper in (first.document, second.document) if paper]
    return first._replace(
        end=end,
        until=max(first.until, second.until),
        last=max(first.last, second.last),
        why=first.why if second.why in first.why else f"{first.why}、{second.why}",
        article=first.article
        if second.article in first.article
        else f"{first.article}；{second.article}",
        told=max((day for day in (first.told, second.told) if day), default=None),
        document="、".join(dict.fromkeys(papers)),
    )


def _procedure(event: Event) -> tuple[str]:
    return (str(event.body.get("procedure", "")),)


def _extension(event: Event) -> Extension | None:
    """An extension that says for how long; another system may send anything."""
    days, unit = event.body.get("days"), _UNITS.get(str(event.body.get("unit") or _WORKING))
    if type(days) is not int or not 0 < days <= LONGEST[_WORKING] or unit is None:
        return None
    return Extension(event.occurred, days, unit, _number(event))


def _date(text: object) -> date | None:
    """A day as told; None where another system wrote something else."""
    try:
        return date.fromisoformat(str(text)) if text else None
    except ValueError:
        return None


def _number(event: Event) -> str:
    """The number of the paper that told of an act."""
    document = event.body.get("document")
    return str(document.get("number") or "") if isinstance(document, Mapping) else ""


def _received(moment: datetime, edition: Edition) -> Start:
    """When papers count as received: outside hours on the next working day (a setting)."""
    day, calendar = ordinal(moment), edition.calendar
    late = not calendar.open_on(day) or moment > edition.close(day)
    if late and edition.late_papers(day):
        day = calendar.nth(day, 1)
        later = date.fromordinal(day)
        spans = edition.hours.on(later)
        opens = spans[0][0] if spans else time()
        return Start(datetime.combine(later, opens, SHANGHAI), day, moment)
    return Start(moment, day)


def _bound(event: Event) -> bool:
    """Whether the general limits of the law bind what this event began."""
    return event.nature is _ACT or event.body.get("law") == LAW_NAME


def _in_time(
    pauses: tuple[Pause, ...], extended: Extension | None
) -> tuple[Pause | Extension, ...]:
    if extended is None:
        return pauses
    place = sum([pause.start <= extended.occurred for pause in pauses])
    return (*pauses[:place], extended, *pauses[place:])
