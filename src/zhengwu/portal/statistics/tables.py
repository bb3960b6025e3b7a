"""The tables that the public may download (开放数据): what they are called, their columns, their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from django.conf import settings

from zhengwu.accounts import queries as accounts
from zhengwu.domain.measuring import BY_CODE
from zhengwu.domain.periods import Grain
from zhengwu.domain.refusal import Refusal
from zhengwu.portal.statistics import few
from zhengwu.statistics import asking, queries, telling
from zhengwu.statistics.queries import DIMENSIONS, EVERYWHERE, Question, Row, Spread

FORMS: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
FILTERS = ("agency", "district", "item", "kind", "source", "channel")
HIDDEN = "hidden"
NOTHING = Spread(())


class Column(NamedTuple):
    """One column (数据项). code: in JSON; zh: the heading in CSV and XLSX."""

    code: str
    zh: str
    unit: str = ""
    what: str = ""
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One table. by: its dimension; takes: the parameters of its address beside from and to."""

    code: str
    zh: str
    what: str
    by: str | None = None
    grain: Grain | None = None
    takes: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether it holds figures; the others are lists."""
        return self.code not in ("restatements", "definitions")

    @property
    def percentiles(self) -> bool:
        return self.counts and self.grain is None and self.by != "item"


_NARROW = ("agency", "district", "kind", "source", "channel")
TABLES: Mapping[str, Table] = {
    one.code: one
    for one in (
        Table("city", "合计", "整个期间一行。", takes=FILTERS),
        Table("trend", "趋势", "一个月一行；grain 可以改成 day、week、quarter、year。", grain=Grain.MONTH, takes=("grain", *FILTERS)),
        Table("agency", "按部门", "一个机关一行。", by="agency", takes=("district", "kind", "source", "channel")),
        Table("district", "按区", "一个区一行，市级的在“江城市”一行。", by="district", takes=("kind", "source", "channel")),
        Table("item", "按事项", "一个事项一行，以整月为单位；办件太少的数不公布，见“数目太小的”。", by="item", takes=("agency", "district")),
        Table("kind", "按办件类型", "即办件、承诺件、上报件和其他系统报送的，各一行。", by="kind", takes=_NARROW),
        Table("channel", "按渠道", "一个渠道一行。", by="channel", takes=_NARROW),
        Table("source", "按来源", "窗口收件和每个报送的系统，各一行。", by="source", takes=_NARROW),
        Table("restatements", "更正", "期间内的日子，数字在那一天过去以后又改了的。新的在前，最多 500 条。", takes=_NARROW),
        Table("definitions", "数据字典", "每个数据项的名称、单位、定义和依据；没有期间。"),
    )
}  # fmt: skip
_PERIOD = (
    Column("from", "从", "日期", "这一行从哪一天起（含）。"),
    Column("to", "到", "日期", "这一行到哪一天止（含）。"),
)
_RESTATED = (
    Column("noticed", "更正日", "日期", "哪一天改的。"),
    Column("day", "被更正的日期", "日期", "哪一天的数字。"),
    Column("agency", "机关代码"), Column("agency_name", "机关"),
    Column("source", "来源代码"), Column("source_name", "来源"),
    Column("measure", "指标代码", "", "见数据字典。"), Column("measure_name", "指标"),
    Column("delta", "增减", "件", "加了多少，负数是减了多少。"),
    Column("first", "起于", "序号", "改动它的第一条记载在事件账上的位置。"),
    Column("until", "止于", "序号", "最后一条的位置。"),
)  # fmt: skip
_DEFINED = (
    Column("code", "代码"), Column("zh", "名称"), Column("unit", "单位"),
    Column("when", "按什么日子计", "", "event 发生的日子，closing 办结的日子，end 期末，derived 由其他数算出。"),
    Column("what", "定义"), Column("basis", "依据"),
)  # fmt: skip


def columns(table: Table) -> tuple[Column, ...]:
    """The columns of a table in their order; the same in every format."""
    if table.code == "restatements":
        return _RESTATED
    if table.code == "definitions":
        return _DEFINED
    found: list[Column] = []
    for column in DIMENSIONS[table.by].columns if table.by else ():
        name = telling.KEYS[column]
        zh = asking.FILTERS_ZH[name]
        found += [
            Column(name, f"{zh}代码", "", "空：没有说明。"),
            Column(f"{name}_name", zh),
        ]
    figures = [
        Column(one["code"], one["zh"], one["unit"], one["what"], one["basis"])
        for one in telling.definitions()
        if table.percentiles or one["code"] not in telling.PERCENTILES
    ]
    rule = Column(HIDDEN, "不公布的", "", "因为办件太少而空着的数据项的代码，用空格分开。")
    return (*found, *_PERIOD, *figures, rule)


def asked(table: Table, given: Mapping[str, str], *, today: date) -> Question:
    """The question of a table's address. Raises Refusal, also for what the table does not take."""
    for name in given:
        if name not in ("from", "to", *table.takes) or not (table.counts or table.takes):
            able = "、".join(("from", "to", *table.takes)) if table.takes else "没有"
            raise Refusal(
                "request.unknown_parameter",
                f"“{table.zh}”这张表没有参数 {name[:40]}。能用的：{able}。",
                field=name[:40],
            )
    question = asking.question(given, today=today)
    asking.known(question)
    grain = question.grain or table.grain
    return few.checked(replace(question, by=table.by, grain=grain).checked(today=today))


def rows(table: Table, question: Question, *, at: datetime) -> list[dict[str, Any]]:
    """The rows, each with the codes of `columns`; None where a figure is not told."""
    if table.code == "restatements":
        return _restated(question)
    if table.code == "definitions":
        return [dict(one) for one in telling.definitions()]
    found = queries.figures(EVERYWHERE, question, at=at)
    spreads = queries.spreads(EVERYWHERE, question) if table.percentiles else {}
    return told(found, question, spreads if table.percentiles else None)


def told(
    found: Sequence[Row],
    question: Question,
    spreads: Mapping[tuple[str, ...], Spread] | None = None,
) -> list[dict[str, Any]]:
    """Rows as data, without what is not told."""
    names = telling.names((row.key for row in found), question)
    secret = withheld(found, question)
    listed = []
    for row, hidden in zip(found, secret, strict=True):
        spread = spreads.get(row.key, NOTHING) if spreads is not None else None
        one = telling.told(row, question, names, spread)
        gone = [code for code in one if code in hidden]
        listed.append({**one, **dict.fromkeys(gone, None), HIDDEN: " ".join(gone)})
    return listed


def withheld(found: Sequence[Row], question: Question) -> tuple[few.Hidden, ...]:
    """What is not told of each row."""
    if not few.by_item(question):
        return (few.NOTHING,) * len(found)
    return few.hidden(found, fewest=settings.STATISTICS_FEWEST)


def _restated(question: Question) -> list[dict[str, Any]]:
    found = queries.restatements(EVERYWHERE, question)
    names = accounts.names(agencies=(one.agency for one in found))
    return [
        {**telling.of_restated(one, names), "measure_name": BY_CODE[one.what].zh} for one in found
    ]


__all__ = [
    "FILTERS", "FORMS", "HIDDEN", "TABLES", "Column", "Table", "asked", "columns", "rows", "told",
    "withheld",
]  # fmt: skip
