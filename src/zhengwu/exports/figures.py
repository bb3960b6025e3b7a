"""The tables of statistics (统计导出): the figures of a period, and the cases behind one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.cases import briefs
from zhengwu.documents.sheets.writing import Cell
from zhengwu.domain.measuring import MEASURES
from zhengwu.domain.periods import GRAINS_ZH, Grain, Period
from zhengwu.exports.registry import Choices, Column, Given, Parameter, Table
from zhengwu.statistics import queries
from zhengwu.statistics.queries import DIMENSIONS, Question
from zhengwu.web import words

PAGE = 1_000  # cases asked for together
HELD = {"open": "在办", "claim_open": "在办、有自报期限", "overdue": "在办已超期"}
VERDICTS = {"early": "提前", "on_time": "按时", "late": "超期", "unjudged": "不评判"}
PERIOD = (Parameter("since", "从", "day", must=True), Parameter("until", "到", "day", must=True))
NARROWED = (
    Parameter("agency", "机关代码"),
    Parameter("district", "区划代码"),
    Parameter("hall", "大厅代码"),
    Parameter("item", "事项编码"),
)


def _question(given: Given) -> Question:
    """Raises Refusal as Period does."""
    return Question(
        period=Period(date.fromisoformat(given["since"]), date.fromisoformat(given["until"])),
        by=given.get("by") or None,
        grain=Grain(given["grain"]) if given.get("grain") else None,
        **{one.name: given.get(one.name) or None for one in NARROWED},
    )


def _check(actor: Actor, given: Given, at: datetime) -> None:
    _question(given).checked(today=words.local(at).date())


def _by(actor: Actor) -> Choices:
    return tuple((code, one.zh) for code, one in DIMENSIONS.items())


def _grains(actor: Actor) -> Choices:
    return tuple((str(grain), zh) for grain, zh in GRAINS_ZH.items())


def _measures(actor: Actor) -> Choices:
    return (*((one.code, one.zh) for one in MEASURES), *HELD.items())


def _columns(given: Given) -> Sequence[Column]:
    by = given.get("by")
    dimension = DIMENSIONS[by] if by else None
    keys = (
        [Column(name, f"{dimension.zh}：{name}") for name in dimension.columns] if dimension else []
    )
    return (
        *keys, Column("name", "名称"), Column("since", "从"), Column("until", "到"),
        *(Column(one.code, f"{one.zh}（{one.unit}）") for one in MEASURES),
        *(Column(code, f"{zh}（件）") for code, zh in HELD.items()),
    )  # fmt: skip


def _figures(actor: Actor, given: Given, at: datetime) -> Iterator[Sequence[Cell]]:
    question = _question(given)
    rows = queries.figures(queries.reach(actor), question, at=at)
    first = DIMENSIONS[question.by].columns[0] if question.by else ""
    names = accounts.names(agencies={row.key[0] for row in rows} if first == "agency" else ())
    for row in rows:
        name = names.agency(row.key[0]) if first == "agency" else "、".join(row.key) or "全部"
        yield (
            *row.key, name, row.period.since.isoformat(), row.period.until.isoformat(),
            *(row[one.code] for one in MEASURES), row.open, row.claim_open, row.overdue,
        )  # fmt: skip


def _behind(actor: Actor, given: Given, at: datetime) -> Iterator[Sequence[Cell]]:
    """Only the cases that this actor may open: the others stand in the figures alone."""
    reach, question, further = queries.reach(actor), _question(given), ""
    while True:
        page = queries.behind(reach, question, given["measure"], at=at, after=further, limit=PAGE)
        seen = briefs.briefs(actor, [one.case for one in page.rows])
        names = accounts.names(agencies={one.agency for one in seen.values()})
        for one in page.rows:
            if (brief := seen.get(one.case)) is None:
                continue
            yield (
                brief.number, brief.item_name, names.agency(brief.agency), brief.state_zh,
                one.day.isoformat(), _stamp(brief.opened), _stamp(one.due or brief.due),
                one.closed.isoformat() if one.closed else "",
                VERDICTS.get(one.verdict or "", ""), one.days,
            )  # fmt: skip
        further = page.further
        if not further:
            return


def _stamp(at: datetime | None) -> str:
    return words.local(at).strftime("%Y-%m-%d %H:%M:%S") if at else ""


FIGURES = Table(
    code="statistics.figures",
    zh="统计数字",
    about="一段时间里的全部指标，可以按机关、区划、事项等分开，也可以按日、月分开。",
    act=queries.ACT,
    columns=_columns,
    rows=_figures,
    parameters=(
        *PERIOD,
        Parameter("by", "按什么分", "choice", _by),
        Parameter("grain", "按多长时间分", "choice", _grains),
        *NARROWED,
    ),
    check=_check,
)
BEHIND = Table(
    code="statistics.cases",
    zh="数字背后的办件",
    about="一个统计数字是哪些办件加起来的，一件一行，没有申请人信息。",
    act=queries.ACT,
    columns=lambda given: (
        Column("number", "办件编号"), Column("item_name", "事项名称"), Column("agency", "办理机关"),
        Column("state", "状态"), Column("day", "算在哪一天"), Column("opened", "收件时间"),
        Column("due", "到期时间"), Column("closed", "办结日期"), Column("verdict", "时效"),
        Column("days", "工作日"),
    ),
    rows=_behind,
    parameters=(*PERIOD, Parameter("measure", "指标", "choice", _measures, must=True), *NARROWED),
    check=_check,
)  # fmt: skip

__all__ = ["BEHIND", "FIGURES"]
