"""Writing a table (导出表格): XLSX, CSV, JSON. No cell becomes a formula, no code loses its zeros."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, count, islice
from pathlib import Path
from typing import BinaryIO

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.worksheet import Worksheet

from zhengwu.documents.sheets.table import FORMULA_LIKE, LONGEST, excerpt, refusal, units

Cell = str | int | float | None

MOST_ROWS = 1_048_575  # below the header; the spreadsheet's own limit
MOST_NUMBER = 10**15  # from here on a spreadsheet loses digits, so it is written as text
LOOKED_AT = 200  # rows from which the widths of the columns are taken
NARROWEST, WIDEST = 8, 60  # characters
SHEET_NAME = 31
PIECE = 1 << 16


def write_xlsx(columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, title: str) -> bytes:
    """The table as XLSX. For more than some thousand rows use `save_xlsx`.

    A None is an empty cell, a bool 是 or 否; floats must be finite. title: of the sheet. Raises Refusal (`sheets.*`) for
    what a spreadsheet cannot hold, and ValueError for a row that does not fit the columns.
    """
    place = io.BytesIO()
    save_xlsx(columns, rows, title=title, to=place)
    return place.getvalue()


def save_xlsx(
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    title: str,
    to: Path | BinaryIO,
) -> int:
    """Write the table as XLSX to a place, one row in memory; the number of rows."""
    _check(columns)
    with _book(to) as book:
        return _fill(book, book.add_worksheet(_sheet_name(title)), columns, rows)


def save_sheets(
    columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, title: str, to: Path
) -> int:
    """The same with as many sheets as the rows need, each with the heading: 办件, 办件 (2), …

    What is not yet packed lies beside `to`, some five times its size.
    """
    _check(columns)
    rest = iter(rows)
    many = 0
    with _book(to, beside=to) as book:
        for number in count(1):
            first = next(rest, None)
            if first is None and number > 1:
                break
            behind = f" ({number})" if number > 1 else ""
            sheet = book.add_worksheet(_sheet_name(title)[: SHEET_NAME - len(behind)] + behind)
            page = chain((first,), islice(rest, MOST_ROWS - 1)) if first is not None else ()
            many += _fill(book, sheet, columns, page)
    return many


@contextmanager
def _book(to: Path | BinaryIO, *, beside: Path | None = None) -> Iterator[Workbook]:
    """A workbook in constant memory, closed in the end. beside: where it lies till it is packed, in
    a folder whose name begins as this one's."""
    # What is not yet packed lies in a folder of ours, and is gone whatever happens.
    with tempfile.TemporaryDirectory(
        prefix=f"{beside.stem}-" if beside else "zhengwu-", dir=beside.parent if beside else None
    ) as folder:
        book = Workbook(
            str(to) if isinstance(to, Path) else to,
            {
                "constant_memory": True,
                "tmpdir": folder,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "use_zip64": True,
            },
        )
        try:
            yield book
            try:
                book.close()
            except FileCreateError as problem:
                # The library's own name for a disk that is full.
                raise (problem.args[0] if problem.args else problem) from None
        finally:
            for sheet in book.worksheets():
                sheet.row_data_fh.close()


def write_book(
    parts: Sequence[tuple[str, Sequence[str], Sequence[Sequence[Cell]]]],
) -> bytes:
    """Several tables as one XLSX, a sheet each: (title, columns, rows), the titles different.

    Raises what `write_xlsx` does.
    """
    place = io.BytesIO()
    titles = [_sheet_name(title) for title, _, _ in parts]
    if not parts or len({title.casefold() for title in titles}) < len(titles):
        raise ValueError("sheets need titles, each its own")
    with _book(place) as book:
        for title, (_, columns, rows) in zip(titles, parts, strict=True):
            _check(columns)
            _fill(book, book.add_worksheet(title), columns, rows)
    return place.getvalue()


def _fill(
    book: Workbook, sheet: Worksheet, columns: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> int:
    text = book.add_format({"num_format": "@", "valign": "top"})
    number = book.add_format({"num_format": "0", "valign": "top"})
    part = book.add_format({"num_format": "General", "valign": "top"})
    heading = book.add_format({"num_format": "@", "bold": True, "bottom": 1})
    widths = [_width(one) + 3 for one in columns]  # the arrow of the filter stands beside it
    for index, name in enumerate(columns):
        sheet.write_string(0, index, _held(name, name), heading)
    many = 0
    for many, row in enumerate(rows, 1):
        if many > MOST_ROWS:
            raise refusal(
                "too_many_rows",
                f"一张工作表最多 {MOST_ROWS} 行。请缩小导出的范围，或导出为 CSV。",
            )
        for index, (name, cell) in enumerate(zip(columns, row, strict=True)):
            if type(cell) is int and abs(cell) < MOST_NUMBER:
                sheet.write_number(many, index, cell, number)
            elif type(cell) is float:
                sheet.write_number(many, index, cell, part)
            elif written := _text(cell):
                sheet.write_string(many, index, _held(written, name), text)
                if many <= LOOKED_AT:
                    widths[index] = max(widths[index], _width(written) + 1)
    for index, width in enumerate(widths):
        sheet.set_column(index, index, min(max(width, NARROWEST), WIDEST), text)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, many, len(columns) - 1)
    # Codes are text that looks like numbers; that is as it should be.
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    return many


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The table as CSV, in pieces: UTF-8 with a mark, so that Excel opens it rightly; CRLF."""
    _check(columns)
    return _csv(columns, rows)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    lines = io.StringIO(newline="")
    lines.write("\ufeff")
    # Quoted, so that a heading which begins with # is no comment.
    csv.writer(lines, quoting=csv.QUOTE_ALL).writerow([_neutral(one) for one in columns])
    writer = csv.writer(lines)
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"{len(row)} cells for {len(columns)} columns")
        writer.writerow(
            [cell if type(cell) in (int, float) else _neutral(_text(cell)) for cell in row]
        )
        if lines.tell() > PIECE:
            yield lines.getvalue().encode()
            lines.seek(0)
            lines.truncate()
    yield lines.getvalue().encode()


def write_json(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The table as a JSON list of objects, in pieces, one object a line.

    Nothing is put before what looks like a formula: JSON is read by programs.
    """
    _check(columns)
    return _json(columns, rows)


def _json(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    piece = ["["]
    between = "\n"
    for row in rows:
        one = dict(zip(columns, row, strict=True))
        piece.append(between + json.dumps(one, ensure_ascii=False))
        between = ",\n"
        if len(piece) > 200:
            yield "".join(piece).encode()
            piece.clear()
    piece.append("\n]\n")
    yield "".join(piece).encode()


def _check(columns: Sequence[str]) -> None:
    if not columns or len(set(columns)) < len(columns) or not all(columns):
        raise ValueError("columns need names, each its own")


def _text(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "是" if cell else "否"
    return "" if cell is None else str(cell)


def _neutral(text: str) -> str:
    return "'" + text if FORMULA_LIKE.match(text) else text


def _held(text: str, column: str) -> str:
    """The text as it goes into a cell; xlsxwriter would cut a long one off and say nothing."""
    text = _neutral(text)
    if text.startswith("<r>") and text.endswith("</r>"):
        text += " "  # xlsxwriter would believe it to be markup and write it unescaped
    if units(text) > LONGEST:
        raise refusal(
            "too_long",
            f"“{excerpt(column)}”列有一格超过 {LONGEST} 个字，XLSX 放不下。请导出为 CSV 或 JSON。",
            field=column,
        )
    return text


def _width(text: str) -> int:
    """Of the longest line, a Chinese letter counted twice."""
    return max(
        sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in line[:WIDEST])
        for line in text.split("\n")
    )


def _sheet_name(title: str) -> str:
    name = re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", title).strip(" '")
    name = name.encode("utf-16-le")[: 2 * SHEET_NAME].decode("utf-16-le", "ignore").strip(" '")
    return name if name and name.lower() != "history" else "表格"
