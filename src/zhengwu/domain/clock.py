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
from typing import Any

from zhengwu.domain.counting import SHANGHAI, Count, Extension, Pause, Start, ordinal
from zhengwu.domain.derivation import Line
from zhengwu.domain.edition import FORWARDING, LAW, Edition, Rule
from zhengwu.domain.event import Event, Nature
from zhengwu.domain.lifecycle import PROCEDURES, SKEW, standing_events, still_open
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
    "read",
]

LICENCE = "行政许可"  # the type of item that the 行政许可法 binds; others follow it by analogy
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
    | {"step_taken", "extended", "claim"}
)  # fmt: skip
_ACT = Nature.ACT
_WORKING = Unit.WORKING_DAY
_HOURS = (Unit.HOUR, Unit.OFFICE_HOUR)
_UNITS: Mapping[str, Unit] = {unit: unit for unit in Unit}
# Where two pieces of another system's news bear one instant (many give days only), what must have
# come first comes first.
_RANK = {"received": 0, "accepted": 1, "step": 2, "decided": 3, "delivered": 4, "closed": 5}


def read(
    events: Sequence[Event], *, at: datetime, known: int | None = None, edition: Edition
) -> Reading:
    """Read the clock. known: only events with a position up to this; None: all that are given.

    Raises Refusal where `at` or an event has no offset, ValueError beyond the calendar's table.
    """
    if known is not None:
        events = [e for e in events if e.position is not None and e.position <= known]
    if at.tzinfo is None:
        raise _no_offset("at")
    past = []
    before: datetime | None = None
    straight = True
    for event in standing_events(events):
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
    return Reading(at, tuple(reader.limits()), reader.waiting, reader.ended, edition)


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
    return reader.read_limit(kind, given, start, what, stop=None, pauses=())


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
    keyed.sort(key=lambda one: one[:3])
    return [one[3] for one in keyed]


@dataclass(slots=True)
class _Round:
    """A receipt of papers and what answered it."""

    start: Event
    stop: Event | None = None


class _Reader:
    """One pass over the events that count, then one reading per limit."""

    def __init__(self, at: datetime, edition: Edition) -> None:
        self.at = at
        self.today = ordinal(at)
        self.edition = edition
        self.calendar = edition.calendar
        self.rounds: list[_Round] = []
        self.accepted: Event | None = None
        self.papers: Event | None = None  # the last receipt before the acceptance
        self.stop: Event | None = None
        self.forwarded: Event | None = None
        self.extended: Extension | None = None
        self.granted: Event | None = None
        self.handed: Event | None = None  # delivered or closed after it was granted
        self.step: Event | None = None
        self.step_end: Event | None = None
        self.claims: dict[str, tuple[Event, datetime]] = {}
        self.finish: Event | None = None
        self.opened: Event | None = None
        self.raw: list[Pause] = []
        self.away: list[Pause] = []
        self.open: list[Event] = []
        self.waiting: str | None = None
        self.ended = False
        self.licence = True  # what the receipt does not say otherwise

    # --- one pass ----------------------------------------------------------------------------

    def scan(self, past: Sequence[Event]) -> None:
        """Take down when each thing began and what ended it."""
        if not past:
            return
        rounds, marks = self.rounds, []
        waits: str | None = None
        self.opened = past[0]
        self.licence = past[0].body.get("type", LICENCE) == LICENCE
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
                    self.step, self.step_end = event, None
            elif kind in _MARKS:
                marks.append(event)
            elif kind == "extended":
                if self.extended is None and _grants(event):
                    self.extended = _extension(event)
            elif kind == "claim":
                self._claim(event)
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
        if event.kind == "came_back":
            ending = [one for one in self.open if one.kind == "forwarded"]
        else:
            begun = [one for one in self.open if one.kind == "suspended"]
            left = still_open(tuple(str(o.body.get("procedure", "")) for o in begun), event.body)
            ending = [one for one in begun if str(one.body.get("procedure", "")) not in left]
        for one in ending:
            self.open.remove(one)
            self._keep(one, event.occurred)

    def _keep(self, begun: Event, end: datetime | None) -> None:
        until = end or self.at
        if end is not None and end <= begun.occurred:
            return  # another system's news: it ended before it began, nothing stood still
        if begun.kind == "forwarded":
            self.away.append(Pause(begun.occurred, end, until, "转报上级，等待批复", FORWARDING))
            return
        procedure = str(begun.body.get("procedure", ""))
        told = _date(begun.body.get("until"))
        self.raw.append(
            Pause(
                begun.occurred,
                end,
                until,
                PROCEDURES.get(procedure, procedure),
                "行政许可法 第四十五条",
                told,
                _number(begun),
            )
        )

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

    def limits(self) -> list[LimitReading]:
        """Every limit that has begun."""
        found: list[LimitReading] = []
        for one in self.rounds:
            if _bound(one.start):
                start = self._receipt(one.start)
                rule = self._rule("acceptance", start)
                if rule is not None:
                    found.append(self._answer(rule, start, one))
        self._decisions(found)
        step = self.step
        if step is not None:
            stop = self.step_end.occurred if self.step_end else None
            found.append(
                self.read_limit(
                    "step", step.body["limit"], self._from(step), "接办本环节", stop=stop,
                    pauses=self._pauses((*self.raw, *self.away), step.occurred, stop),
                )
            )  # fmt: skip
        granted = self.granted
        if granted is not None and _bound(granted):
            start = self._from(granted)
            rule = self._rule("delivery", start)
            if rule is not None:
                stop = self.handed.occurred if self.handed else None
                found.append(self._by_rule(rule, start, "准予", stop=stop))
        for kind in ("claim", "planned"):
            if kind in self.claims:
                found.append(self._told(kind, *self.claims[kind]))
        return found

    def _rule(self, kind: str, start: Start) -> Rule | None:
        return self.edition.rule_on(kind, start.day)

    def _answer(self, rule: Rule, start: Start, of: _Round) -> LimitReading:
        silent = of.stop is not None and of.stop.kind == "deemed_accepted"
        return self._by_rule(
            rule, start, "收到申请材料" if of.start.kind == "received" else "收到补正材料",
            stop=of.stop.occurred if of.stop else None, silent=silent,
        )  # fmt: skip

    def _decisions(self, found: list[LimitReading]) -> None:
        accepted = self.accepted
        if accepted is None:
            return
        limits = accepted.body.get("limits")
        start, what = self._from(accepted), "受理"
        if accepted.kind == "deemed_accepted":
            if self.papers is not None:
                start = self._receipt(self.papers)
            what = "收到申请材料（逾期未告知，自收到之日起即为受理）"
        if limits is None:  # the entry is silent: general law (an empty list says there is none)
            rule = self._rule("statutory", start) if _bound(accepted) else None
            limits = [rule.given if self.licence else rule.alike] if rule else []
        if not limits:
            return
        if not isinstance(limits, list | tuple) or not all(
            isinstance(one, Mapping) and one.get("kind") for one in limits
        ):
            raise Refusal(
                "limit.no_kind",
                "期限应当逐个写明是哪一种（kind）、多少、单位和依据。",
                field="limits",
            )
        stop = self.stop.occurred if self.stop else None
        pauses = self._pauses((*self.raw, *self.away), start.moment, stop)
        for limit in limits:
            if limit["kind"] != "lower_review":
                found.append(
                    self.read_limit(str(limit["kind"]), limit, start, what, stop=stop, pauses=pauses,
                                extended=self.extended)
                )  # fmt: skip
                continue
            sent = self.forwarded.occurred if self.forwarded else None
            first = sent if stop is None or (sent is not None and sent < stop) else stop
            own = self._pauses(self.raw, start.moment, first)
            found.append(
                self.read_limit("lower_review", limit, start, what, stop=first, pauses=own)
            )

    def _from(self, event: Event) -> Start:
        return Start(event.occurred, ordinal(event.occurred))

    def _receipt(self, event: Event) -> Start:
        return _received(event.occurred, self.edition)

    def _pauses(
        self, raw: Sequence[Pause], start: datetime, stop: datetime | None
    ) -> tuple[Pause, ...]:
        """Clipped to the limit, overlapping ones united, in order."""
        if not raw:
            return ()
        limit = self.at if stop is None else min(stop, self.at)
        united: list[Pause] = []
        for pause in sorted(raw, key=lambda one: one.start):
            low, high = max(start, pause.start), min(pause.until, limit)
            open_end = None if stop is None else stop
            end = pause.end if pause.end is not None else open_end
            if end is not None and high <= low:
                continue
            if low > limit:
                continue
            last = united[-1] if united else None
            if last is not None and low <= last.until:
                ends = None if last.end is None or end is None else max(last.end, end)
                same = pause.why in last.why
                told = max((d for d in (last.told, pause.told) if d), default=None)
                papers = [p for p in (last.document, pause.document) if p]
                united[-1] = Pause(
                    last.start, ends, max(last.until, high),
                    last.why if same else f"{last.why}、{pause.why}", last.article, told,
                    "、".join(dict.fromkeys(papers)),
                )  # fmt: skip
            else:
                united.append(
                    Pause(low, end, high, pause.why, pause.article, pause.told, pause.document)
                )
        return tuple(united)

    # --- one limit ---------------------------------------------------------------------------

    def _by_rule(
        self, rule: Rule, start: Start, what: str, *, stop: datetime | None, silent: bool = False
    ) -> LimitReading:
        given = rule.given if self.licence else rule.alike
        return self.read_limit(rule.kind, given, start, what, stop=stop, pauses=(), silent=silent)

    def read_limit(
        self,
        kind: str,
        limit: Mapping[str, Any],
        start: Start,
        what: str,
        *,
        stop: datetime | None,
        pauses: tuple[Pause, ...],
        extended: Extension | None = None,
        silent: bool = False,
    ) -> LimitReading:
        """Count one limit. What happens after its end as it then stands changes nothing."""
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
        items: tuple[Pause | Extension, ...] = ()
        extra, late, suspended = 0, False, False
        if unit is _WORKING and not pauses and extended is None:  # the plain case, at once
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
            for item in _in_time(pauses, extended):
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
            state, met = LimitState.STOPPED, stop <= due and not silent
        else:
            met = False if until > due and not suspended else None
            if today < start.day or (until < start.moment and unit in _HOURS):
                state = LimitState.NOT_STARTED
            elif suspended:
                state = LimitState.SUSPENDED
            elif extra:
                state = LimitState.EXTENDED
            else:
                state = LimitState.RUNNING
        return LimitReading(
            kind, state, date.fromordinal(start.day), due, used, left, met,
            not self.calendar.known_between(start.day, last), value, extra, unit,
            basis, roll, stop, How(edition, what, start, items, late, silent),
        )  # fmt: skip

    def _told(self, kind: str, event: Event, due: datetime) -> LimitReading:
        """A deadline that another system says of its own case."""
        opened = self.opened or event
        stop = self.finish.occurred if self.finish else None
        start = self._from(opened)
        last, today = ordinal(due), self.today if stop is None else ordinal(stop)
        state = LimitState.STOPPED if stop is not None else LimitState.RUNNING
        met = stop <= due if stop is not None else False if self.at > due else None
        between = self.calendar.between
        return LimitReading(
            kind, state, date.fromordinal(start.day), due, between(start.day, today),
            between(today, last), met, False, 0, 0, Unit.WORKING_DAY, "来源系统", False, stop,
            How(self.edition, "收件", start),
        )  # fmt: skip


def _grants(event: Event) -> bool:
    """Whether an extension says for how long; another system may send anything."""
    days, unit = event.body.get("days"), event.body.get("unit") or Unit.WORKING_DAY
    return type(days) is int and 0 < days <= LONGEST[Unit.WORKING_DAY] and unit in _UNITS


def _extension(event: Event) -> Extension:
    return Extension(
        event.occurred,
        int(event.body.get("days", 0)),
        Unit(str(event.body.get("unit") or Unit.WORKING_DAY)),
        _number(event),
    )


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
    return event.nature == Nature.ACT or event.body.get("law") == LAW_NAME


def _in_time(pauses: Sequence[Pause], extended: Extension | None) -> list[Pause | Extension]:
    items: list[Pause | Extension] = list(pauses)
    if extended is not None:
        place = sum(1 for pause in pauses if pause.start <= extended.occurred)
        items.insert(place, extended)
    return items
