"""The table of electronic supervision (监察导出): the findings of a folder, as its list shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from zhengwu.accounts.queries import Actor
from zhengwu.cases import timekeeping
from zhengwu.documents.sheets.writing import Cell
from zhengwu.domain.rulebook import DIMENSIONS, LEVELS_ZH
from zhengwu.exports.registry import Choices, Column, Given, Parameter, Table, reversed_days
from zhengwu.supervision import exporting, queries, rulebooks, services
from zhengwu.supervision.queries import Filter
from zhengwu.supervision.sight import SEE
from zhengwu.web import words
from zhengwu.web.clock import now

ALL = "all"  # the folder where none is asked


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _filter(given: Given) -> Filter:
    return Filter(
        level=given.get("level", ""), dimension=given.get("dimension", ""),
        agency=given.get("agency", ""), person=given.get("person", ""), rule=given.get("rule", ""),
        state=given.get("state", ""), number=given.get("number", ""),
        since=_day(given.get("since", "")), until=_day(given.get("until", "")),
    )  # fmt: skip


def _rows(actor: Actor, given: Given, at: datetime) -> Iterator[Sequence[Cell]]:
    return exporting.rows(actor, folder=given.get("folder", ALL), q=_filter(given), at=at)


def _count(actor: Actor, given: Given, at: datetime) -> int:
    return queries.how_many(actor, folder=given.get("folder", ALL), q=_filter(given), at=at)


def _folders(actor: Actor) -> Choices:
    return tuple((code, zh) for code, zh in queries.FOLDERS if code != ALL)


def _levels(actor: Actor) -> Choices:
    return tuple((str(level), zh) for level, zh in LEVELS_ZH.items())[::-1]


def _rules(actor: Actor) -> Choices:
    today = words.local(now()).date()
    return tuple((one.code, f"{one.code} {one.zh}") for one in rulebooks.now().on(today))


FINDINGS = Table(
    code="supervision.findings",
    zh="监察发现",
    about="电子监察发现的问题和发出的牌，一条一行，新的在前，没有申请人信息。",
    act=SEE,
    columns=lambda given: tuple(Column(*one) for one in exporting.COLUMNS),
    rows=_rows,
    parameters=(
        Parameter("folder", "列表", "choice", _folders),
        Parameter("level", "级别", "choice", _levels),
        Parameter("dimension", "维度", "choice", lambda actor: tuple(DIMENSIONS.items())),
        Parameter("agency", "机关", "choice", timekeeping.agencies),
        Parameter("rule", "规则", "choice", _rules),
        Parameter("state", "状态", "choice", lambda actor: tuple(services.STATES.items())),
        Parameter("number", "办件编号", unsaid=True),
        Parameter("person", "责任人代码", unsaid=True),
        Parameter("since", "从", "day"),
        Parameter("until", "到", "day"),
    ),
    count=_count,
    check=reversed_days,
)  # fmt: skip

__all__ = ["FINDINGS"]
