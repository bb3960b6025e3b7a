"""Pictures of figures (统计图) as geometry: pure functions from numbers to places; no script, no colour
that says anything alone. `charts.html.j2` draws them as SVG, for pages and for paper alike.

All lengths are in the units of a picture's own box (`width` × `height`), y downwards. A value that
is not known is None and a gap. Every picture has its numbers as words too (`told`), and the page
shows them again as a table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

WIDTH = 480.0
STEPS = (1, 2, 5)
TICKS = 5  # about so many spaces on an axis
LEVELS = 5  # of a heat table and of tiles, 0 being nothing
BINS = 24  # columns of a distribution at most
CHARACTER = 13.0  # how wide a Chinese letter stands


def number(value: float) -> str:
    """1,234; 12.5; 0.05: no more digits behind the point than it needs, two at most."""
    text = f"{value:,.2f}"
    return text.rstrip("0").rstrip(".")


def short(value: float) -> str:
    """On an axis: 1,234, 2 万, 1.5 亿."""
    for size, unit in ((10**8, " 亿"), (10**4, " 万")):
        if abs(value) >= size:
            return number(value / size) + unit
    return number(value)


def step_of(span: float, most: int = TICKS) -> float:
    """The least of 1, 2, 5 × 10ⁿ with which `most` spaces cover the span."""
    if span < 1e-9 or not math.isfinite(span):
        return 1.0
    least = span / most
    power = 10.0 ** math.floor(math.log10(least))
    for factor in (*STEPS, 10):
        if factor * power >= least * (1 - 1e-9):
            return factor * power
    raise AssertionError(span)


def ticks(top: float, *, most: int = TICKS, whole: bool = True) -> tuple[float, ...]:
    """From 0 in steps of 1, 2, 5 × 10ⁿ to the first that is not below `top`; at least 0 and one more.

    whole: no parts of one, for what is counted.
    """
    step = step_of(top, most)
    if whole:
        step = max(1.0, step)
    count = max(1, math.ceil(top / step - 1e-9)) if top > 0 and math.isfinite(top) else 1
    return tuple(round(step * nth, 10) for nth in range(count + 1))


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis. at: its place."""

    at: float
    text: str


# --- trend ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Series:
    """One line: a value for each label, None where there is none. dashed: the year before."""

    name: str
    values: tuple[float | None, ...]
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line as SVG path data, a piece for each run of values; its points; its name at the end."""

    name: str
    path: str
    points: tuple[Point, ...]
    dashed: bool
    label: Point | None


@dataclass(frozen=True, slots=True)
class Trend:
    """Lines over time (趋势). left … bottom: the field; told: in words."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]
    lines: tuple[Line, ...]
    told: str

    @property
    def empty(self) -> bool:
        return not any(line.points for line in self.lines)


def trend(
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    unit: str = "件",
    width: float = WIDTH,
    height: float = 230.0,
) -> Trend:
    """Lines over the same labels; a point that stands alone is drawn as a point."""
    known = [value for one in series for value in one.values if value is not None]
    scale = ticks(max(known, default=0.0))
    left = 14.0 + 7.5 * max(len(short(one)) for one in scale)
    right = width - 16.0 - CHARACTER * max((len(one.name) for one in series), default=0)
    top, bottom = 16.0, height - 28.0
    gap = (right - left) / max(1, len(labels) - 1)

    def across(nth: int) -> float:
        return round((left + right) / 2 if len(labels) == 1 else left + gap * nth, 1)

    def down(value: float) -> float:
        return round(bottom - (bottom - top) * value / scale[-1], 1)

    lines = tuple(_line(one, labels, across, down, unit) for one in series)
    return Trend(
        width, height, left, right, top, bottom,
        tuple(Tick(down(one), short(one)) for one in scale),
        tuple(
            Tick(across(nth), labels[nth])
            for nth in _shown(len(labels), max(gap, 1.0), max(map(len, labels), default=1))
        ),
        _apart(lines, top, bottom),
        "；".join(_told(one, labels, unit) for one in series),
    )  # fmt: skip


def _line(one: Series, labels: Sequence[str], across: object, down: object, unit: str) -> Line:
    assert callable(across)
    assert callable(down)
    pieces, points = [], []
    drawn = False
    for nth, value in enumerate(one.values):
        if value is None:
            drawn = False
            continue
        x, y = across(nth), down(value)
        pieces.append(f"{'L' if drawn else 'M'}{x} {y}")
        points.append(Point(x, y, f"{one.name} {labels[nth]}：{number(value)} {unit}"))
        drawn = True
    last = points[-1] if points else None
    label = Point(last.x + 8.0, last.y, one.name) if last else None
    return Line(one.name, "".join(pieces), tuple(points), one.dashed, label)


def _apart(lines: tuple[Line, ...], top: float, bottom: float) -> tuple[Line, ...]:
    """The names at the ends, moved so that none stands on another."""
    wanted = sorted((line.label.y, nth) for nth, line in enumerate(lines) if line.label)
    placed: dict[int, float] = {}
    before = top - 15.0
    for y, nth in wanted:
        before = placed[nth] = max(y, before + 15.0)
    over = max(0.0, before - bottom)
    return tuple(
        Line(
            line.name, line.path, line.points, line.dashed,
            Point(line.label.x, round(placed[nth] - over, 1), line.name) if line.label else None,
        )
        for nth, line in enumerate(lines)
    )  # fmt: skip


def _shown(count: int, gap: float, letters: int) -> tuple[int, ...]:
    """Which labels have room, evenly and ending with the last."""
    every = max(1, math.ceil((letters * 7.5 + 6) / gap))
    return tuple(nth for nth in range(count) if (count - 1 - nth) % every == 0)


def _told(one: Series, labels: Sequence[str], unit: str) -> str:
    known = [(v, label) for v, label in zip(one.values, labels, strict=True) if v is not None]
    if not known:
        return f"{one.name}没有数据"
    most, least = max(known), min(known)
    return (
        f"{one.name}最多 {number(most[0])} {unit}（{most[1]}），"
        f"最少 {number(least[0])} {unit}（{least[1]}）"
    )


# --- parts of a whole ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a whole. share: 0 … 1; tone: its place among the tones; inside: it has room for
    its words, else for its number, else for nothing."""

    nth: int
    name: str
    amount: float
    share: float
    x: float
    width: float
    tone: int
    inside: str

    @property
    def percent(self) -> str:
        return f"{self.share * 100:.1f}%"


@dataclass(frozen=True, slots=True)
class Share:
    """A bar of parts that sum to the whole (构成)."""

    width: float
    height: float
    parts: tuple[Part, ...]
    total: float
    told: str

    @property
    def empty(self) -> bool:
        return not self.parts


def share(
    amounts: Sequence[tuple[str, float]], *, width: float = WIDTH, height: float = 44.0
) -> Share:
    """Parts with something in them, in their order; what is below zero counts as nothing."""
    total = sum(max(0.0, amount) for _, amount in amounts)
    parts: list[Part] = []
    x = 0.0
    for tone, (name, amount) in enumerate(amounts):
        if amount <= 0 or total <= 0:
            continue
        part = amount / total
        wide = width * part
        nth = len(parts) + 1
        words = f"{name} {part * 100:.0f}%"
        room = len(name) * CHARACTER + 40.0
        inside = words if wide >= room else str(nth) if wide >= 14.0 else ""
        parts.append(
            Part(nth, name, amount, part, round(x, 2), round(wide, 2), tone, inside)
        )  # fmt: skip
        x += wide
    told = "，".join(f"{one.name} {one.percent}" for one in parts) or "没有数据"
    return Share(width, height, tuple(parts), total, told)


# --- bars ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. value None: nothing known, no bar. y: of its upper edge."""

    name: str
    value: float | None
    text: str
    y: float
    width: float
    href: str = ""


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars from one line on, the longest first or as they come (排名)."""

    width: float
    height: float
    left: float
    bars: tuple[Bar, ...]
    thick: float
    told: str

    @property
    def empty(self) -> bool:
        return not self.bars


def bars(
    values: Sequence[tuple[str, float | None, str]],
    *,
    unit: str = "件",
    letters: int = 12,
    width: float = WIDTH,
) -> Bars:
    """(name, value, address of what is behind it): in their order, each with its number in words."""
    thick, gap = 18.0, 8.0
    longest = max((len(name) for name, _, _ in values), default=0)
    left = CHARACTER * min(letters, longest) + 10.0
    most = max((value for _, value, _ in values if value is not None), default=0.0)
    room = width - left - 78.0
    found = tuple(
        Bar(
            cut(name, letters), value,
            "没有数据" if value is None else f"{number(value)} {unit}".strip(),
            nth * (thick + gap) + 4.0,
            round(room * max(0.0, value) / most, 1) if value is not None and most > 0 else 0.0,
            href,
        )
        for nth, (name, value, href) in enumerate(values)
    )  # fmt: skip
    told = "，".join(f"{name} {bar.text}" for (name, _, _), bar in zip(values, found, strict=True))
    return Bars(
        width, max(30.0, len(found) * (thick + gap) + 4.0), left, found, thick, told or "没有数据"
    )


def cut(name: str, letters: int) -> str:
    """A name of at most so many letters; the rest is told by three dots."""
    return name if len(name) <= letters else f"{name[: letters - 1]}…"


# --- distribution --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    """One column: working days from `first` to `last` (None: and more)."""

    first: int
    last: int | None
    count: int
    x: float
    y: float
    width: float
    height: float

    @property
    def zh(self) -> str:
        if self.last is None:
            return f"{self.first} 天以上"
        return f"{self.first} 天" if self.first == self.last else f"{self.first}–{self.last} 天"


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across the columns: P50, P90."""

    x: float
    text: str
    left: bool  # its words stand on the left of it


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many took how long (分布)."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]
    bins: tuple[Column, ...]
    marks: tuple[Mark, ...]
    told: str

    @property
    def empty(self) -> bool:
        return not self.bins


def distribution(
    counts: Sequence[tuple[int, int]],
    marks: Sequence[tuple[str, int | None]] = (),
    *,
    width: float = WIDTH,
    height: float = 230.0,
) -> Distribution:
    """(days, cases), shortest first; marks: (name, days). At most BINS columns of 1, 2, 5 … days.

    A long tail of less than a hundredth of the cases is one column at the end.
    """
    cases = sum(count for _, count in counts)
    top, bottom = 34.0, height - 28.0
    if not cases:
        return Distribution(
            width, height, 40.0, width - 12, top, bottom, (), (), (), (), "没有数据"
        )
    end, tail = _tail(counts, cases, max((day or 0 for _, day in marks), default=0))
    wide = max(1, math.ceil(step_of(end + 1, BINS)))
    sums: dict[int, int] = {}
    for days, count in counts:
        nth = (end // wide + 1) if days > end else days // wide
        sums[nth] = sums.get(nth, 0) + count
    many = end // wide + 1 + (1 if tail else 0)
    scale = ticks(max(sums.values()))
    left, right = 14.0 + 7.5 * max(len(short(one)) for one in scale), width - 12.0
    each = (right - left) / many

    def column(nth: int) -> Column:
        count = sums.get(nth, 0)
        tall = (bottom - top) * count / scale[-1]
        rest = tail and nth == many - 1
        return Column(
            nth * wide, None if rest else nth * wide + wide - 1, count,
            round(left + each * nth + each * 0.08, 1), round(bottom - tall, 1),
            round(each * 0.84, 1), round(tall, 1),
        )  # fmt: skip

    bins = tuple(column(nth) for nth in range(many))
    found = tuple(
        Mark(
            round(x := left + each * (min(day, end + wide) // wide + 0.5), 1),
            f"{name}：{day} 个工作日",
            x > (left + right) / 2,
        )
        for name, day in marks
        if day is not None
    )
    shown = _shown(many, each, len(str(end)) + 1)
    return Distribution(
        width, height, left, right, top, bottom,
        tuple(
            Tick(round(bottom - (bottom - top) * one / scale[-1], 1), short(one)) for one in scale
        ),
        tuple(
            Tick(
                round(left + each * (nth + 0.5), 1),
                f"≥{bins[nth].first}" if bins[nth].last is None else str(bins[nth].first),
            )
            for nth in shown
        ),
        bins,
        found,
        f"{cases:,} 件，最短 {counts[0][0]} 个工作日，最长 {counts[-1][0]} 个工作日"
        + "".join(f"，{one.text}" for one in found),
    )  # fmt: skip


def _tail(counts: Sequence[tuple[int, int]], cases: int, least: int) -> tuple[int, bool]:
    """The last day that has a column of its own, and whether something lies behind it."""
    longest = counts[-1][0]
    if longest <= BINS:
        return longest, False
    rest = 0
    for days, count in reversed(counts):
        rest += count
        if rest * 100 > cases or days <= least:
            end = max(days, least)
            return (end, True) if end < longest else (longest, False)
    return longest, False


# --- stacked columns -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """One value in a column; nth: its place among the series, by which it is drawn."""

    nth: int
    y: float
    height: float
    text: str


@dataclass(frozen=True, slots=True)
class Pile:
    """One column of pieces from the bottom up. top: where its sum is written."""

    label: str
    x: float
    width: float
    top: float
    pieces: tuple[Piece, ...]
    total: float
    href: str = ""


@dataclass(frozen=True, slots=True)
class Stacked:
    """Columns of parts that sum (堆叠柱)."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    rows: tuple[Tick, ...]
    piles: tuple[Pile, ...]
    names: tuple[str, ...]
    told: str

    @property
    def empty(self) -> bool:
        return not any(one.total for one in self.piles)


def stacked(
    labels: Sequence[str],
    series: Sequence[Series],
    hrefs: Sequence[str] = (),
    *,
    unit: str = "件",
    width: float = WIDTH,
    height: float = 230.0,
) -> Stacked:
    """A column for each label, of a piece for each series; what is not known counts as nothing."""
    sums = [sum(one.values[nth] or 0.0 for one in series) for nth in range(len(labels))]
    scale = ticks(max(sums, default=0.0))
    top, bottom = 24.0, height - 28.0
    left, right = 14.0 + 7.5 * max(len(short(one)) for one in scale), width - 8.0
    each = (right - left) / max(1, len(labels))

    def pile(nth: int) -> Pile:
        pieces, y = [], bottom
        for place, one in enumerate(series):
            value = one.values[nth] or 0.0
            if value <= 0:
                continue
            tall = (bottom - top) * value / scale[-1]
            y -= tall
            text = f"{labels[nth]} {one.name}：{number(value)} {unit}"
            pieces.append(Piece(place, round(y, 1), round(tall, 1), text))
        return Pile(
            labels[nth], round(left + each * (nth + 0.25), 1), round(each * 0.5, 1), round(y, 1),
            tuple(pieces), sums[nth], hrefs[nth] if hrefs else "",
        )  # fmt: skip

    return Stacked(
        width, height, left, right, top, bottom,
        tuple(
            Tick(round(bottom - (bottom - top) * one / scale[-1], 1), short(one)) for one in scale
        ),
        tuple(pile(nth) for nth in range(len(labels))),
        tuple(one.name for one in series),
        "；".join(_told(one, labels, unit) for one in series) or "没有数据",
    )  # fmt: skip


# --- heat ----------------------------------------------------------------------------------------


def level(value: float | None, most: float) -> int:
    """0 for nothing, else 1 … LEVELS by the square root, so that small ones are told apart."""
    if value is None or value <= 0 or most <= 0:
        return 0
    return min(LEVELS, max(1, math.ceil(LEVELS * math.sqrt(value / most))))


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a heat table; value None: never. count: how many times, told below it."""

    value: float | None
    level: int = 0
    count: int = 0
    href: str = ""


@dataclass(frozen=True, slots=True)
class HeatRow:
    nth: int
    name: str
    cells: tuple[Cell, ...]
    total: float


@dataclass(frozen=True, slots=True)
class Heat:
    """A table of rows × columns (矩阵): the number stands in its cell; long names are numbered."""

    columns: tuple[tuple[int, str], ...]
    rows: tuple[HeatRow, ...]
    sums: tuple[float, ...]
    total: float

    @property
    def numbered(self) -> bool:
        """Whether the heads of the columns are numbers, told below."""
        return len(self.columns) > 6 or any(len(name) > 10 for _, name in self.columns)


REST = "其余"


def heat(cells: Mapping[tuple[str, str], Cell], *, most: int = 14) -> Heat:
    """From (row, column) → cell; rows and columns stand in one order, the most first.

    most: of so many sides each has a row and a column of its own; what is left is one more, so that
    the sums stay whole.
    """
    cells = _gathered(cells, most)
    weights: dict[str, float] = {}
    for (giver, taker), one in cells.items():
        for side in (giver, taker):
            weights[side] = weights.get(side, 0.0) + (one.value or 0.0)
    order = sorted(weights, key=lambda side: (side.startswith(REST), -weights[side], side))
    # What is gathered is no cell of its own, and must not make all others pale.
    own = [
        one.value or 0.0
        for pair, one in cells.items()
        if not any(side.startswith(REST) for side in pair)
    ]
    top = max(own, default=0.0)
    givers = [side for side in order if any(giver == side for giver, _ in cells)]
    takers = [side for side in order if any(taker == side for _, taker in cells)]
    nothing = Cell(None, 0)
    places = {side: nth for nth, side in enumerate(order, 1)}

    def leveled(one: Cell | None) -> Cell:
        return replace(one, level=level(one.value, top)) if one else nothing

    def summed(place: int, side: str) -> float:
        return sum(one.value or 0.0 for pair, one in cells.items() if pair[place] == side)

    return Heat(
        tuple((places[taker], taker) for taker in takers),
        tuple(
            HeatRow(
                places[giver], giver, tuple(leveled(cells.get((giver, taker))) for taker in takers),
                summed(0, giver),
            )
            for giver in givers
        ),
        tuple(summed(1, taker) for taker in takers),
        sum(one.value or 0.0 for one in cells.values()),
    )  # fmt: skip


def _gathered(cells: Mapping[tuple[str, str], Cell], most: int) -> Mapping[tuple[str, str], Cell]:
    weights: dict[str, float] = {}
    for pair, one in cells.items():
        for side in set(pair):
            weights[side] = weights.get(side, 0.0) + (one.value or 0.0)
    if len(weights) <= most + 1:
        return cells
    order = sorted(weights, key=lambda side: (-weights[side], side))
    shown = set(order[:most])
    rest = f"{REST} {len(order) - most} 个"
    found: dict[tuple[str, str], Cell] = {}
    for (giver, taker), one in cells.items():
        pair = (giver if giver in shown else rest, taker if taker in shown else rest)
        before = found.get(pair)
        whole = {giver, taker} <= shown
        found[pair] = Cell(
            (one.value or 0.0) + ((before.value or 0.0) if before else 0.0),
            count=one.count + (before.count if before else 0),
            href=one.href if whole else "",
        )
    return found


# --- tiles ---------------------------------------------------------------------------------------

# The districts of the city as tiles (区划方块图): column and row, north at the top. A public map needs
# the number of a map review; tiles need none. A region that is not here stands below.
DISTRICTS: Mapping[str, tuple[int, int]] = {
    "420116": (1, 0), "420117": (3, 0),
    "420112": (0, 1), "420102": (1, 1), "420103": (2, 1), "420107": (3, 1),
    "420104": (0, 2), "420105": (1, 2), "420106": (2, 2), "420119": (3, 2),
    "420113": (0, 3), "420118": (1, 3), "420111": (2, 3),
    "420114": (0, 4), "420115": (2, 4),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tile:
    code: str
    name: str
    value: float | None
    text: str
    level: int
    x: float
    y: float
    href: str = ""


@dataclass(frozen=True, slots=True)
class Tiles:
    """Districts as tiles, each with its name and number; the darker, the more."""

    width: float
    height: float
    size: tuple[float, float]
    tiles: tuple[Tile, ...]
    told: str

    @property
    def empty(self) -> bool:
        return not self.tiles


def tiles(
    values: Mapping[str, tuple[str, float | None, str]],
    *,
    unit: str = "件",
    places: Mapping[str, tuple[int, int]] = DISTRICTS,
    width: float = WIDTH,
) -> Tiles:
    """Region code → (name, value, address). Regions without a place follow in a row of their own."""
    columns = 1 + max((x for x, _ in places.values()), default=3)
    below = 1 + max((y for code, (_, y) in places.items() if code in values), default=-1)
    rest = sorted(code for code in values if code not in places)
    where = {code: places[code] for code in values if code in places}
    where |= {code: (nth % columns, below + nth // columns) for nth, code in enumerate(rest)}
    gap, tall = 6.0, 56.0
    wide = (width - gap * (columns - 1)) / columns
    most = max((value for _, value, _ in values.values() if value is not None), default=0.0)
    found = tuple(
        Tile(
            code, cut(name, 7), value, "没有数据" if value is None else number(value),
            level(value, most),
            round(x * (wide + gap), 1), round(y * (tall + gap), 1), href,
        )
        for code, (x, y) in sorted(where.items(), key=lambda one: (one[1][1], one[1][0]))
        for name, value, href in [values[code]]
    )  # fmt: skip
    rows = 1 + max((y for _, y in where.values()), default=0)
    told = "，".join(
        f"{name} {number(value)} {unit}"
        for name, value, _ in sorted(values.values(), key=lambda one: -(one[1] or 0))
        if value
    )
    return Tiles(width, rows * (tall + gap) - gap, (wide, tall), found, told or "没有数据")


__all__ = [
    "DISTRICTS", "Bars", "Cell", "Distribution", "Heat", "Series", "Share", "Stacked", "Tiles",
    "Trend", "bars", "cut", "distribution", "heat", "level", "number", "share", "short", "stacked",
    "step_of", "ticks", "tiles", "trend",
]  # fmt: skip
