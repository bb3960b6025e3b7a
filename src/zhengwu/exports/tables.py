"""The tables of the contexts below (可导出的表): cases, time, items, looks. Those of statistics stand
in figures, that of supervision in findings.

What a table holds is what its page or its interface holds, by the same query and the same filter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from uuid import UUID

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor, LookFilter
from zhengwu.accounts.services import LIST
from zhengwu.cases import exporting as cases
from zhengwu.cases import queries as case_queries
from zhengwu.cases import timekeeping
from zhengwu.cases.events import STREAM
from zhengwu.catalog import exporting as catalog
from zhengwu.documents.sheets.writing import Cell
from zhengwu.domain.guide import LISTS_ZH
from zhengwu.domain.lifecycle import STATES_ZH, HolderKind
from zhengwu.exports import figures, findings
from zhengwu.exports.queries import ORDERED
from zhengwu.exports.registry import (
    Choices,
    Column,
    Form,
    Given,
    Parameter,
    Table,
    register,
    reversed_days,
)
from zhengwu.supervision import events as supervision
from zhengwu.web import words

SINCE, UNTIL = Parameter("since", "从", "day"), Parameter("until", "到", "day")


def midnight(text: str, *, after: int = 0) -> datetime | None:
    """The beginning of a day of Shanghai's, or of one after it; None where no day is written."""
    if not text:
        return None
    day = date.fromisoformat(text) + timedelta(days=after)
    return datetime.combine(day, time(), words.SHANGHAI)


def stamp(at: datetime | None) -> str:
    return words.local(at).strftime("%Y-%m-%d %H:%M:%S") if at else ""


def fixed(*columns: tuple[str, str]) -> Callable[[Given], Sequence[Column]]:
    """Columns that do not depend on what is asked."""
    found = tuple(Column(*one) for one in columns)
    return lambda given: found


# --- cases ----------------------------------------------------------------------------------------


def _question(given: Given) -> cases.Question:
    open_ = given.get("open")
    return cases.Question(
        state=given.get("state", ""),
        item=given.get("item", ""),
        agency=given.get("agency", ""),
        since=midnight(given.get("since", "")),
        until=midnight(given.get("until", ""), after=1),
        open=None if not open_ else open_ == "open",
    )


def _states(actor: Actor) -> Choices:
    return tuple((str(state), zh) for state, zh in STATES_ZH.items())


def _pages(actor: Actor, given: Given, form: Form) -> Iterator[tuple[int, bytes]]:
    return cases.pages(actor, _question(given), form="csv" if form == "csv" else "ndjson")


CASES = Table(
    code="cases",
    zh="办件清单",
    about="权限以内的全部办件，一件一行，没有申请人信息。",
    act="case.see",
    columns=fixed(*((name, zh) for _, zh, name, _ in cases.COLUMNS)),
    parameters=(
        Parameter("state", "状态", "choice", _states),
        Parameter("open", "在办还是办结", "choice", lambda actor: (("open", "在办"), ("closed", "办结"))),
        Parameter("item", "事项编码"),
        Parameter("agency", "办理机关代码"),
        SINCE,
        UNTIL,
    ),
    count=lambda actor, given, at: cases.count(actor, _question(given)),
    rows=lambda actor, given, at: cases.rows(actor, _question(given)),
    pages=_pages,
    check=reversed_days,
)  # fmt: skip


# --- the time ledger ------------------------------------------------------------------------------


def _time(actor: Actor, given: Given, at: datetime) -> Iterator[Sequence[Cell]]:
    whole = timekeeping.handover_table(
        actor, since=date.fromisoformat(given["since"]), until=date.fromisoformat(given["until"]),
        agency=given.get("agency") or None, running="running" in given, at=at,
    )  # fmt: skip
    for one in whole.lines:
        who = f"{one.charged_zh}移交" if one.kind == HolderKind.HANDING_OVER else one.zh
        if one.kind == HolderKind.SPECIAL and one.agency_zh:
            who = f"{one.zh}（{one.agency_zh}）"
        yield (
            timekeeping.KINDS[one.kind], who, one.stretches, one.seconds, one.office_seconds,
            one.rest_seconds,
        )  # fmt: skip


TIME = Table(
    code="time",
    zh="时间账",
    about="一段时间里办结的办件，时间都花在谁手里；一次最多两千件。",
    act=timekeeping.ACT,
    columns=fixed(
        ("kind", "去向"), ("who", "谁"), ("count", "次数"), ("seconds", "合计（秒）"),
        ("office_seconds", "办公时间（秒）"), ("rest_seconds", "非办公时间（秒）"),
    ),
    parameters=(
        Parameter("since", "从", "day", must=True),
        Parameter("until", "到", "day", must=True),
        Parameter("agency", "办理机关", "choice", timekeeping.agencies),
        Parameter("running", "也算还在办的", "flag"),
    ),
    rows=_time,
    check=reversed_days,
)  # fmt: skip


# --- items ----------------------------------------------------------------------------------------


def _selection(given: Given, at: datetime) -> catalog.Selection:
    return catalog.Selection(
        level=given.get("level", ""),
        region=given.get("region", ""),
        agency=given.get("agency", ""),
        on=None if "all" in given else words.local(at).date(),
    )


CATALOGUE = Table(
    code="catalogue",
    zh="事项清单",
    about="现行有效的事项，各要素一列；也可以要全部版本。",
    act="catalog.see",
    columns=fixed(*((zh, zh) for zh in catalog.COLUMNS)),
    parameters=(
        Parameter("level", "清单", "choice", lambda actor: tuple((str(k), zh) for k, zh in LISTS_ZH.items())),
        Parameter("region", "区划代码"),
        Parameter("agency", "机关代码"),
        Parameter("all", "全部版本，包括已取消的", "flag"),
    ),
    count=lambda actor, given, at: catalog.count(_selection(given, at)),
    rows=lambda actor, given, at: catalog.rows(_selection(given, at)),
)  # fmt: skip


# --- looks ----------------------------------------------------------------------------------------


TOGETHER = 2_000
LOOKED = (
    ("at", "时间"), ("name", "姓名"), ("person", "人员代码"), ("agency", "机关"),
    ("stream", "对象"), ("number", "编号"), ("why", "事由"), ("fields", "查阅内容"),
)  # fmt: skip
STREAMS = {
    STREAM: "办件", ORDERED: "导出", LIST: "清单", supervision.FINDINGS: "监察发现",
    supervision.ORDERS: "督办", supervision.ACCOUNTS: "问责", supervision.CHECKS: "抽查",
}  # fmt: skip
FIELDS = {
    "identifier": "证件号码",
    "name": "姓名或名称",
    "phone": "电话",
    "document": "文书",
    "file": "上传的材料",
    "texts": "意见、理由等文字",
    "text": "答复、理由等文字",
    "head": "基本情况",
    "list": "清单",
    "table": "整张表",
}


def looked(actor: Actor, asked: LookFilter) -> Iterator[Sequence[Cell]]:
    """Looks as lines under `LOOKED`, the latest first (`accounts.queries.looks`): one for each case of
    a list, of which some have thousands; numbers are found for `TOGETHER` lines at a time."""
    pages = accounts.every_look(actor, asked)
    lines = ((row, stream) for page in pages for row in page for stream in row.stream_ids)
    while some := tuple(islice(lines, TOGETHER)):
        numbers = case_queries.audited_numbers(
            actor, {stream for row, stream in some if row.stream == STREAM}
        )
        for row, stream in some:
            yield (
                stamp(row.at), row.name or row.person, row.person, row.agency_name or row.agency,
                STREAMS.get(row.stream, row.stream), numbers.get(stream, str(stream)), row.why,
                "、".join(FIELDS.get(name, name) for name in row.fields),
            )  # fmt: skip


def _asked(actor: Actor, given: Given) -> LookFilter:
    return LookFilter(
        text=given.get("q", ""),
        stream_id=_stream(actor, given),
        since=midnight(given.get("since", "")),
        until=midnight(given.get("until", ""), after=1),
    )


def _stream(actor: Actor, given: Given) -> UUID | None:
    if not (text := given.get("q", "")):
        return None
    try:
        return UUID(text)
    except ValueError:
        return case_queries.audited_case(actor, text)


LOOKS = Table(
    code="looks",
    zh="查阅记录",
    about="谁在什么时候因为什么看了谁的个人信息，新的在前；清单里的每一件各一行。",
    act="audit.looks",
    columns=fixed(*LOOKED),
    parameters=(Parameter("q", "人员、机关、事由或办件编号"), SINCE, UNTIL),
    count=lambda actor, given, at: accounts.count_look_lines(actor, _asked(actor, given)),
    rows=lambda actor, given, at: looked(actor, _asked(actor, given)),
    check=reversed_days,
)  # fmt: skip


def register_all() -> None:
    """Once, when the program starts."""
    for one in (CASES, TIME, figures.FIGURES, figures.BEHIND, findings.FINDINGS, CATALOGUE, LOOKS):
        register(one)


__all__ = ["CASES", "CATALOGUE", "LOOKS", "TIME", "fixed", "midnight", "register_all"]
