"""What the pages of statistics show (统计页的内容): one dictionary for each page."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.http import QueryDict

from zhengwu.catalog import queries as catalog
from zhengwu.domain import periods
from zhengwu.domain.periods import DAY, Grain, Period
from zhengwu.portal.statistics import few, said, tables
from zhengwu.statistics import asking, queries, standing, telling
from zhengwu.statistics.queries import EVERYWHERE, Compared, Question, Row, Spread
from zhengwu.web import charts, words
from zhengwu.web.jinja import SITE

WAYS: Mapping[str, str] = {
    "agency": "部门", "district": "区", "item": "事项", "kind": "办件类型", "channel": "渠道",
    "source": "来源",
}  # fmt: skip
CHOSEN = ("agency", "district", "kind", "channel", "source")
PAGE = 50
MONTHS = 13  # the trend of one month shows the year before it, too
LOOK = 15  # seconds between two looks at how far the figures are: a rush asks once
SHOWN = 10  # bars
_NARROW = (("agency", "部门"), ("district", "区"))
_WAYS = (("kind", "类型"), ("channel", "渠道"), ("source", "来源"))
# By what the page of a way can be narrowed, as tables.TABLES takes it.
TAKES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "agency": (("district", "区"), *_WAYS),
    "district": _WAYS,
    "item": _NARROW,
    **{way: (*_NARROW, *(one for one in _WAYS if one[0] != way)) for way, _ in _WAYS},
}
# Figure of a table of values: heading, and how it is sorted by.
SORTS: Mapping[str, str] = {
    "received": "收件", "closed": "办结", "on_time_share": "按时办结率", "mean_days": "平均工作日",
    "open": "期末在办", "overdue": "已超期",
}  # fmt: skip


def position() -> int:
    """How far the figures are, as it was a moment ago."""
    return _position(int(time.monotonic() // LOOK))


@lru_cache(maxsize=2)
def _position(look: int) -> int:
    return standing.position()


def licence() -> tuple[str, bool]:
    """Under what everybody may use the data, and whether the city has settled it."""
    if settings.OPEN_DATA_LICENCE:
        return settings.OPEN_DATA_LICENCE, True
    return f"可以自由使用、转载和再加工，包括商业用途；请注明来源：{SITE.owner}。", False


# --- what every page shows --------------------------------------------------------------------------


class Choice(NamedTuple):
    """A value to choose, and what it is called."""

    value: str
    text: str


class Quick(NamedTuple):
    """A period to go to with one press."""

    text: str
    since: str
    until: str


def choices() -> Mapping[str, tuple[Choice, ...]]:
    """What can be filtered by: what there are figures of."""
    return _choices(position())


@lru_cache(maxsize=2)
def _choices(position: int) -> Mapping[str, tuple[Choice, ...]]:
    found = {}
    for one in CHOSEN:
        question = Question(period=Period(periods.FIRST, periods.FIRST), by=one)
        keys = list(queries.values(EVERYWHERE, one))
        names = telling.names(keys, question)
        found[one] = tuple(Choice(key[0] or asking.NONE, names.label(one, key)) for key in keys)
    return found


def written(period: Period) -> tuple[str, str]:
    """A period as its two fields: months where it is of whole ones, else days."""
    if period.whole_months:
        return f"{period.since:%Y-%m}", f"{period.until:%Y-%m}"
    return period.since.isoformat(), period.until.isoformat()


def quick(period: Period, today: date) -> list[Quick]:
    """The neighbours of a period, as far as there are figures, and what is asked for most."""
    found = []
    months, earlier, first = period.whole_months, period.before(), _begins(position())
    if first is not None and earlier.until >= first:
        found.append(Quick(said.before_zh(period)[0], *written(earlier)))
    later = Period(period.until + DAY, _months_on(period.until + DAY, months)) if months else None
    if later is not None and later.until < today:
        text = {1: "下月", 3: "下季度", 12: "下年"}.get(months, "后一段")
        found.append(Quick(text, *written(later)))
    found.append(Quick("最近一个整月", *written(asking.last_month(today))))
    if today.month > 1:
        found.append(Quick("今年到上月", *_this_year(today)))
    else:
        found.append(Quick("去年全年", f"{today.year - 1}-01", f"{today.year - 1}-12"))
    return [one for one in found if (one.since, one.until) != written(period)]


@lru_cache(maxsize=2)
def _begins(position: int) -> date | None:
    return standing.begins()


def _this_year(today: date) -> tuple[str, str]:
    return f"{today.year}-01", f"{today.replace(day=1) - DAY:%Y-%m}"


def _months_on(first: date, months: int) -> date:
    day = first
    for _ in range(months):
        day = periods.month(day).until + DAY
    return day - DAY


def frame(question: Question, today: date) -> dict[str, Any]:
    """What every page with figures shows: the period, the filters, what can be chosen."""
    period = question.period
    since, until = written(period)
    text, settled = licence()
    names = filter_names(question)
    return {
        "question": question,
        "period": period,
        "since": since,
        "until": until,
        "field": "month" if period.whole_months else "date",
        "latest": f"{today:%Y-%m}" if period.whole_months else today.isoformat(),
        "ongoing": period.until >= today,
        "quick": quick(period, today),
        "choices": choices(),
        "filters": names,
        "whole": whole(question, names),
        "by_item": few.by_item(question),
        "fewest": settings.STATISTICS_FEWEST,
        "all_ways": WAYS,
        "period_only": QueryDict(urlencode({"from": since, "to": until})),
        "licence": text,
        "settled": settled,
        "position": position(),
        "percent": said.percent,
        "days": said.days,
        "count": said.count,
    }


def filter_names(question: Question) -> dict[str, str]:
    """The filters that are set, by what their values are called."""
    found = {}
    for name, value in question.narrowed.items():
        if name == "item":
            found[name] = catalog.names([value])[value] if value else "没有说明事项的"
            continue
        asked = replace(question, by=name)
        key = (value,)
        found[name] = telling.names([key], asked).label(name, key)
    return found


def whole(question: Question, names: Mapping[str, str]) -> str:
    """Of whom the figures are: 全市, 市水务局（承诺件）."""
    place = next((one for one in ("agency", "district") if one in names), "")
    rest = [text for name, text in names.items() if name != place]
    first = names.get(place, "全市")
    return f"{first}（{'，'.join(rest)}）" if rest else first


# --- the overview -----------------------------------------------------------------------------------


class Moment(NamedTuple):
    """One part of a trend, with what is not told of it."""

    row: Row
    hidden: few.Hidden


def overview(question: Question, *, at: datetime) -> dict[str, Any]:
    """The whole of a period: in words, in figures, over time, in whose hands."""
    today = words.local(at).date()
    context = frame(question, today)
    one = _comparable(queries.compared(EVERYWHERE, question, at=at)[0], question)
    moments = _trend(question, at=at, today=today)
    hidden = _hidden(one, question, moments)
    spread = queries.spreads(EVERYWHERE, question).get((), tables.NOTHING)
    hands = () if "elapsed" in hidden else said.hands(one.now)
    context |= {
        "one": one,
        "hidden": hidden,
        "sentences": said.sentences(
            one, spread, whole=context["whole"], ongoing=context["ongoing"], hidden=hidden
        ),
        "figures": said.figures(
            one, hidden, fewest=settings.STATISTICS_FEWEST, ongoing=context["ongoing"]
        ),
        "moments": moments,
        "trend": _drawn(moments),
        "hands": hands,
        "whole_days": said.whole_days(one.now),
        "share": charts.share([(hand.name, hand.share) for hand in hands]),
        "distribution": None if "days" in hidden else _spread(spread),
        "downloads": downloads(question, ("city", "trend", *WAYS, "restatements")),
    }
    return context


def _comparable(one: Compared, question: Question) -> Compared:
    """Without a period to compare with that is not told itself."""
    nothing = dict.fromkeys(one.now.counts, 0)
    before, year_before = (
        row if not hidden.why else Row(row.key, row.period, nothing)
        for row, hidden in zip(
            (one.before, one.year_before),
            (tables.withheld([row], question)[0] for row in (one.before, one.year_before)),
            strict=True,
        )
    )
    return Compared(one.now, before, year_before)


def _hidden(one: Compared, question: Question, moments: Sequence[Moment]) -> few.Hidden:
    """What is not told of the period; as in the trend, where it is one of its parts."""
    for moment in moments:
        if moment.row.period == one.now.period:
            return moment.hidden
    (found,) = tables.withheld([one.now], question)
    return found


def _spread(spread: Spread) -> charts.Distribution:
    return charts.distribution(
        spread.counts,
        [("一半", spread.percentile(0.5)), ("九成", spread.percentile(0.9))],
    )


def _trend(question: Question, *, at: datetime, today: date) -> tuple[Moment, ...]:
    """Month by month: the period itself where it is long, else the year that ends with it."""
    period = question.period
    first = period.since.replace(day=1)
    if period.until - first < 92 * DAY:
        last = periods.month(period.until)
        first = last.since
        for _ in range(MONTHS - 1):
            first = (first - DAY).replace(day=1)
        period = Period(max(first, periods.FIRST), min(last.until, max(today, last.since)))
    months = period.count(Grain.MONTH)
    grain = Grain.MONTH if months <= 37 else Grain.QUARTER if months <= 120 else Grain.YEAR
    asked = replace(question, period=period, by=None, grain=grain)
    rows = queries.figures(EVERYWHERE, asked, at=at)
    told = [nth for nth, row in enumerate(rows) if row["received"] or row["closed"]]
    rows = rows[told[0] :] if told else ()
    return tuple(
        Moment(row, hidden)
        for row, hidden in zip(rows, tables.withheld(rows, question), strict=True)
    )


def _drawn(moments: Sequence[Moment]) -> charts.Trend | None:
    if len(moments) < 2:
        return None
    labels = [_short(one.row.period) for one in moments]
    series = [
        charts.Series(
            zh,
            tuple(None if code in one.hidden else float(one.row[code]) for one in moments),
            dashed=dashed,
        )
        for code, zh, dashed in (("received", "收件", False), ("closed", "办结", True))
    ]
    return charts.trend(labels, series)


def _short(period: Period) -> str:
    if period.days > 100:
        return f"{period.since:%Y}"
    if period.days > 31:
        return f"{period.since:%Y} 年 {period.since.month // 3 + 1} 季"
    return f"{period.since:%y}-{period.since:%m}"


# --- by one thing -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One value of a dimension. value: as a filter; where: who does an item of this name."""

    value: str
    name: str
    row: Row
    hidden: few.Hidden
    where: str = ""

    def sorted_by(self, code: str) -> float:
        if code in self.hidden:
            return -1.0
        found = {
            "open": self.row.open, "overdue": self.row.overdue,
            "on_time_share": self.row.on_time_share, "mean_days": self.row.mean_days,
        }.get(code) if code not in self.row.counts else self.row[code]  # fmt: skip
        return -1.0 if found is None else float(found)


def by(
    question: Question, way: str, *, q: str, sort: str, page: int, at: datetime
) -> dict[str, Any]:
    """The values of one dimension beside each other."""
    today = words.local(at).date()
    asked = few.checked(replace(question, by=way))
    context = frame(asked, today)
    rows = queries.figures(EVERYWHERE, asked, at=at)
    names = telling.names((row.key for row in rows), asked)
    places = telling.item_agencies(row.key[0] for row in rows) if way == "item" else {}
    lines = [
        Line(
            row.key[0] or asking.NONE,
            names.label(way, row.key),
            row,
            hidden,
            places.get(row.key[0], ""),
        )
        for row, hidden in zip(rows, tables.withheld(rows, asked), strict=True)
        if row["received"] or row["closed"] or row.open
    ]
    if q:
        lines = [one for one in lines if q in one.name or q == one.value]
    lines.sort(key=lambda one: (-one.sorted_by(sort), one.name))
    pages = max(1, -(-len(lines) // PAGE))
    page = min(page, pages)
    context |= {
        "way": way,
        "takes": TAKES[way],
        "q": q,
        "sort": sort,
        "sorts": SORTS,
        "lines": lines[(page - 1) * PAGE : page * PAGE],
        "found": len(lines),
        "page": page,
        "pages": pages,
        "none": asking.NONE,
        "tiles": _tiles(lines, context) if way == "district" and lines else None,
        "bars": _bars(lines) if way not in ("district", "item") and len(lines) > 1 else None,
        "downloads": downloads(asked, (way,)),
    }
    return context


def _tiles(lines: Sequence[Line], context: Mapping[str, Any]) -> charts.Tiles:
    return charts.tiles(
        {
            one.value: (one.name, float(one.row["received"]), "")
            for one in lines
            if one.value in charts.DISTRICTS
        }
    )


def _bars(lines: Sequence[Line]) -> charts.Bars:
    most = sorted(lines, key=lambda one: (-one.row["received"], one.name))[:SHOWN]
    return charts.bars([(one.name, float(one.row["received"]), "") for one in most])


# --- lists ------------------------------------------------------------------------------------------


def restated(question: Question, *, at: datetime) -> dict[str, Any]:
    """What was changed of the days of a period after they were over."""
    context = frame(question, words.local(at).date())
    rows = tables.rows(tables.TABLES["restatements"], question, at=at)
    return context | {"rows": rows, "downloads": downloads(question, ("restatements",))}


def hands_by_agency(question: Question, *, page: int, at: datetime) -> dict[str, Any]:
    """The whole time of closed cases by hands, of each agency."""
    context = frame(question, words.local(at).date())
    asked = few.checked(replace(question, by="agency"))
    rows = [row for row in queries.figures(EVERYWHERE, asked, at=at) if row["elapsed"]]
    names = telling.names((row.key for row in rows), asked)
    rows.sort(key=lambda row: -(said.whole_days(row) or 0))
    everyone = queries.total(rows) if rows else None
    hands = said.hands(everyone) if everyone else ()
    pages = max(1, -(-len(rows) // PAGE))
    page = min(page, pages)
    return context | {
        "page": page,
        "pages": pages,
        "found": len(rows),
        "hands": hands,
        "whole_days": said.whole_days(everyone) if everyone else None,
        "share": charts.share([(hand.name, hand.share) for hand in hands]),
        "rows": [
            (row.key[0] or asking.NONE, names.label("agency", row.key), said.whole_days(row),
             {hand.code: hand for hand in said.hands(row)}, row["closed"])
            for row in rows[(page - 1) * PAGE : page * PAGE]
        ],
        "downloads": downloads(asked, ("agency",)),
    }  # fmt: skip


class Download(NamedTuple):
    """A table for download, with the query of its address."""

    code: str
    zh: str
    what: str
    query: Mapping[str, str]


def downloads(question: Question, codes: Sequence[str]) -> list[Download]:
    """Tables for download as they stand on this page."""
    period = {
        "from": question.period.since.isoformat(), "to": question.period.until.isoformat(),
    }  # fmt: skip
    narrowed = {name: value or asking.NONE for name, value in question.narrowed.items()}
    found = []
    for code in codes:
        table = tables.TABLES[code]
        if any(name not in table.takes for name in narrowed) and code not in ("city", "trend"):
            continue
        if table.by == "item" and not question.period.whole_months:
            continue
        asked = {**period, **narrowed} if table.takes else {}
        found.append(Download(code, table.zh, table.what, asked))
    return found
