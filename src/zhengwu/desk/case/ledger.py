"""In whose hands, for how long (时间账): rows and bars of the case page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from zhengwu.cases.timekeeping import Line, TimeLedger
from zhengwu.domain import timeledger
from zhengwu.domain.calendar import Calendar
from zhengwu.domain.timeledger import Span
from zhengwu.web.words import SHANGHAI, local, span_digits

WIDTH = 10_000  # of the picture, in its own units
MINUTE = timedelta(minutes=1)
MOST_DAYS = 200  # beyond this the days off are too thin to draw
TONES = {
    "window": "win",
    "applicant": "app",
    "handing_over": "hand",
    "department": "dept",
    "special": "spec",
    "higher": "high",
    "exchange": "exch",
    "none": "none",
}


class Bar(NamedTuple):
    """A stretch of the picture: x and width in units of WIDTH."""

    x: float
    width: float


class Row(NamedTuple):
    """One holder: its stretches, its time in whole minutes, its share in percent."""

    label: str
    tone: str
    bars: tuple[Bar, ...]
    length: timedelta
    office: timedelta
    parts: str
    share: float

    @property
    def rest(self) -> timedelta:
        return self.length - self.office


class Way(NamedTuple):
    """One hand-over: from whom to whom, how long. open: still under way; taken: it arrived."""

    giver: str
    taker: str
    start: datetime
    length: timedelta
    open: bool
    taken: bool


@dataclass(frozen=True, slots=True)
class Ledger:
    """The whole table; what stands in its columns sums to the last row, to the minute."""

    rows: tuple[Row, ...]
    ways: tuple[Way, ...]
    rests: tuple[Bar, ...]
    ticks: tuple[tuple[float, date], ...]
    start: datetime
    end: datetime
    total: timedelta
    office: timedelta

    @property
    def rest(self) -> timedelta:
        return self.total - self.office


def ledger(spans: Sequence[Span], kept: TimeLedger, calendar: Calendar) -> Ledger | None:
    """Rows by holder in order of first holding; None while no time has passed."""
    start, end, total = kept.start, kept.until, kept.whole
    if total <= timedelta():
        return None

    def x(at: datetime) -> float:
        return round((at - start) / total * WIDTH, 1)

    held: dict[tuple[str | None, ...], list[Span]] = {}
    for span in spans:
        if span.end > span.start:
            held.setdefault(_key(span), []).append(span)
    lines: dict[tuple[str | None, ...], list[Line]] = {}
    for line in kept.lines:
        lines.setdefault(_key(line), []).append(line)
    flat = [
        sum(one, timedelta())
        for several in lines.values()
        for one in ([a.office for a in several], [a.rest for a in several])
    ]
    cut = timeledger.apportion(flat, MINUTE)
    rows = []
    under_way = 0
    for (key, several), office, rest in zip(lines.items(), cut[::2], cut[1::2], strict=True):
        kind = several[0].kind
        if kind == "handing_over":
            under_way = office + rest
        rows.append(
            Row(
                label=several[0].zh,
                tone=TONES.get(kind, "dept"),
                bars=tuple(
                    Bar(x(s.start), max(26.0, round(x(s.end) - x(s.start), 1))) for s in held[key]
                ),
                length=(office + rest) * MINUTE,
                office=office * MINUTE,
                parts="" if kind == "handing_over" else _parts(held[key], office + rest),
                share=round(sum((a.length for a in several), timedelta()) / total * 100, 1),
            )
        )
    return Ledger(
        rows=tuple(rows),
        ways=_ways(kept, under_way),
        rests=tuple(_rests(start, end, x, calendar)),
        ticks=tuple(_ticks(start, end, x)),
        start=start,
        end=end,
        total=sum((row.length for row in rows), timedelta()),
        office=sum((row.office for row in rows), timedelta()),
    )


def _key(one: Span | Line) -> tuple[str | None, ...]:
    """What makes one row: what is under way stands together, windows apart."""
    if one.kind == "handing_over":
        return (one.kind,)
    return one.kind, one.agency, one.post if one.kind == "window" else None, one.label


def _parts(held: Sequence[Span], minutes: int) -> str:
    """53:40 + 0:15."""
    if not 1 < len(held) <= 4:
        return ""
    cut = timeledger.apportion([one.length for one in held], MINUTE, total=minutes)
    return " + ".join(span_digits(one * MINUTE) for one in cut)


def _ways(kept: TimeLedger, minutes: int) -> tuple[Way, ...]:
    cut = timeledger.apportion([one.length for one in kept.ways], MINUTE, total=minutes)
    return tuple(
        Way(
            giver=one.giver_zh,
            taker=one.taker_zh,
            start=one.start,
            length=count * MINUTE,
            open=one.end is None,
            taken=one.taken,
        )
        for one, count in zip(kept.ways, cut, strict=True)
    )


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
