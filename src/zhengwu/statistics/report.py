"""The monthly report (月报): what it says as data, and the same set on paper and as a workbook.

The content is drawn again from the figures whenever it is asked for, so that a correction of a month
that is over is in the next report of it, and among its corrections.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import typst
from django.template import engines

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Reach
from zhengwu.cases import briefs
from zhengwu.documents import render, sheets
from zhengwu.domain import measuring, periods
from zhengwu.domain.periods import DAY, Grain, Period
from zhengwu.domain.reading import SHANGHAI
from zhengwu.domain.refusal import Refusal
from zhengwu.statistics import queries, showing, telling
from zhengwu.statistics.queries import Question, Row
from zhengwu.statistics.showing import BY_FIGURE, CLAIMS, Figure
from zhengwu.web import charts

HERE = Path(__file__).resolve().parent
FONT = "Noto Serif SC"
ITEMS = 20  # the busiest items
LATE = 200  # late cases that are listed
RESTATED = 200
PAPER = 60  # rows of a table on paper; the workbook has all
BY = tuple(
    BY_FIGURE[code]
    for code in (
        "received", "accepted", "closed", "open", "overdue", "on_time_share", "early_share", "late",
        "mean_days", "spot_share",
    )
)  # fmt: skip

Cell = str | int | None


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the report: heads, rows of words and whole numbers. note: where rows were left off."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A month in figures, for the places of one reach. trend … spread: its pictures, as geometry."""

    period: Period
    drawn: datetime
    scope: str
    whole: Row
    summary: tuple[showing.Told, ...]
    claims: tuple[showing.Told, ...]
    compared: tuple[str, str]
    trend: charts.Trend
    hands: charts.Share
    spread: charts.Distribution
    tables: tuple[Table, ...]

    @property
    def title(self) -> str:
        return f"政务服务统计月报（{self.period.zh}）"

    @property
    def over(self) -> bool:
        """Whether the month was over when it was drawn."""
        return self.drawn.astimezone(SHANGHAI).date() > self.period.until


def month(text: str, *, today: date) -> Period:
    """2026-10 as a period. Raises Refusal: `period.unreadable`, `statistics.month`, `.future`."""
    found = periods.of(text.strip()[:10])
    if found.whole_months != 1:
        raise Refusal(
            "statistics.month", "月报一次一个月。请写成 2026-10 这样的月份。", field="month"
        )
    if found.since > today:
        raise Refusal(
            "statistics.future",
            f"{found.zh}还没有到（今天是 {today.isoformat()}），没有月报。请选择已经开始的月份。",
            field="month",
        )
    return found


def content(reach: Reach, period: Period, *, at: datetime, scope: str) -> Report:
    """The report of a month. scope: whose figures these are, in words."""
    question = Question(period=period)
    by_agency = replace(question, by="agency")
    agencies = queries.figures(reach, by_agency, at=at)
    whole = queries.total(agencies) if agencies else _nothing(period)
    before, year_before = queries.together(
        reach, question, (period.before(), period.year_before()), at=at
    )
    spread = queries.spreads(reach, question).get(())
    return Report(
        period=period,
        drawn=at,
        scope=scope,
        whole=whole,
        summary=showing.summary(whole, before, year_before),
        claims=showing.summary(whole, before, year_before, CLAIMS),
        compared=(period.before().zh, period.year_before().zh),
        trend=_trend(reach, question, at),
        hands=showing.hands(whole),
        spread=showing.spread(spread),
        tables=(
            _by(reach, replace(question, by="district"), None, "各区", at=at),
            _by(reach, by_agency, agencies, "各部门"),
            _by(reach, replace(question, by="kind"), None, "各类办件", at=at),
            _by(reach, replace(question, by="item"), None, "办结最多的事项", at=at, most=ITEMS),
            _hands(whole),
            _handings(reach, question),
            _late(reach, question, at),
            _restated(reach, question),
        ),
    )


def _nothing(period: Period) -> Row:
    return Row((), period, dict.fromkeys(measuring.CODES, 0), overdue=0)


def _trend(reach: Reach, question: Question, at: datetime) -> charts.Trend:
    first = question.period.since
    for _ in range(11):
        first = periods.month(first - DAY).since
    last = Period(first, question.period.until)
    both = Period(last.year_before().since, last.until)
    rows = queries.figures(
        reach, replace(question, period=both, grain=Grain.MONTH), at=at, held=False
    )
    known = {row.period.since.isoformat(): row for row in rows}
    labels, series = showing.by_month(
        known, tuple(last.cut(Grain.MONTH)), "closed", today=at.astimezone(SHANGHAI).date()
    )
    return charts.trend(labels, series)


def _by(
    reach: Reach,
    question: Question,
    rows: Sequence[Row] | None,
    title: str,
    *,
    at: datetime | None = None,
    most: int = 0,
) -> Table:
    if rows is None:
        assert at is not None
        rows = queries.figures(reach, question, at=at, held=question.by != "item")
    ordered = sorted(rows, key=lambda row: (-row["closed"], -row["received"], row.key))
    left = len(ordered) - most if most and len(ordered) > most else 0
    shown = ordered[: most or None]
    names = telling.names([row.key for row in shown], question)
    columns = tuple(
        one for one in BY if question.by != "item" or one.code not in ("open", "overdue")
    )
    return Table(
        title,
        (queries.DIMENSIONS[question.by or ""].zh, *(one.short for one in columns)),
        tuple(
            (names.label(question.by, row.key), *(_cell(one, row) for one in columns))
            for row in shown
        ),
        f"另有 {left:,} 项没有列出。" if left else "",
    )


def _cell(figure: Figure, row: Row) -> Cell:
    value = figure.of(row)
    if value is None or figure.kind != showing.COUNT:
        return figure.said(value)
    return round(value)


def _hands(whole: Row) -> Table:
    parts = showing.hands(whole).parts
    return Table(
        "时间去向",
        ("在谁那里", "小时", "占比"),
        tuple((one.name, showing.hours(one.amount), one.percent) for one in parts),
        f"办结的办件从收件到办结一共 {showing.hours(whole['elapsed'])} 小时。" if parts else "",
    )


def _handings(reach: Reach, question: Question) -> Table:
    found = queries.handings(reach, question)
    names = accounts.names(agencies={one for row in found for one in (row.giver, row.taker)})
    return Table(
        "移交",
        ("移交方", "接收方", "次数", "途中（小时）", "其中办公时间", "平均每次"),
        tuple(
            (
                names.agency(one.giver) or telling.NOT_TOLD,
                names.agency(one.taker) or telling.NOT_TOLD,
                one.times, showing.hours(one.seconds), showing.hours(one.office),
                showing.hours(one.seconds / one.times),
            )
            for one in found
        ),
    )  # fmt: skip


def _late(reach: Reach, question: Question, at: datetime) -> Table:
    found = queries.behind(reach, question, "late", at=at, limit=LATE)
    known = briefs.within(reach, [one.case for one in found.rows])
    names = accounts.names(agencies={one.agency for one in known.values()})
    return Table(
        "超期办结",
        ("编号", "事项", "机关", "截止", "办结", "工作日"),
        tuple(
            (
                known[one.case].number, known[one.case].item_name,
                names.agency(known[one.case].agency),
                f"{one.due.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if one.due else showing.NONE,
                one.closed.isoformat() if one.closed else showing.NONE,
                one.days,
            )
            for one in found.rows
            if one.case in known
        ),
        f"只列最近办结的 {LATE} 件。" if found.further else "",
    )  # fmt: skip


def _restated(reach: Reach, question: Question) -> Table:
    found = queries.restatements(reach, question, limit=RESTATED + 1)
    names = accounts.names(agencies={one.agency for one in found})
    return Table(
        "更正",
        ("发现日", "被更正的日期", "机关", "指标", "增减", "事件账序号"),
        tuple(
            (
                one.noticed.isoformat(), one.day.isoformat(),
                names.agency(one.agency) or telling.NOT_TOLD,
                measuring.BY_CODE[one.what].zh if one.what in measuring.BY_CODE else one.what,
                f"{'增' if one.delta > 0 else '减'} {abs(one.delta):,}",
                str(one.first) if one.first == one.until else f"{one.first}–{one.until}",
            )
            for one in found[:RESTATED]
        ),
        f"只列最近 {RESTATED} 行。" if len(found) > RESTATED else "",
    )  # fmt: skip


# --- on paper ------------------------------------------------------------------------------------


def pdf(report: Report) -> bytes:
    """The report as PDF/A; the same in, the same out."""
    made = typst.compile(
        (HERE / "report.typ").read_bytes(),
        root=str(HERE),
        font_paths=render.fonts(),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"data": json.dumps(_data(report), ensure_ascii=False)},
        pdf_standards=["a-2a"],
        timestamp=int(report.drawn.timestamp()),
    )
    if not isinstance(made, bytes):
        raise TypeError("one PDF was expected")
    return made


def _data(report: Report) -> dict[str, Any]:
    macros: Any = engines["jinja2"].env.get_template("charts.html.j2").module  # type: ignore[attr-defined]
    drawn = report.drawn.astimezone(SHANGHAI)

    def picture(name: str, one: Any, title: str) -> dict[str, str] | None:
        if one.empty:
            return None
        return {"svg": str(getattr(macros, name)(one, title, FONT)), "told": f"{title}：{one.told}"}

    return {
        "title": report.title,
        "scope": report.scope,
        "drawn": f"{drawn:%Y-%m-%d %H:%M} 制表",
        "running": not report.over,
        "compared": list(report.compared),
        "summary": _told(report.summary),
        "claims": _told(report.claims) if any(one.value for one in report.claims) else [],
        "trend": picture("trend", report.trend, "近 12 个月办结件数"),
        "hands": picture("share", report.hands, "时间去向"),
        "parts": [[str(one.nth), one.name, one.percent] for one in report.hands.parts],
        "spread": picture("distribution", report.spread, "办理工作日分布"),
        "tables": [
            {
                "title": one.title,
                "heads": list(one.heads),
                "rows": [[_written(cell) for cell in row] for row in one.rows[:PAPER]],
                "words": [_words(one, nth) for nth in range(len(one.heads))],
                "note": (
                    f"纸上列前 {PAPER} 行，全部 {len(one.rows):,} 行在 XLSX 里。{one.note}"
                    if len(one.rows) > PAPER
                    else one.note
                ),
            }
            for one in report.tables
        ],
        "definitions": [
            [one.zh, one.unit, one.what + (f"（{one.basis}）" if one.basis else "")]
            for one in (*measuring.MEASURES, *measuring.DERIVED)
        ],
        "recompute": recompute(report),
    }


def _told(found: Sequence[showing.Told]) -> list[list[str]]:
    return [
        [
            one.figure.zh, one.said,
            *(f"{change.arrow} {change.word} {change.by}".strip() for change in one.changes),
            *([""] * (2 - len(one.changes))),
        ]
        for one in found
    ]  # fmt: skip


def _written(cell: Cell) -> str:
    if cell is None:
        return showing.NONE
    return f"{cell:,}" if isinstance(cell, int) else cell


def _words(table: Table, nth: int) -> bool:
    """Whether a column holds words, which stand on the left and may be long."""
    return table.heads[nth] in (
        "机关", "部门", "区划", "事项", "办件类型", "编号", "在谁那里", "移交方", "接收方", "指标",
    )  # fmt: skip


def recompute(report: Report) -> list[str]:
    """How anybody checks a number of the report."""
    since, until = report.period.since.isoformat(), report.period.until.isoformat()
    return [
        "工作台“统计”页选同一个月，点任何一个数字，看它是哪些办件。",
        f"同一份月报可以随时重新生成：zhengwu report --month {since[:7]} -o 月报.pdf。"
        "月份过去以后有更正的，重新生成的是更正后的数，变了什么列在“更正”里。",
        "向数据库核对，例如收件："
        + measuring.query(measuring.MEASURES[0])
        .replace(":从", f"'{since}'")
        .replace(":到", f"'{until}'")
        + "。",
    ]


# --- as a workbook -------------------------------------------------------------------------------


def xlsx(report: Report) -> bytes:
    """The report as a workbook: a sheet for each table, the definitions last."""
    summary = [
        (one.figure.zh, one.said if one.figure.kind != showing.COUNT else _whole(one.value),
         *(f"{change.word} {change.by}".strip() for change in one.changes),
         *([None] * (2 - len(one.changes))))
        for one in (*report.summary, *report.claims)
    ]  # fmt: skip
    parts: list[tuple[str, Sequence[str], Sequence[Sequence[Cell]]]] = [
        ("概况", ("指标", report.period.zh, f"比{report.compared[0]}", f"比{report.compared[1]}"), summary),
        *((one.title, one.heads, one.rows) for one in report.tables),
        (
            "指标定义",
            ("指标", "代码", "单位", "定义", "依据"),
            [
                (one.zh, one.code, one.unit, one.what, one.basis)
                for one in (*measuring.MEASURES, *measuring.DERIVED)
            ],
        ),
        ("怎样核对", ("说明",), [(line,) for line in (report.title, report.scope, *recompute(report))]),
    ]  # fmt: skip
    return sheets.write_book(parts)


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


__all__ = ["Report", "Table", "content", "month", "pdf", "recompute", "xlsx"]
