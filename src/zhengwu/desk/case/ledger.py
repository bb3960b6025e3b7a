"""In whose hands, for how long (时间账): rows and bars of the case page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from zhengwu.domain.calendar import Calendar
from zhengwu.domain.timeledger import Span
from zhengwu.web.words import SHANGHAI, local, span_digits

WIDTH = 10_000  # of the picture, in its own units
MOST_DAYS = 200  # beyond this the days off are too thin to draw
TONES = {
    "window": "win",
    "applicant": "app",
    "handing_over": "hand",
    "department": "dept",
    "special": "spec",
    "higher": "spec",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of the picture: x and width in units of WIDTH."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Row:
    """One holder: its stretches, its total, its share in tenths of a percent."""

    label: str
    tone: str
    bars: tuple[Bar, ...]
    length: timedelta
    parts: str
    share: float


@dataclass(frozen=True, slots=True)
class Ledger:
    """The whole table."""

    rows: tuple[Row, ...]
    rests: tuple[Bar, ...]
    ticks: tuple[tuple[float, date], ...]
    start: datetime
    end: datetime
    total: timedelta


def holder(kind: str, agency: str | None, label: str, agency_name: Callable[[str], str]) -> str:
    """Whose hands, in words."""
    name = agency_name(agency) if agency else ""
    words = {
        "window": f"{name}窗口",
        "department": name,
        "applicant": "申请人",
        "handing_over": "移交途中",
        "special": label or "特别程序",
        "higher": "上级机关",
        "exchange": "来源系统",
    }
    return words.get(kind) or label or "其他"


def ledger(
    spans: Sequence[Span], calendar: Calendar, agency_name: Callable[[str], str]
) -> Ledger | None:
    """Rows by holder in order of first holding; None while no time has passed."""
    if not spans:
        return None
    start, end = spans[0].start, max(span.end for span in spans)
    total = end - start
    if total <= timedelta():
        return None

    def x(at: datetime) -> float:
        return round((at - start) / total * WIDTH, 1)

    grouped: dict[tuple[str, str], list[Span]] = {}
    for span in spans:
        if span.kind != "none" and span.end > span.start:
            under_way = span.kind == "handing_over"
            label = holder(span.kind, None if under_way else span.agency, span.label, agency_name)
            grouped.setdefault((span.kind, label), []).append(span)
    rows = []
    for (kind, label), held in grouped.items():
        length = sum((span.end - span.start for span in held), timedelta())
        rows.append(
            Row(
                label=label,
                tone=TONES.get(kind, "dept"),
                bars=tuple(
                    Bar(x(s.start), max(26.0, round(x(s.end) - x(s.start), 1))) for s in held
                ),
                length=length,
                parts=_parts(kind, held, agency_name),
                share=round(length / total * 100, 1),
            )
        )
    return Ledger(
        rows=tuple(rows),
        rests=tuple(_rests(start, end, x, calendar)),
        ticks=tuple(_ticks(start, end, x)),
        start=start,
        end=end,
        total=total,
    )


def _parts(kind: str, held: Sequence[Span], agency_name: Callable[[str], str]) -> str:
    """53:40 + 0:15; under way, to whom each stretch is charged."""
    if kind == "handing_over" and len(held) <= 4:
        return " + ".join(
            f"{holder(s.charged_kind, s.charged_to, '', agency_name)} {span_digits(s.length)}"
            for s in held
        )
    return " + ".join(span_digits(s.length) for s in held) if 1 < len(held) <= 4 else ""


def _rests(
    start: datetime, end: datetime, x: Callable[[datetime], float], calendar: Calendar
) -> list[Bar]:
    first, last = local(start).date(), local(end).date()
    if (last - first).days > MOST_DAYS:
        return []
    bars: list[Bar] = []
    day = first
    while day <= last:
        if calendar.is_working_day(day).working:
            day += timedelta(days=1)
            continue
        after = day
        while after <= last and not calendar.is_working_day(after).working:
            after += timedelta(days=1)
        left = max(start, datetime.combine(day, time(), SHANGHAI))
        right = min(end, datetime.combine(after, time(), SHANGHAI))
        if right > left:
            bars.append(Bar(x(left), round(x(right) - x(left), 1)))
        day = after
    return bars


def _ticks(
    start: datetime, end: datetime, x: Callable[[datetime], float]
) -> list[tuple[float, date]]:
    days = max(1, (local(end).date() - local(start).date()).days)
    step = max(1, -(-days // 7))
    first = local(start).date()
    return [
        (
            x(datetime.combine(first + timedelta(days=n), time(), SHANGHAI)),
            first + timedelta(days=n),
        )
        for n in range(step, days, step)
    ]
