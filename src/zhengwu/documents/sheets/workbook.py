"""XLSX (Office Open XML): a zip of XML parts. Each part is read as a stream and believed in nothing.

Before anything is unpacked the sizes that the zip declares are held against the limits; a part that
unpacks to more than it declares is broken. No part may have a DOCTYPE, so there are no entities.
One text in many cells is one text in memory. Values are what the spreadsheet shows to fifteen
digits, as it computes with no more; a cell's own format matters only for dates and leading zeros.
"""

from __future__ import annotations

import io
import math
import posixpath
import re
import struct
import zipfile
import zlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import BinaryIO
from xml.parsers import expat

from zhengwu.documents.sheets.dates import EPOCH, EPOCH_1904, serial_text
from zhengwu.documents.sheets.table import (
    MOST_CELLS,
    Fault,
    Gathering,
    Note,
    Table,
    cleaned,
    excerpt,
    refusal,
)
from zhengwu.domain.refusal import Refusal

MOST_UNPACKED_MB = 256
MOST_RATIO = 200  # unpacked to packed; of a part that unpacks to more than ALWAYS_MB
ALWAYS_MB = 32  # 65,000 empty rows with a format pack 100 to 1; so little does no harm
MOST_PARTS = 5_000
MOST_SHEETS = 200
MOST_STYLES = 200_000
MOST_AREAS = 100_000  # merged cells and array formulas
MOST_COVERED = 1_000_000  # rows below all of them
DEEPEST = 100  # elements within elements
LONGEST_TAG = 4 << 20
MOST_DIGITS = 15  # of a number in a spreadsheet; the sixteenth is already a 0
LAST_ROW, LAST_COLUMN = 1_048_576, 16_384
PIECE = 1 << 18
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
PLACE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
DIGITS = "0123456789"
VALUE, IS_FORMULA = "<v>", "<f>"  # among attributes; no attribute can be called so
TYPES = "[Content_Types].xml"
BUILT_IN = {
    **dict.fromkeys((*range(14, 18), 22, *range(27, 32), 36, *range(50, 55), 57, 58), "date"),
    **dict.fromkeys((18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56), "time"),
    46: "elapsed",
}
BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, expat.ExpatError, EOFError, NotImplementedError,
    RuntimeError, ValueError, LookupError, OverflowError,
)  # fmt: skip

FORMULA: Fault = (
    "formula",
    "是公式，不是值。请复制后用“选择性粘贴 → 数值”把公式换成结果，再导入。",
)
LONG_NUMBER: Fault = (
    "long_number",
    f"是超过 {MOST_DIGITS} 位的数字，表格软件已经把后面几位改成了 0。"
    "请把这一列设为“文本”格式，重新录入。",
)
NO_DATE: Fault = ("date_not_real", "设成了日期格式，里面的数字却不是任何一天。请重新录入日期。")


def macros() -> Refusal:
    return refusal(
        "macros", "这个表格带有宏（程序），不能导入。请用表格软件另存为不带宏的 .xlsx 再导入。"
    )


def read(data: bytes, *, sheet: str | None) -> Table:
    """The table on a sheet: the named one, or the first visible one with a header."""
    try:
        book = _open(data)
        return _table(book, sheet)
    except BROKEN as problem:
        raise refusal(
            "broken",
            "这个表格文件是坏的或者不完整，读不出来。请用表格软件打开，另存为 .xlsx 再导入。",
        ) from problem


# --- the zip --------------------------------------------------------------------------------------
class _Archive:
    """The parts of the file, by their names in small letters."""

    def __init__(self, data: bytes) -> None:
        self._zip = zipfile.ZipFile(io.BytesIO(data))
        self._parts = _checked(self._zip.infolist(), len(data))

    def has(self, name: str) -> bool:
        return _plain(name) in self._parts

    def named(self, *words: str) -> bool:
        return any(word in name for name in self._parts for word in words)

    def open(self, name: str) -> BinaryIO:
        return self._zip.open(self._parts[_plain(name)])  # type: ignore[return-value]


def _plain(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _checked(parts: Iterable[zipfile.ZipInfo], size: int) -> dict[str, zipfile.ZipInfo]:
    """Look at what the zip declares; nothing is unpacked."""
    found: dict[str, zipfile.ZipInfo] = {}
    unpacked = 0
    for part in parts:
        unpacked += part.file_size
        if part.flag_bits & 0x1:
            raise refusal(
                "encrypted", "这个表格加了密码，打不开。请去掉密码，另存为 .xlsx 再导入。"
            )
        if (
            len(found) >= MOST_PARTS
            or unpacked > MOST_UNPACKED_MB << 20
            or _blown_up(part.file_size, part.compress_size)
        ):
            raise _bomb()
        if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(part.compress_type)
        if _plain(part.filename) in found:
            raise ValueError(part.filename)
        found[_plain(part.filename)] = part
    if _blown_up(unpacked, size):  # parts may share what is packed
        raise _bomb()
    return found


def _blown_up(unpacked: int, packed: int) -> bool:
    return unpacked > ALWAYS_MB << 20 and unpacked > MOST_RATIO * packed


def _bomb() -> Refusal:
    return refusal(
        "too_large_unpacked",
        f"这个文件解开以后太大（超过 {MOST_UNPACKED_MB} MB，或大到不合常理），不能读取。"
        "请删去空行和多余的格式，分成几个文件导入。",
    )


# --- XML ------------------------------------------------------------------------------------------
Begin = Callable[[str, dict[str, str]], None]
End = Callable[[str, str], None]


class _Enough(Exception):
    """What was looked for is found."""


class _Walk:
    """One walk over a part, element by element, names without their prefix.

    begin: at each start, with the attributes. end: at each end, with the text since the last start.
    """

    def __init__(self, begin: Begin, end: End | None = None) -> None:
        self.text: list[str] = []
        self._begin = begin
        self._end = end
        self._depth = 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self.began
        self._parser.EndElementHandler = self.ended
        self._parser.StartDoctypeDeclHandler = _no_doctype
        if end is not None:
            self._parser.CharacterDataHandler = self.text.append

    def over(self, archive: _Archive, name: str) -> None:
        """Walk it. Memory is bounded by how deep it goes and by its longest tag."""
        fed = 0
        with archive.open(name) as part:
            while piece := part.read(PIECE):
                self._parser.Parse(piece, False)
                fed += len(piece)
                if fed - self._parser.CurrentByteIndex > LONGEST_TAG:
                    raise ValueError(name)
        self._parser.Parse(b"", True)

    def began(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ValueError(name)
        self.text.clear()
        self._begin(name.rpartition(":")[2], attributes)

    def ended(self, name: str) -> None:
        self._depth -= 1
        if self._end is not None:
            self._end(name.rpartition(":")[2], "".join(self.text))


def _no_doctype(*_: object) -> None:
    raise refusal(
        "entities",
        "这个表格文件里有不允许的 XML 定义（DOCTYPE），不是表格软件正常保存的文件。"
        "请用表格软件打开，另存为 .xlsx 再导入。",
    )


# --- the workbook ---------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Sheet:
    name: str
    part: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class _Book:
    archive: _Archive
    sheets: tuple[_Sheet, ...]
    since_1904: bool
    texts: Sequence[str]
    faults: Mapping[int, Fault]  # of the texts
    formats: Mapping[str, str]  # by style, only where a number is more than a number


def _open(data: bytes) -> _Book:
    archive = _Archive(data)
    if archive.named("vbaproject", "macrosheets/"):
        raise macros()
    if archive.has(TYPES):
        _Walk(_no_macros).over(archive, TYPES)
    home = next(
        (target for kind, target in _relations(archive, "").values() if kind == "officeDocument"),
        "",
    )
    if not home.lower().endswith(".xml") or not archive.has(home):
        raise _no_workbook()
    relations = _relations(archive, home)
    sheets: list[_Sheet] = []
    root, since_1904 = "", False

    def begin(tag: str, attributes: dict[str, str]) -> None:
        nonlocal root, since_1904
        if not root:
            root = tag
            if root != "workbook":
                raise _no_workbook()
        if tag == "workbookPr":
            since_1904 = attributes.get("date1904", "") in ("1", "true")
        elif tag == "sheet":
            id = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            kind, part = relations[id]
            if kind == "worksheet":  # a chart is a sheet too
                hidden = attributes.get("state", "visible") != "visible"
                sheets.append(_Sheet(attributes["name"], part, hidden))
            if len(sheets) > MOST_SHEETS:
                raise refusal(
                    "too_many_sheets",
                    f"这个文件的工作表超过 {MOST_SHEETS} 张。请把要导入的那一张另存为一个文件。",
                )

    _Walk(begin).over(archive, home)
    parts = {kind: part for kind, part in relations.values() if archive.has(part)}
    strings, styles = parts.get("sharedStrings"), parts.get("styles")
    texts, faults = _texts(archive, strings) if strings else ([], {})
    return _Book(
        archive=archive,
        sheets=tuple(sheets),
        since_1904=since_1904,
        texts=texts,
        faults=faults,
        formats=_formats(archive, styles) if styles else {},
    )


def _no_workbook() -> Refusal:
    return refusal(
        "not_a_sheet",
        "这个文件不是 .xlsx 表格（可能是压缩包、文档，或 .ods、.xlsb 表格）。"
        "请用表格软件另存为 .xlsx 再导入。",
    )


def _no_macros(_: str, attributes: dict[str, str]) -> None:
    if "macroenabled" in attributes.get("ContentType", "").lower():
        raise macros()


def _relations(archive: _Archive, of: str) -> dict[str, tuple[str, str]]:
    """Of a part ("" the whole package): its relations by id, each a kind and the part it names."""
    folder, name = posixpath.split(of)
    part = posixpath.join(folder, "_rels", f"{name}.rels")
    found: dict[str, tuple[str, str]] = {}

    def begin(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, attributes["Target"]))
            kind = attributes["Type"].rpartition("/")[2]
            found[attributes["Id"]] = (kind, target.lstrip("/"))
            if len(found) > MOST_PARTS:
                raise ValueError(part)

    if archive.has(part):
        _Walk(begin).over(archive, part)
    return found


def _texts(archive: _Archive, part: str) -> tuple[list[str], dict[int, Fault]]:
    """The shared strings, cleaned: the runs of each put together, without how they are spoken."""
    texts: list[str] = []
    faults: dict[int, Fault] = {}
    runs: list[str] = []
    spoken = False

    def begin(tag: str, _: dict[str, str]) -> None:
        nonlocal spoken
        spoken = spoken or tag == "rPh"

    def end(tag: str, text: str) -> None:
        nonlocal spoken
        if tag == "t" and not spoken:
            runs.append(text)
        elif tag == "rPh":
            spoken = False
        elif tag == "si":
            whole, fault = cleaned(_unescaped("".join(runs)), neutralised=True)
            runs.clear()
            if fault is not None:
                faults[len(texts)] = fault
            texts.append(whole)
            if len(texts) > MOST_CELLS:
                raise ValueError(part)

    _Walk(begin, end).over(archive, part)
    return texts, faults


def _unescaped(text: str) -> str:
    """_x000D_ is how XML writes a letter that it cannot hold."""
    if "_x" not in text:
        return text
    text = ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    # Two such halves are one letter.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _formats(archive: _Archive, part: str) -> dict[str, str]:
    """What the numbers of a style are: "date", "time", "elapsed", or zeros to fill up with."""
    own: dict[int, str] = {}
    styles: dict[str, str] = {}
    many = 0
    inside = False

    def begin(tag: str, attributes: dict[str, str]) -> None:
        nonlocal inside, many
        if tag == "numFmt":
            own[int(attributes["numFmtId"])] = _kind(attributes["formatCode"])
        elif tag in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
            inside = tag == "cellXfs"
        elif tag == "xf" and inside:
            number = int(attributes.get("numFmtId", "0"))
            if kind := own.get(number, BUILT_IN.get(number, "")):
                styles[str(many)] = kind
            many += 1
        if len(own) + many > MOST_STYLES:
            raise ValueError(part)

    _Walk(begin).over(archive, part)
    return styles


def _kind(code: str) -> str:
    """What a format makes of a number, by its first section."""
    bare = re.sub(r'"[^"]*"|[\\_*].', "", code).split(";")[0].lower()
    if re.search(r"\[(h+|m+|s+)\]", bare):
        return "elapsed"
    bare = re.sub(r"\[[^\]]*\]|am/pm|a/p|上午/下午|general", "", bare)
    if re.fullmatch(r"0{2,15}", bare):
        return bare
    if re.search(r"[yd]|aaa", bare) or ("e" in bare and not re.search(r"[0#?]", bare)):
        return "date"
    if re.search(r"[hs]", bare):
        return "time"
    return "date" if "m" in bare else ""


# --- a sheet --------------------------------------------------------------------------------------
def _table(book: _Book, wanted: str | None) -> Table:
    filled = _filled(book)
    chosen = _named(book, wanted) if wanted is not None else _visible(filled)
    for sheet in chosen:
        lines = _Lines(book, sheet)
        if lines.gathering.columns:
            return lines.table(others=[one for one in filled if one is not sheet])
    return Gathering().table(format="xlsx", encoding="utf-8")  # refused: no header


def _named(book: _Book, wanted: str) -> list[_Sheet]:
    found = [one for one in book.sheets if one.name == wanted]
    if not found:
        names = "、".join(f"“{excerpt(one.name)}”" for one in book.sheets[:10])
        raise refusal(
            "no_such_sheet",
            f"文件里没有名为“{excerpt(wanted)}”的工作表，只有{names}。请查对名称。",
        )
    return found


def _visible(filled: list[_Sheet]) -> list[_Sheet]:
    seen = [one for one in filled if not one.hidden]
    if filled and not seen:
        raise refusal(
            "only_hidden",
            f"有内容的工作表（“{excerpt(filled[0].name)}”）是隐藏的，看得见的工作表都是空的。"
            "请取消隐藏，看过内容再导入。",
        )
    return seen


def _filled(book: _Book) -> list[_Sheet]:
    """The sheets on which something is written."""
    known: dict[str, bool] = {}
    for one in book.sheets:
        if one.part not in known:
            known[one.part] = _is_filled(book.archive, one.part)
    return [one for one in book.sheets if known[one.part]]


def _is_filled(archive: _Archive, part: str) -> bool:
    def begin(tag: str, _: dict[str, str]) -> None:
        if tag in ("v", "t", "f"):
            raise _Enough

    try:
        _Walk(begin).over(archive, part)
    except _Enough:
        return True
    return False


@dataclass(frozen=True, slots=True)
class _Area:
    """Cells between two corners (区域): rows from 1, columns from 0."""

    name: str
    top: int
    left: int
    bottom: int
    right: int


def _area(name: str) -> _Area:
    begin, _, end = name.replace("$", "").partition(":")
    (left, top), (right, bottom) = _place(begin), _place(end or begin)
    return _Area(name, top, left, bottom, right)


def _place(name: str) -> tuple[int, int]:
    match = PLACE.fullmatch(name)
    if match is None:
        raise ValueError(name)
    return _column(match[1]), int(match[2])


@lru_cache(maxsize=LAST_COLUMN)
def _column(name: str) -> int:
    index = 0
    for letter in name.upper():
        index = index * 26 + ord(letter) - 64
    if not name.isascii() or not name.isalpha() or index > LAST_COLUMN:
        raise ValueError(name)
    return index - 1


class _Lines(_Walk):
    """The lines of one sheet, as they are walked over."""

    def __init__(self, book: _Book, sheet: _Sheet) -> None:
        super().__init__(self._start, self._stop)
        self.gathering = Gathering()
        self._book = book
        self._sheet = sheet
        # The row that is open: the attributes of its cells, with VALUE and IS_FORMULA beside them.
        self._number = 0
        self._hidden = False
        self._cells: list[dict[str, str]] = []
        self._runs: list[str] = []
        self._spoken = False
        # What is judged when all rows are known.
        self._many_hidden = 0
        self._merged: list[_Area] = []
        self._spilled: list[_Area] = []
        self._dates: Counter[int] = Counter()
        self._serials: dict[int, array[int]] = {}
        self.over(book.archive, sheet.part)

    def table(self, *, others: list[_Sheet]) -> Table:
        gathering = self.gathering
        self._cover()
        notes = [*self._mixed(), *self._seen(others)]
        gathering.empty = max(0, self._number - gathering.header - gathering.many_rows)
        return gathering.table(
            format="xlsx", encoding="utf-8", sheet=self._sheet.name, notes=tuple(notes)
        )

    # Half of a sheet's elements are c, the other half v: these two take the short way.
    def began(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._cells.append(attributes)
            if len(self._cells) > LAST_COLUMN:
                raise ValueError(name)
        elif name == "v":
            self._depth += 1
            if self._depth > DEEPEST:
                raise ValueError(name)
            self.text.clear()
        else:
            super().began(name, attributes)

    def ended(self, name: str) -> None:
        if name == "v":
            self._depth -= 1
            self._cells[-1][VALUE] = "".join(self.text)
        elif name != "c":
            super().ended(name)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "row":
            number = int(attributes.get("r", self._number + 1))
            if not self._number < number <= LAST_ROW or self._cells:
                raise ValueError(number)
            self._number = number
            self._hidden = attributes.get("hidden", "") in ("1", "true")
        elif tag == "c":  # that had a prefix
            self.began(tag, attributes)
        elif tag == "is":
            self._runs.clear()
        elif tag == "rPh":
            self._spoken = True
        elif tag == "f":
            self._cells[-1][IS_FORMULA] = ""
            if "ref" in attributes and attributes.get("t") != "shared":
                self._remember(self._spilled, attributes["ref"])
        elif tag == "mergeCell":
            self._remember(self._merged, attributes["ref"])

    def _stop(self, tag: str, text: str) -> None:
        if tag == "row":
            self._row(self._cells)
            self._cells.clear()
        elif tag == "v":  # that had a prefix
            self._cells[-1][VALUE] = text
        elif tag == "t" and not self._spoken:
            self._runs.append(text)
        elif tag == "is":
            self._cells[-1][VALUE] = "".join(self._runs)
        elif tag == "rPh":
            self._spoken = False

    def _row(self, cells: list[dict[str, str]]) -> None:
        """Take in the row that has ended."""
        texts: dict[int, str] = {}
        faults: dict[int, Fault] = {}
        shared, faulty = self._book.texts, self._book.faults
        index = -1
        for cell in cells:
            before, place = index, cell.get("r")
            index = _column(place.rstrip(DIGITS)) if place else index + 1
            if index <= before:
                raise ValueError(place)
            value = cell.get(VALUE)
            if not value:
                text, fault = "", None
            elif (kind := cell.get("t")) == "s":
                number = int(value)
                text, fault = shared[number], faulty.get(number)
                if number < 0:
                    raise ValueError(value)
            elif kind is None or kind == "n":
                text, fault = self._number_text(value, index, cell.get("s"))
            else:
                text, fault = _other(value, kind)
            if IS_FORMULA in cell:
                fault = FORMULA
            if fault is not None:
                faults[index] = fault
            if text or fault is not None:
                texts[index] = text
        if self.gathering.add(self._number, texts, faults) and self._hidden:
            self._many_hidden += 1

    def _number_text(self, value: str, index: int, style: str | None) -> tuple[str, Fault | None]:
        kind = self._book.formats.get(style, "") if style else ""
        if kind and kind[0] != "0":
            text = _date_text(value, kind, self._book.since_1904)
            if text is None:
                return value, NO_DATE
            if kind == "date":
                self._dates[index] += 1
            return text, None
        text = _plain_number(value)
        if text is None:
            return value, LONG_NUMBER
        if kind:
            return text.zfill(len(kind)) if text.isdigit() else text, None
        if len(text) == 5 and text.isdigit():
            self._serials.setdefault(index, array("l")).append(self._number)
        return text, None

    def _remember(self, areas: list[_Area], name: str) -> None:
        areas.append(_area(name))
        if len(areas) > MOST_AREAS:
            raise _too_many_areas()

    # --- when all rows are known ---
    def _cover(self) -> None:
        """Faults of the rows that a merged cell covers, and of those a formula spills over."""
        rows = sum(area.bottom - area.top + 1 for area in (*self._merged, *self._spilled))
        if rows > MOST_COVERED:
            raise _too_many_areas()
        for area in self._merged:
            self._merge(area, self._headed(area))
        for area in self._spilled:
            self._spill(area, self._headed(area))

    def _headed(self, area: _Area) -> list[int]:
        return [one for one in self.gathering.columns if area.left <= one <= area.right]

    def _merge(self, area: _Area, headed: list[int]) -> None:
        gathering = self.gathering
        if headed and area.top <= gathering.header <= area.bottom:
            raise refusal(
                "merged_header",
                f"表头（第 {gathering.header} 行）有合并的单元格 {area.name}。请取消合并，"
                "每一列写一个名称；表头上面的大标题请删去。",
            )
        if area.left in headed and not gathering.text(area.top, area.left):
            return  # nothing is written in it, so nothing is lost
        for number in range(area.top, area.bottom + 1):
            covered = [one for one in headed if (number, one) != (area.top, area.left)]
            if covered:
                gathering.keep(number)
                gathering.fault(
                    number,
                    gathering.columns[covered[0]],
                    (
                        "merged",
                        f"并在合并的单元格 {area.name} 里。请取消合并，每一行都写上自己的内容。",
                    ),
                )

    def _spill(self, area: _Area, headed: list[int]) -> None:
        gathering = self.gathering
        for number in range(area.top, area.bottom + 1):
            for index in headed:
                if (number, index) != (area.top, area.left) and gathering.text(number, index):
                    gathering.fault(number, gathering.columns[index], FORMULA)

    def _mixed(self) -> Iterator[Note]:
        """Numbers in a column of dates are dates whose cells lost their format."""
        gathering = self.gathering
        start = EPOCH_1904 if self._book.since_1904 else EPOCH
        for index, column in gathering.columns.items():
            numbers = [one for one in self._serials.get(index, ()) if one > gathering.header]
            if not numbers or len(numbers) > self._dates.get(index, 0):
                continue
            for number in numbers:
                days = int(gathering.text(number, index))
                gathering.put(number, index, (start + timedelta(days=days)).isoformat())
            yield Note(
                "sheets.serial_dates",
                f"“{column}”列有 {len(numbers)} 格日期只存成了数字，"
                f"已读成日期（例如第 {numbers[0]} 行）。",
            )

    def _seen(self, others: list[_Sheet]) -> Iterator[Note]:
        if self._many_hidden:
            yield Note(
                "sheets.hidden_rows",
                f"有 {self._many_hidden} 行是隐藏的或被筛选掉的，也一并读取了。",
            )
        if others:
            names = "、".join(
                f"“{excerpt(one.name)}”{'（隐藏）' if one.hidden else ''}" for one in others[:10]
            )
            yield Note(
                "sheets.other_sheets",
                f"读取的是工作表“{excerpt(self._sheet.name)}”；"
                f"还有 {len(others)} 张工作表里有内容，没有读取：{names}。",
            )


def _other(value: str, kind: str) -> tuple[str, Fault | None]:
    """The text of a cell that is no number and no shared string."""
    match kind:
        case "str" | "inlineStr":
            return cleaned(_unescaped(value), neutralised=True)
        case "b":
            return "是" if value in ("1", "true") else "否", None
        case "d":
            return cleaned(value.removesuffix("T00:00:00").replace("T", " "), neutralised=False)
        case "e":
            text, fault = cleaned(value, neutralised=False)
            sentence = f"是错误值 {excerpt(text)}。请改成正确的内容，或清空这一格。"
            return text, fault or ("error_value", sentence)
    raise ValueError(kind)


def _too_many_areas() -> Refusal:
    return refusal(
        "too_many_areas", "表格里合并的单元格或数组公式太多。请全部取消合并、换成数值，再导入。"
    )


def _plain_number(text: str) -> str | None:
    """A number without exponent and without .0; None where the spreadsheet has lost digits."""
    if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS:
        return text.lstrip("0") or "0"
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    if abs(value) >= 10**MOST_DIGITS:
        return None
    shown = format(value, f".{MOST_DIGITS}g")
    if "e" in shown:
        shown = format(Decimal(shown), "f")
    return "0" if shown == "-0" else shown


@lru_cache(maxsize=10_000)
def _date_text(text: str, kind: str, since_1904: bool) -> str | None:
    return serial_text(float(text), kind=kind, since_1904=since_1904)
