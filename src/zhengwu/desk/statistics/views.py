"""The pages of statistics (统计): overview, tables, hand-overs, corrections, the cases behind a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor, Reach
from zhengwu.cases import briefs
from zhengwu.desk.catalogue.sheets import TYPES
from zhengwu.desk.entry import desk
from zhengwu.desk.statistics import asking
from zhengwu.desk.statistics.asking import Asked
from zhengwu.documents import sheets
from zhengwu.domain import measuring
from zhengwu.domain.measuring import BY_CODE, PERSONAL
from zhengwu.domain.periods import GRAINS_ZH, Grain, Period
from zhengwu.domain.refusal import Refusal
from zhengwu.statistics import queries, showing, telling
from zhengwu.statistics.asking import LONGEST
from zhengwu.statistics.queries import DIMENSIONS, FILTERS, Compared, Question, Row
from zhengwu.statistics.showing import BY_FIGURE, CLAIMS, FIGURES, Figure
from zhengwu.web import charts, paging, words
from zhengwu.web.clock import now

PAGE = 50
MOST = 5_000  # rows of a table that are made into a file at once
FEW = 12  # bars of a ranking
ACT, PEOPLE = queries.ACT, "statistics.people"
TABS = (
    ("desk:statistics", "总览"),
    ("desk:statistics-by", "分类"),
    ("desk:statistics-time", "按时间"),
    ("desk:statistics-handings", "移交表"),
    ("desk:statistics-people", "人员"),
    ("desk:statistics-restatements", "更正"),
    ("desk:statistics-report", "月报"),
    ("desk:statistics-definitions", "指标定义"),
)


def page(
    request: HttpRequest,
    actor: Actor,
    name: str,
    asked: Asked,
    context: Mapping[str, Any],
    *,
    keep: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """A page with its tabs, the choice of a period and the filters. keep: what the period keeps."""
    here = f"desk:statistics{name}"
    kept = {key: value for key, value in (keep or {}).items() if value}
    template = name.removeprefix("-") or "overview"
    return render(
        request,
        f"desk/statistics/{template}.html.j2",
        {
            "actor": actor,
            "folder": "statistics",
            "asked": asked,
            "form": asked.form,
            "question": asked.question,
            "here": here,
            "tabs": tabs(actor),
            "presets": asking.presets(asked, here, kept),
            "chips": asking.chips(asked, here),
            "kept": {
                key: value
                for key, value in {**asked.given, **kept}.items()
                if key not in ("period", "since", "until")
            },
            **context,
        },
        status=200 if asked.question else 422,
    )


def tabs(actor: Actor) -> list[tuple[str, str]]:
    """The pages of statistics that this person may open."""
    return [
        (target, zh)
        for target, zh in TABS
        if target != "desk:statistics-people" or actor.may(PEOPLE)
    ]


def _asked(
    request: HttpRequest, actor: Actor, *, grain: Grain | None = None
) -> tuple[Reach, datetime, Asked]:
    at = now()
    reach = queries.reach(actor)
    return reach, at, asking.asked(request, reach, at=words.local(at).date(), grain=grain)


# --- the whole -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Overview:
    """The figures of the first page. rows: of the districts."""

    told: tuple[showing.Told, ...]
    claims: tuple[showing.Told, ...]
    now: Row
    before: Row
    year_before: Row
    hands: charts.Share
    trend: charts.Trend
    months: tuple[tuple[str, int | None, int | None], ...]
    spread: queries.Spread | None
    distribution: charts.Distribution
    districts: tuple[tuple[str, str, Row], ...]
    tiles: charts.Tiles


@require_safe
@desk(ACT)
def overview(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All together, beside the period before and the year before; pictures with their tables."""
    reach, at, asked = _asked(request, actor)
    found = _overview(reach, asked, at) if asked.question else None
    return page(request, actor, "", asked, {"found": found, "hours": showing.hours})


def _overview(reach: Reach, asked: Asked, at: datetime) -> Overview:
    question = asked.question
    assert question is not None
    by_district = replace(question, by="district")
    rows = queries.figures(reach, by_district, at=at)
    whole = queries.total(rows) if rows else _nothing(question.period)
    before, year_before = queries.together(
        reach, question, (question.period.before(), question.period.year_before()), at=at
    )
    months, known = _months(reach, question, at)
    labels, series = showing.by_month(known, months, "closed", today=asked.today)
    spread = queries.spreads(reach, question).get(())
    names = telling.names([row.key for row in rows], by_district)
    districts = tuple(
        (row.key[0], names.label("district", row.key), row)
        for row in sorted(rows, key=lambda one: -one["received"])
    )
    return Overview(
        told=showing.summary(whole, before, year_before),
        claims=showing.summary(whole, before, year_before, CLAIMS),
        now=whole,
        before=before,
        year_before=year_before,
        hands=showing.hands(whole),
        trend=charts.trend(labels, series),
        months=tuple(
            (one.zh, _whole(series[0].values[nth]), _whole(series[1].values[nth]))
            for nth, one in enumerate(months)
        ),
        spread=spread,
        distribution=showing.spread(spread),
        districts=districts,
        tiles=charts.tiles(
            {
                code: (
                    name,
                    row["received"],
                    asked.to("desk:statistics", district=code or "-"),
                )
                for code, name, row in districts
                if row["received"] or code in charts.DISTRICTS
            }
        ),
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _nothing(period: Period) -> Row:
    return Row((), period, dict.fromkeys(measuring.CODES, 0), overdue=0)


def _months(
    reach: Reach, question: Question, at: datetime
) -> tuple[tuple[Period, ...], dict[str, Row]]:
    """The twelve months that end with the period, and the figures of these and of twelve before."""
    last = asking.trend_period(question.period)
    both = Period(last.year_before().since, last.until)
    rows = queries.figures(
        reach, replace(question, by=None, grain=Grain.MONTH, period=both), at=at, held=False
    )
    return tuple(last.cut(Grain.MONTH)), {row.period.since.isoformat(): row for row in rows}


# --- tables --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table: its name, its own address, its figures with the cases behind each."""

    name: str
    href: str
    cells: tuple[tuple[Figure, str, str], ...]
    days: tuple[str, str]
    compared: tuple[showing.Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A page of a table. sort: the figure by which it stands, descending or not."""

    heads: tuple[tuple[Figure, str, str], ...]
    lines: tuple[Line, ...]
    total: Line | None
    count: int
    page: int
    pages: int
    sort: str
    bars: charts.Bars | None
    claims: bool


def _line(asked: Asked, row: Row, name: str, href: str, more: Mapping[str, str], *, spread: queries.Spread | None = None, figures: Sequence[Figure] = FIGURES) -> Line:  # fmt: skip
    cells = []
    for figure in figures:
        value = figure.of(row)
        count = row.counts.get(figure.measure, value) if figure.kind != "count" else value
        link = (
            asked.to("desk:statistics-cases", {**more, "measure": figure.measure}) if count else ""
        )
        cells.append((figure, figure.said(value), link))
    days = tuple(
        showing.NONE if spread is None or (day := spread.percentile(share)) is None else f"{day:,}"
        for share in (0.5, 0.9)
    )
    return Line(name, href, tuple(cells), (days[0], days[1]))


def _filters(question: Question, key: Sequence[str]) -> dict[str, str]:
    """The filters that say one row of a dimension."""
    assert question.by is not None
    columns = DIMENSIONS[question.by].columns
    by_column = {column: name for name, column in FILTERS.items()}
    return {by_column[one]: value or "-" for one, value in zip(columns, key, strict=True)}


def _sort(text: str) -> tuple[str, bool]:
    """The figure, and whether the most stand first. Raises Refusal."""
    code = text.removeprefix("-")
    if code != "name" and code not in BY_FIGURE:
        raise Refusal("statistics.sort", "不能按这一列排序。请点表头。", field="sort")
    return code, text.startswith("-")


def _figures_of(rows: Sequence[Row]) -> tuple[Figure, ...]:
    """Those of the sending systems only where there are any."""
    some = any(row["claimed"] or row.claim_open for row in rows)
    return (*FIGURES, *CLAIMS) if some else FIGURES


@require_safe
@desk(ACT)
def by(request: HttpRequest, actor: Actor, form: str = "") -> HttpResponse:
    """By a dimension, sorted, searched, paged; the same as a file. ``?by=&sort=-received&q=&page=``"""
    reach, at, asked = _asked(request, actor)
    chosen = request.GET.get("by", "") or "agency"
    sort, q = request.GET.get("sort", "") or "-received", request.GET.get("q", "").strip()[:100]
    compare = request.GET.get("compare") == "on"
    table: Table | None = None
    if asked.question:
        try:
            question = replace(asked.question, by=chosen).checked(today=asked.today)
            asked = replace(asked, question=question)
            code, down = _sort(sort)
            rows = queries.figures(reach, question, at=at)
            names = _names(rows, question) if q or code == "name" or form else None
            if q and names:
                rows = tuple(
                    row
                    for row in rows
                    if q.casefold() in names.label(chosen, row.key).casefold() or q in row.key
                )
            if form:
                return _file(
                    form, _sheet(reach, rows, question, names, at), asked, _title(question)
                )
            table = _table(
                reach, asked, question, rows, names, code, down,
                page=paging.page_number(request.GET.get("page")), compare=compare, at=at,
            )  # fmt: skip
        except Refusal as refusal:
            asked = asked.refuse(refusal)
    keep = {"sort": request.GET.get("sort", ""), "compare": "on" if compare else "", "by": chosen}
    if chosen not in DIMENSIONS:
        keep["by"] = ""
    context = {
        "table": table, "by": chosen, "sort": sort, "q": q, "compare": compare, "most": MOST,
        "dimension": DIMENSIONS.get(chosen), "dimensions": DIMENSIONS,
        "queried": {**keep, "q": q},
        "background": asked.in_background("statistics.figures", {"by": chosen}),
    }  # fmt: skip
    return page(request, actor, "-by", asked, context, keep=keep)


def _title(question: Question) -> str:
    by_zh = DIMENSIONS[question.by].zh if question.by else "时间"
    return f"统计-按{by_zh}"


def _names(rows: Sequence[Row], question: Question) -> telling.Names:
    return telling.names([row.key for row in rows], question)


def _table(
    reach: Reach,
    asked: Asked,
    question: Question,
    rows: Sequence[Row],
    names: telling.Names | None,
    code: str,
    down: bool,
    *,
    page: int,
    compare: bool,
    at: datetime,
) -> Table:
    figures = _figures_of(rows)
    ordered = _ordered(rows, question, names, code, down)
    pages = max(1, -(-len(rows) // PAGE))
    page = min(page, pages)
    shown = ordered[(page - 1) * PAGE : page * PAGE]
    names = names or _names(shown, question)
    spreads = queries.spreads(reach, question, only=[row.key for row in shown])
    figure = BY_FIGURE.get(code, FIGURES[0])
    compared = _compared(reach, question, shown, at) if compare else {}
    lines = []
    for row in shown:
        filters = _filters(question, row.key)
        line = _line(
            asked, row, names.label(question.by, row.key),
            asked.to("desk:statistics", filters, by=None), {**filters, "by": ""},
            spread=spreads.get(row.key), figures=figures,
        )  # fmt: skip
        if (both := compared.get(row.key)) is not None:
            changes = showing.told(figure, row, both.before, both.year_before).changes
            line = replace(line, compared=changes)
        lines.append(line)
    whole = queries.total(rows) if len(rows) > 1 else None
    return Table(
        heads=tuple(
            (one, asked.to("desk:statistics-by", by=question.by, sort=_turned(one.code, code, down)),
             "" if one.code != code else "descending" if down else "ascending")
            for one in figures
        ),
        lines=tuple(lines),
        total=_line(asked, whole, "合计", "", {"by": ""}, figures=figures) if whole else None,
        count=len(rows),
        page=page,
        pages=pages,
        sort=code,
        bars=_bars(shown, lines, figure) if page == 1 and figure.kind == "count" else None,
        claims=len(figures) > len(FIGURES),
    )  # fmt: skip


def _turned(code: str, sorted_by: str, down: bool) -> str:
    """A click on the column by which it stands turns it; on another, the most come first."""
    return code if code == sorted_by and down else f"-{code}"


def _ordered(
    rows: Sequence[Row], question: Question, names: telling.Names | None, code: str, down: bool
) -> list[Row]:
    if code == "name":
        assert names is not None
        return sorted(rows, key=lambda row: names.label(question.by, row.key), reverse=down)
    figure = BY_FIGURE[code]

    def place(row: Row) -> tuple[bool, float, tuple[str, ...]]:
        value = figure.of(row)  # what has none stands last either way
        return value is None, (-(value or 0.0) if down else value or 0.0), row.key

    return sorted(rows, key=place)


def _compared(
    reach: Reach, question: Question, shown: Sequence[Row], at: datetime
) -> dict[tuple[str, ...], Compared]:
    earlier = [
        {
            row.key: row
            for row in queries.figures(reach, replace(question, period=one), at=at, held=False)
        }
        for one in (question.period.before(), question.period.year_before())
    ]
    nothing = _nothing(question.period)
    return {
        row.key: Compared(row, earlier[0].get(row.key, nothing), earlier[1].get(row.key, nothing))
        for row in shown
    }


def _bars(rows: Sequence[Row], lines: Sequence[Line], figure: Figure) -> charts.Bars | None:
    if len(rows) < 2:
        return None
    return charts.bars(
        [(line.name, figure.of(row), line.href) for row, line in zip(rows, lines, strict=True)][
            :FEW
        ],
        letters=18,
        width=760.0,
    )


# --- by time -------------------------------------------------------------------------------------


@require_safe
@desk(ACT)
def time(request: HttpRequest, actor: Actor, form: str = "") -> HttpResponse:
    """Day by day, week by week …; beside the year before. ``?grain=month&page=``"""
    reach, at, asked = _asked(request, actor, grain=Grain.DAY)
    table: Table | None = None
    trend: charts.Trend | None = None
    question = asked.question
    if question and not request.GET.get("grain"):
        question = replace(question, grain=_usual(question.period))
        asked = replace(asked, question=question)
    if question and question.grain:
        rows = queries.figures(reach, question, at=at)
        if form:
            return _file(form, _sheet(reach, rows, question, None, at), asked, _title(question))
        table, trend = _by_time(reach, asked, question, rows, request, at)
    grain = question.grain if question else None
    context = {"table": table, "trend": trend, "grain": grain, "grains": GRAINS_ZH, "most": MOST}
    return page(request, actor, "-time", asked, context, keep={"grain": str(grain or "")})


def _usual(period: Period) -> Grain:
    if period.days <= 62:
        return Grain.DAY
    return Grain.MONTH if period.days <= 1_100 else Grain.YEAR


def _by_time(
    reach: Reach,
    asked: Asked,
    question: Question,
    rows: Sequence[Row],
    request: HttpRequest,
    at: datetime,
) -> tuple[Table, charts.Trend]:
    figures = _figures_of(rows)
    assert question.grain is not None
    year_before = question.period.year_before()
    earlier = queries.figures(reach, replace(question, period=year_before), at=at, held=False)
    grain = question.grain
    pages = max(1, -(-len(rows) // PAGE))
    number = min(paging.page_number(request.GET.get("page")), pages)
    lines = []
    for row in rows[(number - 1) * PAGE : number * PAGE]:
        days = {
            "period": None, "grain": None,
            "since": row.period.since.isoformat(), "until": row.period.until.isoformat(),
        }  # fmt: skip
        lines.append(
            replace(
                _line(asked, row, _part_zh(row.period, grain), asked.to("desk:statistics", days), {}, figures=()),
                cells=tuple(
                    (figure, said, _dated(asked, figure, days) if link else "")
                    for figure, said, link in _line(asked, row, "", "", {}, figures=figures).cells
                ),
            )
        )  # fmt: skip
    labels = [_part_short(row.period, grain) for row in rows]
    values = [float(row["closed"]) for row in earlier][: len(rows)]
    trend = charts.trend(
        labels,
        (
            charts.Series(
                "本期",
                tuple(
                    float(row["closed"]) if row.period.since <= asked.today else None
                    for row in rows
                ),
            ),
            charts.Series("上年", (*values, *([None] * (len(rows) - len(values)))), dashed=True),
        ),
        width=760.0,
    )
    return Table(
        heads=tuple((one, "", "") for one in figures), lines=tuple(lines), total=None,
        count=len(rows), page=number, pages=pages, sort="", bars=None,
        claims=len(figures) > len(FIGURES),
    ), trend  # fmt: skip


def _dated(asked: Asked, figure: Figure, days: Mapping[str, str | None]) -> str:
    return asked.to("desk:statistics-cases", days, measure=figure.measure)


def _part_zh(period: Period, grain: Grain) -> str:
    if grain == Grain.WEEK:
        return f"{period.since.isoformat()} 起的一周" if period.days == 7 else period.zh
    return period.since.isoformat() if grain == Grain.DAY else period.zh


def _part_short(period: Period, grain: Grain) -> str:
    since = period.since
    if grain in (Grain.DAY, Grain.WEEK):
        return f"{since.month}-{since.day}"
    if grain == Grain.YEAR:
        return str(since.year)
    if grain == Grain.QUARTER:
        return f"{since.year % 100}Q{since.month // 3 + 1}"
    return f"{since.year % 100}-{since.month:02}"


# --- files ---------------------------------------------------------------------------------------

Sheet = tuple[tuple[str, ...], list[list[str | int | float | None]]]


def _sheet(
    reach: Reach,
    rows: Sequence[Row],
    question: Question,
    names: telling.Names | None,
    at: datetime,
) -> Sheet:
    if len(rows) > MOST:
        raise Refusal(
            "statistics.rows",
            f"一共 {len(rows):,} 行，一次最多导出 {MOST:,} 行。请加上条件、缩短期间再导出，"
            "或者用“我的导出”在后台导出。",
        )
    if question.grain:
        return (
            ("从", "到", *showing.HEADS),
            [
                [row.period.since.isoformat(), row.period.until.isoformat(), *showing.cells(row)]
                for row in rows
            ],
        )
    assert question.by is not None
    assert names is not None
    spreads = queries.spreads(reach, question)
    columns = DIMENSIONS[question.by].columns
    zh = {"agency": "机关", "unit": "来源系统的部门", "region": "区划"} | {
        column: DIMENSIONS[column].zh for column in columns if column in DIMENSIONS
    }
    heads = (
        "名称", *(f"{zh[column]}代码" for column in columns), *showing.HEADS,
        *(told for _, told, _ in telling.PERCENTILES.values()),
    )  # fmt: skip
    body = [
        [
            names.label(question.by, row.key), *row.key, *showing.cells(row),
            *(
                spreads[row.key].percentile(share) if row.key in spreads else None
                for share, _, _ in telling.PERCENTILES.values()
            ),
        ]
        for row in rows
    ]  # fmt: skip
    return heads, body


def _file(form: str, sheet: Sheet, asked: Asked, title: str) -> HttpResponse:
    """A table as CSV or XLSX; the period stands in its name."""
    columns, rows = sheet
    data = (
        b"".join(sheets.write_csv(columns, rows))
        if form == "csv"
        else sheets.write_xlsx(columns, rows, title=title)
    )
    period = asked.period
    stamp = f"{period.since:%Y%m%d}-{period.until:%Y%m%d}.{form}"
    response = HttpResponse(data, content_type=TYPES[form])
    response["Content-Disposition"] = (
        f"attachment; filename=\"statistics-{stamp}\"; filename*=UTF-8''{quote(title)}-{stamp}"
    )
    return response


# --- hand-overs, people, corrections, definitions ------------------------------------------------


@require_safe
@desk(ACT)
def handings(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Who hands to whom, department × department: hours under way, times, office hours."""
    reach, _, asked = _asked(request, actor)
    heat: charts.Heat | None = None
    found: tuple[queries.Handing, ...] = ()
    names = accounts.names()
    if asked.question:
        try:
            found = queries.handings(reach, asked.question)
        except Refusal as refusal:
            asked = asked.refuse(refusal)
    if asked.question:
        names = accounts.names(agencies={x for one in found for x in (one.giver, one.taker)})
        heat = charts.heat(
            {
                (_side(names, one.giver), _side(names, one.taker)): charts.Cell(
                    one.seconds / 3600, count=one.times,
                    href=asked.to("desk:statistics-cases", measure="handovers",
                                  giver=one.giver or "-", taker=one.taker or "-"),
                )
                for one in found
            }
        )  # fmt: skip
    context = {
        "heat": heat, "found": found, "hours": showing.hours,
        "named": lambda code: _side(names, code),
    }  # fmt: skip
    return page(request, actor, "-handings", asked, context)


def _side(names: accounts.Names, code: str) -> str:
    return names.agency(code) or telling.NOT_TOLD


@require_safe
@desk(PEOPLE)
def people(request: HttpRequest, actor: Actor, form: str = "") -> HttpResponse:
    """What people did in the period, in the name of an agency. ``?sort=-received&q=&page=``"""
    _, _, asked = _asked(request, actor)
    sort, q = request.GET.get("sort", ""), request.GET.get("q", "").strip()[:100]
    rows: list[queries.PersonRow] = []
    names = accounts.names()
    if question := asked.question:
        code = sort.removeprefix("-")
        if code and code not in PERSONAL:
            asked = asked.refuse(
                Refusal("statistics.sort", "不能按这一列排序。请点表头。", field="sort")
            )
        else:
            rows = list(queries.people(accounts.reach(actor, PEOPLE), question))
            names = accounts.names(
                people=(row.person for row in rows), agencies=(row.agency for row in rows)
            )
            if q:
                rows = [
                    row
                    for row in rows
                    if q in names.person(row.person)
                    or q in names.agency(row.agency)
                    or q == row.person
                ]
            if code:
                rows.sort(key=lambda row: row.counts[code], reverse=sort.startswith("-"))
    if form and asked.question:
        heads = ("工号", "姓名", "机关代码", "机关", *PERSONAL.values())
        body: list[list[str | int | float | None]] = [
            [row.person, names.person(row.person), row.agency, names.agency(row.agency),
             *row.counts.values()]
            for row in rows
        ]  # fmt: skip
        return _file(form, (heads, body), asked, "统计-人员")
    pages = max(1, -(-len(rows) // PAGE))
    number = min(paging.page_number(request.GET.get("page")), pages)
    context = {
        "rows": rows[(number - 1) * PAGE : number * PAGE], "names": names, "personal": PERSONAL,
        "count": len(rows), "page": number, "pages": pages, "sort": sort, "q": q,
        "turned": lambda code: code if sort == f"-{code}" else f"-{code}",
        "queried": {"sort": sort, "q": q},
    }  # fmt: skip
    return page(request, actor, "-people", asked, context, keep={"sort": sort})


@require_safe
@desk(ACT)
def restatements(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What was changed of the period's days after they were over, and by which entries."""
    reach, _, asked = _asked(request, actor)
    found = queries.restatements(reach, asked.question, limit=MOST_RESTATED + 1) if (
        asked.question
    ) else ()  # fmt: skip
    names = accounts.names(agencies={one.agency for one in found})
    context = {
        "found": found[:MOST_RESTATED],
        "more": len(found) > MOST_RESTATED,
        "most": MOST_RESTATED,
        "named": lambda code: _side(names, code),
        "sourced_zh": telling.Names().of,
        "measures": BY_CODE,
    }
    return page(request, actor, "-restatements", asked, context)


MOST_RESTATED = 500


@require_safe
@desk(ACT)
def definitions(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every figure: what it is, its basis, how it is computed again."""
    _, _, asked = _asked(request, actor)
    context = {
        "measures": measuring.MEASURES,
        "derived": measuring.DERIVED,
        "personal": PERSONAL,
        "when_zh": measuring.WHEN_ZH,
        "sql": measuring.query,
    }
    return page(request, actor, "-definitions", asked, context)


# --- the cases behind a number -------------------------------------------------------------------

VERDICTS: Mapping[str, str] = {
    "early": "提前办结", "on_time": "按时办结", "late": "超期办结", "unjudged": "不评判",
}  # fmt: skip


@require_safe
@desk(ACT)
def cases(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The cases behind a number. ``?measure=&after=`` and the filters of the number."""
    reach, at, asked = _asked(request, actor)
    measure = request.GET.get("measure", "")
    giver, taker = request.GET.get("giver"), request.GET.get("taker")
    person = request.GET.get("person") or None
    found: queries.Behind | None = None
    seen: Mapping[Any, briefs.Brief] = {}
    if asked.question:
        try:
            if person is not None:
                if not actor.may(PEOPLE):
                    raise Refusal("statistics.people", "您不能看人员的统计。")
                reach = accounts.reach(actor, PEOPLE)
            _readable(measure, giver, taker, person, request.GET.get("after"))
            found = queries.behind(
                reach, asked.question, measure, at=at, after=request.GET.get("after", ""),
                way=(_untold(giver), _untold(taker)) if giver and taker else None, person=person,
            )  # fmt: skip
            seen = briefs.briefs(actor, [one.case for one in found.rows])
        except Refusal as refusal:
            asked = asked.refuse(refusal)
    if not asked.question:
        giver = taker = person = None  # what could not be read is not asked on either
    rows = [(one, seen[one.case]) for one in found.rows if one.case in seen] if found else []
    asked_also = {"measure": measure, "giver": giver, "taker": taker, "person": person}
    names = accounts.names(
        agencies=[*(brief.agency for _, brief in rows), giver, taker], people=[person]
    )
    context = {
        "found": found, "rows": rows, "names": names, "measure": _measure_zh(measure, person),
        "what": showing.DEFINED[measure].what if measure in showing.DEFINED and not person else "",
        "several": measure in BY_CODE and BY_CODE[measure].unit in ("次", "条") and not person,
        "hidden": len(found.rows) - len(rows) if found else 0, "verdicts": VERDICTS,
        "background": asked.in_background("statistics.cases", {"measure": measure})
        if person is None and not (giver and taker) else "",
        "way": (giver, taker) if giver and taker else None, "person": person,
        "further": asked.to("desk:statistics-cases", asked_also, after=found.further)
        if found and found.further else "",
        "first": asked.to("desk:statistics-cases", asked_also) if request.GET.get("after") else "",
    }  # fmt: skip
    return page(request, actor, "-cases", asked, context, keep=asked_also)


def _untold(code: str) -> str:
    return "" if code == "-" else code


def _readable(*texts: str | None) -> None:
    for text in texts:
        if text and (len(text) > LONGEST or not text.isprintable()):
            raise Refusal("statistics.filter", "地址里的条件看不懂。请从统计表里重新点开。")


def _measure_zh(code: str, person: str | None) -> str:
    if person is not None:
        return PERSONAL.get(code, "")
    return showing.DEFINED[code].zh if code in showing.DEFINED else ""
