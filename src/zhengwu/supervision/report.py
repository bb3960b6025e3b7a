"""The monthly supervision report (监察月报): findings, cards and what became of them, on paper.

Drawn again from the findings whenever it is asked for: what was revoked since is told as revoked.
Persons are not in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import typst
from django.db import connection
from django.template import engines

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import NOWHERE, Reach
from zhengwu.documents import render, sheets
from zhengwu.domain import periods, scoring
from zhengwu.domain.periods import DAY, Period
from zhengwu.domain.reading import SHANGHAI
from zhengwu.domain.rulebook import DIMENSIONS, LEVELS_ZH, SCORED, Level, Rulebook
from zhengwu.statistics import telling
from zhengwu.statistics.queries import Question
from zhengwu.statistics.report import FONT, Cell, Table, month
from zhengwu.supervision import accounts as accountability
from zhengwu.supervision import orders as ordering
from zhengwu.supervision import ranking, rulebooks, services, sight, tally
from zhengwu.supervision.chain import CAUSES_ZH
from zhengwu.web import charts

HERE = Path(__file__).resolve().parent
LISTED = 500  # cards, orders, records of a table
WORST = 20  # cases
PAPER = 60  # rows of a table on paper; the workbook has all
BARS = 30
LEVELS = tuple(str(one) for one in reversed(Level))
APPEALS: Mapping[str, str] = {
    "open": "可以申诉", "pending": "待裁定", "withdrawn": "已撤回", "upheld": "维持", "lowered": "降级",
    "revoked": "撤销",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """A month of supervision, for one reach. summary: (what, this month, the month before)."""

    period: Period
    drawn: datetime
    scope: str
    summary: tuple[tuple[str, int, int], ...]
    bars: charts.Bars
    tables: tuple[Table, ...]

    @property
    def title(self) -> str:
        return f"电子监察月报（{self.period.zh}）"

    @property
    def over(self) -> bool:
        """Whether the month was over when it was drawn."""
        return self.drawn.astimezone(SHANGHAI).date() > self.period.until


def content(
    reach: Reach, period: Period, *, at: datetime, scope: str, acts: Reach = NOWHERE
) -> Report:
    """The report of a month. scope: whose it is, in words; acts: as far as one supervises."""
    read = _Read(reach, period, at, acts)
    found, before = read.sums(period), read.sums(periods.month(period.since - DAY))
    summary = [
        (f"{LEVELS_ZH[Level(level)]}", found.of(level), before.of(level)) for level in LEVELS
    ]
    summary += [
        ("涉及办件", found.cases, before.cases), ("已撤销的发现", found.revoked, before.revoked),
        ("提出申诉", found.appealed, before.appealed), ("督办", found.orders, before.orders),
        ("问责", found.accounts, before.accounts),
    ]  # fmt: skip
    span = ranking.span(f"{period.since:%Y-%m}", today=at.astimezone(SHANGHAI).date())
    book = rulebooks.now()
    agencies = ranking.ranking(reach, "agency", span)
    districts = ranking.ranking(reach, "district", span)
    ranked, bars = _ranked(agencies)
    return Report(
        period, at, scope, tuple(summary), bars,
        (
            read.dimensions(), read.agencies(), ranked, _ranked(districts)[0], read.cards(),
            read.appeals(), read.orders(), read.accounts(), read.worst(), _rules(book, read),
        ),
    )  # fmt: skip


def _ranked(found: ranking.Ranking) -> tuple[Table, charts.Bars]:
    rows = (*found.rows, *found.small)
    named = telling.names(
        [one.key for one in rows], Question(period=found.span.period, by=found.by)
    )
    body = tuple(
        (
            str(one.rank) if one.rank else "未排名", named.label(found.by, one.key),
            scoring.said(one.score), scoring.GRADES[one.grade], one.times("red"),
            one.times("yellow"), one.times("run"), one.lost, one.bonus, one.finished,
        )
        for one in rows
    )  # fmt: skip
    notes = []
    if found.small:
        notes.append(f"办结不到 {found.least} 件的不排名。")
    if found.unsourced:
        parts = "、".join(SCORED[one] for one in found.unsourced)
        notes.append(f"{parts}尚无来源，按满分计。")
    zh = ranking.BY[found.by].zh
    table = Table(
        f"{zh}量化测评排名",
        ("名次", zh, "得分", "等次", "红牌", "黄牌", "连续预警", "扣分", "加分", "办结"),
        body,
        "".join(notes) if body else "",
    )
    bars = charts.bars(
        [
            (named.label(found.by, one.key), one.score / scoring.UNIT, "")
            for one in found.rows[:BARS]
        ],
        unit="分", letters=14, width=640.0,
    )  # fmt: skip
    return table, bars


def _rules(book: Rulebook, read: _Read) -> Table:
    """The rules in force on the last day of the month, with what each found."""
    many = read.by_rule()
    day = read.period.until
    return Table(
        "现行规则和各自的发现",
        ("代码", "规则", "级别", "维度", "计分项", "本月发现", "依据"),
        tuple(
            (
                one.code, one.zh, LEVELS_ZH[book.level(one, day)], DIMENSIONS[one.dimension],
                SCORED.get(one.scored, "—"), many.get(one.code, 0), one.basis,
            )
            for one in book.on(day)
        ),
        f"{day.isoformat()} 施行的规则；发现不含已撤销的。",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Sums:
    """What a month adds up to. levels: of what counts."""

    levels: Mapping[str, int]
    cases: int
    revoked: int
    appealed: int
    orders: int
    accounts: int

    def of(self, level: str) -> int:
        return self.levels.get(level, 0)


class _Read:
    """The rows of a month within a reach."""

    def __init__(self, reach: Reach, period: Period, at: datetime, acts: Reach) -> None:
        self.period, self.at = period, at
        self._told, more = sight.served_to("t", reach, acts)
        self._reach: dict[str, Any] = {
            "everything": reach.everything, "agencies": sorted(reach.agencies),
            "halls": sorted(reach.halls),
        } | more  # fmt: skip

    def _rows(
        self, sql: str, when: str, *, findings: bool, period: Period | None = None
    ) -> list[Any]:
        since, until = tally.bounds((period or self.period).since)
        within = "%(everything)s OR t.agency = ANY(%(agencies)s::text[])"
        if findings:
            within = f"({within} OR t.hall = ANY(%(halls)s::text[])) AND {self._told}"
        sql = sql.replace(
            "{WHERE}", f"t.{when} >= %(since)s AND t.{when} < %(until)s AND ({within})"
        )
        with connection.cursor() as cursor:
            cursor.execute(
                sql,
                {
                    **self._reach,
                    "since": since,
                    "until": until,
                    "at": self.at,
                    "most": LISTED + 1,
                    "worst": WORST,
                },
            )
            return list(cursor.fetchall())

    def _findings(self, sql: str, period: Period | None = None) -> list[Any]:
        return self._rows(sql, "at", findings=True, period=period)

    def sums(self, period: Period) -> _Sums:
        rows = self._findings(
            "SELECT t.level, count(*) FILTER (WHERE t.counts), count(*) FILTER (WHERE NOT t.counts),"
            " count(*) FILTER (WHERE t.appeal NOT IN ('', 'open'))"
            " FROM supervision_finding t WHERE {WHERE} GROUP BY 1",
            period,
        )
        cases = self._findings(
            'SELECT count(DISTINCT t."case") FROM supervision_finding t WHERE {WHERE} AND t.counts',
            period,
        )
        return _Sums(
            {level: many for level, many, _, _ in rows}, cases[0][0], sum(row[2] for row in rows),
            sum(row[3] for row in rows), self._many("supervision_order", period),
            self._many("supervision_account", period),
        )  # fmt: skip

    def _many(self, table: str, period: Period) -> int:
        sql = f"SELECT count(*) FROM {table} t WHERE {{WHERE}}"  # noqa: S608 - our own names
        return int(self._rows(sql, "opened", findings=False, period=period)[0][0])

    def dimensions(self) -> Table:
        rows = self._findings(
            "SELECT t.dimension, t.level, count(*) FROM supervision_finding t"
            " WHERE {WHERE} AND t.counts GROUP BY 1, 2"
        )
        found = {(dimension, level): many for dimension, level, many in rows}
        body: list[tuple[Cell, ...]] = [
            (zh, *(found.get((code, level), 0) for level in LEVELS),
             sum(found.get((code, level), 0) for level in LEVELS))
            for code, zh in DIMENSIONS.items()
        ]  # fmt: skip
        heads = ("维度", *(LEVELS_ZH[Level(level)] for level in LEVELS), "合计")
        totals = (
            "合计",
            *(sum(found.get((code, level), 0) for code in DIMENSIONS) for level in LEVELS),
            sum(found.values()),
        )
        return Table(
            "各维度的发现", heads, (*body, totals) if found else (), "按现在的级别，不含已撤销的。"
        )

    def agencies(self) -> Table:
        rows = self._findings(
            "SELECT t.agency, count(*) FILTER (WHERE t.counts AND t.level = 'red') AS red,"
            " count(*) FILTER (WHERE t.counts AND t.level = 'yellow') AS yellow,"
            " count(*) FILTER (WHERE t.counts AND t.level = 'warning'),"
            " count(*) FILTER (WHERE t.counts AND t.level = 'hint'),"
            " count(*) FILTER (WHERE NOT t.counts),"
            " count(*) FILTER (WHERE t.closed IS NULL AND t.answered IS NULL AND t.counts"
            " AND t.answer_due < %(at)s)"
            " FROM supervision_finding t WHERE {WHERE} GROUP BY 1"
            " ORDER BY red DESC, yellow DESC, count(*) DESC, t.agency"
        )
        named = accounts.names(agencies=(row[0] for row in rows))
        return Table(
            "各机关的发现",
            ("机关", "红牌", "黄牌", "预警", "提示", "已撤销", "逾期未答复"),
            tuple((named.agency(row[0]) or telling.NOT_TOLD, *row[1:]) for row in rows),
        )

    def cards(self) -> Table:
        rows = self._findings(
            "SELECT t.level, t.first_level, t.rule_name, t.number, t.item_name, t.agency, t.at,"
            " t.state, t.appeal, t.counts FROM supervision_finding t"
            " WHERE {WHERE} AND t.first_level IN ('yellow', 'red')"
            " ORDER BY t.first_level, t.at DESC, t.id LIMIT %(most)s"
        )
        named = accounts.names(agencies=(row[5] for row in rows))
        body = []
        for level, first, rule, number, item, agency, at, state, appeal, counts in rows[:LISTED]:
            told = LEVELS_ZH[Level(first)]
            if level != first:
                told += f"，降为{LEVELS_ZH[Level(level)]}"
            body.append(
                (
                    told if counts else f"{told}，已撤销", rule, number or "—", item or "—",
                    named.agency(agency), _day(at), services.STATES[state],
                    APPEALS.get(appeal, "—"),
                )
            )  # fmt: skip
        return Table(
            "黄牌、红牌和现在的状态",
            ("级别", "规则", "编号", "事项", "机关", "应当发现", "状态", "申诉"),
            tuple(body), _more(rows),
        )  # fmt: skip

    def appeals(self) -> Table:
        rows = self._findings(
            "SELECT t.agency, t.appeal, count(*) FROM supervision_finding t"
            " WHERE {WHERE} AND t.appeal <> '' GROUP BY 1, 2"
        )
        found: dict[str, dict[str, int]] = {}
        for agency, appeal, many in rows:
            found.setdefault(agency, {})[appeal] = many
        named = accounts.names(agencies=found)
        return Table(
            "申诉和裁定",
            ("机关", *APPEALS.values()),
            tuple(
                (named.agency(agency), *(many.get(code, 0) for code in APPEALS))
                for agency, many in sorted(found.items())
            ),
            "“可以申诉”：依据有了改变，软件已把申诉打开，等机关提出。",
        )

    def orders(self) -> Table:
        rows = self._rows(
            "SELECT t.number, t.agency, t.case_number, t.opened, t.state, t.answer_due,"
            " t.closed IS NULL AND t.answer_due < %(at)s, t.returned FROM supervision_order t"
            " WHERE {WHERE} ORDER BY t.opened DESC, t.number LIMIT %(most)s",
            "opened", findings=False,
        )  # fmt: skip
        named = accounts.names(agencies=(row[1] for row in rows))
        return Table(
            "督办",
            ("文号", "机关", "编号", "开出", "状态", "反馈期限", "退回"),
            tuple(
                (
                    number, named.agency(agency), case or "—", _day(opened),
                    ordering.STATES[state] + ("（逾期）" if late else ""), _day(due), returned,
                )
                for number, agency, case, opened, state, due, late, returned in rows[:LISTED]
            ),
            _more(rows),
        )  # fmt: skip

    def accounts(self) -> Table:
        rows = self._rows(
            "SELECT t.cause, t.agency, t.case_number, t.opened, t.findings, t.revoked, t.state,"
            " t.measure FROM supervision_account t WHERE {WHERE}"
            " ORDER BY t.opened DESC, t.id LIMIT %(most)s",
            "opened", findings=False,
        )  # fmt: skip
        named = accounts.names(agencies=(row[1] for row in rows))
        return Table(
            "问责",
            ("起因", "机关", "编号", "启动", "发现", "其中撤销", "状态", "处理"),
            tuple(
                (
                    CAUSES_ZH[cause], named.agency(agency), case or "—", _day(opened), many,
                    revoked, accountability.STATES[state],
                    accountability.MEASURES.get(measure or "", "—"),
                )
                for cause, agency, case, opened, many, revoked, state, measure in rows[:LISTED]
            ),
            _more(rows),
        )  # fmt: skip

    def worst(self) -> Table:
        rows = self._findings(
            "SELECT t.number, max(t.item_name), max(t.agency),"
            " count(*) FILTER (WHERE t.level = 'red') AS red,"
            " count(*) FILTER (WHERE t.level = 'yellow') AS yellow,"
            " count(*) FILTER (WHERE t.level = 'warning') AS warning,"
            " string_agg(DISTINCT t.rule_name, '；' ORDER BY t.rule_name)"
            " FROM supervision_finding t WHERE {WHERE} AND t.counts AND t.number <> ''"
            " AND t.level <> 'hint' GROUP BY t.number"
            " ORDER BY red DESC, yellow DESC, warning DESC, t.number LIMIT %(worst)s"
        )
        named = accounts.names(agencies=(row[2] for row in rows))
        return Table(
            f"问题最多的办件（前 {WORST} 件）",
            ("编号", "事项", "机关", "红牌", "黄牌", "预警", "规则"),
            tuple((row[0], row[1] or "—", named.agency(row[2]), *row[3:]) for row in rows),
        )

    def by_rule(self) -> dict[str, int]:
        return dict(
            self._findings(
                "SELECT t.rule, count(*) FROM supervision_finding t WHERE {WHERE} AND t.counts"
                " GROUP BY 1"
            )
        )


def _more(rows: Sequence[Any]) -> str:
    return f"只列最近 {LISTED} 行。" if len(rows) > LISTED else ""


def _day(at: datetime) -> str:
    return at.astimezone(SHANGHAI).date().isoformat()


# --- on paper ----------------------------------------------------------------------------------------

# Columns of words, which stand on the left and may be long; those of few letters keep their width.
_WIDE = frozenset({"规则", "事项", "机关", "依据", "部门", "区", "起因"})
_SHORT = frozenset(
    {"编号", "文号", "级别", "状态", "申诉", "代码", "等次", "计分项", "处理", "维度", "名次"}
)


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
    return {
        "title": report.title,
        "scope": report.scope,
        "drawn": f"{drawn:%Y-%m-%d %H:%M} 制表",
        "running": not report.over,
        "before": periods.month(report.period.since - DAY).zh,
        "summary": [[what, f"{now:,}", f"{before:,}"] for what, now, before in report.summary],
        "bars": None
        if report.bars.empty
        else {
            "svg": str(macros.bars(report.bars, "部门得分", FONT)),
            "told": f"部门得分：{report.bars.told}",
        },
        "tables": [
            {
                "title": one.title,
                "heads": list(one.heads),
                "rows": [[_written(cell) for cell in row] for row in one.rows[:PAPER]],
                "kinds": [_kind(head, nth) for nth, head in enumerate(one.heads)],
                "note": (
                    f"纸上列前 {PAPER} 行，全部 {len(one.rows):,} 行在 XLSX 里。{one.note}"
                    if len(one.rows) > PAPER
                    else one.note
                ),
            }
            for one in report.tables
        ],
        "recompute": recompute(report),
    }  # fmt: skip


def _kind(head: str, nth: int) -> str:
    if head in _WIDE or (head == "维度" and nth == 0):
        return "wide"
    return "short" if head in _SHORT else "number"


def _written(cell: Cell) -> str:
    if cell is None:
        return "—"
    return f"{cell:,}" if isinstance(cell, int) else cell


def recompute(report: Report) -> list[str]:
    """How anybody checks the report."""
    code = report.period.since.isoformat()[:7]
    return [
        "发现按依法应当发现的时刻算在哪个月；督办和问责按开出、启动的时刻。",
        "工作台“排名”页选同一个月，点任何一个单位，看每一分扣在哪几条发现上。",
        f"可以随时重新生成：zhengwu report --supervision --month {code} -o 监察月报.pdf。"
        "以后裁定撤销、降级的，重新生成的是裁定以后的数。",
    ]


def xlsx(report: Report) -> bytes:
    """The report as a workbook: a sheet for each table."""
    before = periods.month(report.period.since - DAY).zh
    parts: list[tuple[str, Sequence[str], Sequence[Sequence[Cell]]]] = [
        ("概况", ("指标", report.period.zh, before), report.summary),
        *((one.title.split("（")[0], one.heads, one.rows) for one in report.tables),
        ("说明", ("说明",), [(line,) for line in (report.title, report.scope, *recompute(report))]),
    ]
    return sheets.write_book(parts)


__all__ = ["Report", "content", "month", "pdf", "recompute", "xlsx"]
