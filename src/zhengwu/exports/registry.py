"""What can be taken out (可导出的表): every table says who may, what it asks and how it is read.

A context above registers its own with `register`; those below stand in `tables`. The parameters are
data, from which the page makes its form and the interface its question; what was ordered is kept as
text and read again by `read` when the file is made, because the order may be older than the right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

from zhengwu.accounts.queries import Actor
from zhengwu.documents.sheets.writing import Cell
from zhengwu.domain.refusal import Refusal

Form = Literal["csv", "xlsx", "ndjson"]
FORMS: Mapping[Form, str] = {"csv": "CSV", "xlsx": "XLSX", "ndjson": "NDJSON"}
MEDIA: Mapping[Form, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ndjson": "application/x-ndjson; charset=utf-8",
}
Given = Mapping[str, str]
Choices = Sequence[tuple[str, str]]
FIRST, LAST = date(2000, 1, 1), date(2100, 1, 1)
LETTERS = 100


class Column(NamedTuple):
    """name: for programs; zh: the heading for people."""

    name: str
    zh: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that can be asked (条件). choices: of a choice, for this actor; must: not empty.

    A day is written 2026-01-31, a flag "on" or "". unsaid: a text that can hold a name, of which the
    looks say no more than that it was asked.
    """

    name: str
    zh: str
    kind: Literal["text", "day", "flag", "choice"] = "text"
    choices: Callable[[Actor], Choices] | None = None
    must: bool = False
    unsaid: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table (表). act: what somebody must be allowed to (roles.TABLE).

    count: how many rows there will be, None where only the reading tells. rows: as of `at`, in any
    number, in constant memory. pages: where the bytes of CSV and NDJSON come ready made, each piece
    with its number of rows. check: raises Refusal for parameters that do not fit each other.
    """

    code: str
    zh: str
    about: str
    act: str
    columns: Callable[[Given], Sequence[Column]]
    rows: Callable[[Actor, Given, datetime], Iterator[Sequence[Cell]]]
    parameters: tuple[Parameter, ...] = ()
    count: Callable[[Actor, Given, datetime], int | None] = lambda actor, given, at: None
    pages: Callable[[Actor, Given, Form], Iterator[tuple[int, bytes]]] | None = None
    check: Callable[[Actor, Given, datetime], None] = lambda actor, given, at: None
    forms: tuple[Form, ...] = ("csv", "xlsx", "ndjson")


_TABLES: dict[str, Table] = {}


def register(table: Table) -> None:
    """Make a table known, once, when the program starts. Raises ValueError for a second of a code."""
    if table.code in _TABLES:
        raise ValueError(table.code)
    _TABLES[table.code] = table


def table(code: str) -> Table | None:
    return _TABLES.get(code)


def tables(actor: Actor) -> tuple[Table, ...]:
    """Those that this actor may take out, in the order in which they were registered."""
    return tuple(one for one in _TABLES.values() if actor.may(one.act))


def read(table: Table, actor: Actor, given: Given, *, at: datetime) -> dict[str, str]:
    """The parameters of an order, what is empty left out. Raises Refusal with the field."""
    known = {one.name: one for one in table.parameters}
    for name in given:
        if name not in known:
            raise Refusal(
                "exports.parameter",
                f"“{table.zh}”没有 {name[:40]} 这个条件。请去掉它。",
                field=name[:40],
            )
    read = {
        one.name: value
        for one in table.parameters
        if (value := _value(one, actor, given.get(one.name, "")))
    }
    table.check(actor, read, at)
    return read


def _value(one: Parameter, actor: Actor, written: str) -> str:
    text = written.strip()
    if not text and one.must:
        raise Refusal("exports.missing", f"请填写{one.zh}。", field=one.name)
    if not text:
        return ""
    if len(text) > LETTERS or not text.isprintable():
        raise _unreadable(one)
    if one.kind == "day":
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = None
        if day is None or len(text) != 10 or not FIRST <= day <= LAST:
            raise Refusal(
                "exports.day", f"“{one.zh}”：请按“2026-01-31”的样子填写日期。", field=one.name
            )
    elif one.kind == "flag" and text != "on":
        raise _unreadable(one)
    elif one.kind == "choice":
        assert one.choices is not None
        if text not in {code for code, _ in one.choices(actor)}:
            raise Refusal(
                "exports.choice",
                f"“{one.zh}”：没有这个选项，或者不在您的范围内。请从列表里选择。",
                field=one.name,
            )
    return text


def _unreadable(one: Parameter) -> Refusal:
    return Refusal("exports.unreadable", f"“{one.zh}”读不懂。请改正。", field=one.name)


def reversed_days(actor: Actor, given: Given, at: datetime) -> None:
    """Refuses a period that ends before it begins."""
    since, until = given.get("since"), given.get("until")
    if since and until and until < since:
        raise Refusal("exports.reversed", "“到”早于“从”。请改一下日期。", field="until")


def said(table: Table, actor: Actor, given: Given, *, recorded: bool = False) -> str:
    """The parameters in words: 状态：已办结；从：2026-01-01. recorded: for the looks, for good."""
    parts = []
    for one in table.parameters:
        value = given.get(one.name, "")
        if not value:
            continue
        if one.kind == "flag":
            parts.append(one.zh)
            continue
        if one.unsaid and recorded:
            parts.append(f"按{one.zh}查找")
            continue
        if one.kind == "choice" and one.choices is not None:
            value = dict(one.choices(actor)).get(value, value)
        parts.append(f"{one.zh}：{value}")
    return "；".join(parts)
