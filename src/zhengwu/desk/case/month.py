"""Day by day (逐日推算): the calendar beside "why this day"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from zhengwu.domain.calendar import Calendar
from zhengwu.domain.clock import LimitReading
from zhengwu.domain.counting import Pause
from zhengwu.domain.derivation import TOLD
from zhengwu.domain.procedure import Unit
from zhengwu.web import words

MOST_WEEKS = 16
WORKING = (Unit.WORKING_DAY, Unit.OFFICE_HOUR)
COUNTED = (Unit.WORKING_DAY, Unit.CALENDAR_DAY, Unit.MONTH, Unit.YEAR)


class Square(NamedTuple):
    """One day. shown: its day, on the first square and on the first of a month with the month; tone:
    filed | key | on | no | left | off | end | out; note: what stands under the number; said: the same
    in words.
    """

    shown: str
    tone: str
    note: str
    today: bool
    said: str


@dataclass(frozen=True, slots=True)
class Month:
    """The picture of one limit. named: days that are not as the plain week, and by what."""

    weeks: tuple[tuple[Square, ...], ...]
    tones: frozenset[str]
    named: tuple[str, ...]


def month(limit: LimitReading, *, today: date) -> Month | None:
    """The weeks from the receipt or the start to the end or today, Monday first; None where they
    are too many or the limit is another system's.

    Pauses: first and last day of each, both not counted when they are days after the first.
    """
    if limit.kind in TOLD:
        return None
    calendar = limit.how.edition.calendar
    start, end = limit.start, words.local(limit.due).date()
    filed = words.local(limit.how.start.filed).date() if limit.how.start.filed else start
    last = max(end, min(today, end + timedelta(days=14)))
    first = filed - timedelta(days=filed.weekday())
    final = last + timedelta(days=6 - last.weekday())
    if (final - first).days > MOST_WEEKS * 7:
        return None
    until = today
    if limit.stopped_at is not None:
        until = min(today, words.local(limit.stopped_at).date())
    held = {day for item in limit.how.items if isinstance(item, Pause) for day in _days(item)}
    squares: list[Square] = []
    counted = 0
    # What was filed was filed on the day it starts or before; it ends then or later.
    working, numbered = limit.unit in WORKING, limit.unit in COUNTED
    unit = "个工作日" if limit.unit == Unit.WORKING_DAY else "日"
    for offset in range((final - first).days + 1):
        day = first + timedelta(days=offset)
        tone, note, said = "out", "", ""
        if start < day:
            what = calendar.is_working_day(day)
            if day > end:
                if not what.working:
                    tone, note = "off", _off(what.reason)
            elif working and not what.working:
                tone, note = "off", _off(what.reason)
                said = "休息，不计" if what.reason == "周末" else f"{what.reason}，不计"
            elif day in held:
                tone, note, said = "no", "❚❚", "暂停，不计"
            else:
                counted += 1
                tone, said = "on" if day <= until else "left", "计入"
                if numbered:
                    note, said = str(counted), f"第 {counted} {unit}"
        elif day == start:
            tone, note = "key", "起"
            said = "视为这天收到，当日不计" if filed != start else "起算日，当日不计"
        elif day == filed:
            tone, note, said = "filed", "收到", "这天在办公时间以外收到材料"
        if day == end:
            tone, note, said = "end", "到期", f"{said}，到期日" if said else "到期日"
        shown = f"{day.month}-{day.day}" if not offset or day.day == 1 else str(day.day)
        squares.append(Square(shown, tone, note, day == today, said))
    weeks = tuple(tuple(squares[i : i + 7]) for i in range(0, len(squares), 7))
    return Month(weeks, frozenset(one.tone for one in squares), named(calendar, first, end))


def named(calendar: Calendar, first: date, end: date) -> tuple[str, ...]:
    """Days of notices and local arrangements in between that differ from the plain week."""
    groups: dict[tuple[str, bool, str], list[date]] = {}
    for day in calendar.named_days(first - timedelta(days=1), end):
        works = calendar.works(day)
        if works == (day.weekday() < 5):
            continue
        source = calendar.sources.get(day, "")
        local = source if source not in calendar.notices.values() else ""
        groups.setdefault((calendar.names.get(day, ""), works, local), []).append(day)
    told = []
    for (name, works, source), days in groups.items():
        listed = "、".join(f"{day.month}-{day.day}" for day in days)
        what = "上班" if works else "不上班"
        text = f"{listed} {name}{what}" if name and not works else f"{listed} {what}"
        told.append(f"{text}（{source}）" if source else text)
    return tuple(told)


def _days(pause: Pause) -> list[date]:
    first, last = words.local(pause.start).date(), words.local(pause.until).date()
    return [first + timedelta(days=n) for n in range(1, (last - first).days + 1)]


def _off(reason: str) -> str:
    return "休" if reason == "周末" else "假"
