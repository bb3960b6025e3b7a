"""What the clock says of a case at an instant (时钟读数): values, no counting."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from zhengwu.domain import derivation
from zhengwu.domain.calendar import Calendar, Due
from zhengwu.domain.counting import Extension, Pause, Start, ordinal
from zhengwu.domain.derivation import TOLD, Line
from zhengwu.domain.edition import Edition
from zhengwu.domain.procedure import Unit

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEAR = 2  # working days left at which the light turns yellow: a setting of the house
NAMES = {
    "statutory": "法定决定",
    "promised": "承诺决定",
    "joint": "联合办理",
    "lower_review": "初审转报",
    "step": "本环节",
    "acceptance": "答复是否受理",
    "delivery": "送达",
    "claim": "来源系统自报",
    "planned": "来源系统计划",
}
ASIDE = frozenset({"step", "planned"})  # press only inside, or bind nobody


class LimitState(StrEnum):
    """How a limit stands (期限状态)."""

    NOT_STARTED = "not_started"
    RUNNING = "running"
    SUSPENDED = "suspended"
    EXTENDED = "extended"
    STOPPED = "stopped"


STATES_ZH = {
    LimitState.NOT_STARTED: "未起算",
    LimitState.RUNNING: "计时中",
    LimitState.SUSPENDED: "暂停计时",
    LimitState.EXTENDED: "已延期",
    LimitState.STOPPED: "已停止",
}


_QUIET = (LimitState.SUSPENDED, LimitState.NOT_STARTED)


class Switch(NamedTuple):
    """改用新版本: at which instant a transitional clause replaced the limit, by which version of the
    guide, and what the limit was before.
    """

    occurred: datetime
    version: int
    value: int
    unit: Unit


class How(NamedTuple):
    """What a due date was counted from, for the derivation: the pauses and the extension that
    counted, in time order; whether an extension came too late; whether the organ kept silent; the
    transitional clauses that changed the limit, in time order.
    """

    edition: Edition
    what: str
    start: Start
    items: tuple[Pause | Extension, ...] = ()
    late: bool = False
    silent: bool = False
    switches: tuple[Switch, ...] = ()


class LimitReading(NamedTuple):
    """One limit read. value, extra: in its unit (an extension mostly in working days). used, left:
    in its unit, months and years in calendar days; left is negative when overdue. met: None while
    it runs in time.

    A named tuple: it is made by the thousand, in a third of a frozen dataclass's time.
    """

    kind: str
    state: LimitState
    due: datetime
    used: int
    left: int
    met: bool | None
    value: int
    extra: int
    unit: Unit
    basis: str
    roll: bool
    stopped_at: datetime | None
    how: How

    @property
    def start(self) -> date:
        """The day it begins, not counted itself."""
        return date.fromordinal(self.how.start.day)

    @property
    def provisional(self) -> bool:
        """Whether a year without a notice lies within. A deadline that is told rests on no
        calendar of ours.
        """
        calendar = self.how.edition.calendar
        return self.kind not in TOLD and not calendar.known_between(
            self.how.start.day, ordinal(self.due)
        )

    @property
    def name(self) -> str:
        return NAMES.get(self.kind, self.kind)

    @property
    def state_zh(self) -> str:
        return STATES_ZH[self.state]

    @property
    def warn(self) -> datetime:
        """When it becomes near: the beginning of the working day NEAR before the last."""
        return self.how.edition.before(ordinal(self.due), NEAR)

    @property
    def asks(self) -> bool:
        """Whether it asks for attention: what stands still does not, its end moves every day."""
        return self.stopped_at is None and self.state not in _QUIET and self.kind not in TOLD

    def calls(self) -> tuple[tuple[str, datetime], ...]:
        """Level and instant at which it asks for attention while it runs: near | over."""
        over = ("over", self.due)
        warn, switches = self.warn, self.how.switches
        if warn.toordinal() <= self.how.start.day:
            return (over,)
        # A clause that brought the end nearer did not bring it near before it held.
        near = max(warn, switches[-1].occurred) if switches else warn
        return ("near", near), over

    @property
    def last(self) -> Due:
        """The day on which it ends, and whether that is provisional."""
        return Due(self.due.astimezone(SHANGHAI).date(), self.provisional)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The derivation in words, made when asked for."""
        return derivation.lines(self)


class Light(NamedTuple):
    """A light (期限灯): shape, colour and word go together in the page."""

    code: str  # green | yellow | red | over | pause
    text: str


class Alarm(NamedTuple):
    """An instant at which a running limit asks for attention. level: near | over."""

    limit: str
    level: str
    at: datetime
    due: datetime


class Reading(NamedTuple):
    """All limits of a case at an instant."""

    at: datetime
    limits: tuple[LimitReading, ...]
    waiting: str | None  # why nothing runs although the case is open
    ended: bool
    edition: Edition

    def limit(self, kind: str) -> LimitReading | None:
        """The last of a kind: of several rounds of acceptance the present one."""
        return next((one for one in reversed(self.limits) if one.kind == kind), None)

    @property
    def former(self) -> tuple[LimitReading, ...]:
        """The rounds of acceptance before the present one."""
        return tuple([one for one in self.limits if one.kind == "acceptance"][:-1])

    @property
    def calendar(self) -> Calendar:
        return self.edition.calendar

    @property
    def due(self) -> LimitReading | None:
        """The limit that presses now: the earliest that runs; steps press only inside."""
        found: LimitReading | None = None
        for one in self.limits:
            if (
                one.stopped_at is None
                and one.kind not in ASIDE
                and one.state != LimitState.NOT_STARTED
            ) and (found is None or one.due < found.due):
                found = one
        return found

    @property
    def state(self) -> LimitState:
        """How the case stands to its limits: that of the pressing one."""
        pressing = self.due
        if pressing is not None:
            return pressing.state
        return LimitState.STOPPED if self.limits else LimitState.NOT_STARTED

    def alarms(self) -> tuple[Alarm, ...]:
        """The instants at which running limits become near and are over, past ones too.

        What stands still has none: its end moves every day.
        """
        found = []
        for one in self.limits:
            if one.asks:
                found += [Alarm(one.kind, level, when, one.due) for level, when in one.calls()]
        return tuple(found)

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
    today, day = at.astimezone(SHANGHAI).date(), due.astimezone(SHANGHAI).date()
    if at > due:
        over = calendar.working_days_between(day, today)
        return Light("over", f"超期 {over} 个工作日" if over else "今天已超期")
    left = calendar.working_days_between(today, day)
    if today == day:
        return Light("red", "今天到期")
    return Light("yellow" if left <= NEAR else "green", f"剩 {left} 个工作日")
