"""Working days (工作日) from dated data: a prefix table built once, so that a deadline is a lookup.

Past the last published year (and in a year without days) weekdays and fixed-date holidays stand
in, and every answer that rests on them says that it is provisional.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from typing import NamedTuple

BEFORE = 20  # years of table before the first published one
AFTER = 30  # and after the last
FEWEST_DAYS = 10  # no notice since 2007 names fewer than 27 days, none spills over by more than 3

# 全国年节及纪念日放假办法, the holidays that have a fixed date (the lunar ones are not guessed).
FIXED = {(1, 1): "元旦", (5, 1): "劳动节", (5, 2): "劳动节", (10, 1): "国庆节", (10, 2): "国庆节",
         (10, 3): "国庆节"}  # fmt: skip


class Day(NamedTuple):
    """What a day is, and by what. provisional: its year is not published yet."""

    working: bool
    reason: str
    notice: str | None
    provisional: bool


@dataclass(frozen=True, slots=True)
class Due:
    """The day on which a period ends."""

    day: date
    provisional: bool


Spans = tuple[tuple[time, time], ...]
END_OF_DAY = time(23, 59, 59, 999999)  # 24:00, said of the day it ends


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """Business hours (办公时间) of a working day, Asia/Shanghai; a period ends at their close
    (民法典 203).

    spans: from, to; in order, apart. later: the spans from a day on, by day (夏令作息). No spans at
    all: no business hours, a day ends at 24:00.
    """

    spans: Spans = ((time(9), time(17)),)
    later: tuple[tuple[date, Spans], ...] = ()

    def on(self, day: date) -> Spans:
        """The spans of a working day."""
        found = self.spans
        for since, spans in self.later:
            if since > day:
                break
            found = spans
        return found

    def closing(self, day: date) -> time:
        """When a working day ends."""
        spans = self.on(day) if self.later else self.spans
        return spans[-1][1] if spans else END_OF_DAY

    @property
    def opens(self) -> time:
        return self.spans[0][0] if self.spans else time()

    @property
    def closes(self) -> time:
        return self.spans[-1][1] if self.spans else END_OF_DAY


@dataclass(frozen=True, slots=True)
class Calendar:
    """Build with `Calendar.of`."""

    first: date
    days: Mapping[date, bool]
    names: Mapping[date, str]
    published: frozenset[int]
    notices: Mapping[int, str]
    sources: Mapping[date, str]  # by what a day is what it is, where not by its year's notice
    _base: int  # the ordinal of the first day
    _sums: tuple[int, ...] = field(repr=False)  # working days up to and including day i
    _working: tuple[int, ...] = field(repr=False)  # the ordinals of the working days
    _named: tuple[date, ...] = field(repr=False)  # the days of the data, in order
    _firm: tuple[int, int] = field(repr=False)  # the first run of published years, as ordinals
    # What days are, once asked.
    _told: dict[date, Day] = field(init=False, default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        days: Mapping[date, bool],
        *,
        names: Mapping[date, str] | None = None,
        notices: Mapping[int, str] | None = None,
        sources: Mapping[date, str] | None = None,
        published: Collection[int] | None = None,
    ) -> Calendar:
        """days: date → off, only where it differs from the plain week. Where `published` is not
        given, a year is published if it has at least FEWEST_DAYS in the data: a notice for January
        also names some days of the December before. Without data everything is provisional.
        """
        if published is None:
            counts = Counter(day.year for day in days)
            published = [year for year, count in counts.items() if count >= FEWEST_DAYS]
        published = frozenset(published)
        low, high = (min(published), max(published)) if published else (2020, 2030)
        first = date(low - BEFORE, 1, 1)
        count = (date(high + AFTER, 12, 31) - first).days + 1
        sums: list[int] = []
        working: list[int] = []
        total = 0
        base = first.toordinal()
        for offset in range(count):
            day = date.fromordinal(base + offset)
            off = days.get(day)
            if off is None:
                off = day.weekday() >= 5 or (
                    day.year not in published and (day.month, day.day) in FIXED
                )
            if not off:
                total += 1
                working.append(base + offset)
            sums.append(total)
        return cls(
            first, dict(days), dict(names or {}), published, dict(notices or {}),
            dict(sources or {}), base, tuple(sums), tuple(working), tuple(sorted(days)), _firm(published),
        )  # fmt: skip

    @property
    def last(self) -> date:
        """The last day of the table; `first` is the first."""
        return date.fromordinal(self._base + len(self._sums) - 1)

    def is_working_day(self, day: date) -> Day:
        """What a day is. Raises ValueError outside the table."""
        told = self._told.get(day)
        if told is None:
            told = self._told[day] = self._day(day)
        return told

    def _day(self, day: date) -> Day:
        index = self._index(day)
        working = self._sums[index] - (self._sums[index - 1] if index else 0) == 1
        provisional = day.year not in self.published
        off = self.days.get(day)
        if off is not None:
            reason = self.names.get(day) or ("放假" if off else "调休上班")
        elif provisional and (day.month, day.day) in FIXED:
            reason = FIXED[(day.month, day.day)]
        else:
            reason = "工作日" if working else "周末"
        source = self.sources.get(day) or self.notices.get(day.year)
        return Day(working, reason, source, provisional)

    def works(self, day: date) -> bool:
        """Whether a day is a working day. Raises ValueError outside the table."""
        return self.open_on(day.toordinal())

    def open_on(self, day: int) -> bool:
        """The same of an ordinal."""
        return self.between(day - 1, day) == 1

    def add_working_days(self, day: date, count: int) -> Due:
        """The count-th working day after `day` (which itself is not counted, 民法典 201).

        0 is the day itself or the next working day; a negative count goes back.
        """
        start = day.toordinal()
        at = bisect_right(self._working, start)  # the first working day after `day`
        if count > 0:
            at += count - 1
        elif count == 0:
            at -= 1 if at and self._working[at - 1] == start else 0
        else:
            inside = at and self._working[at - 1] == start
            at += count - (1 if inside else 0)
        if not 0 <= at < len(self._working):
            raise ValueError(f"{day} and {count} working days: outside the calendar's table")
        due = date.fromordinal(self._working[at])
        return Due(due, not self.known(day, due))

    def roll(self, day: date) -> Due:
        """The day itself, or the next working day when it is off (民法典 203)."""
        return self.add_working_days(day, 0)

    def working_days_between(self, start: date, end: date) -> int:
        """Working days d with start < d <= end; negative when end comes before start."""
        return self.between(start.toordinal(), end.toordinal())

    # The same on ordinals (date.toordinal), for whoever counts by the thousand.

    def between(self, start: int, end: int) -> int:
        """Working days d with start < d <= end. Raises ValueError outside the table."""
        low, high = start - self._base, end - self._base
        if low < 0 or high < 0:
            raise ValueError(f"{date.fromordinal(min(start, end))}: outside the calendar's table")
        try:
            return self._sums[high] - self._sums[low]
        except IndexError:
            beyond = date.fromordinal(max(start, end))
            raise ValueError(f"{beyond}: outside the calendar's table") from None

    def nth(self, day: int, count: int) -> int:
        """The count-th working day after `day`; 0: itself or the next. Raises ValueError."""
        index = day - self._base
        if index < 0:
            raise ValueError(f"{date.fromordinal(day)}: outside the calendar's table")
        try:
            passed = self._sums[index]  # so many working days up to and including `day`
            if count:
                return self._working[passed + count - 1]
            return day if passed and self._working[passed - 1] == day else self._working[passed]
        except IndexError:
            raise ValueError(f"{count} working days: outside the calendar's table") from None

    def working_days(self, start: date, end: date) -> tuple[date, ...]:
        """The working days d with start < d <= end, in order."""
        low = bisect_right(self._working, start.toordinal())
        high = bisect_right(self._working, end.toordinal())
        return tuple(date.fromordinal(one) for one in self._working[low:high])

    def named_days(self, start: date, end: date) -> tuple[date, ...]:
        """The days of the data (holidays, worked weekends) with start < d <= end, in order."""
        return self._named[bisect_right(self._named, start) : bisect_right(self._named, end)]

    def reaches(self, day: date) -> bool:
        """Whether a day lies within the table."""
        return 0 < day.toordinal() - self._base < len(self._sums) - 31

    def known_between(self, start: int, end: int) -> bool:
        """The same of ordinals."""
        if self._firm[0] <= start and end <= self._firm[1]:
            return True
        return self.known(date.fromordinal(start), date.fromordinal(end))

    def known(self, start: date, end: date) -> bool:
        """Whether every year from one day to the other is published."""
        low, high = start.year, end.year
        if low == high:
            return low in self.published
        if low > high:
            low, high = high, low
        return all(year in self.published for year in range(low, high + 1))

    def _index(self, day: date) -> int:
        index = day.toordinal() - self._base
        if not 0 <= index < len(self._sums):
            raise ValueError(f"{day}: outside the calendar's table")
        return index


def _firm(published: Collection[int]) -> tuple[int, int]:
    if not published:
        return (0, -1)
    last = low = min(published)
    while last + 1 in published:
        last += 1
    return date(low, 1, 1).toordinal(), date(last, 12, 31).toordinal()
