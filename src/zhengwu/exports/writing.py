"""A table into a file (写文件): in constant memory, saying as it goes how many rows stand in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from zhengwu.accounts.queries import Actor
from zhengwu.documents import sheets
from zhengwu.documents.sheets.writing import Cell
from zhengwu.exports.registry import Column, Form, Given, Table

Tell = Callable[[int], None]
OFTEN = 200  # rows after which it is said how many there are
PIECE = 500  # lines of NDJSON written together


def write(
    table: Table, actor: Actor, given: Given, form: Form, *, to: Path, at: datetime, tell: Tell
) -> int:
    """Write the table; how many rows. tell: whatever it raises ends the writing.

    Raises Refusal for what the table or the form refuses, OSError for what the disk does.
    """
    if form != "xlsx" and table.pages is not None:
        return _pieces(table.pages(actor, given, form), to, tell)
    columns = table.columns(given)
    rows = _counted(table.rows(actor, given, at), tell)
    if form == "xlsx":
        many = sheets.save_sheets([one.zh for one in columns], rows, title=table.zh, to=to)
        tell(many)
        return many
    seen = _Seen(rows)
    pieces = (
        sheets.write_csv([one.zh for one in columns], seen)
        if form == "csv"
        else _ndjson(columns, seen)
    )
    with to.open("wb") as file:
        for piece in pieces:
            file.write(piece)
    tell(seen.many)
    return seen.many


def _pieces(pages: Iterable[tuple[int, bytes]], to: Path, tell: Tell) -> int:
    many = 0
    with to.open("wb") as file:
        for rows, piece in pages:
            file.write(piece)
            many += rows
            tell(many)
    return many


class _Seen:
    """The rows, and how many went by."""

    def __init__(self, rows: Iterator[Sequence[Cell]]) -> None:
        self.rows = rows
        self.many = 0

    def __iter__(self) -> Iterator[Sequence[Cell]]:
        for row in self.rows:
            self.many += 1
            yield row


def _counted(rows: Iterator[Sequence[Cell]], tell: Tell) -> Iterator[Sequence[Cell]]:
    for many, row in enumerate(rows, 1):
        if many % OFTEN == 0:
            tell(many)
        yield row


def _ndjson(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """One object a line. Nothing is put before what looks like a formula: programs read it."""
    names = [one.name for one in columns]
    lines: list[str] = []
    for row in rows:
        lines.append(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False))
        if len(lines) == PIECE:
            yield ("\n".join(lines) + "\n").encode()
            lines.clear()
    if lines:
        yield ("\n".join(lines) + "\n").encode()
