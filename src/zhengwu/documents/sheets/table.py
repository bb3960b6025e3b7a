"""A table (表格) as it was read: columns, rows of clean text, and what is wrong with each row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from zhengwu.domain.refusal import Refusal

MOST_ROWS = 200_000
MOST_COLUMNS = 500
MOST_CELLS = 6_000_000
MOST_FAULTS = 50_000
LONGEST = 32_767  # UTF-16 units in a cell: what a spreadsheet can hold
EXCERPT = 20
SHOWN = 256  # letters that are kept of a text that is too long

# Control characters but the line break, halves of a letter, letters that turn the direction of
# their neighbours (a name that reads otherwise than it is), code points that are no letters.
UNSEEN = re.compile(
    "[\0-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)
# What a spreadsheet would take for a formula, whatever blanks or ' stand before it; some take the
# full-width signs too. If ' and a text match, so does the text with that ': one can be added on
# writing and taken away on reading, and nothing is lost.
FORMULA_LIKE = re.compile(r"[\s']*[=+\-@＝＋－＠]|'*[\t\r\n]")

Fault = tuple[str, str]  # the code without "sheets.", and the sentence without its beginning
NO_FAULTS: Mapping[int, Fault] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was done without asking (说明)."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row (行).

    number: as the spreadsheet shows it, the header and empty rows counted; in JSON the position of
    the object, from 1. cells: by column, every column there, "" where nothing is written.
    """

    number: int
    cells: Mapping[str, str]
    faults: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """What was read. format: "xlsx", "csv" or "json". sheet: the name of the sheet, of an XLSX.

    duplicates: the number of a row all of whose cells are those of an earlier row, and the number
    of the first such row. It is no fault here.
    """

    columns: tuple[str, ...]
    rows: tuple[SheetRow, ...]
    notes: tuple[Note, ...]
    encoding: str
    format: str
    sheet: str = ""
    duplicates: Mapping[int, int] = field(default_factory=dict)


def refusal(code: str, sentence: str, *, field: str | None = None) -> Refusal:
    return Refusal(f"sheets.{code}", sentence, field=field)


def clean(text: str) -> str:
    """The text in NFC, its lines ended by \\n, without blanks around it."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", text).strip()


def letters(index: int) -> str:
    """The spreadsheet's name of a column: 0 is A, 26 is AA."""
    name, index = "", index + 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name


def units(text: str) -> int:
    """How long a spreadsheet finds the text: in UTF-16 units."""
    if 2 * len(text) <= LONGEST:  # it cannot be too long
        return len(text)
    return len(text) + sum(letter > "\uffff" for letter in text)


def excerpt(text: str) -> str:
    return text if len(text) <= EXCERPT else text[:EXCERPT] + "…"


def cleaned(raw: str, *, neutralised: bool) -> tuple[str, Fault | None]:
    """The text of a cell, and what is wrong with it.

    neutralised: a ' before what looks like a formula was put there by us, and is taken away.
    """
    if neutralised and raw[:1] == "'" and FORMULA_LIKE.match(raw, 1):
        raw = raw[1:]
    text = clean(raw)
    if unseen := UNSEEN.search(text):
        code = f"U+{ord(unseen[0]):04X}"
        return UNSEEN.sub("", text)[:LONGEST], (
            "control_character",
            f"里有看不见的控制字符（{code}）。请清空这一格，重新录入。",
        )
    if units(text) > LONGEST:
        return text[:SHOWN], ("too_long", f"超过 {LONGEST} 个字。请缩短，或分写在几格里。")
    return text, None


def cleaned_cells(
    cells: Iterable[tuple[int, str]], *, neutralised: bool
) -> tuple[dict[int, str], dict[int, Fault]]:
    """The cells of a line in which something is written, cleaned, and what is wrong with them."""
    texts: dict[int, str] = {}
    faults: dict[int, Fault] = {}
    for index, raw in cells:
        text, fault = cleaned(raw, neutralised=neutralised)
        if fault is not None:
            faults[index] = fault
        if text or fault is not None:
            texts[index] = text
    return texts, faults


class Gathering:
    """The table while its lines come in (汇集): cells by the index of their column, from 0.

    The first line that is not empty is the header.
    """

    def __init__(self) -> None:
        self.columns: dict[int, str] = {}
        self.header = 0
        self.empty = 0
        self._blank: dict[str, str] = {}
        self._rows: dict[int, dict[str, str]] = {}
        self._faults: dict[int, list[Refusal]] = {}
        self._many_faults = 0
        self._many_cells = 0

    def add(
        self, number: int, cells: Mapping[int, str], faults: Mapping[int, Fault] = NO_FAULTS
    ) -> bool:
        """Take in a line; False where it is empty. Raises Refusal for the whole file.

        cells: cleaned, only those in which something is written or wrong.
        """
        if not cells:
            self.empty += bool(self.columns)
            return False
        if not self.columns:
            return self._open(number, cells, faults)
        columns, row = self.columns, self._blank.copy()
        extra: list[int] = []
        for index, text in cells.items():
            column = columns.get(index)
            if column is None:
                extra.append(index)
            else:
                row[column] = text
        self._rows[number] = row
        self._many_cells += len(cells)
        if len(self._rows) > MOST_ROWS:
            raise refusal(
                "too_many_rows", f"表格超过 {MOST_ROWS} 行，一次读不下。请分成几个文件导入。"
            )
        if self._many_cells > MOST_CELLS:
            raise refusal(
                "too_many_cells",
                f"表格超过 {MOST_CELLS} 格，一次读不下。请分成几个文件，或删去用不着的列。",
            )
        for index, fault in faults.items():
            if index in columns:
                self.fault(number, columns[index], fault)
        if extra:
            self._superfluous(number, min(extra), cells[min(extra)])
        return True

    def fault(self, number: int, column: str, fault: Fault) -> None:
        """Something is wrong with a cell of a row."""
        self.fault_of_row(number, fault[0], f"“{column}”一格{fault[1]}", column=column)

    def fault_of_row(self, number: int, code: str, sentence: str, *, column: str) -> None:
        self._many_faults += 1
        if self._many_faults > MOST_FAULTS:
            raise refusal(
                "too_many_faults",
                f"有问题的格超过 {MOST_FAULTS} 处，例如第 {number} 行：{sentence}"
                "请先在表格软件里整列改好，再导入。",
            )
        self._faults.setdefault(number, []).append(refusal(code, sentence, field=column))

    def text(self, number: int, index: int) -> str:
        """What stands in a cell; "" where nothing does, or outside the table."""
        return self._rows.get(number, {}).get(self.columns.get(index, ""), "")

    def put(self, number: int, index: int, text: str) -> None:
        """Write a cell of a row that is there."""
        self._rows[number][self.columns[index]] = text

    @property
    def many_rows(self) -> int:
        return len(self._rows)

    def keep(self, number: int) -> None:
        """Count a line as a row though nothing is written in it."""
        self._rows.setdefault(number, self._blank.copy())

    def table(
        self, *, format: str, encoding: str, sheet: str = "", notes: tuple[Note, ...] = ()
    ) -> Table:
        """The whole. Raises Refusal where no header came."""
        if not self.columns:
            raise refusal(
                "no_header", "表里没有内容，找不到表头。请在第一行写上各列的名称，再导入。"
            )
        rows: list[SheetRow] = []
        first: dict[tuple[str, ...], int] = {}
        duplicates: dict[int, int] = {}
        for number in sorted(self._rows):
            cells = self._rows[number]
            rows.append(SheetRow(number, cells, tuple(self._faults.get(number, ()))))
            earlier = first.setdefault(tuple(cells.values()), number)
            if earlier != number:
                duplicates[number] = earlier
        if self.empty:
            notes = (*notes, Note("sheets.empty_rows", f"跳过了 {self.empty} 个空行。"))
        return Table(
            columns=tuple(self.columns.values()), rows=tuple(rows), notes=notes,
            encoding=encoding, format=format, sheet=sheet, duplicates=duplicates,
        )  # fmt: skip

    def _open(self, number: int, cells: Mapping[int, str], faults: Mapping[int, Fault]) -> bool:
        where = f"表头（第 {number} 行）" if number else "各项的名称里"
        names: dict[str, int] = {}
        for index, written in sorted(cells.items()):
            text = written.replace("\n", "")
            if index in faults:
                raise refusal(
                    "header_unclear",
                    f"{where}{letters(index)} 列{faults[index][1]}",
                    field=text or None,
                )
            if text in names:
                raise refusal(
                    "same_header",
                    f"{where}有两列都叫“{excerpt(text)}”"
                    f"（{letters(names[text])} 列和 {letters(index)} 列）。请改成不同的名称，或删去一列。",
                    field=text,
                )
            names[text] = index
        if not any(letter.isalpha() for name in names for letter in name):
            raise refusal(
                "no_header",
                f"{where}只有数字或符号，不像表头。请在第一行写上各列的名称，再导入。",
            )
        if len(names) > MOST_COLUMNS:
            raise refusal(
                "too_many_columns",
                f"表格有 {len(names)} 列，最多 {MOST_COLUMNS} 列。请删去用不着的列。",
            )
        self.columns = {index: name for name, index in names.items()}
        self._blank = dict.fromkeys(names, "")
        self.header = number
        return True

    def _superfluous(self, number: int, index: int, text: str) -> None:
        name = letters(index)
        self.fault_of_row(
            number,
            "extra_cell",
            f"{name} 列没有表头，这一行却写着“{excerpt(text)}”。请删去，或给 {name} 列写上表头；"
            "如果是 CSV 文件，请检查这一行有没有多出来的分隔符。",
            column=name,
        )
