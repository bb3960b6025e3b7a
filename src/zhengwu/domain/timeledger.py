"""The time ledger (时间账): whose hands the case was in, to the second; the parts sum to the whole.

The whole runs from the first thing that happened to the closing, or to `until` while the case is
open. `spans` parts it without a gap: time that is nobody's is a part of its own (移交途中, charged
to the giver until the other takes it; 无人持有 at the end). Every part is split into office time and
the rest; `handovers` and `table` say between whom the time under way was lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import NamedTuple, cast

from zhengwu.domain.calendar import Spans
from zhengwu.domain.counting import local
from zhengwu.domain.edition import Edition
from zhengwu.domain.event import Event
from zhengwu.domain.lifecycle import NOBODY, Holder, HolderKind, Life, Standing

ZERO = timedelta()
# Out of the house: whoever had the case before gets it back.
AWAY = (HolderKind.SPECIAL, HolderKind.HIGHER)
# Looked up by the thousand.
_NONE, _EXCHANGE, _HANDING_OVER = HolderKind.NONE, HolderKind.EXCHANGE, HolderKind.HANDING_OVER


class Span(NamedTuple):
    """A stretch of time in one pair of hands.

    charged_*: whose it is; under way, the giver's. Only under way: toward, what kind of hands it
    goes to; taker, who had it next, if only for an instant. open: the holder still has it; only
    the last span can be, and only it can be empty.

    A named tuple: it is made by the thousand, in a fraction of a frozen dataclass's time.
    """

    start: datetime
    end: datetime
    kind: HolderKind
    agency: str | None
    post: str | None
    charged_kind: HolderKind
    charged_to: str | None
    label: str
    charged_post: str | None = None
    toward: HolderKind | None = None
    taker: Holder | None = None
    open: bool = False

    @property
    def length(self) -> timedelta:
        return self.end - self.start


_HANDS = slice(2, 10)  # of a Span: all but its ends, who took it and whether it is open


def spans(events: Sequence[Event], *, until: datetime) -> tuple[Span, ...]:
    """The spans from the first event to the closing (or to `until`, while the case is open).

    A span begins where the one before ends: an entry registered late shortens nobody's time below
    nothing. A closing that another system dates before its last steps cuts them off; one dated
    before the receipt leaves nothing.
    """
    life = Life.of(event for event in events if event.occurred <= until)
    return along(life.held, life.standing, until=until)


def of_life(life: Life, *, until: datetime) -> tuple[Span, ...]:
    """The same of a case that was gone through before."""
    if any(event.occurred > until for event in life.events):
        return spans(life.events, until=until)
    return along(life.held, life.standing, until=until)


def along(
    rows: Sequence[tuple[Event, Holder]], last: Standing, *, until: datetime
) -> tuple[Span, ...]:
    """The same of events that all count and lie before `until`, each with who had the case after it;
    last: the standing after all of them (`lifecycle.Life`).
    """
    if not rows:
        return ()
    first, closed = rows[0][0].occurred, last.closed_at
    start = min(first, last.received_at or first)
    end = max(start, closed or until)
    found: list[Span] = []
    cursor, giver = start, NOBODY
    toward: HolderKind | None = None
    waiting: int | None = None  # the span under way that nobody has taken
    before: Span | None = None
    count = len(rows)
    for index, (event, holder) in enumerate(rows, 1):
        if holder.kind is _NONE and holder.since is None:
            # Before another system has told of a receipt it is that system's.
            holder = Holder(_EXCHANGE, event.agency, since=event.occurred)
        kind, agency, post, _, _, charged_kind, charged_to, label = holder
        under_way = kind is _HANDING_OVER
        if not under_way and kind not in AWAY:
            giver = holder
            if waiting is not None:
                found[waiting] = found[waiting]._replace(taker=holder)
                before, waiting = found[-1], None
        target = event.body.get("to")
        if target is not None and isinstance(target, Mapping):
            toward = _kind(target.get("kind"))
        final = index == count
        following = end if final else rows[index][0].occurred
        if following < cursor:
            following = cursor
        if following > end:
            following = end
        opened = final and closed is None
        if following > cursor or opened:
            charged = charged_kind or kind
            if not under_way:
                span = Span(
                    cursor, following, kind, agency, post, charged, charged_to or agency, label,
                    post, None, None, opened,
                )  # fmt: skip
            else:
                if charged in AWAY:
                    # Handed on during a special procedure: by whoever had it before.
                    charged = giver.kind
                span = Span(
                    cursor, following, kind, agency, post, charged, charged_to, label, giver.post,
                    toward, None, opened,
                )  # fmt: skip
            # One goes on in the other; what somebody has taken meanwhile does not.
            if before is not None and before.taker is None and before[_HANDS] == span[_HANDS]:
                span = span._replace(start=found.pop().start)
            found.append(span)
            before = span
            if under_way:
                waiting = len(found) - 1
        cursor = following
    return tuple(found)


def _kind(code: object) -> HolderKind | None:
    return HolderKind(str(code)) if code in ("window", "department") else None


def totals(found: Sequence[Span]) -> dict[tuple[HolderKind, str | None], timedelta]:
    """Time by kind of hands and whose time it is, in the order they first appear."""
    sums: dict[tuple[HolderKind, str | None], timedelta] = {}
    for span in found:
        key = (span.kind, span.charged_to)
        sums[key] = sums.get(key, ZERO) + span.length
    return sums


# --- office time ---------------------------------------------------------------------------------


def split(span: Span, edition: Edition) -> tuple[timedelta, timedelta]:
    """Office time (办公时间) and the rest of a span; together its length, to the microsecond."""
    office = office_time(span.start, span.end, edition)
    return office, span.length - office


def office_time(start: datetime, end: datetime, edition: Edition) -> timedelta:
    """How much of [start, end) lies within opening hours on working days.

    The same as `edition.office_time`, by a few look-ups however long the stretch. Nothing where
    the calendar's table does not reach.
    """
    if end <= start:
        return ZERO
    low, high = local(start), local(end)
    first, last = low.toordinal(), high.toordinal()
    calendar, hours = edition.calendar, edition.hours
    try:
        if hours.later and any(first < since.toordinal() <= last for since, _ in hours.later):
            return edition.office_time(start, end)
        opening, day = _opening(hours.on(low.date()) if hours.later else hours.spans)
        open_on = calendar.open_on
        if first == last:
            found = _passed(opening, high) - _passed(opening, low) if open_on(first) else 0
            return timedelta(microseconds=found)
        found = calendar.between(first, last) * day
        if open_on(first):
            found += day - _passed(opening, low)
        if open_on(last):
            found += _passed(opening, high) - day
    except ValueError:
        return ZERO
    return timedelta(microseconds=found)


@lru_cache(maxsize=64)
def _opening(hours: Spans) -> tuple[tuple[tuple[int, int], ...], int]:
    """Opening hours in microseconds of the day, and their sum."""
    found = tuple((_of_day(opens), _of_day(closes)) for opens, closes in hours)
    return found, sum(closes - opens for opens, closes in found)


def _of_day(clock: time | datetime) -> int:
    seconds = (clock.hour * 60 + clock.minute) * 60 + clock.second
    return seconds * 1_000_000 + clock.microsecond


def _passed(opening: Iterable[tuple[int, int]], moment: datetime) -> int:
    """The opening hours of a day that have passed at a moment of it."""
    now = _of_day(moment)
    passed = 0
    for opens, closes in opening:
        if now > opens:
            passed += min(now, closes) - opens
    return passed


# --- parts ---------------------------------------------------------------------------------------


class Part(NamedTuple):
    """What one pair of hands had in all (一个部分). stretches: in how many.

    A window is its agency and post, a department its agency, a special procedure its label. Time
    under way has no agency but the giver's, in charged_*.
    """

    kind: HolderKind
    agency: str | None
    post: str | None
    charged_kind: HolderKind
    charged_to: str | None
    charged_post: str | None
    label: str
    stretches: int
    length: timedelta
    office: timedelta

    @property
    def rest(self) -> timedelta:
        return self.length - self.office


_WHOSE = slice(0, 7)  # of a Part: all but how much it is


def parts(found: Iterable[Span], edition: Edition) -> tuple[Part, ...]:
    """The parts of one case in the order they first appear; their lengths sum to the whole."""
    return together(_part(span, edition) for span in found if span.end > span.start)


def together(several: Iterable[Part]) -> tuple[Part, ...]:
    """Like parts added up, of one case or of many; the sum is kept."""
    sums: dict[tuple[object, ...], Part] = {}
    for one in several:
        key = cast("tuple[object, ...]", one[_WHOSE])
        old = sums.get(key)
        if old is not None:
            one = old._replace(
                stretches=old.stretches + one.stretches,
                length=old.length + one.length,
                office=old.office + one.office,
            )
        sums[key] = one
    return tuple(sums.values())


def without_posts(several: Iterable[Part]) -> tuple[Part, ...]:
    """The same parts without who stands at which window; like ones may be put `together`."""
    return tuple(one._replace(post=None, charged_post=None) for one in several)


def whole(several: Iterable[Part]) -> timedelta:
    """The whole: the sum of the parts."""
    return sum((one.length for one in several), ZERO)


def _part(span: Span, edition: Edition) -> Part:
    under_way = span.kind == HolderKind.HANDING_OVER
    window = span.kind == HolderKind.WINDOW
    charged_window = span.charged_kind == HolderKind.WINDOW
    return Part(
        kind=span.kind,
        agency=None if under_way else span.agency,
        post=span.post if window else None,
        charged_kind=span.charged_kind,
        charged_to=span.charged_to,
        charged_post=span.charged_post if charged_window else None,
        label=span.label,
        stretches=1,
        length=span.length,
        office=office_time(span.start, span.end, edition),
    )


# --- hand-overs ----------------------------------------------------------------------------------


class Handover(NamedTuple):
    """One way between two pairs of hands (移交): from whom, to whom, how long under way.

    end: None while it is under way. taken: whether somebody took it at the end; else it was
    directed elsewhere or the case ended. length, office: without a special procedure in between.
    """

    giver_kind: HolderKind
    giver: str | None
    giver_post: str | None
    taker_kind: HolderKind | None
    taker: str | None
    taker_post: str | None
    start: datetime
    end: datetime | None
    taken: bool
    length: timedelta
    office: timedelta

    @property
    def rest(self) -> timedelta:
        return self.length - self.office


def handovers(found: Sequence[Span], edition: Edition) -> tuple[Handover, ...]:
    """The hand-overs of a case, in order; their lengths sum to that of the spans under way.

    What is taken in the instant it is given was never under way.
    """
    known: list[Handover] = []
    continued: Span | None = None
    running = bool(found) and found[-1].open
    for index, span in enumerate(found):
        if span.kind != HolderKind.HANDING_OVER:
            continue
        after = next((one for one in found[index + 1 :] if one.kind not in AWAY), None)
        one = _handover(span, after, edition, running=running)
        before = known[-1] if known and continued is span else None
        if before and _between(before) == _between(one):
            one = one._replace(
                start=before.start,
                length=before.length + one.length,
                office=before.office + one.office,
            )
            known.pop()
        known.append(one)
        continued = after
    return tuple(known)


def _handover(span: Span, after: Span | None, edition: Edition, *, running: bool) -> Handover:
    taken = span.taker is not None and span.taker.kind in (
        HolderKind.WINDOW,
        HolderKind.DEPARTMENT,
    )
    taker = span.taker if taken else None
    return Handover(
        giver_kind=span.charged_kind,
        giver=span.charged_to,
        giver_post=span.charged_post,
        taker_kind=span.toward or (taker.kind if taker else None),
        taker=span.agency or (taker.agency if taker else None),
        taker_post=span.post or (taker.post if taker else None),
        start=span.start,
        end=None if running and after is None and span.taker is None else span.end,
        taken=taken,
        length=span.length,
        office=office_time(span.start, span.end, edition),
    )


def _between(one: Handover) -> tuple[object, ...]:
    return one.giver_kind, one.giver, one.giver_post, one.taker_kind, one.taker


@dataclass(frozen=True, slots=True)
class Side:
    """One side of hand-overs: an agency, or only its windows (window), or only what is behind them.

    window: None where the two are not told apart. Without an agency: nobody named.
    """

    agency: str | None
    window: bool | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """Hand-overs added up."""

    count: int = 0
    length: timedelta = ZERO
    office: timedelta = ZERO

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.count + other.count, self.length + other.length, self.office + other.office
        )


@dataclass(frozen=True, slots=True)
class Table:
    """Who hands to whom (移交表): givers in rows, takers in columns, the longest first."""

    cells: Mapping[tuple[Side, Side], Tally] = field(default_factory=dict)

    @property
    def givers(self) -> tuple[Side, ...]:
        return self._by_length(0)

    @property
    def takers(self) -> tuple[Side, ...]:
        return self._by_length(1)

    @property
    def total(self) -> Tally:
        return sum(self.cells.values(), Tally())

    def of_giver(self, side: Side) -> Tally:
        return sum((one for (giver, _), one in self.cells.items() if giver == side), Tally())

    def of_taker(self, side: Side) -> Tally:
        return sum((one for (_, taker), one in self.cells.items() if taker == side), Tally())

    def _by_length(self, place: int) -> tuple[Side, ...]:
        sums: dict[Side, timedelta] = {}
        for sides, one in self.cells.items():
            sums[sides[place]] = sums.get(sides[place], ZERO) + one.length
        return tuple(sorted(sums, key=lambda side: (-sums[side], str(side))))


def table(known: Iterable[Handover], *, windows: bool = False) -> Table:
    """Hand-overs by department × department; its total is that of all hand-overs.

    windows: tell an agency's windows from what is behind them.
    """
    cells: dict[tuple[Side, Side], Tally] = {}
    for one in known:
        key = (
            _side(one.giver, one.giver_kind, windows=windows),
            _side(one.taker, one.taker_kind, windows=windows),
        )
        cells[key] = cells.get(key, Tally()) + Tally(1, one.length, one.office)
    return Table(cells)


def _side(agency: str | None, kind: HolderKind | None, *, windows: bool) -> Side:
    if not windows or agency is None or kind is None:
        return Side(agency)
    return Side(agency, kind == HolderKind.WINDOW)


# --- whole numbers -------------------------------------------------------------------------------


def apportion(
    lengths: Sequence[timedelta], unit: timedelta, *, total: int | None = None
) -> tuple[int, ...]:
    """Lengths in whole units that still sum to the whole; each is off by less than one unit.

    total: what they must sum to, the whole rounded down or up; by default down.
    """
    shift = ZERO
    if total is not None:
        shift = max(ZERO, total * unit - sum(lengths, ZERO))
    ends = [(end + shift) // unit for end in accumulate(lengths, initial=ZERO)]
    return tuple(high - low for low, high in pairwise(ends))


__all__ = [
    "Handover", "Part", "Side", "Span", "Table", "Tally", "along", "apportion", "handovers", "office_time",
    "parts", "spans", "split", "table", "together", "totals", "whole", "without_posts",
]  # fmt: skip
