"""Day by day (逐日推算): the calendar beside "why this day"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from zhengwu.domain.calendar import Calendar
from zhengwu.domain.clock import LimitReading

MOST_WEEKS = 16


@dataclass(frozen=True, slots=True)
class Square:
    """One day. tone: key | on | no | left | off | end | out; note: what stands under the number."""

    day: date
    tone: str
    note: str
    today: bool
    said: str


def weeks(
    limit: LimitReading, *, calendar: Calendar, paused: tuple[tuple[date, date], ...], today: date
) -> tuple[tuple[Square, ...], ...]:
    """The weeks from the limit's start to its end or today, Monday first; () when too many.

    paused: first and last day of each suspension, both not counted when they are working days
    after the first.
    """
    start, end = limit.start, _day(limit.due)
    last = max(end, min(today, end + timedelta(days=14)))
    first = start - timedelta(days=start.weekday())
    final = last + timedelta(days=6 - last.weekday())
    if (final - first).days > MOST_WEEKS * 7:
        return ()
    squares: list[Square] = []
    counted = 0
    for offset in range((final - first).days + 1):
        day = first + timedelta(days=offset)
        working = calendar.is_working_day(day).working
        tone, note, said = "out", "", ""
        if day == start:
            tone, note, said = "key", "起", "起算日，当日不计"
        elif start < day <= end:
            if not working:
                tone, note, said = "off", "休", "休息，不计"
            elif any(a < day <= b for a, b in paused):
                tone, note, said = "no", "❚❚", "暂停，不计"
            else:
                counted += 1
                tone = "on" if day <= today else "left"
                note, said = str(counted), f"第 {counted} 个工作日"
            if day == end:
                tone, note, said = "end", "到期", said + "，到期日"
        elif day > end and not working:
            tone, note = "off", "休"
        squares.append(Square(day, tone, note, day == today, said))
    return tuple(tuple(squares[i : i + 7]) for i in range(0, len(squares), 7))


def _day(value: date) -> date:
    from zhengwu.web.words import SHANGHAI

    return value.astimezone(SHANGHAI).date() if hasattr(value, "astimezone") else value
