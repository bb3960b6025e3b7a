"""The wall as it is drawn (大屏的画法): numbers, pictures and their tables, each with the way to its cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from zhengwu.accounts.queries import CITY
from zhengwu.domain.measuring import HANDS
from zhengwu.domain.rulebook import LEVELS_ZH, Level
from zhengwu.statistics.queries import Row
from zhengwu.statistics.showing import HANDS_ZH
from zhengwu.supervision import wall as reading
from zhengwu.supervision.wall import Agency, District, Found, Wall
from zhengwu.web import charts, words
from zhengwu.web.charts import Bars, Series, Stacked, Trend
from zhengwu.web.jinja import url

# Shape and word of a state; the colour comes third (design: never by colour alone).
SHAPES = {"over": "◆", "red": "▲", "yellow": "■", "green": "●"}
STATES_ZH = {"over": "超期", "red": "今天到期", "yellow": "预警", "green": "正常"}
CARDS = (
    Level.WARNING,
    Level.YELLOW,
    Level.RED,
)  # as they stand upon each other; hints are a number
LAST = 8  # agencies by on-time rate
FEWEST = 5  # judged cases with which an agency is ranked: of one late case nobody is the last
ROWS = 7  # of the worst, where pictures are shown
ROOM = 0.84  # of a bar's length, so that its words have room behind it
NAME = 9  # letters of an agency's name beside its bar
DAY_SECONDS = 86_400.0
WIDE, TALL = (
    440.0,
    226.0,
)  # of a picture's own box; its letters of 13 stand as 16 on a screen of 1920


def percent(share: float | None) -> str:
    """99.2; — where nothing can be judged."""
    return "—" if share is None else f"{share * 100:.1f}"


# --- addresses --------------------------------------------------------------------------------------


def counted(measure: str, since: date, until: date, **more: str) -> str:
    """The cases behind a figure of statistics."""
    period = {"since": since.isoformat(), "until": until.isoformat()}
    return url("desk:statistics-cases", measure=measure, **period, **more)


def findings(since: date, until: date, level: str = "") -> str:
    """The findings of some days at the supervision desk."""
    asked = {"folder": "all", "since": since.isoformat(), "until": until.isoformat()}
    return url("desk:supervision", **asked, **({"level": level} if level else {}))


# --- the numbers on top -----------------------------------------------------------------------------


class Number(NamedTuple):
    """One of the numbers on top. tone: of the style; href: to its cases; note: what it means."""

    zh: str
    value: str
    href: str
    tone: str = ""
    unit: str = ""
    shape: str = ""
    note: str = ""


def numbers(wall: Wall) -> tuple[Number, ...]:
    """The eight of them; every one leads to its cases."""
    day, whole, press = wall.today, wall.whole, wall.pressing
    cards = wall.cards_today
    yellow, red = cards[Level.YELLOW], cards[Level.RED]
    judged = reading.since_judged(day)
    return (
        Number("今日收件", f"{whole['received']:,}", counted("received", day, day)),
        Number("今日办结", f"{whole['closed']:,}", counted("closed", day, day), "g"),
        Number("在办", f"{whole.open:,}", counted("open", day, day)),
        Number(
            "按时办结率", percent(wall.judged.on_time_share),
            url("desk:statistics-by", by="agency", sort="on_time_share",
                since=judged.isoformat(), until=day.isoformat()),
            "g", "%" if wall.judged.on_time_share is not None else "", note=f"近 {reading.JUDGED} 日",
        ),
        Number(
            "今日发牌", f"黄 {yellow:,}　红 {red:,}", findings(day, day),
            "r" if red else "y" if yellow else "", note="有效的",
        ),
        Number("预警", f"{press.soon:,}", url("desk:wall-cases", light="yellow"),
               "y" if press.soon else "", shape="■", note="2 日内到期"),
        Number("今天到期", f"{press.today:,}", url("desk:wall-cases", light="red"),
               "r" if press.today else "", shape="▲"),
        Number("已超期", f"{press.over:,}", url("desk:wall-cases", light="over"),
               "o" if press.over else "", shape="◆"),
    )  # fmt: skip


# --- districts --------------------------------------------------------------------------------------


class Part(NamedTuple):
    """A number of a tile with its shape and word, and where its cases are."""

    light: str
    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Tile:
    """A district. light: its state, by which it is coloured; parts: what is open, what presses."""

    name: str
    light: str
    parts: tuple[Part, ...]
    district: District

    @property
    def long(self) -> bool:
        """Whether its name needs two lines."""
        return len(self.name) > 5

    @property
    def shape(self) -> str:
        return SHAPES[self.light]

    @property
    def word(self) -> str:
        return STATES_ZH[self.light]


@dataclass(frozen=True, slots=True)
class Tiles:
    """The districts, and what belongs to none of them: the city's own bureaus, the untold."""

    districts: tuple[Tile, ...]
    others: tuple[Tile, ...]


def tiles(wall: Wall) -> Tiles:
    """Every district within reach, in the order of their codes."""
    all_of = [_tile(one, wall.today) for one in wall.districts]
    return Tiles(
        tuple(one for one in all_of if one.district.code in charts.DISTRICTS),
        tuple(one for one in all_of if one.district.code not in charts.DISTRICTS),
    )


def _tile(one: District, day: date) -> Tile:
    code = one.code or "-"
    parts = [Part("", f"在办 {one.open:,}", counted("open", day, day, district=code))]
    for light, count in (
        ("over", one.pressing.over),
        ("red", one.pressing.today),
        ("yellow", one.pressing.soon),
    ):
        if count:
            text = f"{SHAPES[light]} {STATES_ZH[light]} {count:,}"
            parts.append(
                Part(light, text, url("desk:wall-cases", light=light, district=code))
            )  # fmt: skip
    name = "市本级" if one.code == CITY else one.name
    return Tile(name, one.pressing.light, tuple(parts), one)


# --- pictures ---------------------------------------------------------------------------------------


def trend(rows: Sequence[Row], *, width: float = WIDE, height: float = TALL) -> Trend:
    """Received and closed, day by day."""
    return charts.trend(
        [str(row.period.since.day) for row in rows],
        [
            Series("收件", tuple(float(row["received"]) for row in rows)),
            Series("办结", tuple(float(row["closed"]) for row in rows), dashed=True),
        ],
        width=width,
        height=height,
    )


class Rated(NamedTuple):
    """An agency in the order of its rate. tone: under 96 % red, under 98 % amber, as its word says."""

    agency: Agency
    tone: str
    word: str
    href: str

    @property
    def rate(self) -> str:
        return percent(self.agency.row.on_time_share)


def rated(wall: Wall) -> tuple[Rated, ...]:
    """The last ones by on-time rate; each leads to what it closed too late."""
    since = reading.since_judged(wall.today)
    found = []
    ranked = [
        one for one in wall.agencies if one.row["on_time"] + one.row["late"] >= FEWEST
    ] or wall.agencies
    for one in ranked[:LAST]:
        share = one.row.on_time_share or 0.0
        tone, word = ("r", "低") if share < 0.96 else ("y", "偏低") if share < 0.98 else ("b", "")
        href = counted("late", since, wall.today, agency=one.code or "-")
        found.append(Rated(one, tone, word, href))
    return tuple(found)


def rates(lines: Sequence[Rated]) -> tuple[Bars, str]:
    """Bars of the rates, and from where on they are drawn: tens below the lowest, so that a tenth of
    a hundredth is seen."""
    least = min((one.agency.row.on_time_share or 0.0 for one in lines), default=1.0)
    base = 0.0 if least < 0.5 else 0.5 if least < 0.9 else 0.9
    bars = charts.bars(
        [
            (one.agency.name, (one.agency.row.on_time_share or 0.0) - base, one.href)
            for one in lines
        ],
        letters=NAME,
        width=WIDE,
    )
    said = tuple(
        replace(
            bar,
            width=round(bar.width * ROOM, 1),
            text=f"{one.rate}%（超 {one.agency.row['late']:,}）",
        )
        for bar, one in zip(bars.bars, lines, strict=True)
    )
    told = "，".join(f"{one.agency.name} {one.rate}%" for one in lines) or "没有数据"
    return replace(bars, bars=said, told=told), f"{base * 100:.0f}%"


class Hand(NamedTuple):
    """Where the time of closed cases went, days a case on the average; share of the whole."""

    zh: str
    days: float
    share: float


def hands(row: Row) -> tuple[Hand, ...]:
    """In the order of the way of a case; those in which nothing went are left out."""
    closed, elapsed = row["closed"], row["elapsed"]
    if not closed or not elapsed:
        return ()
    return tuple(
        Hand(HANDS_ZH[code], row[code] / closed / DAY_SECONDS, row[code] / elapsed)
        for code in HANDS
        if row[code]
    )


def hand_bars(lines: Sequence[Hand]) -> Bars:
    """Days in whose hands."""
    bars = charts.bars([(one.zh, one.days, "") for one in lines], unit="天", width=WIDE)
    said = tuple(
        replace(bar, text=f"{one.days:.1f} 天") for bar, one in zip(bars.bars, lines, strict=True)
    )
    told = "，".join(f"{one.zh} {one.days:.1f} 天" for one in lines) or "没有数据"
    return replace(bars, bars=said, told=told)


def piles(days: Sequence[Found]) -> Stacked:
    """Warnings and cards of the last days, one upon the other."""
    return charts.stacked(
        [
            "今日" if nth + 1 == len(days) else f"周{words.WEEKDAYS[one.day.weekday()]}"
            for nth, one in enumerate(days)
        ],
        [
            Series(LEVELS_ZH[level], tuple(float(one.counts[level]) for one in days))
            for level in CARDS
        ],
        [findings(one.day, one.day) for one in days],
        unit="条",
        width=WIDE,
        height=TALL,
    )


# --- all of it --------------------------------------------------------------------------------------


def headline(wall: Wall) -> tuple[str, str]:
    """The state of the whole in one sentence, and its light: what a leader reads first."""
    press = wall.pressing
    cards = wall.cards_today[Level.YELLOW] + wall.cards_today[Level.RED]
    carded = f"；今日发牌 {cards:,} 张" if cards else ""
    if press.over:
        return "over", f"有 {press.over:,} 件超期，须督办{carded}"
    if press.today:
        return "red", f"没有超期；{press.today:,} 件今天到期{carded}"
    if press.soon:
        return "yellow", f"没有超期；{press.soon:,} 件 2 个工作日内到期{carded}"
    return "green", f"没有超期，没有临期{carded}"


def board(wall: Wall) -> dict[str, Any]:
    """What the templates of the wall and of the digest need."""
    lines = rated(wall)
    bars, base = rates(lines)
    light, sentence = headline(wall)
    spent = hands(wall.judged)
    day = wall.today
    return {
        "wall": wall,
        "numbers": numbers(wall),
        "tiles": tiles(wall),
        "trend": trend(wall.days),
        "rated": lines,
        "rates": bars,
        "base": base,
        "fewest": FEWEST,
        "hands": spent,
        "hand_bars": hand_bars(spent),
        "piles": piles(wall.found),
        "hints": sum(one.counts[Level.HINT] for one in wall.found),
        "levels": LEVELS_ZH,
        "cards": CARDS,
        "rows": ROWS,
        "judged": reading.JUDGED,
        "all_found": findings(wall.found[0].day, day),
        "shapes": SHAPES,
        "light": light,
        "sentence": sentence,
        "counted": counted,
        "findings": findings,
        "percent": percent,
    }


__all__ = ["CARDS", "Number", "Rated", "Tile", "Tiles", "board", "counted", "findings", "percent"]
