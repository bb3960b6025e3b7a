"""Findings as a table (监察发现表): one row each, in the order of the list; nothing of applicants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from zhengwu.accounts.queries import Actor
from zhengwu.domain.reading import SHANGHAI
from zhengwu.supervision import queries
from zhengwu.supervision.paging import Filter
from zhengwu.supervision.queries import Line

PAGE = 2_000  # findings read together
# Name for programs, heading for people.
COLUMNS: tuple[tuple[str, str], ...] = (
    ("level", "级别"), ("first_level", "发出时的级别"), ("rule", "规则"), ("rule_name", "规则名称"),
    ("dimension", "维度"), ("number", "办件编号"), ("item_name", "事项"), ("source", "来源"),
    ("agency", "机关"), ("post", "岗位"), ("person", "责任人"), ("limit", "期限"), ("due", "届满"),
    ("at", "应当发现"), ("issued", "发出"), ("state", "状态"), ("appeal", "申诉"),
    ("basis_changed", "依据改变"), ("counts", "计分"), ("sign_due", "签收期限"),
    ("answer_due", "答复期限"), ("overdue", "逾期"), ("served", "送达"),
)  # fmt: skip


def rows(
    actor: Actor, *, folder: str, q: Filter, at: datetime, page: int = PAGE
) -> Iterator[tuple[str, ...]]:
    """Rows of COLUMNS, as of `at`, in constant memory. page: how many are read together.

    Each page is read by statements of its own: a finding issued meanwhile is missing, one that left
    the folder before its page was read too. Raises Refusal.
    """
    for lines in queries.rows(actor, folder=folder, q=q, at=at, most=page):
        for line in lines:
            yield _cells(line)


def _cells(one: Line) -> tuple[str, ...]:
    return (
        one.level_zh, one.first_level_zh, one.rule, one.rule_name, one.dimension_zh, one.number,
        one.item_name, one.source_zh, one.agency_zh, one.post_zh, one.person_zh, one.limit_zh,
        _stamp(one.due), _stamp(one.at), _stamp(one.issued), one.state_zh, one.appeal_zh,
        _flag(one.basis_changed), _flag(one.counts), _stamp(one.sign_due), _stamp(one.answer_due),
        _flag(one.overdue), one.served_zh,
    )  # fmt: skip


def _flag(held: bool) -> str:
    return "是" if held else "否"


def _stamp(at: datetime | None) -> str:
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S") if at else ""


def headings() -> Sequence[str]:
    return [zh for _, zh in COLUMNS]


__all__ = ["COLUMNS", "PAGE", "headings", "rows"]
