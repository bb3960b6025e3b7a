"""CSV (逗号分隔): quotes as in RFC 4180; commas, tabs or semicolons between the cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from zhengwu.documents.sheets.table import Gathering, Note, Table, cleaned_cells, refusal
from zhengwu.domain.refusal import Refusal

DELIMITERS = ",\t;"
MOST_IN_A_ROW = 16_384  # cells: what a spreadsheet can hold


def read(text: str, *, encoding: str, notes: tuple[Note, ...]) -> Table:
    """The table in a text. Raises Refusal."""
    lines = io.StringIO(text, newline="")
    skipped = 0
    while True:
        place = lines.tell()
        line = lines.readline()
        if not line or (line.strip() and not line.startswith("#")):
            break
        skipped += 1
    lines.seek(place)
    gathering = Gathering()
    for number, record in _records(lines, _delimiter(lines), skipped):
        if len(record) > MOST_IN_A_ROW:
            raise refusal(
                "too_many_columns",
                f"第 {number} 行有 {len(record)} 格，不像表格的一行。请检查分隔符和换行。",
            )
        gathering.add(number, *cleaned_cells(enumerate(record), neutralised=True))
    return gathering.table(format="csv", encoding=encoding, notes=notes)


def _delimiter(lines: io.StringIO) -> str:
    """The one that cuts the header into most cells; the comma where none does."""
    place = lines.tell()
    many: dict[str, int] = {}
    for one in DELIMITERS:
        try:
            many[one] = len(next(csv.reader(lines, delimiter=one, strict=True), []))
        except csv.Error:
            many[one] = 0  # a quote within a cell, seen with the wrong delimiter
        lines.seek(place)
    return max(DELIMITERS, key=lambda one: many[one])


def _records(lines: io.StringIO, delimiter: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """Each record and the number of the row that a spreadsheet shows it in."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = skipped
    while True:
        number += 1
        line = skipped + reader.line_num + 1
        try:
            record = next(reader, None)
        except csv.Error as problem:
            raise _unbalanced(line, problem) from problem
        if record is None:
            return
        yield number, record


def _unbalanced(line: int, problem: csv.Error) -> Refusal:
    if "field larger" in str(problem):
        return refusal(
            "quotes",
            f"从第 {line} 行开始的一格超过 {csv.field_size_limit()} 个字。"
            "请检查这一行的引号是否成对，或缩短这一格。",
        )
    return refusal(
        "quotes",
        f"第 {line} 行的引号不成对，从这里起分不清哪些字属于哪一格。"
        '请补上引号；格里本身的引号要写两遍（""），或改存为 .xlsx 再导入。',
    )
