"""The pages of ranking (排名): who stands where, and the sheet that says why, point by point."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from urllib.parse import quote, urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor, Reach
from zhengwu.desk.catalogue.sheets import TYPES
from zhengwu.desk.entry import desk
from zhengwu.documents import sheets
from zhengwu.domain import periods, scoring
from zhengwu.domain.periods import DAY, Grain
from zhengwu.domain.refusal import Refusal
from zhengwu.domain.rulebook import LEVELS_ZH, SCORED, Level
from zhengwu.domain.scoring import GRADES, Line, Part, Sheet
from zhengwu.statistics import telling
from zhengwu.statistics.queries import Question
from zhengwu.supervision import ranking
from zhengwu.supervision.ranking import ACT, BY, PEOPLE, Key, Ranking, Row, Seen, Span
from zhengwu.web import charts, paging, words
from zhengwu.web.clock import now
from zhengwu.web.forms import Form
from zhengwu.web.forms import Line as Text
from zhengwu.web.jinja import url

FOLDER = "ranking"
PAGE = 50  # units on a page; the files have all
BARS = 30  # units drawn at most, on the first page
LISTED = 50  # findings of one entry that a sheet lists
TREND = 12  # months of a unit's line
TABS = (("desk:ranking", "排名"), ("desk:ranking-report", "监察月报"))
CODE = 120  # letters of a unit's code


class Ask(Form):
    """What is ranked, of when."""

    period = Text(
        label="期间", required=False, max_length=10,
        error_messages={"max_length": "请写成 2026-10、2026-Q3、2026-H1 或者 2026。"},
    )  # fmt: skip
    by = Text(label="排名对象", required=False, max_length=20)
    district = Text(label="区划", required=False, max_length=16)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page is asked. span: None where it could not be read; the form says why."""

    form: Ask
    by: str
    district: str
    span: Span | None
    reach: Reach
    at: datetime
    today: date

    @property
    def given(self) -> dict[str, str]:
        found = {"by": self.by, "district": self.district}
        if self.span:
            found["period"] = self.span.code
        return {name: value for name, value in found.items() if value}

    def to(self, name: str, **changes: str | None) -> str:
        """The address of a page with the same question, some parts changed or (None) dropped."""
        parts = {**self.given, **changes}
        kept = {key: value for key, value in parts.items() if value}
        return url(name) + (f"?{urlencode(kept)}" if kept else "")


def asked(request: HttpRequest, actor: Actor) -> Asked:
    """Reads the address."""
    at = now()
    today = words.local(at).date()
    form = Ask(request.GET)
    by, district, span = "agency", "", None
    if form.is_valid():
        given = form.cleaned_data
        try:
            by = _by(given["by"] or "agency", actor)
            district = _district(given["district"])
            span = ranking.span(given["period"], today=today)
        except Refusal as refusal:
            form.refuse(refusal)
    return Asked(form, by, district, span, reach(actor, by), at, today)


def _by(text: str, actor: Actor) -> str:
    if text not in kinds(actor):
        known = "、".join(one.zh for one in kinds(actor).values())
        raise Refusal("ranking.by", f"没有这种排名，或者您不能看。可以看：{known}。", field="by")
    return text


def _district(text: str) -> str:
    if text and text not in dict(accounts.regions()):
        raise Refusal("ranking.district", "没有这个区。请从列表里选择。", field="district")
    return text


def kinds(actor: Actor) -> Mapping[str, ranking.Ranked]:
    """What this person may see ranked."""
    return {code: one for code, one in BY.items() if code != "person" or actor.may(PEOPLE)}


def reach(actor: Actor, by: str) -> Reach:
    return accounts.reach(actor, PEOPLE if by == "person" else ACT)


# --- the ranking -------------------------------------------------------------------------------------


class Cell(NamedTuple):
    """A number of a row, and where what is behind it stands ("" where it does not)."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of the page."""

    rank: str
    name: str
    href: str
    score: str
    grade: str
    cells: tuple[Cell, ...]
    months: tuple[Cell, ...]


HEADS = ("红牌", "黄牌", "连续预警", "扣分", "加分")


@require_safe
@desk(ACT)
def listed(request: HttpRequest, actor: Actor, form: str = "") -> HttpResponse:
    """Who stands where in a month, quarter, half-year or year. ``?by=&period=&district=&page=``

    Those with too few cases to be ranked come last, page by page, too.
    """
    it = asked(request, actor)
    found: Ranking | None = None
    rows: tuple[Shown, ...] = ()
    small: tuple[Shown, ...] = ()
    bars: charts.Bars | None = None
    page = pages = 1
    if it.span:
        found = ranking.ranking(it.reach, it.by, it.span, district=it.district)
        everybody = (*found.rows, *found.small)
        if form:
            return _file(form, it, found, names(it.by, [one.key for one in everybody]))
        pages = max(1, -(-len(everybody) // PAGE))
        page = min(paging.page_number(request.GET.get("page")), pages)
        on_page = everybody[(page - 1) * PAGE : page * PAGE]
        named = names(it.by, [one.key for one in on_page])
        opens = ranking.openable(it.reach, it.by)
        rows, small = (
            tuple(
                _shown(it, found, one, named, opens) for one in on_page if bool(one.rank) is ranked
            )
            for ranked in (True, False)
        )
        if page == 1:
            bars = charts.bars(
                [
                    (shown.name, row.score / scoring.UNIT, shown.href)
                    for row, shown in zip(found.rows[:BARS], rows, strict=False)
                ],
                unit="分", letters=18, width=760.0,
            )  # fmt: skip
    context = {
        "actor": actor, "folder": FOLDER, "it": it, "form": it.form, "found": found, "rows": rows,
        "small": small, "bars": bars if bars and len(rows) > 1 else None, "most": BARS,
        "tabs": TABS, "here": "desk:ranking", "kinds": kinds(actor), "presets": presets(it),
        "districts": accounts.regions() if it.by != "district" else (), "heads": HEADS,
        "grades": grades(found) if found else (), "scored": SCORED, "page": page, "pages": pages,
    }  # fmt: skip
    status = 200 if it.span else 422
    return render(request, "desk/ranking/ranking.html.j2", context, status=status)


def _shown(
    it: Asked, found: Ranking, row: Row, named: Callable[[Key], str], opens: Callable[[Key], bool]
) -> Shown:
    seen = opens(row.key)
    last = max(row.sheets)

    def sheet(month: date) -> str:
        return sheet_url(it.by, row.key, month) if seen else ""

    def findings(level: str, many: int) -> Cell:
        return Cell(f"{many:,}", findings_url(it.by, row.key, found.span, level) if seen and many else "")  # fmt: skip

    return Shown(
        rank=str(row.rank or ""), name=named(row.key), href=sheet(last),
        score=scoring.said(row.score), grade=GRADES[row.grade],
        cells=(
            findings("red", row.times("red")), findings("yellow", row.times("yellow")),
            Cell(f"{row.times('run'):,}", ""), Cell(f"{row.lost:,}", ""), Cell(f"{row.bonus:,}", ""),
            Cell(f"{row.finished:,}", finished_url(it.by, row.key, found.span) if seen and row.finished else ""),
        ),
        months=tuple(
            Cell(scoring.said(one.score), sheet(month)) if (one := row.sheets.get(month)) else Cell("—", "")
            for month in found.span.months
        ) if len(found.span.months) > 1 else (),
    )  # fmt: skip


def names(by: str, keys: Sequence[Key]) -> Callable[[Key], str]:
    """What units are called; at most two queries."""
    if by == "person":
        people = accounts.names(people=(key[1] for key in keys), agencies=(key[0] for key in keys))
        return lambda key: f"{people.person(key[1])}（{people.agency(key[0])}）"
    period = periods.month(date(2026, 1, 1))
    found = telling.names(keys, Question(period=period, by=by))
    return lambda key: found.label(by, key)


def sheet_url(by: str, key: Key, month: date) -> str:
    parts = {"by": by, "unit": key[-1], "period": f"{month:%Y-%m}"}
    if by in ranking.PLACED:
        parts["place"] = key[0]
    return f"{url('desk:ranking-sheet')}?{urlencode(parts)}"


def findings_url(by: str, key: Key, span: Span, level: str) -> str:
    """The findings in the supervisors' list, as far as it narrows by such a unit."""
    if by not in ("agency", "person"):
        return ""
    parts = {
        "folder": "all", "level": level, "agency": key[0],
        "since": span.period.since.isoformat(), "until": span.period.until.isoformat(),
    }  # fmt: skip
    if by == "person":
        parts["person"] = key[1]
    return f"{url('desk:supervision')}?{urlencode(parts)}"


def finished_url(by: str, key: Key, span: Span, measure: str = "closed") -> str:
    """The cases behind a number of statistics; of people's acts there is no one list."""
    filters = {"agency": ("agency",), "district": ("district",), "window": ("hall", "window")}.get(by)  # fmt: skip
    if filters is None or not span.months:
        return ""
    until = periods.month(span.months[-1]).until
    parts = {
        "measure": measure, "since": span.months[0].isoformat(), "until": until.isoformat(),
        **dict(zip(filters, key, strict=True)),
    }  # fmt: skip
    return f"{url('desk:statistics-cases')}?{urlencode(parts)}"


def presets(it: Asked) -> tuple[tuple[str, str, bool], ...]:
    """(name, address, whether it is this one) of the periods that are offered for a click."""
    this = periods.month(it.today).since
    before = (this - DAY).replace(day=1)
    earlier = (before - DAY).replace(day=1)
    quarter = periods.start_of(this, Grain.QUARTER)
    last_quarter = periods.start_of(quarter - DAY, Grain.QUARTER)
    offered = [
        *((f"{one:%Y-%m}", f"{one.year} 年 {one.month} 月") for one in (this, before, earlier)),
        *(
            (f"{one.year}-Q{one.month // 3 + 1}", f"{one.year} 年第 {one.month // 3 + 1} 季度")
            for one in (quarter, last_quarter)
        ),
        (f"{this.year}-H1", f"{this.year} 年上半年"), (str(this.year), f"{this.year} 年"),
        (str(this.year - 1), f"{this.year - 1} 年"),
    ]  # fmt: skip
    code = it.span.code if it.span else ""
    return tuple((zh, it.to("desk:ranking", period=one), one == code) for one, zh in offered)


def grades(found: Ranking) -> tuple[tuple[str, str, int], ...]:
    """(name, from which score, how many) of each grade."""
    starts = dict(found.table.grades)
    lowest = min(starts.values(), default=0)
    many = Counter(one.grade for one in found.rows)
    return tuple(
        (zh, f"{starts[code]} 分以上" if code in starts else f"不到 {lowest} 分", many[code])
        for code, zh in GRADES.items()
    )  # fmt: skip


_COLUMNS: Mapping[str, str] = {
    "agency": "机关代码", "region": "区划代码", "hall": "大厅代码", "window": "窗口代码", "person": "工号",
}  # fmt: skip


def _file(form: str, it: Asked, found: Ranking, named: Callable[[Key], str]) -> HttpResponse:
    months = found.span.months if len(found.span.months) > 1 else ()
    columns = (
        "名次", BY[it.by].zh, *(_COLUMNS[one] for one in BY[it.by].columns),
        "得分", "等次", *HEADS, BY[it.by].finished_zh, *(f"{one:%Y-%m}" for one in months),
    )  # fmt: skip

    def points(sheet: Sheet | None) -> float | None:
        return sheet.score / scoring.UNIT if sheet else None

    body = [
        (
            row.rank if row.rank else "未排名", named(row.key), *row.key,
            round(row.score / scoring.UNIT, 2), GRADES[row.grade], row.times("red"),
            row.times("yellow"), row.times("run"), row.lost, row.bonus, row.finished,
            *(points(row.sheets.get(one)) for one in months),
        )
        for row in (*found.rows, *found.small)
    ]  # fmt: skip
    title = f"{BY[it.by].zh}排名-{found.span.code}"
    data = (
        b"".join(sheets.write_csv(columns, body))
        if form == "csv"
        else sheets.write_xlsx(columns, body, title=title)
    )
    response = HttpResponse(data, content_type=TYPES[form])
    response["Content-Disposition"] = (
        f'attachment; filename="ranking-{found.span.code}.{form}"; '
        f"filename*=UTF-8''{quote(f'{title}.{form}')}"
    )
    return response


# --- one unit's sheet --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a sheet with what is behind it. more: findings that are not listed."""

    line: Line
    told: str
    seen: tuple[Seen, ...]
    more: int
    href: str


@dataclass(frozen=True, slots=True)
class PartShown:
    part: Part
    zh: str
    entries: tuple[Entry, ...]
    warned: tuple[Seen, ...]


@require_safe
@desk(ACT)
def sheet(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Why a unit has its score of a month. ``?by=&unit=&place=&period=2026-10``"""
    it = asked(request, actor)
    key = _key(request, it.by)
    if it.span is None or not it.form.is_valid():
        context = {"actor": actor, "folder": FOLDER, "it": it, "form": it.form}
        return render(request, "desk/ranking/refused.html.j2", context, status=422)
    if key is None or not ranking.may_open(it.reach, it.by, key):
        raise Http404
    month = max(it.span.months, default=it.span.period.since)
    found = ranking.scored(it.reach, it.by, key, month)
    span = ranking.span(f"{month:%Y-%m}", today=it.today)
    months = _months(month, it.today)
    history = ranking.history(it.reach, it.by, key, months)
    labels = [f"{one.year % 100}-{one.month:02}" for one in months]
    values = tuple(history[one].score / scoring.UNIT if one in history else None for one in months)
    line = charts.trend(labels, (charts.Series("得分", values),), unit="分", width=760.0)
    context = {
        "actor": actor, "folder": FOLDER, "it": it, "found": found, "key": key, "span": span,
        "name": names(it.by, [key])(key), "kind": BY[it.by], "trend": line,
        "months": tuple((one, history.get(one), sheet_url(it.by, key, one)) for one in months),
        "month": month, "parts_shown": _parts(it.by, found, span) if found else (),
        "bonuses": _bonuses(it.by, found, span) if found else (), "grades": GRADES,
        "said": scoring.said, "levels": {str(code): zh for code, zh in LEVELS_ZH.items()},
        "finished": finished_url(it.by, key, span), "unit": scoring.UNIT,
        "back": it.to("desk:ranking"),
    }  # fmt: skip
    return render(request, "desk/ranking/sheet.html.j2", context)


def _key(request: HttpRequest, by: str) -> Key | None:
    unit, place = request.GET.get("unit", ""), request.GET.get("place", "")
    key = (place, unit) if by in ranking.PLACED else (unit,)
    readable = all(0 < len(one) <= CODE and one.isprintable() for one in key)
    return key if readable else None


def _months(month: date, today: date) -> tuple[date, ...]:
    """The last months up to this one; up to the month that is shown, where it is older."""
    found = [today.replace(day=1)]
    if (today - month).days > TREND * 28:
        found = [month]
    while len(found) < TREND:
        found.append((found[-1] - DAY).replace(day=1))
    return tuple(reversed(found))


def _parts(by: str, found: ranking.Scored, span: Span) -> tuple[PartShown, ...]:
    shown = []
    for part in found.sheet.parts:
        entries = []
        for line in part.lines:
            seen = found.listed.get((part.code, line.cause), ())
            if line.cause == "incomplete":
                href = finished_url(by, found.key, span, "unjudged")
            elif len(seen) > LISTED:
                level = str(Level.WARNING) if line.cause == "run" else line.cause
                href = findings_url(by, found.key, span, level)
            else:
                href = ""
            entries.append(
                Entry(line, scoring.told(line, found.table), seen[:LISTED],
                      max(0, len(seen) - LISTED), href)
            )  # fmt: skip
        warned = found.warned.get(part.code, ())
        shown.append(PartShown(part, SCORED[part.code], tuple(entries), warned[:LISTED]))
    return tuple(shown)


def _bonuses(by: str, found: ranking.Scored, span: Span) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            line, scoring.told(line, found.table), (), 0,
            finished_url(by, found.key, span, "early") if line.cause == "early" else "",
        )
        for line in found.sheet.bonuses
    )  # fmt: skip


__all__ = ["TABS", "Asked", "asked", "listed", "names", "reach", "sheet", "sheet_url"]
