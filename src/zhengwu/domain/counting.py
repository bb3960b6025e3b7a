"""Counting one limit in its own unit (期限计算): when it ends, what is used and left.

Days are ordinals (`date.toordinal`) in Asia/Shanghai. 民法典 201-203: the day it begins is not
counted, a month ends on the corresponding day, an end on a day off moves on, the last day ends at
the close of business.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

from zhengwu.domain.edition import Edition
from zhengwu.domain.procedure import Unit

SHANGHAI = ZoneInfo("Asia/Shanghai")
# The same as Shanghai since 1991, long before the law; three times as fast to convert to.
EIGHT_HOURS = timedelta(hours=8)
EAST_8 = timezone(EIGHT_HOURS)
ZERO = timedelta()
HOUR = timedelta(hours=1)
# Looked up by the thousand.
_WORKING, _CALENDAR_DAY, _MONTH = Unit.WORKING_DAY, Unit.CALENDAR_DAY, Unit.MONTH
_HOUR, _OFFICE_HOUR = Unit.HOUR, Unit.OFFICE_HOUR
_HOURS = (_HOUR, _OFFICE_HOUR)


class Pause(NamedTuple):
    """Time that does not count, [start, end): end None while it lasts; until: the end, or where
    the reading stands. first, last: the days of start and until. told: up to when the applicant was
    told in writing; document: by which paper.
    """

    start: datetime
    end: datetime | None
    until: datetime
    first: int
    last: int
    why: str
    article: str
    told: date | None = None
    document: str = ""


class Extension(NamedTuple):
    """延期: days in `unit`, approved at an instant, by which paper."""

    occurred: datetime
    days: int
    unit: Unit = Unit.WORKING_DAY
    document: str = ""


class Start(NamedTuple):
    """Where a limit begins. day: not counted itself; filed: a receipt outside hours, if so."""

    moment: datetime
    day: int
    filed: datetime | None = None


def ordinal(moment: datetime) -> int:
    """The day of a moment in Shanghai."""
    zone = moment.tzinfo
    if zone is UTC:  # as the database gives them: five times as fast as a conversion
        return (moment + EIGHT_HOURS).toordinal()
    if zone is not SHANGHAI:
        moment = moment.astimezone(EAST_8)
    return moment.toordinal()


def local(moment: datetime) -> datetime:
    """A moment as a clock in Shanghai shows it: its day and time are to be read, not its zone."""
    zone = moment.tzinfo
    if zone is UTC:
        return moment + EIGHT_HOURS
    return moment if zone is SHANGHAI else moment.astimezone(EAST_8)


class Count:
    """A limit being counted: take pauses out and extend in the order in which they came."""

    __slots__ = (
        "_held", "_time", "_windows", "edition", "extra", "extra_unit", "roll", "rolled", "start",
        "unit", "value",
    )  # fmt: skip

    def __init__(self, edition: Edition, start: Start, value: int, unit: Unit, roll: bool) -> None:
        self.edition = edition
        self.start = start
        self.value = value
        self.unit = unit
        self.roll = roll
        self.rolled: int | None = None  # the day off from which the end moved
        self.extra = 0
        self.extra_unit = _WORKING
        self._held = 0  # days taken out
        self._time = ZERO  # time taken out
        self._windows: list[tuple[datetime, datetime]] = []

    def apply(self, pause: Pause) -> None:
        """Take a pause out of what is counted."""
        if self.unit is _WORKING:
            self._held += self.edition.calendar.between(pause.first, pause.last)
        elif self.unit in _HOURS:
            self._windows.append((pause.start, pause.until))
            self._time += self._between(pause.start, pause.until)
        else:
            self._held += pause.last - pause.first

    def extend(self, extension: Extension) -> None:
        """Make it longer."""
        self.extra, self.extra_unit = extension.days, extension.unit

    def held_by(self, pause: Pause) -> Sequence[date] | timedelta:
        """What one pause takes out: the days, or the time."""
        if self.unit in _HOURS:
            return self._between(pause.start, pause.until)
        first, last = pause.first, pause.last
        if self.unit is _WORKING:
            return self.edition.calendar.working_days(
                date.fromordinal(first), date.fromordinal(last)
            )
        return [date.fromordinal(day) for day in range(first + 1, last + 1)]

    @property
    def held(self) -> int | timedelta:
        """What all pauses together take out: days, or time."""
        return self._time if self.unit in _HOURS else self._held

    def end(self) -> tuple[datetime, int]:
        """The instant at which the period ends as it stands, and its day."""
        calendar, unit, extra = self.edition.calendar, self.unit, self.extra
        more = extra if self.extra_unit is _WORKING else 0
        self.rolled = None
        if unit is _WORKING:
            day = calendar.nth(self.start.day, self.value + self._held + more)
            if more != extra:
                day = calendar.nth(day + extra, 0)
            return self.edition.close(day), day
        if unit is _HOUR:
            first = (self.start.moment + timedelta(hours=self.value)).astimezone(SHANGHAI)
            moment = first + self._time
            day = self._rolled(moment.toordinal())
            # 45: a pause never brings nearer an end that a day off before it has put off.
            if (
                self._time
                and self.roll
                and first.toordinal() < day
                and not calendar.open_on(day - 1)
            ):
                self.rolled = day - 1
            if self.rolled is not None:
                moment = max(moment, self.edition.close(day))
            return self._later(moment, day)
        if unit is _OFFICE_HOUR:
            moment = self._office_end()
            # 45: a pause within the extension takes its working days out of it.
            between = calendar.between
            held = sum(between(ordinal(a), ordinal(b)) for a, b in self._windows if a > moment)
            return self._later(moment, moment.toordinal(), held=held if extra else 0)
        day = self.start.day
        if unit is _CALENDAR_DAY:
            day += self.value
        else:
            day = _months(day, self.value if unit is _MONTH else 12 * self.value)
        day = self._rolled(day + self._held + (extra - more))
        if more:
            day = calendar.nth(day, more)
        return self.edition.close(day), day

    def used_left(self, today: int, until: datetime, last: int, due: datetime) -> tuple[int, int]:
        """Used and left at an instant, in the unit; their sum is the limit and its extension."""
        unit, begins = self.unit, self.start.day
        if unit is _WORKING:
            between = self.edition.calendar.between
            used = max(0, between(begins, today) - self._held)
            if self.extra_unit is _WORKING:
                return used, self.value + self.extra - used
            return used, between(begins, last) - self._held - used
        if unit in _HOURS:
            used = _whole(self._passed(until))
            return used, (_whole(self._passed(due)) if self.extra else self.value) - used
        used = max(0, today - begins - self._held)
        return used, last - begins - self._held - used

    def _rolled(self, day: int) -> int:
        if not self.roll or self.edition.calendar.open_on(day):
            return day
        self.rolled = day
        return self.edition.calendar.nth(day, 0)

    def _later(self, moment: datetime, day: int, *, held: int = 0) -> tuple[datetime, int]:
        if self.extra:
            if self.extra_unit is _WORKING:
                day = self.edition.calendar.nth(day, self.extra + held)
            else:
                day = self.edition.calendar.nth(day + self.extra, held)
            moment = self.edition.close(day)
        return moment, day

    def _office_end(self) -> datetime:
        edition, cursor = self.edition, self.start.moment
        left = timedelta(hours=self.value)
        for low, high in self._windows:
            inside = edition.office_time(cursor, max(cursor, low))
            if left <= inside:
                break
            left -= inside
            cursor = max(cursor, high)
        return edition.after_office_time(cursor, left)

    def _between(self, low: datetime, high: datetime) -> timedelta:
        """Time that would count between two moments."""
        if self.unit is _HOUR:
            return max(ZERO, high - low)
        return self.edition.office_time(low, high)

    def _passed(self, moment: datetime) -> timedelta:
        """Time counted from the start to a moment: without the pauses before it."""
        passed = self._between(self.start.moment, moment)
        for low, high in self._windows:
            passed -= self._between(low, min(high, moment))
        return passed


def _whole(length: timedelta) -> int:
    return max(0, length // HOUR)


def _months(start: int, count: int) -> int:
    """The corresponding day count months later, else the month's last day (民法典 202)."""
    begins = date.fromordinal(start)
    month = begins.month - 1 + count
    year, month = begins.year + month // 12, month % 12 + 1
    for day in range(begins.day, 0, -1):
        try:
            return date(year, month, day).toordinal()
        except ValueError:
            continue
    raise ValueError(f"no such month: {year}-{month}")
