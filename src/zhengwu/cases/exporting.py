"""All cases of a reach as a file (办件导出): CSV for people, NDJSON for programs; nothing of applicants.

A million rows cost what twenty do in memory. They are read a page at a time, each by statements of
their own in the order in which the cases were opened, so that no transaction is open while somebody
slow takes the bytes, and neither the log's watermark nor vacuum waits for an export. What that means
for the file: a case stands in it once, as it stood when its page was read; one received meanwhile
may stand at the end; one that another system reports meanwhile with an earlier opening may be missing.

PostgreSQL writes the lines (COPY): a tenth of what they would cost here, and other requests of the
same process go on meanwhile.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from typing import Any, Literal
from uuid import UUID

from django.db import connection
from psycopg import Cursor

from zhengwu.accounts import queries as accounts
from zhengwu.accounts.queries import Actor
from zhengwu.cases import listing, wording
from zhengwu.cases.listing import Question
from zhengwu.documents.sheets.table import FORMULA_LIKE
from zhengwu.domain.lifecycle import State

Form = Literal["csv", "ndjson"]
PAGE = 5_000
FIRST = UUID(int=0)
BEGINNING = datetime.fromisoformat("0001-01-01T00:00:00+00:00")
MARK = "\ufeff"  # so that spreadsheets read UTF-8

# What a spreadsheet would run gets an apostrophe, as in documents.sheets.writing: for text that
# came from outside. `~` as the Python pattern's `match`: from the beginning.
# PostgreSQL's own \\s knows no more than ASCII where the collation is C.
_SPACES = "".join(one for one in map(chr, range(1, 0x3001)) if one.isspace())
_FORMULA = f"^(?:{FORMULA_LIKE.pattern})".replace("\\s", _SPACES)
# What begins with a digit, a letter or a Chinese character is none, and is not looked at further.
_GUARDED = (
    "CASE WHEN ascii({0}) BETWEEN 48 AND 57 OR ascii({0}) BETWEEN 65 AND 90"
    " OR ascii({0}) BETWEEN 97 AND 122 OR ascii({0}) BETWEEN 19968 AND 40959 THEN {0}"
    " WHEN {0} ~ %(formula)s THEN '''' || {0} ELSE {0} END"
)
_LOCAL = "to_char({0} AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS')"
_INSTANT = "to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

# The first half is for the indexes on `opened`, which know no id.
_BEHIND = "c.opened >= %(after)s AND (c.opened, c.id) > (%(after)s, %(last)s)"

# Column of the head: heading for people, name for programs, kind.
COLUMNS: tuple[tuple[str, str, str, str], ...] = (
    ("c.number", "办件编号", "number", "text"),
    ("c.item", "事项编码", "item", "text"),
    ("c.item_version", "事项版本", "item_version", "number"),
    ("c.item_name", "事项名称", "item_name", "text"),
    ("c.kind", "办件类型", "kind", "kind"),
    ("c.source", "来源", "source", "text"),
    ("c.agency", "办理机关代码", "agency", "text"),
    ("coalesce(n.name, '')", "办理机关", "agency_name", "text"),
    ("c.region", "区划", "region", "text"),
    ("c.hall", "收件大厅", "hall", "text"),
    ("c.state", "状态", "state", "state"),
    ("c.suspended", "特别程序中", "suspended", "flag"),
    ("c.outcome", "决定", "outcome", "outcome"),
    ("c.opened", "收件时间", "opened", "instant"),
    ("c.accepted", "受理时间", "accepted", "instant"),
    ("c.due", "到期时间", "due", "instant"),
    ("c.provisional", "到期时间为暂定", "provisional", "flag"),
    ("c.decided", "决定时间", "decided", "instant"),
    ("c.closed", "办结时间", "closed", "instant"),
)
OUTCOMES = {"granted": "准予", "refused": "不予"}


def stream(actor: Actor, selection: Question, *, form: Form) -> Iterator[bytes]:
    """The cases that this actor may see, as a file in pieces of some hundred kilobytes.

    The first piece is the heading (CSV) or the first page. No applicant, no query code. The
    permission is that of the beginning. An empty selection is a heading alone, or nothing.
    """
    return (piece for _, piece in pages(actor, selection, form=form))


def pages(actor: Actor, selection: Question, *, form: Form) -> Iterator[tuple[int, bytes]]:
    """The same pieces, each with how many cases stand in it; the heading of a CSV has none."""
    if form not in ("csv", "ndjson"):
        raise ValueError(form)
    return _Export(actor, selection, form).pieces()


def rows(actor: Actor, selection: Question) -> Iterator[tuple[str, ...]]:
    """The same cases as cells for people, in the order of COLUMNS; nothing is guarded yet."""
    for _, piece in _Export(actor, selection, "csv", guarded=False).pieces():
        yield from map(tuple, csv.reader(io.StringIO(piece.decode(), newline="")))


def count(actor: Actor, selection: Question) -> int:
    """How many cases there are just now: for the progress of something that takes far longer."""
    conditions, parameters = listing.condition(actor, selection)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM cases_case c WHERE {' AND '.join(conditions) or 'true'}",  # noqa: S608
            parameters,
        )
        return int(cursor.fetchone()[0])


@dataclass(slots=True)
class _Export:
    actor: Actor
    selection: Question
    form: Form
    guarded: bool = True
    known: dict[str, str] = field(default_factory=dict)  # names of agencies

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        conditions, parameters = listing.condition(self.actor, self.selection)
        where = " AND ".join(conditions) or "true"
        if self.form == "csv" and self.guarded:
            yield 0, (MARK + ",".join(f'"{zh}"' for _, zh, _, _ in COLUMNS) + "\n").encode()
        opened, last = BEGINNING, FIRST
        while page := _page(where, {**parameters, "after": opened, "last": last}):
            yield page.rows, self._lines(where, parameters, (opened, last), page)
            opened, last = page.opened, page.last
            if page.rows < PAGE:
                return

    def _lines(
        self, where: str, parameters: Mapping[str, Any], after: tuple[datetime, UUID], page: _Page
    ) -> bytes:
        """The whole page, taken over before anybody is given a byte of it."""
        names = accounts.names(agencies=set(page.agencies) - self.known.keys())
        self.known |= {code: names.agency(code) for code in page.agencies if code not in self.known}
        given = {
            **parameters, "after": after[0], "last": after[1], "until_opened": page.opened,
            "until_last": page.last, "codes": list(self.known), "names": list(self.known.values()),
            "formula": _FORMULA,
        }  # fmt: skip
        connection.ensure_connection()
        # Django's own cursor binds on the server, which COPY does not know.
        with (
            Cursor(connection.connection) as cursor,
            cursor.copy(_copy(where, self.form, guarded=self.guarded), given) as copy,
        ):
            return b"".join(bytes(piece) for piece in copy)


@dataclass(frozen=True, slots=True)
class _Page:
    """Where a page ends, how many rows it has, whose they are."""

    opened: datetime
    last: UUID
    rows: int
    agencies: Sequence[str]


def page_sql(where: str) -> str:
    """Where the page ends that begins behind `after` and `last`."""
    return (
        "WITH page AS MATERIALIZED (SELECT c.opened, c.id, c.agency FROM cases_case c"  # noqa: S608
        f" WHERE {where} AND {_BEHIND} ORDER BY c.opened, c.id LIMIT {PAGE})"
        " SELECT opened, id, (SELECT count(*) FROM page),"
        " (SELECT array_agg(DISTINCT agency) FROM page)"
        " FROM page ORDER BY opened DESC, id DESC LIMIT 1"
    )


def _page(where: str, parameters: Mapping[str, Any]) -> _Page | None:
    with connection.cursor() as cursor:
        cursor.execute(page_sql(where), parameters)
        row = cursor.fetchone()
    return _Page(*row) if row else None


def _copy(where: str, form: Form, *, guarded: bool) -> str:
    """One page, formed by the database."""
    rows = (
        "FROM cases_case c"
        " LEFT JOIN unnest(%(codes)s::text[], %(names)s::text[]) AS n(code, name)"
        f" ON n.code = c.agency WHERE {where} AND {_BEHIND} AND c.opened <= %(until_opened)s"
        " AND (c.opened, c.id) <= (%(until_opened)s, %(until_last)s) ORDER BY c.opened, c.id"
    )
    if form == "csv":
        kinds = {"text": "text" if guarded else "as it is"}
        cells = ", ".join(_cell(column, kinds.get(kind, kind)) for column, _, _, kind in COLUMNS)
        return f"COPY (SELECT {cells} {rows}) TO STDOUT (FORMAT csv)"
    # A line of JSON holds no raw control character, so that nothing is quoted or escaped again.
    pairs = ", ".join(f"'{name}', {_value(column, kind)}" for column, _, name, kind in COLUMNS)
    return (
        f"COPY (SELECT json_build_object({pairs})::text {rows}) TO STDOUT"
        " (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')"
    )


def _cell(column: str, kind: str) -> str:
    if kind == "text":
        return _GUARDED.format(column)
    if kind == "instant":
        return _LOCAL.format(column)
    if kind == "flag":
        return f"CASE WHEN {column} THEN '是' ELSE '否' END"
    if kind == "state":
        return _words(
            "c.state || '/' || coalesce(c.outcome, '') || '/' || c.suspended::int", _states()
        )
    if kind == "kind":
        return _words(column, wording.KINDS)
    if kind == "outcome":
        return _words(column, OUTCOMES)
    return column


def _value(column: str, kind: str) -> str:
    return _INSTANT.format(column) if kind == "instant" else column


def _states() -> dict[str, str]:
    """State, outcome and suspension as one key, as wording.state says them."""
    return {
        f"{state}/{outcome}/{int(suspended)}": wording.state(
            str(state), outcome or None, bool(suspended)
        )
        for state, outcome, suspended in product(State, ("", *OUTCOMES), (False, True))
    }


def _words(key: str, words: Mapping[str, str]) -> str:
    """The words of a few codes; what is none of them stands as it is."""
    chosen = " ".join(f"WHEN '{code}' THEN '{zh}'" for code, zh in words.items())
    return f"CASE {key} {chosen} ELSE {key} END"


def bare_sql() -> str:
    """The same columns without any of this, for measuring what it costs."""
    columns = ", ".join(column for column, _, _, _ in COLUMNS if not column.startswith("coalesce"))
    return f"COPY (SELECT {columns} FROM cases_case c) TO STDOUT (FORMAT csv)"  # noqa: S608


__all__ = ["COLUMNS", "Form", "Question", "count", "pages", "rows", "stream"]
