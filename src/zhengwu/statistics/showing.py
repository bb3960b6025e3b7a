"""Figures in words for people (指标的写法): the columns of a table, the summary of a period beside the
period before and the year before. The same on the pages, in their files and in the monthly report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from zhengwu.domain.measuring import BY_CODE, CODES, DERIVED, HANDS
from zhengwu.domain.periods import Period
from zhengwu.statistics.queries import Row, Spread
from zhengwu.statistics.telling import HELD, SHARES
from zhengwu.web import charts

NONE = "—"
COUNT, SHARE, DAYS = "count", "share", "days"
_DERIVED: Mapping[str, Callable[[Row], float | None]] = {
    one.code: one.value for one in (*HELD, *SHARES)
}
DEFINED = {one.code: one for one in (*BY_CODE.values(), *DERIVED)}


class Figure(NamedTuple):
    """A figure as it stands in a table (指标). behind: the measure whose cases the number leads to;
    kind: how it is written; short: the head of its column."""

    code: str
    short: str
    kind: str = COUNT
    behind: str = ""

    @property
    def zh(self) -> str:
        return DEFINED[self.code].zh

    @property
    def what(self) -> str:
        return DEFINED[self.code].what

    @property
    def measure(self) -> str:
        return self.behind or self.code

    def of(self, row: Row) -> float | None:
        """Its value in a row; None where there is none."""
        if self.code in _DERIVED:
            return _DERIVED[self.code](row)
        return row.counts[self.code]

    def said(self, value: float | None) -> str:
        """1,234; 93.5%; 4.2; — where there is none."""
        if value is None:
            return NONE
        if self.kind == SHARE:
            return f"{value * 100:.1f}%"
        if self.kind == DAYS:
            return f"{value:,.1f}"
        return f"{round(value):,}"


FIGURES: tuple[Figure, ...] = (
    Figure("received", "收件"),
    Figure("accepted", "受理"),
    Figure("not_accepted", "不予受理"),
    Figure("notices", "补正告知"),
    Figure("closed", "办结"),
    Figure("granted", "准予"),
    Figure("refused", "不予"),
    Figure("open", "在办"),
    Figure("overdue", "在办超期"),
    Figure("on_time_share", "按时率", SHARE, "on_time"),
    Figure("early_share", "提前率", SHARE, "early"),
    Figure("late", "超期办结"),
    Figure("mean_days", "平均工作日", DAYS, "timed"),
    Figure("spot_share", "当场率", SHARE, "spot"),
    Figure("window_share", "窗口率", SHARE, "at_window"),
    Figure("suspensions", "特别程序"),
    Figure("extensions", "延期"),
    Figure("deemed", "视为受理"),
    Figure("late_entries", "迟录"),
)
# What the sending systems say of themselves; never beside ours without saying so.
CLAIMS: tuple[Figure, ...] = (
    Figure("claimed", "自报期限"),
    Figure("claim_open", "自报在办"),
    Figure("claim_on_time", "自报按时"),
    Figure("claim_late", "自报超期"),
)
BY_FIGURE: Mapping[str, Figure] = {one.code: one for one in (*FIGURES, *CLAIMS)}
HANDS_ZH: Mapping[str, str] = {code: BY_CODE[code].zh for code in HANDS}
# What the end of a period that is over is not compared with: it is read from today's deadlines.
UNCOMPARED = frozenset({"open", "overdue", "claim_open"})


@dataclass(frozen=True, slots=True)
class Change:
    """Against an earlier period (环比、同比). arrow and word say the same; by: how much."""

    label: str
    arrow: str
    word: str
    by: str

    @property
    def text(self) -> str:
        return f"{self.label} {self.arrow} {self.word}{' ' if self.by else ''}{self.by}"


def change(figure: Figure, label: str, now: float | None, before: float | None) -> Change:
    """From then to now: by how many, and by what part of then; shares by percentage points."""
    if now is None or before is None:
        return Change(label, "·", "无可比", "")
    if figure.kind == SHARE:
        moved = round((now - before) * 100, 1)
        size = f"{abs(moved):.1f} 个百分点"
    elif figure.kind == DAYS:
        moved = round(now - before, 1)
        size = f"{abs(moved):.1f} 个工作日"
    else:
        moved = now - before
        part = f"（{abs(moved) / before * 100:.1f}%）" if before else ""
        size = f"{abs(round(moved)):,}{part}"
    if not moved:
        return Change(label, "→", "持平", "")
    return Change(label, "↑" if moved > 0 else "↓", "增" if moved > 0 else "减", size)


@dataclass(frozen=True, slots=True)
class Told:
    """A figure of a period with its changes."""

    figure: Figure
    value: float | None
    said: str
    changes: tuple[Change, ...]


BEFORE, YEAR_BEFORE = "比上期", "比上年"


def told(figure: Figure, now: Row, before: Row | None, year_before: Row | None) -> Told:
    """before, year_before: None where they are not compared."""
    value = figure.of(now)
    compared = [] if figure.code in UNCOMPARED else [(BEFORE, before), (YEAR_BEFORE, year_before)]
    return Told(
        figure,
        value,
        figure.said(value),
        tuple(
            change(figure, label, value, figure.of(row))
            for label, row in compared
            if row is not None
        ),
    )


def summary(
    now: Row, before: Row, year_before: Row, figures: Sequence[Figure] = FIGURES
) -> tuple[Told, ...]:
    return tuple(told(one, now, before, year_before) for one in figures)


def hands(row: Row) -> charts.Share:
    """Where the time of the closed cases went, from receipt to closing (时间去向)."""
    return charts.share([(HANDS_ZH[code], row.counts[code]) for code in HANDS])


def hours(seconds: float) -> str:
    """1,234.5 小时."""
    return f"{seconds / 3600:,.1f}"


def by_month(
    rows: Mapping[str, Row], months: Sequence[Period], code: str, *, today: date
) -> tuple[tuple[str, ...], tuple[charts.Series, ...]]:
    """Labels and two lines, twelve months and the same a year before, dashed.

    rows: by the first day of the month as text. A month before all that is known, and one that has
    not begun, is a gap.
    """
    first = min((key for key, row in rows.items() if any(row.counts.values())), default="9")

    def value(day: str) -> float | None:
        row = rows.get(day)
        if row is None or not first <= day <= today.isoformat():
            return None
        return row.counts[code]

    now = tuple(value(one.since.isoformat()) for one in months)
    before = tuple(value(one.since.replace(year=one.since.year - 1).isoformat()) for one in months)
    labels = tuple(
        f"{one.since.year % 100:02}-{one.since.month:02}"
        if one.since.month == 1 or nth == 0
        else f"{one.since.month} 月"
        for nth, one in enumerate(months)
    )
    return labels, (charts.Series("本年度", now), charts.Series("上一年", before, dashed=True))


def spread(one: Spread | None) -> charts.Distribution:
    """How long the closed cases took, with the days of half and of nine tenths of them."""
    if one is None:
        return charts.distribution(())
    return charts.distribution(
        one.counts, (("P50", one.percentile(0.5)), ("P90", one.percentile(0.9)))
    )


# --- files ---------------------------------------------------------------------------------------

# Every measure of ours as numbers, then what is made of them as words.
HEADS: tuple[str, ...] = (
    *(BY_CODE[code].zh for code in CODES),
    *(one.zh for one in HELD),
    *(one.zh for one in SHARES),
)


def cells(row: Row) -> list[str | int | float | None]:
    """A row under HEADS: whole numbers, shares as 0.9351, nothing where nothing can be divided."""
    return [
        *(row.counts[code] for code in CODES),
        *(None if (held := one.value(row)) is None else int(held) for one in HELD),
        *(
            None if (value := one.value(row)) is None else round(value, one.digits)
            for one in SHARES
        ),
    ]


__all__ = [
    "BEFORE", "BY_FIGURE", "CLAIMS", "DEFINED", "FIGURES", "HANDS_ZH", "HEADS", "NONE", "YEAR_BEFORE",
    "Change", "Figure", "Told", "by_month", "cells", "change", "hands", "hours", "spread",
    "summary", "told",
]  # fmt: skip
