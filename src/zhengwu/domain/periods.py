"""Periods of figures (统计期间): days, weeks, months, quarters, years; the one before, the year before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from zhengwu.domain.refusal import Refusal

DAY = timedelta(days=1)
FIRST, LAST = date(1990, 1, 1), date(2199, 12, 31)


class Grain(StrEnum):
    """How time is cut (时间粒度)."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


GRAINS_ZH = {
    Grain.DAY: "日",
    Grain.WEEK: "周",
    Grain.MONTH: "月",
    Grain.QUARTER: "季",
    Grain.YEAR: "年",
}


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `since` to `until`, both counted."""

    since: date
    until: date

    def __post_init__(self) -> None:
        if self.until < self.since:
            raise Refusal("period.reversed", "“到”早于“从”。请改一下日期。", field="until")
        if self.since < FIRST or self.until > LAST:
            raise Refusal(
                "period.beyond",
                f"请填写 {FIRST.year} 年到 {LAST.year} 年之间的日期。",
                field="since" if self.since < FIRST else "until",
            )

    @property
    def days(self) -> int:
        return (self.until - self.since).days + 1

    @property
    def whole_months(self) -> int:
        """How many months it is exactly; 0 where it is not cut by months."""
        if self.since.day != 1 or (self.until + DAY).day != 1:
            return 0
        end = self.until + DAY
        return (end.year - self.since.year) * 12 + end.month - self.since.month

    def before(self) -> Period:
        """The period of the same length before it (环比): as many months, or as many days."""
        end = self.since - DAY
        months = self.whole_months
        since = _months(self.since, -months) if months else self.since - self.days * DAY
        return Period(since, end)

    def year_before(self) -> Period:
        """The same days a year earlier (同比); a whole February stays whole."""
        months = self.whole_months
        since = _months(self.since, -12)
        return Period(since, _months(since, months) - DAY if months else _months(self.until, -12))

    @property
    def zh(self) -> str:
        """2026 年 10 月, 2026 年第 3 季度, 2026 年, else both days."""
        months, since = self.whole_months, self.since
        if months == 1:
            return f"{since.year} 年 {since.month} 月"
        if months == 3 and since.month % 3 == 1:
            return f"{since.year} 年第 {since.month // 3 + 1} 季度"
        if months == 12 and since.month == 1:
            return f"{since.year} 年"
        if self.days == 1:
            return f"{since.year} 年 {since.month} 月 {since.day} 日"
        until = self.until
        return (
            f"{since.year} 年 {since.month} 月 {since.day} 日"
            f"至 {until.year} 年 {until.month} 月 {until.day} 日"
        )

    def cut(self, grain: Grain) -> Iterator[Period]:
        """Its parts in order; the first and the last may be parts of a week, month, quarter, year."""
        start = self.since
        while start <= self.until:
            end = min(self.until, _after(start_of(start, grain), grain) - DAY)
            yield Period(start, end)
            start = end + DAY

    def count(self, grain: Grain) -> int:
        """How many parts `cut` gives, without giving them."""
        first, last = self.since, self.until
        if grain == Grain.DAY:
            return self.days
        if grain == Grain.WEEK:
            return (start_of(last, grain) - start_of(first, grain)).days // 7 + 1
        width = _WIDTH[grain]
        return (
            (last.year * 12 + last.month - 1) // width
            - (first.year * 12 + first.month - 1) // width
            + 1
        )

    def parted(self) -> tuple[Period | None, tuple[Period, ...]]:
        """The whole months within it, and the days at its edges."""
        first = self.since if self.since.day == 1 else _months(self.since.replace(day=1), 1)
        last = _months(self.until.replace(day=1), 1) if (self.until + DAY).day == 1 else (
            self.until.replace(day=1)
        )  # fmt: skip
        if first >= last:
            return None, (self,)
        edges = []
        if self.since < first:
            edges.append(Period(self.since, first - DAY))
        if last <= self.until:
            edges.append(Period(last, self.until))
        return Period(first, last - DAY), tuple(edges)


_WIDTH = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}


def start_of(day: date, grain: Grain) -> date:
    """The first day of the week (Monday), month, quarter, year of a day."""
    if grain == Grain.DAY:
        return day
    if grain == Grain.WEEK:
        return day - day.weekday() * DAY
    width = _WIDTH[grain]
    return day.replace(month=(day.month - 1) // width * width + 1, day=1)


def month(day: date) -> Period:
    """The month of a day."""
    first = day.replace(day=1)
    return Period(first, _months(first, 1) - DAY)


def of(text: str) -> Period:
    """A period as typed: 2026, 2026-Q3, 2026-10, 2026-W45, 2026-10-05. Raises Refusal."""
    try:
        if len(text) == 4:
            return Period(date(int(text), 1, 1), date(int(text), 12, 31))
        head, _, tail = text.partition("-")
        if tail.startswith("Q"):
            first = date(int(head), int(tail[1:]) * 3 - 2, 1)
            return Period(first, _months(first, 3) - DAY)
        if tail.startswith("W"):
            first = date.fromisocalendar(int(head), int(tail[1:]), 1)
            return Period(first, first + 6 * DAY)
        if len(text) == 7:
            return month(date.fromisoformat(f"{text}-01"))
        day = date.fromisoformat(text)
        return Period(day, day)
    except (ValueError, OverflowError):
        raise Refusal(
            "period.unreadable",
            "看不懂这个期间。请写成 2026、2026-Q3、2026-10、2026-W45 或者 2026-10-05。",
            field="period",
        ) from None


def _after(start: date, grain: Grain) -> date:
    if grain == Grain.DAY:
        return start + DAY
    return start + 7 * DAY if grain == Grain.WEEK else _months(start, _WIDTH[grain])


def _months(day: date, months: int) -> date:
    """So many months later; the last of February where there is no such day."""
    at = day.year * 12 + day.month - 1 + months
    year, place = divmod(at, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, place + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError(day)


__all__ = ["FIRST", "GRAINS_ZH", "LAST", "Grain", "Period", "month", "of", "start_of"]
