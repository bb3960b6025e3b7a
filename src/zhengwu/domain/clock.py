"""The lawful clock (法定时钟): a pure function of the events known, the rules and the calendar.

`read` says of every limit when it began, when it ends, what is used and left, and why, line by
line with the article. Nothing is stored and nothing counts down; a correction, a late entry or a
new calendar is a new reading. It reads bitemporally: what was known at a position of the log, at
an instant. Law is counted in Asia/Shanghai.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from zhengwu.domain.calendar import Calendar, OfficeHours
from zhengwu.domain.event import Event
from zhengwu.domain.lifecycle import PROCEDURES, standing_events
from zhengwu.domain.procedure import UNITS_ZH, Unit

SHANGHAI = ZoneInfo("Asia/Shanghai")
WEEKDAYS = "一二三四五六日"
NEAR = 2  # working days left at which the light turns yellow: a setting of the house


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit of general law with its dates of force (一般法定期限)."""

    kind: str
    value: int
    unit: Unit
    basis: str
    since: date
    until: date | None = None


Rules = Sequence[Rule]
IN_FORCE = date(2004, 7, 1)  # 行政许可法

LAW: Rules = (
    Rule("acceptance", 5, Unit.WORKING_DAY, "行政许可法 第三十二条第一款第四项", IN_FORCE),
    Rule("statutory", 20, Unit.WORKING_DAY, "行政许可法 第四十二条第一款", IN_FORCE),
    Rule("extension", 10, Unit.WORKING_DAY, "行政许可法 第四十二条第一款", IN_FORCE),
    Rule("delivery", 10, Unit.WORKING_DAY, "行政许可法 第四十四条", IN_FORCE),
)
NAMES = {
    "statutory": "法定决定",
    "promised": "承诺决定",
    "step": "本环节",
    "acceptance": "答复是否受理",
    "delivery": "送达",
}


class LimitState(StrEnum):
    """How a limit stands."""

    NOT_STARTED = "not_started"
    RUNNING = "running"
    SUSPENDED = "suspended"
    EXTENDED = "extended"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the derivation. days: how many it adds to the due day; 0 where it only explains."""

    text: str
    article: str | None
    days: int = 0


@dataclass(frozen=True, slots=True)
class LimitReading:
    """One limit read. used, left: working days (in the limit's own unit for others); left is
    negative when overdue. met: None while it runs in time. warn: when it becomes near.
    """

    kind: str
    name: str
    state: LimitState
    start: date
    due: datetime
    warn: datetime
    used: int
    left: int
    met: bool | None
    provisional: bool
    value: int
    unit: Unit
    basis: str
    stopped_at: datetime | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Light:
    """A light (期限灯): shape, colour and word go together in the page."""

    code: str  # green | yellow | red | over | pause
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """All limits of a case at an instant."""

    at: datetime
    limits: tuple[LimitReading, ...]
    waiting: str | None  # why nothing runs although the case is open
    ended: bool
    calendar: Calendar

    def limit(self, kind: str) -> LimitReading | None:
        return next((one for one in self.limits if one.kind == kind), None)

    @property
    def due(self) -> LimitReading | None:
        """The limit that presses now: the earliest that runs; steps press only inside."""
        live = [
            one
            for one in self.limits
            if one.kind != "step" and one.state not in (LimitState.STOPPED, LimitState.NOT_STARTED)
        ]
        return min(live, key=lambda one: one.due, default=None)

    def light(self, at: datetime) -> Light:
        if self.ended:
            return Light("green", "已办结")
        pressing = self.due
        if pressing is None:
            return Light("pause", self.waiting) if self.waiting else Light("green", "不计时限")
        return light(
            due=pressing.due,
            suspended=pressing.state == LimitState.SUSPENDED,
            stopped=False,
            at=at,
            calendar=self.calendar,
        )


def light(
    *, due: datetime | None, suspended: bool, stopped: bool, at: datetime, calendar: Calendar
) -> Light:
    """The light of a due instant, as lists show it from the cached column."""
    if stopped:
        return Light("green", "已办结")
    if suspended:
        return Light("pause", "暂停计时")
    if due is None:
        return Light("green", "不计时限")
    today, day = _day(at), _day(due)
    if at > due:
        over = calendar.working_days_between(day, today)
        return Light("over", f"超期 {over} 个工作日" if over else "今天已超期")
    left = calendar.working_days_between(today, day)
    if today == day:
        return Light("red", "今天到期")
    return Light("yellow" if left <= NEAR else "green", f"剩 {left} 个工作日")


def _day(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()


def _days_words(days: Sequence[date]) -> str:
    """9 月 28、29 日，10 月 8 日: the month is said once."""
    months: dict[tuple[int, int], list[str]] = {}
    for day in days:
        months.setdefault((day.year, day.month), []).append(str(day.day))
    return "，".join(f"{month} 月 {'、'.join(listed)} 日" for (_, month), listed in months.items())


def _moment_words(moment: datetime) -> str:
    local = moment.astimezone(SHANGHAI)
    return f"{local.month} 月 {local.day} 日 {local:%H:%M}"


def words(day: date) -> str:
    """11 月 30 日（周一）."""
    return f"{day.month} 月 {day.day} 日（周{WEEKDAYS[day.weekday()]}）"


@dataclass(frozen=True, slots=True)
class _Pause:
    """Time that does not count, [start, end): end None while it lasts."""

    start: datetime
    end: datetime | None
    why: str
    article: str
    told: date | None = None


@dataclass(frozen=True, slots=True)
class _End:
    """The instant a period ends. provisional: it rests on a calendar not published yet."""

    when: datetime
    provisional: bool


def read(
    events: Sequence[Event],
    *,
    at: datetime,
    known: int | None = None,
    rules: Rules,
    calendar: Calendar,
    hours: OfficeHours,
) -> Reading:
    """Read the clock. known: only events with a position up to this; None: all that are given."""
    if known is not None:
        events = [e for e in events if e.position is not None and e.position <= known]
    counting = standing_events(events)
    past = [e for e in counting if e.occurred <= at]
    reader = _Reader(past, at, rules, calendar, hours)
    limits = reader.limits()
    kinds = {e.kind for e in past}
    ended = "closed" in kinds or "delivered" in kinds
    waiting = None
    if not ended:
        last = next((e.kind for e in reversed(past) if e.kind in _WAITS), None)
        waiting = _WAITS.get(last or "")
    return Reading(at, limits, waiting, ended, calendar)


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
_ENDS_DECISION = ("granted", "refused", "withdrawn", "terminated", "decided", "closed")
_ENDS_ACCEPTANCE = (
    "accepted", "deemed_accepted", "supplement_requested", "not_needed", "not_ours", "withdrawn",
    "closed",
)  # fmt: skip


@dataclass(slots=True)
class _Reader:
    events: Sequence[Event]
    at: datetime
    rules: Rules
    calendar: Calendar
    hours: OfficeHours

    def limits(self) -> tuple[LimitReading, ...]:
        found: list[LimitReading] = []
        acceptance = self._acceptance()
        if acceptance:
            found.append(acceptance)
        found.extend(self._decisions())
        step = self._step()
        if step:
            found.append(step)
        delivery = self._delivery()
        if delivery:
            found.append(delivery)
        return tuple(found)

    def _rule(self, kind: str, on: date) -> Rule | None:
        for rule in self.rules:
            if rule.kind == kind and rule.since <= on and (rule.until is None or on < rule.until):
                return rule
        return None

    def _last(self, kinds: Sequence[str], *, after: datetime | None = None) -> Event | None:
        for event in reversed(self.events):
            if event.kind in kinds and (after is None or event.occurred >= after):
                return event
        return None

    def _first(self, kinds: Sequence[str], *, version: int = 0) -> Event | None:
        return next((e for e in self.events if e.kind in kinds and e.version > version), None)

    def _acceptance(self) -> LimitReading | None:
        start = self._last(("received", "supplemented"))
        if start is None or start.nature != "act":
            return None
        rule = self._rule("acceptance", _day(start.occurred))
        if rule is None:
            return None
        stop = self._first(_ENDS_ACCEPTANCE, version=start.version)
        what = "收到申请材料" if start.kind == "received" else "收到补正材料"
        return self._limit(
            rule.kind, rule.value, rule.unit, rule.basis, start.occurred, what,
            stop=stop.occurred if stop else None, pauses=(), extended=None,
            missed=stop is not None and stop.kind == "deemed_accepted",
        )  # fmt: skip

    def _decisions(self) -> list[LimitReading]:
        accepted = self._first(("accepted", "deemed_accepted"))
        if accepted is None or accepted.nature != "act":
            return []
        start, what = accepted.occurred, "受理"
        if accepted.kind == "deemed_accepted":
            received = self._last(("received", "supplemented"), after=None)
            start = received.occurred if received else start
            what = "收到申请材料（逾期未告知，自收到之日起即为受理）"
        stop = self._first(_ENDS_DECISION, version=accepted.version)
        extended = self._first(("extended",), version=accepted.version)
        pauses = self._pauses(until=stop.occurred if stop else None)
        rows = []
        limits = accepted.body.get("limits")
        if limits is None:  # the entry is silent: general law (an empty list says there is none)
            rule = self._rule("statutory", _day(start))
            limits = (
                [{"kind": rule.kind, "value": rule.value, "unit": rule.unit, "basis": rule.basis}]
                if rule else []
            )  # fmt: skip
        for limit in limits:
            rows.append(
                self._limit(
                    str(limit["kind"]), int(limit["value"]), Unit(str(limit["unit"])),
                    str(limit["basis"]), start, what,
                    stop=stop.occurred if stop else None, pauses=pauses, extended=extended,
                )
            )  # fmt: skip
        return rows

    def _step(self) -> LimitReading | None:
        taken = self._last(("step_taken",))
        if taken is None or not isinstance(limit := taken.body.get("limit"), Mapping):
            return None
        stop = self._first(("step_done", *_ENDS_DECISION), version=taken.version)
        return self._limit(
            "step", int(limit["value"]), Unit(str(limit["unit"])), str(limit["basis"]),
            taken.occurred, "接办本环节", stop=stop.occurred if stop else None,
            pauses=self._pauses(until=stop.occurred if stop else None, after=taken.occurred),
            extended=None,
        )  # fmt: skip

    def _delivery(self) -> LimitReading | None:
        granted = self._first(("granted",))
        if granted is None or granted.nature != "act":
            return None
        rule = self._rule("delivery", _day(granted.occurred))
        if rule is None:
            return None
        stop = self._first(("delivered", "closed"), version=granted.version)
        return self._limit(
            rule.kind, rule.value, rule.unit, rule.basis, granted.occurred, "准予",
            stop=stop.occurred if stop else None, pauses=(), extended=None,
        )  # fmt: skip

    def _pauses(
        self, *, until: datetime | None, after: datetime | None = None
    ) -> tuple[_Pause, ...]:
        """Special procedures (and forwarding) as intervals, overlaps united."""
        raw: list[_Pause] = []
        begun: list[Event] = []
        for event in self.events:
            if event.kind in ("suspended", "forwarded"):
                begun.append(event)
            elif event.kind in ("resumed", "came_back"):
                started = "suspended" if event.kind == "resumed" else "forwarded"
                named = event.body.get("procedure")
                for start in tuple(begun):
                    if start.kind == started and named in (None, start.body.get("procedure")):
                        begun.remove(start)
                        raw.append(self._pause(start, event.occurred))
        raw.extend(self._pause(start, until) for start in begun)
        raw.sort(key=lambda pause: pause.start)
        united: list[_Pause] = []
        for pause in raw:
            if after is not None and pause.end is not None and pause.end <= after:
                continue
            last = united[-1] if united else None
            if last and (last.end is None or pause.start <= last.end):
                end = None if last.end is None or pause.end is None else max(last.end, pause.end)
                why = last.why if pause.why in last.why else f"{last.why}、{pause.why}"
                told = max((d for d in (last.told, pause.told) if d), default=None)
                united[-1] = _Pause(last.start, end, why, last.article, told)
            else:
                united.append(pause)
        return tuple(united)

    def _pause(self, start: Event, end: datetime | None) -> _Pause:
        if start.kind == "forwarded":
            return _Pause(start.occurred, end, "转报上级，等待批复", "行政许可法 第四十三条")
        procedure = str(start.body.get("procedure", ""))
        told: Any = start.body.get("until")
        return _Pause(
            start.occurred,
            end,
            PROCEDURES.get(procedure, procedure),
            "行政许可法 第四十五条",
            date.fromisoformat(str(told)) if told else None,
        )

    def _limit(
        self,
        kind: str,
        value: int,
        unit: Unit,
        basis: str,
        start: datetime,
        what: str,
        *,
        stop: datetime | None,
        pauses: tuple[_Pause, ...],
        extended: Event | None,
        missed: bool = False,
    ) -> LimitReading:
        begins = _day(start)
        until = min(stop, self.at) if stop else self.at
        today = _day(until)
        what_is_counted = "即时起算" if unit == Unit.HOUR else "当日不计，次日起算"
        lines = [Line(f"{words(begins)}{what}，{what_is_counted}", "民法典 第二百零一条")]
        plain = self._end(start, value, unit)
        lines.append(
            Line(
                f"{NAMES.get(kind, kind)}期限 {value} {UNITS_ZH[unit]}，到 {words(_day(plain.when))}"
                if value
                else f"{NAMES.get(kind, kind)}：当场办理",
                basis,
                value,
            )
        )
        if unit == Unit.WORKING_DAY and (skipped := self._skipped(begins, _day(plain.when))):
            lines.append(skipped)
        paused = 0
        paused_time = timedelta()
        suspended = False
        due = plain
        for pause in pauses:
            if pause.start > due.when:
                continue  # a period that has ended cannot stand still any more
            if pause.end is None and stop is None:
                suspended = True
            low = max(start, pause.start)
            high = until if pause.end is None else min(pause.end, until)
            if high <= low:
                continue
            held = self.calendar.working_days(_day(low), _day(high))
            paused += len(held)
            paused_time += high - low
            lines.append(self._pause_line(pause, held, high))
            due = self._end(start, value, unit, paused=paused, paused_time=paused_time)
        if due.when != plain.when:
            amount = _hours(paused_time) if unit == Unit.HOUR else f"{paused} 个工作日"
            lines.append(
                Line(f"顺延 {amount}，到 {words(_day(due.when))}", "行政许可法 第四十五条")
            )
        # 行政许可法 42: what had expired before is not extended any more.
        in_time = extended is not None and extended.occurred <= due.when
        extra = int(extended.body.get("days", 0)) if extended and in_time else 0
        if extra:
            due = self._end(start, value, unit, paused=paused, paused_time=paused_time, extra=extra)
            lines.append(
                Line(
                    f"经本机关负责人批准延长 {extra} 个工作日，到 {words(_day(due.when))}",
                    "行政许可法 第四十二条",
                    extra,
                )
            )
        end = due.when
        lines.append(
            Line(f"到 {_moment_words(end)} 为止", "民法典 第二百零一条第二款")
            if unit == Unit.HOUR
            else Line(f"到当日下班时间 {self.hours.closes:%H:%M} 为止", "民法典 第二百零三条")
        )
        if due.provisional:
            lines.append(
                Line(
                    "国务院尚未公布有关年份的放假安排，这个日期是暂定的", "全国年节及纪念日放假办法"
                )
            )
        last = _day(end)
        if unit == Unit.WORKING_DAY:
            used = max(0, self.calendar.working_days_between(begins, today) - paused)
            left = (
                self.calendar.working_days_between(today, last)
                if stop is None
                else value + extra - used
            )
        elif unit == Unit.HOUR:
            used = (until - start - paused_time) // timedelta(hours=1)
            left = (end - until) // timedelta(hours=1)
        else:
            used = (today - begins).days
            left = (last - today).days
        met: bool | None
        if stop is not None and stop <= self.at:
            state = LimitState.STOPPED
            met = stop <= end and not missed
            how = f"，用 {used} 个工作日" if unit == Unit.WORKING_DAY else ""
            late = "" if met else "，逾期未答复" if missed else "，已超期"
            lines.append(Line(f"{words(_day(stop))}完成{how}{late}", None))
        else:
            state = (
                LimitState.SUSPENDED if suspended
                else LimitState.EXTENDED if extra
                else LimitState.RUNNING
            )  # fmt: skip
            met = False if not suspended and self.at > end else None
        warn_day = self.calendar.add_working_days(last, -NEAR).day
        return LimitReading(
            kind=kind,
            name=NAMES.get(kind, kind),
            state=state,
            start=begins,
            due=end,
            warn=datetime.combine(warn_day, time(), tzinfo=SHANGHAI),
            used=used,
            left=left,
            met=met,
            provisional=due.provisional,
            value=value,
            unit=unit,
            basis=basis,
            stopped_at=stop,
            lines=tuple(lines),
        )

    def _end(
        self,
        start: datetime,
        value: int,
        unit: Unit,
        *,
        paused: int = 0,
        paused_time: timedelta = timedelta(),
        extra: int = 0,
    ) -> _End:
        """When a period ends (民法典 201-203), later by what did not count and by an extension.

        A period in hours runs from its moment on; all others end at the close of business.
        """
        begins = _day(start)
        calendar = self.calendar
        if unit == Unit.HOUR:
            moment = (start + timedelta(hours=value) + paused_time).astimezone(SHANGHAI)
            rolled = calendar.roll(moment.date())
            if rolled.day != moment.date():
                moment = self._close(rolled.day)
            if extra:
                later = calendar.add_working_days(moment.date(), extra)
                return _End(self._close(later.day), later.provisional)
            return _End(moment, rolled.provisional)
        if unit == Unit.WORKING_DAY:
            due = calendar.add_working_days(begins, value + paused + extra)
            return _End(self._close(due.day), due.provisional)
        if unit == Unit.MONTH:
            due = calendar.roll(_months(begins, value))
        elif unit == Unit.YEAR:
            due = calendar.roll(_months(begins, 12 * value))
        else:
            due = calendar.roll(begins + timedelta(days=value))
        later = calendar.add_working_days(due.day, paused + extra)
        return _End(self._close(later.day), due.provisional or later.provisional)

    def _close(self, day: date) -> datetime:
        return datetime.combine(day, self.hours.closes, tzinfo=SHANGHAI)

    def _pause_line(self, pause: _Pause, held: Sequence[date], high: datetime) -> Line:
        ending = "起" if pause.end is None else f" 至 {_moment_words(high)} "
        days = f"：{_days_words(held[:30])}{'等' if len(held) > 30 else ''}" if held else ""
        told = f"；已书面告知到 {words(pause.told)}" if pause.told else ""
        return Line(
            f"{_moment_words(pause.start)}{ending}{pause.why}，{len(held)} 个工作日不计{days}{told}",
            pause.article,
            len(held),
        )

    def _skipped(self, start: date, end: date) -> Line | None:
        """Which holidays and worked weekends lie in between, so that the count can be checked."""
        named = self.calendar.named_days(start, end)
        off = [day for day in named if self.calendar.days[day] and day.weekday() < 5]
        on = [day for day in named if not self.calendar.days[day] and day.weekday() >= 5]
        parts = []
        if off:
            parts.append(f"放假不计：{_days_words(off)}")
        if on:
            parts.append(f"周末上班照计：{_days_words(on)}")
        return Line("；".join(parts), "行政许可法 第八十二条") if parts else None


def _hours(length: timedelta) -> str:
    return f"{length // timedelta(hours=1)} 小时"


def _months(start: date, count: int) -> date:
    """The corresponding day count months later, else the month's last day (民法典 202)."""
    month = start.month - 1 + count
    year, month = start.year + month // 12, month % 12 + 1
    for day in range(start.day, 0, -1):
        try:
            return date(year, month, day)
        except ValueError:
            continue
    raise ValueError(f"no such month: {year}-{month}")
