"""A year on one page (全年日历): twelve months, and by what each day is what it is."""

from __future__ import annotations

import calendar as weeks
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from zhengwu.domain.calendar import Calendar
from zhengwu.domain.notices import WEEKDAYS


@dataclass(frozen=True, slots=True)
class Square:
    """One day of a month. mark: 休, 班 or nothing; tone: on | end | off or nothing."""

    day: date
    tone: str
    mark: str
    said: str
    today: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days of one name, off or worked, that follow each other (as in a notice)."""

    name: str
    off: bool
    days: tuple[date, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Run:
    """Days that follow each other, and what is said of all of them."""

    days: tuple[date, ...]
    what: tuple[object, ...]

    @property
    def zh(self) -> str:
        """2027-02-05 周五 至 02-11 周四."""
        first, last = self.days[0], self.days[-1]
        if first == last:
            return _dated(first)
        year = "" if last.year == first.year else f"{last.year}-"
        return f"{_dated(first)} 至 {year}{_dated(last)[5:]}"


def months(
    calendar: Calendar, year: int, *, today: date
) -> tuple[tuple[tuple[Square | None, ...], ...], ...]:
    """Month by month the weeks, Monday first; None outside the month."""
    return tuple(
        tuple(
            tuple(_square(calendar, day, month, today) for day in week)
            for week in weeks.Calendar().monthdatescalendar(year, month)
        )
        for month in range(1, 13)
    )


def _dated(day: date) -> str:
    return f"{day.isoformat()} 周{WEEKDAYS[day.weekday()]}"


def _square(calendar: Calendar, day: date, month: int, today: date) -> Square | None:
    if day.month != month:
        return None
    told = calendar.is_working_day(day)
    weekend = day.weekday() >= 5
    named = told.reason not in ("工作日", "周末")
    if told.working:
        tone, mark = ("end", "班") if weekend else ("", "")
    else:
        tone, mark = ("on", "休") if named else ("off", "")
    notice = (told.notice or "").partition(" http")[0]
    said = f"{told.reason}，{notice}" if named and notice else told.reason
    return Square(day, tone, mark, said, day == today)


def stretches(calendar: Calendar, year: int) -> tuple[Stretch, ...]:
    """The named days of a year as runs of one name and kind, in order."""
    days = calendar.named_days(date(year - 1, 12, 31), date(year, 12, 31))
    rows = [(calendar.is_working_day(day), day) for day in days]

    def kind(row: tuple[object, date]) -> tuple[str, bool, str]:
        told = calendar.is_working_day(row[1])
        return told.reason, told.working, told.notice or ""

    return tuple(
        Stretch(name, not working, tuple(day for _, day in group), source)
        for (name, working, source), group in groupby(rows, key=kind)
    )


def runs(rows: Sequence[tuple[date, Sequence[object]]]) -> tuple[Run, ...]:
    """Days of which the same is said and that follow each other, as a notice says them."""
    found: list[tuple[list[date], Sequence[object]]] = []
    for day, what in rows:
        if found and found[-1][1] == what and (day - found[-1][0][-1]).days == 1:
            found[-1][0].append(day)
        else:
            found.append(([day], what))
    return tuple(Run(tuple(days), tuple(what)) for days, what in found)


def said(days: Sequence[date]) -> str:
    """Days in words: 1 月 1 日至 3 日；2 月 14 日、2 月 28 日."""
    parts: list[list[date]] = []
    for day in days:
        if parts and (day - parts[-1][-1]).days == 1:
            parts[-1].append(day)
        else:
            parts.append([day])
    return "、".join(
        f"{one[0].month} 月 {one[0].day} 日"
        + (f"至 {one[-1].month} 月 {one[-1].day} 日" if len(one) > 1 else "")
        for one in parts
    )
